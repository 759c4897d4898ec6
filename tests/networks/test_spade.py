import pytest
import torch
from torch import nn

from understudy.networks.spade import SPADE, SettledSPADE, SPADEBlock, settled


def test_spade_by_hand():
    """(x - mu) / sigma of the whole batch, times 1 + gamma, plus beta, both read from the map."""
    network = SPADE(2, hidden=1)
    nn.init.zeros_(network.modulation.weight)
    with torch.no_grad():
        network.modulation.bias.copy_(torch.tensor([1.0, 0.0, 0.5, -2.0]))  # gamma of two channels, then beta
    x = torch.randn(3, 2, 4, 4) * 5 + 7
    normal = (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True, correction=0)
    expected = normal * torch.tensor([2.0, 1.0]).view(1, 2, 1, 1) + torch.tensor([0.5, -2.0]).view(1, 2, 1, 1)
    assert torch.allclose(network(x, torch.rand(3, 1, 4, 4)), expected, atol=1e-3)


def test_what_a_flat_area_of_a_map_says_is_not_washed_out():
    torch.manual_seed(0)
    network = SPADEBlock(4, 4, seen=2, hidden=8)
    x = torch.zeros(1, 4, 8, 8)
    grass, sky = (network(x, torch.eye(2)[label].view(1, 2, 1, 1).expand(1, 2, 8, 8)) for label in (0, 1))
    assert (grass - sky)[..., 2:-2, 2:-2].abs().max() > 1e-2


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("before", "after"), [(4, 4), (6, 4), (4, 6)])
def test_parameters_by_hand(before, after, shared):
    seen, hidden, inside, changes = 5, 3, min(before, after), before != after
    network = SPADEBlock(before, after, seen, hidden, shared)
    reads = 1 if shared else 2 + changes
    modulations = [before, inside] + [before] * (changes and not shared)
    expected = (
        reads * (9 * seen * hidden + hidden)
        + sum(9 * hidden * 2 * channels + 2 * channels for channels in modulations)
        + (9 * before * inside + inside + 9 * inside * after + after)
        + changes * before * after
    )
    assert sum(values.numel() for values in network.parameters()) == expected
    made = network(torch.randn(2, before, 6, 4), torch.rand(2, seen, 6, 4))
    assert made.shape == (2, after, 6, 4)
    made.square().sum().backward()
    assert all(values.grad is not None and values.grad.abs().sum() > 0 for values in network.parameters())


def test_the_running_averages_are_what_counts_afterwards():
    network = SPADE(1, hidden=1)
    x = torch.randn(64, 1, 8, 8) * 3 + 2
    for _ in range(60):
        network(x, torch.zeros(64, 1, 8, 8))
    network.eval()
    nn.init.zeros_(network.modulation.weight)
    nn.init.zeros_(network.modulation.bias)
    seen = network(torch.full((1, 1, 2, 2), 5.0), torch.zeros(1, 1, 2, 2))
    assert seen.mean().item() == pytest.approx(1.0, abs=0.1)  # 5 is one deviation above


@pytest.mark.parametrize("shared", [False, True])
def test_settled_is_the_same_in_evaluation_and_keeps_to_it(shared):
    torch.manual_seed(1)
    network = SPADEBlock(6, 4, seen=3, hidden=5, shared=shared)
    x, seen = 3 * torch.randn(8, 6, 5, 4) + 2, torch.rand(8, 3, 5, 4)
    for _ in range(20):
        network(x, seen)
    expected = network.eval()(x, seen)
    once = settled(network)
    assert not any(isinstance(part, SPADE) for part in once.modules())
    assert sum(isinstance(part, SettledSPADE) for part in once.modules()) == (2 if shared else 3)
    for mode in (once.eval(), once.train()):
        assert torch.allclose(mode(x, seen), expected, atol=1e-4)
