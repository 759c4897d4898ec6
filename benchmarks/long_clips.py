"""What a clip's length costs: memory and time of tracking, performing and training, and on paper an hour of them.

    python benchmarks/long_clips.py --clip dance.mp4 --output mine.json
    python benchmarks/long_clips.py --only poses
    python benchmarks/long_clips.py --lengths 250 500 1000 2000 --size 1280x720

The clip is played again and again, at `--size` and with its own rate, until it has as many frames. Everything is done
in a process of its own, so that peaks of memory are its own; importing is not timed. A line through the lengths gives
what a frame costs, and what is paid once; at 60 minutes it is an extrapolation, not a measurement.

All that is done with the poses of a whole clip at once is measured at `--poses` frames, without pictures: mending and
smoothing them as `track` does, with left and right exchanged for a moment every three seconds, and what `perform` does
before its first picture. That is where memory grows with the length, and where time could grow faster than it.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fidelity import MEDIA
from measuring import alone
from processes import stopped_by_sigterm
from understudy.base.files import write_json
from understudy.base.machine import forget_peaks, machine, peaks_mib

HOUR = 60 * 60 * 30
"""frames of an hour, at 30 a second"""
COPYING = ("copy-then-refine", "limb-warp")
"""recipes that copy frames, which their preset "instant" does without a training"""
SAMPLES = 16_000
"""of sound a second"""
STEPS = 4
"""of a training: what grows with the length is reading the frames"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clip", type=Path, default=MEDIA / "juggler.mp4")
    parser.add_argument("--lengths", type=int, nargs="+", default=[60, 240, 480], help="frames")
    parser.add_argument("--poses", type=int, nargs="+", default=[13_500, 54_000, 108_000], help="frames")
    parser.add_argument("--only", nargs="+", choices=("clips", "poses"), default=["clips", "poses"])
    parser.add_argument("--size", default="1920x1080", help="of the looped clip, WIDTHxHEIGHT")
    parser.add_argument("--recipes", nargs="+", default=["copy-then-refine", "performance-cloning"])
    parser.add_argument("--output", type=Path, help="JSON file")
    options = parser.parse_args(arguments)
    with stopped_by_sigterm(), tempfile.TemporaryDirectory(prefix="understudy-benchmark-") as folder:
        record = measured(options, Path(folder))
    print(f"on {record['machine']['cpu']}, {record['machine']['cores']} cores")
    if options.output:
        write_json(options.output, record)


def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Every job at every length, and the lines through them."""
    rows: list[dict[str, Any]] = []

    def note(job: str, frames: int, found: tuple[float, int | None]) -> None:
        rows.append({"job": job, "frames": frames, "seconds": round(found[0], 2), "peak_memory_mib": found[1]})
        print(f"{job:34s} {frames:6d} frames {found[0]:8.1f} s  {found[1]} MiB", flush=True)

    shortest = folder / f"{min(options.lengths)}.performance"
    width, height = map(int, options.size.split("x"))
    actors = {name: folder / f"{name}.actor" for name in options.recipes}
    disk: dict[str, float] = {}
    if options.only == ["poses"]:
        done(track, options.clip, shortest)
        done(train, shortest, actors[options.recipes[0]], options.recipes[0], None)
    for frames in sorted(options.lengths) if "clips" in options.only else ():
        clip, tracked = folder / f"{frames}.mp4", folder / f"{frames}.performance"
        looped(options.clip, clip, (width, height), frames)
        note("track", frames, done(track, clip, tracked))
        disk["performance"] = sum(file.stat().st_size for file in tracked.iterdir()) / frames
        for name, actor in actors.items():
            if not actor.exists():
                done(train, shortest, actor, name, None)
            video = folder / f"{name}.mp4"
            note(f"perform, {name}", frames, done(perform, actor, tracked, video))
            disk[f"video, {name}"] = video.stat().st_size / frames
        for memory_gb, where in ((None, "in memory"), (0.0, "on disk")):
            output = folder / f"{frames}-{where}.actor"
            note(f"train, frames {where}", frames, done(train, tracked, output, "performance-cloning", memory_gb))
        clip.unlink()
    for frames in sorted(options.poses) if "poses" in options.only else ():
        note("poses, as tracked", frames, done(_tracked_poses, shortest, frames))
        note(
            "poses, until the first picture", frames, done(_first_picture, actors[options.recipes[0]], shortest, frames)
        )
    lines = [line(job, [row for row in rows if row["job"] == job]) for job in dict.fromkeys(row["job"] for row in rows)]
    for one in lines:
        print(
            f"{one['job']:34s} {one['ms_a_frame']:7.2f} ms and {one['kib_a_frame']:7.2f} KiB a frame; "
            f"an hour, on paper: {one['hour_minutes']:.1f} minutes"
        )
    for name, size in disk.items():
        print(f"{name:34s} {size / 1000:7.1f} kB a frame on disk")
    return {
        "machine": machine("cpu"),
        "clip": options.clip.name,
        "size": options.size,
        "rows": rows,
        "lines": lines,
        "bytes_a_frame_on_disk": {name: round(size) for name, size in disk.items()},
    }


def line(job: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Least squares: seconds and memory = once + frames times each. What an hour takes is the line's, not measured.

    No hour's memory is told: of a few hundred frames, the peaks differ by chance more than by what a frame adds.
    """
    frames = [row["frames"] for row in rows]
    each_s, once_s = np.polyfit(frames, [row["seconds"] for row in rows], 1)
    each_mib, once_mib = np.polyfit(frames, [row["peak_memory_mib"] or 0 for row in rows], 1)
    return {
        "job": job,
        "ms_a_frame": round(1000 * each_s, 3),
        "kib_a_frame": round(1024 * each_mib, 2),
        "once": {"seconds": round(once_s, 1), "memory_mib": round(once_mib)},
        "hour_minutes": round((once_s + HOUR * each_s) / 60, 1),
    }


def looped(source: Path, target: Path, size: tuple[int, int], frames: int, tone: bool = False) -> None:
    """A clip of so many frames: the source forwards and backwards in turns, so that nobody leaps where it ends.

    Args:
        tone: with a tone as long.
    """
    import av

    with av.open(str(source)) as container:
        rate = container.streams.video[0].average_rate or Fraction(30)
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    order = np.resize(np.r_[np.arange(len(shown)), np.arange(len(shown) - 2, 0, -1)], frames)
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        sound = container.add_stream("aac", rate=SAMPLES, layout="mono") if tone else None
        heard = 0
        for number, place in enumerate(order):
            picture = cv2.resize(shown[place], size, interpolation=cv2.INTER_LINEAR)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            if sound is not None:
                until = round((number + 1) / rate * SAMPLES)
                wave = 8000 * np.sin(np.arange(heard, until) * (2 * np.pi * 440 / SAMPLES))
                piece = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
                piece.sample_rate, piece.pts, heard = SAMPLES, heard, until
                container.mux(sound.encode(piece))
        for one in (stream, sound):
            if one is not None:
                container.mux(one.encode(None))


def done(action: Callable[..., None], *arguments: Any) -> tuple[float, int | None]:
    """Seconds of an action, and the peak of memory in MiB of the process of its own in which it was done."""
    found: Any = alone(_timed, action, *arguments, OMP_WAIT_POLICY="passive")  # as the command line has it
    return found


def _timed(action: Callable[..., None], *arguments: Any) -> tuple[float, int | None]:
    logging.disable(logging.WARNING)
    forget_peaks("cpu")
    began = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - began, peaks_mib("cpu")[0]


def track(clip: Path, output: Path) -> None:
    import understudy

    understudy.track(clip, output)


def _long(performance: Path, frames: int) -> Any:
    """A performance with so many poses, trembling, with left and right exchanged now and then."""
    from understudy.performance import Performance
    from understudy.poses.pose import Pose

    found = Performance.load(performance)
    order = np.resize(np.r_[np.arange(len(found)), np.arange(len(found) - 2, 0, -1)], frames)
    xy, confidence = found.poses.xy[order], found.poses.confidence[order]
    xy += np.random.default_rng(0).normal(0, 0.3, xy.shape).astype(np.float32)
    exchanged = Pose(xy, confidence, found.poses.size_hw).sides_exchanged()
    for first in range(50, frames - 3, round(3 * found.fps)):
        some = slice(first, first + 3)
        xy[some], confidence[some] = exchanged.xy[some], exchanged.confidence[some]
    found.poses, found.status = Pose(xy, confidence, found.poses.size_hw), found.status[order]
    return found


def _tracked_poses(performance: Path, frames: int) -> None:
    from understudy.tracking.crop import person_square
    from understudy.tracking.gaps import fill_gaps
    from understudy.tracking.identity import same_person
    from understudy.tracking.slips import mend_slips
    from understudy.tracking.smoothing import smooth_shots

    clip = _long(performance, frames)
    poses, _ = same_person(clip.poses, clip.fps)
    poses, _ = mend_slips(poses, clip.fps)
    poses, _ = fill_gaps(poses, clip.fps)
    person_square(smooth_shots(poses, clip.fps))


def _first_picture(actor: Path, performance: Path, frames: int) -> None:
    from understudy.actor import Actor
    from understudy.performing.fitting import fitted
    from understudy.performing.perform import generated, in_picture, part_for, played_part

    playing, clip = Actor.load(actor), _long(performance, frames)
    player = playing.player("cpu")
    part = played_part(part_for(playing, clip, "stand"), player)
    playing = fitted(playing, in_picture(playing, part.pose), part.presence > 0, "placed")
    pictures = generated(playing, player, part, clip)
    next(pictures)
    pictures.close()


def perform(actor: Path, driving: Path, output: Path) -> None:
    import understudy

    understudy.perform(actor, driving, output)


def train(reference: Path, output: Path, recipe: str, memory_gb: float | None) -> None:
    import understudy

    understudy.train(
        reference,
        output,
        recipe=recipe,
        preset="instant" if recipe in COPYING else "preview",
        max_steps=None if recipe in COPYING else STEPS,
        memory_gb=memory_gb,
        consent="a benchmark",
    )


if __name__ == "__main__":
    main()
