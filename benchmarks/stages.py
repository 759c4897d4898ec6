"""One function a stage, in the order in which data meets them; each gives the rows of the table."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from material import Material, network_of
from measuring import Meter, Row, timed_calls
from understudy.base.devices import autocast

if TYPE_CHECKING:
    from stand_in import Picture, StandIn
    from understudy.performance import Performance
    from understudy.recipes.performance_cloning import Config

BATCH = 8
ENCODED_FRAMES = 24
"""kept in memory for the encoder, at the clip's full size"""


@dataclass(frozen=True)
class Bench:
    """What every stage gets."""

    meter: Meter
    material: Material
    configs: tuple[Config, ...]
    """one for each size of the picture"""
    device: str
    seed: int
    random_tensors: bool
    """train on random tensors of the right shapes instead of on the performance"""


def decode(bench: Bench) -> Iterator[Row]:
    """The whole frame, and shrunk to what the tracker looks at."""
    from understudy.media.reading import VideoReader, probe
    from understudy.tracking.observe import look_long_side

    footage = bench.material.footage
    clip, end = footage.clip, footage.end
    shrunk = look_long_side(probe(clip).size_hw, None)
    for case, long_side in (("full size", None), (f"shrunk to {shrunk}", shrunk)):
        reader = VideoReader(clip, end=end, long_side=long_side)
        yield bench.meter.time("decode", case, footage.frames, lambda r=reader: _exhaust(r))


def track(bench: Bench) -> Iterator[Row]:
    """`track()` from file to performance, and where its time goes."""
    from understudy.tracking import passes

    parts = {"_make_tracker": "start of the tracker", "observe": "first pass", "second_pass": "second pass"}
    runs: list[dict[str, float]] = []

    def whole() -> None:
        with timed_calls(passes, *parts) as seconds:
            bench.material.track("again")
        runs.append(seconds)

    frames = bench.material.footage.frames
    yield bench.meter.time("track", "whole", frames, whole)
    for name, case in parts.items():
        yield bench.meter.row("track", case, "ms/frame", [1000 * run[name] / frames for run in runs[1:]])


def condition(bench: Bench) -> Iterator[Row]:
    """Heat maps of a batch of windows."""
    for config in bench.configs:
        yield bench.meter.time(
            "condition", f"batch {BATCH}", BATCH, lambda c=config: _maps(bench, c, BATCH), config.size
        )


def generate(bench: Bench) -> Iterator[Row]:
    """The generator alone, as a player calls it."""
    from understudy.recipes.performance_cloning import generator_for

    for config in bench.configs:
        generator = generator_for(config)
        generator.to(bench.device, memory_format=torch.channels_last).eval()
        for batch in (BATCH, 1):
            maps = _maps(bench, config, batch)

            @torch.inference_mode()
            def forward(g: torch.nn.Module = generator, x: torch.Tensor = maps) -> None:
                with autocast(x.device):
                    g(x)

            case = f"{network_of(config.size)} network, batch {batch}"
            yield bench.meter.time("generate", case, batch, forward, config.size)


def composite(bench: Bench) -> Iterator[Row]:
    """A picture cut out, and that put into the reference's full frame."""
    from understudy.compositing.cutouts import key

    for config in bench.configs:
        actor = bench.material.actor(config)
        pictures, colour = actor.pictures, actor.statistics["flat_colour"]
        yield bench.meter.time(
            "composite",
            "key alone",
            len(pictures),
            lambda p=pictures, c=colour: _exhaust(key(one, c) for one in p),
            config.size,
        )
        yield bench.meter.time(
            "composite", "key and paste", len(pictures), lambda a=actor: _exhaust(_composed(bench, a)), config.size
        )


def encode(bench: Bench) -> Iterator[Row]:
    """H.264 of what is performed, at the reference's size."""
    from understudy.media.reading import VideoWriter

    actor = bench.material.actor(bench.configs[-1])
    there = list(itertools.islice(_composed(bench, actor), ENCODED_FRAMES))
    frames = there + there[::-1]

    def write() -> None:
        with VideoWriter(bench.material.folder / "encoded.mp4", actor.fps) as writer:
            for frame in frames:
                writer.write(frame)

    height, width = actor.original_size_hw
    yield bench.meter.time("encode", f"H.264, {width}x{height}", len(frames), write)


def perform(bench: Bench) -> Iterator[Row]:
    """From a driver to the finished video, at the reference's size."""
    import understudy

    material, output = bench.material, bench.material.folder / "performed.mp4"
    performance = material.performance
    for config in bench.configs:
        actor = material.actor(config)
        drivers = {
            "driver tracked before": (len(performance), lambda: performance),
            "driving video, tracking too": (material.footage.frames, lambda: material.track("driving")),
        }
        for case, (frames, driver) in drivers.items():

            def play(driver: Callable[[], Performance] = driver, actor: StandIn = actor) -> None:
                understudy.perform(actor, driver(), output, device=bench.device)

            yield bench.meter.time("perform", case, frames, play, config.size)


def _exhaust(items: Iterable[object]) -> None:
    for _ in items:
        pass


def _composed(bench: Bench, actor: StandIn) -> Iterator[Picture]:
    """The finished frames of an actor that plays its own performance."""
    from understudy.compositing.backgrounds import REFERENCE
    from understudy.performing.perform import composed, part_for

    performance = bench.material.performance
    part = part_for(actor, performance)
    still = REFERENCE.frames(
        actor.original_size_hw, actor.fps, reference=actor.background, driving=performance.background
    )
    for moment, (picture, behind) in enumerate(zip(actor.pictures, still, strict=False)):
        yield composed(actor, part, moment, picture, behind)


def _maps(bench: Bench, config: Config, batch: int) -> torch.Tensor:
    from understudy.conditioning.heatmaps import normalised_heatmaps

    joints = torch.from_numpy(np.random.default_rng(bench.seed).random((batch, config.consecutive, 18, 2), np.float32))
    xy = (joints * config.size).to(bench.device)
    ones = torch.ones(18, device=bench.device)
    return normalised_heatmaps(xy, xy[..., 0] >= 0, (config.size, config.size), config.joint_sigma, 0 * ones, ones)
