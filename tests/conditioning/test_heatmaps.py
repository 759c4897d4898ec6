import math

import pytest
import torch

from understudy.conditioning.heatmaps import gaussian_heatmaps, joint_statistics, normalised_heatmaps


def test_a_map_is_a_gaussian_around_its_joint():
    maps = gaussian_heatmaps(torch.tensor([[5.0, 3.0]]), torch.tensor([True]), (8, 12), sigma=2.0)
    assert maps.shape == (1, 8, 12)
    assert maps[0, 3, 5] == 1
    assert maps[0, 6, 9].item() == pytest.approx(math.exp(-(3**2 + 4**2) / 8))


def test_an_unseen_joint_draws_nothing():
    maps = gaussian_heatmaps(torch.zeros(2, 3, 2), torch.tensor([[True, False, True]] * 2), (4, 4), 1.0)
    assert maps[:, 1].abs().sum() == 0
    assert maps[:, 0].sum() > 0


def test_statistics_make_zero_mean_and_unit_variance_over_the_training_set():
    torch.manual_seed(1)
    xy = torch.rand(70, 4, 2) * 32
    seen = torch.rand(70, 4) > 0.2
    seen[:, 3] = False
    mean, deviation = joint_statistics(xy, seen, (32, 32), 3.0, frames_at_once=16)
    maps = normalised_heatmaps(xy[:, None], seen[:, None], (32, 32), 3.0, mean, deviation)
    assert maps[:, :3].mean(dim=(0, 2, 3)).abs().max() < 1e-4
    assert maps[:, :3].var(dim=(0, 2, 3)).tolist() == pytest.approx([1] * 3, abs=1e-3)
    assert maps[:, 3].abs().max() == 0  # never seen: nothing is divided by zero


def test_the_fast_way_draws_what_the_plain_way_draws():
    torch.manual_seed(2)
    xy, seen = torch.rand(3, 2, 4, 2) * 20, torch.rand(3, 2, 4) > 0.3
    mean, deviation = torch.rand(4), torch.rand(4) + 0.5
    plain = (gaussian_heatmaps(xy, seen, (16, 20), 2.0) - mean[:, None, None]) / deviation[:, None, None]
    fast = normalised_heatmaps(xy, seen, (16, 20), 2.0, mean, deviation)
    assert fast.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(fast, plain.flatten(1, 2), atol=1e-5)
