"""Whether a camera sees the 133 points of a made-up person."""

from __future__ import annotations

import numpy as np

from understudy.body.landmarks import Anchors
from understudy.body.skeleton import Floats
from understudy.synthetic.scene import Camera

HIDDEN = 0.4
"""Confidence of a body joint that something else hides."""

_BODY_AND_FEET = 23


def landmark_confidence(anchors: Anchors, points: Floats, normals: Floats, depth: Floats, camera: Camera) -> Floats:
    """(133,) confidence of the points, see `Rendered`.

    Args:
        anchors: of the person.
        points: (133, 3) x, y, distance on the picture.
        normals: (133, 3) in the world; 0 where a point has none.
        depth: (H, W) distance of the surface seen, infinite on the background.
        camera: of the scene.
    """
    height, width = depth.shape
    column, row = np.round(points[:, 0]).astype(np.int64), np.round(points[:, 1]).astype(np.int64)
    outside = (column < 0) | (column >= width) | (row < 0) | (row >= height)
    row, column = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
    surface_depth = np.where(np.isfinite(depth[row, column]), depth[row, column], np.inf)
    hidden = surface_depth < points[:, 2] - anchors.reach
    hidden |= (normals != 0).any(axis=1) & (normals @ camera.axes[2] > -0.05)
    confidence = np.where(hidden, HIDDEN, 1.0)
    confidence[:5][hidden[:5]] = 0.0
    confidence[_BODY_AND_FEET:][hidden[_BODY_AND_FEET:]] = 0.0
    confidence[outside] = 0.0
    return np.asarray(confidence, np.float32)
