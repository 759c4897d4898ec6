"""The guided filter against its own formulas, written out pixel by pixel."""

import numpy as np
import pytest

from understudy.tracking.guided_filter import guided_by_colour, guided_by_grey


def windows(values, radius):
    """(H, W, n) what lies in the window of each pixel, the picture mirrored at its edges."""
    padded = np.pad(values.astype(np.float64), radius, mode="symmetric")
    side = 2 * radius + 1
    return np.lib.stride_tricks.sliding_window_view(padded, (side, side)).reshape(*values.shape, -1)


def mean_of(values, radius):
    return windows(values, radius).mean(axis=-1)


def test_by_grey_as_in_the_paper():
    random = np.random.default_rng(3)
    guide, values = random.random((12, 9)).astype(np.float32), random.random((12, 9)).astype(np.float32)
    seen, wanted = windows(guide, 2), windows(values, 2)
    slope = ((seen * wanted).mean(-1) - seen.mean(-1) * wanted.mean(-1)) / (seen.var(-1) + 0.01)
    start = wanted.mean(-1) - slope * seen.mean(-1)
    expected = mean_of(slope, 2) * guide + mean_of(start, 2)
    np.testing.assert_allclose(guided_by_grey(guide, values, 2, 0.01), expected, atol=1e-5)


def test_by_colour_as_in_the_paper():
    random = np.random.default_rng(4)
    guide = random.integers(0, 256, (8, 10, 3), np.uint8)
    values = random.random((8, 10, 2)).astype(np.float32)
    seen = np.stack([windows(guide[..., k], 1) for k in range(3)], axis=-1)  # (H, W, n, 3)
    away = seen - seen.mean(axis=2, keepdims=True)
    covariance = np.einsum("hwni,hwnj->hwij", away, away) / seen.shape[2] + 40.0 * np.eye(3)
    for channel in range(2):
        wanted = windows(values[..., channel], 1)
        shared = np.einsum("hwni,hwn->hwi", away, wanted) / seen.shape[2]
        slope = np.linalg.solve(covariance, shared[..., None])[..., 0]
        start = wanted.mean(-1) - np.einsum("hwi,hwi->hw", slope, seen.mean(axis=2))
        expected = sum(mean_of(slope[..., k], 1) * guide[..., k] for k in range(3)) + mean_of(start, 1)
        np.testing.assert_allclose(guided_by_colour(guide, values, 1, 40.0)[..., channel], expected, atol=2e-4)


def test_flat_pictures_blur_and_edges_stay():
    step = np.zeros((20, 20), np.float32)
    step[:, 10:] = 1
    noisy = step + np.random.default_rng(1).normal(0, 0.1, step.shape).astype(np.float32)
    kept = guided_by_grey(step, noisy, 3, 1e-4)
    assert abs(kept[:, 10].mean() - kept[:, 9].mean()) == pytest.approx(1, abs=0.1)
    assert kept[:, :8].std() < 0.5 * noisy[:, :8].std()
