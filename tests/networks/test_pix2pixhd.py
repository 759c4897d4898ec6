import pytest
import torch
from torch import nn

from understudy.networks.pix2pixhd import (
    GlobalGenerator,
    LocalEnhancer,
    MultiScaleDiscriminator,
    Residual,
    halved,
    in_a_row,
)
from understudy.networks.unet import initialise


def parameters(network):
    return sum(values.numel() for values in network.parameters())


@pytest.mark.parametrize(
    ("downsamplings", "size_hw"),
    [(1, (4, 4)), (2, (8, 24)), (3, (48, 16)), (4, (64, 64))],
    ids=["smallest", "wide", "tall", "deep"],
)
def test_global_generator_keeps_the_size_and_stays_in_range(downsamplings, size_hw):
    network = GlobalGenerator(6, 3, width=2, downsamplings=downsamplings, blocks=1)
    condition = torch.randn(2, 6, *size_hw) * 10
    assert network.features(condition).shape == (2, 2, *size_hw)
    pictures = network(condition)
    assert pictures.shape == (2, 3, *size_hw)
    assert pictures.abs().max() <= 1


def test_global_generator_of_the_paper_has_the_paper_widths():
    with torch.device("meta"):
        network = GlobalGenerator(6, 3)
    convolutions = [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
    residual = [1024] * 18
    assert [part.out_channels for part in convolutions] == [64, 128, 256, 512, 1024, *residual, 512, 256, 128, 64, 3]
    assert sum(isinstance(part, Residual) for part in network.modules()) == 9


@pytest.mark.parametrize("blocks", [6, 9])
def test_with_two_downsamplings_it_is_cyclegans(blocks):
    with torch.device("meta"):
        network = GlobalGenerator(3, 3, downsamplings=2, blocks=blocks)
    convolutions = [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
    shapes = [(part.out_channels, part.kernel_size[0], part.stride[0]) for part in convolutions]
    c7s1, residual, decoder = (64, 7, 1), (256, 3, 1), [(128, 3, 2), (64, 3, 2), (3, 7, 1)]
    assert shapes == [c7s1, (128, 3, 2), (256, 3, 2), *[residual] * 2 * blocks, *decoder]


@pytest.mark.parametrize(("blocks", "field"), [(1, 41), (6, 121)])
def test_how_far_a_pixel_of_cyclegans_sees(blocks, field):
    """Without normalisation, which looks at the whole picture: 25 pixels, and 16 more a block."""
    network = GlobalGenerator(1, 1, width=2, downsamplings=2, blocks=blocks).double()
    initialise(network, 0.5)
    linear = (nn.Conv2d, nn.ConvTranspose2d, nn.ReflectionPad2d)
    for group in [part for part in network.modules() if isinstance(part, nn.Sequential)]:
        for place, part in enumerate(group):
            if not isinstance(part, (*linear, nn.Sequential, Residual)):
                group[place] = nn.Identity()
    picture = torch.zeros(1, 1, 256, 256, dtype=torch.float64, requires_grad=True)
    seen = []
    for place in range(128, 132):  # what a pixel sees depends on its place within a 4x4 cell
        (gradient,) = torch.autograd.grad(network(picture)[0, 0, place, place], picture)
        rows = gradient[0, 0].abs().sum(1).nonzero().flatten()
        seen.append(int(rows[-1] - rows[0] + 1))
    assert max(seen) == field


def test_in_a_row_the_same_layers_have_the_names_of_cyclegans_actors():
    network = GlobalGenerator(3, 3, width=4, downsamplings=2, blocks=2)
    row = in_a_row(network)
    picture = torch.randn(1, 3, 16, 24)
    assert torch.equal(row(picture), network(picture))
    convolutions = [1, 4, 7, 12, 15, 19]  # after padding, two halvings, two blocks and two doublings
    blocks = [f"{block}.layers.{place}" for block in (10, 11) for place in (1, 2, 5, 6)]
    norms = [2, 5, 8, 13, 16]
    layers = {str(place) for place in (*convolutions, *norms)} | set(blocks)
    assert {name.removeprefix("layers.").rpartition(".")[0] for name in row.state_dict()} == layers
    assert len(row.state_dict()) == len(network.state_dict())


def test_parameters_by_hand():
    coarse = GlobalGenerator(2, 3, width=4, downsamplings=1, blocks=1)
    first, down, up, last = 49 * 2 * 4 + 8, 9 * 4 * 8 + 16, 9 * 8 * 4 + 8, 49 * 4 * 3 + 3
    residual = 2 * (9 * 8 * 8 + 16)
    assert parameters(coarse) == first + down + residual + up + last

    fine = LocalEnhancer(2, 3, coarse, blocks=1)
    first, down, up, last = 49 * 2 * 2 + 4, 9 * 2 * 4 + 8, 9 * 4 * 2 + 4, 49 * 2 * 3 + 3
    residual = 2 * (9 * 4 * 4 + 8)
    assert parameters(fine) == parameters(coarse) + first + down + residual + up + last

    judge = MultiScaleDiscriminator(5, width=2, scales=2, layers=2)
    one = (16 * 5 * 2 + 2) + (16 * 2 * 4 + 8) + (16 * 4 * 8 + 16) + (16 * 8 + 1)
    assert parameters(judge) == 2 * one


def test_local_enhancer_keeps_the_size_and_stays_in_range():
    network = LocalEnhancer(6, 3, GlobalGenerator(6, 3, width=4, downsamplings=2, blocks=1), blocks=2)
    pictures = network(torch.randn(2, 6, 32, 48) * 10)
    assert pictures.shape == (2, 3, 32, 48)
    assert pictures.abs().max() <= 1


def test_local_enhancer_adds_the_global_features_of_the_halved_condition():
    coarse = GlobalGenerator(3, 3, width=4, downsamplings=1, blocks=1)
    network = LocalEnhancer(3, 3, coarse, blocks=1)
    condition = torch.randn(2, 3, 16, 16)
    nn.init.zeros_(network.encoder[-1][1].weight)
    nn.init.zeros_(network.encoder[-1][1].bias)  # the enhancer's own features are 0, so the sum is the global ones
    assert torch.equal(network(condition), network.output(network.decoder(coarse.features(halved(condition)))))

    own = torch.randn(8, 8)
    network.encoder = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(3, 4, 1, bias=False), _Plus(own))
    nn.init.zeros_(network.encoder[1].weight)
    expected = network.output(network.decoder(coarse.features(halved(condition)) + own))
    assert torch.allclose(network(condition), expected, atol=1e-6)


class _Plus(nn.Module):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def forward(self, x):
        return x + self.values


def test_an_enhancer_trains_its_global_generator_along_unless_it_is_frozen():
    coarse = GlobalGenerator(3, 3, width=4, downsamplings=1, blocks=1)
    network = LocalEnhancer(3, 3, coarse, blocks=1)
    coarse.requires_grad_(False)
    network(torch.randn(1, 3, 16, 16)).square().mean().backward()
    assert all(values.grad is None for values in coarse.parameters())
    assert all(values.grad is not None for values in network.encoder.parameters())
    coarse.requires_grad_(True)
    network(torch.randn(1, 3, 16, 16)).square().mean().backward()
    assert coarse.encoder[0][1].weight.grad.abs().sum() > 0
    assert coarse.output[1].weight.grad is None  # not used


def test_halving_averages_what_lies_inside():
    picture = torch.arange(16.0).view(1, 1, 4, 4)
    assert halved(picture)[0, 0].tolist() == [[2.5, 4.0], [8.5, 10.0]]
    assert torch.equal(halved(torch.ones(1, 2, 6, 8)), torch.ones(1, 2, 3, 4))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        pytest.param(
            lambda: GlobalGenerator(3, 3, 2, 3, 1)(torch.zeros(1, 3, 36, 32)),
            "36x32 cannot be halved that often: use multiples of 8 from 16 up",
            id="size",
        ),
        pytest.param(
            lambda: LocalEnhancer(3, 3, GlobalGenerator(3, 3, 2, 3, 1))(torch.zeros(1, 3, 24, 48)),
            "24x48 cannot be halved that often: use multiples of 16 from 32 up",
            id="size of the enhancer",
        ),
        pytest.param(lambda: GlobalGenerator(3, 3, 2, 0, 1), "at least 1, not 2, 0 and 1", id="no downsampling"),
        pytest.param(
            lambda: LocalEnhancer(3, 3, GlobalGenerator(3, 3, 3, 1, 1)), "even width and at least 1 block", id="odd"
        ),
        pytest.param(lambda: MultiScaleDiscriminator(3, 8, scales=0), "at least 1, not 8, 0 and 3", id="no scale"),
    ],
)
def test_what_cannot_be_built_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_generators_do_not_depend_on_the_batch_or_on_the_mode():
    network = LocalEnhancer(2, 3, GlobalGenerator(2, 3, width=4, downsamplings=2, blocks=1), blocks=1)
    x = torch.randn(3, 2, 16, 16)
    together = network(x)
    assert torch.allclose(together[:1], network(x[:1]), atol=1e-5)
    assert torch.equal(together, network.eval()(x))


def test_initial_weights_reach_every_convolution():
    network = MultiScaleDiscriminator(8, width=16)
    initialise(network, 0.02)
    convolutions = [part for part in network.modules() if isinstance(part, nn.Conv2d)]
    assert len(convolutions) == 15
    assert all(part.weight.std().item() == pytest.approx(0.02, rel=0.15) for part in convolutions)


@pytest.mark.parametrize("size_hw", [(64, 64), (128, 96)], ids=["square", "tall"])
def test_discriminator_gives_every_feature_map_of_every_scale(size_hw):
    judged = MultiScaleDiscriminator(12, width=4)(torch.randn(2, 12, *size_hw))
    assert len(judged) == 3
    for scale, maps in enumerate(judged):
        assert [part.shape[1] for part in maps] == [4, 8, 16, 32, 1]
        height, width = (side // 2**scale for side in size_hw)
        assert maps[0].shape[2:] == (height // 2 + 1, width // 2 + 1)
        assert maps[-1].shape[:2] == (2, 1)
        assert maps[-1].min() < 0  # no activation behind it


@pytest.mark.parametrize(("scale", "pixels"), [(0, 70), (1, 141), (2, 283)])
def test_discriminator_sees_patches_of_70_pixels_of_its_scale(scale, pixels):
    network = MultiScaleDiscriminator(1, width=1)
    for layers in network.scales:
        for part in layers[1:-1]:
            part[1] = nn.Identity()  # normalisation looks at the whole picture
    for part in network.parameters():
        nn.init.constant_(part, 0.1)
    picture = torch.ones(1, 1, 320, 320, requires_grad=True)
    judgement = network(picture)[scale][-1][0, 0]
    middle = judgement.shape[0] // 2
    judgement[middle, middle].backward()
    for axis in (0, 1):
        touched = picture.grad[0, 0].abs().sum(axis).nonzero().flatten()
        assert touched[-1] - touched[0] + 1 == pixels
