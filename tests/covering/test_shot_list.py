"""Hand-made cases with a known answer. A stick person's angles are degrees outwards from hanging straight down."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from understudy.covering.measure import measure
from understudy.covering.shot_list import MOST_SHOTS
from understudy.covering.shot_words import clock
from understudy.poses.pose import Pose

FPS = Fraction(10)


def arm(side: str, angle: float) -> dict[str, float]:
    return {f"{side} upper arm": angle, f"{side} forearm": angle}


VERTICAL_ARMS = [
    arm(side, angle) for side in ("right", "left") for angle in (*range(0, 25, 3), *range(150, 181, 3))
]  # as in Fig. 5 of the paper: one arm at a time, hanging or raised

CASES = [
    pytest.param(
        dict(frames=[arm("right", 90) | arm("left", 90)] * 5 + [{}] * 5),
        [("Both arms straight out to the side, horizontally (about 90 degrees from straight down)", 0.5, 0.0)],
        id="Fig. 5 (d): both arms horizontal",
    ),
    pytest.param(dict(frames=[arm("right", 170) | arm("left", 170)] * 5), [], id="Fig. 5 (c): both arms raised"),
    pytest.param(
        dict(frames=[arm("right", 90)] * 3 + [{}] * 7),
        [("Right arm straight out to the side, horizontally (about 90 degrees from straight down)", 0.3, 0.0)],
        id="right arm",
    ),
    pytest.param(
        dict(frames=[arm("right", 90)] * 4 + [arm("left", 90)] * 4 + [{}] * 2),
        [
            (
                "Each arm in turn, straight out to the side, horizontally (about 90 degrees from straight down)",
                0.8,
                0.0,
            )
        ],
        id="right arm, then left arm",
    ),
    pytest.param(
        dict(frames=[{"left forearm": -90}] * 3 + [{}] * 3),
        [("Left forearm straight across the body, horizontally (about 90 degrees from straight down)", 0.5, 0.0)],
        id="forearm across the body",
    ),
    pytest.param(
        dict(frames=[{"right forearm": angle} for angle in range(40, 140, 5)]),
        [("Right forearm out to the side, sweeping slowly (55 to 120 degrees from straight down)", 0.9, 0.0)],
        id="neighbouring directions are one sweep",
    ),
    pytest.param(
        dict(frames=[{"left thigh": 45, "left shin": 45}] * 2 + [{}] * 2),
        [("Left leg out to the side and low (about 45 degrees from straight down)", 0.5, 0.0)],
        id="leg to the side",
    ),
    pytest.param(
        dict(frames=[{}] * 3, facing=-1),
        [("Stand and move with your back to the camera", 1.0, 0.0)],
        id="turned away",
    ),
    pytest.param(
        dict(frames=[arm("right", 90)] * 2 + [{}] * 2, facing=-1),
        [
            ("Stand and move with your back to the camera", 1.0, 0.5),
            (
                "Right arm straight out to the side, horizontally (about 90 degrees from straight down), "
                "with your back to the camera",
                0.5,
                0.0,
            ),
        ],
        id="turned away: right is still the own right",
    ),
]


@pytest.mark.parametrize(("driver", "expected"), CASES)
def test_shot_list(driver: dict, expected: list, stick_people) -> None:  # type: ignore[no-untyped-def, type-arg]
    shots = measure(stick_people(VERTICAL_ARMS), stick_people(**driver), FPS).shots
    assert [(shot.what, shot.share, shot.left) for shot in shots] == [
        (what, pytest.approx(share), pytest.approx(left)) for what, share, left in expected
    ]


def test_foreshortened_limb(stick_people) -> None:  # type: ignore[no-untyped-def]
    driving = Pose.concatenate([stick_people([{}] * 5, short={"right thigh": 0.3}), stick_people([{}] * 5)])
    shots = measure(stick_people([{}] * 3), driving, FPS).shots
    assert [shot.what for shot in shots] == ["Right thigh pointing at the camera or away from it, so looking short"]
    assert shots[0].seconds == pytest.approx(0.2)


def test_another_build_is_not_something_to_film(stick_people) -> None:  # type: ignore[no-untyped-def]
    driving = stick_people([{}] * 4, short={"right shin": 1.4, "left shin": 1.4})
    (shot,) = measure(stick_people([{}] * 3), driving, FPS).shots
    assert shot.what.startswith(
        "No take will help with the right shin and left shin: the reference holds them like that"
    )
    assert (shot.share, shot.left) == (1.0, 1.0)


def test_standing_sideways(stick_people) -> None:  # type: ignore[no-untyped-def]
    frontal = stick_people([{}] * 4)
    xy = frontal.xy.copy()
    xy[:, :, 0] = 128 + (xy[:, :, 0] - 128) * 0.1
    xy[:, 0, 0] = 110  # the nose points to the left edge
    turned = Pose(xy, frontal.confidence, frontal.size_hw)
    driving = Pose.concatenate([frontal, frontal, frontal, turned])  # mostly frontal, so that hips tell the scale
    shots = measure(frontal, driving, FPS, scale_by="body").shots
    assert [shot.what for shot in shots] == ["Stand and move facing the left edge of the picture"]
    assert shots[0].share == pytest.approx(0.25)


def test_short_list_with_most_useful_first(stick_people) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    limbs = [f"{side} {part}" for side in ("right", "left") for part in ("upper arm", "forearm", "thigh", "shin")]
    wild = [{limb: float(rng.uniform(-180, 180)) for limb in limbs} for _ in range(200)]
    shots = measure(stick_people([{}] * 3), stick_people(wild), FPS).shots
    assert len(shots) == MOST_SHOTS
    assert [shot.share for shot in shots] == sorted((shot.share for shot in shots), reverse=True)
    assert [shot.left for shot in shots] == sorted((shot.left for shot in shots), reverse=True)
    assert len({shot.what for shot in shots}) == MOST_SHOTS


def test_gaps_of_a_moment_are_left_out(stick_people) -> None:  # type: ignore[no-untyped-def]
    driving = stick_people([{"left forearm": 90}] + [{}] * 200)
    found = measure(stick_people([{}]), driving, FPS)
    assert found.share_of_frames == pytest.approx(1 / 201)
    assert found.shots == ()


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00.0"), (62.57, "1:02.5"), (3599.99, "59:59.9")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_a_reference_filmed_from_behind_is_told_to_turn_round(stick_people) -> None:  # type: ignore[no-untyped-def]
    shots = measure(stick_people(VERTICAL_ARMS, facing=-1), stick_people([arm("left", 90)] * 2 + [{}] * 2), FPS).shots
    assert [shot.what for shot in shots] == [
        "Stand and move facing the camera",
        "Left arm straight out to the side, horizontally (about 90 degrees from straight down), facing the camera",
    ]


@pytest.mark.parametrize("facing", [1, -1], ids=["from the front", "from behind"])
@pytest.mark.parametrize(("turn", "side"), [(45, "left"), (-45, "right")])
def test_leaning_takes_the_shoulders_along(facing: int, turn: int, side: str, stick_people) -> None:  # type: ignore[no-untyped-def]
    upright = stick_people([{}] * 4, facing=facing)
    angle = np.radians(turn * facing)  # a person who faces the camera leans to the own left = the picture's right
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    xy = upright.xy.copy()
    xy[:, :11] = (xy[:, :11] - (128, 130)) @ rotation + (128, 130)  # all above the hips
    leaning = Pose(xy, upright.confidence, upright.size_hw)
    shots = measure(upright, Pose.concatenate([upright, leaning]), FPS).shots
    assert shots[0].what == f"Trunk leaning over to the {side}, by about 45 degrees"
    assert not any("shoulder" in shot.what for shot in shots)
