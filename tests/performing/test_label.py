"""The visible label: legible, small, in the corner where nobody is, and in every kind of performance."""

import logging

import cv2
import numpy as np
import pytest

from tiny import tiny_performance
from tiny_actor import drawing_actor, tiny_actor
from understudy import perform
from understudy.errors import UsageError
from understudy.media.reading import read_image
from understudy.performing.label import label_for
from understudy.poses.pose import Pose

SIZE_HW = (360, 640)
ALWAYS = np.ones(4, bool)


def standing_in(left, top, right, bottom):
    """Somebody whose joints fill a box; most are not seen."""
    xy = np.zeros((4, 133, 2), np.float32)
    confidence = np.zeros((4, 133), np.float32)
    xy[:, 0], xy[:, 16] = (left, top), (right, bottom)
    confidence[:, [0, 16]] = 1
    return Pose(xy, confidence, SIZE_HW)


def corner_of(label):
    height, width = label.picture.shape[:2]
    across = "left" if label.left < SIZE_HW[1] - label.left - width else "right"
    return ("upper " if label.top < SIZE_HW[0] - label.top - height else "lower ") + across


@pytest.mark.parametrize(
    ("boxes", "corner"),
    [
        ([], "lower right"), ([(280, 40, 360, 340)], "lower right"), ([(560, 100, 620, 350)], "lower left"),
        ([(20, 300, 620, 350)], "upper right"), ([(20, 300, 100, 350), (580, 10, 630, 350)], "upper left"),
    ],
)  # fmt: skip
def test_it_is_where_nobody_is(boxes, corner):
    people = [(standing_in(*box), ALWAYS) for box in boxes]
    assert corner_of(label_for(SIZE_HW, people)) == corner


def test_who_is_not_shown_covers_nothing_and_the_fewest_moments_count(caplog):
    away = standing_in(560, 300, 630, 350), ~ALWAYS
    assert corner_of(label_for(SIZE_HW, [away])) == "lower right"
    everywhere = standing_in(5, 5, 635, 355)
    once = np.array([True, False, False, False])
    with caplog.at_level(logging.WARNING):
        label_for(SIZE_HW, [(everywhere, once)])
    assert "covers a performer at 1 moments" in caplog.text


def test_it_is_small_and_can_be_read_and_leaves_the_rest_alone():
    label = label_for(SIZE_HW, [])
    frame = np.full((*SIZE_HW, 3), 255, np.uint8)
    label.paint(frame)
    height, width = label.picture.shape[:2]
    assert height == round(0.06 * 360) and width < 3 * height
    inside = frame[label.top : label.top + height, label.left : label.left + width]
    assert inside.max() == 255 and inside.min() < 90  # letters on their ground
    inside[:] = 255
    assert (frame == 255).all()


def test_on_nothing_it_is_seen_too():
    label = label_for((64, 64), [])
    frame = np.zeros((64, 64, 4), np.uint8)
    label.paint(frame)
    assert frame[..., 3].max() == 255 and (frame[..., :3] <= frame[..., 3:]).all()  # premultiplied
    assert (frame[:16, :16] == 0).all()


@pytest.mark.parametrize("side", [16, 20])
def test_a_tiny_picture_bears_as_much_of_it_as_there_is_room_for(side):
    frame = np.zeros((side, side, 3), np.uint8)
    label_for((side, side), []).paint(frame)
    assert frame.any()


@pytest.fixture(scope="module")
def driving(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("driving") / "dance.performance", 2)


@pytest.mark.parametrize(("several", "layout"), [(False, "side-by-side"), (True, "side-by-side"), (True, "stage")])
@pytest.mark.parametrize("background", ["red", "transparent"])
def test_performances_bear_it_when_it_is_asked_for(tmp_path, driving, several, layout, background):
    actors = [tiny_actor(), drawing_actor()] if several else tiny_actor()
    for label in ("none", "corner"):
        output = tmp_path / (label if background == "transparent" else f"{label}.mkv")
        perform(actors, driving, output, layout=layout, background=background, label=label, marks=False)
    shown = [_first(tmp_path, label, background) for label in ("none", "corner")]
    changed = np.abs(shown[0] - shown[1]).max(axis=2) > 40
    assert 20 < changed.sum() < 0.25 * changed.size


def test_side_by_side_each_is_looked_for_in_their_own_panel(tmp_path, driving, monkeypatch):
    asked = []

    def spy(size_hw, people):
        asked.append((size_hw, people))
        return label_for(size_hw, people)

    monkeypatch.setattr("understudy.performing.members.label_for", spy)
    actors = [tiny_actor(), tiny_actor()]
    perform(actors, driving, tmp_path / "out.mkv", label="corner", marks=False)
    ((size_hw, (left, right)),) = asked
    seen = left[0].confidence > 0
    assert np.allclose((right[0].xy - left[0].xy)[seen], (size_hw[1] / 2, 0), atol=1e-3)


def _first(folder, name, background):
    if background == "transparent":
        return read_image(folder / name / "000001.png").astype(int)
    return cv2.VideoCapture(str(folder / f"{name}.mkv")).read()[1].astype(int)


def test_another_word_is_refused(tmp_path, driving):
    with pytest.raises(UsageError, match="`label='everywhere'`: there is no such one; choose one of none, corner"):
        perform(tiny_actor(), driving, tmp_path / "out.mp4", label="everywhere")
