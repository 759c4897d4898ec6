"""The wardrobe: what it says of what was filmed."""

import numpy as np
import pytest

from tiny import STANDING
from understudy.conditioning.limb_warps import distances_to_parts, picture_grid, with_made_up_points
from understudy.poses.pose import LEFT_HIP, LEFT_WRIST, RIGHT_WRIST, Pose
from understudy.recipes import limb_warp
from understudy.recipes.parts.limb_colours import LimbColours
from understudy.recipes.parts.wardrobe import COLOURS_SEEN_AT, Wardrobe, _LookedUp

SIZE = 64
CONFIG = limb_warp.Config(size=SIZE)


def standing(shift=0.0):
    """The standing figure, moved to the right by a share of the picture."""
    xy = (STANDING + np.array([shift, 0]))[None] * SIZE
    return Pose.from_openpose18(xy.astype(np.float32), np.ones((1, 18), np.float32), (SIZE, SIZE))


def dressed(kept):
    """The figure in the middle, in a frame that is opaque everywhere: where it was filmed, and the wanted points."""
    wardrobe = Wardrobe(CONFIG, kept, {0: np.full((SIZE, SIZE, 4), 255, np.uint8)})
    wanted = standing()
    points, seen = with_made_up_points(wanted.xy, wanted.confidence)
    _, filmed, _ = wardrobe.dressed(0, wardrobe.wanted(points[0], seen[0]))
    return filmed, points[0]


def at(filmed, points, joint):
    x, y = points[joint].round().astype(int)
    return float(filmed[y, x])


def test_a_hand_that_the_pictures_edge_cut_off_was_not_filmed_and_the_other_one_was():
    filmed, points = dressed(standing(shift=-0.4))
    assert at(filmed, points, RIGHT_WRIST) < 0.3
    assert at(filmed, points, LEFT_WRIST) > 0.8


def test_a_figure_that_is_whole_in_the_picture_was_filmed_whole():
    filmed, points = dressed(standing())
    assert at(filmed, points, RIGHT_WRIST) > 0.8 and at(filmed, points, LEFT_WRIST) > 0.8


def test_it_says_which_pixel_of_the_frame_every_place_shows():
    """Of the same pose moved by 8 pixels the one 8 pixels away, and none where nobody is."""
    kept = standing(shift=8 / SIZE)
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    picture[4:-4, 16:-4] = 255
    wardrobe = Wardrobe(CONFIG, kept, {0: picture})
    wanted = standing()
    points, seen = with_made_up_points(wanted.xy, wanted.confidence)
    places = wardrobe.dressed(0, wardrobe.wanted(points[0], seen[0]), places=True).places
    assert places.shape == (SIZE, SIZE, 2)
    for joint in (RIGHT_WRIST, LEFT_WRIST, LEFT_HIP):
        x, y = points[0][joint].round().astype(int)
        np.testing.assert_allclose(places[y, x], (x + 8, y), atol=0.3)
    assert np.isnan(places[-2:, -2:]).all()
    assert wardrobe.dressed(0, wardrobe.wanted(points[0], seen[0])).places is None


def test_a_layers_rim_covers_nothing_that_another_layer_shows():
    looked_up, all_of_it = _LookedUp(16), (slice(0, 16), slice(0, 16))
    left = np.zeros((16, 16), bool)
    left[:, :8] = True
    for number, own in enumerate((left, ~left)):
        looked_up.put(all_of_it, np.full((16, 16, 2), number, np.float32), own)
    np.testing.assert_array_equal(looked_up.places, np.stack([~left, ~left], axis=-1))


def coloured(size, tall):
    """(kept, pictures) of three frames of somebody so tall, above blue and below red, beyond whom nothing is seen."""
    xy = (0.5 * size + (STANDING - 0.5) * tall)[None].repeat(3, axis=0)
    xy[:, 10], xy[:, 13] = xy[:, 9] + (-0.1 * tall, 0.2 * tall), xy[:, 12] + (0.1 * tall, 0.2 * tall)
    pose = Pose.from_openpose18(xy.astype(np.float32), np.ones((3, 18), np.float32), (size, size))
    points, _ = with_made_up_points(pose.xy, pose.confidence)
    near = distances_to_parts(points[0], picture_grid(size, 1))[[*range(8), 9, 10]].min(axis=0)
    picture = np.zeros((size, size, 4), np.uint8)
    picture[near < 0.035 * tall] = (200, 30, 80, 255)
    picture[: size // 2, :, :3] = (30, 60, 200)
    return pose, dict.fromkeys(range(3), picture)


@pytest.mark.parametrize(("size", "tall"), [(128, 120), (256, 100), (392, 380), (512, 100)])
def test_it_learns_colours_of_tall_people_and_of_small_ones(size, tall):
    kept, pictures = coloured(size, tall)
    wardrobe = Wardrobe(limb_warp.Config(size=size), kept, pictures)
    assert wardrobe.colours.known[[0, 6, 7, 9, 10]].all()  # trunk, thighs and shins
    assert not wardrobe.colours.known[[8, 11]].any()  # the figure has no feet


def test_it_takes_every_nth_pixel_of_a_large_person(monkeypatch):
    shapes = []
    learn = LimbColours.__init__

    def spied(self, people):
        people = list(people)
        shapes.extend((picture.shape, near.shape) for picture, near in people)
        learn(self, people)

    monkeypatch.setattr(LimbColours, "__init__", spied)
    Wardrobe(limb_warp.Config(size=392), *coloured(392, 500))
    assert 392 // COLOURS_SEEN_AT == 3 and set(shapes) == {((131, 77, 4), (12, 131, 77))}


def test_what_it_knows_of_colours_it_cuts_by():
    kept, pictures = coloured(128, 128)
    config = limb_warp.Config(size=128)
    own = Wardrobe(config, kept, pictures)
    foreign = Wardrobe(config, kept, pictures, LimbColours([]))
    assert not foreign.colours.known.any()
    apart = [(a.filmed != b.filmed).any() for a, b in zip(own.layers(0), foreign.layers(0), strict=True)]
    assert any(apart)


def test_who_is_not_cut_has_no_limbs_to_know():
    kept, pictures = coloured(128, 128)
    whole = Wardrobe(limb_warp.Config(size=128, layers=False), kept, pictures)
    assert whole.colours is None and len(whole.layers(0)) == 1


def test_of_a_person_who_is_nowhere_nothing_is_learnt():
    kept, pictures = coloured(64, 64)
    nobody = Wardrobe(CONFIG, kept, {frame: np.zeros_like(picture) for frame, picture in pictures.items()})
    assert not nobody.colours.known.any() and nobody.layers(0) == []
