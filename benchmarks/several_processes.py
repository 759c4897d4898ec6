"""Training in two processes against one: images a second with one thread each, in turns.

    python benchmarks/several_processes.py --output benchmarks/results/several-processes-cpu.json

Efficiency = images/s of two together / (2 x images/s of one). Beside it two that do not know of each other, at once:
what they lose is lost to the machine (memory, clock, other programs) and not to their talking.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

WARM_UP = 2
ADDRESS = "127.0.0.1"


def work(preset: str, steps: int) -> None:
    """Prints the images a second of this process."""
    import torch

    from training_steps import STEPS, Steps, random_clips
    from understudy.base.ranks import ranks
    from understudy.recipes import performance_cloning
    from understudy.training import together

    torch.set_num_threads(1)
    config = replace(getattr(performance_cloning, preset)(), features="random")
    trained = Steps(config, random_clips(config, "cpu", 0), "cpu", 0)
    for _ in range(WARM_UP):
        trained()
    if ranks() > 1:
        together.wait()
    started = time.perf_counter()
    for _ in range(steps):
        trained()
    seconds = time.perf_counter() - started
    weights = sum(weight.numel() for network in trained.trainee.networks.values() for weight in network.parameters())
    print(json.dumps({"images_s": trained.images * steps / seconds, "steps_s": STEPS * steps / seconds, "w": weights}))


def measured(preset: str, steps: int, processes: int, together: bool) -> dict[str, float]:
    """What all of so many processes do in a second, each with one thread."""
    with socket.socket() as one:
        one.bind((ADDRESS, 0))
        port = one.getsockname()[1]
    started = []
    for rank in range(processes):
        more = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "GLOO_SOCKET_IFNAME": "lo"}
        if together:
            more |= {"TORCHELASTIC_RUN_ID": "benchmark", "MASTER_ADDR": ADDRESS, "MASTER_PORT": str(port)}
            more |= {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
            more |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        words = [sys.executable, __file__, "--work", "--preset", preset, "--steps", str(steps)]
        started.append(subprocess.Popen(words, env={**os.environ, **more}, stdout=subprocess.PIPE, text=True))
    found = [json.loads(process.communicate()[0].splitlines()[-1]) for process in started]
    steps_s = min(one["steps_s"] for one in found)
    return {"images_s": sum(one["images_s"] for one in found), "steps_s": steps_s, "weights": found[0]["w"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="preview", choices=["preview", "fast", "paper"])
    parser.add_argument("--steps", type=int, default=8, help="pairs of training steps a measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(asked.preset, asked.steps)
        return
    from understudy.base.machine import machine

    described, load = machine("cpu"), os.getloadavg()[0]
    ways = {"one": (1, False), "two apart": (2, False), "two together": (2, True)}
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(asked.rounds):
        for way, (processes, together) in ways.items():
            found[way].append(measured(asked.preset, asked.steps, processes, together))
            print(f"{way}: {found[way][-1]['images_s']:.2f} images/s, {found[way][-1]['steps_s']:.3f} steps/s")
    one = [each["images_s"] for each in found["one"]]
    shares = {
        way: [each["images_s"] / (2 * alone) for each, alone in zip(found[way], one, strict=True)]
        for way in ("two apart", "two together")
    }
    efficiency = {way: round(statistics.median(values), 3) for way, values in shares.items()}
    print(f"efficiency of two together: {efficiency['two together']} (two apart: {efficiency['two apart']})")
    result = {
        "machine": described, "load_before": load, "recipe": "performance-cloning", "preset": asked.preset,
        "threads_each": 1, "steps": 2 * asked.steps, "found": found, "efficiency": efficiency,
    }  # fmt: skip
    if asked.output:
        asked.output.write_text(json.dumps(result, indent=1, default=str) + "\n")


if __name__ == "__main__":
    main()
