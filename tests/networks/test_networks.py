import hashlib
import io
import re
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from understudy import losses
from understudy.base import devices, weights
from understudy.base.files import sha256_of
from understudy.errors import TrainingError
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


def test_relu1_1_equals_the_plain_convolution():
    phi = VGG19Features(("relu1_1",), "random")
    frames = torch.rand(2, 3, 10, 14) * 2 - 1
    convolution = phi.convolutions["relu1_1"]
    plain = F.relu(convolution(((frames + 1) / 2 - phi.mean) / phi.deviation))
    folded = phi(frames)[0]
    assert folded.shape == (2, 256, 5, 7)
    assert torch.allclose(F.pixel_shuffle(folded, 2), plain, atol=1e-5)


def test_deeper_layers_do_not_depend_on_the_folding():
    frames = torch.rand(1, 3, 16, 16) * 2 - 1
    shallow, deep = VGG19Features(("relu1_1", "relu3_2"), "random")(frames)
    assert shallow.shape == (1, 64, 16, 16)
    assert deep.shape == (1, 256, 4, 4)
    odd = VGG19Features(("relu1_1",), "random")(frames[:, :, :15, :15])[0]
    assert torch.allclose(odd[:, :, :14, :14], shallow[:, :, :14, :14], atol=1e-5)


def test_random_features_are_always_the_same_and_take_no_gradient():
    one, two = VGG19Features(("relu2_1",), "random"), VGG19Features(("relu2_1",), "random")
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert not any(parameter.requires_grad for parameter in one.parameters())
    # and from version to version: losses and figures of earlier ones were measured with these
    first = one.convolutions["relu1_1"]
    assert first.weight[0, 0].flatten()[:4].tolist() == pytest.approx([0.42206, 0.17659, 0.00743, -0.11102], abs=1e-5)
    assert not first.bias.any()


def test_gradients_of_the_distance_reach_the_generated_frames_alone():
    phi = VGG19Features(("relu1_1", "relu2_1"), "random")
    fake, real = (torch.rand(2, 3, 8, 8, requires_grad=True) for _ in range(2))
    distance = phi.distance(fake, real)
    assert distance.shape == (2,) and torch.equal(phi.distance(fake, fake), torch.zeros(2))
    distance.sum().backward()
    assert fake.grad.abs().sum() > 0 and real.grad is None


@pytest.mark.parametrize("half", [True, False], ids=["bfloat16", "float32"])
def test_distance_is_computed_as_fast_as_the_device_can_and_moves_the_generated_frames_alone(monkeypatch, half):
    monkeypatch.setattr(devices, "computes_in_bfloat16", lambda device: half)
    phi = VGG19Features(("relu1_1", "relu2_1"), "random")
    seen = []
    phi.convolutions["relu2_1"].register_forward_hook(lambda module, given, features: seen.append(features.dtype))
    fake, real = (torch.rand(2, 3, 16, 16).requires_grad_() for _ in range(2))
    distance = phi.distance(fake, real)
    distance.sum().backward()
    assert seen == [torch.bfloat16 if half else torch.float32] * 2
    assert distance.shape == (2,) and distance.dtype == torch.float32
    assert torch.allclose(distance, losses.perceptual_distance(phi(fake), phi(real)), rtol=0.02)
    assert fake.grad is not None and fake.grad.abs().sum() > 0 and real.grad is None


def test_unknown_layer_is_named():
    with pytest.raises(ValueError, match="not relu9_9"):
        VGG19Features(("relu9_9",), "random")


def test_offline_auto_takes_random_features_and_says_so(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert VGG19Features(("relu1_1",), "auto").taken == "random"
    assert "random ones with a fixed seed" in caplog.text
    with pytest.raises(TrainingError, match="cannot be fetched"):
        VGG19Features(("relu1_1",), "imagenet")


def test_imagenet_weights_are_read_from_the_cache_and_checked(monkeypatch, tmp_path):
    """With a small stand-in for the published file: the layout of its names is what counts."""
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    state = {
        "features.0.weight": torch.randn(64, 3, 3, 3), "features.0.bias": torch.randn(64),
        "features.2.weight": torch.randn(64, 64, 3, 3), "features.2.bias": torch.randn(64),
        "features.5.weight": torch.randn(128, 64, 3, 3), "features.5.bias": torch.randn(128),
    }  # fmt: skip
    path = tmp_path / "checkpoints" / "vgg19-dcbb9e9d.pth"
    path.parent.mkdir()
    torch.save(state, path)
    with pytest.raises(TrainingError, match=r"not dcbb9e9dad569fff\w{48}: deleted"):
        VGG19Features(("relu2_1",), "imagenet")
    assert not path.exists()
    torch.save(state, path)
    monkeypatch.setattr(weights, "VGG19", replace(weights.VGG19, sha256=sha256_of(path)))
    phi = VGG19Features(("relu2_1",), "imagenet")
    assert phi.taken == "imagenet"
    assert torch.equal(phi.convolutions["relu2_1"].weight, state["features.5.weight"])
    assert torch.equal(phi.convolutions["relu1_2"].bias, state["features.2.bias"])


STAND_IN = {"features.0.weight": torch.ones(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}


@pytest.fixture
def publisher(monkeypatch, tmp_path):
    """A server of weights: `publisher(share)` makes it send only that share of the file before it hangs up."""
    buffer = io.BytesIO()
    torch.save(STAND_IN, buffer)
    content, sent = buffer.getvalue(), [len(buffer.getvalue())]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if sent[0] >= 0 else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: max(sent[0], 0)])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.delenv("UNDERSTUDY_OFFLINE", raising=False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    address, digest = f"http://127.0.0.1:{server.server_port}/vgg19-dcbb9e9d.pth", hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(weights, "VGG19", replace(weights.VGG19, address=address, sha256=digest))
    yield lambda share: sent.__setitem__(0, int(share * len(content)))
    server.shutdown()
    server.server_close()
    thread.join()


def test_weights_are_fetched_once(publisher, tmp_path, capfd):
    phi = VGG19Features(("relu1_1",), "auto")
    assert phi.taken == "imagenet"
    assert torch.equal(phi.convolutions["relu1_1"].weight, STAND_IN["features.0.weight"])
    assert "fetching vgg19-dcbb9e9d.pth: 1 MiB" in capfd.readouterr().err
    publisher(-1)
    assert VGG19Features(("relu1_1",), "auto").taken == "imagenet"
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["vgg19-dcbb9e9d.pth"]


@pytest.mark.parametrize(
    ("share", "reason"), [(0.5, r"the connection ended after \d+ of \d+ bytes"), (-1, "404")], ids=["midway", "refused"]
)
def test_a_fetch_that_fails_leaves_random_features_and_no_file(publisher, tmp_path, caplog, share, reason):
    publisher(share)
    assert VGG19Features(("relu1_1",), "auto").taken == "random"
    assert re.search(f"they could not be fetched: .*{reason}", caplog.text)
    with pytest.raises(TrainingError, match="cannot be fetched"):
        VGG19Features(("relu1_1",), "imagenet")
    assert list((tmp_path / "checkpoints").glob("*")) == []


def test_a_cache_that_cannot_be_written_leaves_random_features(publisher, tmp_path, caplog):
    (tmp_path / "checkpoints").write_text("a file, not a folder")
    assert VGG19Features(("relu1_1",), "auto").taken == "random"
    assert "cannot make the folder" in caplog.text
