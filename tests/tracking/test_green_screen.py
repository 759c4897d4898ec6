"""Green and blue screens: which colours are one, where it is looked for, and who decides where it does not reach."""

import numpy as np
import pytest

from understudy.errors import MediaError
from understudy.tracking.green_screen import GreenScreen
from understudy.tracking.mattes import KeyedMatte

SIZE = 128


def on_screen(colour):
    """A red and grey person in front of a screen with uneven light, spill at the edge, and exact alpha."""
    y, x = np.mgrid[:SIZE, :SIZE]
    light = 0.75 + 0.25 * x[..., None] / SIZE
    screen = np.array(colour) * light
    distance = np.hypot(x - 64, y - 64)
    alpha = np.clip((36 - distance) / 3, 0, 1)[..., None]
    person = np.where((y < 64)[..., None], (200, 60, 50), (90, 90, 95))
    frame = person * alpha + screen * (1 - alpha)
    return np.clip(frame + np.random.default_rng(0).normal(0, 2, frame.shape), 0, 255).astype(np.uint8), alpha[..., 0]


@pytest.mark.parametrize("colour", [(20, 180, 60), (40, 90, 220)], ids=["green", "blue"])
def test_a_screen_is_keyed_with_soft_edges_and_without_its_tint(colour):
    frame, alpha = on_screen(colour)
    matte, clean = GreenScreen.found_in([frame]).key(frame)
    assert (matte[alpha == 0] == 0).mean() > 0.999
    assert (matte[alpha == 1] == 255).mean() > 0.99
    edge = (alpha > 0.2) & (alpha < 0.8)
    assert np.abs(matte[edge] / 255 - alpha[edge]).mean() < 0.3
    channel, other = int(np.argmax(colour)), 0
    spill = (frame[..., channel].astype(int) - frame[..., other])[edge].mean()
    assert (clean[..., channel].astype(int) - clean[..., other])[edge].mean() < spill - 20
    inside = alpha == 1
    assert np.abs(clean[inside].astype(int) - frame[inside]).mean() < 4


def test_a_badly_lit_screen_is_one():
    frame, alpha = on_screen((40, 70, 50))
    matte, _ = GreenScreen.found_in([frame]).key(frame)
    assert (matte[alpha == 0] == 0).mean() > 0.99 and (matte[alpha == 1] == 255).mean() > 0.9


def test_a_shadow_on_the_screen_is_screen():
    frame, _ = on_screen((20, 180, 60))
    frame[100:120] = (frame[100:120] * 0.5).astype(np.uint8)
    matte, _ = GreenScreen.found_in([frame]).key(frame)
    assert matte[102:118].max() == 0


@pytest.mark.parametrize(
    "colour",
    [(200, 180, 150), (150, 100, 60), (140, 60, 50), (200, 30, 30), (205, 150, 125), (190, 200, 215), (120, 120, 120)],
    ids=["beige", "pine", "brick", "red", "skin", "a pale wall", "grey"],
)
def test_a_room_of_another_colour_is_no_screen(colour):
    frame = np.full((SIZE, SIZE, 3), colour, np.uint8)
    frame[40:100, 50:80] = (30, 160, 60)  # nor are green clothes
    with pytest.raises(MediaError, match=r"no green or blue screen behind the person: use `matte='auto'`"):
        GreenScreen.found_in([frame, np.zeros_like(frame)])


def test_it_is_looked_for_in_later_frames_where_a_clip_begins_in_the_dark():
    frame, alpha = on_screen((20, 180, 60))
    fade = [(frame * share).astype(np.uint8) for share in (0.0, 0.02, 0.3, 1.0)]
    title = np.full_like(frame, (10, 10, 200))
    title[:100] = 240
    screen = GreenScreen.found_in([*fade, title])
    assert (screen.key(frame)[0][alpha == 0] == 0).mean() > 0.99


class Tracked:
    """Stands in for the tracker's mattes."""

    def __init__(self, matte):
        self.matte, self.asked, self.skipped = matte, 0, 0

    def __call__(self, working, person):
        self.asked += 1
        return self.matte, working

    def skip(self):
        self.skipped += 1


def test_beside_and_below_the_screen_the_tracker_decides():
    """A sheet that ends above the floor and does not reach the sides, with feet on the floor."""
    room = np.full((SIZE, SIZE, 3), (120, 110, 100), np.uint8)
    room[10:90, 20:108] = (20, 180, 60)
    room[30:115, 54:74] = (200, 60, 50)  # the person
    tracked = np.zeros((SIZE, SIZE), np.uint8)
    tracked[28:116, 50:78] = 255  # four pixels too wide
    source = KeyedMatte(GreenScreen.found_in([room]), Tracked(tracked))
    matte, clean = source(room, None)
    assert (matte[34:84, 56:72] == 255).all() and (matte[92:114, 56:72] == 255).all(), "the person"
    assert (matte[34:84, 22:52] == 0).all() and (matte[34:84, 76:106] == 0).all(), "the screen, to the pixel"
    assert (matte[95:, :48] == 0).all() and (matte[:, :18] == 0).all() and (matte[:8] == 0).all(), "floor and walls"
    assert (clean[100:] == room[100:]).all(), "no tint is taken off where there is no screen"


def test_where_the_screen_fills_the_square_the_tracker_is_not_asked():
    frame, _ = on_screen((20, 180, 60))
    tracked = Tracked(np.zeros((SIZE, SIZE), np.uint8))
    source = KeyedMatte(GreenScreen.found_in([frame]), tracked)
    for _ in range(3):
        source(frame, None)
    assert (tracked.asked, tracked.skipped) == (0, 3)


def test_in_the_dark_the_tracker_decides():
    frame, _ = on_screen((20, 180, 60))
    tracked = Tracked(np.zeros((SIZE, SIZE), np.uint8))
    matte, _ = KeyedMatte(GreenScreen.found_in([frame]), tracked)(np.zeros_like(frame), None)
    assert tracked.asked == 1 and matte.max() == 0
