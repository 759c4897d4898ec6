"""Limb maps against a drawing by OpenCV, and what no drawing shows: parts left out, sizes, chunks, windows."""

import cv2
import numpy as np
import pytest
import torch

from understudy.conditioning import limb_maps as module
from understudy.conditioning.limb_maps import THICKNESS, limb_maps
from understudy.poses.pose import (
    BODY_LIMBS,
    EXCHANGED,
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_HAND,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NECK,
    NOSE,
    OPENPOSE18_LIMBS,
    OPENPOSE18_NAMES,
    PART_NAMES,
    PARTS,
    POINTS,
    RIGHT_ANKLE,
    RIGHT_HAND,
    RIGHT_SHOULDER,
    Pose,
)
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import landmark_paths
from understudy.synthetic.scene import make_scene

FINE = 20  # the reference drawing is this many times as large, then averaged
FOREARM = PARTS.index(((LEFT_ELBOW, LEFT_WRIST),))


@pytest.fixture(scope="module")
def dance():
    """(T, 133, 2) in a picture of 100 x 100 pixels, edges 0 and 100."""
    xy = landmark_paths(make_person(3), choreography(5, 4, 2), make_scene(2, (200, 200)))
    return torch.from_numpy(np.asarray(xy, np.float32) + 0.5) / 2


def placed(dance, size_hw):
    height, width = size_hw
    side = min(height, width)
    return dance * (side / 100) + torch.tensor([(width - side) / 2, (height - side) / 2]) - 0.5


def everything(count):
    return torch.ones(count, POINTS, dtype=torch.bool)


def only(points, count=1):
    seen = torch.zeros(count, POINTS, dtype=torch.bool)
    seen[:, list(points)] = True
    return seen


def forearm(start, end, size_hw=(20, 30), thickness=2.0):
    """The map `(H, W)` of one forearm."""
    xy = torch.zeros(1, POINTS, 2)
    xy[0, [LEFT_ELBOW, LEFT_WRIST]] = torch.tensor([start, end])
    maps = limb_maps(xy, only([LEFT_ELBOW, LEFT_WRIST]), size_hw, thickness)[0]
    others = torch.arange(len(PARTS)) != FOREARM
    assert (maps[others] == 0).all()
    return maps[FOREARM]


def drawn_by_opencv(xy, size_hw, thickness):
    """One person's maps `(P, H, W)`: each part drawn large by OpenCV, and averaged."""
    height, width = size_hw
    xy = np.concatenate([xy, xy[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(0, keepdims=True)])
    maps = []
    for part, share in zip(PARTS, THICKNESS, strict=True):
        large = np.zeros((height * FINE, width * FINE), np.uint8)
        for line in part:
            ends = [tuple(int(v) for v in np.rint(((xy[end] + 0.5) * FINE - 0.5) * 16)) for end in line]
            cv2.line(large, *ends, 255, round(thickness * share * FINE), cv2.LINE_AA, shift=4)
        maps.append(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA) / 255)
    return np.stack(maps)


def test_parts_are_limbs_feet_and_hands_each_with_a_name():
    assert len(PARTS) == len(PART_NAMES) == len(THICKNESS) == 21
    assert PARTS[:17] == tuple((limb,) for limb in BODY_LIMBS)
    assert PARTS[PART_NAMES.index("neck to nose")] == ((NECK, NOSE),)
    assert PARTS[PART_NAMES.index("left elbow to left wrist")] == ((LEFT_ELBOW, LEFT_WRIST),)
    for side, ankle, hand in (("right", RIGHT_ANKLE, RIGHT_HAND), ("left", LEFT_ANKLE, LEFT_HAND)):
        foot = PARTS[PART_NAMES.index(f"{side} foot")]
        assert foot[0][0] == ankle
        assert len(foot) == 3
        points = {point for line in PARTS[PART_NAMES.index(f"{side} hand")] for point in line}
        assert points == set(range(hand.start, hand.stop))


def test_body_limbs_are_those_of_openpose():
    numbered = np.zeros((1, POINTS, 2), np.float32)
    numbered[0, :, 0] = np.arange(POINTS)
    joints = Pose(numbered, np.ones((1, POINTS), np.float32), (1, 1)).openpose18()[0][0, :, 0]
    neck = OPENPOSE18_NAMES.index("neck")
    for (inner, outer), (first, last) in zip(BODY_LIMBS, OPENPOSE18_LIMBS, strict=True):
        assert inner == (NECK if first == neck else joints[first])
        assert outer == joints[last]


def test_every_part_has_its_like_on_the_other_side():
    other = (*EXCHANGED, NECK)
    sets = {frozenset(part) for part in PARTS}
    assert {frozenset((other[a], other[b]) for a, b in part) for part in PARTS} == sets


@pytest.mark.parametrize(
    ("size_hw", "thickness"),
    [((64, 64), 2.0), ((80, 48), 3.0), ((48, 80), 1.0), ((100, 100), 6.0)],
    ids=["square", "upright", "lying", "thick"],
)
def test_parts_are_as_opencv_draws_them(dance, size_hw, thickness):
    xy = placed(dance[:2], size_hw)
    maps = limb_maps(xy, everything(2), size_hw, thickness)
    assert maps.shape == (2, 21, *size_hw)
    assert maps.min() >= 0
    assert maps.max() <= 1 + 1e-6
    for mine, pose in zip(maps.numpy(), xy.numpy(), strict=True):
        expected = drawn_by_opencv(pose, size_hw, thickness)
        assert np.abs(mine - expected).mean() < 0.001
        # Fingers that share a pixel cover more of it than the most that any of them does, so hands come out fainter
        areas = np.stack([mine[:19].sum((1, 2)), expected[:19].sum((1, 2))])
        assert np.abs(areas[0] - areas[1]).max() < 0.06 * areas[1].max()


def test_values_by_hand():
    across = forearm((5.0, 10.0), (15.0, 10.0), thickness=2.0)
    assert torch.allclose(across[8:13, 10], torch.tensor([0, 0.5, 1, 0.5, 0]))
    downwards = forearm((10.0, 5.0), (10.0, 15.0), thickness=3.0)
    assert torch.allclose(downwards[10, 7:14], torch.tensor([0.0, 0, 1, 1, 1, 0, 0]))
    thin = forearm((5.0, 10.0), (15.0, 10.0), thickness=0.25)
    assert torch.allclose(thin[9:12, 10], torch.tensor([0, 0.25, 0]))
    between = forearm((5.0, 10.5), (15.0, 10.5), thickness=1.0)
    assert torch.allclose(between[9:13, 10], torch.tensor([0, 0.5, 0.5, 0]))


def test_lines_of_a_part_join_without_adding_up():
    xy = torch.full((1, POINTS, 2), 10.0)
    hand = PARTS[PART_NAMES.index("left hand")]
    xy[0, [point for _, point in hand], 0] = torch.arange(20) + 2.0
    maps = limb_maps(xy, everything(1), (20, 30), 2.0)[0, PART_NAMES.index("left hand")]
    assert torch.allclose(maps[10, 2:22], torch.ones(20))


@pytest.mark.parametrize(
    ("unseen", "gone"),
    [
        pytest.param(LEFT_WRIST, ["left elbow to left wrist"], id="an end"),
        pytest.param(LEFT_ELBOW, ["left shoulder to left elbow", "left elbow to left wrist"], id="a joint"),
        pytest.param(
            RIGHT_SHOULDER,
            ["right shoulder to right elbow", *(name for name in PART_NAMES if name.startswith("neck"))],
            id="a shoulder, and with it the neck",
        ),
        pytest.param(slice(RIGHT_HAND.start, RIGHT_HAND.stop), ["right hand"], id="a hand"),
    ],
)
def test_a_part_without_its_joints_is_empty(dance, unseen, gone):
    seen = everything(1)
    whole = limb_maps(placed(dance[:1], (64, 64)), seen, (64, 64), 2.0)[0]
    seen[:, unseen] = False
    maps = limb_maps(placed(dance[:1], (64, 64)), seen, (64, 64), 2.0)[0]
    for name, before, now in zip(PART_NAMES, whole, maps, strict=True):
        assert torch.equal(now, torch.zeros_like(now) if name in gone else before), name


def test_parts_that_are_not_kept_are_empty(dance):
    xy, seen = placed(dance, (64, 48)), everything(len(dance))
    whole = limb_maps(xy, seen, (64, 48), 2.0)
    kept = torch.from_numpy(np.random.default_rng(0).random(whole.shape[:2]) > 0.3)
    assert torch.equal(limb_maps(xy, seen, (64, 48), 2.0, kept=kept), whole * kept[..., None, None])
    assert torch.equal(limb_maps(xy, seen, (64, 48), 2.0, kept=torch.ones_like(kept)), whole)


@pytest.mark.parametrize("meaningless", [0.0, -1e9, float("nan"), float("inf")])
def test_where_an_unseen_point_is_does_not_matter(dance, meaningless):
    xy, seen = placed(dance[:1], (64, 64)), everything(1)
    seen[:, [LEFT_WRIST, NOSE, LEFT_SHOULDER]] = False
    expected = limb_maps(xy, seen, (64, 64), 2.0)
    elsewhere = torch.where(seen[..., None], xy, meaningless)
    assert torch.equal(limb_maps(elsewhere, seen, (64, 64), 2.0), expected)


def test_parts_outside_the_picture_are_cut_at_its_edge():
    inside = forearm((10.0, 10.0), (40.0, 10.0), thickness=3.0)
    assert torch.allclose(inside[10, 10:], torch.ones(20))
    assert (inside[:, :8] == 0).all()
    assert (forearm((-50.0, -50.0), (-50.0, 60.0)) == 0).all()
    assert (forearm((-5e6, 3e6), (-4e6, 4e6)) == 0).all()
    far = forearm((-1e6, 10.0), (1e6, 10.0), thickness=3.0)
    assert torch.allclose(far[10], torch.ones(30))
    nobody = limb_maps(torch.rand(2, POINTS, 2) * 1e7 - 5e6, everything(2), (32, 16), 4.0)
    assert nobody.shape == (2, 21, 32, 16)


def test_a_batch_equals_its_pictures_one_by_one_and_in_chunks(dance, monkeypatch):
    xy = placed(dance, (64, 48))
    seen = torch.from_numpy(np.random.default_rng(0).random((len(xy), POINTS)) > 0.2)
    together = limb_maps(xy, seen, (64, 48), 2.0)
    for i in range(len(xy)):
        assert torch.allclose(limb_maps(xy[i : i + 1], seen[i : i + 1], (64, 48), 2.0)[0], together[i], atol=1e-6)
    pixels = []
    bands = module.bands

    def noted(*given):
        result = bands(*given)
        pixels.append(len(result[0]))
        return result

    monkeypatch.setattr(module, "bands", noted)
    bound = 3 * 63 * 64 * 7
    monkeypatch.setattr(module, "MOST_PIXELS", bound)
    assert torch.allclose(limb_maps(xy, seen, (64, 48), 2.0), together, atol=1e-6)
    assert len(pixels) == -(-len(xy) // 3)
    assert max(pixels) <= bound


def test_other_kinds_of_numbers(dance):
    xy, seen = placed(dance[:2], (64, 64)), everything(2)
    maps = limb_maps(xy, seen, (64, 64), 2.0)
    assert maps.dtype == torch.float32
    assert maps.is_contiguous()
    assert torch.equal(limb_maps(xy.double(), seen, (64, 64), 2.0), maps)


def test_nothing_to_draw():
    none = limb_maps(torch.zeros(0, POINTS, 2), everything(0), (8, 12), 2.0)
    assert none.shape == (0, 21, 8, 12)
    assert (limb_maps(torch.rand(2, POINTS, 2), ~everything(2), (8, 12), 2.0) == 0).all()


def test_no_gradient_is_recorded():
    xy = (torch.rand(1, POINTS, 2) * 20).requires_grad_()
    assert not limb_maps(xy, everything(1), (20, 20), 2.0).requires_grad


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"need \(B, 133, 2\) and \(B, 133\), not \(1, 18, 2\) and \(1, 18\)"):
        limb_maps(torch.zeros(1, 18, 2), torch.ones(1, 18, dtype=torch.bool), (8, 8), 1.0)
