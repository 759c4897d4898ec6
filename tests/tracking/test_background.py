import numpy as np
import pytest

from understudy.tracking.background import (
    MAX_STILL_DIFFERENCE,
    BackgroundMedian,
    _comparators,
    masked_median,
    sample_count,
    sample_frames,
)

pytestmark = pytest.mark.usefixtures("copied_rooms")


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 31, 32, 33])
def test_the_network_sorts_any_number(count):
    values = np.random.default_rng(count).integers(0, 255, (count, 500))
    expected = np.sort(values, axis=0)
    for low, high in _comparators(count):
        values[low], values[high] = np.minimum(values[low], values[high]), np.maximum(values[low], values[high])
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("hidden", [0.0, 0.4, 0.95], ids=["nobody", "some", "nearly always"])
def test_masked_median_is_numpys_lower_median_of_what_is_seen(hidden):
    random = np.random.default_rng(1)
    frames = random.integers(0, 256, (12, 9, 11, 3), dtype=np.uint8)
    masks = (random.random((12, 9, 11)) < hidden).astype(np.uint8) * 255
    median, holes = masked_median(frames, masks)
    for y in range(9):
        for x in range(11):
            seen = np.sort(frames[masks[:, y, x] == 0, y, x], axis=0)
            assert bool(holes[y, x]) == (len(seen) == 0)
            if len(seen):
                np.testing.assert_array_equal(median[y, x], seen[(len(seen) - 1) // 2])


def room(height=120, width=160):
    y, x = np.mgrid[:height, :width]
    return np.dstack([x, y, 100 + (x // 20 + y // 20) % 2 * 60]).astype(np.uint8)


def clip(positions, noise=2):
    """Frames of the room with a red box in front, and its mattes."""
    random = np.random.default_rng(0)
    for left in positions:
        frame = np.clip(room().astype(int) + random.integers(-noise, noise + 1, room().shape), 0, 255).astype(np.uint8)
        matte = np.zeros(frame.shape[:2], np.uint8)
        frame[30:90, left : left + 30] = 255, 0, 0
        matte[30:90, left : left + 30] = 255
        yield frame, matte


def test_the_person_is_gone_where_the_room_was_seen():
    median = BackgroundMedian()
    for frame, matte in clip(range(0, 130, 10)):
        median.add(frame, matte)
    background, inpainted, difference = median.result()
    assert inpainted == 0
    assert np.abs(background.astype(int) - room()).max() <= 6
    assert difference < 4


def test_what_nobody_saw_is_filled_from_around_and_counted():
    median = BackgroundMedian()
    for frame, matte in clip([60, 62, 64]):
        median.add(frame, matte)
    background, inpainted, _ = median.result()
    assert 26 * 60 / (120 * 160) < inpainted < 0.2
    hole = background[35:85, 66:88].astype(int)
    assert (hole[..., 0] - hole[..., 1]).mean() < 150  # no red box
    assert np.abs(background[:20].astype(int) - room()[:20]).max() <= 6


def test_a_place_where_somebody_is_now_and_then_is_judged_by_all_frames_that_show_it():
    """The light flickers in the first frame; half of the others hide the place behind somebody."""
    median = BackgroundMedian()
    for number in range(9):
        frame, matte = room(), np.zeros((120, 160), np.uint8)
        if number in (2, 4, 6, 8):
            frame, matte = next(clip([60], noise=0))
        median.add(np.clip(frame.astype(int) + 60 * (number == 0), 0, 255).astype(np.uint8), matte)
    background, inpainted, _ = median.result()
    assert inpainted == 0
    np.testing.assert_array_equal(background[35:85, 66:84], room()[35:85, 66:84])


def test_a_moving_camera_shows():
    median = BackgroundMedian()
    for shift in range(0, 80, 8):
        median.add(np.roll(room(), shift, axis=1), np.zeros((120, 160), np.uint8))
    assert median.result()[2] > MAX_STILL_DIFFERENCE


def test_what_no_frame_showed_is_made_up_from_the_room():
    """Stripes go on behind somebody who never moves, where a blur would end them."""
    striped = np.tile((80 + 90 * (np.arange(160) // 8 % 2))[None, :, None], (120, 1, 3)).astype(np.uint8)
    person = np.zeros((120, 160), np.uint8)
    person[40:90, 65:85] = 255
    median = BackgroundMedian()
    for _ in range(8):
        median.add(np.where(person[..., None] > 0, np.uint8(20), striped), person)
    background, inpainted, _ = median.result()
    assert 0.05 < inpainted < 0.1
    np.testing.assert_array_equal(background[:, :50], striped[:, :50])
    assert np.abs(background[40:90, 65:85].astype(int) - striped[40:90, 65:85]).mean() < 8


def test_no_frames_are_a_mistake():
    with pytest.raises(ValueError, match="at least one"):
        BackgroundMedian().result()


@pytest.mark.parametrize(
    ("candidates", "count", "expected"),
    [
        pytest.param([], 4, set(), id="none"),
        pytest.param([5], 4, {5}, id="one"),
        pytest.param(range(100), 3, {0, 50, 99}, id="spread"),
        pytest.param([0, 1, 90, 91], 9, {0, 1, 90, 91}, id="fewer than wanted"),
    ],
)
def test_samples_are_spread(candidates, count, expected):
    assert sample_frames(np.array(list(candidates), np.intp), count) == expected


@pytest.mark.parametrize(("size_hw", "count"), [((1080, 1920), 32), ((2160, 3840), 16), ((8192, 8192), 8)])
def test_samples_fit_in_memory(size_hw, count):
    assert sample_count(size_hw) == count
