"""Poses that were made on another canvas than the picture of their video."""

import numpy as np
import pytest
from filmed_dancer import FRAMES, SIZE_HW, filmed_dancer

from clips import write_clip
from understudy.errors import PoseError
from understudy.media.info import TURNS
from understudy.media.reading import VideoReader
from understudy.poses import pose as p
from understudy.poses.formats import write_comfyui, write_openpose
from understudy.poses.pose import Pose
from understudy.tracking.canvas import Picture, on_picture, outside, stretched, turned
from understudy.tracking.given import given_poses

PORTRAIT = Picture((640, 360), (640, 360), "none")
PHONE = Picture((640, 360), (360, 640), "clockwise")
PAL = Picture((576, 1024), (576, 720), "none")


AS_SHOWN = {
    "none": lambda picture: picture,
    "clockwise": lambda picture: np.rot90(picture, -1),
    "half": lambda picture: np.rot90(picture, 2),
    "anticlockwise": np.rot90,
    "mirror": np.fliplr,
    "flip": np.flipud,
    "transpose": np.transpose,
    "transverse": lambda picture: np.rot90(picture, 2).T,
}


def standing(size_hw, low=(0.1, 0.1), high=(0.9, 0.9)):
    """Somebody whose points lie all over a box, given in shares of a picture of that size."""
    share = np.random.default_rng(0).uniform(low, high, (8, p.POINTS, 2))
    share[:, 0], share[:, 1] = low, high
    return Pose(share * np.array(size_hw[::-1]) - 0.5, np.ones((8, p.POINTS)), size_hw)


def unasked(_):
    pytest.fail("a look was taken")


def blind(_):
    return None


def knowing(truth):
    """Judges like a tracker that sees everything."""
    return lambda pose: 0.02 + float(np.abs(pose.xy - truth.xy).mean() / np.ptp(truth.xy))


def recanvas(pose, size_hw):
    return Pose(pose.xy, pose.confidence, size_hw)


@pytest.mark.parametrize(
    ("picture", "made", "words"),
    [
        pytest.param(PORTRAIT, lambda truth: stretched(truth, (320, 180)), None, id="half the size"),
        pytest.param(PORTRAIT, lambda truth: stretched(truth, (854, 480)), None, id="rounded to even numbers"),
        pytest.param(
            PORTRAIT, lambda truth: recanvas(truth, (360, 640)), "width and height are exchanged", id="exchanged"
        ),
        pytest.param(
            PHONE,
            lambda truth: turned(truth, "anticlockwise"),
            "before the picture was turned, and is turned clockwise",
            id="not turned",
        ),
        pytest.param(
            PHONE,
            lambda truth: stretched(turned(truth, "anticlockwise"), (180, 320)),
            "before the picture was turned, and is turned clockwise",
            id="not turned, half the size",
        ),
        pytest.param(PHONE, lambda truth: recanvas(truth, (360, 640)), "are exchanged", id="turned, but exchanged"),
        pytest.param(PAL, lambda truth: stretched(truth, (576, 720)), "pixels that are not square", id="anamorphic"),
    ],
)
def test_what_is_certain_is_mapped(picture, made, words, caplog):
    truth = standing(picture.shown_hw)
    pose = on_picture(made(truth), True, picture, "poses", unasked if words else blind)
    assert pose.size_hw == picture.shown_hw
    np.testing.assert_allclose(pose.xy, truth.xy, atol=0.01 if words else 0.5)
    assert [record.getMessage() for record in caplog.records] == ([] if words is None else [caplog.messages[0]])
    assert words is None or words in caplog.text


def padded(truth, side, anchor):
    """Into a square, as a tool does that pads."""
    height, width = truth.size_hw
    scale = side / max(truth.size_hw)
    rest = np.array([side - scale * width, side - scale * height])
    return Pose((truth.xy + 0.5) * scale - 0.5 + anchor * rest, truth.confidence, (side, side))


GUESSES = [
    pytest.param(lambda truth: stretched(truth, (512, 512)), "was stretched to that", id="stretched to a square"),
    pytest.param(lambda truth: padded(truth, 512, 0.5), "was padded on both sides", id="padded to a square"),
    pytest.param(lambda truth: padded(truth, 512, 0), "was padded on one side", id="padded at the right"),
    pytest.param(lambda truth: stretched(truth, (896, 512)), "was stretched to that", id="multiples of 64"),
]


@pytest.mark.parametrize(("made", "words"), GUESSES)
def test_a_look_tells_what_was_done_to_the_shape(made, words, caplog):
    truth = standing((640, 360))
    pose = on_picture(made(truth), True, PORTRAIT, "poses", knowing(truth))
    np.testing.assert_allclose(pose.xy, truth.xy, atol=0.01)
    assert words in caplog.text and len(caplog.records) == 1


@pytest.mark.parametrize(("made", "words"), GUESSES)
def test_what_cannot_be_told_is_refused(made, words):
    pose = made(standing((640, 360)))
    with pytest.raises(PoseError, match=f"canvas of {pose.size_hw[1]}x{pose.size_hw[0]} and the video shows 360x640"):
        on_picture(pose, True, PORTRAIT, "poses", blind)


def test_readings_that_a_look_does_not_tell_apart(caplog):
    """Where they hardly differ, stretching is taken, which is what most tools do; else nothing is."""
    truth = standing((640, 360))
    pose = on_picture(stretched(truth, (648, 360)), True, PORTRAIT, "poses", lambda _: 0.03)
    np.testing.assert_allclose(pose.xy, truth.xy, atol=0.01)
    assert "was stretched to that" in caplog.text
    with pytest.raises(PoseError, match="cannot be told"):
        on_picture(stretched(truth, (512, 512)), True, PORTRAIT, "poses", lambda _: 0.03)


def test_a_canvas_on_its_side_is_turned_the_way_that_a_look_shows(caplog):
    truth = standing((640, 360))
    for way in ("clockwise", "anticlockwise"):
        pose = on_picture(turned(truth, way), True, PORTRAIT, "poses", knowing(truth))
        np.testing.assert_allclose(pose.xy, truth.xy, atol=0.01)
        with pytest.raises(PoseError, match="cannot be told"):
            on_picture(turned(truth, way), True, PORTRAIT, "poses", blind)
    assert "is turned anticlockwise to" in caplog.messages[0] and "is turned clockwise to" in caplog.messages[1]


@pytest.mark.parametrize("picture", [PORTRAIT, PHONE], ids=["turned before", "turned by its tag"])
def test_unturned_poses_without_a_size_name_turning(picture):
    lying = recanvas(turned(standing((640, 360)), "anticlockwise"), (640, 360))
    with pytest.raises(
        PoseError, match=r"\d\d% of its points .* one of 640x360, as if it was made before the .* turned"
    ):
        on_picture(lying, False, picture, "poses", unasked)


@pytest.mark.parametrize("stated", [True, False])
def test_most_points_outside_are_refused_with_their_share(stated):
    far = standing((640, 360), low=(0.5, 0.5), high=(2, 2))
    with pytest.raises(PoseError, match=r"\d\d% of its points lie outside of the 360x640 picture: it was made on anot"):
        on_picture(far, stated, PORTRAIT, "poses", unasked)


@pytest.mark.parametrize(
    ("picture", "stored"),
    [
        pytest.param(PHONE, lambda truth: turned(truth, "anticlockwise"), id="turned"),
        pytest.param(Picture((640, 360), (640, 360), "half"), lambda truth: turned(truth, "half"), id="upside down"),
        pytest.param(PAL, lambda truth: stretched(truth, (576, 720)), id="anamorphic"),
    ],
)
def test_stored_pixels_that_lie_inside_are_found_by_a_look(picture, stored, caplog):
    truth = standing(picture.shown_hw, low=(0.2, 0.1), high=(0.5, 0.4))
    made = recanvas(stored(truth), picture.shown_hw)
    with pytest.raises(PoseError, match=r"as stored, before it (is turned|gets square pixels) and is .* --size"):
        on_picture(made, False, picture, "poses", knowing(truth))
    assert on_picture(truth, False, picture, "poses", knowing(truth)) is truth
    assert on_picture(made, False, picture, "poses", blind) is made
    assert not caplog.records


@pytest.mark.parametrize("turn", TURNS)
def test_every_turn_is_undone_by_its_inverse(turn):
    inverse = {"clockwise": "anticlockwise", "anticlockwise": "clockwise"}.get(turn, turn)
    truth = standing((640, 360))
    there = turned(truth, turn)
    again = turned(there, inverse)
    np.testing.assert_allclose(again.xy, truth.xy, atol=1e-3)
    assert again.size_hw == truth.size_hw
    picture = np.zeros((640, 360), np.uint8)
    column, row = 100, 200
    picture[row, column] = 1
    one = turned(Pose(np.full((1, p.POINTS, 2), (column, row)), np.ones((1, p.POINTS)), (640, 360)), turn)
    x, y = one.xy[0, 0].round().astype(int)
    assert AS_SHOWN[turn](picture)[y, x] == 1


def test_who_is_mirrored_has_left_and_right_exchanged():
    truth = standing((640, 360))
    mirrored = turned(truth, "mirror")
    np.testing.assert_allclose(mirrored.xy[:, p.LEFT_WRIST, 0], 359 - truth.xy[:, p.RIGHT_WRIST, 0], atol=1e-3)


def test_poses_far_from_the_person_are_noted(caplog):
    truth = standing((640, 360), high=(0.4, 0.4))
    away = Pose(truth.xy + np.float32([0, 200]), truth.confidence, truth.size_hw)
    assert on_picture(away, False, PORTRAIT, "poses", knowing(truth)) is away
    assert "sees the person 0.5 body heights away from its points" in caplog.text


def test_points_a_little_beyond_the_border_or_hardly_seen_are_not_outside():
    pose = standing((640, 360), low=(0, 0), high=(1.01, 1.01))
    assert outside(pose) == 0
    far = standing((640, 360), low=(2, 2), high=(3, 3))
    assert (outside(far), outside(Pose(far.xy, far.confidence * 0.1, far.size_hw))) == (1, 0)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    return filmed_dancer(tmp_path_factory.mktemp("filmed"))


def away_from(truth, pose):
    both = (truth.confidence > 0) & (pose.confidence > 0)
    both[:, p.FEET.start :] = False
    return float(np.abs(pose.xy - truth.xy)[both].max())


@pytest.mark.parametrize(
    ("made", "words"),
    [
        pytest.param(lambda truth: stretched(truth, (512, 512)), "was stretched to that", id="square"),
        pytest.param(lambda truth: stretched(truth, (704, 512)), "was stretched to that", id="multiples of 64"),
        pytest.param(lambda truth: padded(truth, 512, 0.5), "was padded on both sides", id="padded"),
        pytest.param(lambda truth: padded(truth, 512, 0), "was padded on one side", id="padded at the right"),
        pytest.param(lambda truth: truth, "", id="the picture's own"),
    ],
)
def test_the_real_tracker_looks(filmed, tmp_path, caplog, made, words):
    write_comfyui(made(filmed.pose), tmp_path / "poses.json")
    pose = given_poses(tmp_path / "poses.json", VideoReader(filmed.video), None, None)
    assert away_from(filmed.pose, pose) < 0.1
    assert words in caplog.text and len(caplog.records) == bool(words)


def stored_on_its_side(filmed, path):
    with VideoReader(filmed.video) as reader:
        return write_clip(path, [np.rot90(frame).copy() for frame in reader], 20, rotation=-90)


def test_a_phone_clip_whose_poses_were_made_on_the_stored_picture(filmed, tmp_path, caplog):
    clip = stored_on_its_side(filmed, tmp_path / "phone.mp4")
    reader = VideoReader(clip)
    assert (reader.info.size_hw, reader.info.stored_hw, reader.info.rotation) == (SIZE_HW, SIZE_HW[::-1], 90)
    write_openpose(turned(filmed.pose, "anticlockwise"), tmp_path / "poses")
    pose = given_poses(tmp_path / "poses", reader, None, None)
    assert len(pose) == FRAMES and away_from(filmed.pose, pose) < 0.1
    assert "made before the picture was turned, and is turned clockwise" in caplog.text


def test_stored_pixels_of_an_anamorphic_clip(filmed, tmp_path, caplog):
    from fractions import Fraction

    with VideoReader(filmed.video) as reader:
        clip = write_clip(tmp_path / "wide.mp4", list(reader), 20, aspect=Fraction(3, 2))
    reader = VideoReader(clip)
    assert (reader.info.size_hw, reader.info.stored_hw) == ((480, 540), (480, 360))
    write_openpose(filmed.pose, tmp_path / "poses")
    pose = given_poses(tmp_path / "poses", reader, None, None)
    assert away_from(stretched(filmed.pose, (480, 540)), pose) < 0.1
    assert "made on pixels that are not square, and is stretched with them to 540x480" in caplog.text
