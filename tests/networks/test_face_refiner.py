import pytest
import torch
from torch import nn

from understudy.networks.face_refiner import FaceRefiner, Refined, put_in


def test_a_crop_and_its_mask_have_the_size_and_stay_in_range():
    refined = FaceRefiner(5, widths=(4, 6))(torch.randn(2, 3, 16, 16) * 4, torch.randn(2, 5) * 4)
    assert refined.crop.shape == (2, 3, 16, 16) and refined.crop.abs().max() <= 1
    assert refined.mask.shape == (2, 1, 16, 16) and refined.mask.min() > 0 and refined.mask.max() < 1


def test_the_paper_has_a_code_of_7x7_joined_by_2048_numbers():
    with torch.device("meta"):
        network = FaceRefiner(2048)
        assert network.encoder(torch.zeros(1, 3, 224, 224)).shape == (1, 512, 7, 7)
    assert network.joined[0].in_channels == 512 + 2048
    convolutions = [part for part in network.decoder.modules() if isinstance(part, nn.Conv2d)]
    assert [part.out_channels for part in convolutions] == [512, 256, 128, 64, 64]


def test_who_it_is_comes_from_the_embedding_and_reaches_every_place():
    torch.manual_seed(0)
    network = FaceRefiner(5, widths=(8, 8)).eval()
    made, one, two = torch.randn(1, 3, 16, 16), torch.randn(1, 5) * 3, torch.randn(1, 5) * 3
    apart = (network(made, one).crop - network(made, two).crop).abs().amax(dim=1)
    assert apart.min() > 1e-4
    both = network(made.expand(2, -1, -1, -1), one)  # one embedding for all
    assert torch.allclose(both.crop[:1], network(made, one).crop, atol=1e-5)


def test_everything_learns():
    network = FaceRefiner(5, widths=(4, 6))
    refined = network(torch.randn(2, 3, 16, 16), torch.randn(2, 5))
    (refined.crop.square().mean() + refined.mask.mean()).backward()
    assert all(values.grad is not None and values.grad.abs().sum() > 0 for values in network.parameters())


def test_blending_by_hand():
    refined = Refined(torch.ones(1, 3, 1, 2), torch.tensor([[[[0.25, 0.0]]]]))
    assert put_in(refined, torch.full((1, 3, 1, 2), -1.0))[0, 0, 0].tolist() == [-0.5, -1.0]


def test_what_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="a face of 18x18 cannot be halved that often: use a multiple of 4"):
        FaceRefiner(5, widths=(4, 6))(torch.zeros(1, 3, 18, 18), torch.zeros(1, 5))
    with pytest.raises(ValueError, match="at least one"):
        FaceRefiner(5, widths=())
