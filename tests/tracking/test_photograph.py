"""A photograph becomes a performance of one frame."""

from __future__ import annotations

import logging
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

import clips
from understudy.errors import MediaError, PoseError, UsageError
from understudy.media.reading import VideoReader
from understudy.performance import FOUND
from understudy.poses import pose as p
from understudy.poses.formats import write_coco_wholebody
from understudy.poses.pose import Pose
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene
from understudy.tracking.photograph import notes
from understudy.tracking.track import track, tracked

pytestmark = pytest.mark.usefixtures("copied_rooms")

SIZE_HW = (400, 300)


@pytest.fixture(scope="module")
def shown():
    return next(render(make_person(3), choreography(3, 1, 30)[:1], make_scene(3, SIZE_HW)))


@pytest.fixture(scope="module")
def photograph(shown, tmp_path_factory):
    path = tmp_path_factory.mktemp("photograph") / "me.jpg"
    Image.fromarray(shown.frame).save(path, quality=95)
    return path


@pytest.fixture(scope="module")
def performance(photograph):
    return track(photograph, photograph.with_name("me.performance"), size=256)


def test_a_made_up_person_is_found_where_the_truth_says(shown, performance):
    header = performance.header
    assert (len(performance), header.found, header.interpolated, header.missing) == (1, 1, 0, 0)
    assert (header.original_size_hw, header.fps, header.smoothed) == (SIZE_HW, Fraction(25), False)
    assert performance.status.tolist() == [FOUND] and not performance.flow().any()
    truth = header.crop.of_points(shown.xy)
    seen = (shown.confidence > 0) & (performance.poses.confidence[0] > 0.3)
    seen[17:] = False
    assert seen[5:17].mean() > 0.8
    assert np.median(np.linalg.norm(truth - performance.poses.xy[0], axis=-1)[seen]) < 0.02 * 256


def test_the_person_is_cut_out_and_the_room_is_without(shown, performance):
    truth = make_scene(3, SIZE_HW).background
    room = performance.background()
    person = shown.matte > 200
    before, after = (np.abs(one[person].astype(int) - truth[person]).mean() for one in (shown.frame, room))
    assert room.shape == truth.shape and after < 0.6 * before
    assert 0.5 * (shown.matte > 127).mean() < performance.header.inpainted < 2 * (shown.matte > 127).mean()
    matte = next(performance.mattes())
    rows, columns = np.nonzero(matte > 127)
    assert max(np.ptp(rows), np.ptp(columns)) > 0.5 * 256


@pytest.mark.parametrize(("orientation", "times"), [(6, 1), (8, -1)])
def test_a_phone_held_upright_gives_the_same(shown, performance, tmp_path, orientation, times):
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(shown.frame, times)))
    exif = stored.getexif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "turned.png", exif=exif)
    turned = track(tmp_path / "turned.png", tmp_path / "turned.performance", size=256)
    assert turned.header.original_size_hw == SIZE_HW
    xy, other = (one.header.crop.back(one.poses.xy[0, 5:13]) for one in (turned, performance))
    assert np.abs(xy - other).max() < 12


def test_a_picture_that_lies_is_turned_as_asked(shown, performance, tmp_path):
    Image.fromarray(np.ascontiguousarray(np.rot90(shown.frame))).save(tmp_path / "lying.png")
    turned = track(tmp_path / "lying.png", tmp_path / "lying.performance", size=256, rotate=90)
    assert turned.header.original_size_hw == SIZE_HW and turned.header.rotate == 90
    xy, other = (one.header.crop.back(one.poses.xy[0, 5:13]) for one in (turned, performance))
    assert np.abs(xy - other).max() < 12


def test_given_poses_and_mattes_are_taken(shown, photograph, tmp_path):
    pose = Pose(shown.xy[None], np.clip(shown.confidence, 0, 1)[None], SIZE_HW)
    write_coco_wholebody(pose, tmp_path / "me.coco.json")
    Image.fromarray(shown.matte).save(tmp_path / "matte.png")
    made = track(
        photograph, tmp_path / "me.performance", poses=tmp_path / "me.coco.json", matte=tmp_path / "matte.png", size=256
    )
    assert (made.header.tracker, made.header.matte) == ("given", "given")
    back = made.header.crop.back(made.poses.xy[0])
    seen = made.poses.confidence[0] > 0
    assert seen.sum() > 40 and np.abs(back - shown.xy)[seen].max() < 0.5
    inside = made.header.crop.of_points(np.argwhere(shown.matte > 250)[::50, ::-1].astype(float)).round().astype(int)
    assert next(made.mattes())[inside[:, 1], inside[:, 0]].min() > 150


def test_poses_of_another_thing_are_refused(shown, photograph, tmp_path):
    two = Pose(np.stack([shown.xy] * 2), np.clip(np.stack([shown.confidence] * 2), 0, 1), SIZE_HW)
    write_coco_wholebody(two, tmp_path / "two.coco.json")
    with pytest.raises(PoseError, match=r"holds poses of 2 frames, and me.jpg is one picture"):
        track(photograph, tmp_path / "me.performance", poses=tmp_path / "two.coco.json")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": 1.0}, "`start`: .*me.jpg is a photograph, which has no time"),
        ({"end": 1.0}, "`end`: .* has no time"),
        ({"double_rate": True}, "`double_rate`: .* has no time"),
        ({"inpainter": "magic"}, "there is no inpainting 'magic': give one of patches, smooth, lama:FILE, migan:FILE"),
        ({"region": (0, 0, 4000, 200)}, "the region 0,0,4000,200 is not inside the picture of 300x400"),
    ],
)
def test_what_is_not_asked_of_a_photograph(photograph, tmp_path, options, words):
    with pytest.raises(UsageError, match=words):
        track(photograph, tmp_path / "me.performance", **options)
    assert not (tmp_path / "me.performance").exists()


def test_the_room_behind_is_filled_in_as_it_is_asked_for(photograph, tmp_path):
    smooth, patches, usual = (
        track(photograph, tmp_path / f"{fill}.performance", size=64, inpainter=fill).background()
        for fill in ("smooth", "patches", None)
    )
    inside = np.abs(smooth.astype(int) - patches).sum(axis=-1) > 0
    assert inside.any() and not inside.all()
    np.testing.assert_array_equal(patches, usual)
    with pytest.raises(UsageError, match=r"`inpainter` is for photographs, and .*me.mp4 is a video"):
        clip = photograph.with_name("me.mp4")
        clip.touch()
        track(clip, tmp_path / "clip.performance", inpainter="smooth")


def test_nobody_in_it_is_one_line(tmp_path):
    Image.fromarray(make_scene(3, SIZE_HW).background).save(tmp_path / "room.png")
    with pytest.raises(PoseError, match=r"nobody was found in .*room\.png: give a photograph") as caught:
        track(tmp_path / "room.png", tmp_path / "room.performance")
    assert "\n" not in str(caught.value) and not (tmp_path / "room.performance").exists()


def test_a_video_is_no_matte_of_a_photograph(photograph, tmp_path):
    clip = clips.write_clip(tmp_path / "matte.mp4", 3)
    with pytest.raises(MediaError, match=r"matte.mp4 is no picture: of a photograph give one that is white"):
        track(photograph, tmp_path / "me.performance", matte=clip)
    Image.fromarray(np.zeros((100, 300), np.uint8)).save(tmp_path / "wide.png")
    with pytest.raises(MediaError, match="is 300x100 and the photograph 300x400"):
        track(photograph, tmp_path / "me.performance", matte=tmp_path / "wide.png")


def test_it_is_remembered_like_a_video(photograph, tmp_path):
    first = tracked(photograph, cache=tmp_path, size=64)
    assert tracked(photograph, cache=tmp_path, size=64).path == first.path


def person(**moved):
    """Somebody who stands and faces the camera, in a picture of 600 x 400; y, x of joints may be moved."""
    xy = np.zeros((p.POINTS, 2), np.float32)
    confidence = np.zeros(p.POINTS, np.float32)
    places = {
        "NOSE": (200, 80), "LEFT_SHOULDER": (240, 140), "RIGHT_SHOULDER": (160, 140), "LEFT_HIP": (225, 280),
        "RIGHT_HIP": (175, 280), "LEFT_KNEE": (228, 400), "RIGHT_KNEE": (172, 400), "LEFT_ANKLE": (230, 520),
        "RIGHT_ANKLE": (170, 520), "LEFT_ELBOW": (270, 210), "RIGHT_ELBOW": (130, 210), "LEFT_WRIST": (280, 270),
        "RIGHT_WRIST": (120, 270),
    }  # fmt: skip
    for name, place in (places | moved).items():
        if place is not None:
            xy[getattr(p, name)], confidence[getattr(p, name)] = place, 1
    return Pose(xy[None], confidence[None], (600, 400))


def test_a_whole_person_who_stands_needs_no_note():
    assert notes(person()) == []


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        ({"LEFT_ANKLE": None, "RIGHT_ANKLE": None}, "the body below the knees cannot be seen"),
        ({"LEFT_WRIST": None, "RIGHT_WRIST": None}, "forearms cannot be seen"),
        ({"LEFT_KNEE": (235, 310), "RIGHT_KNEE": (165, 312), "LEFT_ANKLE": (236, 430), "RIGHT_ANKLE": (164, 432)},
         "the person sits"),
        ({"LEFT_SHOULDER": (160, 140), "RIGHT_SHOULDER": (240, 140), "LEFT_HIP": (175, 280), "RIGHT_HIP": (225, 280)},
         "seen from behind"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told(moved, words):
    (note,) = notes(person(**moved))
    assert words in note


def test_lying_or_side_on_is_neither_seated_nor_from_behind():
    lying = person()
    turned = Pose(lying.xy[..., ::-1].copy(), lying.confidence, (400, 600))
    assert not [note for note in notes(turned) if "sits" in note]
    side_on = {
        "LEFT_SHOULDER": (200, 140),
        "RIGHT_SHOULDER": (198, 140),
        "LEFT_HIP": (200, 280),
        "RIGHT_HIP": (199, 280),
    }
    assert notes(person(**side_on)) == []


def test_a_real_person_cut_at_the_knees(tmp_path, caplog):
    with VideoReader(clips.real_clip("studio_squats_5fps.mp4"), start=1.0, long_side=1280, say_notes=False) as reader:
        frame = next(iter(reader))
    Image.fromarray(frame[:900]).save(tmp_path / "knees.jpg", quality=90)
    with caplog.at_level(logging.INFO):
        made = track(tmp_path / "knees.jpg", tmp_path / "knees.performance", landmarks="wholebody", size=256)
    assert "cannot be seen: what is not in the photograph has to be made up" in caplog.text
    assert "found the person" in caplog.text and (made.poses.confidence[0, p.FACE] > 0).all()
