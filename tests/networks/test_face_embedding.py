"""Networks that read faces: sizes, what they say of themselves, and files that users bring."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from onnx_files import write_convolution
from understudy.base import weights
from understudy.errors import TrainingError, UsageError
from understudy.networks.face_embedding import SIZES, face_network, loss_network, tight_of_wide
from understudy.networks.face_resnet import BLOCKS, MEAN_BGR, WIDTHS, FaceResNet
from understudy.tracking.face import aligned, face_places


def faces(count=2, seed=0):
    return torch.rand(count, 3, 224, 224, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def published(squeezed=False, seed=3):
    """Weights of the sizes and names of the port of VGGFace2's ResNet-50, drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    state = {}

    def convolution(name, out, into, kernel, bias=False):
        spread = (2 / (into * kernel**2)) ** 0.5
        state[f"{name}.weight"] = torch.randn(out, into, kernel, kernel, generator=generator) * spread
        if bias:
            state[f"{name}.bias"] = torch.zeros(out)

    def norm(name, channels):
        state.update({f"{name}.weight": torch.full((channels,), 0.5), f"{name}.bias": torch.zeros(channels)})
        state.update({f"{name}.running_mean": torch.zeros(channels), f"{name}.running_var": torch.ones(channels)})

    convolution("conv1", 64, 3, 7)
    norm("bn1", 64)
    into = 64
    for number, (count, width) in enumerate(zip(BLOCKS, WIDTHS, strict=True), start=1):
        for block in range(count):
            name = f"layer{number}.{block}"
            for place, (out, inside, kernel) in enumerate(
                ((width, into, 1), (width, width, 3), (4 * width, width, 1)), start=1
            ):
                convolution(f"{name}.conv{place}", out, inside, kernel)
                norm(f"{name}.bn{place}", out)
            if squeezed:
                convolution(f"{name}.conv4", width // 4, 4 * width, 1, bias=True)
                convolution(f"{name}.conv5", 4 * width, width // 4, 1, bias=True)
            if block == 0:
                convolution(f"{name}.downsample.0", 4 * width, into, 1)
                norm(f"{name}.downsample.1", 4 * width)
            into = 4 * width
    state["fc.weight"], state["fc.bias"] = torch.zeros(8, 2048), torch.zeros(8)
    return state


@pytest.mark.parametrize("which", ["imagenet", "random"])
def test_the_built_in_ones_give_maps_of_the_papers_sizes(which):
    network = face_network(which)
    with torch.no_grad():
        maps = network(faces())
    assert [one.shape[-1] for one in maps[:-1]] == list(SIZES[:-1])
    assert maps[-1].shape == (2, network.embedding)
    assert "stand" in network.describes and network.differentiable
    assert loss_network(network) is network
    again = face_network(which)(faces())
    assert all(torch.equal(one, other) for one, other in zip(maps, again, strict=True))
    assert not torch.allclose(maps[-1], face_network(which)(faces(seed=1))[-1])


@pytest.mark.parametrize("which", ["imagenet", "random"])
def test_they_are_frozen_and_let_gradients_through(which):
    network = face_network(which)
    assert not any(weight.requires_grad for weight in network.parameters())
    shown = faces(1).requires_grad_()
    sum(one.square().mean() for one in network(shown)).backward()
    assert shown.grad.abs().sum() > 0


@pytest.mark.parametrize("squeezed", [False, True])
def test_a_network_of_vggface2_that_the_user_brings(tmp_path, squeezed):
    path = tmp_path / "mine.safetensors"
    save_file(published(squeezed), path)
    network = face_network(f"vggface2:{path}")
    assert isinstance(network, FaceResNet) and "mine.safetensors" in network.describes
    with torch.no_grad():
        maps = network(faces(1))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (64, 112, 112), (256, 56, 56), (512, 28, 28), (2048, 7, 7), (2048,)
    ]  # fmt: skip
    assert torch.isfinite(maps[-1]).all() and maps[-1].std() > 0
    assert not any(weight.requires_grad for weight in network.parameters())


def test_colours_are_given_as_the_weights_know_them(tmp_path):
    """The mean colour of their pictures, blue first, is nothing to the first convolution."""
    path = tmp_path / "mine.safetensors"
    save_file(published(), path)
    mean = torch.tensor(MEAN_BGR[::-1]).view(1, 3, 1, 1) / 127.5 - 1
    first = face_network(f"vggface2:{path}")(mean.expand(1, 3, 224, 224))[0]
    assert first.abs().max() < 1e-3


def test_squeeze_and_excitation_weighs_channels(tmp_path):
    """With weights of 0 each channel counts sigmoid(0) = half."""
    state = published(squeezed=True)
    plain = {name: value for name, value in state.items() if "conv4" not in name and "conv5" not in name}
    for name in state:
        if "conv4" in name or "conv5" in name:
            state[name] = torch.zeros_like(state[name])
    for name, value in plain.items():
        if ".bn3." in name and name.endswith(("weight", "bias")):
            plain[name] = value / 2
    save_file(state, tmp_path / "se.safetensors")
    save_file(plain, tmp_path / "plain.safetensors")
    halved = FaceResNet(tmp_path / "se.safetensors")(faces(1))
    expected = FaceResNet(tmp_path / "plain.safetensors")(faces(1))
    assert torch.allclose(halved[-1], expected[-1], rtol=1e-4, atol=1e-5)


class Scripted(nn.Module):
    def __init__(self, maps: bool):
        super().__init__()
        self.convolution = nn.Conv2d(3, 5, 4, 4)
        self.maps = maps

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = self.convolution(x)
        last = x.mean(dim=(2, 3), keepdim=True)
        return [x, last] if self.maps else [last]


@pytest.mark.parametrize("maps", [True, False])
def test_a_torchscript_network_that_the_user_brings(tmp_path, maps):
    path = tmp_path / "mine.pt"
    torch.jit.script(Scripted(maps)).save(str(path))
    network = face_network(f"vggface2:{path}")
    found = network(faces())
    assert network.embedding == 5 and found[-1].shape == (2, 5) and len(found) == 1 + maps


def test_sface_gives_an_embedding_and_no_gradients(tmp_path, caplog):
    random = np.random.default_rng(0)
    weight = random.normal(0, 0.01, (128, 3, 112, 112)).astype(np.float32)
    path = tmp_path / "mine.onnx"
    write_convolution(path, weight, np.zeros(128, np.float32), (1, 3, 112, 112), (1, 128, 1, 1))
    network = face_network(f"sface:{path}")
    found = network(faces(2))
    assert len(found) == 1 and found[0].shape == (2, network.embedding) == (2, 128)
    pixels = (tight_of_wide(faces(2)) + 1) * 127.5
    expected = torch.nn.functional.conv2d(pixels, torch.from_numpy(weight)).flatten(1)
    assert torch.allclose(found[0], torch.nn.functional.normalize(expected), atol=1e-4)
    assert not network.differentiable
    instead = loss_network(network)
    assert instead.differentiable and "Lite0" in instead.describes and "gives no gradients" in caplog.text


def test_the_tight_crop_is_cut_out_of_the_wide_one():
    y, x = np.mgrid[:300, :300]
    picture = np.stack([127 + 100 * np.sin((x + k * y) / 25) for k in range(3)], axis=-1).astype(np.uint8)
    scale = 0.7
    wide, tight = face_places(224), face_places(112)
    to_wide = np.array([[scale, 0, 8.0], [0, scale, 3.0]])
    of_wide = np.ptp(tight[:, 1]) / np.ptp(wide[:, 1])
    to_tight = np.hstack([of_wide * to_wide[:, :2], (of_wide * (to_wide[:, 2:] - wide.mean(0)[:, None]))])
    to_tight[:, 2] += tight.mean(0)
    given = torch.from_numpy(aligned(picture, to_wide, 224)).permute(2, 0, 1)[None].float()
    made = tight_of_wide(given)[0].permute(1, 2, 0).numpy()
    assert np.abs(made - aligned(picture, to_tight, 112)).mean() < 2


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("insightface", "there is no face network 'insightface': give one of imagenet, random, vggface2:FILE, sface"),
        ("vggface2", "there is no face network 'vggface2'"),
        ("vggface2:gone.safetensors", "there is no file gone.safetensors"),
        ("sface:gone.onnx", "there is no file gone.onnx"),
    ],
)
def test_what_there_is_not(which, words):
    with pytest.raises(UsageError, match=words) as caught:
        face_network(which)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.safetensors", "is no safetensors file"),
        ("a.pt", "is no TorchScript file"),
        ("a.pkl", "pickled ones could run anything"),
    ],
)
def test_damaged_files_give_one_line(tmp_path, name, words):
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises((TrainingError, UsageError), match=words) as caught:
        face_network(f"vggface2:{tmp_path / name}")
    assert "\n" not in str(caught.value)


def test_a_damaged_sface_gives_one_line(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(TrainingError, match="is no ONNX network that can be read"):
        face_network(f"sface:{tmp_path / 'a.onnx'}")


def test_weights_of_another_network_are_refused(tmp_path):
    state = published()
    del state["layer3.2.conv2.weight"]
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(TrainingError, match=r"does not hold a ResNet-50 of VGGFace2: .*layer3.2.conv2.weight"):
        face_network(f"vggface2:{tmp_path / 'other.safetensors'}")


def test_sface_is_not_fetched_where_that_is_not_allowed(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    with pytest.raises(TrainingError, match="give the file as sface:FILE, or take imagenet"):
        face_network("sface")
    assert weights.SFACE in weights.ALL
