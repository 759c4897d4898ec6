"""How long poses in bulk take to load, how much memory they hold, and how long a draw takes.

    python benchmarks/pose_pool.py --output mine.json

Writes what a pool reads of a thousand performances (header and poses; made-up dances, each drawn a little differently)
into a temporary folder of 0.5 GB, and then loads that folder as `--unpaired FOLDER` does.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from measuring import Meter, Row
from understudy.base.files import save_tensors, sha256_of, write_json
from understudy.base.machine import machine, peaks_mib
from understudy.conditioning.clips import windows  # noqa: F401 - PyTorch's memory is not the pool's
from understudy.errors import UnderstudyError
from understudy.performance import FOUND, HEADER_FILE, POSES_FILE, Crop, Header
from understudy.performance import VERSION as LAYOUT
from understudy.poses.pose import Pose
from understudy.retargeting.alignment import body_statistics
from understudy.synthetic.dances import dance_poses
from understudy.unpaired.gathering import gather
from understudy.unpaired.pool import PosePool

VERSION = 1
"""of the JSON's layout"""
CONSECUTIVE, WINDOWS = 9, 4
"""frames a window, windows a draw: two stages of five poses, a batch of four"""
DANCES = 16
MOST_SECONDS, MOST_MIB = 30.0, 1000


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    record = {"version": VERSION, "time": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    record |= {"machine": machine("cpu"), "clips": options.clips, "frames_a_clip": options.frames}
    reference = dance_poses(DANCES)
    with tempfile.TemporaryDirectory(prefix="understudy-benchmark-") as folder:
        started = time.perf_counter()
        _write(Path(folder), options.clips, options.frames)
        print(f"wrote {options.clips} performances in {time.perf_counter() - started:.0f} s", flush=True)
        rows = _measured(Path(folder), reference, options.repeats)
    bars = _bars(rows)
    for row in rows:
        print(_line(row))
    for bar in bars:
        print(f"bar  {bar['bar']}: {'met' if bar['met'] else 'NOT met'} ({bar['measured']:.1f})")
    if options.output:
        write_json(options.output, record | {"rows": [dataclasses.asdict(row) for row in rows], "bars": bars})
        print(f"written to {options.output}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=1000, help="performances in the folder")
    parser.add_argument("--frames", type=int, default=315, help="frames of each")
    parser.add_argument("--repeats", type=int, default=3, help="measurements behind each median")
    parser.add_argument("--output", type=Path, help="JSON to write")
    options = parser.parse_args(arguments)
    if options.clips < 1 or options.repeats < 1 or not CONSECUTIVE <= options.frames <= len(dance_poses(0)):
        parser.error(
            f"--clips and --repeats must be at least 1, --frames {CONSECUTIVE} to {len(dance_poses(0))} (a dance)"
        )
    return options


def _write(folder: Path, clips: int, frames: int) -> None:
    status = np.full(frames, FOUND, np.uint8)
    dances = [dance_poses(number)[:frames] for number in range(min(DANCES, clips))]
    for number in range(clips):
        dance = dances[number % len(dances)]
        jitter = np.random.default_rng(number).normal(0, 0.3, (1, *dance.xy.shape[1:])).astype(np.float32)
        clip = folder / f"{number:04d}.performance"
        clip.mkdir()
        tensors = {"xy": dance.xy + jitter, "confidence": dance.confidence, "status": status}
        save_tensors(clip / POSES_FILE, tensors, {"size_hw": list(dance.size_hw)})
        header = Header(
            version=LAYOUT,
            source_name=f"{number:04d}.mp4",
            source_sha256=f"{number:064x}",
            fps=Fraction(30),
            frames=frames,
            size_hw=dance.size_hw,
            original_size_hw=dance.size_hw,
            crop=Crop(1.0, (0.0, 0.0)),
            tracker="exact",
            tracker_version="1",
            landmarks="wholebody",
            matte="none",
            smoothed=False,
            found=frames,
            interpolated=0,
            missing=0,
            start=None,
            end=None,
            inpainted=0.0,
            flow_shrink=4,
            files={POSES_FILE: sha256_of(clip / POSES_FILE)},
        )
        write_json(clip / HEADER_FILE, dataclasses.asdict(header) | {"fps": "30"})


def _measured(folder: Path, reference: Pose, repeats: int) -> list[Row]:
    body, meter = body_statistics(reference), Meter(repeats, "cpu")
    seconds: dict[str, list[float]] = {"load": [], "align": []}
    before = _peak()
    for _ in range(repeats):
        started = time.perf_counter()
        sequences = gather([folder])
        loaded = time.perf_counter()
        pool = PosePool.of(sequences, body, CONSECUTIVE, seen_above=0.1)
        seconds["load"].append(loaded - started)
        seconds["align"].append(time.perf_counter() - loaded)
        held = sum(one.poses.xy.nbytes + one.poses.confidence.nbytes for one in sequences)
        del sequences
    peak = max(0, _peak() - before)
    rng = np.random.default_rng(0)
    draw = meter.time("draw", f"{WINDOWS} windows of {CONSECUTIVE} frames", 1, lambda: pool.draw(rng, WINDOWS))
    return [
        meter.row("load", "folder of performances to poses", "s", seconds["load"]),
        meter.row("pool", "poses to pool", "s", seconds["align"]),
        meter.row("both", "from folder to pool", "s", [sum(pair) for pair in zip(*seconds.values(), strict=True)]),
        meter.row("poses", "held while the pool is made", "MiB", [held / 2**20]),
        meter.row("pool", "held while training", "MiB", [pool.nbytes / 2**20]),
        meter.row("peak", "of the process, above what it had", "MiB", [peak]),
        meter.row(draw.stage, draw.case, "us", [1000 * ms for ms in (draw.min, draw.median, draw.max)]),
    ]


def _peak() -> float:
    """MiB, of this process so far; 0 where nobody counts it."""
    return float(peaks_mib("cpu")[0] or 0)


def _bars(rows: Sequence[Row]) -> list[dict[str, Any]]:
    values = {(row.stage, row.unit): row.median for row in rows}
    took, peak = values["both", "s"], values["peak", "MiB"]
    return [
        {"bar": f"loads in {MOST_SECONDS:g} s or less", "measured": took, "met": took <= MOST_SECONDS},
        {"bar": f"{MOST_MIB} MiB or less at its peak", "measured": peak, "met": peak <= MOST_MIB},
    ]


def _line(row: Row) -> str:
    return f"{row.stage:6} {row.case:36} {row.median:9.2f} {row.min:9.2f} .. {row.max:<9.2f} {row.unit}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
