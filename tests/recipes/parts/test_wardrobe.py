"""The wardrobe: what it says of what was filmed."""

import numpy as np

from tiny import STANDING
from understudy.conditioning.limb_warps import with_made_up_points
from understudy.poses.pose import LEFT_HIP, LEFT_WRIST, RIGHT_WRIST, Pose
from understudy.recipes import limb_warp
from understudy.recipes.parts.wardrobe import Wardrobe

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
    _, filmed, _ = wardrobe.dressed(0, points[0], seen[0], wardrobe.nearness(points[0]))
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
    places = wardrobe.dressed(0, points[0], seen[0], wardrobe.nearness(points[0])).places
    assert places.shape == (SIZE, SIZE, 2)
    for joint in (RIGHT_WRIST, LEFT_WRIST, LEFT_HIP):
        x, y = points[0][joint].round().astype(int)
        np.testing.assert_allclose(places[y, x], (x + 8, y), atol=0.3)
    assert np.isnan(places[-2:, -2:]).all()
