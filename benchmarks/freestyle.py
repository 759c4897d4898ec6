"""One photograph against the other ways to make somebody dance from it, on made-up people that nobody has seen.

    python benchmarks/freestyle.py --output freestyle.json --sheet freestyle.png
    python benchmarks/freestyle.py --people 2 --model mine.freestyle

Each person is photographed once and filmed in other poses; every method makes these poses out of the photograph, and
what it made is held against the film: SSBS, SSIS, DPBS and DPIS (Gafni et al. 2021, section 4) by the built-in parser
and the built-in surface of what the tracker finds in either picture, SSIM, a perceptual distance, and how far the mean
colour of each part of the body is off. Differences to the limb warp come with the 95 % interval over people.

- "photograph": as it is, put where the person stands.
- "limb warp": that one picture, warped limb by limb.
- "surface": copied along the surface, and the label's colour where the photograph does not show the place; no network
  but the one that says what is where.
- "freestyle": the three networks.
- "actor" (`--actor [MINUTES]`): for scale, somebody of whom there are eight seconds of film, of another dance in the
  same room: copy-then-refine at 512 pixels, trained for so long; without minutes the actor as it comes, at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from understudy.actor import Actor
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.base.progress import progress_bar
from understudy.consent import Consent
from understudy.evaluation.intervals import mean_interval
from understudy.evaluation.metrics import person_box, ssim
from understudy.evaluation.part_similarity import binary_similarity, index_similarity
from understudy.evaluation.perceptual import Perceptual
from understudy.media.images import write_image
from understudy.people.made_up import filmed_views, made_up_views
from understudy.people.view import View
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes import copy_then_refine
from understudy.recipes.freestyle_reenactment import actor_arrays, as_it_comes
from understudy.recipes.parts.freestyle_model import load_model
from understudy.recipes.parts.freestyle_player import FreestylePlayer, Wanted
from understudy.recipes.parts.freestyle_reenactment_config import Config
from understudy.recipes.parts.freestyle_samples import drawn_pairs, offset, photograph_of, squared
from understudy.recipes.parts.photograph import Photograph
from understudy.recipes.parts.player import moments
from understudy.synthetic.clip import performance_from_render
from understudy.synthetic.motion import choreography
from understudy.tracking.blazepose import BlazePoseTracker
from understudy.tracking.body_fit import fit
from understudy.tracking.parsing import BuiltInParser
from understudy.tracking.surface import girth_of, surface_maps
from understudy.training.session import Session

Image = npt.NDArray[np.uint8]

FIRST = 60_000
"""number of the first made-up person"""
VIEWS = 5
"""of each: one is the photograph"""
SIZE_HW = (512, 320)
GREY = 128
"""what everybody stands before, so that only the person counts"""
METRICS = ("SSBS", "SSIS", "DPBS", "DPIS", "SSIM", "perceptual", "colour")
BETTER_IF_LOWER = ("perceptual", "colour")


class Eyes:
    """Networks that look at pictures, the same for all methods."""

    def __init__(self) -> None:
        self.tracker, self.parser, self.perceptual = BlazePoseTracker("wholebody"), BuiltInParser(), Perceptual()

    def maps(self, picture: Image, alpha: Image) -> tuple[Image, Image]:
        """Label map and surface index of a picture; nobody where the tracker finds nobody."""
        self.tracker.forget()
        found = self.tracker(picture)
        if found is None:
            nothing = np.zeros(picture.shape[:2], np.uint8)
            return nothing, nothing
        labels = self.parser(picture, alpha, found.xy, found.confidence)
        posed = fit(Pose(found.xy[None], found.confidence[None], SIZE_HW), follow=False)
        return labels, next(surface_maps(posed, SIZE_HW, girth_of(posed, [alpha])))[..., 0]


def colour_off(made: Image, alpha: Image, wanted: View) -> float:
    """Mean over the true parts: RGB distance of their mean colours, where anything was made."""
    off = []
    for label in np.unique(wanted.labels[wanted.labels > 0]):
        inside = (wanted.labels == label) & (alpha > 127)
        if inside.sum() >= 30:
            off.append(np.linalg.norm(made[inside].mean(axis=0) - wanted.frame[wanted.labels == label].mean(axis=0)))
    return float(np.mean(off)) if off else float("nan")


def measured(eyes: Eyes, made: Image, wanted: View, true_maps: tuple[Image, Image], truth: Image) -> dict[str, float]:
    """One picture (H, W, 4) premultiplied against the film."""
    alpha = made[..., 3]
    picture = over_grey(made)
    labels, surface = eyes.maps(picture, alpha)
    person = wanted.labels > 0
    box = person_box(255 * person.astype(np.uint8), 8)
    straight = np.clip(made[..., :3].astype(np.float32) * 255 / np.maximum(alpha, 1)[..., None], 0, 255).astype(
        np.uint8
    )
    return {
        "SSBS": binary_similarity(labels, true_maps[0]),
        "SSIS": index_similarity(labels, true_maps[0]),
        "DPBS": binary_similarity(surface, true_maps[1]),
        "DPIS": index_similarity(surface, true_maps[1]),
        "SSIM": ssim(picture, truth, box),
        "perceptual": float(eyes.perceptual(picture, truth, person, {"person": box})["person"] or np.nan),
        "colour": colour_off(straight, alpha, wanted),
    }


def over_grey(made: Image) -> Image:
    """(H, W, 3)"""
    rest = (255 - made[..., 3:].astype(np.uint16)) * GREY // 255
    return np.asarray(np.minimum(made[..., :3] + rest, 255), np.uint8)


def cut(picture: Image) -> Image:
    """The view out of the middle of a square."""
    x, y = offset(SIZE_HW, SIZE_HW[0])
    return picture[y : y + SIZE_HW[0], x : x + SIZE_HW[1]]


def photographed(views: list[View], number: int) -> int:
    """Which of a person's views is the photograph."""
    return max({pair[0] for pair in drawn_pairs(views, np.random.default_rng(number))})


def as_it_is(photograph: Photograph, wanted: View, reference: View) -> Image:
    """The photograph with its person's middle where the wanted one's is."""
    here, there = (np.argwhere(view.labels > 0).mean(axis=0) for view in (reference, wanted))
    matrix = np.array([[1, 0, there[1] - here[1]], [0, 1, there[0] - here[0]]], np.float32)
    return np.asarray(cv2.warpAffine(photograph.premultiplied, matrix, photograph.premultiplied.shape[1::-1]), np.uint8)


def methods_of(reference: View, model: Any, config: Config) -> dict[str, Callable[[View], Image]]:
    """What each method makes of a photograph: name -> view to (H, W, 4) premultiplied."""
    photograph = photograph_of(reference)
    size = photograph.size
    x, y = offset(SIZE_HW, size)
    player = FreestylePlayer(config, actor_arrays(model, photograph), torch.device("cpu"))

    def pose_in(view: View) -> Pose:
        return Pose((view.xy + np.array((x, y)))[None].astype(np.float32), view.confidence[None], (size, size))

    def painted(view: View) -> Image:
        return cut(next(iter(player.play(moments(pose_in(view)), 1))))

    def along(view: View) -> Any:
        pose = pose_in(view)
        surface = next(surface_maps(fit(pose, player.stretch), (size, size), player.girth))
        return pose, surface, photograph.along(pose.xy[0], pose.confidence[0], surface)

    def surface(view: View) -> Image:
        pose, maps, found = along(view)
        columns = slice(x, x + SIZE_HW[1])
        labels = np.zeros((size, size), np.uint8)
        wanted = Wanted(pose.xy[0], pose.confidence[0], maps, columns)
        labels[:, columns] = player.labels(wanted, found.within((slice(None), columns)))
        copies = photograph.copies(found, labels).astype(np.float32)
        share = copies[0, ..., 3:] / 255
        return cut(np.asarray(copies[0] + (1 - share) * copies[2] + 0.5, np.uint8))

    return {
        "photograph": lambda view: cut(as_it_is(photograph, _squared(view), _squared(reference))),
        "limb warp": lambda view: cut(along(view)[2].by_limbs),
        "surface": surface,
        "freestyle": painted,
    }


def actor_of(number: int, folder: Path, minutes: float) -> Callable[[int, View], Image]:
    """What an actor makes of a view, by its place among the views: premultiplied (H, W, 4)."""
    film = filmed_views(number, VIEWS, SIZE_HW)
    dance = choreography(number + 1_000_000, 8.0, 15)
    reference = performance_from_render(folder / "me.performance", film.person, dance, film.scene, SIZE_HW[0])
    config = copy_then_refine.RECIPE.preset("fast")
    if not minutes:
        config = replace(config, steps=0)
    session = Session(
        "copy-then-refine", config, reference, [], folder / "run", max_minutes=minutes or None, device="cpu"
    )
    actor = Actor.of(
        copy_then_refine.RECIPE.learn(session), reference, "copy-then-refine", "fast", Consent("made up", "")
    )
    player = actor.player("cpu")

    def played(place: int, view: View) -> Image:
        to_view = Similarity.shifted(*-film.corners[place]) @ actor.from_picture.inverse
        pose = Pose(view.xy[None], view.confidence[None], SIZE_HW)
        (picture,) = player.play(moments(to_view.inverse.of_pose(pose, (actor.size, actor.size))), 1)
        placed = cv2.warpAffine(picture, to_view.matrix, SIZE_HW[::-1], flags=cv2.INTER_CUBIC)
        return np.minimum(placed, placed[..., 3:])

    return played


def _squared(view: View) -> View:
    return replace(view, labels=squared(view.labels, SIZE_HW[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--model", default="")
    parser.add_argument(
        "--actor", type=float, nargs="?", const=0.0, metavar="MINUTES", help="for scale, one who was filmed and trained"
    )
    parser.add_argument("--output", type=Path)
    parser.add_argument("--sheet", type=Path, help="a picture: photograph, film, and what each method made")
    given = parser.parse_args()
    model, eyes = load_model(given.model), Eyes()
    config = model.config if given.model else as_it_comes()
    found: dict[str, dict[str, list[list[float]]]] = {}
    rows = []
    with progress_bar("people", given.people) as advance:
        for number in range(FIRST, FIRST + given.people):
            views = made_up_views(number, VIEWS, SIZE_HW)
            reference = photographed(views, number)
            methods = methods_of(views[reference], model, config)
            filmed = None
            if given.actor is not None:
                with TemporaryDirectory() as folder:
                    filmed = actor_of(number, Path(folder), given.actor)
            own: dict[str, list[dict[str, float]]] = {}
            for place, wanted in enumerate(views):
                if place == reference:
                    continue
                person = (wanted.labels > 0)[..., None]
                truth = np.where(person, wanted.frame, np.uint8(GREY))
                true_maps = eyes.maps(truth, 255 * person[..., 0].astype(np.uint8))
                made = {name: method(wanted) for name, method in methods.items()}
                if filmed is not None:
                    made["actor"] = filmed(place, wanted)
                for name, picture in made.items():
                    own.setdefault(name, []).append(measured(eyes, picture, wanted, true_maps, truth))
                if len(rows) < 8 and place == (reference + 1) % VIEWS:
                    rows.append(np.hstack([views[reference].frame, truth, *(over_grey(one) for one in made.values())]))
            for name, several in own.items():
                for metric in METRICS:
                    found.setdefault(name, {}).setdefault(metric, []).append([one[metric] for one in several])
            advance()
    report: dict[str, Any] = {
        "machine": machine("cpu"),
        "people": given.people,
        "minutes an actor is trained": given.actor,
        "model": dict(model.record),
        "methods": {},
    }
    base = {metric: np.nanmean(found["limb warp"][metric], axis=1) for metric in METRICS}
    for name, by_metric in found.items():
        report["methods"][name] = {}
        for metric in METRICS:
            people = np.nanmean(by_metric[metric], axis=1)
            gain = mean_interval(people - base[metric], 1)
            report["methods"][name][metric] = {
                "mean": round(float(np.nanmean(people)), 4),
                "less limb warp": [
                    None if value is None else round(value, 4) for value in (gain.mean, gain.low, gain.high)
                ],
            }
        print(name, {metric: value["mean"] for metric, value in report["methods"][name].items()})
        print(
            "   less limb warp:", {metric: value["less limb warp"] for metric, value in report["methods"][name].items()}
        )
    if given.sheet:
        write_image(given.sheet, np.vstack(rows))
    if given.output:
        write_json(given.output, report)


if __name__ == "__main__":
    main()
