"""Half a pixel is not lost on the way: who was tracked at twice the working size is performed as before.

Generators paint at half the working size here, and nothing else may tell it. A forgotten half pixel moves the performer
by a quarter of a pixel of the generator's frame, which is a whole pixel of the video, or draws him anew beside it.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tiny import tiny_performance
from tiny_actor import drawing_actor
from understudy.actor import Actor
from understudy.media.reading import VideoWriter, read_image
from understudy.performance import Performance
from understudy.performing import comparison
from understudy.performing.driver import Driver
from understudy.performing.ensemble import perform_together
from understudy.performing.members import members
from understudy.performing.normalization_sheet import FILMED, normalization_sheet
from understudy.performing.perform import in_picture, part_for, perform_to_file, placement
from understudy.poses.similarity import Similarity
from understudy.retargeting.alignment import body_statistics
from understudy.retargeting.global_normalization import ground_statistics
from understudy.verbs.descriptions import actor_sheet

FRAMES = 6
SIZE_HW = (128, 120)
TO_WORKING = Similarity(0.25, (0.5, -0.25))
"""The generator's pixels are four of the video's."""


@pytest.fixture(scope="module")
def driving(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    return tiny_performance(tmp_path_factory.mktemp("driving") / "dance.performance", 1, frames=FRAMES)


def tracked_at(driving: Performance, times: int, **changes: object) -> Actor:
    """The driver's own actor, tracked at so many times the size at which it paints."""
    larger, side = Similarity.resized(times), 32 * times
    poses = larger.of_pose(driving.poses, (side, side))
    values: dict[str, object] = {
        "body": body_statistics(poses),
        "ground": ground_statistics(poses, driving.fps),
        "working_size": side,
        "crop": larger @ TO_WORKING,
        "original_size_hw": SIZE_HW,
        "background": np.zeros((*SIZE_HW, 3), np.uint8),
    }
    return drawing_actor(**values | changes)


def pictures(folder: Path) -> np.ndarray:
    """(T, H, W, 3): what is written into folders loses nothing."""
    return np.stack([read_image(file) for file in sorted(folder.iterdir())])


@pytest.mark.parametrize("normalization", ["similarity", "ground"])
def test_poses_reach_the_generator_and_the_picture_edge_to_edge(driving: Performance, normalization: str) -> None:
    actor = tracked_at(driving, 2).normalizing_by(normalization)
    assert actor.size / actor.working_size == 0.5
    part = part_for(actor, driving)
    np.testing.assert_allclose(part.pose.xy, driving.poses.xy, atol=1e-4)
    filmed = TO_WORKING.inverse.of_pose(driving.poses, SIZE_HW)
    np.testing.assert_allclose(in_picture(actor, part.pose).xy, filmed.xy, atol=1e-3)
    window = np.array([3, -2])
    np.testing.assert_allclose(placement(actor, window).of_points(filmed.xy), driving.poses.xy - window, atol=1e-4)


@pytest.mark.parametrize("normalization", ["similarity", "ground"])
def test_the_video_is_the_same(tmp_path: Path, driving: Performance, normalization: str) -> None:
    for times in (1, 2):
        actor = tracked_at(driving, times).normalizing_by(normalization)
        perform_to_file(actor, Driver(driving), tmp_path / f"{times}", overlay=tmp_path / f"{times}.png")
    np.testing.assert_array_equal(pictures(tmp_path / "1"), pictures(tmp_path / "2"))
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()


@pytest.mark.parametrize("layout", ["side-by-side", "stage"])
def test_beside_others_too(tmp_path: Path, driving: Performance, layout: str) -> None:
    for times in (1, 2):
        cast = [tracked_at(driving, times), tracked_at(driving, 3 - times)]
        perform_together(members(cast, layout), Driver(driving), tmp_path / f"{times}", layout=layout)
    np.testing.assert_array_equal(pictures(tmp_path / "1"), pictures(tmp_path / "2"))


def test_inspect_draws_the_same_sheet(driving: Performance) -> None:
    once, twice = (actor_sheet(tracked_at(driving, times)) for times in (1, 2))
    np.testing.assert_array_equal(once, twice)


def test_comparisons_draw_the_pose_where_the_clone_stands(
    tmp_path: Path, driving: Performance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At half the video's height the pose is the one of an actor whose video has that height."""
    with VideoWriter(tmp_path / "driver.mkv", driving.fps) as writer:
        for _ in range(FRAMES):
            writer.write(np.zeros((64, 60, 3), np.uint8))
    monkeypatch.setattr(comparison, "COMPARE_HEIGHT", 64)
    small = {"crop": TO_WORKING @ Similarity.resized(2), "original_size_hw": (64, 60)}
    small["background"] = np.zeros((64, 60, 3), np.uint8)
    actors = {"half": tracked_at(driving, 1), "whole": tracked_at(driving, 1, **small)}
    for name, actor in {**actors, "twice": tracked_at(driving, 2)}.items():
        compare = tmp_path / f"{name} compare"
        perform_to_file(actor, Driver(driving, tmp_path / "driver.mkv"), tmp_path / "out", compare=compare)
    half, whole, twice = (pictures(tmp_path / f"{name} compare") for name in ("half", "whole", "twice"))
    np.testing.assert_array_equal(half, twice)
    width = half.shape[2] // 3
    drawn = slice(width, 2 * width)
    assert half[:, :, drawn].max() > 100
    np.testing.assert_array_equal(half[:, :, drawn], whole[:, :, drawn])


def test_the_driver_as_filmed_is_drawn_on_a_larger_picture_where_he_was(driving: Performance) -> None:
    header = replace(driving.header, crop=TO_WORKING, original_size_hw=(64, 60))
    filmed = Performance(driving.path, header, driving.poses, driving.status)
    there = (Similarity.resized(2) @ TO_WORKING.inverse).of_pose(driving.poses, SIZE_HW)
    sheet = normalization_sheet(tracked_at(driving, 1), Driver(filmed), {"covered": there}).astype(int)
    assert (np.abs(sheet - FILMED).max(axis=2) < 90).sum() < 10  # he lies under himself


def test_a_picture_of_twice_the_size_is_the_same_in_a_panel_of_half(tmp_path: Path, driving: Performance) -> None:
    double = {"crop": TO_WORKING @ Similarity.resized(0.5), "original_size_hw": (256, 240)}
    double["background"] = np.zeros((256, 240, 3), np.uint8)
    cast = members([tracked_at(driving, 1), tracked_at(driving, 1, **double)], "side-by-side")
    perform_together(cast, Driver(driving), tmp_path / "both", layout="side-by-side", marks=False)
    both = pictures(tmp_path / "both")
    np.testing.assert_array_equal(both[:, :, :120], both[:, :, 120:])


def test_what_is_halved_before_it_is_pasted_stays_in_its_place(tmp_path: Path, driving: Performance) -> None:
    """In a picture of a quarter of the generator's size, against one of its size that is made as small afterwards."""
    for name, side in (("whole", 32), ("small", 8)):
        room = {"original_size_hw": (side, side), "background": np.zeros((side, side, 3), np.uint8)}
        actor = tracked_at(driving, 1, crop=Similarity.resized(32 / side), **room)
        perform_together(members([actor], "side-by-side"), Driver(driving), tmp_path / name, layout="side-by-side")
    expected = pictures(tmp_path / "whole").reshape(FRAMES, 8, 4, 8, 4, 3).mean((2, 4))
    for axis in (1, 2):
        places = np.arange(8).reshape([-1 if axis == other else 1 for other in range(4)])
        middles = [(shown * places).sum() / shown.sum() for shown in (expected, pictures(tmp_path / "small"))]
        assert middles[1] == pytest.approx(middles[0], abs=0.05)
