"""Which engine runs a network that many frames go through: PyTorch, or OpenVINO where it is installed and quicker here.

Which is quickest differs by processor and by network (docs/results.md, "Other engines than PyTorch"), so that a trial
decides, once for a kind of network on a machine; what it found is kept in the cache. Before the first frame, what
loading the quicker one takes is weighed against what it gains in so many frames: the same performance is made by the
same engine when it is made again, and a short one by PyTorch.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from understudy.base.devices import computes_in_bfloat16
from understudy.base.files import read_json, write_json
from understudy.base.folders import cache_folder
from understudy.base.load import ROOM, times, used_by_others
from understudy.base.machine import HOLD_INSTRUCTIONS, HOW_THREADS_WAIT, cpu_model, version_of
from understudy.base.openvino import CANNOT, Converted
from understudy.errors import UnderstudyError

PYTORCH, OPENVINO, IN_BFLOAT16 = "PyTorch", "OpenVINO", "OpenVINO in bfloat16"
ENOUGH = 45.0
"""decibels: an engine that is further than this from PyTorch in float32 is not taken"""
WORTH_A_TRIAL = 30.0
"""seconds that PyTorch would take for all frames, from which on a trial is made: it takes five, with the largest ten"""
ROUNDS = 5
"""timed calls of each engine in a trial, in turns, after a round that is not counted"""
TRIAL_SECONDS = 2.0
"""after which no further round begins"""

Call = Callable[..., Any]
Found = dict[str, dict[str, float]]
"""engine -> `ms` a frame, and `loading_s`, seconds before its first"""

log = logging.getLogger(__name__)


def quicker(network: nn.Module, frames: int) -> Call:
    """What to call in a network's place for so many frames: itself, or what decides when it is called first.

    Args:
        network: ready to generate. It takes tensors (B, ...), of B frames, and gives one or a named tuple of some.
        frames: that are to come at least; 0 keeps to PyTorch.
    """
    on_cpu = all(tensor.device.type == "cpu" for tensor in network.parameters())
    return Quicker(network, frames) if frames > 0 and on_cpu and find_spec("openvino") is not None else network


class Quicker:
    """A network run by what is quickest for so many frames, on the CPU."""

    def __init__(self, network: nn.Module, frames: int) -> None:
        self.network, self.frames = network, frames
        self.engine = ""
        """once it is chosen"""
        self._run: Call = network

    def __call__(self, *given: Tensor) -> Any:
        if not self.engine:
            self.engine, self._run = self._chosen(given)
        try:
            return self._run(*given)
        except RuntimeError as cause:
            if self._run is self.network:
                raise
            log.warning("%s cannot go on (%s): PyTorch does", self.engine, str(cause).strip().partition("\n")[0])
            self.engine, self._run = PYTORCH, self.network
            return self.network(*given)

    def _chosen(self, given: tuple[Tensor, ...]) -> tuple[str, Call]:
        key, name = key_of(self.network, given), type(self.network).__name__
        found = kept_trials().get(key)
        by_engine = Engines(self.network, given)
        if found is None:
            found = self._tried(by_engine, given)
            if found is None:
                return PYTORCH, self.network
            _keep(key, found)
        seconds = {engine: self.frames * row["ms"] / 1000 + row["loading_s"] for engine, row in found.items()}
        for engine in sorted(seconds, key=lambda engine: seconds[engine]):
            if engine == PYTORCH:
                break
            run, near = by_engine.run(engine), by_engine.decibels(engine)
            if run is not None and near >= ENOUGH:
                told = engine, name, found[engine]["ms"], found[PYTORCH]["ms"]
                log.info("%s runs the network %s: %.1f ms a frame where PyTorch takes %.1f", *told)
                return engine, run
        return PYTORCH, self.network

    def _tried(self, by_engine: Engines, given: tuple[Tensor, ...]) -> Found | None:
        """What a trial finds; None where none is worth it, or where other programs spoil it."""
        self.network(*given)
        started = time.perf_counter()
        self.network(*given)
        if (time.perf_counter() - started) / len(given[0]) * self.frames < WORTH_A_TRIAL:
            return None
        log.info("trying once which engine is quickest here for the network %s", type(self.network).__name__)
        before, found, after = times(), by_engine.trial(), times()
        others = 0.0 if before is None or after is None else used_by_others(before, after)
        if others > ROOM:
            log.info("other programs used %.1f cores meanwhile: PyTorch is taken, and nothing kept", others)
            return None
        return found


class Engines:
    """The engines that may run a network here, each made ready once, when it is first asked for."""

    def __init__(self, network: nn.Module, given: tuple[Tensor, ...]) -> None:
        self.network, self.given = network, given
        self._converted: Converted | None = None
        self._ready: dict[str, Call | None] = {PYTORCH: network}

    def run(self, engine: str) -> Call | None:
        """What runs the network in an engine; None if it cannot."""
        if engine not in self._ready:
            try:
                self._converted = self._converted or Converted(self.network, self.given)
                call = self._converted.compiled(bfloat16=engine == IN_BFLOAT16)
                call(*self.given)
                self._ready[engine] = call
            except CANNOT as cause:
                log.debug("%s does not run %s: %s", engine, type(self.network).__name__, cause)
                self._ready[engine] = None
        return self._ready[engine]

    def decibels(self, engine: str) -> float:
        """How near it is to the network in float32; not at all where it cannot run it."""
        run = self.run(engine)
        try:
            return -math.inf if run is None else decibels(run(*self.given), _in_float32(self.network, self.given))
        except CANNOT as cause:
            log.debug("%s does not run %s: %s", engine, type(self.network).__name__, cause)
            return -math.inf

    def trial(self) -> Found:
        """What each takes that can run the network here."""
        found: Found = {PYTORCH: {"loading_s": 0.0}}
        begun = time.perf_counter()
        for engine in (OPENVINO, IN_BFLOAT16) if computes_in_bfloat16(torch.device("cpu")) else (OPENVINO,):
            if self.run(engine) is not None:  # what is made for the first, each needs that is chosen
                found[engine] = {"loading_s": round(time.perf_counter() - begun, 2)}
        taken: dict[str, list[float]] = {engine: [] for engine in found}
        begun = time.perf_counter()
        for number in range(ROUNDS + 1):
            for engine, seconds in taken.items():
                call = self.run(engine)
                assert call is not None
                call(*self.given)  # meanwhile threads of the one before, which wait for more to do, fall asleep
                started = time.perf_counter()
                call(*self.given)
                seconds.append(time.perf_counter() - started)
            if number and time.perf_counter() - begun > TRIAL_SECONDS:
                break
        for engine, seconds in taken.items():
            found[engine]["ms"] = round(1000 * statistics.median(seconds[1:]) / len(self.given[0]), 2)
        return found


def decibels(said: Any, true: Any) -> float:
    """Peak signal-to-noise ratio of the tensor that is worst off, each by its own range; infinite where all are equal.

    Args:
        said, true: one tensor each, or as many of the same shapes.
    """
    pairs = [(said, true)] if isinstance(true, Tensor) else zip(said, true, strict=True)
    return min(_psnr(a.detach().double(), b.detach().double()) for a, b in pairs)


def _psnr(said: Tensor, true: Tensor) -> float:
    error, span = float((said - true).square().mean()), float(true.max() - true.min())
    if not math.isfinite(error):
        return -math.inf
    return math.inf if error == 0 else 10 * math.log10(max(span, 1e-9) ** 2 / error)


def _in_float32(network: nn.Module, given: tuple[Tensor, ...]) -> Any:
    with torch.autocast("cpu", enabled=False):
        return network(*(tensor.float() for tensor in given))


# -- What trials found --------------------------------------------------------------------------------------------


def trials_file() -> Path:
    return cache_folder() / "engines.json"


def key_of(network: nn.Module, given: tuple[Tensor, ...]) -> str:
    """Of all that times depend on: machine, versions, layers, and sizes to the nearest power of two."""
    held = [os.environ.get(name) for name in (*HOLD_INSTRUCTIONS, *HOW_THREADS_WAIT)]
    machine = cpu_model(), held, torch.get_num_threads(), torch.__version__, version_of("openvino")
    layers = [(name, tuple(tensor.shape)) for name, tensor in network.named_parameters()]
    sizes = [round(math.log2(tensor.numel())) for tensor in given]
    return hashlib.sha256(repr((machine, type(network).__name__, layers, sizes)).encode()).hexdigest()[:16]


def kept_trials() -> dict[str, Found]:
    """What trials found here, by `key_of`; nothing where the file is missing or damaged."""
    try:
        kept = read_json(trials_file())
        whole = all(
            PYTORCH in found
            and all(0 <= row[each] < math.inf for row in found.values() for each in ("ms", "loading_s"))
            for found in kept.values()
        )
    except (UnderstudyError, AttributeError, KeyError, TypeError):
        return {}
    return kept if whole else {}


def _keep(key: str, found: Found) -> None:
    try:
        write_json(trials_file(), {**kept_trials(), key: found})
    except UnderstudyError as cause:
        log.debug("what the trial found is not kept: %s", cause)
