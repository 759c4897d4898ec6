"""What was behind a person, made up from the rest of the picture."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import clips
from understudy.compositing.inpainting import inpainter, widened_matte, without_person
from understudy.compositing.patches import filled, spread_inwards
from understudy.errors import MediaError, UsageError
from understudy.media.reading import VideoReader
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene


def tiled(height=240, width=180, period=20):
    """A floor of tiles in two colours, under a wall."""
    y, x = np.mgrid[:height, :width]
    tiles = ((y // period + x // period) % 2)[..., None] * np.array([90, 60, 30]) + np.array([60, 90, 120])
    wall = np.array([200, 180, 150]) + 10 * np.sin(x / 7)[..., None]
    return np.where((y < height // 2)[..., None], wall, tiles).astype(np.uint8)


def standing(height=240, width=180):
    matte = np.zeros((height, width), np.uint8)
    cv2.ellipse(matte, (width // 2, height // 2), (width // 9, height // 4), 0, 0, 360, 255, -1)
    return matte


def test_a_pattern_goes_on_through_the_hole():
    """Better than a blur, and near the truth: the wall is wall, and tiles have edges."""
    truth, hole = tiled(), standing()
    shown = np.where(hole[..., None] > 0, 255, truth).astype(np.uint8)
    made, blurred = filled(shown, hole), inpainter("smooth")(shown, hole)
    inside = hole > 0
    error, blur = (np.abs(one[inside].astype(int) - truth[inside]).mean() for one in (made, blurred))
    assert error < 12 and error < 0.7 * blur
    assert np.array_equal(made[~inside], truth[~inside]) and np.array_equal(blurred[~inside], truth[~inside])
    edges = [np.abs(np.diff(one[140:175, 70:110].astype(int), axis=1)).mean() for one in (truth, made, blurred)]
    assert edges[1] > 0.6 * edges[0] > edges[2]


def test_the_same_picture_is_filled_in_the_same_way():
    truth, hole = tiled(120, 90), standing(120, 90)
    assert np.array_equal(filled(truth, hole), filled(truth, hole))


def test_what_the_hole_held_does_not_matter():
    """Where the picture is not shrunk; where it is, pixels at the hole's rim hold something of it."""
    truth, hole = tiled(120, 90), standing(120, 90)
    white, dark = (np.where(hole[..., None] > 0, np.uint8(value), truth) for value in (255, 7))
    assert np.array_equal(filled(white, hole), filled(dark, hole))


def test_nothing_is_taken_from_where_that_is_barred():
    picture = np.full((120, 160, 3), 100, np.uint8)
    picture[:, 90:] = (250, 0, 0)
    hole = np.zeros((120, 160), np.uint8)
    hole[30:90, 75:89] = 255
    barred = np.zeros_like(hole)
    barred[:, 89:] = 255
    made = filled(picture, hole, barred)[45:75, 76:84]
    assert np.abs(made.astype(int) - 100).max() < 60  # the rim's light may tint it, no red is copied


@pytest.mark.parametrize("size", [(30, 20), (9, 200), (7, 7), (600, 40)])
def test_pictures_of_any_size(size):
    picture = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    hole = np.zeros(size, np.uint8)
    hole[size[0] // 3 : size[0] // 3 + 3, size[1] // 3 : size[1] // 3 + 3] = 1
    assert filled(picture, hole).shape == picture.shape


def test_a_picture_that_is_one_hole_is_refused():
    with pytest.raises(ValueError, match="nothing to fill it from"):
        filled(np.zeros((20, 20, 3), np.uint8), np.ones((20, 20), np.uint8))


def test_smooth_filling_keeps_what_is_known_and_lies_between_it():
    values = np.zeros((32, 48, 3), np.float32)
    values[:, :16], values[:, 32:] = 10, 30
    known = np.ones((32, 48), bool)
    known[:, 16:32] = False
    found = spread_inwards(values, known)
    assert np.allclose(found[known], values[known], atol=1e-4)
    assert (found > 9.9).all() and (found < 30.1).all()
    assert found[16, 17, 0] < found[16, 24, 0] < found[16, 30, 0]


def test_the_person_is_gone_and_the_rest_is_left():
    number = 3
    shown = next(render(make_person(number), choreography(number, 1, 30)[:1], make_scene(number, (320, 320))))
    truth = make_scene(number, (320, 320)).background
    made = without_person(shown.frame, shown.matte)
    person = shown.matte > 128
    before, after = (np.abs(one[person].astype(int) - truth[person]).mean() for one in (shown.frame, made))
    assert after < 0.5 * before
    far = widened_matte(shown.matte, 0.05)[0] == 0
    assert np.array_equal(made[far], shown.frame[far])


def test_without_a_person_the_picture_is_itself_and_all_person_is_a_blur():
    picture = tiled()
    assert np.array_equal(without_person(picture, np.zeros(picture.shape[:2], np.uint8)), picture)
    blur = without_person(picture, np.full(picture.shape[:2], 255, np.uint8))
    assert blur.shape == picture.shape and np.abs(np.diff(blur[60:180, 60:120].astype(int), axis=0)).mean() < 4


def test_the_hole_is_wider_than_the_matte_by_a_share_of_the_person():
    matte = np.zeros((200, 100), np.uint8)
    matte[50:150, 40:60] = 255
    widened, reach = widened_matte(matte, 0.05)
    assert reach == 5 and cv2.boundingRect(widened) == (35, 45, 30, 110)


def test_real_people_leave_a_real_room():
    """The room is known from the clip's other frames: filled pixels are nearer to it than the person's were."""
    with VideoReader(clips.real_clip("juggler.mp4"), start=1.0, long_side=480, say_notes=False) as reader:
        frame = next(iter(reader))
    from understudy.tracking.blazepose import BlazePoseTracker

    tracker = BlazePoseTracker()
    mask = tracker(frame).mask.laid(frame.shape[:2])
    tracker.close()
    made = without_person(frame, mask)
    inside = mask > 128
    greens = [(one[inside][:, 1].astype(int) - one[inside][:, 2]).mean() for one in (frame, made)]
    assert greens[0] < 5 < greens[1]  # blue trousers, and grass where they were


class Session:
    """What ONNX Runtime would be, of a network that paints holes grey."""

    made: dict = {}

    def __init__(self, path, providers):
        if "damaged" in path:
            raise RuntimeError("Protobuf parsing failed.\nin more lines")
        self.kind = "tensor(uint8)" if "migan" in path else "tensor(float)"

    def get_inputs(self):
        return [SimpleNamespace(name=name, type=self.kind) for name in ("image", "mask")]

    def run(self, names, given):
        Session.made = given
        image, mask = given["image"], given["mask"]
        grey = {"tensor(uint8)": np.uint8(128), "tensor(float)": np.float32(128)}[self.kind]
        scaled = image if image.dtype == np.uint8 else image * 255
        hole = mask == 0 if image.dtype == np.uint8 else mask == 1
        return [np.where(hole, grey, scaled).astype(image.dtype)]


@pytest.mark.parametrize("kind", ["lama", "migan"])
@pytest.mark.parametrize("size_hw", [(240, 180), (100, 700), (1200, 900)])
def test_networks_that_the_user_brings_fill_the_hole_alone(tmp_path, monkeypatch, kind, size_hw):
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(InferenceSession=Session))
    path = tmp_path / f"{kind}.onnx"
    path.write_bytes(b"it")
    picture, hole = tiled(*size_hw), standing(*size_hw)
    made = inpainter(f"{kind}:{path}")(picture, hole)
    assert np.abs(made[hole > 0].astype(int) - 128).mean() < 3
    assert np.array_equal(made[hole == 0], picture[hole == 0])
    image, mask = Session.made["image"], Session.made["mask"]
    assert image.shape == (1, 3, 512, 512) and mask.shape == (1, 1, 512, 512)
    assert (image.dtype, mask.max()) == ((np.uint8, 255) if kind == "migan" else (np.float32, 1.0))
    assert without_person(picture, hole, fill=inpainter(f"{kind}:{path}")).shape == picture.shape


@pytest.mark.parametrize(
    ("which", "error", "words"),
    [
        ("telea", UsageError, "there is no inpainting 'telea': give one of patches, smooth, lama:FILE, migan:FILE"),
        ("lama", UsageError, "there is no inpainting 'lama'"),
        ("lama:gone.onnx", UsageError, "there is no file gone.onnx"),
        ("lama:{}/damaged.onnx", MediaError, r"no network that ONNX Runtime can read \(Protobuf parsing failed. in"),
        ("migan:{}/lama.onnx", MediaError, "is no migan network: it takes"),
    ],
)
def test_what_cannot_be_had_is_one_line(tmp_path, monkeypatch, which, error, words):
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(InferenceSession=Session))
    for name in ("damaged.onnx", "lama.onnx"):
        (tmp_path / name).write_bytes(b"it")
    with pytest.raises(error, match=words) as caught:
        inpainter(which.format(tmp_path))
    assert "\n" not in str(caught.value)


def test_without_onnx_runtime_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (tmp_path / "lama.onnx").write_bytes(b"it")
    with pytest.raises(UsageError, match=r"pip install 'understudy\[rtmpose\]'"):
        inpainter(f"lama:{tmp_path / 'lama.onnx'}")


@pytest.mark.parametrize("known", [2, 5, 12])
def test_a_room_of_which_hardly_anything_is_known_is_not_black(known):
    """A strip at either side of a large picture: shrunk, all of it is hole."""
    truth = np.full((540, 960, 3), 160, np.uint8)
    hole = np.full((540, 960), 255, np.uint8)
    hole[:, :known] = hole[:, -known:] = 0
    made = filled(np.where(hole[..., None] > 0, np.uint8(0), truth), hole)
    assert abs(made[hole > 0].mean() - 160) < 12
    assert np.array_equal(made[hole == 0], truth[hole == 0])
