"""Clips that a fake detector learns from and is tested with: made-up people, filmed and cloned.

Everything is kept in the work folder, clip by clip, and not made again.
"""

from __future__ import annotations

import dataclasses
import logging
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from understudy.actor import Actor
from understudy.base.devices import Device
from understudy.consent import Consent
from understudy.errors import PoseError
from understudy.evaluation.contenders import contender, learnt, timed
from understudy.forensics.detector_data import (
    Footage,
    Treatment,
    cut_for_judging,
    cut_for_training,
    load_footage,
    random_treatment,
    save_footage,
    treated,
)
from understudy.media.reading import probe
from understudy.performance import Performance
from understudy.performing.driver import Driver
from understudy.performing.perform import perform_to_file
from understudy.recipes import recipe as recipe_of
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.pair import centred
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene
from understudy.tracking.track import tracked

MADE_UP = Consent("nobody needs to agree: the person is made up", "")
FPS = Fraction(25)
SIZES_HW = ((512, 384), (384, 512), (576, 324))
INSTANT = "limb-warp"
"""of which every person has a clone: it takes no training"""
GOOD, POOR = Treatment(17, 1.0), Treatment(35, 1.0)


@dataclasses.dataclass(frozen=True)
class Clip:
    """One video, and what it is."""

    path: Path
    person: str
    role: str
    """training, validation or test"""
    recipe: str = ""
    """empty: filmed"""
    motion: str = ""
    """same or other"""

    @property
    def generated(self) -> bool:
        return bool(self.recipe)


@dataclasses.dataclass(frozen=True)
class Studio:
    """Films people, trains actors of them, lets these perform."""

    work: Path
    steps: int
    """of training, for each actor"""
    seconds: float
    """of a film: the first part is learnt, the last `shown` seconds are the person's own motion for clones"""
    shown: float
    seed: int
    device: Device

    def film(self, number: int) -> Path:
        path = self.work / f"person-{number}" / "film.mp4"
        if not path.exists():
            size_hw = SIZES_HW[number % len(SIZES_HW)]
            dance = centred(choreography(1000 + number, self.seconds, FPS))
            write_clip(path, make_person(number), dance, make_scene(number, size_hw))
        return path

    def learnt_from(self, number: int) -> Performance:
        return tracked(self.film(number), cache=self.work / "tracked", end=self.seconds - self.shown)

    def moves(self, number: int) -> Performance:
        return tracked(self.film(number), cache=self.work / "tracked", start=self.seconds - self.shown)

    def clone(self, number: int, recipe: str, driver: int) -> Path:
        path = self.work / f"person-{number}" / f"{recipe}-as-{driver}.mp4"
        if not path.exists():
            actor = actor_of(self, self.learnt_from(number), recipe, self.work / f"person-{number}" / "actors")
            perform_to_file(actor, Driver(self.moves(driver)), path, device=self.device)
        return path


def filmed(studio: Studio, number: int) -> None:
    """Films a person, and tracks the two parts of the film."""
    studio.learnt_from(number)
    studio.moves(number)


def cloned(studio: Studio, number: int, driver: int, recipe: str) -> None:
    """Lets an actor of a person play the person's own motion and another's."""
    for motion in (number, driver):
        studio.clone(number, recipe, motion)


def clips_of(
    studio: Studio, groups: dict[str, list[int]], recipes_of: dict[int, Sequence[str]], jobs: int
) -> list[Clip]:
    """The films of groups of people and their clones, in their own motion and in their neighbour's.

    Args:
        groups: role -> numbers of people.
        recipes_of: number -> recipes of which the person has a clone.
        jobs: processes that work beside each other.
    """
    neighbours = {people[k]: people[(k + 1) % len(people)] for people in groups.values() for k in range(len(people))}
    for_each(filmed, [(studio, number) for number in neighbours], jobs)
    wanted = [(studio, number, neighbours[number], recipe) for number in neighbours for recipe in recipes_of[number]]
    for_each(cloned, sorted(wanted, key=lambda task: not recipe_of(task[3]).learns), jobs)
    clips = []
    for role, people in groups.items():
        for number in people:
            name = f"person-{number}"
            clips.append(Clip(studio.film(number), name, role))
            for recipe in recipes_of[number]:
                for motion, driver in (("same", number), ("other", neighbours[number])):
                    clips.append(Clip(studio.clone(number, recipe, driver), name, role, recipe, motion))
    return clips


def for_each(work: Callable[..., None], tasks: Sequence[tuple[Any, ...]], jobs: int) -> None:
    """Does the same with everything; with more than one job in processes of one thread each."""
    if jobs == 1:
        for task in tasks:
            work(*task)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_one_thread) as pool:
        for done in [pool.submit(work, *task) for task in tasks]:
            done.result()


def _one_thread() -> None:
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def actor_of(studio: Studio, learnt_from: Performance, recipe: str, folder: Path) -> Actor:
    """Trained for the studio's budget, or taken from where it was trained before."""
    who = timed(contender(recipe, "preview" if recipe_of(recipe).learns else "fast"))
    if "face" in getattr(who.config, "stages", ()):  # which comes last, and wants its share
        faces = max(1, round(0.15 * studio.steps))
        who = dataclasses.replace(who, config=dataclasses.replace(who.config, steps=(studio.steps - faces, 0, faces)))
    steps = studio.steps if who.learns else None
    return learnt(who, learnt_from, [], folder, MADE_UP, seed=studio.seed, max_steps=steps, device=studio.device)


def cut_once(cutter: Cutter, clip: Clip, version: str) -> None:
    """So that it need not be done again when it is loaded."""
    cutter.cut(clip, version)


class Cutter:
    """Encodes clips once more and cuts them to squares, once each."""

    def __init__(self, work: Path, size: int, seed: int):
        self._folder, self._size, self._seed = work / f"looks-{size}", size, seed

    def cut(self, clip: Clip, version: str) -> Footage:
        """version: a number for a random treatment, "good", "poor", or "as filmed" for none."""
        stem = f"{clip.person}.{clip.path.stem}.{version.replace(' ', '-')}"
        training = clip.role in ("training", "more")
        kept = self._folder / f"{stem}.safetensors"
        if not kept.exists():
            random = np.random.default_rng((self._seed, zlib.crc32(stem.encode())))
            path = clip.path
            if version != "as filmed":
                path = self._folder / f"{stem}.mp4"
                treatment = {"good": GOOD, "poor": POOR}.get(version) or random_treatment(random)
                treated(clip.path, path, treatment)
            try:
                pairs = cut_for_training(path, self._size, random) if training else cut_for_judging(path, self._size)
            except PoseError as error:  # a clone can be so poor that the tracker does not take it for a person
                logging.warning("left out: %s", error)
                pairs = np.zeros((0, 2, self._size, self._size, 3), np.uint8)
            seconds = float(probe(path).duration)
            save_footage(
                kept, Footage(pairs, clip.generated, clip.person, clip.recipe, clip.motion, seconds, clip.path.name)
            )
        return load_footage(kept)

    def in_parts(self, clip: Clip, version: str, seconds: float) -> list[Footage]:
        """For judging: a film in parts as long as the clones are, so that length says nothing either."""
        whole = self.cut(clip, version)
        if not len(whole.pairs):
            return []
        if clip.generated or whole.seconds < 2 * seconds:
            return [whole]
        parts = int(whole.seconds // seconds)
        length = len(whole.pairs) // parts
        return [
            dataclasses.replace(
                whole, pairs=whole.pairs[length * part : length * (part + 1)], seconds=whole.seconds / parts
            )
            for part in range(parts)
        ]
