"""One picture of one person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class View:
    """One picture of one person, cut to a portrait (H, W), 512 x 320 in the paper."""

    frame: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    surface: npt.NDArray[np.uint8]
    xy: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    others: npt.NDArray[np.uint8]
    background: npt.NDArray[np.uint8]
