"""Label maps and surface maps in colours, for people's eyes."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from understudy.body.labels import LABELS
from understudy.body.surface_mesh import CHARTS

Image = npt.NDArray[np.uint8]

COLOURS: dict[str, tuple[int, int, int]] = {
    "background": (0, 0, 0),
    "hat": (150, 90, 30),
    "hair": (110, 60, 140),
    "gloves": (250, 250, 130),
    "sunglasses": (90, 90, 90),
    "upper clothes": (60, 110, 235),
    "dress": (30, 180, 210),
    "coat": (20, 70, 150),
    "socks": (245, 245, 245),
    "pants": (40, 150, 70),
    "torso skin": (255, 190, 150),
    "scarf": (160, 210, 255),
    "skirt": (140, 200, 60),
    "face": (255, 140, 120),
    "left arm": (250, 170, 40),
    "right arm": (220, 60, 60),
    "left leg": (255, 205, 90),
    "right leg": (235, 110, 150),
    "left shoe": (170, 130, 90),
    "right shoe": (110, 80, 60),
    "left hand": (255, 240, 60),
    "right hand": (240, 50, 190),
}
"""RGB by label; left and right differ, so that one taken for the other is seen"""

_BY_NUMBER = np.array([COLOURS[name] for name in LABELS], np.uint8)
_HUES = np.array([round(180 * (chart * 0.618034 % 1)) % 180 for chart in range(len(CHARTS))], np.uint8)
_AROUND = 3
"""by how much what is not the person is darkened"""


def labels_in_colour(labels: Image, frame: Image) -> Image:
    """(H, W, 3) RGB of a label map (H, W) over its darkened frame (H, W, 3): each label in its own of `COLOURS`."""
    return np.where(labels[..., None] > 0, _BY_NUMBER[labels], frame // _AROUND)


def surface_in_colour(surface: Image, frame: Image) -> Image:
    """(H, W, 3) RGB of a surface map (H, W, 3) over its frame: charts in hues, brighter with V, paler with U."""
    chart, u, v = (surface[..., channel] for channel in range(3))
    hsv = np.dstack([_HUES[chart], 255 - u // 2, 100 + np.asarray(v * 0.6, np.uint8)])
    return np.where(chart[..., None] > 0, cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), frame // _AROUND).astype(np.uint8)
