"""What many hours of driving video cost, on paper: core hours, time on many machines, room on disk, money.

    python benchmarks/costs.py                                            # the table, from results/costs-cpu.json
    python benchmarks/costs.py --a-core-hour 0.05 --a-gb-month 0.023 --hours 1000 --machines 10 --cores 16
    python benchmarks/costs.py --measure juggler.mp4 --output mine.json   # rates of this machine, some minutes

What a frame takes is measured on two lengths of one clip, so that what a clip takes once does not count. All the rest
is multiplication. Prices are the user's: no price stands here that anybody has asked, and those that are taken unless
others are said are round numbers.

A core of another machine is taken to do as much as one here, and n jobs of two threads side by side n times as much as
one: neither was measured.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from long_clips import done, looped
from processes import stopped_by_sigterm
from understudy.base.files import write_json
from understudy.base.machine import machine

MEASURED = Path(__file__).parent / "results" / "costs-cpu.json"
CASES = {
    "default recipe, 256": ("copy-then-refine", "instant", 256),
    "default recipe, 512": ("copy-then-refine", "instant", 512),
    "performance cloning, 256": ("performance-cloning", "paper", 256),
}
"""recipe, preset, pixels at which the reference is tracked"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1000, help="of driving video")
    parser.add_argument("--fps", type=float, default=25, help="of driving video")
    parser.add_argument("--machines", type=int, default=10)
    parser.add_argument("--cores", type=int, default=16, help="of each machine")
    parser.add_argument("--a-core-hour", type=float, default=0.05, help="assumed price of a core for an hour")
    parser.add_argument("--a-gb-month", type=float, default=0.02, help="assumed price of a GB for a month")
    parser.add_argument("--rates", type=Path, default=MEASURED, help="JSON file of --measure")
    parser.add_argument("--measure", type=Path, help="a clip: measure the rates of this machine on it instead")
    parser.add_argument("--lengths", type=int, nargs=2, default=[60, 240], help="frames")
    parser.add_argument("--output", type=Path, help="JSON file for what was measured")
    options = parser.parse_args(arguments)
    if options.measure is None:
        rates = json.loads(options.rates.read_text())
    else:
        with stopped_by_sigterm(), tempfile.TemporaryDirectory(prefix="understudy-benchmark-") as folder:
            rates = measured(options.measure, options.lengths, Path(folder))
        if options.output:
            write_json(options.output, rates)
    print("\n".join(table(rates, options)))


def table(rates: dict[str, Any], options: argparse.Namespace) -> Iterator[str]:
    """Lines of Markdown."""
    frames = options.hours * 3600 * options.fps
    yield f"| {options.hours:g} hours at {options.fps:g} frames a second | ms a frame | core hours | "\
        f"{options.machines} machines of {options.cores} cores | cost |"  # fmt: skip
    yield "|---|---|---|---|---|"

    def row(name: str, ms_a_frame: float) -> str:
        core_hours = cores_of(rates) * frames * ms_a_frame / 3.6e6
        wall = core_hours / (options.machines * options.cores)
        cost = core_hours * options.a_core_hour
        return f"| {name} | {ms_a_frame:.1f} | {core_hours:,.0f} | {wall:.1f} h | {cost:,.0f} |"

    tracking = rates["ms_a_frame"]["track"]
    yield row("tracking", tracking)
    for case in CASES:
        yield row(f"performing: {case}", rates["ms_a_frame"][case])
        yield row(f"together: {case}", tracking + rates["ms_a_frame"][case])
    for name, size in rates["bytes_a_frame"].items():
        gb = size * frames / 1e9
        yield f"| on disk: {name} | {size * options.fps * 60 / 1e6:.1f} MB a minute | {gb:,.0f} GB | | "\
            f"{gb * options.a_gb_month:,.0f} a month |"  # fmt: skip


def cores_of(rates: dict[str, Any]) -> int:
    """That were busy while it was measured."""
    return int(rates["machine"]["cores"])


def measured(clip: Path, lengths: Sequence[int], folder: Path) -> dict[str, Any]:
    """What a frame takes and leaves: the longer length less the shorter one."""
    few, many = sorted(lengths)
    ms: dict[str, float] = {}
    disk: dict[str, float] = {}
    tracked: dict[tuple[int, int], Path] = {}

    def note(name: str, short: float, long: float) -> None:
        ms[name] = round(1000 * (long - short) / (many - few), 2)
        print(f"{name:32s} {ms[name]:7.1f} ms a frame", flush=True)

    for length in (few, many):
        looped(clip, folder / f"{length}.mp4", (1280, 720), length)
    for size in sorted({size for _, _, size in CASES.values()}):
        seconds = {}
        for length in (few, many):
            tracked[size, length] = folder / f"{length}-{size}.performance"
            seconds[length] = done(track, folder / f"{length}.mp4", tracked[size, length], size)[0]
        if size == 256:  # as drivers are
            note("track", seconds[few], seconds[many])
            disk["performance"] = _bytes(tracked[size, many]) / many
    for name, (recipe, preset, size) in CASES.items():
        actor = folder / f"{recipe}-{size}.actor"
        done(train, tracked[size, few], actor, recipe, preset)
        videos = {length: folder / f"{recipe}-{size}-{length}.mp4" for length in (few, many)}
        seconds = {length: done(perform, actor, tracked[256, length], videos[length])[0] for length in (few, many)}
        note(name, seconds[few], seconds[many])
        disk[f"video, {name}"] = _bytes(videos[many]) / many
    return {
        "machine": machine("cpu"),
        "clip": clip.name,
        "picture": "1280x720",
        "lengths": [few, many],
        "ms_a_frame": ms,
        "bytes_a_frame": {name: round(size) for name, size in disk.items()},
    }


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.iterdir())


def track(clip: Path, output: Path, size: int) -> None:
    import understudy

    understudy.track(clip, output, size=size)


def train(reference: Path, output: Path, recipe: str, preset: Any) -> None:
    import understudy

    steps = 1 if preset == "paper" else None  # a network takes as long whatever it has learnt
    understudy.train(reference, output, recipe=recipe, preset=preset, max_steps=steps, consent="a benchmark")


def perform(actor: Path, driving: Path, output: Path) -> None:
    import understudy

    understudy.perform(actor, driving, output)


if __name__ == "__main__":
    main()
