import pytest
import torch

from understudy.networks.resnet import Residual, ResNetGenerator
from understudy.networks.unet import initialise


@pytest.mark.parametrize(("size_hw", "channels"), [((8, 8), (3, 3)), ((16, 24), (1, 5))], ids=["smallest", "wide"])
def test_it_keeps_the_size_and_stays_in_range(size_hw, channels):
    pictures = ResNetGenerator(*channels, width=4, blocks=2)(torch.randn(2, channels[0], *size_hw) * 10)
    assert pictures.shape == (2, channels[1], *size_hw)
    assert pictures.abs().max() <= 1


@pytest.mark.parametrize("blocks", [6, 9])
def test_it_is_the_papers(blocks):
    with torch.device("meta"):
        network = ResNetGenerator(blocks=blocks)
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)]
    shapes = [(c.out_channels, c.kernel_size[0], c.stride[0]) for c in convolutions]
    c7s1, residual = (64, 7, 1), (256, 3, 1)
    decoder = [(128, 3, 2), (64, 3, 2), (3, 7, 1)]
    assert shapes == [c7s1, (128, 3, 2), (256, 3, 2), *[residual] * 2 * blocks, *decoder]
    assert sum(isinstance(m, Residual) for m in network.modules()) == blocks


@pytest.mark.parametrize(("blocks", "field"), [(1, 41), (6, 121)])
def test_how_far_a_pixel_sees(blocks, field):
    """Without normalisation, which looks at the whole picture: 25 pixels, and 16 more a block."""
    network = ResNetGenerator(1, 1, width=2, blocks=blocks).double()
    initialise(network, 0.5)
    plain = [
        torch.nn.Identity() if isinstance(m, torch.nn.InstanceNorm2d | torch.nn.ReLU) else m for m in network.layers
    ]
    for block in plain:
        if isinstance(block, Residual):
            keep = (torch.nn.Conv2d, torch.nn.ReflectionPad2d)
            block.layers = torch.nn.Sequential(*(m for m in block.layers if isinstance(m, keep)))
    picture = torch.zeros(1, 1, 256, 256, dtype=torch.float64, requires_grad=True)
    seen = []
    for place in range(128, 132):  # what a pixel sees depends on its place within a 4x4 cell
        (gradient,) = torch.autograd.grad(torch.nn.Sequential(*plain[:-1])(picture)[0, 0, place, place], picture)
        rows = gradient[0, 0].abs().sum(1).nonzero().flatten()
        seen.append(int(rows[-1] - rows[0] + 1))
    assert max(seen) == field


def test_each_picture_is_translated_by_itself():
    network = ResNetGenerator(width=4, blocks=2)
    x = torch.randn(3, 3, 16, 16)
    assert torch.allclose(network(x)[:1], network(x[:1]), atol=1e-4)
    assert torch.equal(network.train()(x), network.eval()(x))


@pytest.mark.parametrize("size_hw", [(18, 16), (16, 4)])
def test_sizes_that_do_not_fit_are_refused(size_hw):
    with pytest.raises(ValueError, match=f"{size_hw[0]}x{size_hw[1]} cannot be halved twice: use multiples of 4"):
        ResNetGenerator(width=2, blocks=1)(torch.zeros(1, 3, *size_hw))


def test_no_blocks_is_refused():
    with pytest.raises(ValueError, match="blocks must be at least 1, not 0"):
        ResNetGenerator(blocks=0)
