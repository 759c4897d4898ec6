import numpy as np
import torch

from understudy.conditioning.pictures import as_levels, as_values, pixels


def test_levels_survive_the_way_there_and_back():
    levels = torch.arange(256, dtype=torch.uint8)
    values = as_values(levels)
    assert (float(values[0]), float(values[-1])) == (-1.0, 1.0)
    assert torch.equal(as_levels(values), levels)


def test_what_lies_outside_is_clipped_and_halves_are_rounded():
    assert as_levels(torch.tensor([-1.5, 1.5, 0.0])).tolist() == [0, 255, 128]


def test_pixels_are_arrays_with_channels_last():
    frames = torch.rand(2, 4, 3, 5) * 2 - 1
    one, two = pixels(frames)
    assert one.shape == two.shape == (3, 5, 4) and one.dtype == np.uint8 and one.flags["C_CONTIGUOUS"]
    assert np.array_equal(two[1, 2], as_levels(frames)[1, :, 1, 2].numpy())
