"""The refiner: begins by changing next to nothing, and what it says is carried out to the pixel, at any size."""

import pytest
import torch

from understudy.networks.refiner import Refinement, Refiner, applied, looked_up

K, SIDE = 3, 32


def said(choice=None, flow=None, paint=None, mask=None):
    half = SIDE // 2
    return Refinement(
        torch.zeros(1, K, half, half) if choice is None else choice,
        torch.zeros(1, K, 2, half, half) if flow is None else flow,
        torch.zeros(1, 4, half, half) if paint is None else paint,
        torch.zeros(1, 1, half, half) if mask is None else mask,
    )


def sources(size=SIDE):
    """Three opaque pictures of one colour each, red, green, blue."""
    pictures = torch.zeros(1, K, 4, size, size)
    pictures[:, :, 3] = 1
    for colour in range(K):
        pictures[:, colour, colour] = 1
    return pictures


NO_CHOICE = torch.zeros(1, K, SIDE // 2, SIDE // 2)


def test_a_new_network_changes_next_to_nothing():
    network = Refiner(K, 5, (8, 8, 8), most_flow=4.0)
    pictures = torch.rand(2, K, 1, SIDE, SIDE) * torch.ones(4)[:, None, None]
    logits = torch.randn(2, K, SIDE // 2, SIDE // 2)
    logits -= logits.amax(dim=1, keepdim=True)
    refinement = network(pictures, torch.ones_like(logits), logits, torch.rand(2, 5, 16, 16))
    assert not refinement.choice.any() and not refinement.flow.any() and not refinement.paint.any()
    still = Refinement(*(torch.zeros_like(one) for one in refinement))
    plain = applied(pictures, logits, still)
    assert (applied(pictures, logits, refinement) - plain).abs().max() < 0.02


@pytest.mark.parametrize("size", [SIDE, 3 * SIDE])
def test_the_choice_is_carried_out_at_any_size(size):
    choice = torch.zeros(1, K, SIDE // 2, SIDE // 2)
    choice[:, 1] = 50
    shown = applied(sources(size), NO_CHOICE, said(choice=choice))
    assert torch.allclose(shown, sources(size)[:, 1], atol=1e-4)


@pytest.mark.parametrize("size", [SIDE, 2 * SIDE])
@pytest.mark.parametrize("played", [False, True])
def test_flow_is_in_half_pixels_of_the_networks_side(size, played):
    pictures = torch.zeros(1, 1, 4, size, size)
    ratio = size // SIDE
    pictures[..., 10 * ratio : 12 * ratio, 14 * ratio : 16 * ratio] = 1
    flow = torch.zeros(1, 1, 2, SIDE // 2, SIDE // 2)
    flow[:, :, 0] = 4.0
    one = Refinement(NO_CHOICE[:, :1], flow, torch.zeros(1, 4, 16, 16), torch.zeros(1, 1, 16, 16))
    shown = applied(pictures, NO_CHOICE[:, :1], one, played=played)
    expected = torch.roll(pictures[:, 0], -2 * ratio, dims=-1)
    assert torch.allclose(shown, expected, atol=1e-3)


@pytest.mark.parametrize("times", [1, 2])
def test_of_a_part_it_makes_that_part_of_the_whole(times):
    """A network learns on squares cut out of pictures and plays whole ones: what it says has to mean the same there."""
    torch.manual_seed(0)
    pictures = torch.nn.functional.interpolate(torch.rand(1, K * 4, 8, 8), size=times * SIDE, mode="bicubic")
    pictures = pictures.clamp(0, 1).reshape(1, K, 4, times * SIDE, times * SIDE)
    flow = torch.tensor([5.0, -3.0])[:, None, None].expand(1, K, 2, 16, 16)
    one = said(torch.randn(1, K, 16, 16), flow, torch.rand(1, 4, 16, 16) - 0.5, torch.rand(1, 1, 16, 16))
    logits = torch.randn(1, K, 16, 16)
    whole = applied(pictures, logits, one)
    rows, columns = slice(8, 24), slice(4, 28)
    part = Refinement(*(kind[..., 4:12, 2:14] for kind in one))
    fine = (..., *(slice(times * at.start, times * at.stop) for at in (rows, columns)))
    made = applied(pictures[fine], logits[..., 4:12, 2:14], part)
    inside = slice(6 * times, -6 * times)
    assert torch.allclose(made[..., inside, inside], whole[fine][..., inside, inside], atol=1e-4)


def test_where_it_paints_over_the_paint_is_added_and_kept_in_range():
    paint, mask = torch.zeros(1, 4, 16, 16), torch.zeros(1, 1, 16, 16)
    paint[:, 0], mask[..., :8] = 0.5, 1.0
    grey = torch.full((1, 1, 4, SIDE, SIDE), 0.4)
    grey[:, :, 3] = 1
    one = said(torch.zeros(1, 1, 16, 16), torch.zeros(1, 1, 2, 16, 16), paint, mask)
    shown = applied(grey, NO_CHOICE[:, :1], one)
    assert shown[0, 0, 16, 2] == pytest.approx(0.9) and shown[0, 0, 16, 30] == pytest.approx(0.4)
    paint[:, 3] = -1.0  # nothing is there: what is not there has no colour either
    assert applied(grey, NO_CHOICE[:, :1], one)[0, :, 16, 2].abs().max() < 1e-6


def test_beyond_the_edge_is_nothing():
    moved = looked_up(torch.ones(1, 1, 8, 8), torch.full((1, 2, 8, 8), 20.0))
    assert not moved.any()


def test_everything_that_it_says_can_be_learnt_from_the_first_step_on():
    network = Refiner(K, 5, (8, 8), most_flow=4.0)
    pictures = torch.rand(1, K, 4, SIDE, SIDE)
    logits = torch.zeros(1, K, 16, 16)
    refinement = network(pictures, torch.ones_like(logits), logits, torch.rand(1, 5, 16, 16))
    applied(pictures, logits, refinement).square().sum().backward()
    gradient = network.last.weight.grad.abs().sum(dim=(1, 2, 3))
    assert (gradient > 0).all()
