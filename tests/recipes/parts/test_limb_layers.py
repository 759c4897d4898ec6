"""Cutting a person apart: what one group takes of another, and how far each part reaches."""

import cv2
import numpy as np
import pytest

from tiny import STANDING
from understudy.conditioning.limb_warps import (
    GROUPS,
    NECK,
    PARTS,
    PELVIS,
    TRUNK,
    picture_grid,
    trunk_beyond,
    with_made_up_points,
)
from understudy.poses.pose import Pose
from understudy.recipes.parts import limb_layers
from understudy.recipes.parts.limb_colours import LimbColours

SIZE = 64


def points_of(xy):
    pose = Pose.from_openpose18((xy[None] * SIZE).astype(np.float32), np.ones((1, 18), np.float32), (SIZE, SIZE))
    return with_made_up_points(pose.xy, pose.confidence)[0][0]


def test_a_group_grows_where_the_person_goes_on_and_not_across_a_gap():
    matte = np.zeros((20, 20), np.float32)
    matte[:, 2:8] = matte[:, 10:16] = 1  # two legs
    matte[:3] = 1  # which meet above
    own = np.zeros_like(matte)
    own[:, 2:8] = 1
    grown = limb_layers.grown(own, matte, 4)
    assert grown[10, 2:8].all() and not grown[10, 10:].any()
    assert grown[1, 8:12].all() and not grown[1, 14:].any()


def test_from_the_side_the_trunk_is_as_thick_as_it_is_deep():
    narrow = STANDING.copy()
    narrow[[2, 5, 8, 11], 0] = narrow[1, 0]
    thickness = np.full(12, 4, np.float32)
    for points in (points_of(STANDING), points_of(narrow)):
        shown = limb_layers.seen_from_there(points, thickness)
        assert shown[TRUNK] == pytest.approx(4 + trunk_beyond(points)) and (shown[1:] == 4).all()
    side = points_of(narrow)
    belly = side[[NECK, PELVIS]].mean(axis=0)
    belly[0] += 4 + trunk_beyond(side)
    near = limb_layers.nearness(side, thickness, np.asarray(belly, np.float32)[None, None])
    assert near[TRUNK, 0, 0] == pytest.approx(1, abs=0.01)


def test_the_thickness_that_is_learnt_is_of_a_flat_trunk():
    """The same trunk, from the front and from the side, says the same of itself."""
    narrow = STANDING.copy()
    narrow[[2, 5, 8, 11], 0] = narrow[1, 0]
    found = []
    for xy in (STANDING, narrow):
        points = points_of(xy)
        wide = limb_layers.nearness(points, np.full(12, 3, np.float32), picture_grid(SIZE, 1))[TRUNK] <= 1
        picture = np.zeros((SIZE, SIZE, 4), np.uint8)
        picture[wide] = 255
        found.append(limb_layers.thicknesses([(picture, points)], SIZE)[TRUNK])
    assert found == pytest.approx([3, 3], abs=1.2)


def layer_of(layers, name):
    return next(layer for layer in layers if layer.parts == GROUPS[name])


def test_from_the_side_the_belly_is_the_trunks_and_not_the_arms_before_it():
    """In thicknesses as seen from the side its middle line is nearer than an arm that hangs before it."""
    xy = STANDING.copy()
    xy[[2, 5, 8, 11], 0] = 0.5  # shoulders and hips
    xy[[3, 6, 4, 7], 0] = 0.69  # elbows and wrists, of arms that hang
    points = points_of(xy)
    thickness = np.full(12, 3, np.float32)
    belly = round(0.5 * SIZE + 3 + 0.9 * trunk_beyond(points)), round(0.45 * SIZE)
    picture = np.full((SIZE, SIZE, 4), 255, np.uint8)
    layers = limb_layers.cut(picture, points, np.ones(12, np.bool_), thickness)
    assert layer_of(layers, "trunk").filmed[belly[1], belly[0]] > 200
    for arm in ("right arm", "left arm"):
        assert layer_of(layers, arm).filmed[belly[1], belly[0]] < 50


def test_no_edge_of_the_other_leg_is_left_across_the_light_between_them():
    size, thickness = 2 * SIZE, np.full(12, 18, np.float32)
    apart = STANDING.copy()
    apart[[8, 9, 10], 0], apart[[11, 12, 13], 0] = 0.5 - 20 / size, 0.5 + 20 / size
    points = 2 * points_of(apart)
    picture = np.full((size, size, 4), 255, np.uint8)
    middle, shin = size // 2, round(0.8 * size)
    picture[round(0.57 * size) :, middle - 2 : middle + 2, 3] = 0  # light
    seen = ~np.isin(np.arange(12), (8, 11))  # the figure has no feet
    layers = limb_layers.cut(picture, points, seen, thickness)
    behind = layers[0]  # the legs are cut first, the one behind the other before it
    across = middle + 2 if behind.parts == GROUPS["right leg"] else middle - 3
    own = middle - 6 if behind.parts == GROUPS["right leg"] else middle + 6
    assert behind.parts in (GROUPS["right leg"], GROUPS["left leg"])
    assert behind.picture[shin, own, 3] > 200 and behind.picture[shin, across, 3] < 50


SHIRT, SKIN = (40, 60, 200), (210, 160, 130)
ARM_BEFORE = STANDING.copy()
ARM_BEFORE[3], ARM_BEFORE[4] = (0.38, 0.42), (0.56, 0.42)  # the right forearm crosses the belly, level

ARM_BESIDE = STANDING.copy()
ARM_BESIDE[3], ARM_BESIDE[4] = (0.2, 0.3), (0.05, 0.3)


def crossed(colour_of_arm, wide=5.0, pose=ARM_BEFORE):
    """(picture, points, thickness) of a shirt with a forearm before it that is wider than its usual thickness."""
    size = 2 * SIZE
    points, thickness = 2 * points_of(pose), np.full(12, 4, np.float32)
    picture = np.zeros((size, size, 4), np.uint8)
    inside = cv2.convexHull(points[[2 + 3, 5 + 1, 11, 12]].astype(np.int32))
    cv2.fillConvexPoly(picture, inside, (*SHIRT, 255))
    for part in (2, 3):
        for start, end in PARTS[part].segments:
            ends = [tuple(int(v) for v in points[k]) for k in (start, end)]
            cv2.line(picture, *ends, (*colour_of_arm, 255), int(2 * wide))
    return picture, points, thickness


def cut_by_colours(colour_of_arm, wide=5.0, picture=None):
    """Layers by their parts, with the colours known from another frame, where the arm hangs beside; and without."""
    beside, joints, thickness = crossed(colour_of_arm, pose=ARM_BESIDE)
    colours = LimbColours(3 * [(beside, limb_layers.nearness(joints, thickness, picture_grid(2 * SIZE, 1)))])
    assert colours.known[[*GROUPS["right arm"], TRUNK]].all()
    shown, points, _ = crossed(colour_of_arm, wide)
    picture = shown if picture is None else picture
    seen = ~np.isin(np.arange(12), (8, 11))
    return [
        {layer.parts: layer for layer in limb_layers.cut(picture, points, seen, thickness, None, one)}
        for one in (colours, None)
    ]


def test_an_arm_takes_all_of_its_colour_along_and_nothing_of_the_shirts():
    with_, without = cut_by_colours(SKIN, wide=6.0)
    arm, trunk = GROUPS["right arm"], GROUPS["trunk"]

    def rest_of_skin(layers):
        """Skin that stays on the trunk as filmed."""
        layer = layers[trunk]
        bare = (np.abs(layer.picture[..., :3].astype(int) - SKIN).max(axis=-1) < 60) & (layer.picture[..., 3] > 127)
        return int(bare[45:62, 50:75].sum())

    assert rest_of_skin(without) > 60 and rest_of_skin(with_) < rest_of_skin(without) / 10
    middle = with_[arm].picture[54, 62]
    assert middle[3] > 200 and np.abs(middle[:3].astype(int) - SKIN).max() < 40
    shirt_taken = (with_[arm].picture[..., 2] > 150) & (with_[arm].picture[..., 0] < 90)
    assert shirt_taken.sum() < 20


def test_behind_an_arm_the_trunk_is_whole():
    with_, _ = cut_by_colours(SKIN)
    trunk = with_[GROUPS["trunk"]]
    assert (trunk.picture[48:60, 56:70, 3] > 200).all()
    skin = np.abs(trunk.picture[..., :3].astype(int) - SKIN).max(axis=-1) < 90
    assert not (skin & (trunk.picture[..., 3] > 127))[44:64, 56:70].any()  # nor its edge, where colours are mixed
    assert np.abs(trunk.picture[54, 62, :3].astype(int) - SHIRT).max() < 40 and trunk.filmed[54, 62] < 60


def test_a_sleeve_of_the_shirts_colour_is_cut_by_distance_alone():
    with_, without = cut_by_colours(SHIRT)
    arm = GROUPS["right arm"]
    apart = np.abs(with_[arm].filmed.astype(int) - without[arm].filmed)
    assert apart.mean() < 3


def test_the_trunk_lies_between_shoulders_and_hips_if_it_is_seen():
    points, seen = points_of(STANDING), np.ones(12, np.bool_)
    inside = limb_layers.trunk_outline(points, seen, (SIZE, SIZE))
    middle = points[[NECK, PELVIS]].mean(axis=0).astype(int)
    assert inside[middle[1], middle[0]] == 1 and inside[2, 2] == 0 and 0.02 < inside.mean() < 0.2
    seen[TRUNK] = False
    assert not limb_layers.trunk_outline(points, seen, (SIZE, SIZE)).any()


@pytest.mark.parametrize("before", [True, False])
def test_colours_say_whether_an_arm_is_before_the_trunk_or_behind_it(before):
    """Hands behind the back, seen from the front: where the forearm should be, there is shirt."""
    picture, points, _ = crossed(SKIN)
    if not before:
        beneath = np.zeros((2 * SIZE, 2 * SIZE, 4), np.uint8)
        cv2.fillConvexPoly(beneath, cv2.convexHull(points[[5, 6, 11, 12]].astype(np.int32)), (*SHIRT, 255))
        picture = np.where(beneath[..., 3:] > 0, beneath, picture)
    with_, without = cut_by_colours(SKIN, picture=picture)
    arm, trunk = GROUPS["right arm"], GROUPS["trunk"]
    assert (list(with_).index(arm) > list(with_).index(trunk)) == before
    assert list(without).index(arm) > list(without).index(trunk)
    if not before:  # all of it is the trunk's
        assert with_[trunk].filmed[51:58, 57:70].min() > 200
    owner = with_[arm if before else trunk]
    assert np.abs(with_[arm].picture[54, 62, :3].astype(int) - SKIN).max() < 40  # made up if it is behind
    assert owner.filmed[54, 62] > 200 and (with_[trunk if before else arm].filmed[54, 62] < 60)


def test_what_is_no_crossing_or_says_little_changes_no_order():
    order = ["left leg", "right leg", "trunk", "right arm", "left arm"]
    likely = {"trunk": np.zeros((9, 9), np.float32), "right arm": np.full((9, 9), 2, np.float32)}
    everywhere, nowhere = np.ones((9, 9), np.bool_), np.zeros((9, 9), np.bool_)
    told = limb_layers.shown_before_trunk
    assert told(likely, "right arm", everywhere, 256) is True and told({}, "right arm", everywhere, 256) is None
    assert told(likely, "right arm", nowhere, 256) is None
    assert told({**likely, "right arm": np.full((9, 9), -2, np.float32)}, "right arm", everywhere, 256) is False
    assert told({**likely, "right arm": np.full((9, 9), 0.5, np.float32)}, "right arm", everywhere, 256) is None
    assert told({**likely, "right arm": np.full((9, 9), np.nan, np.float32)}, "right arm", everywhere, 256) is None
    few = np.zeros((9, 9), np.bool_)
    few[:3, :4] = True  # twelve pixels: of a small picture many, of a large one none to speak of
    assert told(likely, "right arm", few, 128) is True and told(likely, "right arm", few, 256) is None
    for same in (None, True):
        assert limb_layers.moved(order, "right arm", same) == order
    assert limb_layers.moved(order, "right arm", False) == ["left leg", "right leg", "right arm", "trunk", "left arm"]
    behind = ["right arm", "left arm", "left leg", "right leg", "trunk"]
    assert limb_layers.moved(behind, "left arm", True) == ["right arm", "left leg", "right leg", "trunk", "left arm"]
    assert limb_layers.moved(behind, "left arm", False) == behind


def test_trousers_at_the_pelvis_stay_with_it():
    """They have the legs' colour, and a leg that is raised would leave a hole."""
    with_, without = pelvis_by_colours(shirt=SHIRT, trousers=(20, 20, 25))
    below = with_[GROUPS["trunk"]].filmed.astype(int) - without[GROUPS["trunk"]].filmed
    assert below.min() > -25  # the trunk loses nothing to the legs


def test_a_shirt_that_hangs_over_the_thighs_is_the_trunks():
    with_, without = pelvis_by_colours(shirt=SHIRT, trousers=(20, 20, 25), hem=0.62)
    more = with_[GROUPS["trunk"]].filmed.astype(int) - without[GROUPS["trunk"]].filmed
    assert (more > 60).sum() > 30


def pelvis_by_colours(shirt, trousers, hem=0.55):
    """Layers with colours and without of somebody who stands with legs apart."""
    size = 2 * SIZE
    wide = STANDING.copy()
    wide[[8, 11], 0], wide[[9, 10], 0], wide[[12, 13], 0] = (0.42, 0.58), 0.34, 0.66
    points, thickness = 2 * points_of(wide), np.full(12, 6, np.float32)
    picture = np.zeros((size, size, 4), np.uint8)
    seen = ~np.isin(np.arange(12), (8, 11))
    near = limb_layers.nearness(points, thickness, picture_grid(size, 1))
    near[~seen] = 1e3
    picture[near[[0, 6, 7, 9, 10]].min(axis=0) < 1.3] = (*trousers, 255)
    upper = np.arange(size)[:, None] < hem * size
    picture[upper & (picture[..., 3] > 0), :3] = shirt
    colours = LimbColours(3 * [(picture, near)])
    assert colours.known[[0, 6, 7, 9, 10]].all()
    return [
        {layer.parts: layer for layer in limb_layers.cut(picture, points, seen, thickness, None, one)}
        for one in (colours, None)
    ]


def test_an_arm_that_is_hidden_whole_has_the_colours_that_it_has_elsewhere():
    picture, points, _ = crossed(SKIN)
    picture[:] = 0
    cv2.fillConvexPoly(picture, cv2.convexHull(points[[5, 6, 11, 12]].astype(np.int32)), (*SHIRT, 255))
    with_, without = cut_by_colours(SKIN, picture=picture)
    arm, trunk = GROUPS["right arm"], GROUPS["trunk"]
    assert list(with_).index(arm) < list(with_).index(trunk)
    hidden = with_[arm].picture[54, 62]
    assert np.abs(hidden[:3].astype(int) - SKIN).max() < 40 and hidden[3] > 200 and with_[arm].filmed[54, 62] < 60
    assert np.abs(without[arm].picture[54, 62, :3].astype(int) - SHIRT).max() < 40


def test_a_trunk_whose_lines_lie_far_apart_is_whole_too():
    picture, points, thickness = crossed(SKIN)
    thickness[TRUNK] = 1
    seen = ~np.isin(np.arange(12), (8, 11))
    layers = limb_layers.cut(picture, points, seen, thickness)
    assert (layer_of(layers, "trunk").picture[48:60, 58:68, 3] > 200).all()


def test_where_colours_are_mixed_with_an_arms_the_trunk_is_made_up(monkeypatch):
    picture, *_ = crossed(SKIN)
    picture[..., :3] = cv2.GaussianBlur(picture[..., :3], (0, 0), 1.2)

    def of_skin():
        """How far the shirt's colours are off beside the forearm, which ends at 58."""
        layers, _ = cut_by_colours(SKIN, picture=picture)
        return np.abs(layers[GROUPS["trunk"]].picture[58:62, 58:68, :3].astype(int) - SHIRT).sum()

    with_rim = of_skin()
    monkeypatch.setattr(limb_layers, "RIM", 0)
    assert with_rim < 0.8 * of_skin()
