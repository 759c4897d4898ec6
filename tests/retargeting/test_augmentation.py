"""Damage to poses: what is drawn once a window and what for every frame, how much, and what goes along."""

import numpy as np
import pytest
import torch

from understudy.poses.pose import (
    EXCHANGED,
    FACE,
    LEFT_ANKLE,
    LEFT_EAR,
    LEFT_ELBOW,
    LEFT_HAND,
    LEFT_HEEL,
    LEFT_HIP,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NECK,
    NOSE,
    PART_NAMES,
    PARTS,
    POINTS,
    RIGHT_ANKLE,
    RIGHT_EYE,
    RIGHT_HAND,
    RIGHT_HEEL,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    Pose,
)
from understudy.retargeting.augmentation import (
    BONES,
    GOES_WITH,
    HIPS_MIDDLE,
    STRETCHED,
    TORSO_PER_EXTENT,
    PoseNoise,
    augmented,
    damaged,
    dropped_joints,
)

HANGING = {
    "head": (NOSE, [RIGHT_EYE, LEFT_EAR, FACE.start, FACE.stop - 1]),
    "left hand": (LEFT_WRIST, list(range(LEFT_HAND.start, LEFT_HAND.stop))),
    "right hand": (RIGHT_WRIST, list(range(RIGHT_HAND.start, RIGHT_HAND.stop))),
    "left foot": (LEFT_ANKLE, [17, 18, LEFT_HEEL]),
    "right foot": (RIGHT_ANKLE, [20, 21, RIGHT_HEEL]),
}
TORSO = 50.0


def people(windows, frames, seed=0):
    """(B, N, 133, 2): points anywhere, with torsos of one length."""
    xy = torch.from_numpy(np.random.default_rng(seed).uniform(20, 200, (windows, frames, POINTS, 2))).float()
    xy[:, :, [LEFT_HIP, RIGHT_HIP]] = torch.tensor([[110.0, 120], [90, 120]])
    xy[:, :, [LEFT_SHOULDER, RIGHT_SHOULDER]] = torch.tensor([[120.0, 120 - TORSO], [80, 120 - TORSO]])
    return xy


def seen_in(xy):
    return torch.ones(xy.shape[:-1], dtype=torch.bool)


def rng(seed=0):
    return np.random.default_rng(seed)


def with_middles(xy):
    middles = [xy[..., pair, :].mean(-2, keepdim=True) for pair in ([5, 6], [11, 12])]
    return torch.cat([xy, *middles], -2)


def bones_of(xy):
    """(..., bones, 2)"""
    points = with_middles(xy)
    return torch.stack([points[..., outer, :] - points[..., inner, :] for _, inner, outer in BONES], -2)


def factors_of(before, after):
    """(B, N, bones) by what each bone was multiplied, after checking that it kept its direction."""
    old, new = bones_of(before.double()), bones_of(after.double())
    lengths = [torch.linalg.vector_norm(bones, dim=-1) for bones in (old, new)]
    assert torch.allclose(new / lengths[1][..., None], old / lengths[0][..., None], atol=1e-4)
    return lengths[1] / lengths[0]


def test_no_noise_changes_nothing():
    xy, seen = people(3, 4), seen_in(people(3, 4))
    moved, still_seen, kept = augmented(rng(), xy, seen, PoseNoise())
    assert torch.equal(moved, xy)
    assert torch.equal(still_seen, seen)
    assert kept.shape == (3, 4, len(PARTS))
    assert kept.all()
    assert not PoseNoise()


@pytest.mark.parametrize("noise", [PoseNoise(drop=0.1), PoseNoise(jitter=0.1), PoseNoise(stretch=0.1)])
def test_each_kind_changes_its_own_alone(noise):
    xy = people(3, 4)
    moved, still_seen, kept = augmented(rng(), xy, seen_in(xy), noise)
    assert noise
    assert still_seen.all()
    assert kept.all() == (noise.drop == 0)
    assert torch.equal(moved, xy) == (noise.drop > 0)


def test_draws_do_not_depend_on_how_much_of_the_others_there_is():
    xy = people(3, 4)
    stretched = augmented(rng(), xy, seen_in(xy), PoseNoise(stretch=0.3))[0]
    jittered = augmented(rng(), xy, seen_in(xy), PoseNoise(jitter=0.1))[0]
    everything, _, kept = augmented(rng(), xy, seen_in(xy), PoseNoise(0.2, 0.1, 0.3))
    assert torch.allclose(everything - stretched, jittered - xy, atol=1e-3)
    assert torch.equal(kept, augmented(rng(), xy, seen_in(xy), PoseNoise(drop=0.2))[2])


def test_the_same_generator_draws_the_same():
    xy, noise = people(3, 4), PoseNoise(0.2, 0.1, 0.3)
    first, again, other = (augmented(rng(seed), xy, seen_in(xy), noise) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[2], other[2])


def test_what_is_given_stays():
    xy = people(2, 2)
    before = xy.clone()
    augmented(rng(), xy, seen_in(xy), PoseNoise(0.2, 0.1, 0.3))
    assert torch.equal(xy, before)


# -- Stretching --------------------------------------------------------------------------------------------------


def test_bones_take_one_factor_a_window_and_keep_their_direction():
    xy = people(5, 4)
    moved = augmented(rng(), xy, seen_in(xy), PoseNoise(stretch=0.4))[0]
    factors = factors_of(xy, moved)
    assert torch.allclose(factors, factors[:, :1].expand_as(factors), atol=1e-4)
    drawn = np.exp(rng().uniform(-1, 1, (5, len(STRETCHED))) * np.log(1.4))
    expected = torch.from_numpy(drawn[:, [STRETCHED.index(name) for name, _, _ in BONES]])
    assert torch.allclose(factors[:, 0], expected, atol=1e-4)
    assert (factors[0, 0] - factors[1, 0]).abs().min() > 1e-3


def test_left_and_right_have_factors_of_their_own_but_for_shoulders_and_hips():
    assert len(STRETCHED) == 12
    pairs = [name for name in STRETCHED if name.startswith("left ")]
    assert {name.replace("left", "right") for name in pairs} <= set(STRETCHED)
    assert len(pairs) == 4
    assert [sum(name == both for name, _, _ in BONES) for both in ("shoulders", "hips")] == [2, 2]


def test_neck_and_middle_of_the_hips_stay_in_the_middle():
    xy = people(5, 4)
    moved = augmented(rng(), xy, seen_in(xy), PoseNoise(stretch=0.4))[0]
    before, after = with_middles(xy), with_middles(moved)
    assert torch.allclose(after[:, :, HIPS_MIDDLE], before[:, :, HIPS_MIDDLE], atol=1e-4)
    trunk = (after - before)[:, :, NECK]
    growth = factors_of(xy, moved)[:, :, 0, None] - 1
    assert torch.allclose(trunk, torch.tensor([0.0, -TORSO]) * growth.float(), atol=1e-3)


@pytest.mark.parametrize("noise", [PoseNoise(stretch=0.4), PoseNoise(jitter=0.1)], ids=["stretch", "jitter"])
@pytest.mark.parametrize("part", HANGING)
def test_hands_feet_and_head_go_along_rigidly(part, noise):
    joint, points = HANGING[part]
    xy = people(5, 4)
    moved = augmented(rng(), xy, seen_in(xy), noise)[0]
    shift = moved - xy
    assert shift[:, :, joint].abs().min() > 0
    assert torch.allclose(shift[:, :, points], shift[:, :, [joint]].expand(-1, -1, len(points), -1), atol=1e-4)


def test_every_point_goes_with_its_like_on_the_other_side():
    assert all(GOES_WITH[EXCHANGED[point]] == EXCHANGED[joint] for point, joint in enumerate(GOES_WITH))
    other = [*EXCHANGED, NECK, HIPS_MIDDLE]
    bones = {(inner, outer) for _, inner, outer in BONES}
    assert {(other[inner], other[outer]) for inner, outer in bones} == bones


def test_factors_are_even_in_their_logarithm():
    xy = people(4000, 1)
    moved = augmented(rng(), xy, seen_in(xy), PoseNoise(stretch=0.5))[0]
    powers = factors_of(xy, moved)[:, 0].log() / np.log(1.5)
    assert -1 - 1e-3 <= powers.min() < -0.99
    assert 0.99 < powers.max() <= 1 + 1e-3
    assert powers.mean(0).abs().max() < 0.05
    assert (powers.std(0) - 1 / np.sqrt(3)).abs().max() < 0.02


def test_a_bone_with_an_unseen_end_keeps_its_length_and_hands_on_the_rest():
    xy = people(3, 2)
    seen = seen_in(xy)
    seen[:, :, LEFT_ELBOW] = False
    xy[:, :, LEFT_ELBOW] = float("nan")
    moved = augmented(rng(), xy, seen, PoseNoise(stretch=0.4))[0]
    shift = moved - xy
    assert torch.isfinite(shift[seen]).all()
    assert torch.allclose(shift[:, :, LEFT_WRIST], shift[:, :, LEFT_SHOULDER], atol=1e-4)
    assert shift[:, :, LEFT_WRIST].abs().min() > 0
    seen[:, :, LEFT_HIP] = False
    trunk_unknown = augmented(rng(), xy, seen, PoseNoise(stretch=0.4))[0] - xy
    assert (trunk_unknown[:, :, RIGHT_HIP] == 0).all()
    assert (trunk_unknown[:, :, RIGHT_KNEE] != 0).any()


# -- Jitter ------------------------------------------------------------------------------------------------------


def test_errors_are_drawn_for_every_frame_and_joint_in_torso_lengths():
    xy = people(300, 5)
    errors = (augmented(rng(), xy, seen_in(xy), PoseNoise(jitter=0.1))[0] - xy)[:, :, [0, *range(5, 17)]]
    deviation = errors.std((0, 1))  # (13, 2)
    assert (deviation / (0.1 * TORSO) - 1).abs().max() < 0.08
    assert errors.mean((0, 1)).abs().max() < 0.5
    alike = torch.corrcoef(errors.permute(1, 2, 3, 0).flatten(0, 2)) - torch.eye(5 * 13 * 2)
    assert alike.abs().max() < 0.3


def test_errors_follow_the_size_of_the_person():
    xy = people(2, 2)
    small = augmented(rng(), xy, seen_in(xy), PoseNoise(jitter=0.1))[0] - xy
    large = augmented(rng(), xy * 3, seen_in(xy), PoseNoise(jitter=0.1))[0] - xy * 3
    assert torch.allclose(large, small * 3, atol=1e-3)


def test_a_window_is_measured_where_its_torso_is_longest_or_seen():
    """Somebody bows in the first frame of one window, and in the last of another; in a third he is seen but once."""
    bowing = people(1, 3).repeat(3, 1, 1, 1)
    seen = seen_in(bowing)
    hips = [LEFT_HIP, RIGHT_HIP]
    bowing[0, :2, hips, 1] = bowing[1, 1:, hips, 1] = 120 - TORSO / 2
    seen[2, [0, 2], LEFT_HIP] = False
    errors = augmented(rng(), bowing, seen, PoseNoise(jitter=0.1))[0] - bowing
    upright = people(1, 3).repeat(3, 1, 1, 1)
    expected = augmented(rng(), upright, seen_in(upright), PoseNoise(jitter=0.1))[0] - upright
    assert torch.allclose(errors, expected, atol=1e-3)


def test_without_hips_the_torso_is_guessed_from_what_is_seen():
    xy = people(1, 2)
    seen = torch.zeros(1, 2, POINTS, dtype=torch.bool)
    seen[:, :, [NOSE, LEFT_WRIST]] = True
    xy[0, :, NOSE], xy[0, :, LEFT_WRIST] = torch.tensor([50.0, 50.0]), torch.tensor([60.0, 150.0])
    xy[:, :, ~seen[0, 0]] = float("inf")
    error = (augmented(rng(), xy, seen, PoseNoise(jitter=0.1))[0] - xy)[0, :, NOSE]
    generator = rng()
    generator.uniform(size=(1, len(STRETCHED)))
    draws = torch.from_numpy(generator.standard_normal((1, 2, 17, 2))[0, :, NOSE]).float()
    assert torch.allclose(error, draws * 0.1 * TORSO_PER_EXTENT * 100, atol=1e-3)


def test_nobody_stays_nobody():
    xy, nobody = people(2, 2), torch.zeros(2, 2, POINTS, dtype=torch.bool)
    moved, seen, _ = augmented(rng(), xy, nobody, PoseNoise(0.5, 0.1, 0.3))
    assert torch.equal(moved, xy)
    assert not seen.any()


# -- Dropped parts -----------------------------------------------------------------------------------------------


def test_parts_are_dropped_for_every_frame_anew():
    xy = people(400, 5)
    kept = augmented(rng(), xy, seen_in(xy), PoseNoise(drop=0.2))[2].float()
    assert (kept.mean((0, 1)) - 0.8).abs().max() < 0.04
    alike = torch.corrcoef(kept.permute(1, 2, 0).flatten(0, 1)) - torch.eye(5 * len(PARTS))
    assert alike.abs().max() < 0.25


def test_everything_can_be_dropped():
    xy = people(2, 2)
    kept = augmented(rng(), xy, seen_in(xy), PoseNoise(drop=1))[2]
    assert not kept.any()
    left = dropped_joints(seen_in(xy), kept)[0, 0]
    assert torch.nonzero(left).flatten().tolist() == list(range(FACE.start, FACE.stop))


@pytest.mark.parametrize(
    ("part", "hidden"),
    [
        ("left elbow to left wrist", {LEFT_WRIST}),
        ("neck to right shoulder", {RIGHT_SHOULDER}),
        ("neck to right hip", {RIGHT_HIP}),
        ("neck to nose", {NOSE}),
        ("left eye to left ear", {LEFT_EAR}),
        ("right foot", {20, 21, RIGHT_HEEL}),
        ("left hand", set(range(LEFT_HAND.start, LEFT_HAND.stop))),
    ],
)
def test_a_dropped_part_hides_its_outer_joints(part, hidden):
    kept = torch.ones(2, 3, len(PARTS), dtype=torch.bool)
    seen = torch.ones(2, 3, POINTS, dtype=torch.bool)
    seen[0, 1, RIGHT_KNEE] = False
    assert torch.equal(dropped_joints(seen, kept), seen)
    kept[0, 1, PART_NAMES.index(part)] = False
    left = dropped_joints(seen, kept)
    assert set(torch.nonzero(~left[0, 1]).flatten().tolist()) == hidden | {RIGHT_KNEE}
    left[0, 1] = True
    assert left.all()


# -- For conditions made from joints ------------------------------------------------------------------------------


@pytest.mark.parametrize("joints", [POINTS, 18])
def test_nothing_is_drawn_when_nothing_changes(joints):
    generator = rng()
    xy, seen = people(2, 2)[:, :, :joints], seen_in(people(2, 2)[:, :, :joints])
    same = damaged(generator, xy, seen, PoseNoise())
    assert same[0] is xy
    assert same[1] is seen
    assert generator.random() == rng().random()


def test_all_points_are_damaged_and_dropped_limbs_hidden():
    xy, noise = people(4, 3), PoseNoise(0.2, 0.05, 0.3)
    moved, still_seen, kept = augmented(rng(), xy, seen_in(xy), noise)
    damaged_xy, left = damaged(rng(), xy, seen_in(xy), noise)
    assert torch.equal(damaged_xy, moved)
    assert torch.equal(left, dropped_joints(still_seen, kept))
    assert not left.all()


def test_openpose_joints_are_damaged_as_the_points_they_are():
    xy, noise = people(4, 3), PoseNoise(0.1, 0.05, 0.3)
    seen = torch.from_numpy(rng(5).random(xy.shape[:3]) > 0.1)

    def openpose18(xy, seen):
        pose = Pose(xy.flatten(0, 1).numpy(), seen.flatten(0, 1).float().numpy(), (1, 1))
        joints, confidence = (torch.from_numpy(values) for values in pose.openpose18())
        return joints.view(*xy.shape[:2], 18, 2), confidence.view(*xy.shape[:2], 18) > 0

    expected_xy, expected_seen = openpose18(*damaged(rng(), xy, seen, noise))
    got_xy, got_seen = damaged(rng(), *openpose18(xy, seen), noise)
    assert torch.equal(got_seen, expected_seen)
    assert not got_seen.all()
    assert torch.allclose(got_xy[got_seen], expected_xy[got_seen], atol=1e-3)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"drop": 1.5}, "pose drop is a probability between 0 and 1, not 1.5"),
        ({"drop": -0.1}, "pose drop is a probability between 0 and 1, not -0.1"),
        ({"jitter": -1.0}, "pose jitter and stretch must be at least 0, not -1.0 and 0.0"),
        ({"stretch": float("inf")}, "pose jitter and stretch must be at least 0, not 0.0 and inf"),
        ({"stretch": float("nan")}, "pose jitter and stretch must be at least 0, not 0.0 and nan"),
    ],
    ids=str,
)
def test_impossible_noise_is_refused(numbers, message):
    with pytest.raises(ValueError, match=message):
        PoseNoise(**numbers)
