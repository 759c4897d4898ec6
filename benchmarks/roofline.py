"""How much of a device training uses, how much memory it takes, and how long a whole schedule is, for every recipe.

    python benchmarks/roofline.py --performance me.performance --presets preview --output roofline.json
    python benchmarks/roofline.py --performance me.performance --recipes everybody-dance-now --peer --device cuda

Each recipe and preset is trained for a few steps by `understudy.train`, in a process of its own. The operations of a
step, by its seconds, are held against what the device reaches at best in the same process: that is the share of the
peak. What fails is one line of the record, and the rest goes on.

A tracked performance is needed, and PyTorch, Lightning Fabric, PyAV and OpenCV, which decode it; no tracker. Where a
recipe takes the features that can be had, VGG-19's are measured, with random weights: they cost the same, and nothing
is fetched.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

import understudy
from device_peak import reachable
from measuring import alone
from peer_loop import Peer
from processes import stopped_by_sigterm
from stepping import Part, Watch, flop_of, timed
from understudy.base.devices import choose_device
from understudy.base.files import write_json
from understudy.base.machine import forget_peaks, machine, peaks_mib
from understudy.performance import Performance
from understudy.recipes import every, recipe
from understudy.recipes.parts.settings import assignments, changed
from understudy.training.loop import precision_on

PRESETS = ("preview", "fast", "paper")
FRAMES = 3600
"""two minutes at 30 a second: what docs/filming.md says a first actor takes"""
PEER_SIZES = (256, 512)
COMPARED_WITH = "everybody-dance-now"
"""whose networks are the peer's"""
TERA = 1e12


@dataclass(frozen=True)
class Case:
    """One training to be measured."""

    recipe: str
    preset: str
    performance: Path
    device: str
    steps: int
    """timed in each part"""
    frames: int
    """of the reference for whom schedules by epochs are reckoned"""
    settings: tuple[str, ...] = ()
    """NAME=VALUE, as `understudy.train` takes them"""


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    networks = [name for name, one in every() if one.learns]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--performance", type=Path, required=True, help="a tracked clip: learnt from, and its own driver"
    )
    parser.add_argument("--recipes", nargs="+", choices=networks, default=networks)
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=PRESETS)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument("--steps", type=int, default=12, help="timed in each part of a schedule, after 3 to warm up")
    parser.add_argument("--frames", type=int, default=FRAMES, help="of the reference, for schedules by epochs")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="numbers of every config to change")
    parser.add_argument("--peer", action="store_true", help="measure the loop of peer_loop.py beside them")
    parser.add_argument("--peer-sizes", type=int, nargs="+", default=PEER_SIZES)
    parser.add_argument("--output", type=Path, help="JSON file")
    asked = parser.parse_args(arguments)
    if asked.steps < 1 or asked.frames < 1:
        parser.error("--steps and --frames must be at least 1")
    return asked


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _asked(arguments)
    device = choose_device(asked.device).type
    cases = [
        Case(name, preset, asked.performance, device, asked.steps, asked.frames, tuple(asked.set))
        for name in asked.recipes
        for preset in asked.presets
    ]
    record: dict[str, Any] = {
        "machine": machine(device),
        "device": device,
        "frames": asked.frames,
        "clip_frames": len(Performance.load(asked.performance)),
        "rows": [],
        "peer": [],
    }
    with stopped_by_sigterm():
        for case in cases:
            began = time.monotonic()
            row = {"recipe": case.recipe, "preset": case.preset} | measured_alone(measured, case)
            record["rows"].append(row | {"took_s": round(time.monotonic() - began, 1)})
            print(said(row), flush=True)
            _keep(asked.output, record)
        for size in asked.peer_sizes if asked.peer else ():
            row = {"size": size} | measured_alone(peer_measured, size, device, asked.steps)
            record["peer"].append(row | {"times": times_of_peer(record["rows"], row)})
            _keep(asked.output, record)
    print("\n" + "\n".join(tables(record)))


def _keep(output: Path | None, record: dict[str, Any]) -> None:
    if output:
        write_json(output, record)


def measured_alone(function: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What a measurement in a process of its own returns, or the line that says why it did not."""
    try:
        found: Any = alone(_or_why_not, function, *arguments, OMP_WAIT_POLICY="passive")  # as the command line has it
    except BrokenProcessPool:
        return {"error": "its process was ended, as happens when memory runs out"}
    return found  # type: ignore[no-any-return]


def _or_why_not(function: Callable[..., dict[str, Any]], *arguments: Any) -> Any:
    try:
        return function(*arguments) | {"error": None}
    except Exception as error:  # noqa: BLE001 - of anything: the other cases go on
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]}


# -- One case ------------------------------------------------------------------------------------------------------


def measured(case: Case) -> dict[str, Any]:
    """Trains a few steps of each part of a schedule, and reckons the whole of it."""
    method = recipe(case.recipe)
    config = changed(method.preset(case.preset), assignments(case.settings))
    settings = [*case.settings, "features=random"] if getattr(config, "features", "") == "auto" else case.settings
    clip = Performance.load(case.performance)
    forget_peaks(case.device)
    watch = Watch(case.device, case.steps)
    with tempfile.TemporaryDirectory(prefix="understudy-benchmark-") as folder, _quiet(), watch.over_training():
        understudy.train(
            clip,
            Path(folder) / "one.actor",
            unpaired=[clip] if method.learns_from(config) == "clips" else [],
            recipe=case.recipe,
            preset=case.preset,  # type: ignore[arg-type]
            settings=settings,
            consent="a benchmark",
            device=case.device,  # type: ignore[arg-type]
        )
    memory, gpu = peaks_mib(case.device)
    precision = precision_on(torch.device(case.device))
    peaks = reachable(case.device, torch.bfloat16 if precision == "bf16-mixed" else torch.float32)
    by_epochs = config.steps is None
    parts = [part_row(part, max(peaks.values()), case.frames / len(clip) if by_epochs else 1.0) for part in watch.parts]
    return {
        "picture": config.size,
        "batch": config.optimisation.batch,
        "settings": list(settings),
        "precision": precision,
        "by_epochs": by_epochs,
        "peak_tflop_s": {name: round(value / TERA, 4) for name, value in peaks.items()},
        "prepared_s": round(watch.prepared_s or 0.0, 1),
        "peak_memory_mib": memory,
        "peak_gpu_mib": gpu,
        "parts": parts,
    } | whole(parts)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the notes of a training that is cut short."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def part_row(part: Part, peak: float, longer: float) -> dict[str, Any]:
    """A part of a schedule, with what follows from its numbers.

    Args:
        peak: floating point operations a second that the device reaches.
        longer: how many times the schedule's steps it has, for a reference of another length.
    """
    return asdict(part) | {
        "steps": round(part.steps * longer),
        "pictures_s": part.pictures / part.seconds,
        "share_of_peak": part.flop / part.seconds / peak,
    }


def whole(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Steps, hours and the share of the peak of all parts of a schedule together."""
    seconds = sum(part["steps"] * part["seconds"] for part in parts)
    at_peak = sum(part["steps"] * part["seconds"] * part["share_of_peak"] for part in parts)
    return {
        "steps": sum(part["steps"] for part in parts),
        "hours": seconds / 3600,
        "share_of_peak": at_peak / seconds,
    }


# -- The peer ------------------------------------------------------------------------------------------------------


def peer_measured(size: int, device: str, steps: int) -> dict[str, Any]:
    """The peer's loop at one size, in its own precision."""
    forget_peaks(device)
    peer = Peer(size, device)
    seconds = sorted(timed(peer, steps, device))
    flop = flop_of(peer)
    memory, gpu = peaks_mib(device)
    peak = max(reachable(device, torch.float32).values())
    middle = seconds[len(seconds) // 2]
    return {
        "pictures": peer.pictures,
        "seconds": middle,
        "min_seconds": seconds[0],
        "max_seconds": seconds[-1],
        "flop": flop,
        "pictures_s": peer.pictures / middle,
        "share_of_peak": flop / middle / peak,
        "precision": "32-true",
        "peak_tflop_s": round(peak / TERA, 4),
        "peak_memory_mib": memory,
        "peak_gpu_mib": gpu,
    }


def times_of_peer(rows: Sequence[dict[str, Any]], peer: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Of the recipe with the peer's networks, parts of the same size: how many times its pictures a second, and its
    floating point operations a picture."""
    if peer["error"]:
        return {}
    return {
        f"{row['preset']} {_name(part)}".strip(): {
            "pictures_s": part["pictures_s"] / peer["pictures_s"],
            "flop_a_picture": part["flop"] / part["pictures"] / (peer["flop"] / peer["pictures"]),
        }
        for row in rows
        if row["recipe"] == COMPARED_WITH and not row["error"]
        for part in row["parts"]
        if part["size"] == peer["size"]
    }


# -- What is printed -----------------------------------------------------------------------------------------------


def said(row: dict[str, Any]) -> str:
    """One line of a case, as it is finished."""
    if row["error"]:
        return f"{row['recipe']}, {row['preset']}: {row['error']}"
    return (
        f"{row['recipe']}, {row['preset']}: {row['hours']:.2f} h for {row['steps']} steps, "
        f"{row['share_of_peak']:.0%} of the peak, {_gib(row)} GiB"
    )


def tables(record: dict[str, Any]) -> list[str]:
    """Markdown: how much memory and how long; the parts of each schedule; the peer."""
    device, rows = record["machine"]["gpu"] or record["machine"]["cpu"], record["rows"]
    lines = [
        f"On {device}. By epochs (*): for a reference of {record['frames']} frames. Memory is that of the "
        f"{'GPU' if record['device'] == 'cuda' else 'process'}, {record['clip_frames']} frames of the reference in it.",
        "",
        "| recipe | preset | picture | steps | memory, GiB | hours |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        begins = f"| {row['recipe']} | {row['preset']} |"
        if row["error"]:
            lines.append(f"{begins} {row['error'].replace('|', '/')} | | | |")
            continue
        steps = f"{row['steps']}{'*' * row['by_epochs']}"
        lines.append(f"{begins} {row['picture']} | {steps} | {_gib(row)} | {row['hours']:.2f} |")
    lines += [
        "",
        "| recipe | preset | part | size | GFLOP a step | ms a step | pictures/s | share of peak | waits a step |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        for part in row.get("parts", ()):
            waits = "" if part["synchronisations"] is None else f"{part['synchronisations']:.1f}"
            lines.append(f"| {row['recipe']} | {row['preset']} | {_name(part)} | {_numbers(part)} | {waits} |")
    lines += [peer_line(peer) for peer in record["peer"]]
    for peer in record["peer"]:
        lines += [
            f"\n{COMPARED_WITH}, {name}, {peer['size']}: {times['pictures_s']:.2f} times the peer's pictures a second, "
            f"with {times['flop_a_picture']:.2f} times its operations a picture"
            for name, times in peer["times"].items()
        ]
    return lines


def peer_line(peer: dict[str, Any]) -> str:
    """The peer in the table of parts, its memory in the place of a part's name."""
    found = peer["error"] or f"{_gib(peer)} GiB | {_numbers(peer)} | |"
    return f"| the peer: pix2pixHD, plain | paper | {found}"


def _numbers(part: dict[str, Any]) -> str:
    return (
        f"{part['size']} | {part['flop'] / 1e9:.4g} | {1000 * part['seconds']:.4g} | {part['pictures_s']:.3g} | "
        f"{part['share_of_peak']:.0%}"
    )


def _name(part: dict[str, Any]) -> str:
    return ", ".join(word for word in (part["stage"], part["part"]) if word)


def _gib(row: dict[str, Any]) -> str:
    mib = row["peak_memory_mib"] if row["peak_gpu_mib"] is None else row["peak_gpu_mib"]
    return "?" if mib is None else f"{mib / 1024:.1f}"


if __name__ == "__main__":
    main()
