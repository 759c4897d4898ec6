"""Label maps and surface maps in a performance: they come back as they went in, and are never missed or half there."""

import json
from fractions import Fraction

import numpy as np
import pytest

from tiny import tiny_performance, tiny_poses
from understudy.body.labels import LABELS
from understudy.errors import PerformanceError
from understudy.performance import (
    CONTENT_FILES,
    HEADER_FILE,
    LABELS_FILE,
    SURFACE_FILE,
    Crop,
    Performance,
    PerformanceWriter,
)

FRAMES, SIZE = 5, 32


def labels(number):
    return np.random.default_rng(number).integers(0, len(LABELS), (SIZE, SIZE)).astype(np.uint8)


def surface(number):
    maps = np.random.default_rng(number).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    maps[..., 0] %= 25
    return maps


def write(path, with_labels=FRAMES, with_surface=FRAMES, parsing="auto", charts="auto"):
    with PerformanceWriter(path, Fraction(25)) as writer:
        for number in range(FRAMES):
            frame = np.full((SIZE, SIZE, 3), 20 + 30 * number, np.uint8)
            writer.add(frame, frame[..., 0], np.zeros((8, 8, 2)))
        for number in range(with_labels):
            writer.add_labels(labels(number))
        for number in range(with_surface):
            writer.add_surface(surface(number))
        return writer.finish(
            poses=tiny_poses(FRAMES, SIZE, 0), status=np.full(FRAMES, 2, np.uint8),
            background=np.full((60, 40, 3), 77, np.uint8), source_name="me.mp4", source_sha256="ab" * 32,
            crop=Crop(1.0, (0.0, 0.0)), tracker="drawn", tracker_version="1", landmarks="body", matte="none",
            smoothed=False, parsing=parsing, surface=charts,
        )  # fmt: skip


@pytest.fixture(scope="module")
def performance(tmp_path_factory):
    return write(tmp_path_factory.mktemp("maps") / "me.performance")


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [(0, None, range(FRAMES)), (2, 4, [2, 3]), (4, 99, [4]), (FRAMES, None, [])],
)
def test_maps_come_back_bit_for_bit(performance, start, stop, expected):
    again = Performance.load(performance.path)
    assert (again.has_labels, again.has_surface) == (True, True)
    assert (again.header.parsing, again.header.surface) == ("auto", "auto")
    got = list(again.labels(start, stop)), list(again.surface(start, stop))
    assert [len(one) for one in got] == [len(expected)] * 2
    for number, own, charts in zip(expected, *got, strict=True):
        np.testing.assert_array_equal(own, labels(number))
        np.testing.assert_array_equal(charts, surface(number))


def test_ranges_before_the_start_are_a_mistake_here_too(performance):
    with pytest.raises(ValueError, match="-1"):
        performance.labels(-1)


def test_who_has_none_says_so_and_how_to_get_some(tmp_path):
    plain = tiny_performance(tmp_path / "plain.performance")
    assert not plain.has_labels and not plain.has_surface
    assert set(plain.header.files) == set(CONTENT_FILES)
    with pytest.raises(PerformanceError, match=r"no label maps: track the video again with `parsing='auto'`"):
        plain.labels()
    with pytest.raises(PerformanceError, match=r"no surface maps: track the video again with `surface='auto'`"):
        plain.surface()


def test_performances_from_before_there_were_maps_are_read(tmp_path):
    path = tiny_performance(tmp_path / "old.performance").path
    header = json.loads((path / HEADER_FILE).read_text())
    del header["parsing"], header["surface"]
    (path / HEADER_FILE).write_text(json.dumps(header))
    old = Performance.load(path)
    assert (old.header.parsing, old.header.surface, old.has_labels) == ("", "", False)


@pytest.mark.parametrize("name", [LABELS_FILE, SURFACE_FILE])
def test_damage_is_named_in_one_line(tmp_path, name):
    path = write(tmp_path / "me.performance").path
    data = bytearray((path / name).read_bytes())
    data[len(data) // 2] ^= 1
    (path / name).write_bytes(data)
    with pytest.raises(PerformanceError, match=rf"damaged \({name} was changed") as raised:
        Performance.load(path)
    assert "\n" not in str(raised.value)
    (path / name).unlink()
    with pytest.raises(PerformanceError, match=rf"damaged \({name} is missing"):
        Performance.load(path)


def test_the_writer_gives_back_what_was_added_and_takes_no_more(tmp_path):
    with pytest.raises(KeyboardInterrupt), PerformanceWriter(tmp_path / "p", Fraction(25)) as writer:
        for number in range(FRAMES):
            frame = np.full((SIZE, SIZE, 3), 20 + 30 * number, np.uint8)
            writer.add(frame, 255 - frame[..., 0], np.zeros((8, 8, 2)))
        for start, stop in ((0, None), (2, 4)):
            got = list(writer.written(start, stop))
            expected = range(FRAMES)[start:stop]
            np.testing.assert_allclose([frame.mean() for frame, _ in got], [20 + 30 * n for n in expected], atol=2)
            np.testing.assert_allclose([matte.mean() for _, matte in got], [235 - 30 * n for n in expected], atol=2)
        with pytest.raises(ValueError, match="read back"):
            writer.add(frame, frame[..., 0], np.zeros((8, 8, 2)))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"with_labels": FRAMES - 1}, id="one too few"),
        pytest.param({"with_surface": 0}, id="said and not there"),
        pytest.param({"parsing": ""}, id="there and not said"),
    ],
)
def test_a_map_for_every_frame_or_none(tmp_path, wrong):
    with pytest.raises(ValueError, match=f"{FRAMES} frames, and . maps"):
        write(tmp_path / "me.performance", **wrong)
    assert list(tmp_path.iterdir()) == []


def test_maps_of_another_kind_are_refused(tmp_path):
    with pytest.raises(ValueError, match="below 22"), PerformanceWriter(tmp_path / "p", Fraction(25)) as writer:
        writer.add(np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((SIZE, SIZE), np.uint8), np.zeros((8, 8, 2)))
        with pytest.raises(ValueError, match="below 25"):
            writer.add_surface(np.full((SIZE, SIZE, 3), 25, np.uint8))
        with pytest.raises(ValueError, match=r"need \(32, 32\)"):
            writer.add_labels(np.zeros((SIZE, SIZE, 3), np.uint8))
        writer.add_labels(np.full((SIZE, SIZE), 22, np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_one_with_maps_may_be_replaced_by_one_without(tmp_path):
    write(tmp_path / "me.performance")
    assert not tiny_performance(tmp_path / "me.performance").has_labels
    assert not (tmp_path / "me.performance" / LABELS_FILE).exists()
