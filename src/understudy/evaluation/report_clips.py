"""The pictures of a report: contact sheets and side-by-side clips, from the clips that an evaluation wrote."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath

import cv2
import numpy as np
import numpy.typing as npt

from understudy.covering.shot_words import clock
from understudy.errors import MediaError, UsageError
from understudy.evaluation.report_tables import Column, Figure, errors_of, method_of
from understudy.evaluation.results import Test
from understudy.media.reading import VideoReader
from understudy.media.writing import VideoWriter
from understudy.performing.marked_video import marking_of
from understudy.pictures.drawing import GROUND, TEXT, as_rgb, contact_sheet, letterbox
from understudy.pictures.lettering import line_height, shortened, text_width, write
from understudy.pictures.pages import file_uri, picture_uri

Image = npt.NDArray[np.uint8]

SHOWN = 3
"""frames of the worst, and of the best"""
SPREAD = 5
"""frames evenly over the clip"""
FULL_WHITE = 96
"""colour steps of difference that a difference picture shows as white"""


@dataclass(frozen=True)
class Detail:
    """How much of a page the pictures may take."""

    tile: int
    """pixels: side of one picture in a clip"""
    crf: int
    seconds: float
    """of a clip; 0 leaves the clips out"""
    cell: int
    """pixels: side of one picture in a contact sheet"""
    quality: int
    """of the contact sheets, 0-100"""


DETAILS = (
    Detail(tile=224, crf=24, seconds=12, cell=176, quality=82),
    Detail(tile=192, crf=28, seconds=10, cell=160, quality=75),
    Detail(tile=160, crf=30, seconds=8, cell=128, quality=70),
    Detail(tile=128, crf=33, seconds=5, cell=112, quality=60),
    Detail(tile=96, crf=36, seconds=3, cell=96, quality=50),
    Detail(tile=0, crf=0, seconds=0, cell=64, quality=40),
)
"""from the finest to the coarsest"""


@dataclass(frozen=True)
class Sheet:
    title: str
    picture: str
    """data address"""
    alt: str


@dataclass(frozen=True)
class Clip:
    title: str
    video: str
    """data address"""
    width: int
    height: int


@dataclass(frozen=True)
class Pictures:
    sheets: list[Sheet]
    clips: list[Clip]


@dataclass(frozen=True)
class Stretch:
    """Part of a test's clip that is shown."""

    title: str
    start: int
    stop: int
    """frames; `stop` excluded"""


def pictures_of(
    test: Test, columns: Sequence[Column], main: Figure | None, ours: str, folder: Path, detail: Detail
) -> Pictures:
    """Reads the test's clips once and makes its contact sheets and side-by-side clips.

    Raises:
        MediaError: a clip cannot be read, or is shorter than the test.
        UsageError: a clip's path leads out of `folder`.
    """
    if test.frames < 1:
        return Pictures([], [])
    shown = [column for column in columns if method_of(test, column.name)]
    errors = np.asarray(errors_of(test, ours, main) if main else [], float)
    chosen = choose_frames(errors, test.frames)
    stretches = _stretches(errors, test, detail.seconds)
    kept: dict[int, list[Image]] = {}
    wanted = {frame for frames in chosen.values() for frame in frames}
    titles = ["truth", *(column.title for column in shown)]
    names = [test.truth_clip, *(found.clip for column in shown if (found := method_of(test, column.name)))]
    if test.driving_clip:
        titles, names = ["driver", *titles], [test.driving_clip, *names]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        writers = [
            stack.enter_context(
                VideoWriter(
                    Path(scratch) / f"{n}.mp4",
                    Fraction(test.fps),
                    crf=detail.crf,
                    marking=marking_of([], composite=True),
                )
            )
            for n in range(len(stretches))
        ]
        for number, frames in enumerate(_in_step(names, test, folder)):
            if number in wanted:
                kept[number] = frames[1:] if test.driving_clip else frames
            for stretch, writer in zip(stretches, writers, strict=True):
                if stretch.start <= number < stretch.stop:
                    writer.write(_grid(frames, titles, detail.tile))
        stack.close()
        clips = [
            Clip(
                stretch.title, file_uri(Path(scratch) / f"{n}.mp4", "video/mp4"), *_grid_size(len(titles), detail.tile)
            )
            for n, stretch in enumerate(stretches)
        ]
    sheets = [_sheet(title, frames, kept, test, shown, main, detail) for title, frames in chosen.items() if frames]
    return Pictures(sheets, clips)


def choose_frames(errors: npt.NDArray[np.float64], frames: int) -> dict[str, list[int]]:
    """Frames to show by title: the worst and the best (apart from each other in time), and some evenly spread."""
    known = np.flatnonzero(np.isfinite(errors[:frames]))
    worst, best = (known[np.argsort(way * errors[known], kind="stable")] for way in (-1, 1))
    apart = max(1, frames // 10)
    spread = np.unique(np.linspace(0, frames - 1, min(SPREAD, frames)).round().astype(int))
    return {
        "Worst frames": _apart(worst, apart),
        "Best frames": _apart(best, apart),
        "Evenly spread": [int(frame) for frame in spread],
    }


def _apart(ordered: npt.NDArray[np.intp], distance: int) -> list[int]:
    taken: list[int] = []
    for frame in map(int, ordered):
        if len(taken) < SHOWN and all(abs(frame - other) >= distance for other in taken):
            taken.append(frame)
    return taken


def _stretches(errors: npt.NDArray[np.float64], test: Test, seconds: float) -> list[Stretch]:
    """The whole clip where it is short enough; else its worst and its best stretch, half as long each."""
    fps = Fraction(test.fps)
    room = int(seconds * fps)
    if room < 1:
        return []
    if test.frames <= room:
        return [Stretch("The whole test", 0, test.frames)]
    length = max(1, room // 2)
    filled = np.where(np.isfinite(errors), errors, np.nanmean(errors)) if np.isfinite(errors).any() else np.array([])
    if len(filled) < test.frames:
        return [Stretch(f"The first {float(length / fps):.1f} seconds", 0, length)]
    sums = np.convolve(filled, np.ones(length), "valid")
    found = []
    for word, start in (("highest", int(np.argmax(sums))), ("lowest", int(np.argmin(sums)))):
        title = f"The {float(length / fps):.1f} seconds with the {word} error, from {clock(float(start / fps))}"
        found.append(Stretch(title, start, start + length))
    return found


def _in_step(names: Sequence[str], test: Test, folder: Path) -> Iterator[list[Image]]:
    """The frames of several clips, together, as squares of the test's size."""
    with ExitStack() as stack:
        readers = []
        for name in names:
            if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
                raise UsageError(f"the clip {name} of test {test.name} is not inside of {folder}: move it there")
            readers.append(stack.enter_context(VideoReader(folder / name)))
        streams = [iter(reader) for reader in readers]
        for number in range(test.frames):
            frames = []
            for name, stream in zip(names, streams, strict=True):
                frame = next(stream, None)
                if frame is None:
                    raise MediaError(f"{folder / name} has {number} frames and its test {test.frames}: evaluate again")
                frames.append(_square(frame, test.size))
            yield frames


def _square(frame: Image, size: int) -> Image:
    height, width = frame.shape[:2]
    if height == width == size:
        return frame
    if size <= height <= size + 1 and size <= width <= size + 1:  # the writer repeats a row where the size is odd
        return frame[:size, :size]
    return letterbox(frame, (size, size))


def _grid_shape(tiles: int) -> tuple[int, int]:
    across = 2 if tiles <= 4 else 3 if tiles <= 9 else 4
    return -(-tiles // across), across


def _heading(tile: int) -> int:
    return max(11, tile // 12)


def _grid_size(tiles: int, tile: int) -> tuple[int, int]:
    down, across = _grid_shape(tiles)
    height = down * (tile + line_height(_heading(tile)) + 2)
    return across * (tile + 2), height + height % 2


def _grid(frames: Sequence[Image], titles: Sequence[str], tile: int) -> Image:
    """Pictures in a grid, a name above each: wide enough for a desk, not too wide for a phone."""
    down, across = _grid_shape(len(frames))
    size = _heading(tile)
    head = line_height(size)
    grid = np.full((down * (tile + head + 2), across * (tile + 2), 3), GROUND, np.uint8)
    for number, (frame, title) in enumerate(zip(frames, titles, strict=True)):
        top, left = number // across * (tile + head + 2), number % across * (tile + 2)
        text = shortened(title, size, tile - 4)
        write(grid, text, (left + (tile - text_width(text, size)) // 2, top), size, TEXT)
        grid[top + head : top + head + tile, left : left + tile] = cv2.resize(
            frame, (tile, tile), interpolation=cv2.INTER_AREA if tile < frame.shape[0] else cv2.INTER_CUBIC
        )
    return grid


def difference(frame: Image, truth: Image) -> Image:
    """(H, W) grey: black where equal, white where the mean of the channels is `FULL_WHITE` steps or more apart."""
    apart = np.abs(frame.astype(np.int16) - truth).mean(axis=2)
    shade: Image = np.rint(np.minimum(apart / FULL_WHITE, 1) * 255).astype(np.uint8)
    return shade


def _sheet(
    title: str,
    frames: Sequence[int],
    kept: dict[int, list[Image]],
    test: Test,
    shown: Sequence[Column],
    main: Figure | None,
    detail: Detail,
) -> Sheet:
    """Two rows a frame: the truth and each method; below, how each differs from the truth."""
    fps = Fraction(test.fps)
    rows: list[list[Image | None]] = []
    heads: list[str] = []
    for frame in frames:
        truth, *made = kept[frame]
        differences: list[Image | None] = [None]
        for column, picture in zip(shown, made, strict=True):
            error = _error_text(test, column.name, main, frame)
            differences.append(_lettered(difference(picture, truth), error, detail.cell))
        rows += [[truth, *made], differences]
        heads += [f"{clock(float(frame / fps))} frame {frame}", "difference and error"]
    picture = contact_sheet(rows, heads, ["truth", *(column.title for column in shown)], (detail.cell, detail.cell))
    alt = f"{title} of {test.name}: frames {', '.join(map(str, frames))}; truth, each method, and the differences"
    return Sheet(title, picture_uri(picture, detail.quality, ".webp"), alt)


def _lettered(picture: Image, text: str, cell: int) -> Image:
    """A difference picture at the size of a cell, with a number that is still legible on a phone."""
    enlarged: Image = as_rgb(cv2.resize(picture, (cell, cell), interpolation=cv2.INTER_AREA)).copy()
    size = max(11, cell // 9)
    if text:
        write(enlarged, text, (size // 3, size // 4), size, TEXT)
    return enlarged


def _error_text(test: Test, method: str, main: Figure | None, frame: int) -> str:
    errors = errors_of(test, method, main) if main else []
    return f"{errors[frame]:.1f}" if frame < len(errors) and np.isfinite(errors[frame]) else ""
