"""What is said of clips that no clone comes out right of, and that nothing is said of others."""

import logging
import re
from fractions import Fraction

import numpy as np
import pytest

from tiny import STANDING, tiny_performance
from understudy import clone, coverage, perform, train
from understudy.covering.oddities import oddities, say_oddities
from understudy.poses.pose import LEFT_HIP, LEFT_KNEE, RIGHT_KNEE, Pose
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import landmark_paths
from understudy.synthetic.scene import make_scene

FPS = Fraction(20)
SIZE = 256


def standing(frames=40, unseen=(), factors=None):
    """The standing figure, swaying, with joints that are not seen, each frame as large as its factor says."""
    confidence = np.ones((frames, 18), np.float32)
    confidence[:, list(unseen)] = 0
    sway = np.sin(np.arange(frames) / 4)[:, None, None] * np.array([4, 1])
    large = np.ones(frames) if factors is None else np.asarray(factors)
    xy = large[:, None, None] * (STANDING[None] * SIZE * 0.5 + sway)
    return Pose.from_openpose18(xy.astype(np.float32), confidence, (SIZE, SIZE))


def test_of_a_clip_as_it_should_be_nothing_is_said():
    assert oddities(standing(), FPS) == []


@pytest.mark.parametrize(
    ("degrees", "said"), [(90, "lies.*--rotate 270"), (180, "on the head.*--rotate 180"), (270, "lies.*--rotate 90")]
)
def test_a_photograph_that_lies_is_turned_by_track(degrees, said):
    upright = standing(frames=1)
    assert oddities(upright, FPS, "photograph") == []
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = Pose((upright.xy - SIZE / 2) @ turn.T.astype(np.float32) + SIZE / 2, upright.confidence, (SIZE, SIZE))
    (oddity,) = oddities(turned, FPS, "photograph")
    assert re.search(said, oddity) and "and give that" in oddity


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("fps", [Fraction(5), Fraction(15)])
def test_of_dances_nothing_is_said_however_wild_and_slowly_filmed(seed, fps):
    """Limbs that turn to the camera and bodies that bend are no zoom."""
    xy = landmark_paths(make_person(seed), choreography(seed, 12, fps), make_scene(seed, (SIZE, SIZE)))
    pose = Pose(np.asarray(xy, np.float32), np.ones(xy.shape[:2], np.float32), (SIZE, SIZE))
    assert oddities(pose, fps) == []


def test_a_person_on_the_head_is_told():
    pose = standing()
    turned = Pose(SIZE - pose.xy, pose.confidence, pose.size_hw)
    (said,) = oddities(turned, FPS)
    assert said.startswith("the person stands on the head in 40 of 40 frames")
    assert "with `--driving-rotate 180`" in said and "--reference-rotate 180" in oddities(turned, FPS, "reference")[0]
    lying = Pose(pose.xy[..., ::-1].copy(), pose.confidence, pose.size_hw)
    (said,) = oddities(lying, FPS)
    assert said.startswith("the person lies across the picture in 40 of 40 frames: if the camera stood on its side")
    assert said.endswith("with `--driving-rotate 90`"), "the head is at the left"
    other = Pose(SIZE - lying.xy, pose.confidence, pose.size_hw)
    assert oddities(other, FPS)[0].endswith("with `--driving-rotate 270`")
    half = Pose(np.concatenate([pose.xy[:20], lying.xy[20:]]), pose.confidence, pose.size_hw)
    assert not any("lies" in said for said in oddities(half, FPS)), "a roll on the floor is a move"
    mixed = Pose(np.concatenate([pose.xy[:20], turned.xy[20:]]), pose.confidence, pose.size_hw)
    assert not any("head" in said for said in oddities(mixed, FPS)), "a handstand is a move"


@pytest.mark.parametrize(
    ("unseen", "said"),
    [
        ((10, 13), "never in the picture: the body below the knees."),
        ((9, 10, 12, 13), "never in the picture: the body below the hips."),
        ((8, 9, 10, 11, 12, 13), "never in the picture: the body below the waist."),
        ((4, 7), "never in the picture: forearms."),
        ((3, 4, 6, 7, 10, 13), "never in the picture: the body below the knees and arms."),
        ((10,), None),
    ],
)
def test_limbs_that_are_never_in_the_picture_are_named(unseen, said):
    found = oddities(standing(unseen=unseen), FPS)
    assert [one[: len(said or "")] for one in found] == ([said] if said else [])


def test_legs_that_come_and_go_at_the_pictures_edge_are_told():
    pose = standing(unseen=(10, 13))
    pose.confidence[8:, [LEFT_KNEE, RIGHT_KNEE]] = 0
    knees = float(pose.xy[:, LEFT_HIP, 1].mean()) + 5
    (said,) = oddities(pose, FPS, bottom=knees)
    assert said.startswith("never in the picture: the body below the knees. ")
    assert said.endswith(
        "; the body below the hips comes and goes at the picture's lower edge (there in 20 % of the frames)"
    )
    # far from the edge somebody hides them with something, or sits on the floor: that may be as it should be
    (said,) = oddities(pose, FPS, bottom=knees + 200)
    assert "comes and goes" not in said


def test_a_cut_or_zoom_is_told_with_its_time_and_a_slow_zoom_is_none():
    cut = [1.0] * 18 + [1.6] * 12 + [1.0] * 10
    (said,) = oddities(standing(factors=cut), FPS)
    assert said.startswith("the person's size jumps 2 times (first at 0.90 s)")
    assert oddities(standing(factors=np.linspace(1, 2, 40)), FPS) == []
    smoothed = [1.0] * 18 + [1.25, 1.6] + [1.7] * 20
    (said,) = oddities(standing(factors=smoothed), FPS)
    assert said.startswith("the person's size jumps once (first at 0.95 s)")


def test_of_nobody_nothing_is_known():
    nobody = Pose(np.zeros((3, 133, 2), np.float32), np.zeros((3, 133), np.float32), (SIZE, SIZE))
    assert oddities(nobody, FPS) == []


def test_it_is_said_before_training_and_before_performing(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(
        "understudy.covering.oddities.oddities", lambda pose, fps, role, bottom: [f"it is odd ({role})"]
    )
    me, dance = (tiny_performance(tmp_path / f"{number}.performance", number) for number in (1, 2))
    with caplog.at_level(logging.WARNING):
        train(me, tmp_path / "me.actor", preset="instant", consent="I am it", device="cpu")
        assert "tiny1.mp4: it is odd (reference)" in caplog.text and "tiny2" not in caplog.text
        perform(tmp_path / "me.actor", dance, tmp_path / "out.mp4", device="cpu")
    assert "tiny2.mp4: it is odd (driving)" in caplog.text
    caplog.clear()
    coverage(me, dance)
    assert [record.message for record in caplog.records] == [
        "tiny1.mp4: it is odd (reference)",
        "tiny2.mp4: it is odd (driving)",
    ]
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        clone(me, dance, tmp_path / "clone.mp4", preset="instant", consent="I am it", device="cpu")
    said = [record.message for record in caplog.records if "odd" in record.message]
    assert said == ["tiny1.mp4: it is odd (reference)", "tiny2.mp4: it is odd (driving)"], (
        "once, though it trains and performs"
    )
    caplog.clear()
    say_oddities("reference", me)
    assert [record.message for record in caplog.records] == ["tiny1.mp4: it is odd (reference)"]
