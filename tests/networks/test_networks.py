import pytest
import torch
import torch.nn.functional as F
from torch import nn

from understudy.networks import vgg
from understudy.networks.patchgan import PatchGAN
from understudy.networks.pix2pixhd import MultiScaleDiscriminator
from understudy.networks.unet import UNet, initialise
from understudy.networks.vgg import VGG19Features


@pytest.mark.parametrize(
    ("depth", "size_hw"),
    [(3, (8, 8)), (3, (16, 24)), (4, (32, 16)), (6, (64, 64))],
    ids=["smallest", "wide", "tall", "deep"],
)
def test_unet_keeps_the_size_and_stays_in_range(depth, size_hw):
    pictures = UNet(5, 6, width=4, depth=depth)(torch.randn(2, 5, *size_hw) * 10)
    assert pictures.shape == (2, 6, *size_hw)
    assert pictures.abs().max() <= 1


def test_unet_of_the_paper_has_the_paper_sizes():
    network = UNet(36, 6)
    assert len(network.down) == len(network.up) == 8
    widths = [
        down[-1 if len(down) == 1 else (0 if index == 0 else 1)].out_channels for index, down in enumerate(network.down)
    ]
    assert widths == [64, 128, 256, 512, 512, 512, 512, 512]


def test_unet_drops_out_in_three_inner_levels_and_normalises_all_but_the_ends():
    network = UNet(36, 6, width=4, dropout=0.3)

    def having(kind, levels):
        return [number for number, level in enumerate(levels) if any(isinstance(part, kind) for part in level)]

    assert having(nn.Dropout, network.up) == [1, 2, 3]
    assert {part.p for part in network.modules() if isinstance(part, nn.Dropout)} == {0.3}
    assert having(nn.InstanceNorm2d, network.down) == [1, 2, 3, 4, 5, 6]
    assert having(nn.InstanceNorm2d, network.up) == [0, 1, 2, 3, 4, 5, 6]
    assert having(nn.Dropout, UNet(36, 6, width=4, dropout=0.0).up) == []


@pytest.mark.parametrize("network", [UNet(3, 3, 4, 3), PatchGAN(3, 4), MultiScaleDiscriminator(3, 4)], ids=type)
def test_slopes_below_zero_are_those_of_the_papers(network):
    slopes = [part.negative_slope for part in network.modules() if isinstance(part, nn.LeakyReLU)]
    assert slopes and set(slopes) == {0.2}


def test_unet_refuses_a_size_it_cannot_halve():
    with pytest.raises(ValueError, match="36x32 cannot be halved 3 times: use multiples of 8"):
        UNet(1, 1, 4, 3)(torch.zeros(1, 1, 36, 32))


def test_unet_is_deterministic_in_evaluation_and_independent_of_its_batch():
    network = UNet(2, 3, width=4, depth=3).eval()
    x = torch.randn(3, 2, 16, 16)
    assert torch.equal(network(x), network(x))
    assert torch.allclose(network(x)[:1], network(x[:1]), atol=1e-6)


@pytest.mark.parametrize("size", [128, 256])
def test_patchgan_judges_one_patch_every_eight_pixels(size):
    assert PatchGAN(6, width=4)(torch.zeros(2, 6, size, size)).shape == (2, 1, size // 8 - 2, size // 8 - 2)


def test_patchgan_sees_patches_of_70_pixels():
    judge = PatchGAN(1, width=2).eval()
    initialise(judge, 0.5)
    picture = torch.randn(1, 1, 256, 256, requires_grad=True)
    logits = judge(picture)
    logits[0, 0, 15, 15].backward()
    rows = picture.grad[0, 0].abs().sum(1).nonzero().flatten()
    columns = picture.grad[0, 0].abs().sum(0).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == 70
    assert columns[-1] - columns[0] + 1 == 70


def test_initial_weights_are_drawn_with_the_asked_deviation():
    judge = PatchGAN(8, width=32)
    initialise(judge, 0.02)
    assert judge.layers[2].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert judge.layers[3].weight.mean().item() == pytest.approx(1, abs=0.02)


def plain_relu1_1(phi, frames):
    return F.relu(phi.convolutions["relu1_1"](((frames + 1) / 2 - phi.mean) / phi.deviation))


def test_relu1_1_is_folded_in_bfloat16_alone():
    phi = VGG19Features(("relu1_1",))
    frames = torch.rand(2, 3, 10, 14) * 2 - 1
    plain = plain_relu1_1(phi, frames)
    assert torch.equal(phi(frames)[0], plain)
    with torch.autocast("cpu", torch.bfloat16):
        folded = phi(frames)[0]
    assert folded.shape == (2, 256, 5, 7) and folded.dtype == torch.bfloat16
    assert torch.allclose(F.pixel_shuffle(folded.float(), 2), plain, atol=0.02, rtol=0.02)


def test_the_folded_convolution_is_the_plain_one(monkeypatch):
    monkeypatch.setattr(vgg, "_in_bfloat16", lambda _: True)
    frames = torch.rand(2, 3, 10, 14) * 2 - 1
    phi = VGG19Features(("relu1_1",))
    folded = phi(frames)[0]
    assert folded.shape == (2, 256, 5, 7)
    assert torch.allclose(F.pixel_shuffle(folded, 2), plain_relu1_1(phi, frames), atol=1e-5)


@pytest.mark.parametrize("in_bfloat16", [True, False])
def test_deeper_layers_do_not_depend_on_the_folding(monkeypatch, in_bfloat16):
    monkeypatch.setattr(vgg, "_in_bfloat16", lambda _: in_bfloat16)
    frames = torch.rand(1, 3, 16, 16) * 2 - 1
    shallow, deep = VGG19Features(("relu1_1", "relu3_2"))(frames)
    assert shallow.shape == (1, 64, 16, 16)
    assert deep.shape == (1, 256, 4, 4)
    odd = VGG19Features(("relu1_1",))(frames[:, :, :15, :15])[0]
    assert torch.allclose(odd[:, :, :14, :14], shallow[:, :, :14, :14], atol=1e-5)


def test_random_features_are_always_the_same_and_take_no_gradient():
    one, two = VGG19Features(("relu2_1",)), VGG19Features(("relu2_1",))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert not any(parameter.requires_grad for parameter in one.parameters())
    # and from version to version: losses and figures of earlier ones were measured with these
    first = one.convolutions["relu1_1"]
    assert first.weight[0, 0].flatten()[:4].tolist() == pytest.approx([0.42206, 0.17659, 0.00743, -0.11102], abs=1e-5)
    assert not first.bias.any()


def test_unknown_layer_is_named():
    with pytest.raises(ValueError, match="not relu9_9"):
        VGG19Features(("relu9_9",))
