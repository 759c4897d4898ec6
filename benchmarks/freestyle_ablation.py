"""What each part of freestyle reenactment is worth: its variants learn from the same people, and play others.

    python benchmarks/freestyle_ablation.py --output freestyle-ablation-cpu.json --sheet freestyle-ablation.png
    python benchmarks/freestyle_ablation.py --variants painted --people 40 --steps 100,100,20

At 128x80 (`preview`), each variant with the same number of steps, which are Gafni et al.'s ablations (Figures 5 and 6)
and "painted", their way without copying. "copying" is what ships, in small. Made-up people that nobody has learnt from
are each photographed once and made in other poses, which are given exactly. Measured against their film, over people:

- labels: mean IoU of P^M over the labels that are there, hands being arms, since one variant knows no hands.
- perceptual: distance of the person, over grey. colour: RGB distance of the parts' mean colours, of 441.
- outline: IoU of what is cut out.

Differences to "copying" come with the 95 % interval over people. "FR" adds the face's refinement to "copying", and
"no blending mask" cuts out along the labels (Figures 5b and 5c): both need no training of their own.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from freestyle import colour_off, over_grey, photographed
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.evaluation.intervals import mean_interval
from understudy.evaluation.metrics import person_box
from understudy.evaluation.perceptual import Perceptual
from understudy.media.images import write_image
from understudy.people.made_up import made_up_views
from understudy.people.view import View
from understudy.poses.pose import Pose
from understudy.recipes.freestyle_reenactment import NETWORK_VARIANTS, RECIPE, actor_arrays
from understudy.recipes.parts.freestyle_augmentation import without_hands
from understudy.recipes.parts.freestyle_gathering import VIEWS, gather_made_up
from understudy.recipes.parts.freestyle_model import FreestyleModel, load_model
from understudy.recipes.parts.freestyle_player import FreestylePlayer
from understudy.recipes.parts.freestyle_reenactment_config import Config, preview
from understudy.recipes.parts.freestyle_samples import offset, photograph_of
from understudy.recipes.parts.freestyle_schedule import trained
from understudy.recipes.parts.player import moments
from understudy.training.session import Session

Image = npt.NDArray[np.uint8]

FIRST = 60_000
"""number of the first made-up person that is held out"""
BASE = "copying"
PLAYED = {"FR": RECIPE.variants["with FR"], "no blending mask": RECIPE.variants["no blending mask"]}
"""variants of how "copying" is played"""
METRICS = ("labels", "perceptual", "colour", "outline")


def config_of(variant: str, steps: tuple[int, int, int]) -> Config:
    """What a variant learns with; FR is learnt for "copying" alone, and shown in a row of its own."""
    if variant == BASE:
        return replace(preview(), steps=steps, refining=False)
    return replace(NETWORK_VARIANTS[variant](preview()), steps=(*steps[:2], 1), refining=False)


def learnt(variant: str, folder: Path, files: list[Path], steps: tuple[int, int, int]) -> Path:
    """The file of a variant's networks; run in a process of its own, on one core."""
    torch.set_num_threads(1)
    path = folder / f"{variant}.freestyle"
    session = Session(
        "freestyle-reenactment", config_of(variant, steps), None, [], folder / f"{variant}.run", seed=0, device="cpu"
    )
    trained(session, files, VIEWS, "made-up people").save(path)
    return path


def label_similarity(made: Image, true: Image) -> float:
    """Mean IoU over the labels of the truth, hands being arms."""
    made, true = without_hands(made), without_hands(true)
    shares = [
        ((made == label) & (true == label)).sum() / ((made == label) | (true == label)).sum()
        for label in np.unique(true[true > 0])
    ]
    return float(np.mean(shares))


class Seeing(FreestylePlayer):
    """A player that keeps what P2B said last."""

    said: Image

    def labels(self, *of: Any) -> Image:
        """See `FreestylePlayer.labels`."""
        self.said = super().labels(*of)
        return self.said


def played(player: Seeing, view: View) -> tuple[Image, Image]:
    """A view's pose, played: premultiplied (H, W, 4), and labels (H, W)."""
    size = player.config.side
    height, width = view.labels.shape
    x, y = offset((height, width), size)
    pose = Pose((view.xy + np.array((x, y)))[None].astype(np.float32), view.confidence[None], (size, size))
    (whole,) = player.play(moments(pose), 1)
    (box,) = player.columns(pose)
    labels = np.zeros((size, size), np.uint8)
    labels[:, box] = player.said
    return whole[y : y + height, x : x + width], labels[y : y + height, x : x + width]


def measured(made: Image, labels: Image, wanted: View, perceptual: Perceptual) -> dict[str, float]:
    """One picture (H, W, 4) premultiplied, and its labels, against the film."""
    person, alpha = wanted.labels > 0, made[..., 3]
    truth = np.where(person[..., None], wanted.frame, over_grey(np.zeros_like(made)))
    box = person_box(255 * person.astype(np.uint8), 4)
    straight = np.clip(made[..., :3].astype(np.float32) * 255 / np.maximum(alpha, 1)[..., None], 0, 255)
    return {
        "labels": label_similarity(labels, wanted.labels),
        "perceptual": float(perceptual(over_grey(made), truth, person, {"person": box})["person"] or np.nan),
        "colour": colour_off(straight.astype(np.uint8), alpha, wanted),
        "outline": float(((alpha > 127) & person).sum() / ((alpha > 127) | person).sum()),
    }


def held_out(people: int, size_hw: tuple[int, int]) -> list[tuple[View, list[View]]]:
    """Of each person the photograph, and the views to be made of it."""
    found = []
    for number in range(FIRST, FIRST + people):
        views = made_up_views(number, VIEWS, size_hw)
        reference = views.pop(photographed(views, number))
        found.append((reference, views))
    return found


def judged(
    model: FreestyleModel, config: Config, people: list[tuple[View, list[View]]]
) -> tuple[dict[str, list[float]], list[Image]]:
    """Each metric's mean of each held-out person, and a picture of the last view of each."""
    perceptual, found, pictures = Perceptual(), {metric: list[float]() for metric in METRICS}, list[Image]()
    for reference, views in people:
        photograph = photograph_of(reference)
        if not config.hands:
            photograph = replace(photograph, labels=without_hands(photograph.labels))
        player = Seeing(config, actor_arrays(model, photograph), torch.device("cpu"))
        made = [played(player, wanted) for wanted in views]
        own = [measured(*one, wanted, perceptual) for one, wanted in zip(made, views, strict=True)]
        pictures.append(over_grey(made[-1][0]))
        for metric in METRICS:
            found[metric].append(float(np.nanmean([one[metric] for one in own])))
    return found, pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", nargs="*", choices=[*NETWORK_VARIANTS], default=[*NETWORK_VARIANTS])
    parser.add_argument("--people", type=int, default=200, help="to learn from")
    parser.add_argument("--held-out", type=int, default=24)
    parser.add_argument("--steps", default="1500,2000,500", help="of P2B, B2F and FR")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="variants that learn at once")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--sheet", type=Path, help="a picture: a person a column; photograph, film, each variant")
    given = parser.parse_args()
    p2b, b2f, fr = (int(count) for count in given.steps.split(","))
    steps, names = (p2b, b2f, fr), [BASE, *given.variants]
    size_hw = preview().size_hw
    people = held_out(given.held_out, size_hw)
    rows = [[reference.frame for reference, _ in people], [views[-1].frame for _, views in people]]
    report: dict[str, Any] = {
        "machine": machine("cpu"), "size": size_hw, "people": given.people, "held out": given.held_out,
        "steps": steps, "variants": {},
    }  # fmt: skip
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = gather_made_up(folder / "people", given.people, size_hw)
        learn = partial(learnt, folder=folder, files=files, steps=steps)
        with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool:
            paths = dict(zip(names, pool.map(learn, names), strict=True))
        found: dict[str, dict[str, list[float]]] = {}
        for name in [*names, *PLAYED]:
            model = load_model(str(paths.get(name, paths[BASE])))
            config = PLAYED[name](model.config) if name in PLAYED else model.config
            found[name], pictures = judged(model, config, people)
            rows.append(pictures)
    for name, metrics in found.items():
        row = report["variants"][name] = {}
        for metric, values in metrics.items():
            less = mean_interval(np.array(values) - np.array(found[BASE][metric]), 1)
            row[metric] = {
                "mean": round(float(np.mean(values)), 4),
                f"less {BASE}": [None if one is None else round(one, 4) for one in (less.mean, less.low, less.high)],
            }
        print(name, {metric: value["mean"] for metric, value in row.items()})
        print(f"   less {BASE}:", {metric: value[f"less {BASE}"] for metric, value in row.items()})
    if given.sheet:
        write_image(given.sheet, np.vstack([np.hstack(row[:12]) for row in rows]))
    if given.output:
        write_json(given.output, report)


if __name__ == "__main__":
    main()
