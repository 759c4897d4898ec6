"""The verb `fix`: what is typed becomes a correction, and whatever takes the performance shows it."""

import json

import numpy as np
import pytest

import understudy
from tiny import tiny_performance
from tiny_actor import tiny_actor
from understudy.cli import main as cli
from understudy.errors import PerformanceError, UsageError
from understudy.performance import HEADER_FILE
from understudy.poses.edits import Delete, ExchangeSides, Interpolate, Move
from understudy.poses.pose import LEFT_WRIST
from understudy.verbs.fix import Sides, fix


@pytest.fixture
def path(tmp_path):
    return tiny_performance(tmp_path / "dance.performance", frames=12).path


@pytest.mark.parametrize(
    ("asked", "edit"),
    [
        pytest.param(
            {"move": "left_wrist", "frame": 3, "to": (5, 6.5)}, Move(3, LEFT_WRIST, 5.0, 6.5), id="move by name"
        ),
        pytest.param({"move": "9", "frame": 0, "to": (1.0, 2.0)}, Move(0, 9, 1.0, 2.0), id="move by number"),
        pytest.param({"delete": ["left_leg", "0"], "from_frame": 2}, Delete((11, 13, 15, 0), 2, 2), id="one frame"),
        pytest.param({"exchange": "legs", "from_frame": 2, "to_frame": 4}, ExchangeSides(2, 4, "legs"), id="exchange"),
        pytest.param(
            {"interpolate": ["nose"], "from_frame": 2, "to_frame": 4}, Interpolate((0,), 2, 4), id="interpolate"
        ),
    ],
)
def test_what_is_asked_for_is_corrected(path, asked, edit):
    found = fix(path, **asked)
    assert [(one.edit, one.made) for one in found.history] == [(edit, True)]
    assert f"1 {edit}" in str(found).splitlines()
    assert fix(path, undo=True).history[0].made is False
    assert "(undone)" in str(fix(path))
    assert fix(found.performance, redo=True).history[0].made is True


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param({"undo": True, "redo": True}, "`undo` and `redo`: one thing at a time", id="two things"),
        pytest.param({"move": "nose", "delete": ["nose"]}, "`move` and `delete`: one thing", id="two corrections"),
        pytest.param({"frame": 3}, "`frame` and `to` belong to `move`", id="frame alone"),
        pytest.param({"move": "nose", "frame": 0, "to": (0, 0), "from_frame": 1}, "belong to `exchange`", id="span"),
        pytest.param({"move": "nose", "frame": 0}, "`move` needs `frame`, and `to`", id="move nowhere"),
        pytest.param({"move": "face", "frame": 0, "to": (0, 0)}, "one point at a time, and face is 68", id="a group"),
        pytest.param({"move": "wrist", "frame": 0, "to": (0, 0)}, "'wrist' is no point: take nose", id="no point"),
        pytest.param({"delete": ["nose"]}, "`delete` needs `from_frame`", id="no frames"),
        pytest.param({"interpolate": ["nose"], "from_frame": 1}, "needs `from_frame` and `to_frame`", id="one end"),
        pytest.param({"exchange": "ears", "from_frame": 1}, "'ears' are no sides", id="no sides"),
        pytest.param({"move": "nose", "frame": 12, "to": (0, 0)}, "12 is no whole number from 0 to 11", id="no frame"),
        pytest.param({"move": "nose", "frame": 1, "to": (float("nan"), 0)}, "nan is no number", id="not a number"),
        pytest.param({"undo": True}, "nothing is left to be undone", id="nothing to undo"),
        pytest.param({"redo": True}, "nothing was undone", id="nothing to redo"),
    ],
)
def test_what_cannot_be_corrected_is_said_and_nothing_is_written(path, asked, message):
    before = (path / HEADER_FILE).read_bytes()
    with pytest.raises(UsageError, match=message):
        fix(path, **asked)
    assert (path / HEADER_FILE).read_bytes() == before


def test_a_video_is_to_be_tracked_first(tmp_path):
    (tmp_path / "dance.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    with pytest.raises(PerformanceError, match="not a performance: track it with"):
        fix(tmp_path / "dance.mp4")


def test_an_actor_is_not_to_be_tracked(tmp_path):
    (tmp_path / "me.actor").write_bytes(b"\2" + bytes(7) + b"{}")
    with pytest.raises(PerformanceError, match="is an actor, not a performance: give what `understudy track` wrote"):
        fix(tmp_path / "me.actor")


def test_it_lists_what_deserves_a_look(tmp_path, capsys):
    path = tiny_performance(tmp_path / "dance.performance", frames=60, size=256).path
    assert str(fix(path)) == "nothing was corrected by hand\nno frames look odd"
    with pytest.raises(SystemExit) as left:
        cli.main(["fix", str(path), "--move", "left_wrist", "--frame", "30", "--to", "10,20"])
    assert not left.value.code
    told = capsys.readouterr().out
    assert "1 left wrist to 10, 20 in frame 30" in told
    assert "worth a look:" in told and "leaping away and back: left wrist" in told


def test_the_sides_of_the_signature_are_those_of_the_corrections():
    from understudy.poses import edits

    assert Sides == edits.Sides


def test_whatever_takes_the_performance_takes_the_corrected_poses(path, tmp_path):
    from understudy.performance import Performance
    from understudy.performing.perform import part_for
    from understudy.unpaired.pool import PoseSequence

    before = Performance.load(path)
    actor = tiny_actor()
    played = part_for(actor, before)
    corrected = fix(path, move="left_wrist", frame=3, to=(5, 6.5)).performance
    again = Performance.load(path)
    part = part_for(actor, again)
    moved = (part.pose.xy != played.pose.xy).any(axis=(1, 2))
    assert moved[3] and not moved[5]
    np.testing.assert_array_equal(PoseSequence.of(again).poses.xy, corrected.poses.xy)
    written = understudy.convert_poses(path, tmp_path / "poses.coco.json")
    (person,) = [one for one in json.loads(written.read_text())["annotations"] if one["image_id"] == 3]
    x, y, _ = np.reshape(person["keypoints"], (17, 3))[LEFT_WRIST]
    assert (x, y) == pytest.approx((5, 6.5))  # the tiny clip's working pixels are those of its video
