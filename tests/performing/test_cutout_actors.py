"""Actors that give their own alpha: everything that takes a generator's frames takes theirs, on every background."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tiny import tiny_performance
from tiny_actor import LIMB_COLOUR, cutting_actor
from understudy.compositing.backgrounds import Background
from understudy.compositing.cutouts import paste
from understudy.evaluation.playing import played
from understudy.evaluation.truth import Truth
from understudy.media.reading import VideoReader, VideoWriter, read_image, write_image
from understudy.performance import Performance
from understudy.performing.driver import Driver
from understudy.performing.perform import cut_out, part_for, perform_to_file, placement
from understudy.recipes.parts.player import moments
from understudy.recipes.parts.previews import shown_over
from understudy.retargeting.alignment import body_statistics
from understudy.verbs.descriptions import actor_sheet
from understudy.verbs.perform import perform

FRAMES = 12


@pytest.fixture(scope="module")
def driving(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    return tiny_performance(tmp_path_factory.mktemp("driving") / "dance.performance", 1, frames=FRAMES)


@pytest.fixture(scope="module")
def actor(driving: Performance):
    return cutting_actor(body=body_statistics(driving.poses), background=np.full((48, 40, 3), (90, 60, 30), np.uint8))


def test_its_alpha_is_taken_as_it_is(actor, driving: Performance) -> None:
    part = part_for(actor, driving)
    shots = list(actor.player().play(moments(part.in_window)))
    soft = 0
    for moment, shot in enumerate(shots):
        np.testing.assert_array_equal(cut_out(actor, part, moment, shot), shot)
        soft += ((shot[..., 3] > 0) & (shot[..., 3] < 255)).sum()
    assert soft > 100 * FRAMES
    faint = replace(part, presence=np.full(FRAMES, 0.5, np.float32))
    np.testing.assert_allclose(cut_out(actor, faint, 3, shots[3]), shots[3] / 2, atol=0.51)
    gone = replace(part, presence=np.zeros(FRAMES, np.float32))
    assert not cut_out(actor, gone, 3, shots[3]).any()


def test_specks_are_dropped_and_hands_are_not(actor, driving: Performance) -> None:
    part = part_for(actor, driving)
    shot = np.zeros((32, 32, 4), np.uint8)
    shot[4:28, 12:20] = 255
    x, y = np.rint(part.in_window.xy[2, 9]).astype(int)  # a wrist
    shot[y, x] = 128
    corner = (30, 2)
    shot[corner] = 128
    cutout = cut_out(actor, part, 2, shot)
    assert cutout[y, x, 3] == 128 and not cutout[corner].any()


def moving_stripes(path: Path) -> list[np.ndarray]:
    frames = []
    with VideoWriter(path, Fraction(25)) as writer:
        for number in range(FRAMES):
            frame = np.full((96, 80, 3), 40, np.uint8)
            frame[8 * number : 8 * number + 8] = (40, 200, 90)
            writer.write(frame)
            frames.append(frame[::2, ::2])
    return frames


@pytest.mark.parametrize("background", ["reference", "10,200,90", "teal.png", "stripes.mp4"])
def test_it_stands_on_every_background(tmp_path: Path, actor, driving: Performance, background: str) -> None:
    stills = {"reference": (90, 60, 30), "10,200,90": (10, 200, 90), "teal.png": (0, 128, 128)}
    if background in stills:
        behind = [np.full((48, 40, 3), stills[background], np.uint8)] * FRAMES
    else:
        behind = moving_stripes(tmp_path / background)
    if background == "teal.png":
        write_image(tmp_path / background, np.full((70, 50, 3), stills[background], np.uint8))
    chosen = tmp_path / background if "." in background else background
    perform(actor, driving, tmp_path / "out.mkv", background=str(chosen))
    part = part_for(actor, driving)
    shots = list(actor.player().play(moments(part.in_window)))
    shown = list(VideoReader(tmp_path / "out.mkv"))
    assert len(shown) == FRAMES
    for moment, frame in enumerate(shown):
        exact = paste(shots[moment], placement(actor, part.window[moment]), behind[moment].copy())
        assert np.abs(frame.astype(int) - exact).mean() < 6  # colours are stored at half the size
    wearing = paste(shots[5], placement(actor, part.window[5]), np.zeros((48, 40, 4), np.uint8))[..., 3] == 255
    assert np.abs(shown[5][wearing].mean(0) - LIMB_COLOUR).max() < 45


def test_transparent_pictures_hold_its_alpha(tmp_path: Path, actor, driving: Performance) -> None:
    perform_to_file(actor, Driver(driving), tmp_path / "pictures", background=Background("transparent"))
    part = part_for(actor, driving)
    shot = list(actor.player().play(moments(part.in_window)))[4]
    expected = paste(shot, placement(actor, part.window[4]), np.zeros((48, 40, 4), np.uint8))
    file = sorted((tmp_path / "pictures").iterdir())[4]
    alpha = 255 - (read_image(file, (255, 255, 255)).astype(int) - read_image(file, (0, 0, 0)))[..., 0]
    np.testing.assert_allclose(alpha, expected[..., 3], atol=2)


@pytest.mark.parametrize("layout", ["side-by-side", "stage"])
def test_it_dances_with_others(tmp_path: Path, actor, driving: Performance, layout: str) -> None:
    perform([actor, actor], driving, tmp_path / "both", background="transparent", layout=layout)
    files = sorted((tmp_path / "both").iterdir())
    assert len(files) == FRAMES
    shown = read_image(files[3], (0, 0, 0))
    halves = np.array_split(shown, 2, axis=1)
    assert all((np.abs(half.astype(int) - LIMB_COLOUR).sum(-1) < 30).sum() > 50 for half in halves)


def test_it_is_compared_with_the_truth(actor, driving: Performance) -> None:
    truth = Truth(driving.path, driving, (0, 0, 32), 32)
    frames = list(played(actor, part_for(actor, driving), truth, device="cpu"))
    assert len(frames) == FRAMES and frames[0].shape == (32, 32, 4)
    limbs = np.abs(frames[3][..., :3].astype(int) - LIMB_COLOUR).sum(-1) < 30
    assert limbs.any() and (frames[3][limbs, 3] > 128).all(), "its own alpha reaches the measures"
    assert (frames[3][..., 3] == 0).mean() > 0.5


def test_its_sheet_and_its_description_do_without_a_flat_colour(actor) -> None:
    from understudy.verbs.descriptions import _painted

    assert actor_sheet(actor).shape[2] == 3
    assert "alpha" in _painted(actor) and "flat_colour" not in actor.statistics


def test_previews_lay_it_over_the_flat_colour() -> None:
    cutout = np.array([[[100, 0, 50, 128], [0, 0, 0, 0], [9, 8, 7, 255]]], np.uint8)
    assert shown_over(cutout, (0, 255, 0)).tolist() == [[[100, 127, 50], [0, 255, 0], [9, 8, 7]]]
    plain = np.zeros((2, 2, 3), np.uint8)
    assert shown_over(plain, (0, 255, 0)) is plain
