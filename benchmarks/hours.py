"""An hour that drives, and twenty minutes that are learnt from: memory, time a frame, and sound at the end.

    python benchmarks/hours.py --output mine.json
    python benchmarks/hours.py --driving-minutes 1 5 --reference-minutes 1 2

A made-up person's dance of a few seconds is filmed once and played forwards and backwards in turns, with a tone, at six
thousand frames in 1001 seconds: few, so that an hour of them can be waited for, at a rate at which whole numbers drift.
Everything is done in a process of its own, on a film of each length; peaks of memory are that process's.

Sound is in step when the last of it and the last picture are as far apart in the video as they are in the driver.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from long_clips import done, looped, perform, track, train
from processes import stopped_by_sigterm
from understudy.base.files import write_json
from understudy.base.machine import machine

PERSON, SECONDS = 21, 12


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driving-minutes", type=float, nargs="+", default=[1, 60])
    parser.add_argument("--reference-minutes", type=float, nargs="+", default=[1, 20])
    parser.add_argument(
        "--size", type=int, nargs=2, default=[256, 320], metavar=("HEIGHT", "WIDTH"), help="of the film"
    )
    parser.add_argument("--rate", type=Fraction, default=Fraction(6_000, 1001), help="frames a second")
    parser.add_argument("--memory-gb", type=float, default=0.25, help="for the frames that a training learns from")
    parser.add_argument("--output", type=Path, help="JSON file")
    options = parser.parse_args(arguments)
    with stopped_by_sigterm(), tempfile.TemporaryDirectory(prefix="understudy-benchmark-") as folder:
        rows = list(measured(options, Path(folder)))
    if options.output:
        settings = {"size_hw": options.size, "memory_gb": options.memory_gb, "rate": str(options.rate)}
        write_json(options.output, {"machine": machine("cpu"), **settings, "rows": rows})


def measured(options: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """A row for each thing that was done at each length."""
    dance = folder / "dance.mp4"
    actor = folder / "me.actor"
    _film(dance, (options.size[0], options.size[1]), options.rate)
    for minutes in sorted({*options.driving_minutes, *options.reference_minutes}):
        film, tracked, frames = folder / "film.mp4", folder / "film.performance", round(60 * minutes * options.rate)
        looped(dance, film, (options.size[1], options.size[0]), frames, tone=True)
        yield _row("track", minutes, frames, done(track, film, tracked))
        if not actor.exists():
            done(train, tracked, actor, "limb-warp", None)
        if minutes in options.reference_minutes:
            for recipe in ("performance-cloning", "copy-then-refine"):
                learnt = folder / f"{recipe}-{minutes:g}.actor"
                found = done(train, tracked, learnt, recipe, options.memory_gb)
                yield _row(f"train, {recipe}", minutes, frames, found)
        if minutes in options.driving_minutes:
            video = folder / "out.mp4"
            row = _row("perform", minutes, frames, done(perform, actor, tracked, video))
            apart = 1000 * (_apart(video) - _apart(film))
            row |= {"sound_late_ms": round(float(apart), 3), "frames_written": _frames(video)}
            print(
                f"{'':28s} sound is {row['sound_late_ms']:+} ms late at the end; {row['frames_written']} frames",
                flush=True,
            )
            yield row


def _row(job: str, minutes: float, frames: int, found: tuple[float, int | None]) -> dict[str, Any]:
    seconds, peak = found
    each = 1000 * seconds / frames
    print(f"{job:28s} {minutes:5g} min {frames:6d} frames {seconds:8.1f} s {each:6.2f} ms each {peak} MiB", flush=True)
    row = {"job": job, "minutes": minutes, "frames": frames, "seconds": round(seconds, 1)}
    return row | {"ms_a_frame": round(each, 2), "peak_memory_mib": peak}


def _film(path: Path, size_hw: tuple[int, int], rate: Fraction) -> None:
    from understudy.synthetic.clip import write_clip
    from understudy.synthetic.motion import choreography
    from understudy.synthetic.people import make_person
    from understudy.synthetic.scene import make_scene

    write_clip(path, make_person(PERSON), choreography(PERSON, SECONDS, rate), make_scene(PERSON, size_hw))


def _ends(path: Path) -> tuple[Fraction, Fraction, int]:
    """Seconds at which the last picture and the last packet of sound begin, and the number of pictures."""
    import av

    last, count = {"video": Fraction(0), "audio": Fraction(0)}, 0
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.pts is None or not packet.size:
                continue
            kind = packet.stream.type
            last[kind] = max(last[kind], packet.pts * Fraction(packet.time_base))
            count += kind == "video"
    return last["video"], last["audio"], count


def _apart(path: Path) -> Fraction:
    video, audio, _ = _ends(path)
    return audio - video


def _frames(path: Path) -> int:
    return _ends(path)[2]


if __name__ == "__main__":
    main()
