import math

import pytest
import torch

from understudy.conditioning.heatmaps import joint_statistics, normalised_heatmaps


def plain_heatmaps(xy, seen, size_hw, sigma):
    """(..., J, H, W): the formula written out, pixel by pixel."""
    y, x = torch.meshgrid(torch.arange(size_hw[0]), torch.arange(size_hw[1]), indexing="ij")
    squared = (x - xy[..., 0, None, None]) ** 2 + (y - xy[..., 1, None, None]) ** 2
    return torch.exp(-squared / (2 * sigma**2)) * seen[..., None, None]


def drawn(xy, seen, size_hw, sigma):
    """(J, H, W): the maps of one pose without any normalisation."""
    zero, one = torch.zeros(len(xy)), torch.ones(len(xy))
    return normalised_heatmaps(xy[None, None], seen[None, None], size_hw, sigma, zero, one)[0]


def test_a_map_is_a_gaussian_around_its_joint():
    maps = drawn(torch.tensor([[5.0, 3.0]]), torch.tensor([True]), (8, 12), sigma=2.0)
    assert maps.shape == (1, 8, 12)
    assert maps[0, 3, 5] == 1
    assert maps[0, 6, 9].item() == pytest.approx(math.exp(-(3**2 + 4**2) / 8))


def test_an_unseen_joint_draws_nothing():
    maps = drawn(torch.zeros(3, 2), torch.tensor([True, False, True]), (4, 4), 1.0)
    assert maps[1].abs().sum() == 0
    assert maps[0].sum() > 0


def test_statistics_are_those_of_the_maps_drawn_out(monkeypatch):
    monkeypatch.setattr("understudy.conditioning.heatmaps.FRAMES_AT_ONCE", 16)
    torch.manual_seed(3)
    xy, seen = torch.rand(40, 3, 2) * 30 - 3, torch.rand(40, 3) > 0.3
    maps = plain_heatmaps(xy, seen, (20, 24), 2.5).double()
    mean, deviation = joint_statistics(xy, seen, (20, 24), 2.5)
    assert mean.dtype == deviation.dtype == torch.float32
    assert mean.tolist() == pytest.approx(maps.mean(dim=(0, 2, 3)).tolist(), rel=1e-5)
    assert deviation.tolist() == pytest.approx(maps.std(dim=(0, 2, 3), correction=0).tolist(), rel=1e-5)


def test_statistics_make_zero_mean_and_unit_variance_over_the_training_set():
    torch.manual_seed(1)
    xy = torch.rand(70, 4, 2) * 32
    seen = torch.rand(70, 4) > 0.2
    seen[:, 3] = False
    mean, deviation = joint_statistics(xy, seen, (32, 32), 3.0)
    maps = normalised_heatmaps(xy[:, None], seen[:, None], (32, 32), 3.0, mean, deviation)
    assert maps[:, :3].mean(dim=(0, 2, 3)).abs().max() < 1e-4
    assert maps[:, :3].var(dim=(0, 2, 3)).tolist() == pytest.approx([1] * 3, abs=1e-3)
    assert maps[:, 3].abs().max() == 0  # never seen: nothing is divided by zero


def test_the_fast_way_draws_what_the_plain_way_draws():
    torch.manual_seed(2)
    xy, seen = torch.rand(3, 2, 4, 2) * 20, torch.rand(3, 2, 4) > 0.3
    mean, deviation = torch.rand(4), torch.rand(4) + 0.5
    plain = (plain_heatmaps(xy, seen, (16, 20), 2.0) - mean[:, None, None]) / deviation[:, None, None]
    fast = normalised_heatmaps(xy, seen, (16, 20), 2.0, mean, deviation)
    assert fast.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(fast, plain.flatten(1, 2), atol=1e-5)
