"""MediaPipe's network for video calls: a coarse matte of everybody in a picture, where no tracker gives one."""

from __future__ import annotations

import numpy as np

from understudy.base.weights import SELFIE_SEGMENTATION, tracker_network
from understudy.tracking.litert import Network
from understudy.tracking.regions import Region, UInt8Array


class SelfieSegmenter:
    """Masks of small pictures that somebody fills. Raises WeightsError: the network is not at hand."""

    def __init__(self) -> None:
        self._network = Network(tracker_network(SELFIE_SEGMENTATION))

    def __call__(self, frame: UInt8Array) -> UInt8Array:
        """(H, W, 3) RGB in, (H, W) out, 255 where a person is."""
        height, width = frame.shape[:2]
        whole = Region(width / 2, height / 2, width, height)
        (share,) = self._network(whole.cut(frame, self._network.size_wh, "black"))
        mask = np.asarray(share[..., 0] * np.float32(255) + np.float32(0.5), np.uint8)
        return whole.laid_back(mask, (height, width), beyond="nearest")
