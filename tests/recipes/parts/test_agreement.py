"""Several warped frames, one picture: what one frame shows alone goes, what frames show a little aside stays sharp."""

import numpy as np
import pytest

from understudy.recipes.parts.agreement import Agreement, _median

SIZE = 64
SOFTNESS = 6.0
EQUAL = np.zeros(4)
ALL_FILMED = np.ones((4, SIZE, SIZE), np.float32)


def person(*, print_at=30):
    """(S, S, 4): an opaque body with a bright print one pixel wide."""
    picture = np.zeros((SIZE, SIZE, 4), np.float32)
    picture[8:56, 16:48] = (90, 120, 60, 255)
    picture[20:30, print_at] = (250, 250, 250, 255)
    return picture


def test_what_all_show_is_shown_as_it_is():
    sources = np.stack([person()] * 4)
    np.testing.assert_allclose(Agreement(SIZE, SOFTNESS).shown(sources, ALL_FILMED, EQUAL), person(), atol=1e-3)


def test_one_source_is_shown_whatever_it_shows():
    picture = person()
    assert np.array_equal(Agreement(SIZE, SOFTNESS).shown(picture[None], ALL_FILMED[:1], EQUAL[:1]), picture)


def test_a_ball_in_the_nearest_frame_alone_is_not_shown():
    sources = np.stack([person() for _ in range(4)])
    sources[0, 34:46, 26:38] = (255, 255, 255, 255)
    shown = Agreement(SIZE, SOFTNESS).shown(sources, ALL_FILMED, EQUAL)
    np.testing.assert_allclose(shown[35:45, 27:37], person()[35:45, 27:37], atol=2)


def test_a_hole_in_the_nearest_frame_is_filled_by_the_others():
    sources = np.stack([person() for _ in range(4)])
    sources[0, 34:46, 26:38] = 0
    shown = Agreement(SIZE, SOFTNESS).shown(sources, ALL_FILMED, EQUAL)
    assert shown[35:45, 27:37, 3].min() > 250


def test_prints_that_lie_a_little_aside_in_other_frames_are_those_of_the_nearest_one():
    """Their median would show no print, their mean four pale ones."""
    sources = np.zeros((4, 256, 256, 4), np.float32)
    sources[:, 30:220, 60:190] = (90, 120, 60, 255)
    for picture, left in zip(sources, (120, 118, 122, 122), strict=True):
        picture[80:120, left : left + 3, :3] = 250
    shown = Agreement(256, SOFTNESS).shown(sources, np.ones((4, 256, 256), np.float32), EQUAL)
    printed = (slice(85, 115), slice(120, 123), 0)
    between = (90 + 250) / 2
    assert shown[printed].min() > between
    assert np.median(sources, axis=0)[printed].min() < between and sources.mean(axis=0)[printed].min() < between
    assert shown[85:115, 118:120, 0].max() < between and shown[85:115, 123:125, 0].max() < between


@pytest.mark.parametrize("better", [1, 3])
def test_what_was_filmed_is_shown_rather_than_what_is_made_up(better):
    sources = np.stack([person() for _ in range(4)])
    sources[:, 34:46, 26:38, 0] += 2 * np.arange(4, dtype=np.float32)[:, None, None]  # a mark, too weak to contradict
    filmed = ALL_FILMED.copy()
    filmed[:, 34:46, 26:38] = 0
    filmed[better, 34:46, 26:38] = 1
    shown = Agreement(SIZE, SOFTNESS).shown(sources, filmed, EQUAL)
    assert shown[40, 32, 0] == pytest.approx(90 + 2 * better, abs=0.2)
    assert shown[12, 20, 0] == pytest.approx(90, abs=0.1)


def test_frames_that_need_more_warping_count_for_less():
    sources = np.stack([person(), person()])
    sources[1, ..., 0] += 10
    near, far = (
        Agreement(SIZE, SOFTNESS).shown(sources, ALL_FILMED[:2], np.array([0.0, more]))[40, 32, 0]
        for more in (0.0, 8.0)
    )
    assert 90 < far < near < 100
    assert far == pytest.approx(90, abs=0.1)


def test_a_choice_does_not_turn_round_within_one_moment():
    """The second frame is nearer from the second moment on: at first it counts for less than it will."""
    sources = np.stack([person(), person()])
    sources[1, ..., 0] += 10
    agreement, seen = Agreement(SIZE, SOFTNESS), []
    for distances in ([0.0, 8.0], [8.0, 0.0], [8.0, 0.0], [8.0, 0.0], [8.0, 0.0]):
        seen.append(float(agreement.shown(sources, ALL_FILMED[:2], np.array(distances))[40, 32, 0]))
    assert seen == sorted(seen) and seen[0] < seen[1] < seen[2] < seen[3]
    fresh = Agreement(SIZE, SOFTNESS).shown(sources, ALL_FILMED[:2], np.array([8.0, 0.0]))[40, 32, 0]
    assert seen[1] < fresh - 1 and seen[-1] == pytest.approx(fresh, abs=1)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_median_is_the_usual_one(count):
    values = np.random.default_rng(count).normal(100, 50, (count, 6, 7, 4)).astype(np.float32)
    np.testing.assert_allclose(_median(values), np.median(values, axis=0), rtol=1e-4, atol=1e-3)
