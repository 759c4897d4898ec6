import pytest
import torch
from torch import nn

from understudy.networks.label_generator import LabelGenerator
from understudy.networks.pix2pixhd import Residual


def test_it_keeps_the_size_and_says_a_share_of_each_label():
    network = LabelGenerator(7, 5, width=2, downsamplings=2, blocks=1)
    condition = torch.randn(2, 7, 16, 24) * 10
    shares = network(condition)
    assert shares.shape == (2, 5, 16, 24)
    assert shares.min() >= 0 and shares.max() <= 1
    assert torch.allclose(shares, network.logits(condition).sigmoid())
    assert not torch.allclose(shares.sum(1), torch.ones(2, 16, 24), atol=1e-3)  # each for itself


def test_it_has_the_printed_order_of_layers_and_pix2pixhds_widths():
    with torch.device("meta"):
        network = LabelGenerator(28)
    convolutions = [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
    assert [part.out_channels for part in convolutions] == [
        *(64, 128, 256, 512, 1024), *[1024] * 18, *(512, 256, 128, 64), 22,
    ]  # fmt: skip
    assert convolutions[0].in_channels == 28
    assert sum(isinstance(part, Residual) for part in network.modules()) == 9
    kinds = {part: {type(one) for one in getattr(network, part).modules()} for part in ("encoder", "decoder", "output")}
    assert nn.BatchNorm2d in kinds["encoder"] and nn.InstanceNorm2d not in kinds["encoder"]
    assert nn.InstanceNorm2d in kinds["decoder"] and nn.BatchNorm2d not in kinds["decoder"]
    assert nn.ConvTranspose2d in kinds["decoder"] and nn.ReLU in kinds["encoder"] & kinds["decoder"]
    assert not kinds["output"] & {nn.ReLU, nn.Tanh, nn.BatchNorm2d, nn.InstanceNorm2d}


def test_in_evaluation_mode_a_sample_does_not_depend_on_its_batch():
    network = LabelGenerator(3, 4, width=4, downsamplings=2, blocks=1)
    x = torch.randn(3, 3, 16, 16)
    assert not torch.allclose(network(x)[:1], network(x[:1]), atol=1e-4)  # in training it does
    network.eval()
    assert torch.allclose(network(x)[:1], network(x[:1]), atol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LabelGenerator(3, 4, 2, 3)(torch.zeros(1, 3, 36, 32)), "36x32 .* multiples of 8 from 16 up"),
        (lambda: LabelGenerator(3, 4, 2, 0), "at least 1, not 2, 0 and 9"),
    ],
)
def test_what_cannot_be_built_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
