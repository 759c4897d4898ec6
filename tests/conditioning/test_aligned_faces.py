"""The same crops as `tracking.face` cuts, in batches, with gradients."""

from __future__ import annotations

import numpy as np
import torch

from understudy.conditioning.aligned_faces import cut_aligned, lay_back, resampled
from understudy.tracking.face import aligned, put_back

MATRICES = np.array([[[2.0, 0.5, -60.0], [-0.5, 2.0, -30.0]], [[1.0, 0.0, 3.25], [0.0, 1.0, -7.5]]])


def smooth(height=96, width=80):
    y, x = np.mgrid[:height, :width]
    waves = [127 + 100 * np.sin(x / 9 + k) * np.cos(y / 11 - k) for k in range(3)]
    return np.stack(waves, axis=-1).astype(np.uint8)


def as_tensor(picture):
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()


def test_crops_are_those_of_the_picture_at_a_time():
    picture = smooth()
    made = cut_aligned(as_tensor(picture).repeat(2, 1, 1, 1), torch.from_numpy(MATRICES), 112)
    assert made.shape == (2, 3, 112, 112)
    for one, matrix in zip(made, MATRICES, strict=True):
        expected = aligned(picture, matrix, 112)
        assert np.abs(one.permute(1, 2, 0).numpy() - expected)[4:-4, 4:-4].mean() < 1.0


def test_laying_back_is_that_of_the_picture_at_a_time():
    picture = smooth()
    crop = 255 - aligned(picture, MATRICES[0], 112)
    weight = torch.ones(1, 1, 112, 112)
    made = lay_back(as_tensor(picture), as_tensor(crop), weight, torch.from_numpy(MATRICES[:1]))
    expected = put_back(picture, crop, MATRICES[0])
    difference = np.abs(made[0].permute(1, 2, 0).numpy() - expected)
    assert difference.mean() < 0.5 and difference.max() < 12


def test_nothing_changes_with_weights_of_0_or_outside():
    frames, crops = torch.rand(2, 3, 96, 80), torch.rand(2, 3, 112, 112)
    matrices = torch.from_numpy(MATRICES)
    assert torch.equal(lay_back(frames, crops, torch.zeros(2, 1, 112, 112), matrices), frames)
    far = matrices + torch.tensor([[0.0, 0.0, 900.0], [0.0, 0.0, 900.0]])
    assert torch.equal(lay_back(frames, crops, torch.ones(2, 1, 112, 112), far), frames)


def test_gradients_reach_frames_crops_and_weights():
    torch.manual_seed(0)
    inputs = [torch.rand(1, 1, 12, 10), torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8)]
    frames, crops, weights = (one.double().requires_grad_() for one in inputs)
    matrix = torch.tensor([[[0.9, 0.2, -1.0], [-0.2, 0.9, 0.5]]], dtype=torch.float64)
    loss = lay_back(frames, crops, weights, matrix).square().sum() + cut_aligned(frames, matrix, 8).square().sum()
    loss.backward()
    for one in (frames, crops, weights):
        assert one.grad is not None and one.grad.abs().sum() > 0


def test_a_shift_of_whole_pixels_moves_them():
    picture = torch.arange(20.0).view(1, 1, 4, 5)
    matrix = torch.tensor([[[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]]], dtype=torch.float64)
    moved = resampled(picture, matrix, (4, 5), "zeros")
    assert torch.allclose(moved[0, 0, :3, :3], picture[0, 0, 1:, 2:], atol=1e-4)
    assert not moved[0, 0, 3].any() and not moved[0, 0, :, 3:].any()
