import cv2
import numpy as np
import pytest

from understudy.tracking.matte import StillRoom, refine, still_room

SIZE = 128


def scene(person=(210, 150, 120), room=(60, 70, 90), noise=3, seed=0):
    """A disc in front of a patterned room: frame, and the disc's exact matte."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE]
    frame = np.array(room) + ((x // 8 + y // 8) % 2 * 25)[..., None]
    disc = (x - 64) ** 2 + (y - 64) ** 2 < 36**2
    frame = np.where(disc[..., None], np.array(person), frame) + random.integers(-noise, noise + 1, (SIZE, SIZE, 3))
    return np.clip(frame, 0, 255).astype(np.uint8), disc


def coarse_of(disc):
    """What a network makes of it: soft, a lump of room on one side, and a speck elsewhere."""
    mask = disc.astype(np.uint8) * 255
    mask[22:27, 50:80] = 255
    mask = cv2.GaussianBlur(mask, (0, 0), 1.5)
    mask[5:7, 5:7] = 200
    return mask


def overlap(matte, disc):
    inside = matte > 127
    return (inside & disc).sum() / (inside | disc).sum()


def test_refining_keeps_the_person_and_drops_specks():
    frame, disc = scene()
    matte = refine(frame, coarse_of(disc))
    assert overlap(matte, disc) > 0.93
    assert matte[:10, :10].max() == 0
    assert matte[64, 64] == 255


def test_a_known_room_is_taken_out_of_the_mask():
    frame, disc = scene()
    rooms = [_room_only(scene(seed=seed)[0], disc) for seed in range(6)]
    masks = [disc.astype(np.uint8) * 255] * 3 + [np.zeros((SIZE, SIZE), np.uint8)] * 3
    room = still_room(np.stack(rooms), np.stack(masks))
    assert room is not None
    assert not room.unknown.any()
    without, with_room = refine(frame, coarse_of(disc)), refine(frame, coarse_of(disc), room)
    assert with_room[24, 52] == 0 < without[24, 52]
    assert overlap(with_room, disc) > 0.94


def _room_only(picture, disc):
    """The pattern repeats every 16 pixels, so that what is behind the disc is known from beside it."""
    return np.where(disc[..., None], np.roll(picture, 80, axis=1), picture)


def test_a_person_like_the_room_keeps_its_core():
    frame, disc = scene(person=(72, 82, 102), room=(72, 82, 102))
    pattern_free = np.repeat(frame[None], 6, 0)
    room = still_room(pattern_free, np.zeros((6, SIZE, SIZE), np.uint8))
    matte = refine(frame, disc.astype(np.uint8) * 255, room)
    y, x = np.mgrid[:SIZE, :SIZE]
    assert (matte[(x - 64) ** 2 + (y - 64) ** 2 < 30**2] == 255).all()


def test_what_is_not_known_of_a_room_is_not_taken_out_of_a_mask():
    """Where the person always stood, what is kept for the room shows the person."""
    frame, disc = scene()
    y, x = np.mgrid[:SIZE, :SIZE]
    outer = disc & ((x - 64) ** 2 + (y - 64) ** 2 > 33**2)  # within the reach of the room, not of the core
    mask, background = disc.astype(np.uint8) * 255, cv2.GaussianBlur(frame, (5, 5), 0)
    known, unknown = (StillRoom(background, cover, 3.0) for cover in (np.zeros_like(mask), mask))
    assert (unknown.without_room(frame, mask)[outer] == 255).all()
    assert (known.without_room(frame, mask)[outer] < 128).mean() > 0.9


def test_a_rooms_noise_is_what_nearly_all_of_it_stays_below():
    """A tenth of the picture flickers by 24 in every other frame: it sets the noise, and not the mean with the rest."""
    frames = np.full((8, SIZE, SIZE, 3), 100, np.uint8)
    frames[::2, :, : SIZE // 10], frames[1::2, :, : SIZE // 10] = 88, 112
    assert still_room(frames, np.zeros(frames.shape[:3], np.uint8)).noise == pytest.approx(12, abs=1)


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(np.zeros((3, SIZE, SIZE, 3), np.uint8), id="too few"),
        pytest.param(np.stack([np.roll(scene()[0], 4 * k, axis=1) for k in range(8)]), id="moves"),
    ],
)  # fmt: skip
def test_nothing_is_said_of_a_room_that_is_not_known(frames):
    assert still_room(frames, np.zeros(frames.shape[:3], np.uint8)) is None
