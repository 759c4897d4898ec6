"""How long a frame of somebody in a photograph takes at 512x320, and how much memory.

    python benchmarks/freestyle_speed.py --output freestyle-speed-cpu.json
    ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 python benchmarks/freestyle_speed.py --float32

The second computes as a processor does that has neither AVX-512 nor AMX. Poses are exact, so no tracker is timed;
composing and encoding are not either. What an embedding costs is paid once a person.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from understudy.base import devices
from understudy.base.devices import ready_device
from understudy.base.files import write_json
from understudy.base.machine import forget_peaks, machine, peaks_mib
from understudy.people.made_up import made_up_views
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.freestyle_reenactment import as_it_comes, body_in, looked_at, paper
from understudy.recipes.parts.freestyle_model import NETWORKS, load_model
from understudy.recipes.parts.freestyle_player import FreestylePlayer
from understudy.recipes.parts.freestyle_reenactment_config import Config
from understudy.recipes.parts.freestyle_samples import offset, photograph_of
from understudy.recipes.parts.photograph import Photograph, stored
from understudy.recipes.parts.player import BATCH, moments

PERSON, VIEWS, SIZE_HW = 60_000, 6, (512, 320)
LONG, ROUNDS = 8, 3
"""times that the views follow each other in a dance, and that it is played; bodies are fitted to many poses at once"""
PRINTED = 2
"""frames of the printed widths"""


def player_of(config: Config, weights: dict[str, Any], photograph: Photograph) -> FreestylePlayer:
    """The player of a photograph; `weights` hold networks and looks."""
    pose = Pose(photograph.xy[None], photograph.confidence[None], (photograph.size, photograph.size))
    _, measures = body_in(pose, photograph.small[..., 3], photograph.labels)
    return FreestylePlayer(config, {**weights, **stored(photograph), **measures}, ready_device("cpu"))


def untrained(config: Config) -> dict[str, Any]:
    """Networks with first weights, and looks that stand for an embedding."""
    weights = {
        f"{name}/{key}": value.numpy()
        for name in NETWORKS
        for key, value in NETWORKS[name](config).state_dict().items()
    }
    looks = {"looks": np.zeros((1, config.b2f_first, 4, 4), np.float32)}
    return {**weights, **looks, "identity": np.zeros((1, config.face_embedding), np.float32)}


def timed(player: FreestylePlayer, pose: Pose, times: int, batch: int) -> dict[str, Any]:
    """Seconds a frame of `times` rounds, each for itself, and the peak of memory."""
    side = player.config.size
    finer = Similarity.resized(player.config.detail).of_pose(pose, (side, side))
    list(player.play(moments(finer), batch))
    forget_peaks("cpu")
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        frames = sum(1 for _ in player.play(moments(finer), batch))
        seconds.append((time.perf_counter() - began) / frames)
    return {
        "ms a frame, median": round(1000 * float(np.median(seconds))),
        "ms a frame, rounds": [round(1000 * one) for one in seconds],
        "peak MiB": peaks_mib("cpu")[0],
    }


@contextmanager
def in_float32(asked: bool) -> Iterator[None]:
    """Without bfloat16, which a processor that computes as AVX2 does would not take."""
    before = devices.computes_in_bfloat16
    if asked:
        devices.computes_in_bfloat16 = lambda device: False
    try:
        yield
    finally:
        devices.computes_in_bfloat16 = before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--float32", action="store_true", help="no bfloat16")
    parser.add_argument("--printed", action="store_true", help="the paper's widths, too, untrained")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    views = made_up_views(PERSON, VIEWS, SIZE_HW)
    photograph, (x, y) = photograph_of(views[0]), offset(SIZE_HW, SIZE_HW[0])
    xy = np.stack([view.xy + np.array([x, y]) for view in LONG * views]).astype(np.float32)
    pose = Pose(xy, np.stack([view.confidence for view in LONG * views]), (512, 512))
    report: dict[str, Any] = {
        "machine": machine("cpu"), "capability": torch.backends.cpu.get_cpu_capability(), "float32": given.float32,
        "batch": BATCH,
    }  # fmt: skip
    with in_float32(given.float32):
        model = load_model()
        began = time.perf_counter()
        looks = looked_at(model, photograph)
        report["embedding, once a person, ms"] = round(1000 * (time.perf_counter() - began))
        weights = {**model.weights, **looks}
        larger = replace(photograph, picture=cv2.resize(photograph.picture, (1024, 1024)))
        for name, config, shown in (
            ("as it comes", as_it_comes(), photograph),
            ("twice as fine", replace(as_it_comes(), detail=2), larger),
        ):
            report[name] = timed(player_of(config, weights, shown), pose, ROUNDS, BATCH)
            print(name, report[name])
        if given.printed:
            config = paper()
            player = player_of(config, untrained(config), photograph)
            some = Pose(pose.xy[:PRINTED], pose.confidence[:PRINTED], pose.size_hw)
            report["printed widths"] = timed(player, some, 1, 1)
            print("printed widths", report["printed widths"])
    if given.output:
        write_json(given.output, report)


if __name__ == "__main__":
    main()
