"""A clean picture laid over somebody: nothing of them left, everything else as it was, in the frame's own light."""

import cv2
import numpy as np

from filmed_shot import room_of
from understudy.compositing.removal import MOST_LIGHT, MOST_SHADE, laid_over, light_between, with_small_things

SIZE_HW, REACH = (160, 120), 6
RED = (250, 20, 30)


def somebody():
    """A room, a frame with somebody red in it, where they are and around."""
    room = room_of(SIZE_HW)
    person = np.zeros(SIZE_HW, np.uint8)
    person[40:130, 45:70] = 255
    wide = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    return room, np.where(person[..., None] > 0, np.uint8(RED), room), person, cv2.dilate(person, wide)


def test_what_is_behind_is_shown_and_the_rest_stays():
    room, frame, person, widened = somebody()
    np.testing.assert_array_equal(laid_over(frame, person, widened, REACH, room), room)
    other = room.copy()
    other[:20], other[:, :20] = 0, 0  # a clean picture that is wrong elsewhere
    np.testing.assert_array_equal(laid_over(frame, person, widened, REACH, other)[:20], frame[:20])


def test_where_nobody_is_nothing_changes():
    room, frame, person, widened = somebody()
    np.testing.assert_array_equal(laid_over(frame, 0 * person, 0 * widened, REACH, room[::-1]), frame)


def test_it_takes_the_light_of_the_frame():
    room, frame, person, widened = somebody()
    for change in (-15, 12):
        brighter = np.clip(frame.astype(int) + change, 0, 255).astype(np.uint8)
        wanted = room.astype(int) + change
        shown = laid_over(brighter, person, widened, REACH, room)
        assert np.abs(shown.astype(int) - wanted)[person > 0].mean() < 1.5


def test_a_shadow_that_goes_on_beyond_the_hole_does_not_end_at_its_edge():
    room, _, person, widened = somebody()
    shadow = room.astype(np.float32)
    shadow[115:] *= 0.65
    frame = np.where(person[..., None] > 0, np.uint8(RED), shadow.astype(np.uint8))
    shown = laid_over(frame, person, widened, REACH, room)
    inside = np.zeros(SIZE_HW, bool)
    inside[122:130, 48:67] = True
    before = np.abs(room.astype(int) - shadow)[inside].mean()
    assert np.abs(shown - shadow)[inside].mean() < 0.4 * before


def test_light_is_bounded_and_something_else_beside_says_nothing_of_it():
    room, frame, _, widened = somebody()
    dark, bright = (np.clip(frame.astype(int) + by, 0, 255).astype(np.uint8) for by in (-46, 46))
    for one in (dark, bright):
        light = light_between(one, widened, REACH, room)
        assert light.min() >= -MOST_SHADE and light.max() <= MOST_LIGHT
    strange = frame.copy()
    strange[widened == 0] = 255 - room[widened == 0] // 8
    assert not light_between(strange, widened, REACH, room // 3).any()


def test_a_ball_that_is_half_in_the_hole_goes_and_a_neighbour_stays():
    room, frame, person, widened = somebody()
    cv2.circle(frame, (78, 60), 9, (255, 255, 255), -1)
    hidden = with_small_things(frame, person, widened, REACH, room, 20)
    np.testing.assert_array_equal(laid_over(frame, *hidden, REACH, room)[45:80, 40:95], room[45:80, 40:95])
    frame[20:150, 74:96] = (10, 250, 10)  # somebody else beside
    same = with_small_things(frame, person, widened, REACH, room, 20)
    np.testing.assert_array_equal(same[1], widened)


def test_a_shadow_is_no_thing():
    room, frame, person, widened = somebody()
    frame[126:138, 76:92] = frame[126:138, 76:92] * 0.5
    np.testing.assert_array_equal(with_small_things(frame, person, widened, REACH, room, 20)[1], widened)
