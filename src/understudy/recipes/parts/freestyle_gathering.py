"""People for freestyle reenactment to learn from, each made into a file: made-up ones, and those of clips.

What was made is not made again, so an interrupted gathering goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.progress import progress_bar
from understudy.base.stopping import stop_signals
from understudy.errors import Interrupted, UsageError
from understudy.people.made_up import made_up_views
from understudy.people.view import View
from understudy.performance import FOUND
from understudy.recipes.parts.freestyle_samples import drawn_pairs, write_person
from understudy.recipes.parts.photograph import frames_of
from understudy.tracking.body_fit import fit
from understudy.tracking.parsing import BuiltInParser
from understudy.tracking.surface import girth_of, surface_maps

if TYPE_CHECKING:
    from understudy.performance import Performance

log = logging.getLogger(__name__)

VIEWS = 6
"""of each person"""
FIRST_MADE_UP = 20_000
"""number of the first made-up person: far from those that tests and benchmarks hold out"""
MADE_UP = "made-up"
PEOPLE_OF_A_CLIP = 8
"""files that one clip is made into at most, each from within 250 frames"""


def made_up_count(people: str) -> int:
    """How many made-up people the word "made-up:COUNT" asks for.

    Raises:
        UsageError: it is no such word.
    """
    word, _, count = people.partition(":")
    if word != MADE_UP or not count.isdigit():
        raise UsageError(f"`people={people!r}`: give made-up:COUNT, for example made-up:2000")
    return int(count)


def gather_made_up(folder: Path, count: int, size_hw: tuple[int, int]) -> list[Path]:
    """Files of made-up people.

    Raises:
        Interrupted: after Ctrl-C or SIGTERM; what was made stays.
    """
    numbers = range(FIRST_MADE_UP, FIRST_MADE_UP + count)
    paths = {folder / f"{MADE_UP}-{number}.safetensors": number for number in numbers}
    return _made(paths, lambda number: made_up_views(number, VIEWS, size_hw), "making up people")


def gather_clip(folder: Path, performance: Performance, size_hw: tuple[int, int]) -> list[Path]:
    """Files of the person of a clip: labels by the built-in parser, surfaces of a fitted body.

    Raises:
        Interrupted: as `gather_made_up`.
    """
    found = np.flatnonzero(performance.status == FOUND)
    spans = [span for span in np.array_split(found, max(1, -(-len(found) // 250))) if len(span) >= 2]
    if len(spans) > PEOPLE_OF_A_CLIP:
        spans = [spans[place] for place in np.linspace(0, len(spans) - 1, PEOPLE_OF_A_CLIP).astype(int)]
    header = performance.header
    name = header.source_sha256[:12] + (f"-{header.fixes.sha256()[:12]}" if header.fixes.made else "")
    paths = {folder / f"clip-{name}-{number}.safetensors": number for number in range(len(spans))}
    title = f"reading {header.source_name}"
    return _made(paths, lambda number: clip_views(performance, spans[number], size_hw), title)


def clip_views(performance: Performance, span: npt.NDArray[np.intp], size_hw: tuple[int, int]) -> list[View]:
    """`VIEWS` views of a clip's person, spread over some of its frames."""
    chosen = span[np.linspace(0, len(span) - 1, min(VIEWS, len(span))).astype(int)]
    height, width = size_hw
    frames, mattes, pose = frames_of(performance, chosen, height)
    posed = fit(pose, follow=False)
    seen = list(zip(frames, mattes, pose.xy, pose.confidence, strict=True))
    parser = BuiltInParser.of_clip(seen)
    every = [parser(*one) for one in seen]
    surfaces = surface_maps(posed, (height, height), girth_of(posed, mattes, every))
    views = []
    for row, (frame, labels, surface) in enumerate(zip(frames, every, surfaces, strict=True)):
        columns = np.flatnonzero((labels > 0).any(axis=0))
        middle = (columns[0] + columns[-1]) / 2 if len(columns) else height / 2
        left = int(np.clip(round(middle - width / 2), 0, height - width))
        box = np.s_[:, left : left + width]
        away = np.where(labels[box] > 0, np.uint8(0), np.uint8(255))
        views.append(
            View(
                frame=np.ascontiguousarray(frame[box]),
                labels=np.ascontiguousarray(labels[box]),
                surface=np.ascontiguousarray(surface[box]),
                xy=pose.xy[row] - np.array([left, 0], np.float32),
                confidence=pose.confidence[row],
                others=np.zeros(size_hw, np.uint8),
                background=cv2.inpaint(frame[box], 255 - away, 3, cv2.INPAINT_TELEA),
            )
        )
    return views


def _made(paths: dict[Path, int], views_of: Callable[[int], Sequence[View]], title: str) -> list[Path]:
    missing = {path: number for path, number in paths.items() if not path.exists()}
    if missing:
        with stop_signals() as stop, progress_bar(title, len(missing)) as advance:
            for path, number in missing.items():
                if stop.signal is not None:
                    raise Interrupted("the people made so far are kept: go on with `resume=True`", stop.signal)
                views = views_of(number)
                write_person(path, views, drawn_pairs(views, np.random.default_rng([number, 7])))
                advance()
    return list(paths)
