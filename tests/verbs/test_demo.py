import json

import pytest

from tiny_actor import tiny_actor
from understudy import verify
from understudy.errors import UsageError
from understudy.media.reading import read_image
from understudy.performance import Performance
from understudy.synthetic import pair
from understudy.verbs import demo as demonstration


def left_by_an_earlier_one(folder):
    """Everything that a demo leaves, with other content: by path. Its trainings were whole, and of other settings."""
    for actor in ("reference.actor", "paper.actor"):
        run = folder / f"{actor}.run"
        (run / "checkpoints").mkdir(parents=True)
        (run / "run.json").write_text(json.dumps({"settings": {"of": "an earlier demo"}}))
        (run / "checkpoints" / "old.safetensors").write_bytes(b"old")
        tiny_actor().save(folder / actor)
    for name in ("reference.mp4", "driving.mp4", "ground_truth.mp4", "clone.mp4", "comparison.mp4", "paper.mp4",
                 "contact_sheet.png", "result.json"):  # fmt: skip
        (folder / name).write_bytes(b"of an earlier demo")
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_demo_leaves_clone_comparison_sheet_and_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(demonstration, "REFERENCE_SECONDS", 0.6)
    monkeypatch.setattr(demonstration, "DRIVING_SECONDS", 0.4)
    monkeypatch.setattr(pair, "SIZE_HW", (320, 240))
    old = left_by_an_earlier_one(tmp_path / "demo")
    result = demonstration.demo(tmp_path / "demo", minutes=0.02)
    assert [path for path, content in old.items() if path.exists() and path.read_bytes() == content] == []
    assert not (tmp_path / "demo" / "reference.actor.run" / "checkpoints" / "old.safetensors").exists()
    assert {path.name for path in (tmp_path / "demo").iterdir()} >= {
        "reference.mp4", "driving.mp4", "ground_truth.mp4", "clone.mp4", "comparison.mp4", "contact_sheet.png",
        "reference.actor", "paper.actor", "paper.mp4", "result.json",
    }  # fmt: skip
    numbers = json.loads((tmp_path / "demo" / "result.json").read_text())
    assert numbers["ratio"] == pytest.approx(result.clone_distance / result.nearest_distance)
    assert len(numbers["clone_errors"]) == len(numbers["paper_distances"]) == 10
    assert read_image(result.sheet).shape[2] == 3
    headers = [Performance.load(path).header for path in (tmp_path / "demo" / "tracked" / "performances").iterdir()]
    assert sorted((one.source_name, one.size_hw, one.landmarks) for one in headers) == [
        ("driving.mp4", (256, 256), "wholebody"), ("reference.mp4", (512, 512), "wholebody"),
    ]  # fmt: skip
    assert "nearest reference frame" in str(result)
    marked = verify([tmp_path / "demo" / name for name in ("clone.mp4", "paper.mp4", "comparison.mp4")])
    assert marked.exit_code == 0
    assert [len(one.manifest.ours["performers"]) for one in marked.files] == [1, 1, 2]


def test_a_file_in_the_way_is_said(tmp_path):
    (tmp_path / "demo").write_text("")
    with pytest.raises(UsageError, match="is a file: name a folder"):
        demonstration.demo(tmp_path / "demo")
