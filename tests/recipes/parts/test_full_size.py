"""Small pictures get back the detail that their frames have at full size, where it is known which pixel is shown."""

import cv2
import numpy as np
import pytest

from understudy.recipes.parts.full_size import Detail, FullSize, detail_of

SIDE, SIZE = 64, 192


def frame(seed=0):
    """(SIZE, SIZE, 4): a fine pattern with a round matte of soft edge."""
    picture = np.random.default_rng(seed).integers(60, 220, (SIZE, SIZE, 4), np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.2)
    alpha = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(alpha, (SIZE // 2, SIZE // 2), 60, 255, -1)
    picture[..., 3] = cv2.GaussianBlur(alpha, (0, 0), 1)
    return picture


def premultiplied(picture):
    alpha = picture[..., 3:] / np.float32(255)
    return np.concatenate([picture[..., :3] * alpha, picture[..., 3:]], axis=-1).astype(np.float32)


def small(picture):
    return cv2.resize(premultiplied(picture), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def in_place(shift=0.0):
    y, x = np.indices((SIDE, SIDE), np.float32)
    return np.dstack([x + shift, y])


def apart(made, true):
    return float(np.abs(made.astype(np.float32) - true).mean())


def test_a_frame_in_its_own_place_is_itself_again():
    picture = frame()
    whole = FullSize({7: picture}, SIZE, SIDE)
    made = whole.enlarged(small(picture), np.array([7]), (np.ones((1, SIDE, SIDE), np.float32), in_place()[None]))
    without = whole.enlarged(small(picture), np.array([7]), (np.zeros((1, SIDE, SIDE), np.float32), in_place()[None]))
    assert made.shape == (SIZE, SIZE, 4) and made.dtype == np.uint8
    assert apart(made, premultiplied(picture)) < 0.6 and apart(without, premultiplied(picture)) > 1
    assert (made[..., :3] <= made[..., 3:]).all()


def test_detail_goes_where_the_warp_went():
    """A picture moved by two small pixels is the frame moved by six large ones."""
    picture = frame()
    moved = np.roll(small(picture), -2, axis=1)
    made = FullSize({0: picture}, SIZE, SIDE).enlarged(
        moved, np.array([0]), (np.ones((1, SIDE, SIDE), np.float32), in_place(2.0)[None])
    )
    true = np.roll(premultiplied(picture), -6, axis=1)
    assert apart(made[:, 24:-24], true[:, 24:-24]) < 0.6


def test_two_frames_give_each_its_share():
    """Left half one, right half the other, and little is asked of the third."""
    frames = {number: frame(number) for number in range(3)}
    share = np.zeros((3, SIDE, SIDE), np.float32)
    share[0, :, : SIDE // 2] = share[1, :, SIDE // 2 :] = 0.97
    share[2] = 0.03
    mixed = sum(share[number][..., None] * small(frames[number]) for number in range(3))
    whole = FullSize(frames, SIZE, SIDE)
    made = whole.enlarged(mixed, np.arange(3), (share, np.stack([in_place()] * 3)))
    edge = SIZE // 2
    for half, number in ((slice(20, edge - 12), 0), (slice(edge + 12, -20), 1)):
        assert apart(made[:, half], premultiplied(frames[number])[:, half]) < 3


@pytest.mark.parametrize("places", [np.full((SIDE, SIDE, 2), np.nan, np.float32), in_place() * (1, 9)])
def test_where_no_place_or_a_torn_one_is_known_it_stays_as_it_is(places):
    picture = frame()
    whole = FullSize({0: picture}, SIZE, SIDE)
    made = whole.enlarged(
        small(picture), np.array([0]), (np.ones((1, SIDE, SIDE), np.float32), places.astype(np.float32)[None])
    )
    soft = whole.enlarged(small(picture), np.array([0]), (np.zeros((1, SIDE, SIDE), np.float32), in_place()[None]))
    np.testing.assert_array_equal(made, soft)


def test_at_the_same_size_nothing_is_looked_up():
    picture = cv2.resize(frame(), (SIDE, SIDE))
    made = FullSize({}, SIDE, SIDE).enlarged(premultiplied(picture), np.array([0]), None)
    assert apart(made, premultiplied(picture)) < 0.6


@pytest.mark.parametrize(("size", "side"), [(192, 64), (160, 128)])
@pytest.mark.parametrize("centre", [(80, 80), (8, 150), (80, 155)])
def test_detail_is_that_of_the_whole_frame(size, side, centre):
    """Only the part about the person is computed, and nothing is lost by it."""
    picture = cv2.resize(frame(), (size, size))
    matte = np.zeros((size, size), np.uint8)
    cv2.circle(matte, centre, 17, 255, -1)
    picture[..., 3] = cv2.GaussianBlur(matte, (0, 0), 2)
    whole = premultiplied(picture)
    small = cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA)
    true = whole - cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    found = detail_of(picture, side)
    left, top = found.corner_xy.astype(int)
    height, width = found.values.shape[:2]
    assert height < size and width < size
    laid = np.zeros_like(true)
    laid[top : top + height, left : left + width] = found.values
    np.testing.assert_allclose(laid, true, atol=1e-3)


def test_who_is_not_there_has_no_detail():
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    assert detail_of(picture, SIDE) is None
    made = FullSize({0: picture}, SIZE, SIDE).enlarged(
        small(picture), np.array([0]), (np.ones((1, SIDE, SIDE), np.float32), in_place()[None])
    )
    assert not made.any()


def test_details_are_kept_up_to_a_bound():
    asked = []

    class Frames(dict):
        def __getitem__(self, key):
            asked.append(key)
            return frame()

    one = detail_of(frame(), SIDE).values.nbytes
    whole = FullSize(Frames(), SIZE, SIDE, 2 * one)
    for number in (0, 1, 0, 2, 0, 1):  # 1 is the one that was not asked for the longest when 2 comes
        whole._detail(number)
    assert asked == [0, 1, 2, 1]


@pytest.mark.parametrize(("room", "expected"), [(100, [0, 1, 2, 3, 4, 5]), (3, [0, 2, 4]), (0, [0])])
def test_details_are_ready_before_they_are_asked_for_as_many_as_are_kept(monkeypatch, room, expected):
    asked, values = [], np.zeros((4, 4, 4), np.float32)

    def detail(picture, side):
        asked.append(int(picture[0, 0, 0]))
        return Detail(values, np.zeros(2, np.float32))

    monkeypatch.setattr("understudy.recipes.parts.full_size.detail_of", detail)
    frames = {number: np.full((SIZE, SIZE, 4), number, np.uint8) for number in range(6)}
    whole = FullSize(frames, SIZE, SIDE, room * values.nbytes)
    assert list(whole.ready_frames(6)) == list(range(len(expected)))[::-1]
    assert sorted(set(asked)) == sorted({3, *expected})
    asked.clear()
    for frame in expected[-room:] if room else expected:
        whole._detail(frame)
    assert not asked
    assert list(FullSize(frames, SIZE, SIZE).ready_frames(6)) == list(whole.ready_frames(0)) == []
