"""Other engines than PyTorch for the networks of an actor: how fast each is here, and how near to float32.

    pip install openvino onnx onnxruntime nncf      # whatever of these is missing is left out
    python benchmarks/engines.py --actor me.actor --driving dance.performance --output mine.json

The actor plays some moments, and what its networks are given then is recorded. Every engine gets the same again, in
turns within one process, on as many threads as there are cores: a round is two calls of each, of which the second
counts. The table shows the median of a frame in milliseconds, what PyTorch takes in float32 over that, and the peak
signal-to-noise ratio against what PyTorch gives in float32, of all that the network says, each tensor by its own range.
Loading is what an engine needs before its first frame.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the command line has it, and before PyTorch is loaded

import argparse
import copy
import importlib
import logging
import math
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn

from understudy.actor import Actor
from understudy.base.devices import computes_in_bfloat16
from understudy.base.engines import ENOUGH, decibels
from understudy.base.files import write_json
from understudy.base.machine import cores, machine, version_of
from understudy.base.openvino import CANNOT, Converted
from understudy.performing.perform import driving_frames, part_for, played_part
from understudy.recipes.parts.player import moments
from understudy.synthetic.drivers import driver_of

MOMENTS = 24
"""played to record what the networks are given, eight at a time as a video is"""
ROUNDS = 15
WARM_UP = 3
"""rounds left out"""

Said = list[torch.Tensor]
Call = Callable[[], Said]

log = logging.getLogger(__name__)


class Recorded:
    """A network, and what it was given."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.given: list[tuple[torch.Tensor, ...]] = []

    @property
    def first(self) -> tuple[torch.Tensor, ...]:
        return self.given[0]

    @property
    def frames(self) -> int:
        """in a call"""
        return len(self.first[0])


@contextmanager
def recording() -> Iterator[dict[int, Recorded]]:
    """What is given to networks that no other network calls, by the network's id."""
    found: dict[int, Recorded] = {}
    depth = 0

    def before(module: nn.Module, given: tuple[Any, ...]) -> None:
        nonlocal depth
        if depth == 0 and all(isinstance(one, torch.Tensor) for one in given):
            with torch.inference_mode(False):  # tensors made in it are none that a tracer takes
                kept = tuple(one.detach().clone() for one in given)
            found.setdefault(id(module), Recorded(module)).given.append(kept)
        depth += 1

    def after(*_: Any) -> None:
        nonlocal depth
        depth -= 1

    hooks = (
        nn.modules.module.register_module_forward_pre_hook(before),
        nn.modules.module.register_module_forward_hook(after, always_call=True),
    )
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def recorded(actor: Actor, driving: Path) -> list[Recorded]:
    """The networks of an actor, with what they are given while it plays the beginning of a driver."""
    performance, player = driver_of(driving), actor.player("cpu")
    part = played_part(part_for(actor, performance), player)
    frames = driving_frames(actor, performance) if "frames" in player.needs else None
    with recording() as found:
        for _ in islice(player.play(moments(part.in_window, frames)), MOMENTS):
            pass
    return list(found.values())


def flat(said: Any) -> Said:
    """All tensors of what a network says, in float32."""
    return [said.float()] if isinstance(said, torch.Tensor) else [one.float() for one in said if one is not None]


def by_torch(one: Recorded, bfloat16: bool) -> Call:
    network = copy.deepcopy(one.network).eval()

    def call() -> Said:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return flat(network(*one.first))

    return call


def by_openvino(one: Recorded, precision: str) -> Call:
    """As understudy has it; int8 with NNCF, ranges learnt from all that was recorded but the first."""
    converted = Converted(copy.deepcopy(one.network).eval(), one.first)
    if precision == "int8":
        nncf: Any = importlib.import_module("nncf")
        seen = nncf.Dataset([[tensor.numpy() for tensor in given] for given in one.given[1:]])
        converted.model = nncf.quantize(converted.model, seen)
    run = converted.compiled(bfloat16=precision == "bfloat16")
    return lambda: flat(run(*one.first))


def by_onnxruntime(one: Recorded, folder: Path) -> Call:
    onnxruntime: Any = importlib.import_module("onnxruntime")
    path = folder / f"{id(one)}.onnx"
    torch.onnx.export(copy.deepcopy(one.network).eval(), one.first, str(path), dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # which would slow whoever comes next
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    given = {asked.name: tensor.numpy() for asked, tensor in zip(session.get_inputs(), one.first, strict=True)}
    return lambda: [torch.from_numpy(array) for array in session.run(None, given)]


def ways_of(one: Recorded, folder: Path) -> dict[str, Callable[[], Call]]:
    return {
        "PyTorch float32": lambda: by_torch(one, bfloat16=False),
        "PyTorch bfloat16": lambda: by_torch(one, bfloat16=True),
        "OpenVINO float32": lambda: by_openvino(one, "float32"),
        "OpenVINO bfloat16": lambda: by_openvino(one, "bfloat16"),
        "OpenVINO int8": lambda: by_openvino(one, "int8"),
        "ONNX Runtime float32": lambda: by_onnxruntime(one, folder),
    }


def measured(one: Recorded, folder: Path) -> dict[str, dict[str, Any]]:
    """By engine: milliseconds a frame, times as fast as PyTorch in float32, decibels, seconds of loading."""
    calls: dict[str, Call] = {}
    found: dict[str, dict[str, Any]] = {}
    for name, load in ways_of(one, folder).items():
        started = time.perf_counter()
        try:
            calls[name] = load()
            said = calls[name]()
        except CANNOT as cause:
            calls.pop(name, None)
            found[name] = {"left out": f"{type(cause).__name__}: {str(cause).strip().splitlines()[0][:120]}"}
            continue
        found[name] = {"loading_s": round(time.perf_counter() - started, 2), "said": said}
    true = found["PyTorch float32"]["said"]
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(WARM_UP + ROUNDS):
        for name, call in calls.items():
            call()  # meanwhile threads of the one before, which wait for more to do, fall asleep
            started = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - started)
    base = statistics.median(taken["PyTorch float32"][WARM_UP:])
    for name, seconds in taken.items():
        median, psnr = statistics.median(seconds[WARM_UP:]), decibels(found[name].pop("said"), true)
        found[name] |= {
            "ms": round(1000 * median / one.frames, 2),
            "times": round(base / median, 2),
            "decibels": None if math.isinf(psnr) else round(psnr, 1),
        }
    return found


def table(name: str, found: dict[str, dict[str, Any]]) -> str:
    lines = [name, f"  {'':24}{'ms a frame':>12}{'times':>8}{'dB':>8}{'loading s':>11}"]
    for engine, row in found.items():
        if "left out" in row:
            lines.append(f"  {engine:24}{row['left out']}")
            continue
        psnr = "same" if row["decibels"] is None else f"{row['decibels']:.1f}"
        far = "" if row["decibels"] is None or row["decibels"] >= ENOUGH else f"   below {ENOUGH:g} dB"
        lines.append(f"  {engine:24}{row['ms']:>12.2f}{row['times']:>8.2f}{psnr:>8}{row['loading_s']:>11.2f}{far}")
    return "\n".join(lines)


def named(networks: Iterable[Recorded]) -> Iterator[tuple[str, Recorded]]:
    for number, one in enumerate(networks):
        shapes = ", ".join("x".join(map(str, tensor.shape)) for tensor in one.first)
        yield f"{number}: {type(one.network).__name__}, given {shapes}", one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actor", type=Path, action="append", required=True, help="once for each")
    parser.add_argument("--driving", type=Path, required=True, help="video or performance")
    parser.add_argument("--output", type=Path, help="JSON to write")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    warnings.filterwarnings("ignore")  # of tracers, about shapes that are fixed here
    torch.set_num_threads(cores())
    versions = {name: version_of(name) for name in ("openvino", "onnxruntime", "nncf")}
    record: dict[str, Any] = {"machine": machine("cpu") | versions, "actors": {}}
    record["machine"]["bfloat16"] = computes_in_bfloat16(torch.device("cpu"))
    with tempfile.TemporaryDirectory() as folder:
        for path in options.actor:
            actor = Actor.load(path)
            networks = dict(named(recorded(actor, options.driving)))
            found = {name: measured(one, Path(folder)) for name, one in networks.items()}
            record["actors"][path.stem] = {"recipe": actor.recipe, "size": actor.size, "networks": found}
            for name, rows in found.items():
                print(table(f"{path.stem} ({actor.recipe}, {actor.size}x{actor.size}), {name}", rows), flush=True)
    if options.output:
        write_json(options.output, record)


if __name__ == "__main__":
    main()
