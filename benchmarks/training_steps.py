"""Training: images a second of the real recipe, and what each of its ways of being fast is worth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor

from material import network_of
from measuring import Comparison, Row, alone, compared
from stages import Bench
from understudy import losses
from understudy.base import devices
from understudy.base.devices import autocast, computes_in_bfloat16
from understudy.conditioning.clips import Clip, flat_colour, read_clip
from understudy.networks import vgg
from understudy.networks.vgg import VGG19Features
from understudy.performance.edit_list import EditList
from understudy.poses.similarity import IDENTITY, Similarity
from understudy.recipes import performance_cloning
from understudy.recipes.parts.heatmaps import JOINTS
from understudy.recipes.performance_cloning import Config, PerformanceCloning
from understudy.retargeting.alignment import Alignment
from understudy.training import loop as training
from understudy.training.average import Average
from understudy.training.session import Session

STEPS = 2
"""training steps a measurement"""
RANDOM_FRAMES, WORKING_SIZE = 240, 256


class Steps:
    """Calls are training steps as `training.run` does them: update of all networks, then of the average."""

    def __init__(self, config: Config, clips: tuple[Clip, Clip], device: str, seed: int, both: bool = True) -> None:
        reference, driving = clips
        nobody: Any = SimpleNamespace(header=SimpleNamespace(files={}, crop=IDENTITY, fixes=EditList()))
        session = Session("performance-cloning", config, nobody, [], Path(), seed=seed, device=device)  # type: ignore[arg-type]
        self.trainee = PerformanceCloning(session, reference, [driving])
        self.average = Average(self.trainee.networks["generator"], config.optimisation.ema_decay)
        self.both, self.done = both, 0
        batch = config.optimisation.batch
        self.images = STEPS * config.consecutive * (batch if both else batch // 2)

    def __call__(self) -> None:
        for _ in range(STEPS):
            first = self.trainee.joins_at if self.both else 0
            self.trainee.training_step(first + self.done % max(1, self.trainee.joins_at))
            self.average.update(self.trainee.networks["generator"], self.done)
            self.done += 1


def train(bench: Bench) -> Iterator[Row]:
    """Images through the generator a second, reading and previews not counted."""
    for config in bench.configs:
        for case, both in (("paired branch only", False), ("both branches", True)):
            steps = Steps(config, _clips(bench, config), bench.device, bench.seed, both)
            case = f"{network_of(config.size)} networks, {case}"
            yield bench.meter.rate("train", case, steps.images, steps, config.size)


def compare(bench: Bench) -> Iterator[Comparison]:
    """What was chosen against what it was chosen over, in turns."""
    for config in bench.configs:
        yield from _folded_or_plain(bench, config)
        clips = _clips(bench, config)
        chosen = Steps(config, clips, bench.device, bench.seed)
        others = [("memory layout of a training step", "channels last", "contiguous", _contiguous)]
        if computes_in_bfloat16(torch.device(bench.device)):
            others.append(("precision of a training step", "bfloat16", "float32", _in_float32))
        for what, a, b, make in others:
            other = make(config, clips, bench.device, bench.seed)
            yield bench.meter.compare(what, config.size, (a, chosen), (b, other), chosen.images)
        if bench.device == "cpu":
            yield _memory_kept_or_not(bench, config)
            yield _threads_spinning_or_asleep(bench, config)


def _folded_or_plain(bench: Bench, config: Config) -> Iterator[Comparison]:
    """L_vgg (eq. 1) of the paired half of a batch, and its gradient."""
    phi = VGG19Features(("relu1_1",)).to(bench.device)
    count = config.optimisation.batch // 2 * config.consecutive
    kind = torch.bfloat16 if computes_in_bfloat16(torch.device(bench.device)) else torch.float32
    real, fake = torch.rand(2, count, 3, config.size, config.size, device=bench.device, dtype=kind)

    def folded(x: Tensor) -> Tensor:
        with mock.patch.object(vgg, "_in_bfloat16", lambda _: True):  # also where it is not what is chosen
            return phi(x)[0]

    def plain(x: Tensor, layout: torch.memory_format) -> Tensor:
        normalised = ((x + 1) / 2 - phi.mean) / phi.deviation
        return F.relu(phi.convolutions["relu1_1"](normalised.contiguous(memory_format=layout)))

    def loss_and_gradient(features: Callable[[Tensor], Tensor]) -> None:
        generated = fake.detach().requires_grad_()
        with autocast(generated.device):
            with torch.no_grad():
                real_features = features(real)
            losses.feature_distance(features(generated), real_features).mean().backward()

    chosen = ("folded", lambda: loss_and_gradient(folded))
    for name, layout in (("plain", torch.contiguous_format), ("plain, channels last", torch.channels_last)):
        other = (name, lambda at=layout: loss_and_gradient(lambda x: plain(x, at)))
        yield bench.meter.compare("loss on relu1_1 and its gradient", config.size, chosen, other, count)


def _in_float32(config: Config, clips: tuple[Clip, Clip], device: str, seed: int) -> Steps:
    with ExitStack() as stack:
        for module in (training, performance_cloning):
            stack.enter_context(mock.patch.object(module, "computes_in_bfloat16", lambda _: False))
        return Steps(config, clips, device, seed)


def _contiguous(config: Config, clips: tuple[Clip, Clip], device: str, seed: int) -> Steps:
    steps = Steps(config, clips, device, seed)
    for network in steps.trainee.networks.values():
        network.to(memory_format=torch.contiguous_format)
    drawn: Any = steps.trainee.maps
    steps.trainee.maps = lambda *asked: drawn(*asked).contiguous()  # type: ignore[assignment]
    return steps


def _memory_kept_or_not(bench: Bench, config: Config) -> Comparison:
    """It holds for a whole process, so each measurement has its own; so has the next one."""
    pairs = [
        [alone(_seconds_keeping, config, bench.seed, keep) for keep in (True, False)]
        for _ in range(bench.meter.repeats)
    ]
    return compared("memory freed in a training step", config.size, "kept", "given back", pairs, _images(config))


def _threads_spinning_or_asleep(bench: Bench, config: Config) -> Comparison:
    """OpenMP's threads wait for each other after every layer. Spinning is quicker, unless they have to share cores."""
    ways: tuple[dict[str, str], ...] = ({}, {"OMP_WAIT_POLICY": "passive"})  # without a word they spin for a while
    pairs = [
        [alone(_seconds_keeping, config, bench.seed, True, **way) for way in ways] for _ in range(bench.meter.repeats)
    ]
    return compared("waiting threads in a training step", config.size, "spinning", "asleep", pairs, _images(config))


def _images(config: Config) -> int:
    return STEPS * config.optimisation.batch * config.consecutive


def _seconds_keeping(config: Config, seed: int, keep: bool) -> float:
    """Seconds of `STEPS` training steps, after as many to warm up."""
    with nullcontext() if keep else mock.patch.object(devices, "keep_freed_memory"):
        steps = Steps(config, random_clips(config, "cpu", seed), "cpu", seed)
    steps()
    started = time.perf_counter()
    steps()
    return time.perf_counter() - started


def _clips(bench: Bench, config: Config) -> tuple[Clip, Clip]:
    if bench.random_tensors:
        return random_clips(config, bench.device, bench.seed)
    performance = bench.material.performance
    options = (config.consecutive, config.seen_above, config.size, performance.header.size_hw[0])
    device = torch.device(bench.device)
    return (
        read_clip(performance, None, flat_colour(performance), *options, device),
        read_clip(performance, Alignment(1.0, (0.0, 0.0)), None, *options, device),
    )


def random_clips(config: Config, device: str, seed: int, frames: int = RANDOM_FRAMES) -> tuple[Clip, Clip]:
    """A reference and a driver of noise, with the shapes and types of real ones: nothing has to be decoded."""
    draw = torch.Generator().manual_seed(seed)
    side, cells = min(WORKING_SIZE, 2 * config.size), WORKING_SIZE // 4
    to_picture = torch.tensor(Similarity.resized(config.size / WORKING_SIZE).matrix, dtype=torch.float32)
    pictures = torch.randint(256, (frames, 3, side, side), dtype=torch.uint8, generator=draw)
    flow = torch.randn(frames, 2, cells, cells, generator=draw).half()

    def clip(frames_TCHW: Tensor, flow: Tensor, colour: tuple[int, int, int] | None) -> Clip:
        xy = torch.rand(frames, JOINTS, 2, generator=draw) * WORKING_SIZE
        windows = torch.arange(frames - config.consecutive + 1)
        tensors = (xy, xy[..., 0] >= 0, windows, to_picture, flow, frames_TCHW)
        return Clip(*(tensor.to(device) for tensor in tensors), WORKING_SIZE, colour)

    return clip(pictures, flow[:0], (16, 240, 16)), clip(pictures[:0], flow, None)
