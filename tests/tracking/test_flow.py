import cv2
import numpy as np
import pytest

from understudy.tracking.flow import BackwardFlow


def texture(shift_x=0, shift_y=0, size=128):
    """Soft noise, moved right and down by whole pixels."""
    noise = np.random.default_rng(0).integers(0, 255, (size + 40, size + 40, 3), np.uint8)
    soft = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
    return soft[20 - shift_y : 20 - shift_y + size, 20 - shift_x : 20 - shift_x + size].copy()


@pytest.mark.parametrize(
    ("shift_x", "shift_y"), [(3, 0), (0, 5), (-4, 2), (0, 0)], ids=["right", "down", "left and a little down", "still"]
)
def test_flow_points_to_where_things_came_from(shift_x, shift_y):
    flow = BackwardFlow(shrink=4)
    first = flow(texture())
    second = flow(texture(shift_x, shift_y))
    assert first.shape == second.shape == (32, 32, 2)
    assert first.dtype == second.dtype == np.float16
    assert not first.any()
    inner = second[4:-4, 4:-4].reshape(-1, 2).astype(float)
    np.testing.assert_allclose(np.median(inner, axis=0), [-shift_x, -shift_y], atol=0.05)
    assert np.abs(inner - [-shift_x, -shift_y]).mean() < 0.1


def test_warping_the_earlier_frame_gives_the_later_one():
    earlier, later = texture(), texture(4, -3)
    flow = BackwardFlow(shrink=1)
    flow(earlier)
    displacement = flow(later).astype(np.float32)
    x, y = np.meshgrid(np.arange(128, dtype=np.float32), np.arange(128, dtype=np.float32))
    warped = cv2.remap(earlier, x + displacement[..., 0], y + displacement[..., 1], cv2.INTER_LINEAR)
    inner = (slice(12, -12), slice(12, -12))
    assert np.abs(warped[inner].astype(int) - later[inner]).mean() < 5
    assert np.abs(earlier[inner].astype(int) - later[inner]).mean() > 20
