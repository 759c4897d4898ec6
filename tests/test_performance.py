import json
from fractions import Fraction

import numpy as np
import pytest

from clips import write_sound
from tiny import tiny_performance, tiny_poses
from understudy.base.files import save_tensors, sha256_of
from understudy.base.tensor_stream import TensorStream
from understudy.errors import PerformanceError
from understudy.media.reading import VideoWriter, write_image
from understudy.performance import CONTENT_FILES, HEADER_FILE, Crop, Performance, PerformanceWriter

FRAMES, SIZE = 9, 32


def striped(number):
    """A frame whose grey level is its number, so that any frame can be told from any other."""
    return np.full((SIZE, SIZE, 3), 20 + 20 * number, np.uint8)


def write(path, fps=Fraction(30000, 1001), finish=True):
    with PerformanceWriter(path, fps) as writer:
        for number in range(FRAMES):
            writer.add(striped(number), striped(number)[..., 0], np.full((8, 8, 2), number, np.float32))
        if not finish:
            raise KeyboardInterrupt
        return writer.finish(
            poses=tiny_poses(FRAMES, SIZE, 0), status=np.array([0, 1] + [2] * (FRAMES - 2), np.uint8),
            background=np.full((60, 40, 3), 77, np.uint8), source_name="/home/somebody/me.mp4", source_sha256="ab" * 32,
            crop=Crop(0.5, (-3.25, 4.0)), tracker="drawn", tracker_version="1", landmarks="body", matte="none",
            smoothed=True, start=1.5, inpainted=0.25,
        )  # fmt: skip


@pytest.fixture(scope="module")
def performance(tmp_path_factory):
    return write(tmp_path_factory.mktemp("performance") / "me.performance")


def test_everything_comes_back(performance):
    again = Performance.load(performance.path)
    header = again.header
    assert header == performance.header
    assert (len(again), again.fps) == (FRAMES, Fraction(30000, 1001))
    assert (header.found, header.interpolated, header.missing) == (FRAMES - 2, 1, 1)
    assert (header.size_hw, header.original_size_hw) == ((SIZE, SIZE), (60, 40))
    assert (header.crop, header.start, header.end, header.inpainted) == (Crop(0.5, (-3.25, 4.0)), 1.5, None, 0.25)
    np.testing.assert_array_equal(again.poses.xy, tiny_poses(FRAMES, SIZE, 0).xy)
    np.testing.assert_array_equal(again.status, [0, 1] + [2] * (FRAMES - 2))
    np.testing.assert_array_equal(again.background(), 77)
    assert again.flow().shape == (FRAMES, 8, 8, 2)
    np.testing.assert_array_equal(again.flow()[:, 0, 0, 0], np.arange(FRAMES))


def test_no_path_of_the_maker_is_stored(performance):
    assert performance.header.source_name == "me.mp4"
    assert "somebody" not in (performance.path / HEADER_FILE).read_text()


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        pytest.param(0, None, range(FRAMES), id="all"),
        pytest.param(4, 6, [4, 5], id="inner"),
        pytest.param(FRAMES - 1, None, [FRAMES - 1], id="last"),
        pytest.param(7, 99, [7, 8], id="beyond the end"),
        pytest.param(3, 3, [], id="empty"),
        pytest.param(FRAMES, None, [], id="from the end"),
    ],
)
def test_any_range_is_exact(performance, start, stop, expected):
    levels = [20 + 20 * number for number in expected]
    frames, mattes = list(performance.frames(start, stop)), list(performance.mattes(start, stop))
    assert [frame.shape for frame in frames] == [(SIZE, SIZE, 3)] * len(levels)
    assert [matte.shape for matte in mattes] == [(SIZE, SIZE)] * len(levels)
    np.testing.assert_allclose([frame.mean() for frame in frames], levels, atol=2)
    np.testing.assert_allclose([matte.mean() for matte in mattes], levels, atol=2)


def test_ranges_before_the_start_are_a_mistake(performance):
    with pytest.raises(ValueError, match="-1"):
        performance.frames(-1)


def test_colours_and_full_range_survive(tmp_path):
    colours = np.array([(0, 0, 0), (255, 255, 255), (220, 30, 40), (20, 200, 60)], np.uint8)
    frame = np.repeat(np.repeat(colours.reshape(2, 2, 3), 16, 0), 16, 1)
    with PerformanceWriter(tmp_path / "p", Fraction(25)) as writer:
        writer.add(frame, frame[..., 0], np.zeros((8, 8, 2)))
        performance = writer.finish(
            poses=tiny_poses(1, SIZE, 0), status=np.array([2], np.uint8), background=frame, source_name="a",
            source_sha256="",
            crop=Crop(1.0, (0.0, 0.0)),
            tracker="",
            tracker_version="",
            landmarks="body",
            matte="none",
            smoothed=False,
        )  # fmt: skip
    got = next(performance.frames())
    assert np.abs(got[4:12, 4:12].astype(int) - colours[0]).max() <= 3
    assert np.abs(got[::31, ::31].astype(int) - frame[::31, ::31]).max() <= 8
    matte = next(performance.mattes())
    assert (matte[8, 8], matte[8, 24]) == (0, 255)


def _flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _rewrite_header(**changes):
    def change(folder):
        header = json.loads((folder / HEADER_FILE).read_text())
        for key, value in changes.items():
            if value is None:
                del header[key]
            else:
                header[key] = value
        (folder / HEADER_FILE).write_text(json.dumps(header))

    return change


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        *[
            pytest.param(lambda f, n=name: _flip_a_byte(f / n), rf"damaged \({name} was changed", id=f"flipped {name}")
            for name in CONTENT_FILES
        ],
        *[
            pytest.param(lambda f, n=name: (f / n).unlink(), rf"damaged \({name} is missing", id=f"without {name}")
            for name in CONTENT_FILES
        ],
        pytest.param(lambda f: (f / HEADER_FILE).unlink(), "half written or not a performance", id="without header"),
        pytest.param(_rewrite_header(version=99), "version 99, and this program reads 1", id="newer version"),
        pytest.param(_rewrite_header(crop=None), "KeyError: 'crop'", id="header lacks crop"),
        pytest.param(_rewrite_header(fps="30/0"), "a rate of .30/0.", id="no rate"),
        pytest.param(_rewrite_header(fps="1e-9999999"), "is no rate", id="a rate that takes ages"),
        pytest.param(_rewrite_header(start="soon"), "'soon' is no number", id="start"),
        pytest.param(_rewrite_header(source_sha256=12), "12 is no text", id="hash"),
        pytest.param(_rewrite_header(size_hw=[32, 10**9]), "no whole number from 1 to 8192", id="size"),
        pytest.param(_rewrite_header(rotate=45), "turned by 45 degrees", id="rotate"),
        pytest.param(_rewrite_header(smoothed="yes"), "neither true nor false", id="switch"),
        pytest.param(
            _rewrite_header(slips=[{"kind": "x", "done": "eaten", "frames": []}]), "'eaten' was done", id="slip"
        ),
        pytest.param(_rewrite_header(crop={"scale": float("inf"), "translation_xy": [0, 0]}), "no number", id="crop"),
        pytest.param(_rewrite_header(frames=3), "3 frames and 9 poses", id="count contradicts"),
        pytest.param(lambda f: (f / HEADER_FILE).write_text("[1]"), "version None", id="header is a list"),
        pytest.param(lambda f: (f / HEADER_FILE).write_text('{"vers'), "not valid JSON", id="header cut off"),
    ],
)
def test_damage_is_named_in_one_line(tmp_path, harm, message):
    path = write(tmp_path / "me.performance").path
    harm(path)
    with pytest.raises(PerformanceError, match=message) as raised:
        Performance.load(path)
    assert "\n" not in str(raised.value)


def _exchanged(name, make):
    """Another file of that name, whose hash the header knows."""

    def change(folder):
        make(folder / name)
        header = json.loads((folder / HEADER_FILE).read_text())
        header["files"][name] = sha256_of(folder / name)
        (folder / HEADER_FILE).write_text(json.dumps(header))

    return change


def _video_of(side):
    def write_one(path):
        with VideoWriter(path, Fraction(25)) as out:
            out.write(np.zeros((side, side, 3), np.uint8))

    return write_one


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        pytest.param(_exchanged("frames.mp4", _video_of(48)), "holds no frames of 32x32", id="larger frames"),
        pytest.param(_exchanged("frames.mp4", _video_of(32)), "ends at frame 1 instead of 9", id="a frame alone"),
        pytest.param(_exchanged("frames.mp4", lambda p: write_sound(p)), "can be decoded: track", id="only sound"),
        pytest.param(_exchanged("matte.mp4", lambda p: p.write_bytes(b"text")), "cannot read .*: track", id="text"),
        pytest.param(
            _exchanged("flow.safetensors", lambda p: _flow(p, (9, 4, 4, 2), np.float16)), "flow of another", id="flow"
        ),
        pytest.param(
            _exchanged("flow.safetensors", lambda p: _flow(p, (9, 8, 8, 2), np.float32)), "flow of another", id="type"
        ),
        pytest.param(
            _exchanged("background.png", lambda p: write_image(p, striped(0))), "background of another", id="room"
        ),
        pytest.param(_exchanged("poses.safetensors", lambda p: _poses(p, 2, 1e30)), "1000000 pixels away", id="far"),
        pytest.param(
            _exchanged("poses.safetensors", lambda p: _poses(p, 3)), "a status that there is not", id="status"
        ),
    ],
)
def test_files_that_are_whole_and_of_something_else_are_named_in_one_line(tmp_path, harm, message):
    path = write(tmp_path / "me.performance").path
    harm(path)
    with pytest.raises(PerformanceError, match=message):
        again = Performance.load(path)
        for read in (again.frames, again.mattes, again.flow, again.background):
            list(read())


def _flow(path, shape, dtype):
    with TensorStream(path, "flow", shape[1:], dtype) as stream:
        for _ in range(shape[0]):
            stream.append(np.zeros(shape[1:], dtype))


def _poses(path, status, x=0.0):
    poses = tiny_poses(FRAMES, SIZE, 0)
    poses.xy[1, 5] = x
    held = {"xy": poses.xy, "confidence": poses.confidence, "status": np.full(FRAMES, status, np.uint8)}
    save_tensors(path, held, {})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda p: None, "there is no performance .*understudy track VIDEO", id="nothing there"),
        pytest.param(lambda p: p.write_bytes(b"video"), "is a video, not a performance: track it", id="a video"),
        pytest.param(lambda p: p.mkdir(), "it has no performance.json", id="empty folder"),
    ],
)
def test_what_is_no_performance_is_said(tmp_path, make, message):
    path = tmp_path / "me.mp4"
    make(path)
    with pytest.raises(PerformanceError, match=message):
        Performance.load(path)


def test_a_half_written_folder_of_a_killed_run_is_refused(tmp_path):
    path = write(tmp_path / "me.performance").path
    part = path.rename(tmp_path / ".me.performance.123-abcd.part.performance")
    with pytest.raises(PerformanceError, match="half-written"):
        Performance.load(part)


def test_an_interrupted_run_leaves_nothing_and_the_old_one(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "me.performance", finish=False)
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "me.performance")
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "me.performance", finish=False)
    assert [path.name for path in tmp_path.iterdir()] == ["me.performance"]
    assert len(Performance.load(tmp_path / "me.performance")) == FRAMES


def test_leaving_without_finish_leaves_nothing(tmp_path):
    with PerformanceWriter(tmp_path / "me.performance", Fraction(25)) as writer:
        writer.add(striped(0), striped(0)[..., 0], np.zeros((8, 8, 2)))
    assert list(tmp_path.iterdir()) == []


def test_an_older_performance_is_replaced_but_nothing_else(tmp_path):
    tiny_performance(tmp_path / "me.performance")
    assert len(write(tmp_path / "me.performance")) == FRAMES
    (tmp_path / "Documents").mkdir()
    (tmp_path / "Documents" / "thesis.txt").write_text("years of work")
    (tmp_path / "film.mp4").write_bytes(b"x")
    with pytest.raises(PerformanceError, match="other things in it, which would be lost"):
        PerformanceWriter(tmp_path / "Documents", Fraction(25))
    with pytest.raises(PerformanceError, match=r"is a file: name a folder .* such as film\.performance"):
        PerformanceWriter(tmp_path / "film.mp4", Fraction(25))
    assert (tmp_path / "Documents" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("frame", "matte"),
    [
        pytest.param((30, 32, 3), (30, 32), id="not square"),
        pytest.param((30, 30, 3), (30, 30), id="not a multiple of 4"),
        pytest.param((32, 32, 3), (16, 16), id="small matte"),
    ],
)
def test_shapes_are_checked(tmp_path, frame, matte):
    with pytest.raises(ValueError, match="multiple of 4"), PerformanceWriter(tmp_path / "p", Fraction(25)) as writer:
        writer.add(np.zeros(frame, np.uint8), np.zeros(matte, np.uint8), np.zeros((8, 8, 2)))
    assert list(tmp_path.iterdir()) == []
