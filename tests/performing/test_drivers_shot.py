"""Into the driver's own shot: the clone where he stood and as large, nothing of him, and all the rest as it was."""

import logging
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import understudy
from filmed_shot import HIGH, PERSON, SIZE_HW, shot
from tiny import tiny_performance
from tiny_actor import LIMB_COLOUR, cutting_actor
from understudy.compositing.backgrounds import Background
from understudy.errors import UsageError
from understudy.media.reading import VideoReader, probe
from understudy.performance import Crop
from understudy.performing.comparison import driving_panels
from understudy.performing.driver import Driver, check_shot
from understudy.performing.perform import perform_to_file
from understudy.retargeting.alignment import body_statistics
from understudy.verbs.perform import perform

FRAMES = 24


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    return shot(tmp_path_factory.mktemp("still"), frames=FRAMES)


def actor_for(filmed, scale=0.5, **changes):
    """Somebody of the driver's build, in a room of another size, in which he is another size, too."""
    poses = filmed.performance.poses
    size = cutting_actor().working_size
    smaller = replace(poses, xy=poses.xy * np.float32(scale) * size / 48, size_hw=(size, size))
    config = cutting_actor().config
    placement = replace(config.placement, fit_limbs=True)
    config = replace(config, size=3 * size, placement=placement)  # with limbs as thin as his
    room = filmed.rooms[0][:48, :40].copy()
    body = body_statistics(smaller)
    return cutting_actor(body=body, crop=Crop(0.3, (2.0, 1.0)), background=room, config=config, **changes)


def shown(path):
    return [frame.astype(int) for frame in VideoReader(path)]


def clone_in(frame):
    """(H, W) where the clone is surely seen."""
    return np.abs(frame - LIMB_COLOUR).max(axis=2) < 60


def driver_in(frame):
    return np.abs(frame - PERSON).max(axis=2) < 50


@pytest.mark.parametrize("pan", [0.0, 2.0], ids=["still", "pan"])
@pytest.mark.parametrize("given", ["video", "performance"])
def test_the_clone_takes_his_place(tmp_path, monkeypatch, filmed, pan, given):
    taken = shot(tmp_path, frames=FRAMES, pan=pan) if pan else filmed
    monkeypatch.setattr("understudy.tracking.track.tracked", lambda *_, **__: taken.performance)
    driving = taken.driver.video if given == "video" else taken.performance.path
    perform(actor_for(taken), driving, tmp_path / "out.mp4", background="driving")
    assert probe(tmp_path / "out.mp4").size_hw == SIZE_HW and probe(tmp_path / "out.mp4").frames == FRAMES
    crop = taken.performance.header.crop
    for moment, frame in enumerate(shown(tmp_path / "out.mp4")):
        clone = clone_in(frame)
        rows, columns = np.flatnonzero(clone.any(axis=1)), np.flatnonzero(clone.any(axis=0))
        joints = crop.back(taken.performance.poses.xy[moment, :17])
        assert abs(rows.max() - joints[:, 1].max()) < 7  # its feet where his are
        assert abs(rows.min() - joints[:, 1].min()) < 9
        assert abs(np.mean([columns.min(), columns.max()]) - joints[:, 0].mean()) < 6
        assert driver_in(frame).sum() < 8
        away = cv2.dilate(taken.people[moment].astype(np.uint8) | clone, np.ones((25, 25))) == 0
        assert np.abs(frame - taken.rooms[moment])[away].mean() < 4  # colours are stored at half the size


def test_a_clone_of_another_build_stands_on_the_same_floor(tmp_path, filmed):
    """Legs half as long again: the hips are higher, and the feet are where they were."""
    actor = actor_for(filmed)
    body = actor.body
    legs = [1.3 if limb in (1, 2, 4, 5) else 1.0 for limb in range(12)]
    lengths = tuple(length * more for length, more in zip(body.limb_lengths, legs, strict=True))
    other = replace(actor, body=replace(body, limb_lengths=lengths))
    feet = []
    for number, one in enumerate((actor, other)):
        perform_to_file(one, filmed.driver, tmp_path / f"{number}.mkv", background=Background("driving"))
        feet.append([np.flatnonzero(clone_in(frame).any(axis=1)) for frame in shown(tmp_path / f"{number}.mkv")[:5]])
    for usual, longer in zip(*feet, strict=True):
        assert abs(usual.max() - longer.max()) <= 2 and longer.min() < usual.min() - 3


def test_where_nobody_was_found_he_stays_and_that_is_said(tmp_path, caplog):
    taken = shot(tmp_path, frames=FRAMES, lost=tuple(range(6, FRAMES)))
    with caplog.at_level(logging.WARNING, "understudy"):
        perform(actor_for(taken), taken.performance, tmp_path / "out.mkv", background="driving")
    frames = shown(tmp_path / "out.mkv")
    assert clone_in(frames[3]).sum() > 200 and driver_in(frames[3]).sum() < 8
    assert clone_in(frames[-1]).sum() < 8 and driver_in(frames[-1]).sum() > 1000
    assert "whoever is in them stays" in caplog.text


def test_what_stands_before_him_stays_before_the_clone(tmp_path):
    rows, columns = slice(round(22 + 0.6 * HIGH), round(22 + 0.78 * HIGH)), slice(20, 190)

    def table(picture, _):
        picture[rows, columns] = (20, 200, 60)

    taken = shot(tmp_path, frames=12, before=table, hole=(rows, columns))
    perform(actor_for(taken), taken.performance, tmp_path / "out.mkv", background="driving")
    for moment, frame in enumerate(shown(tmp_path / "out.mkv")):
        inner = slice(rows.start + 3, rows.stop - 3)
        legs = cv2.dilate(taken.people[moment].astype(np.uint8), np.ones((15, 15))) > 0
        across = slice(*np.flatnonzero(legs.any(axis=0))[[0, -1]])
        part = frame[inner, max(24, across.start) : across.stop]
        assert np.abs(part - (20, 200, 60)).max(axis=2).mean() < 12
        assert not clone_in(part).any() and clone_in(frame).sum() > 200


def test_it_is_compared_labelled_and_marked_as_a_composite(tmp_path, filmed):
    perform(
        actor_for(filmed), filmed.performance, tmp_path / "out.mp4", background="driving", compare=True, label="corner"
    )
    found = understudy.verify([tmp_path / "out.mp4", tmp_path / "out.compare.mp4"]).files
    for one in found:
        assert one.manifest.intact and one.metadata == one.manifest.source_type
        assert one.metadata.endswith("/compositeWithTrainedAlgorithmicMedia")
    compared = probe(tmp_path / "out.compare.mp4")
    assert compared.frames == FRAMES and compared.size_hw[1] >= 3 * SIZE_HW[1]
    assert (tmp_path / "out.normalization.png").is_file()
    first = shown(tmp_path / "out.mp4")[0]
    assert (first[:30, -40:].min(axis=2) > 200).any() or (first[-30:, -40:].min(axis=2) > 200).any()  # letters


def test_fit_is_of_no_use_and_that_is_said(tmp_path, filmed, caplog):
    with caplog.at_level(logging.WARNING, "understudy"):
        perform(actor_for(filmed), filmed.performance, tmp_path / "out.mp4", background="driving", fit="whole")
    assert "stands where the driver stood in his shot" in caplog.text


def test_without_its_video_a_performance_has_no_shot(tmp_path):
    alone = tiny_performance(tmp_path / "dance.performance", 1)
    wanted = (
        "`background='driving'` shows the driver's own shot, and tiny1.mp4, which this performance was tracked from, "
        "is neither where it was nor beside the performance: put it there, or give the video itself as `driving`"
    )
    for ask in (
        lambda: perform(cutting_actor(), alone, tmp_path / "out.mp4", background="driving"),
        lambda: understudy.clone(alone, alone.path, tmp_path / "out.mp4", background="driving", consent="It is me"),
        lambda: perform_to_file(cutting_actor(), Driver(alone), tmp_path / "out.mp4", background=Background("driving")),
    ):
        with pytest.raises(UsageError) as refused:
            ask()
        assert str(refused.value) == wanted
    assert [one.name for one in tmp_path.iterdir()] == ["dance.performance"]


def test_motion_capture_has_none_either(tmp_path):
    motion = tmp_path / "walk.bvh"
    motion.write_text("HIERARCHY\n")
    with pytest.raises(UsageError, match=r"walk\.bvh is motion alone and has no shot to stand in"):
        perform(cutting_actor(), motion, tmp_path / "out.mp4", background="driving")
    check_shot(Path("dance.mp4"))  # a video has one, and whether it is there is asked elsewhere


def test_the_film_begins_where_it_is_asked_to(filmed):
    header = filmed.performance.header
    part = {field.name: getattr(header, field.name) for field in fields(header)} | {"start": 0.2, "end": 0.6}
    chosen = replace(filmed.driver)
    performance = type(filmed.performance)(
        filmed.performance.path, type(header)(**part), filmed.performance.poses, filmed.performance.status
    )
    chosen = Driver(performance, filmed.driver.video)
    whole = list(driving_panels(filmed.driver))
    np.testing.assert_array_equal(next(iter(chosen.film())), whole[5])
    np.testing.assert_array_equal(next(iter(chosen.film(3))), whole[8])
    assert len(list(chosen.film())) == 10
