"""What is behind the driver, measured against rooms that are known: on a stand, in a pan, across shots."""

from itertools import pairwise

import numpy as np
import pytest

from filmed_shot import SIZE_HW, room_of, shot
from understudy.performing.clean_plates import MovingPlates, StillPlate, looked_through, plates_of
from understudy.performing.drivers_shot import DriversShot
from understudy.performing.outline import Outlines, around
from understudy.performing.where_filmed import ways_back


def errors(filmed, plates):
    """Mean grey levels, frame by frame, between the plate and the room where the driver is."""
    outlines = Outlines(filmed.performance)
    found = []
    for moment, matte in enumerate(around(filmed.performance.mattes())):
        outline = outlines.of(moment, matte)
        if outline is not None:
            hidden = outline.person > 0
            plate, room = plates.part(moment, outline.box), filmed.rooms[moment][outline.box]
            assert plate.shape == room.shape and plate.dtype == np.uint8
            found.append(np.abs(plate.astype(int) - room)[hidden].mean())
    return np.array(found)


def test_the_plate_of_a_still_shot_is_the_room_itself(tmp_path):
    filmed = shot(tmp_path)
    plates = plates_of(filmed.driver)
    assert isinstance(plates, StillPlate)
    for moment in (0, 20, 39):
        np.testing.assert_array_equal(plates.part(moment, np.s_[:, 40:]), filmed.rooms[moment][:, 40:])


@pytest.mark.parametrize(("pan", "step"), [(0.6, 2.0), (3.0, 1.5), (-3.0, 0.0)], ids=["slow", "swift", "on the spot"])
def test_in_a_pan_it_is_the_room_to_a_grey_level_and_does_not_flicker(tmp_path, pan, step):
    filmed = shot(tmp_path, pan=pan, step=step)
    plates = plates_of(filmed.driver)
    assert isinstance(plates, MovingPlates)
    away = errors(filmed, plates)
    assert away.mean() < 1.2 and away.max() < 2
    assert np.abs(np.diff(away)).max() < 0.6  # from one frame to the next
    # the same measure of a median that takes no notice of the camera
    still = errors(filmed, StillPlate(filmed.performance.background()))
    assert still.mean() > 4 * away.mean()


def test_frames_in_which_nobody_was_found_are_no_room(tmp_path):
    """He is in them all the same."""
    filmed = shot(tmp_path, pan=2.0, lost=(0, 1, 2, 3, 36, 37, 38, 39))
    assert errors(filmed, plates_of(filmed.driver)).mean() < 3


def test_what_was_never_seen_is_made_up_once_and_stays(tmp_path):
    """He stays in the middle of a room that hardly moves."""
    filmed = shot(tmp_path, pan=0.3, step=0.0)
    outlines, plates = Outlines(filmed.performance), plates_of(filmed.driver)
    path, _ = looked_through(filmed.driver)
    shown = []
    for moment, matte in enumerate(around(filmed.performance.mattes())):
        box = np.s_[40:120, 40:100]
        outlines.of(moment, matte)
        shown.append(plates.part(moment, box).astype(int))
    assert not path.scene.any()
    assert max(np.abs(after - one).mean() for one, after in pairwise(shown)) < 6
    red = (shown[20][..., 2] > 180) & (shown[20][..., 0] < 80)
    assert red.mean() < 0.01  # nothing of him


def test_long_clips_keep_no_more_frames_than_short_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("understudy.performing.clean_plates.STRETCH_SECONDS", 0.4)
    monkeypatch.setattr("understudy.performing.clean_plates.KEY_SECONDS", 0.16)
    filmed = shot(tmp_path, pan=2.0)
    plates = plates_of(filmed.driver)
    kept, outlines = [], Outlines(filmed.performance)
    for moment, matte in enumerate(around(filmed.performance.mattes())):
        plates.part(moment, outlines.of(moment, matte).box)
        kept.append((len(plates._samples), len(plates._plates)))
    assert max(samples for samples, _ in kept) == 10 and max(held for _, held in kept) <= 2
    assert errors(filmed, plates_of(filmed.driver)).mean() < 12  # though less is known of the room


def emptied(filmed):
    poses = filmed.performance.header.crop.inverse.of_pose(filmed.performance.poses, SIZE_HW)
    place = DriversShot.__new__(DriversShot)
    place._driver = filmed.driver
    assert len(ways_back(poses, poses)) == len(filmed.rooms)
    return list(place.emptied())


def test_the_emptied_shot_is_the_room_everywhere(tmp_path):
    for name, pan in (("still", 0.0), ("pan", 2.0)):
        filmed = shot(tmp_path / name, pan=pan)
        frames = emptied(filmed)
        assert len(frames) == 40
        away = [np.abs(one.picture.astype(int) - room) for one, room in zip(frames, filmed.rooms, strict=True)]
        assert np.mean(away) < 1.5 and max(one.mean() for one in away) < 3
        red = [(one.picture[..., 2] > 190) & (one.picture[..., 0] < 70) for one in frames]
        assert max(one.mean() for one in red) < 0.002  # no rim or ghost


def test_what_moves_elsewhere_goes_on(tmp_path):
    def flag(room, moment):
        room[10:40, 150:185] = (255, 255, 0) if moment % 2 else (0, 255, 255)

    frames = emptied(shot(tmp_path, step=1.0, around=flag))
    corners = np.array([one.picture[15:35, 155:180].mean(axis=(0, 1)) for one in frames])
    assert (np.abs(corners[1::2] - (255, 255, 0)).max() < 6) and (np.abs(corners[::2] - (0, 255, 255)).max() < 6)


def test_rooms_differ_enough_to_be_told_apart():
    assert np.abs(room_of(SIZE_HW, 1).astype(int) - room_of(SIZE_HW, 2)).mean() > 20
