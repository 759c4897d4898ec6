"""What the tracker saw of a shrunk picture, brought back to the picture and on to the working square."""

import cv2
import numpy as np
import pytest

from understudy.media.squares import cut
from understudy.tracking.crop import crop_of
from understudy.tracking.observe import View

HEIGHT, WIDTH = 240, 200
SHRUNK_HW = (80, 40)
"""by 3 and by 5"""
COLUMNS, ROWS = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))

REGIONS = pytest.mark.parametrize("region", [None, (50, 40, 120, 160)], ids=["whole", "region"])


def shrunk(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, SHRUNK_HW[::-1], interpolation=cv2.INTER_AREA)


@REGIONS
def test_points_come_back_to_where_the_picture_had_them(region) -> None:
    view = View.of(SHRUNK_HW, (HEIGHT, WIDTH), region)
    x, y = view.cut(shrunk(COLUMNS)), view.cut(shrunk(ROWS))
    there = np.stack(np.meshgrid(np.arange(x.shape[1]), np.arange(x.shape[0])), axis=-1).astype(np.float32)
    np.testing.assert_allclose(view.to_original(there), np.dstack([x, y]), atol=1e-3)


@REGIONS
def test_masks_come_to_the_working_square_where_its_frames_are(region) -> None:
    view = View.of(SHRUNK_HW, (HEIGHT, WIDTH), region)
    square, size = (60, 60, 96), 192
    for positions in (COLUMNS, ROWS):
        picture = positions.astype(np.uint8)
        working = view.to_working(view.cut(shrunk(picture)), crop_of(square, size), size)
        inside = slice(16, -16)
        apart = working.astype(float)[inside, inside] - cut(picture, square, size)[inside, inside]
        assert abs(apart.mean()) < 0.3 and np.abs(apart).max() < 2
