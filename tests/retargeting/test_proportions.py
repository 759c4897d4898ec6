import numpy as np
import pytest

from tiny import STANDING
from understudy.poses.pose import (
    LEFT_ANKLE,
    RIGHT_ANKLE,
    RIGHT_ELBOW,
    RIGHT_HAND,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_WRIST,
    Pose,
)
from understudy.poses.similarity import Similarity
from understudy.retargeting import proportions
from understudy.retargeting.alignment import align, body_statistics
from understudy.retargeting.proportions import MOST_CHANGE, fit_limbs


def dancer(thigh=1.0, forearm=1.0, frames=9, missing=()):
    """A figure whose thighs and forearms have a length of their own, swinging its arms."""
    xy = np.repeat(STANDING[None] * 200, frames, 0)
    for knee, ankle, hip in ((9, 10, 8), (12, 13, 11)):
        shift = (thigh - 1) * (xy[:, knee] - xy[:, hip])
        xy[:, knee] += shift
        xy[:, ankle] += shift
    for wrist, elbow in ((4, 3), (7, 6)):
        swing = np.linspace(-0.5, 0.5, frames)
        length = 24 * forearm
        xy[:, wrist] = xy[:, elbow] + length * np.stack([np.sin(swing), np.cos(swing)], 1)
    confidence = np.ones((frames, 18), np.float32)
    confidence[:, list(missing)] = 0
    return Pose.from_openpose18(xy.astype(np.float32), confidence, (256, 256))


def fitted(driving, reference):
    own, theirs = body_statistics(driving), body_statistics(reference)
    alignment = align(own, theirs, "body")
    return fit_limbs(alignment.of_pose(driving, (256, 256)), alignment, own, theirs)


def test_the_same_proportions_change_nothing():
    assert np.abs(fitted(dancer(), dancer()).xy - dancer().xy).max() < 1e-3


@pytest.mark.parametrize(("thigh", "forearm"), [(1.2, 1.0), (1.0, 0.8), (1.15, 1.25)])
def test_limbs_take_the_references_lengths(thigh, forearm):
    driving, reference = dancer(), dancer(thigh, forearm)
    changed = fitted(driving, reference)
    seen = reference.confidence > 0
    assert np.linalg.norm(changed.xy - reference.xy, axis=-1)[seen].max() < 1.0
    assert np.linalg.norm(driving.xy - reference.xy, axis=-1)[seen].max() > 4


def test_a_long_dance_is_fitted_in_parts_to_the_same_poses(monkeypatch):
    driving, reference = dancer(frames=20), dancer(1.2, 0.8)
    whole = fitted(driving, reference)
    taken = []
    concatenate = Pose.concatenate
    monkeypatch.setattr(proportions, "FRAMES_AT_ONCE", 7)
    monkeypatch.setattr(Pose, "concatenate", lambda poses: taken.extend(map(len, poses)) or concatenate(poses))
    assert np.array_equal(fitted(driving, reference).xy, whole.xy) and taken == [7, 7, 6]


def test_directions_are_kept():
    driving = dancer()
    changed = fitted(driving, dancer(1.2, 0.8))
    for near, far in ((RIGHT_ELBOW, RIGHT_WRIST), (RIGHT_HIP, RIGHT_KNEE)):
        before, after = driving.xy[:, far] - driving.xy[:, near], changed.xy[:, far] - changed.xy[:, near]
        assert np.allclose(before[:, 0] * after[:, 1], before[:, 1] * after[:, 0], atol=1e-2)


def test_hands_go_along_with_the_wrist():
    driving = dancer()
    xy = driving.xy.copy()
    xy[:, RIGHT_HAND] = xy[:, RIGHT_WRIST, None] + (3, 4)
    changed = fitted(Pose(xy, driving.confidence, driving.size_hw), dancer(forearm=1.3))
    assert np.allclose(changed.xy[:, RIGHT_HAND] - changed.xy[:, RIGHT_WRIST, None], (3, 4), atol=1e-3)


def test_feet_go_along_with_the_ankle():
    driving = dancer()
    xy = driving.xy.copy()
    for ankle, foot in ((LEFT_ANKLE, slice(17, 20)), (RIGHT_ANKLE, slice(20, 23))):
        xy[:, foot] = xy[:, ankle, None] + (3, 4)
    changed = fitted(Pose(xy, driving.confidence, driving.size_hw), dancer(1.2))
    assert np.abs(changed.xy[:, LEFT_ANKLE] - xy[:, LEFT_ANKLE]).max() > 3
    for ankle, foot in ((LEFT_ANKLE, slice(17, 20)), (RIGHT_ANKLE, slice(20, 23))):
        assert np.allclose(changed.xy[:, foot] - changed.xy[:, ankle, None], (3, 4), atol=1e-3)


def test_the_drivers_size_is_no_matter_of_proportions():
    """Filmed half as large and elsewhere, he is fitted to the same place."""
    reference = dancer(1.2, 0.8)
    small = Similarity(0.5, (-20, 35)).of_pose(dancer(), (256, 256))
    seen = reference.confidence > 0
    assert np.abs(fitted(small, reference).xy - fitted(dancer(), reference).xy)[seen].max() < 0.1
    assert np.linalg.norm(fitted(small, reference).xy - reference.xy, axis=-1)[seen].max() < 1.0


def test_an_unseen_joint_moves_nothing_beyond_it():
    driving, knee_alone = dancer(missing=(9,)), (RIGHT_KNEE, RIGHT_ANKLE)
    changed, whole = fitted(driving, dancer(1.2)), fitted(dancer(), dancer(1.2))
    assert np.isfinite(changed.xy).all()
    assert np.array_equal(changed.confidence, driving.confidence)
    assert np.allclose(changed.xy[:, knee_alone], driving.xy[:, knee_alone], atol=1e-3)
    assert np.abs(whole.xy[:, knee_alone] - driving.xy[:, knee_alone]).max() > 4


def test_a_tracking_error_cannot_stretch_a_limb_without_bound():
    own, theirs = body_statistics(dancer()), body_statistics(dancer(thigh=3.0))
    alignment = align(own, theirs, "hips")
    aligned = alignment.of_pose(dancer(), (256, 256))
    changed = fit_limbs(aligned, alignment, own, theirs)
    before = np.linalg.norm(aligned.xy[:, 13] - aligned.xy[:, 11], axis=1)
    after = np.linalg.norm(changed.xy[:, 13] - changed.xy[:, 11], axis=1)
    assert np.allclose(after / before, MOST_CHANGE, rtol=1e-3)
    assert changed.xy[0, LEFT_ANKLE, 1] > aligned.xy[0, LEFT_ANKLE, 1]
