"""Corrections in a performance: kept beside what was tracked, seen by all who read it, undone and made again."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from tiny import tiny_performance
from understudy.base.files import sha256_of
from understudy.errors import PerformanceError, UsageError
from understudy.performance import CONTENT_FILES, HEADER_FILE, Performance, load_poses
from understudy.performance.edit_list import MOST_EDITS, EditList
from understudy.performance.fixes import add, history, redo, undo
from understudy.poses.edits import Delete, Interpolate, Move
from understudy.poses.pose import LEFT_WRIST, NOSE

MOVE = Move(3, LEFT_WRIST, 5.0, 6.5)


@pytest.fixture
def performance(tmp_path):
    return tiny_performance(tmp_path / "me.performance")


def test_a_correction_is_seen_by_everything_that_loads(performance):
    files = {name: sha256_of(performance.path / name) for name in CONTENT_FILES}
    tracked = performance.poses.xy.copy()
    corrected = add(performance, MOVE)
    again = Performance.load(performance.path)
    header, poses, _ = load_poses(performance.path)
    for seen in (corrected.poses, again.poses, poses):
        np.testing.assert_array_equal(seen.xy[3, LEFT_WRIST], (5, 6.5))
        np.testing.assert_array_equal(np.delete(seen.xy, 3, 0), np.delete(tracked, 3, 0))
    assert header == again.header == corrected.header
    assert replace(header, fixes=EditList()) == performance.header
    assert {name: sha256_of(performance.path / name) for name in CONTENT_FILES} == files  # what was tracked stays
    assert {file.name for file in performance.path.iterdir()} == {*CONTENT_FILES, HEADER_FILE}
    np.testing.assert_array_equal(performance.poses.xy, tracked)  # what was loaded before is nobody's to change


def test_undo_and_redo_and_a_new_correction_drops_what_was_undone(performance):
    def nose(one):
        return Performance.load(one.path).poses.xy[0, NOSE].tolist()

    first, second, third = (Move(0, NOSE, x, 1.0) for x in (1.0, 2.0, 3.0))
    tracked = nose(performance)
    there = add(add(performance, first), second)
    assert nose(there) == [2, 1]
    there = undo(there)
    assert nose(there) == [1, 1]
    assert [(one.edit, one.made) for one in history(there)] == [(first, True), (second, False)]
    assert nose(redo(there)) == [2, 1]
    assert nose(undo(undo(there))) == tracked
    with pytest.raises(UsageError, match="nothing is left to be undone"):
        undo(there)
    there = add(redo(there), third)
    assert [(one.edit, one.made) for one in history(there)] == [(first, True), (third, True)]
    with pytest.raises(UsageError, match="nothing was undone"):
        redo(there)
    assert nose(there) == [3, 1]


def test_several_at_once_build_on_one_another_and_all_or_none_are_kept(performance):
    both = add(performance, Move(0, NOSE, 0.0, 0.0), Move(4, NOSE, 8.0, 4.0), Interpolate((NOSE,), 0, 4))
    np.testing.assert_array_equal(both.poses.xy[:5, NOSE], [(0, 0), (2, 1), (4, 2), (6, 3), (8, 4)])
    before = (performance.path / HEADER_FILE).read_bytes()
    with pytest.raises(UsageError, match=r"cannot be corrected in .*me\.performance: 99 is no whole number"):
        add(performance, MOVE, Move(99, NOSE, 0.0, 0.0))
    assert (performance.path / HEADER_FILE).read_bytes() == before


def test_nothing_is_interpolated_from_where_nothing_is_seen(performance):
    gone = add(performance, Delete((NOSE,), 4, 4))
    with pytest.raises(UsageError, match="nose is not seen in both frames; move it there first"):
        add(gone, Interpolate((NOSE,), 0, 4))
    assert len(history(add(gone, Move(4, NOSE, 1.0, 1.0), Interpolate((NOSE,), 0, 4)))) == 3


def test_frames_gain_and_lose_their_person(tmp_path):
    performance = tiny_performance(tmp_path / "me.performance", missing=(2,))
    everywhere = tuple(range(133))
    gone = add(performance, Delete(everywhere, 5, 6))
    assert gone.status.tolist() == [2, 2, 0, 2, 2, 0, 0, *[2] * 5]
    assert Performance.load(gone.path).status.tolist() == gone.status.tolist()
    assert undo(gone).status.tolist() == performance.status.tolist()
    put = EditList((Move(1, NOSE, 1.0, 1.0),), 1)
    poses, status = put.apply(replace(performance.poses, confidence=performance.poses.confidence * 0), gone.status * 0)
    assert status.tolist() == [0, 1, *[0] * 10]  # the matte knows of nobody: as if interpolated
    assert poses.found.tolist() == [False, True, *[False] * 10]


def test_corrections_of_others_meanwhile_are_kept(performance):
    ours, theirs = Performance.load(performance.path), Performance.load(performance.path)
    add(theirs, MOVE)
    assert [one.edit for one in history(add(ours, Delete((NOSE,), 0, 0)))] == [MOVE, Delete((NOSE,), 0, 0)]
    threads = [threading.Thread(target=add, args=(performance, Move(0, n, 0.0, 0.0))) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(history(Performance.load(performance.path))) == 10


def _write(folder, fixes):
    header = json.loads((folder / HEADER_FILE).read_text())
    header["fixes"] = fixes
    (folder / HEADER_FILE).write_text(json.dumps(header))


MOVED = {"kind": "move", "frame": 0, "point": 0, "x": 1.0, "y": 2.0}
DRAGGED = ({"point": 9, "x": -1e6}, {"point": 91, "x": 0.0}, {"point": 9, "x": 1e6})


@pytest.mark.parametrize(
    ("fixes", "message"),
    [
        pytest.param({"done": 1, "edits": [MOVED | {"frame": 12}]}, "12 is no whole number from 0 to 11", id="frame"),
        pytest.param({"done": 0, "edits": [MOVED | {"point": 133}]}, "no whole number", id="undone ones are read too"),
        pytest.param({"done": 1, "edits": [MOVED | {"x": float("nan")}]}, "nan is no number", id="NaN"),
        pytest.param({"done": 2, "edits": [MOVED]}, "2 is no whole number from 0 to 1", id="more done than there are"),
        pytest.param({"done": True, "edits": [MOVED]}, "True is no whole", id="done is a truth"),
        pytest.param({"done": 0, "edits": [MOVED] * (MOST_EDITS + 1)}, "5000 are the most", id="thousands too many"),
        pytest.param({"done": 0, "edits": {}}, "is no list of corrections", id="a dict of them"),
        pytest.param({"edits": []}, "is no list of corrections", id="without cursor"),
        pytest.param([MOVED], "is no list of corrections", id="a list alone"),
        pytest.param("none", "is no list of corrections", id="text"),
        pytest.param({"done": 0, "edits": [0]}, "0 is no correction", id="a number"),
        pytest.param(
            {"done": 3, "edits": [MOVED | change for change in DRAGGED]},
            "more than 1000000 pixels away",
            id="a hand dragged out of the world",
        ),
    ],
)
@pytest.mark.parametrize("read", [Performance.load, load_poses])
def test_malformed_corrections_are_refused_in_one_line(performance, fixes, message, read):
    _write(performance.path, fixes)
    with pytest.raises(PerformanceError, match=message) as raised:
        read(performance.path)
    assert "\n" not in str(raised.value)
    assert "holds corrections that are none" in str(raised.value)


def test_what_nothing_could_load_is_not_kept(performance):
    before = (performance.path / HEADER_FILE).read_bytes()
    drag = [Move(0, LEFT_WRIST, -1e6, 0.0), Move(0, 91, 0.0, 0.0), Move(0, LEFT_WRIST, 1e6, 0.0)]
    with pytest.raises(UsageError, match="more than 1000000 pixels away"):
        add(performance, *drag)
    assert (performance.path / HEADER_FILE).read_bytes() == before


def test_too_many_are_refused(performance):
    _write(performance.path, {"done": MOST_EDITS, "edits": [MOVED] * MOST_EDITS})
    with pytest.raises(UsageError, match="5000 are the most"):
        add(performance, MOVE)
    assert len(history(Performance.load(performance.path))) == MOST_EDITS


def test_older_files_without_corrections_read_as_before(performance):
    header = json.loads((performance.path / HEADER_FILE).read_text())
    assert header.pop("fixes") == {"done": 0, "edits": []}
    (performance.path / HEADER_FILE).write_text(json.dumps(header))
    again = Performance.load(performance.path)
    assert again.header == performance.header
    assert history(again) == ()
    np.testing.assert_array_equal(add(again, MOVE).poses.xy[3, LEFT_WRIST], (5, 6.5))


def test_work_by_hand_is_not_written_over(performance):
    add(performance, MOVE)
    with pytest.raises(PerformanceError, match="holds 1 correction made by hand, which would be lost"):
        tiny_performance(performance.path)
    undo(performance)  # it can be made again, and so is still there
    with pytest.raises(PerformanceError, match="holds 1 correction made by hand"):
        tiny_performance(performance.path)


def test_a_corrected_clip_is_another_one_for_whoever_remembers(performance):
    from understudy.training.run_folder import fingerprint

    corrected = add(performance, MOVE)
    assert fingerprint(corrected) != fingerprint(performance)
    assert corrected.header.identity != performance.header.identity
    back = undo(corrected)
    assert fingerprint(back) == fingerprint(performance)
    assert back.header.identity == performance.header.identity == performance.header.source_sha256


def test_inspect_says_what_was_corrected(performance):
    from understudy.verbs.descriptions import performance_lines

    assert not any("by hand" in line for line in performance_lines(performance))
    lines = performance_lines(undo(add(performance, MOVE, Delete((NOSE,), 1, 2))))
    assert any(line.endswith("1 time by hand, 1 more undone") for line in lines)


def test_a_batch_does_a_corrected_performance_again(performance):
    from understudy.jobs.one import content_of

    before = content_of(performance.path)
    add(performance, MOVE)
    assert content_of(performance.path) != before


def test_training_learns_from_the_corrected_poses(performance):
    import torch

    from understudy.conditioning.clips import read_clip

    corrected = add(performance, MOVE)
    learnt = read_clip(corrected, None, None, 1, 0.0, 32, 32, torch.device("cpu"), all_points=True)
    assert learnt.xy[3, LEFT_WRIST].tolist() == [5, 6.5]
