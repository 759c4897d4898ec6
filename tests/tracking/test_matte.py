import cv2
import numpy as np
import pytest

from understudy.errors import MediaError
from understudy.tracking.matte import GreenScreen, StillRoom, refine, still_room

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
    matte, clean = GreenScreen.found_in(frame).key(frame)
    assert (matte[alpha == 0] == 0).mean() > 0.999
    assert (matte[alpha == 1] == 255).mean() > 0.99
    edge = (alpha > 0.2) & (alpha < 0.8)
    assert np.abs(matte[edge] / 255 - alpha[edge]).mean() < 0.3
    channel, other = int(np.argmax(colour)), 0
    spill = (frame[..., channel].astype(int) - frame[..., other])[edge].mean()
    assert (clean[..., channel].astype(int) - clean[..., other])[edge].mean() < spill - 20
    inside = alpha == 1
    assert np.abs(clean[inside].astype(int) - frame[inside]).mean() < 4


def test_a_shadow_on_the_screen_is_screen():
    frame, _ = on_screen((20, 180, 60))
    frame[100:120] = (frame[100:120] * 0.5).astype(np.uint8)
    matte, _ = GreenScreen.found_in(frame).key(frame)
    assert matte[102:118].max() == 0


def test_no_screen_is_said():
    with pytest.raises(MediaError, match=r"no green or blue screen .* use `matte='auto'`"):
        GreenScreen.found_in(scene()[0])
