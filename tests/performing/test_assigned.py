"""Actors that each have a driver of their own: who stands where, who is in front, and what becomes of absent ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_ensemble import BLUE, RED, pictures, player

from tiny import tiny_performance
from understudy.compositing.backgrounds import REFERENCE, Background
from understudy.media.reading import VideoReader, probe
from understudy.performance import Crop, Performance
from understudy.performing.assigned import perform_assigned
from understudy.performing.assigned_layout import feet_of, group_in_room, place_of_driver
from understudy.performing.driver import Driver
from understudy.performing.members import members
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity

FRAMES, FILMED_HW = 12, (64, 120)
SEE_THROUGH = Background("transparent")


@pytest.fixture(scope="module")
def driving(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    return tiny_performance(tmp_path_factory.mktemp("driving") / "dance.performance", 1, frames=FRAMES)


def standing_at(driving: Performance, x: float, y: float, scale: float = 1.0) -> Driver:
    """The same dance, filmed so that the square of 32 pixels lies at (x, y) of the picture, so many times as large."""
    crop = Crop(scale, (x, y)).inverse
    header = replace(driving.header, crop=crop, original_size_hw=FILMED_HW)
    return Driver(Performance(driving.path, header, driving.poses, driving.status))


def middle_of(driver: Driver) -> float:
    performance = driver.performance
    return float(performance.header.crop.inverse.of_pose(performance.poses, FILMED_HW).xy[:, [11, 12], 0].mean())


def painter(driving: Performance, name: str):
    class Painter(type(player(driving))):  # type: ignore[misc]
        def painted(self, moments):
            for frame in super().painted(moments):
                frame[4:28, 8:24] = RED if self.reference_name == "red" else BLUE
                yield frame

    return Painter(**vars(replace(player(driving), reference_name=name)))


def test_everybody_stands_where_the_driver_stood_and_is_as_large(tmp_path: Path, driving: Performance) -> None:
    small = replace(player(driving, 96, 80), crop=replace(player(driving).crop, scale=0.5))  # filmed twice as large
    drivers = [standing_at(driving, 70, 20), standing_at(driving, 4, 30)]
    cast = members([player(driving), small], "side-by-side", "similarity")
    perform_assigned(cast, drivers, tmp_path / "out", background=SEE_THROUGH)
    alpha = pictures(tmp_path / "out")[..., 3] > 128
    assert alpha.shape == (FRAMES, 48, 90)
    halves = alpha[:, :, 45:], alpha[:, :, :45]
    for half, driver, left in zip(halves, drivers, (45, 0), strict=True):
        columns = np.flatnonzero(half.any(axis=(0, 1))) + left
        assert columns.mean() == pytest.approx(middle_of(driver) * 48 / 64, abs=1.5)
    heights, lowest = zip(
        *((np.ptp(rows), rows.max()) for rows in (np.flatnonzero(half.any(axis=(0, 2))) for half in halves)),
        strict=True,
    )
    assert heights[0] == pytest.approx(heights[1], abs=2)
    assert lowest[1] - lowest[0] == pytest.approx(10 * 48 / 64, abs=1.5), "the second's feet are 10 pixels lower"


@pytest.mark.parametrize(("lower_by", "in_front"), [(6, BLUE), (-6, RED)], ids=["second", "first"])
def test_who_is_nearer_covers_the_other(
    tmp_path: Path, driving: Performance, lower_by: int, in_front: tuple[int, int, int]
) -> None:
    drivers = [standing_at(driving, 40, 16), standing_at(driving, 42, 16 + lower_by)]
    cast = members([painter(driving, "red"), painter(driving, "blue")], "side-by-side", "similarity")
    perform_assigned(cast, drivers, tmp_path / "out", background=SEE_THROUGH)
    shown = pictures(tmp_path / "out")[:, round(32 * 0.75), round(57 * 0.75), :3]
    assert np.abs(shown - in_front).max() < 4


def test_each_dances_their_own_moves_and_one_who_is_absent_fades_alone(tmp_path: Path, driving: Performance) -> None:
    gap = tiny_performance(tmp_path / "gap.performance", 2, frames=60, missing=tuple(range(20, 45)))
    whole = tiny_performance(tmp_path / "whole.performance", 1, frames=60)
    actor = player(driving)
    cast = members([actor, actor], "side-by-side", "similarity")
    perform_assigned(
        cast, [standing_at(whole, 4, 20), standing_at(gap, 80, 20)], tmp_path / "o", background=SEE_THROUGH
    )
    alpha = pictures(tmp_path / "o")[..., 3]
    assert alpha[32, :, :45].max() == 255 and alpha[32, :, 45:].max() == 0 and alpha[10, :, 45:].max() == 255


@pytest.mark.parametrize(
    ("background", "size_hw"), [(REFERENCE, (48, 40)), (Background((10, 20, 30)), (48, 90))], ids=["room", "colour"]
)
def test_before_the_firsts_room_nobody_is_cut(
    tmp_path: Path, driving: Performance, background: Background, size_hw: tuple[int, int]
) -> None:
    cast = members([player(driving), player(driving, 96, 80)], "side-by-side", "similarity")
    drivers = [standing_at(driving, 70, 20), standing_at(driving, 4, 24)]
    out, compare = tmp_path / "out.mkv", tmp_path / "out.compare.mp4"
    perform_assigned(cast, drivers, out, background=background, compare=compare, label=True)
    frames = np.stack(list(VideoReader(out))).astype(int)
    assert frames.shape[:3] == (FRAMES, *size_hw) and probe(compare).frames == FRAMES
    room = np.median(frames[0].reshape(-1, 3), axis=0)
    people = (np.abs(frames - room).sum(axis=-1) > 150).any(axis=0)
    assert people.any() and not people[:, 0].any() and not people[:, -1].any() and not people[-1].any()


def test_the_drivers_own_room_keeps_its_size(
    tmp_path: Path, driving: Performance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Performance, "background", lambda self: np.full((*FILMED_HW, 3), 77, np.uint8))
    cast = members([player(driving), player(driving)], "side-by-side", "similarity")
    drivers = [standing_at(driving, 70, 20), standing_at(driving, 4, 24)]
    perform_assigned(cast, drivers, tmp_path / "out.mkv", background=Background("driving"))
    (first, *_) = VideoReader(tmp_path / "out.mkv")
    assert first.shape == (*FILMED_HW, 3) and np.abs(first[:4].astype(int) - 77).max() < 4


def figure(frames: int = 5) -> Pose:
    xy = np.zeros((frames, p.POINTS, 2), np.float32)
    for points, y in ((p.LEFT_SHOULDER, 30), (p.LEFT_HIP, 60), (p.LEFT_ANKLE, 110)):
        xy[:, points], xy[:, points + 1] = (45, y), (55, y)
    xy[:, :, 0] += np.arange(frames, dtype=np.float32)[:, None] * 4
    confidence = np.zeros((frames, p.POINTS), np.float32)
    confidence[:, [5, 6, 11, 12, 15, 16]] = 1
    return Pose(xy, confidence, (200, 300))


ALL = np.ones(5, bool)


def test_a_place_undoes_the_alignment() -> None:
    moved = Similarity(0.5, (7.0, -3.0))
    found = place_of_driver(moved.of_pose(figure(), (100, 150)), figure(), ALL)
    assert found.scale == pytest.approx(2) and (found @ moved).translation_xy == pytest.approx((0, 0), abs=1e-3)


def test_sides_that_are_exchanged_change_no_place() -> None:
    painted = figure()
    painted.xy[:, [5, 6, 11, 12, 15, 16]] = painted.xy[:, [6, 5, 12, 11, 16, 15]]
    found = place_of_driver(painted, figure(), ALL)
    assert found.scale == pytest.approx(1) and found.translation_xy == pytest.approx((0, 0), abs=1e-3)


def test_feet_decide_the_height_and_hips_where_no_feet_are_seen() -> None:
    filmed, painted = figure(), figure()
    painted.xy[:, [15, 16], 1] += 6  # longer legs
    found = place_of_driver(painted, filmed, ALL)
    feet = found.of_points(painted.xy[:, 15].astype(np.float64))[:, 1]
    assert feet == pytest.approx(np.full(5, 110), abs=1e-3)
    assert feet_of(filmed).tolist() == [110] * 5
    filmed.confidence[:, [15, 16]] = 0
    assert np.isnan(feet_of(filmed)).all()
    found = place_of_driver(painted, filmed, ALL)
    assert found.of_points(painted.xy[:, 11].astype(np.float64))[:, 1] == pytest.approx(np.full(5, 60), abs=1e-3)


def test_a_group_that_is_too_wide_shrinks_and_stays_in_the_room() -> None:
    boxes = [np.array([[10.0, 20.0, 30.0, 90.0]])] * 2
    places = [Similarity.shifted(0, 0), Similarity.shifted(400, 5)]
    group = group_in_room(boxes, places, (100, 200), (100, 200))
    corners = np.concatenate([place.of_points(np.array([[10.0, 20.0], [30.0, 90.0]])) for place in places])
    seen = group.of_points(corners)
    assert group.scale < 0.5 and (seen >= 0).all() and (seen <= (199, 99)).all()
    alone = group_in_room(boxes[:1], places[:1], (100, 200), (100, 200))
    assert alone.scale == pytest.approx(1) and alone.of_points(np.array([[20.0, 90.0]]))[0] == pytest.approx((99.5, 90))
