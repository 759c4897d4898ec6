"""What judges are asked, and the clips that they see.

All have one size, rate and length, no sound and neutral names, so that only the picture tells the methods apart. Of
metadata they have one packet alike for all methods: it says of what was generated that it was, as every file has to.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import StrPath
from understudy.base.progress import Advance, progress_bar
from understudy.errors import UsageError
from understudy.judging.results import REAL
from understudy.judging.votes import Item, Kind
from understudy.marks.carried import says_generated
from understudy.media.reading import VideoInfo, VideoReader, VideoWriter, probe
from understudy.media.writing import Marking

LONG_SIDE = 960
"""pixels; larger videos are shrunk, a page shows them no larger"""
GAP = 16
"""grey pixels between the two halves of a pair, so that neither's colours reach the other in the coded video"""
ITEMS_A_CHECK = 12
"""one attention check for so many questions, begun ones too"""
NEUTRAL_TIME = 946_728_000
"""noon of 1 January 2000, UTC: of all files that judges get"""

_log = logging.getLogger(__name__)
_Frame = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Clip:
    path: Path
    label: str
    generated: bool
    """by its own account, or because it is not among the recordings"""


@dataclass(frozen=True)
class Form:
    """What the videos of one question have in common."""

    size_hw: tuple[int, int]
    fps: Fraction
    frames: int


@dataclass(frozen=True)
class Question:
    clips: tuple[Clip, ...]
    form: Form
    broken: int | None = None
    """in an attention check: which of the clips is spoilt"""

    @property
    def generated(self) -> bool:
        """Whether anything in it was."""
        return any(clip.generated for clip in self.clips)


def questions_of(
    pairs: Sequence[StrPath],
    videos: Sequence[StrPath],
    real: Sequence[StrPath],
    labels: Sequence[str],
    seconds: float,
) -> tuple[Kind, list[Question]]:
    if pairs and (videos or real):
        raise UsageError("a study has either `pairs` or `videos`: make two of them")
    if pairs:
        return "pairs", _pairs([Path(path) for path in pairs], labels, seconds)
    if videos or real:
        return "single", _singles([Path(path) for path in videos], [Path(path) for path in real], labels, seconds)
    raise UsageError(
        "nothing to judge: give `pairs`, two videos for each, or `videos` and, with `real`, the recordings among them"
    )


def _pairs(paths: list[Path], labels: Sequence[str], seconds: float) -> list[Question]:
    if len(paths) % 2:
        raise UsageError(f"`pairs` takes two videos for every pair, and {len(paths)} were given")
    if len(labels) not in (0, 2, len(paths)):
        raise UsageError(f"`labels` takes two names or one for each of {len(paths)} videos, and {len(labels)} came")
    named = list(labels) * (len(paths) // 2) if len(labels) == 2 else list(labels) or _names(paths, by_pair=True)
    infos = [probe(path) for path in paths]
    questions = []
    for first in range(0, len(paths), 2):
        clips = tuple(Clip(paths[k], named[k], says_generated(paths[k])) for k in (first, first + 1))
        if clips[0].label == clips[1].label:
            raise UsageError(
                f"{clips[0].path} and {clips[1].path} would both be called {clips[0].label!r}: name them with `labels`"
            )
        questions.append(Question(clips, _form_of_pair(infos[first], infos[first + 1], seconds)))
    if len(questions) > 1 and len({frozenset(c.label for c in q.clips) for q in questions}) == len(questions):
        _log.warning("every pair counts by itself; to add pairs up, name the methods alike with `labels`, two names")
    return questions


def _form_of_pair(a: VideoInfo, b: VideoInfo, seconds: float) -> Form:
    if not _same_shape(a.size_hw, b.size_hw):
        raise UsageError(
            f"{a.path} ({_size(a.size_hw)}) and {b.path} ({_size(b.size_hw)}) have different shapes: "
            "cut both to the same picture first"
        )
    if abs(a.duration - b.duration) > Fraction(1, 5) and min(a.duration, b.duration) < seconds:
        _log.warning(
            f"{a.path} lasts {float(a.duration):.2f} s and {b.path} {float(b.duration):.2f} s: both are cut to the "
            "shorter; do they show the same motion?"
        )
    return Form(_common_size([a, b]), min(a.fps, b.fps), _common_frames([a, b], seconds))


def _singles(videos: list[Path], real: list[Path], labels: Sequence[str], seconds: float) -> list[Question]:
    recordings = {path.resolve() for path in real}
    paths = list({path.resolve(): path for path in [*real, *videos]}.values())
    made = [path for path in paths if path.resolve() not in recordings]
    if not recordings or not made:
        missing = "recordings: name them with `real`" if made else "generated ones: add them to `videos`"
        raise UsageError(f"judges need real and generated videos, and there are no {missing}")
    if len(labels) not in (0, len(made)):
        raise UsageError(
            f"`labels` takes one name for each of {len(made)} videos that are not real, and {len(labels)} came"
        )
    named = dict(zip(made, labels or _names(made, by_pair=False), strict=True))
    if REAL in named.values():
        raise UsageError(f"the label {REAL!r} is that of the recordings: choose another")
    infos = {path: probe(path) for path in paths}
    _warn_of_shapes(infos, {path for path in paths if path not in made})
    fps, frames = min(info.fps for info in infos.values()), _common_frames(list(infos.values()), seconds)
    return [
        Question(
            (_single(path, named.get(path, REAL)),),
            Form(
                _common_size([other for other in infos.values() if _same_shape(other.size_hw, info.size_hw)]),
                fps,
                frames,
            ),
        )
        for path, info in infos.items()
    ]


def _single(path: Path, label: str) -> Clip:
    says = says_generated(path)
    if says and label == REAL:
        _log.warning(f"{path} is named as a recording, and says of itself that it was generated")
    return Clip(path, label, says or label != REAL)


def _warn_of_shapes(infos: dict[Path, VideoInfo], recordings: set[Path]) -> None:
    for path, info in infos.items():
        alike = [other for other in infos if _same_shape(infos[other].size_hw, info.size_hw)]
        if len({other in recordings for other in alike}) == 1:
            which = "real" if path in recordings else "generated"
            _log.warning(
                f"only {which} videos have the shape of {path.name} ({_size(info.size_hw)}), which tells them without "
                "looking: better cut all to one shape"
            )
            return


def _names(paths: Sequence[Path], by_pair: bool) -> list[str]:
    """File names; folders' names where the two of a pair, or any two single videos, are named alike."""
    stems = [path.stem for path in paths]
    if by_pair:
        alike = any(stems[k] == stems[k + 1] for k in range(0, len(stems), 2))
    else:
        alike = len(set(stems)) < len(stems)
    return [path.resolve().parent.name for path in paths] if alike else stems


def _same_shape(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return abs(math.log(a[0] * b[1] / (a[1] * b[0]))) < 0.02


def _size(size_hw: tuple[int, int]) -> str:
    return f"{size_hw[1]}x{size_hw[0]}"


def _common_size(infos: Sequence[VideoInfo]) -> tuple[int, int]:
    """The smallest, so that none is enlarged; even, as the codec wants it."""
    height, width = min((info.size_hw for info in infos), key=lambda size: size[0] * size[1])
    if len({info.size_hw for info in infos}) > 1:
        _log.warning(f"sizes differ, all are shown at the smallest, {width}x{height}")
    scale = min(1.0, LONG_SIDE / max(height, width))
    return max(2, round(height * scale / 2) * 2), max(2, round(width * scale / 2) * 2)


def _common_frames(infos: Sequence[VideoInfo], seconds: float) -> int:
    fps = min(info.fps for info in infos)
    shortest = min([Fraction(info.frames) / info.fps for info in infos])
    return max(1, math.floor(min(shortest, Fraction(str(seconds))) * fps))


def checks_among(questions: Sequence[Question], kind: Kind, rng: np.random.Generator) -> list[Question]:
    """Questions with one right answer: a video beside its own spoilt copy, or a spoilt one alone."""
    count = math.ceil(len(questions) / ITEMS_A_CHECK)
    chosen = rng.permutation(len(questions))[:count]
    checks = []
    for number in chosen:
        clip = questions[number].clips[int(rng.integers(len(questions[number].clips)))]
        clips, broken = ((clip, clip), 1) if kind == "pairs" else ((clip,), 0)
        checks.append(Question(clips, questions[number].form, broken))
    return checks


def write_items(questions: list[Question], kind: Kind, folder: Path, rng: np.random.Generator) -> list[Item]:
    """Writes a clip for each question under a name that tells nothing; returns the items in order of these names."""
    names = [f"v{number:03d}" for number in rng.permutation(len(questions)) + 1]
    items = []
    with progress_bar("videos for the judges", sum(question.form.frames for question in questions)) as advance:
        for name, question in zip(names, questions, strict=True):
            order = [int(side) for side in rng.permutation(len(question.clips))]
            _write_clip(folder / f"{name}.mp4", question, order, advance)
            clips = [question.clips[side] for side in order]
            expected = None
            if question.broken is not None:
                expected = "generated" if kind == "single" else "ab"[1 - order.index(question.broken)]
            items.append(
                Item(name, tuple(clip.label for clip in clips), tuple(clip.path.name for clip in clips), expected)
            )
    for file in folder.iterdir():  # the order of writing is that of the arguments
        os.utime(file, (NEUTRAL_TIME, NEUTRAL_TIME))
    return sorted(items, key=lambda item: item.item)


def _write_clip(path: Path, question: Question, order: Sequence[int], advance: Advance) -> None:
    """One video a question: of a pair both halves side by side, which so can never be out of step."""
    form = question.form
    sides = [_frames(question.clips[side].path, form, broken=side == question.broken) for side in order]
    gap = np.full((form.size_hw[0], GAP, 3), 128, np.uint8)
    marking = _marking() if question.generated else None
    with VideoWriter(path, form.fps, crf=16, repeatable=True, marking=marking) as writer:  # it is known by these bytes
        for halves in zip(*sides, strict=False):  # a file that is cut off ends both
            writer.write(halves[0] if len(halves) == 1 else np.hstack([halves[0], gap, halves[1]]))
            advance()


def _marking() -> Marking:
    """Names nobody and no method: it is the same for all."""
    import understudy
    from understudy.marks.marking import Repeatable
    from understudy.marks.statement import Statement

    return Repeatable(Statement((), composite=True, version=understudy.__version__))


def _frames(path: Path, form: Form, broken: bool) -> Iterator[_Frame]:
    """Frames at the form's rate and size: of each moment the nearest one."""
    height, width = form.size_hw
    with VideoReader(path, long_side=LONG_SIDE) as reader:
        step = reader.fps / form.fps
        wanted = 0
        for number, frame in enumerate(reader):
            while wanted < form.frames and number >= math.floor(wanted * step + Fraction(1, 2)):
                if not broken or wanted % max(1, round(form.fps / 2)) == 0:
                    shown = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
                    shown = _spoilt(shown) if broken else shown
                yield np.asarray(shown, np.uint8)
                wanted += 1
            if wanted == form.frames:
                return


def _spoilt(frame: npt.NDArray[np.uint8]) -> _Frame:
    """What nobody who looks takes for a recording: coarse squares, upside down."""
    height, width = frame.shape[:2]
    cells = 14
    small = cv2.resize(
        frame, (max(2, round(cells * width / max(height, width))), max(2, round(cells * height / max(height, width)))),
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)[::-1], np.uint8)
