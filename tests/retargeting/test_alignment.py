from __future__ import annotations

import json
import logging
from dataclasses import asdict

import numpy as np
import pytest

from understudy.errors import PoseError
from understudy.poses.pose import LEFT_HIP, LEFT_SHOULDER, POINTS, RIGHT_HIP, RIGHT_SHOULDER, Pose
from understudy.retargeting.alignment import Alignment, BodyStatistics, align, body_statistics
from understudy.tracking.canvas import turned

CORNERS = [LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP]


def torso(*frames: tuple[float, float, float, float], confidence: list[float] | None = None) -> Pose:
    """Frames as (centre x, centre y, hip width, torso length); shoulders as wide as the hips."""
    xy = np.zeros((len(frames), POINTS, 2))
    seen = np.zeros((len(frames), POINTS))
    for frame, (x, y, width, length) in enumerate(frames):
        for joint, across, down in zip(CORNERS, (1, -1, 1, -1), (-1, -1, 1, 1), strict=True):
            xy[frame, joint] = (x + across * width / 2, y + down * length / 2)
    seen[:, CORNERS] = np.ones(len(frames))[:, None] if confidence is None else np.array(confidence)[:, None]
    return Pose(xy, seen, (256, 256))


def test_statistics_of_a_hand_made_torso() -> None:
    body = body_statistics(torso((100, 120, 20, 60), (110, 130, 30, 60)))
    assert body.centre_xy == pytest.approx((105, 125))
    assert body.hip_width == pytest.approx(25)
    assert body.torso_length == pytest.approx(60)


def test_unseen_frames_do_not_count_and_guessed_ones_count_less() -> None:
    body = body_statistics(
        torso((100, 100, 20, 60), (9999, 9999, 900, 900), (140, 100, 40, 60), confidence=[0.9, 0, 0.3])
    )
    assert body.centre_xy == pytest.approx((110, 100))
    assert body.hip_width == pytest.approx(25)
    assert body.torso_length == pytest.approx(60)


def test_statistics_survive_json() -> None:
    body = body_statistics(torso((100, 120, 20, 60)))
    stored = json.loads(json.dumps(asdict(body)))
    again = BodyStatistics(
        tuple(stored["centre_xy"]),
        stored["hip_width"],
        stored["torso_length"],
        tuple(stored["limb_lengths"]),
        stored["front_share"],
    )
    assert again == body


@pytest.mark.parametrize("behind", [False, True], ids=["from the front", "from behind"])
@pytest.mark.parametrize("quarters", range(4))
def test_a_clip_that_is_turned_shows_the_same_side(behind: bool, quarters: int) -> None:
    pose = torso((100, 120, 20, 60), (100, 121, 20, 60), (101, 120, 20, 60))
    pose = pose.sides_exchanged() if behind else pose
    shown = turned(pose, ["none", "clockwise", "half", "anticlockwise"][quarters])
    assert body_statistics(shown).front_share == body_statistics(pose).front_share == (0.0 if behind else 1.0)


def test_bending_over_shows_the_same_side() -> None:
    upright, over = torso((100, 120, 20, 60)), torso((100, 120, 20, -40))
    pose = Pose.concatenate([upright, upright, over])
    assert body_statistics(pose).front_share == 1.0


def test_no_torso_is_an_error() -> None:
    with pytest.raises(
        PoseError, match=r"none of 2 frames shows both shoulders and both hips.*`understudy track VIDEO --region"
    ):
        body_statistics(torso((100, 100, 20, 60), (100, 100, 20, 60), confidence=[0, 0]))


def test_all_joints_on_one_point_is_an_error() -> None:
    with pytest.raises(PoseError, match="lie on one point in all of 1 frames"):
        body_statistics(torso((100, 100, 0, 0)))


@pytest.mark.parametrize(
    ("driving", "reference", "expected"),
    [
        pytest.param(((100, 100), 20, 50), ((128, 130), 30, 75), Alignment(1.5, (-22, -20)), id="larger and moved"),
        pytest.param(((50, 60), 20, 50), ((50, 60), 20, 50), Alignment(1, (0, 0)), id="the same"),
        pytest.param(((0, 0), 40, 100), ((10, 20), 20, 50), Alignment(0.5, (10, 20)), id="from the corner"),
        pytest.param(((0, 0), 20, 60), ((0, 0), 24, 60), Alignment(1.2, (0, 0)), id="broader build: hips decide"),
    ],
)
def test_align_by_hand(driving: tuple, reference: tuple, expected: Alignment) -> None:  # type: ignore[type-arg]
    alignment = align(BodyStatistics(*driving), BodyStatistics(*reference))
    assert alignment.scale == pytest.approx(expected.scale)
    assert alignment.translation_xy == pytest.approx(expected.translation_xy)


def test_aligned_driver_has_the_reference_statistics() -> None:
    driving = torso((100, 120, 20, 60), (130, 90, 30, 58))
    reference = torso((60, 70, 50, 130), (64, 78, 46, 128))
    aligned = align(body_statistics(driving), body_statistics(reference)).of_pose(driving, (256, 256))
    assert body_statistics(aligned).centre_xy == pytest.approx(body_statistics(reference).centre_xy, abs=1e-3)
    assert body_statistics(aligned).hip_width == pytest.approx(body_statistics(reference).hip_width, abs=1e-3)


@pytest.mark.parametrize(
    ("driving", "reference", "note"),
    [
        pytest.param(((0, 0), 5, 60), ((0, 0), 25, 66), "the driver stands sideways", id="driver sideways"),
        pytest.param(((0, 0), 25, 60), ((0, 0), 5, 66), "the reference stands sideways", id="reference sideways"),
        pytest.param(((0, 0), 14, 60), ((0, 0), 30, 66), "hip widths ask for a scale of 2.14", id="one turns far more"),
    ],
)
def test_people_seen_from_the_side_are_scaled_by_the_torso_and_it_says_so(
    driving: tuple,  # type: ignore[type-arg]
    reference: tuple,  # type: ignore[type-arg]
    note: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        alignment = align(BodyStatistics(*driving), BodyStatistics(*reference))
    assert alignment.scale == pytest.approx(1.1)
    assert [note in record.getMessage() for record in caplog.records] == [True]


def test_plausible_hips_are_used_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    assert align(BodyStatistics((0, 0), 20, 60), BodyStatistics((0, 0), 24, 60)).scale == pytest.approx(1.2)
    assert not caplog.records


def test_body_scale_is_the_median_ratio_of_limbs_known_in_both() -> None:
    driving = BodyStatistics((0, 0), 20, 50, (10, 10, 10, 0, 10))
    reference = BodyStatistics((0, 0), 20, 50, (20, 15, 90, 50, 0))
    assert align(driving, reference, "body").scale == pytest.approx(2)


def test_body_scale_does_not_depend_on_turning(stick_people) -> None:  # type: ignore[no-untyped-def]
    frontal = stick_people([{}] * 20)
    turned_xy = frontal.xy.copy()
    turned_xy[:8, :, 0] = 128 + (turned_xy[:8, :, 0] - 128) * 0.3  # turned away for part of the time
    larger = Pose(turned_xy * 1.25, frontal.confidence, (320, 320))
    statistics = body_statistics(larger), body_statistics(frontal)
    assert align(*statistics, "body").scale == pytest.approx(0.8, rel=0.02)
    assert align(*statistics, "hips").scale > 1.1


def test_unknown_sizes_and_unknown_rule_are_errors() -> None:
    with pytest.raises(PoseError, match="hip widths are 0 px"):
        align(BodyStatistics((0, 0), 0), BodyStatistics((0, 0), 20))
    with pytest.raises(ValueError, match='must be "hips" or "body"'):
        align(BodyStatistics((0, 0), 20), BodyStatistics((0, 0), 20), "head")  # type: ignore[arg-type]


def test_inverse_undoes() -> None:
    alignment = Alignment(1.7, (-30.0, 12.5))
    pose = torso((100, 120, 20, 60))
    there = alignment.of_pose(pose, (300, 300))
    assert there.size_hw == (300, 300)
    np.testing.assert_allclose(alignment.inverse.of_pose(there, (256, 256)).xy, pose.xy, atol=1e-4)


def test_frames_and_poses_are_aligned_alike() -> None:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[20:23, 40:43] = 255  # a dot centred on pixel (41, 21)
    aligned = Alignment(2.0, (-30.0, 8.0)).apply_to_frame(frame, (80, 90))
    rows, columns = np.nonzero(aligned[..., 0] > 127)
    assert aligned.shape == (80, 90, 3)
    assert (columns.mean(), rows.mean()) == pytest.approx((2 * 41 - 30, 2 * 21 + 8), abs=0.01)


@pytest.mark.parametrize(
    ("driver", "reference", "exchanged"),
    [
        pytest.param((1.0,), (-1.0,), True, id="front and behind"),
        pytest.param((-1.0,), (1.0,), True, id="behind and front"),
        pytest.param((1.0,), (1.0,), False, id="both front"),
        pytest.param((1.0,), (1.0, -1.0), False, id="a reference that turns"),
        pytest.param((1.0, -1.0), (-1.0,), False, id="a driver that turns"),
    ],
)
def test_sides_are_exchanged_only_where_the_reference_never_shows_the_drivers(driver, reference, exchanged, caplog):
    """Hip widths below 0 put the left joints on the left of the picture: seen from behind."""
    driving, own = (
        torso(*((100, 100, 20 * side, 60) for side in driver)),
        torso(*((0, 0, 20 * s, 60) for s in reference)),
    )
    alignment = align(body_statistics(driving), body_statistics(own))
    assert alignment.exchange_sides is exchanged
    assert ("left and right are exchanged" in caplog.text) is exchanged
    aligned = alignment.of_pose(driving, (256, 256))
    side = np.sign(aligned.xy[0, LEFT_HIP, 0] - aligned.xy[0, RIGHT_HIP, 0])
    assert side == (reference[0] if exchanged else driver[0])
