"""Keying and pasting against exact mixtures."""

import cv2
import numpy as np
import pytest
import torch

from understudy.compositing.cutouts import (
    clean_edges,
    cutout_of,
    faded,
    framed,
    key,
    paste,
    placed,
    unpremultiplied,
    without_specks,
)
from understudy.poses.similarity import IDENTITY, Similarity

SIZE = 128
GREEN = np.array([0, 255, 0], np.uint8)


def smooth_shape() -> np.ndarray:
    """Exact alpha of a body-like shape with limbs down to 3 pixels, edges about one and a half pixels soft."""
    fine = np.zeros((SIZE * 8, SIZE * 8), np.uint8)
    for start, end, width in [((64, 40), (64, 75), 24), ((60, 75), (50, 115), 9), ((70, 60), (110, 40), 5)]:
        cv2.line(fine, tuple(8 * v for v in start), tuple(8 * v for v in end), 255, 8 * width)
    cv2.circle(fine, (64 * 8, 22 * 8), 10 * 8, 255, -1)
    cv2.line(fine, (20 * 8, 60 * 8), (55 * 8, 45 * 8), 255, 3 * 8)
    return cv2.GaussianBlur(cv2.resize(fine, (SIZE, SIZE), interpolation=cv2.INTER_AREA), (0, 0), 0.6) / 255.0


def mixture(foreground: np.ndarray, alpha: np.ndarray, flat: np.ndarray, noise: float = 0) -> np.ndarray:
    mixed = foreground * alpha[..., None] + flat.astype(float) * (1 - alpha[..., None])
    mixed += np.random.default_rng(0).normal(0, noise, mixed.shape) if noise else 0
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("flat", [(0, 255, 0), (255, 0, 255), (30, 200, 60)], ids=str)
@pytest.mark.parametrize("noise", [0, 3])
def test_alpha_of_exact_mixtures_is_recovered(flat: tuple[int, int, int], noise: float) -> None:
    exact = smooth_shape()
    foreground = np.full((SIZE, SIZE, 3), (180.0, 90, 120))
    alpha = key(mixture(foreground, exact, np.array(flat), noise), np.array(flat))[..., 3] / 255.0
    edge = (exact > 0.02) & (exact < 0.98)
    assert np.abs(alpha - exact)[edge].mean() < 0.05
    assert abs((alpha - exact)[edge].mean()) < 0.015  # neither grown nor shrunk
    assert alpha[exact > 0.995].min() > 0.93 and alpha[exact > 0.995].mean() > 0.995
    assert not alpha[exact == 0].any()


def textured() -> np.ndarray:
    foreground = np.full((SIZE, SIZE, 3), (200.0, 150, 130))
    foreground[40:78] = (60, 60, 70)
    foreground[40:78, (np.arange(SIZE) // 6) % 2 == 0] = (230, 230, 225)
    foreground[78:] = (170, 40, 60)
    foreground[:18] = (50, 35, 25)
    return cv2.GaussianBlur(foreground, (0, 0), 0.8)


@pytest.mark.parametrize("background", [0, 128, 255])
def test_no_halo_on_any_background(background: int) -> None:
    exact = smooth_shape()
    cutout = key(mixture(textured(), exact, GREEN, noise=2), GREEN)
    shown = paste(cutout, IDENTITY, np.full((SIZE, SIZE, 3), background, np.uint8)).astype(float)
    truth = textured() * exact[..., None] + background * (1 - exact[..., None])
    edge = (exact > 0.02) & (exact < 0.98)
    error = shown - truth
    assert np.sqrt((error[edge] ** 2).mean()) < 14
    green_cast = (error[..., 1] - error[..., [0, 2]].mean(-1))[edge]
    assert abs(green_cast.mean()) < 4  # a matte from two thresholds alone leaves 30


def test_noise_of_the_flat_area_leaves_the_background_bit_identical() -> None:
    rng = np.random.default_rng(1)
    frame = np.clip(GREEN + rng.normal(0, 4, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
    frame[50:80, 50:80] = (120, 40, 40)
    room = rng.integers(0, 256, (300, 200, 3), dtype=np.uint8)
    shown = paste(key(frame, GREEN), Similarity(0.8, (10.0, -20.0)), room.copy())
    changed = (shown != room).any(-1)
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 85 and rows.max() <= 127 and columns.min() >= 48 and columns.max() <= 90
    assert (shown[95:110, 60:75] == (120, 40, 40)).all()
    assert not key(np.broadcast_to(GREEN, (SIZE, SIZE, 3)).copy(), GREEN).any()


def test_a_generator_noisier_than_most_leaves_no_haze() -> None:
    """Its noise is measured where nobody stands: twice what is usually allowed for is none of the person either."""
    exact, green = smooth_shape(), np.array([60, 200, 60], np.uint8)
    alpha = key(mixture(textured(), exact, green, noise=11), green)[..., 3]
    empty = cv2.dilate(exact, np.ones((9, 9))) == 0
    assert alpha[empty].mean() < 0.5
    assert alpha[exact == 1].mean() > 220


def test_specks_go_and_hands_stay() -> None:
    frame = np.broadcast_to(GREEN, (SIZE, SIZE, 3)).copy()
    frame[20:110, 50:80] = (100, 60, 60)
    frame[30:33, 10:13] = (100, 60, 60)  # a speck
    frame[60:63, 100:103] = (100, 60, 60)  # as small, but a wrist lies there
    alpha = key(frame, GREEN, keep_near=np.array([[101.2, 60.9], [-5.0, 900.0]]))[..., 3]
    assert not alpha[25:40, 5:20].any()
    assert alpha[61, 101] == 255 and alpha[60, 60] == 255


@pytest.mark.parametrize(
    ("scale", "translation"), [(0.25, (-20.0, -80.0)), (1.0, (40.0, 40.0)), (2.0, (0.0, 0.0)), (1.0, (9000.0, 0.0))]
)
def test_paste_puts_the_centre_where_the_crop_had_it(scale: float, translation: tuple[float, float]) -> None:
    cutout = np.zeros((SIZE, SIZE, 4), np.uint8)
    cutout[40:81, 60:101] = 255
    shown = paste(cutout, Similarity(scale, translation), np.zeros((700, 600, 3), np.uint8))
    assert shown.shape == (700, 600, 3)
    x, y = (80 - translation[0]) / scale, (60 - translation[1]) / scale
    if not (0 <= x < 600 and 0 <= y < 700):
        assert not shown.any()
        return
    moments = cv2.moments(shown[..., 0])
    assert moments["m10"] / moments["m00"] == pytest.approx(x, abs=0.3)
    assert moments["m01"] / moments["m00"] == pytest.approx(y, abs=0.3)


def test_transparent_output_keeps_colour_and_alpha() -> None:
    exact = smooth_shape()
    cutout = key(mixture(np.full((SIZE, SIZE, 3), (180.0, 90, 120)), exact, GREEN), GREEN)
    shown = unpremultiplied(paste(cutout, IDENTITY, np.zeros((SIZE, SIZE, 4), np.uint8)))
    np.testing.assert_array_equal(shown[..., 3], cutout[..., 3])
    solid = shown[..., 3] > 60
    assert np.abs(shown[solid][:, :3].astype(float) - (180, 90, 120)).mean() < 4


def test_fading_scales_colour_and_alpha_together() -> None:
    cutout = np.full((4, 4, 4), 200, np.uint8)
    assert (faded(cutout, 0.5) == 100).all() and not faded(cutout, 0.0).any() and faded(cutout, 1.0) is cutout
    assert not faded(cutout, -0.5).any() and faded(cutout, 1.5) is cutout


def test_a_flat_colour_that_was_painted_wrongly_is_still_flat() -> None:
    """A generator after few steps misses the colour, in a checkerboard, and overshoots beside the person."""
    exact = smooth_shape()
    painted = np.array([50, 205, 46], np.uint8)
    frame = mixture(textured(), exact, painted, noise=4).astype(int)
    frame += np.where((np.indices((SIZE, SIZE)).sum(0) % 2)[..., None], 8, -8) * (exact < 0.02)[..., None]
    frame[(exact == 0) & (cv2.dilate(exact, np.ones((9, 9))) > 0)] = (16, 240, 16)
    cutout = key(np.clip(frame, 0, 255).astype(np.uint8), np.array([16, 240, 16]))
    assert not cutout[exact == 0].any()
    assert (cutout[exact == 1][:, 3] / 255.0).mean() > 0.98


def test_a_rim_full_of_person_is_not_taken_for_the_flat_colour() -> None:
    frame = np.full((SIZE, SIZE, 3), (120, 60, 60), np.uint8)
    frame[40:80, 40:80] = GREEN
    alpha = key(frame, GREEN)[..., 3]
    assert not alpha[45:75, 45:75].any() and (alpha[:35] == 255).all()


def test_a_frame_that_is_shown_whole_fades_at_its_border_alone() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    cutout = framed(frame)
    assert (cutout[2:-2, 2:-2, 3] == 255).all() and (cutout[2:-2, 2:-2, :3] == frame[2:-2, 2:-2]).all()
    assert (np.diff(cutout[SIZE // 2, :3, 3].astype(int)) > 0).all() and (cutout[..., :3] <= cutout[..., 3:]).all()
    for turns in (1, 2, 3):  # on each side alike
        assert np.array_equal(np.rot90(cutout[..., 3], turns), cutout[..., 3])
    same = paste(
        framed(np.full_like(frame, 90)), Similarity.shifted(-3, 5), np.full((2 * SIZE, 2 * SIZE, 3), 90, np.uint8)
    )
    assert np.abs(same.astype(int) - 90).max() <= 1  # no seam where inside and outside agree


@pytest.mark.parametrize("flat", [(0, 255, 0), (90, 110, 120)], ids=str)
@pytest.mark.parametrize("kind", ["array", "tensor", "batch"])
def test_a_networks_alpha_cuts_its_picture_out(flat: tuple[int, int, int], kind: str) -> None:
    exact = smooth_shape()
    rng = np.random.default_rng(0)
    over = textured() * exact[..., None] + np.array(flat) * (1 - exact[..., None]) + rng.normal(0, 2, (SIZE, SIZE, 3))
    alpha = exact + rng.normal(0, 0.008, exact.shape)
    if kind == "tensor":
        cutout = cutout_of(torch.from_numpy(over), torch.from_numpy(alpha).requires_grad_(), flat)
    elif kind == "batch":
        cutout = cutout_of(np.stack([over, 0 * over]), np.stack([alpha, 0 * alpha]), np.array(flat, np.uint8))
        assert cutout.shape == (2, SIZE, SIZE, 4) and not cutout[1].any()
        cutout = cutout[0]
    else:
        cutout = cutout_of(over, alpha, flat)
    assert cutout.dtype == np.uint8 and (cutout[..., :3] <= cutout[..., 3:]).all()
    assert not cutout[exact == 0].any()
    assert (cutout[exact > 0.999][:, 3] == 255).mean() > 0.999
    for background in (0, 255):
        shown = paste(cutout, IDENTITY, np.full((SIZE, SIZE, 3), background, np.uint8)).astype(float)
        error = shown - (textured() * exact[..., None] + background * (1 - exact[..., None]))
        edge = (exact > 0.02) & (exact < 0.98)
        assert np.abs(error[edge]).mean() < 4
        assert abs((error[..., 1] - error[..., [0, 2]].mean(-1))[edge].mean()) < 2


def test_a_blurred_picture_with_a_blurred_alpha_leaves_no_flat_colour() -> None:
    """What a network gives after few steps: soft, but picture and alpha alike."""
    exact, foreground = smooth_shape(), np.full((SIZE, SIZE, 3), (180.0, 90, 120))
    over = cv2.GaussianBlur(foreground * exact[..., None] + GREEN.astype(float) * (1 - exact[..., None]), (0, 0), 2)
    alpha = cv2.GaussianBlur(exact, (0, 0), 2)
    shown = paste(cutout_of(over, alpha, GREEN), IDENTITY, np.full((SIZE, SIZE, 3), 255, np.uint8))
    error = shown - (foreground * alpha[..., None] + 255 * (1 - alpha[..., None]))
    edge = (alpha > 0.02) & (alpha < 0.98)
    assert np.abs(error[edge]).mean() < 5 and abs((error[..., 1] - error[..., [0, 2]].mean(-1))[edge].mean()) < 4


def test_alpha_that_is_too_narrow_leaves_no_flat_colour_either() -> None:
    exact = smooth_shape()
    narrow = cv2.erode(exact, np.ones((3, 3)))
    cutout = cutout_of(mixture(np.full((SIZE, SIZE, 3), (180.0, 90, 120)), exact, GREEN), narrow, GREEN)
    rim = (narrow > 0.1) & (narrow < 0.9)
    assert (cutout[rim][:, 1] <= 1.15 * cutout[rim][:, [0, 2]].mean(1) + 2).mean() > 0.9


BOXES = [
    pytest.param(1.0, (0.0, 0.0), id="the whole frame"),
    pytest.param(0.5, (-3.25, 7.5), id="larger in the frame"),
    pytest.param(1.37, (-10.0, -30.4), id="a little smaller"),
    pytest.param(2.0, (-40.5, -20.0), id="half"),
    pytest.param(5.3, (-150.2, -99.0), id="far away"),
]


@pytest.mark.parametrize(("scale", "translation"), BOXES)
def test_a_cutout_goes_where_its_box_lies(scale: float, translation: tuple[float, float]) -> None:
    """Smooth discs, whose exact picture at any size is known."""

    def disc(x: np.ndarray, y: np.ndarray, soft: float) -> np.ndarray:
        return np.clip((30 - np.hypot(x - 64.3, y - 50.8)) / soft + 0.5, 0, 1)

    y, x = np.mgrid[:SIZE, :SIZE]
    alpha = disc(x, y, 6)[..., None]
    cutout = np.rint(np.concatenate([alpha * (200, 100, 50), 255 * alpha], -1)).astype(np.uint8)
    frame = placed(cutout, Similarity(scale, translation), (120, 150))
    assert frame.shape == (120, 150, 4)
    fine = 8  # points a pixel and side
    v, u = ((np.mgrid[: 120 * fine, : 150 * fine] + 0.5) / fine - 0.5).astype(np.float64)
    exact = disc(scale * u + translation[0], scale * v + translation[1], 6)
    exact = exact.reshape(120, fine, 150, fine).mean((1, 3))
    np.testing.assert_allclose(frame[..., 3], 255 * exact, atol=16)
    assert np.abs(frame[..., 3] - 255 * exact).mean() < 1
    np.testing.assert_allclose(frame[..., 0], 200 * exact, atol=14)


@pytest.mark.parametrize("scale", [1.5, 2.0, 3.3, 7.0])
def test_shrinking_averages_instead_of_leaving_out(scale: float) -> None:
    """One-pixel stripes become grey, whatever the phase."""
    cutout = np.zeros((256, 128, 4), np.uint8)
    cutout[:, ::2] = 255
    frame = placed(cutout, Similarity(scale, (0.3, 0.3)), (256, 256))
    height, width = (int(length / scale) - 2 for length in cutout.shape[:2])
    inside = frame[2:height, 2:width, 3].astype(float)
    assert inside.mean() == pytest.approx(127.5, abs=4)
    assert inside.std() < {1.5: 60, 2.0: 12, 3.3: 30, 7.0: 20}[scale]


def test_nothing_is_placed_where_the_box_is_elsewhere_or_empty() -> None:
    full = np.full((32, 16, 4), 255, np.uint8)
    assert not placed(full, Similarity.shifted(900, 0), (64, 64)).any()
    assert not placed(0 * full, IDENTITY, (64, 64)).any()


def test_specks_of_a_cutout_go_and_hands_stay() -> None:
    cutout = np.zeros((SIZE, SIZE, 4), np.uint8)
    cutout[20:110, 50:80] = 200
    cutout[30:33, 10:13] = 150
    cutout[60:63, 100:103] = 150
    kept = without_specks(cutout, np.array([[101.0, 61.0]]))
    assert not kept[25:40, 5:20].any() and (kept[60:63, 100:103] == 150).all() and (kept[60, 60] == 200).all()
    assert cutout[31, 11, 3] == 150  # the given one is left as it is


@pytest.mark.parametrize("room", [(230, 230, 240), (20, 30, 60)], ids=["light", "dark"])
def test_edges_in_the_persons_own_colours_leave_no_fringe_of_the_room(room: tuple[int, int, int]) -> None:
    exact = smooth_shape()
    soft = cv2.GaussianBlur(exact, (0, 0), 1.2)
    behind = np.clip(np.array(room) + np.random.default_rng(0).normal(0, 12, (SIZE, SIZE, 3)), 0, 255)
    filmed = np.clip(textured() * exact[..., None] + behind * (1 - exact[..., None]), 0, 255).astype(np.uint8)
    matte = np.rint(255 * soft).astype(np.uint8)
    colours, alpha = clean_edges(filmed, matte)
    np.testing.assert_allclose(alpha, matte / 255)
    assert colours.shape == (SIZE, SIZE, 3) and colours.min() >= 0 and colours.max() <= 255
    np.testing.assert_allclose(colours[matte == 255], filmed[matte == 255], atol=0.01)
    edge = (matte > 60) & (matte < 230)
    before, after = (np.abs(values.astype(float) - textured())[edge].mean() for values in (filmed, colours))
    assert after < 0.7 * before


def test_a_matte_that_is_too_wide_is_narrowed_and_still_reaches_everything() -> None:
    matte = np.repeat(np.linspace(0, 255, SIZE).astype(np.uint8)[None], SIZE, axis=0)
    alpha = clean_edges(np.zeros((SIZE, SIZE, 3), np.uint8), matte, 0.2)[1]
    assert not alpha[:, : SIZE // 5 - 1].any() and (alpha[:, -1] == 1).all()
    assert (np.diff(alpha[0]) >= 0).all() and (alpha <= matte / 255 + 1e-6).all()


def test_nobody_and_nothing_but_the_person_are_left_as_they_are() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    for level in (0, 255):
        colours, alpha = clean_edges(frame, np.full((SIZE, SIZE), level, np.uint8))
        assert np.isfinite(colours).all() and (alpha == level / 255).all()
        if level:
            np.testing.assert_allclose(colours, frame, atol=0.01)
