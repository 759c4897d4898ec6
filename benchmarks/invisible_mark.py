"""The invisible mark: found after what happens to videos, not found where there is none, how strong, at what cost.

    python benchmarks/invisible_mark.py --work marks --output invisible-mark.json
    python benchmarks/invisible_mark.py --work marks --output mine.json --people 0 1 --unmarked 10

Clips of ten seconds: every whole one in the real videos (`--videos`), and made-up people in their rooms, in four sizes.
Each is written marked and unmarked by `VideoWriter`, the marked one is treated and looked into, as `understudy verify`
looks. Unmarked are stretches of the same videos, which may overlap, and other people.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.base.progress import progress_bar
from understudy.errors import UnderstudyError
from understudy.marks.films import WINDOW, in_film
from understudy.marks.finding import SHORTEST
from understudy.marks.invisible import InvisibleMark, Payload
from understudy.marks.marking import Unmarked
from understudy.media.brightness import change_frame
from understudy.media.reading import VideoReader, VideoWriter
from understudy.synthetic.motion import choreography
from understudy.synthetic.pair import centred
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene

Picture = npt.NDArray[np.uint8]
SIZES_HW = (512, 384), (360, 640), (640, 360), (256, 256)
MADE_UP_FPS, UNMARKED_FPS = Fraction(25), Fraction(10)
STEP = 1.0
"""seconds between the beginnings of unmarked stretches of a real video"""
COST_HW = 1080, 1920


class Bits(Unmarked):
    """Marks the brightness alone: what a file keeps of the marks once it was uploaded."""

    def __init__(self, identity: int) -> None:
        self.payload = Payload(identity)
        self._mark: InvisibleMark | None = None

    def change(self, luma: Picture, seconds: float) -> npt.NDArray[np.float32]:
        self._mark = self._mark or InvisibleMark(self.payload, (luma.shape[0], luma.shape[1]))
        return self._mark.change(luma, seconds)


@dataclass(frozen=True)
class Clip:
    """Ten seconds of film."""

    name: str
    fps: Fraction
    frames: Callable[[], Iterator[Picture]]
    real: bool


@dataclass(frozen=True)
class Seen:
    """What was found in one treated clip."""

    clip: str
    real: bool
    treatment: str
    found: bool
    right: bool
    """the identity, bit for bit"""
    strength: float | None


# What happens to videos -----------------------------------------------------------------------------------------------


def crf_28(file: Path, out: Path) -> None:
    encode(file, out, {"crf": "28"})


def to_480p(file: Path, out: Path) -> None:
    encode(file, out, {"crf": "28"}, short_side=480)


def cropped(file: Path, out: Path) -> None:
    """A tenth of width and height is cut away, most of it from one side; what is left stays as large as it was."""
    encode(file, out, {"crf": "28"}, picture=_without_a_tenth)


def at_30(file: Path, out: Path) -> None:
    """Frames are repeated or left out; the film lasts as long."""
    encode(file, out, {"crf": "28"}, fps=Fraction(30))


def dimmed(file: Path, out: Path) -> None:
    encode(file, out, {"crf": "28"}, picture=lambda frame: _levels(frame, 0.85, 0.85))


def brightened(file: Path, out: Path) -> None:
    encode(file, out, {"crf": "28"}, picture=lambda frame: _levels(frame, 1.15, 1.15))


def sent_twice(file: Path, out: Path) -> None:
    """As messengers do: at most 720 lines at 1.5 Mbit/s, then 480 at 0.8, baseline profile, no look ahead."""
    between = out.with_name(f"between_{out.name}")
    phone = {"profile": "baseline", "preset": "veryfast"}
    encode(file, between, {**phone, "b": "1500k"}, short_side=720)
    encode(between, out, {**phone, "b": "800k"}, short_side=480)
    between.unlink()


TREATMENTS: dict[str, Callable[[Path, Path], None]] = {
    "H.264 crf 28": crf_28,
    "480p, crf 28": to_480p,
    "10 % cropped, crf 28": cropped,
    "to 30 fps, crf 28": at_30,
    "brightness and contrast -15 %, crf 28": dimmed,
    "brightness and contrast +15 %, crf 28": brightened,
    "re-encoded twice as by messengers": sent_twice,
}


def encode(
    file: Path,
    out: Path,
    options: dict[str, str],
    *,
    short_side: int | None = None,
    fps: Fraction | None = None,
    picture: Callable[[Picture], Picture] = lambda frame: frame,
) -> None:
    """Encodes a video anew, by another program's hand than ours: PyAV and its x264, medium unless said otherwise."""
    with VideoReader(file, say_notes=False) as frames, av.open(str(out), "w") as container:
        rate = fps or frames.fps
        stream = None
        for number, frame in enumerate(_at(rate, frames)):
            shown = np.ascontiguousarray(picture(frame))
            if stream is None:
                height, width = _sides(shown, short_side)
                stream = container.add_stream("libx264", rate=rate, options=options)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            decoded = av.VideoFrame.from_ndarray(shown, format="rgb24")
            encoded = decoded.reformat(width=width, height=height, format="yuv420p", interpolation="BICUBIC")
            encoded.pts, encoded.time_base = number, 1 / rate
            container.mux(stream.encode(encoded))
        assert stream is not None
        container.mux(stream.encode(None))


def _at(rate: Fraction, frames: VideoReader) -> Iterator[Picture]:
    shown = 0
    for number, frame in enumerate(frames):
        while shown / rate < (number + 1) / frames.fps:
            yield frame
            shown += 1


def _sides(frame: Picture, short_side: int | None) -> tuple[int, int]:
    height, width = frame.shape[:2]
    shrink = 1.0 if short_side is None else min(1.0, short_side / min(height, width))
    return round(height * shrink / 2) * 2, round(width * shrink / 2) * 2


def _without_a_tenth(frame: Picture) -> Picture:
    height, width = frame.shape[:2]
    top, left = round(0.03 * height), round(0.07 * width)
    return frame[top : top + round(0.9 * height) // 2 * 2, left : left + round(0.9 * width) // 2 * 2]


def _levels(frame: Picture, contrast: float, brightness: float) -> Picture:
    return np.clip(((frame.astype(np.float32) - 128) * contrast + 128) * brightness, 0, 255).astype(np.uint8)


# Clips ----------------------------------------------------------------------------------------------------------------


def real_clips(videos: Sequence[Path], step: float, whole: bool) -> list[Clip]:
    """Ten seconds of every video from each beginning on; at most `WINDOW`, and no less than three quarters of it."""
    clips = []
    for video in videos:
        length = float(VideoReader(video, say_notes=False).info.duration)
        for start in np.arange(0.0, max(0.0, length - (0.75 * WINDOW if whole else SHORTEST)) + 1e-6, step):
            clips.append(_real_clip(video, float(start)))
    return clips


def _real_clip(video: Path, start: float) -> Clip:
    def reader() -> VideoReader:
        return VideoReader(video, start=start, end=start + WINDOW, say_notes=False, tolerate_damage=True)

    return Clip(f"{video.stem} from {start:.0f} s", reader().fps, lambda: iter(reader()), True)


def made_up_clip(seed: int, fps: Fraction = MADE_UP_FPS) -> Clip:
    """Somebody who dances in a room."""

    def frames() -> Iterator[Picture]:
        dance = centred(choreography(seed, WINDOW, fps))
        for one in render(make_person(seed), dance, make_scene(seed, SIZES_HW[seed % len(SIZES_HW)])):
            yield one.frame

    return Clip(f"made-up person {seed}", fps, frames, False)


# Measuring ------------------------------------------------------------------------------------------------------------


def marked_and_treated(
    clip: Clip, identity: int, work: Path, treatments: Sequence[str]
) -> tuple[list[Seen], dict[str, Any]]:
    """A clip with its mark, and what is found of it after each treatment."""
    plain, marked, treated = work / "plain.mp4", work / "marked.mp4", work / "treated.mp4"
    write(clip, plain, None)
    write(clip, marked, Bits(identity))
    seen = []
    for name in treatments:
        TREATMENTS[name](marked, treated)
        found = in_film(treated)
        right = found is not None and found.payload.identity == identity
        seen.append(
            Seen(clip.name, clip.real, name, found is not None, right, None if found is None else found.strength)
        )
    sizes = {"bytes_unmarked": plain.stat().st_size, "bytes_marked": marked.stat().st_size}
    return seen, {"clip": clip.name, "real": clip.real, "psnr_db": added_psnr(clip, identity), **sizes}


def write(clip: Clip, file: Path, marking: Bits | None) -> None:
    with VideoWriter(file, clip.fps, marking=marking) as writer:
        for frame in clip.frames():
            writer.write(frame)


def added_psnr(clip: Clip, identity: int, every: int = 10) -> float:
    """What the mark adds to brightness before anything is encoded, as peak signal to noise in dB."""
    errors, mark = [], None
    for number, frame in enumerate(clip.frames()):
        luma = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
        mark = mark or InvisibleMark(Payload(identity), (luma.shape[0], luma.shape[1]))
        if number % every == 0:
            changed = cv2.add(luma, mark.change(luma, float(number / clip.fps)), dtype=cv2.CV_8U)
            errors.append(float(((changed.astype(np.float32) - luma) ** 2).mean()))
    return 10 * math.log10(255**2 / max(float(np.mean(errors)), 1e-9))


def cost(rounds: int = 60) -> dict[str, float]:
    """Milliseconds that the mark takes of a frame, beside those that H.264 takes in the same process; by turns.

    At 25 frames a second what is added is kept for every second one: the median is of pairs, else it would be of
    either kind by chance.
    """
    height, width = COST_HW
    picture = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    frame = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    mark = InvisibleMark(Payload(1), COST_HW)
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = width, height, "yuv420p", Fraction(1, 25)
    codec.options = {"crf": "18", "preset": "veryfast"}
    taken: dict[str, list[float]] = {"mark": [], "encoding": []}
    for number in range(rounds):
        picture_ = av.VideoFrame.from_ndarray(np.roll(frame, number, axis=1), format="rgb24").reformat(format="yuv420p")
        begun = time.perf_counter()
        change_frame(picture_, mark.change, number / 25)
        between = time.perf_counter()
        picture_.pts = number
        codec.encode(picture_)
        taken["mark"].append(between - begun)
        taken["encoding"].append(time.perf_counter() - between)
    pairs = {what: np.reshape(times, (-1, 2)).mean(axis=1)[rounds // 8 :] for what, times in taken.items()}
    return {f"{what}_ms": 1000 * float(np.median(times)) for what, times in pairs.items()}


def summary(
    seen: Sequence[Seen], clips: Sequence[dict[str, Any]], unmarked: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    by_treatment = {}
    for name in dict.fromkeys(one.treatment for one in seen):
        some = [one for one in seen if one.treatment == name]
        right = sum(one.right for one in some)
        weakest = min((one.strength for one in some if one.strength is not None), default=None)
        by_treatment[name] = {"clips": len(some), "found": right, "share": right / len(some), "weakest": weakest}
    ratios = [one["bytes_marked"] / one["bytes_unmarked"] for one in clips]
    return {
        "treatments": by_treatment,
        "wrong_identity": sum(one.found and not one.right for one in seen),
        "unmarked_clips": len(unmarked),
        "found_in_unmarked": sum(one["found"] for one in unmarked),
        "psnr_db": {
            "least": min(one["psnr_db"] for one in clips),
            "median": float(np.median([c["psnr_db"] for c in clips])),
        },
        "size_ratio": {"median": float(np.median(ratios)), "most": max(ratios)},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for the clips")
    parser.add_argument("--output", type=Path, required=True, help="results, JSON")
    parser.add_argument("--videos", type=Path, nargs="*", default=[], help="real videos; more than 2 seconds each")
    parser.add_argument("--people", type=int, nargs="*", default=list(range(24)), help="made-up people, marked")
    parser.add_argument("--unmarked", type=int, default=200, help="how many unmarked clips are looked into at most")
    parser.add_argument("--treatments", nargs="+", choices=list(TREATMENTS), default=list(TREATMENTS))
    asked = parser.parse_args(arguments)
    asked.work.mkdir(parents=True, exist_ok=True)
    clips = [*real_clips(asked.videos, WINDOW, True), *map(made_up_clip, asked.people)]
    seen, told = [], []
    identities = np.random.default_rng(0).integers(0, 1 << 40, max(len(clips), 1))
    with progress_bar("marked clips", len(clips), "clips") as advance:
        for clip, identity in zip(clips, identities.tolist(), strict=False):
            some, about = marked_and_treated(clip, identity, asked.work, asked.treatments)
            seen += some
            told.append(about)
            advance()
    real = real_clips(asked.videos, STEP, False)
    real = real[:: max(1, math.ceil(2 * len(real) / max(asked.unmarked, 1)))]  # half of them, evenly
    others = [made_up_clip(1000 + seed, UNMARKED_FPS) for seed in range(asked.unmarked - len(real))]
    unmarked = []
    with progress_bar("unmarked clips", len(real) + len(others), "clips") as advance:
        for clip in [*real, *others]:
            unmarked.append({"clip": clip.name, "real": clip.real, "found": _found_unmarked(clip, asked.work)})
            advance()
    record = {
        **machine("cpu"),
        "seed": 0,
        "summary": summary(seen, told, unmarked) if told else None,
        "cost_of_a_1080p_frame": cost(),
        "clips": told,
        "seen": [asdict(one) for one in seen],
        "unmarked": unmarked,
    }
    write_json(asked.output, record)
    print(f"{record['summary']}\n{record['cost_of_a_1080p_frame']}")


def _found_unmarked(clip: Clip, work: Path) -> bool:
    file = work / "unmarked.mp4"
    write(clip, file, None)
    try:
        return in_film(file) is not None
    except UnderstudyError:
        return False


if __name__ == "__main__":
    main()
