"""What passes before a person is taken out of the frames that will be warped; the person is left alone."""

import itertools

import cv2
import numpy as np
import pytest

from tiny import STANDING
from understudy.poses.pose import Pose
from understudy.recipes import limb_warp
from understudy.recipes.parts import person_alone
from understudy.recipes.parts.person_alone import LEAST, PersonAlone

SIZE = 128
CONFIG = limb_warp.Config(size=SIZE)
SKIN, SHIRT, TROUSERS, BALL = (200, 150, 120), (60, 110, 190), (30, 40, 70), (240, 240, 235)
FRAMES = 24


def dancing(frames=FRAMES, behind=()):
    """(frames, 18, 2) pixels: arms and knees swing a little; in some frames left and right are exchanged."""
    phase = np.arange(frames) * 0.7
    xy = np.repeat(STANDING[None], frames, axis=0)
    xy[:, [3, 4], 1] += 0.03 * np.sin(phase)[:, None]
    xy[:, [6, 7], 1] -= 0.03 * np.sin(phase)[:, None]
    xy[:, 9, 0] -= 0.015 * np.cos(phase)
    xy[:, 12, 0] += 0.015 * np.sin(phase)
    for frame in behind:
        xy[frame, :, 0] = 1 - xy[frame, :, 0]
    return (xy * SIZE).astype(np.float32)


def filmed(joints, shirt=SHIRT, ball=None):
    """(SIZE, SIZE, 4): a person in shirt and trousers, and a ball of 7 pixels about a place."""
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    for colour, width, chain in (
        (TROUSERS, 11, (8, 9, 10)), (TROUSERS, 11, (11, 12, 13)), (shirt, 22, (1, 8)), (shirt, 22, (1, 11)),
        (SKIN, 13, (1, 0)), (SKIN, 6, (2, 3, 4)), (SKIN, 6, (5, 6, 7)),
    ):  # fmt: skip
        for a, b in itertools.pairwise(chain):
            cv2.line(
                picture, *(tuple(round(float(v)) for v in joints[joint]) for joint in (a, b)), (*colour, 255), width
            )
    if ball is not None:
        cv2.circle(picture, tuple(round(float(v)) for v in ball), 7, (*BALL, 255), -1)
    return picture


def kept(joints):
    return Pose.from_openpose18(joints, np.ones(joints.shape[:2], np.float32), (SIZE, SIZE))


def thigh(joints, along):
    return joints[8] + along * (joints[9] - joints[8])


def alone(joints, pictures):
    return PersonAlone(CONFIG, kept(joints), dict(enumerate(pictures)))


def like(picture, place, colour):
    """How far the colours about a place are from one, in levels, on average."""
    x, y = (round(float(v)) for v in place)
    return float(np.abs(picture[y - 2 : y + 3, x - 2 : x + 3, :3].astype(int) - colour).mean())


def test_a_ball_before_a_thigh_now_and_then_is_taken_out():
    joints = dancing()
    balls = {frame: thigh(joints[frame], 0.75 + 0.05 * (frame % 5)) for frame in range(0, FRAMES, 6)}
    pictures = [filmed(joints[frame], ball=balls.get(frame)) for frame in range(FRAMES)]
    cleaned = alone(joints, pictures)
    for frame, ball in balls.items():
        assert like(pictures[frame], ball, BALL) < 5
        assert like(cleaned[frame], ball, TROUSERS) < 25, frame
    for frame in set(range(FRAMES)) - set(balls):
        assert cleaned[frame] is pictures[frame]


def test_what_of_it_is_beside_the_body_goes_too():
    joints = dancing()
    outside = thigh(joints[8], 0.6) - (9, 0)
    pictures = [filmed(joints[frame], ball=outside if frame == 8 else None) for frame in range(FRAMES)]
    x, y = (round(float(v)) for v in outside)
    assert pictures[8][y, x - 4, 3] == 255 and alone(joints, pictures)[8][y, x - 4, 3] < 60


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(lambda joints, frame: thigh(joints[frame], 0.5), id="worn all the time"),
        pytest.param(lambda joints, frame: joints[frame, 4] if frame % 4 == 0 else None, id="held in a hand"),
        pytest.param(lambda joints, frame: joints[frame, 0] - (0, 4) if frame % 4 == 0 else None, id="before the head"),
    ],
)
def test_what_may_belong_to_the_person_stays(held):
    joints = dancing()
    pictures = [filmed(joints[frame], ball=held(joints, frame)) for frame in range(FRAMES)]
    cleaned = alone(joints, pictures)
    assert all(cleaned[frame] is pictures[frame] for frame in range(FRAMES))


def test_a_back_of_another_colour_is_no_stranger():
    """Five frames of thirty show it; with the front alone to compare with, they would be repainted."""
    behind = range(10, 15)
    joints = dancing(30, behind)
    pictures = [filmed(joints[frame], (250, 240, 60) if frame in behind else SHIRT) for frame in range(30)]
    cleaned = alone(joints, pictures)
    assert all(cleaned[frame] is pictures[frame] for frame in range(30))


def test_who_takes_a_coat_off_is_still_the_same_person():
    """A sixth of the frames, of more than a ball's size."""
    joints = dancing()
    pictures = [filmed(joints[frame], (250, 240, 60) if frame < 4 else SHIRT) for frame in range(FRAMES)]
    cleaned = alone(joints, pictures)
    assert all(cleaned[frame] is pictures[frame] for frame in range(FRAMES))


def test_of_a_few_frames_nothing_is_known():
    joints = dancing(LEAST - 1)
    pictures = [filmed(one, ball=thigh(one, 0.5) if frame == 3 else None) for frame, one in enumerate(joints)]
    cleaned = alone(joints, pictures)
    assert cleaned[3] is pictures[3]
    assert len(cleaned) == LEAST - 1 and list(cleaned) == list(range(LEAST - 1))


def test_it_works_at_sizes_above_that_of_the_comparison():
    joints = dancing()
    small = [filmed(joints[frame], ball=thigh(joints[frame], 0.85) if frame == 8 else None) for frame in range(FRAMES)]
    large = [cv2.resize(one, (2 * SIZE, 2 * SIZE), interpolation=cv2.INTER_NEAREST) for one in small]
    cleaned = PersonAlone(limb_warp.Config(size=2 * SIZE), kept_large(joints), dict(enumerate(large)))
    assert cleaned[8].shape == (2 * SIZE, 2 * SIZE, 4) and cleaned[8].dtype == np.uint8
    assert like(cleaned[8], 2 * thigh(joints[8], 0.85), TROUSERS) < 25


def kept_large(joints):
    return Pose.from_openpose18(2 * joints + 0.5, np.ones(joints.shape[:2], np.float32), (2 * SIZE, 2 * SIZE))


def test_what_is_worn_for_a_while_stays(monkeypatch):
    """A patch on a knee, in fewer than a quarter of the frames, but in all of them one after the other."""
    joints, worn = dancing(40), range(15, 24)
    patch = {frame: thigh(joints[frame], 0.9) for frame in worn}
    pictures = [filmed(joints[frame], ball=patch.get(frame)) for frame in range(40)]
    cleaned = alone(joints, pictures)
    assert all(cleaned[frame] is pictures[frame] for frame in range(19, 20))
    monkeypatch.setattr(person_alone, "WORN", 0.0)  # without looking at the frames before and after
    cleaned = alone(joints, pictures)
    assert all(cleaned[frame] is not pictures[frame] for frame in worn)
