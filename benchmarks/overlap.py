"""Which version of a frame to show: windows of N poses overlap, so a generator paints every moment N times.

    understudy demo --output demo
    python benchmarks/overlap.py --demo demo

Compares the first frame of each window, the last, and the mean of all versions, on a finished demo: error against
ground truth in the person's square, and unsteadiness (what flow from frame to frame does not explain, relative to that
of the real frames). Prints a table; `--output` writes JSON.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from understudy.actor import Actor
from understudy.base.files import write_json
from understudy.conditioning.clips import _frames_over
from understudy.evaluation.metrics import rmse
from understudy.performing.perform import part_for
from understudy.recipes.parts.heatmaps import HeatmapPlayer
from understudy.recipes.parts.player import moments
from understudy.tracking.track import tracked


def versions_of(actor: Actor, folder: Path) -> list[np.ndarray]:
    """N versions of every moment of the driver, (T, S, S, 3) each: the last of its window first."""
    pose = part_for(actor, tracked(folder / "driving.mp4", cache=folder / "tracked")).in_window
    player = actor.player("cpu")
    assert isinstance(player, HeatmapPlayer)
    windows, n = np.stack(list(player.windows(moments(pose)))), player.consecutive
    padded = np.concatenate([windows, np.repeat(windows[-1:], n - 1, axis=0)])
    return [padded[k : k + len(windows), n - 1 - k] for k in range(n)]


def true_frames(actor: Actor, folder: Path) -> np.ndarray:
    """(T, S, S, 3): the true person over the flat colour, cut with the reference's crop."""
    truth = tracked(folder / "ground_truth.mp4", cache=folder / "tracked")
    colour = tuple(int(v) for v in actor.statistics["flat_colour"])
    frames = np.stack(list(_frames_over(truth, colour, truth.header.size_hw[0]))).transpose(0, 2, 3, 1)
    matrix = (actor.from_working @ actor.crop.relative_to(truth.header.crop)).matrix
    size = (actor.size, actor.size)
    return np.stack([cv2.warpAffine(f, matrix, size, flags=cv2.INTER_AREA, borderValue=colour) for f in frames])


def unsteadiness(frames: np.ndarray, truth: np.ndarray) -> float:
    """Mean difference between each frame and the one before carried along by the true flow, over that of the truth."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in truth]
    y, x = np.mgrid[: truth.shape[1], : truth.shape[2]].astype(np.float32)
    ours, real = 0.0, 0.0
    for t in range(1, len(truth)):
        flow = dis.calc(grey[t], grey[t - 1], np.zeros((*grey[t].shape, 2), np.float32))
        for clip, add in ((frames, "ours"), (truth, "real")):
            carried = cv2.remap(clip[t - 1], x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
            difference = float(np.abs(carried.astype(np.float32) - clip[t]).mean())
            ours, real = (ours + difference, real) if add == "ours" else (ours, real + difference)
    return ours / real


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path("demo"), help="folder of a finished demo")
    parser.add_argument("--output", type=Path, help="JSON to write")
    options = parser.parse_args()
    actor = Actor.load(options.demo / "paper.actor")
    versions, truth = versions_of(actor, options.demo), true_frames(actor, options.demo)
    choices = {"last": versions[0], "first": versions[-1], "mean": np.mean(versions, axis=0).round().astype(np.uint8)}
    table = {
        name: {"error": rmse(frames, truth), "unsteadiness": unsteadiness(frames, truth)}
        for name, frames in choices.items()
    }
    print(f"{'shown':8} {'error':>8} {'unsteadiness':>14}")
    for name, row in table.items():
        print(f"{name:8} {row['error']:8.2f} {row['unsteadiness']:14.3f}")
    if options.output:
        write_json(options.output, table)


if __name__ == "__main__":
    main()
