"""Clips that a fake detector learns from and is tried on: people as filmed, and clones of them by every method.

Everything is kept in the work folder, clip by clip, and not made again.
"""

from __future__ import annotations

import dataclasses
import logging
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detector_people import Subject, Take
from understudy.actor import Actor
from understudy.base.devices import Device
from understudy.base.files import load_tensors, save_tensors
from understudy.compositing.backgrounds import Background
from understudy.consent import Consent
from understudy.errors import DetectorError, UnderstudyError
from understudy.evaluation.contenders import Contender, contender, learnt, timed
from understudy.forensics.detector_data import CRF, random_treatment, treated
from understudy.forensics.texture_network import TextureConfig
from understudy.forensics.texture_training import Sample, statistics_of
from understudy.marks.invisible import InvisibleMark, Payload
from understudy.media.brightness import Change
from understudy.media.reading import probe
from understudy.performance import Performance
from understudy.performing.driver import Driver
from understudy.performing.perform import perform_to_file
from understudy.recipes import recipe as recipe_of
from understudy.tracking.track import tracked

FOR_THE_TEST = Consent("the clips' licences allow it, or the person is made up", "")
ELSEWHERE = "elsewhere"
ANY, MARKED = 0, 4
QUALITIES = {1: (16, 22), 2: (23, 29), 3: (30, 36)}
"""versions of clips that are encoded again: of any quality, as they are or with an invisible mark as this program's
videos bear it, or, of H.264, from good to poor"""
LARGEST = 960
"""pixels: longer sides of clips that are encoded again are shrunk to this, as sites that show videos do"""


@dataclasses.dataclass(frozen=True)
class Clip:
    """A video of somebody, and what it is."""

    take: Take
    subject: Subject
    recipe: str = ""
    """empty: filmed"""
    motion: str = ""
    """same or other; ELSEWHERE where the room was exchanged as well"""

    @property
    def generated(self) -> bool:
        return bool(self.recipe)


@dataclasses.dataclass(frozen=True)
class Studio:
    """Trains actors of people and lets them perform."""

    work: Path
    steps: int
    """of training, for each actor"""
    seed: int
    device: Device

    def tracked(self, take: Take) -> Performance:
        return tracked(take.path, cache=self.work / "tracked", start=take.start, end=take.end, region=take.region)

    def clone(self, subject: Subject, recipe: str, driver: Subject, room: Path | None = None) -> Path:
        """A clip of the subject moving as the driver does. It bears no marks: these are put onto one of its versions.

        Args:
            room: a film that the person is put into, instead of the room where the actor was filmed.
        """
        folder = self.work / "clones" / subject.in_files
        behind = "" if room is None else f"-before-{room.stem}"
        path = folder / f"{recipe}-as-{driver.in_files}{behind}.mp4"
        if not path.exists():
            actor = actor_of(self, self.tracked(subject.learnt_from), recipe, folder / "actors")
            background = Background() if room is None else Background(room)
            perform_to_file(
                actor,
                Driver(self.tracked(driver.moves)),
                path,
                background=background,
                device=self.device,
                marks=False,
            )
        return path


def actor_of(studio: Studio, learnt_from: Performance, recipe: str, folder: Path) -> Actor:
    """Trained for the studio's budget, or taken from where it was trained before."""
    who = _short(contender(recipe, "preview" if _trains(recipe) else "fast"), studio.steps)
    steps = studio.steps if _trains(recipe) else None
    return learnt(who, learnt_from, [], folder, FOR_THE_TEST, seed=studio.seed, max_steps=steps, device=studio.device)


def _trains(recipe: str) -> bool:
    """Whether an actor takes steps of training here; copy-then-refine is taken as it comes, as `clone` takes it."""
    return recipe_of(recipe).learns and recipe != "copy-then-refine"


def in_turn(recipes: Sequence[str], place: int, count: int) -> list[str]:
    """Of the recipes all those that take no training, and `count` of the others, which change from place to place."""
    taught = [recipe for recipe in recipes if _trains(recipe)]
    count = min(count, len(taught))
    return [one for one in recipes if not _trains(one)] + [
        taught[(place * count + k) % len(taught)] for k in range(count)
    ]


def _short(who: Contender, steps: int) -> Contender:
    """With a schedule of so many steps, where it has stages."""
    if who.recipe == "copy-then-refine":
        return dataclasses.replace(who, config=recipe_of(who.recipe).preset("instant"))
    stages = getattr(who.config, "stages", ())
    if not stages:
        return timed(who)
    last = max(1, round(0.15 * steps))  # the others get what the first leaves them, or nothing
    return dataclasses.replace(who, config=dataclasses.replace(who.config, steps=shares_of(who.recipe, steps, last)))


def shares_of(recipe: str, steps: int, last: int) -> tuple[int, ...]:
    """Steps of the stages of a recipe that has some."""
    if recipe == "everybody-dance-now":
        return (steps - last, 0, last)
    return (steps - last, 0, last, 0)


def clips_of(
    studio: Studio, subjects: Sequence[Subject], recipes: Mapping[str, Sequence[str]], jobs: int
) -> list[Clip]:
    """The films of people and their clones, in their own motion and in that of the next in the list.

    A clone that cannot be made (a person who is hardly found, say) is left out with a line that says why.

    Args:
        recipes: name of a subject -> recipes of which there are clones.
        jobs: processes that work beside each other.
    """
    clips = [Clip(film, subject) for subject in subjects for film in subject.films]
    neighbours = [subjects[(k + 1) % len(subjects)] for k in range(len(subjects))]
    wanted = [
        (studio, subject, recipe, (subject, neighbour))
        for subject, neighbour in zip(subjects, neighbours, strict=True)
        for recipe in recipes[subject.name]
    ]
    for_each(_cloned, sorted(wanted, key=lambda task: not _trains(task[2])), jobs)
    for task in wanted:
        clips += _clips_of_one(*task[1:3], zip(_cloned(*task), ("same", "other"), strict=True))
    return clips


def clips_elsewhere(studio: Studio, subjects: Sequence[Subject], recipe: str, room: Path, jobs: int) -> list[Clip]:
    """Clones by one method in their own motion, in another film: nobody learns from these."""
    wanted = [(studio, subject, recipe, (subject,), room) for subject in subjects]
    for_each(_cloned, wanted, jobs)
    return [clip for task in wanted for clip in _clips_of_one(*task[1:3], [(_cloned(*task)[0], ELSEWHERE)])]


def _clips_of_one(subject: Subject, recipe: str, made: Iterable[tuple[Path | None, str]]) -> list[Clip]:
    """made: clones, None where there is none, and whose motion they have."""
    region = subject.learnt_from.region
    return [Clip(Take(path, region=region), subject, recipe, motion) for path, motion in made if path is not None]


def _cloned(
    studio: Studio, subject: Subject, recipe: str, drivers: Sequence[Subject], room: Path | None = None
) -> list[Path | None]:
    """One actor's clones; None, and a line that says why, where one cannot be made."""
    made: list[Path | None] = []
    for driver in drivers:
        try:
            made.append(studio.clone(subject, recipe, driver, room))
        except UnderstudyError as error:
            logging.warning("left out: %s as %s by %s: %s", subject.name, driver.name, recipe, error)
            made.append(None)
    return made


def for_each(work: Callable[..., object], tasks: Sequence[tuple[Any, ...]], jobs: int) -> None:
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


def file_of(clip: Clip, version: int, folder: Path) -> Path:
    """What is kept of a version of a clip."""
    return folder / f"{clip.subject.in_files}.{clip.take.path.stem}.{version}.safetensors"


def encoded_again(clip: Clip, version: int, kept: Path, seed: int) -> tuple[Path, int]:
    """Writes a clip beside `kept`, after a treatment that is drawn from that file's name.

    Args:
        version: a key of `QUALITIES`, ANY, or MARKED.

    Returns:
        The video, and the crf that it was encoded with.
    """
    random = np.random.default_rng((seed, zlib.crc32(kept.stem.encode())))
    treatment = random_treatment(random, QUALITIES.get(version, CRF))
    take, path = clip.take, kept.with_suffix(".mp4")
    treated(
        take.path,
        path,
        treatment,
        start=take.start,
        end=take.end,
        region=take.region,
        longest=LARGEST,
        change=_mark_of(take.path, kept.stem) if version == MARKED else None,
    )
    return path, treatment.crf


def _mark_of(path: Path, name: str) -> Change:
    """An invisible mark for a video, of an identity that goes by the name."""
    return InvisibleMark(Payload(zlib.crc32(name.encode())), probe(path).size_hw).change


@dataclasses.dataclass(frozen=True)
class Treated:
    """A clip, encoded once more, in numbers."""

    sample: Sample
    clip: Clip
    crf: int
    marked: bool


class Measurer:
    """Encodes clips once more and takes their statistics, once each."""

    def __init__(self, work: Path, seed: int, device: Device):
        self._folder, self._seed, self._device = work / "statistics", seed, device

    def measured(self, clip: Clip, version: int) -> Treated:
        """A version of a clip, see `encoded_again`."""
        kept = file_of(clip, version, self._folder)
        if not kept.exists():
            path, crf = encoded_again(clip, version, kept, self._seed)
            found = statistics_of(path, TextureConfig(), device=self._device)
            if not len(found):  # a clone can be so poor that the tracker does not take it for a person
                logging.warning("left out: nobody is found in %s", path.stem)
            said = {"seconds": float(probe(path).duration), "crf": crf}
            save_tensors(kept, {"statistics": found}, said)
            path.unlink()
        tensors, header = load_tensors(kept, DetectorError)
        sample = Sample(clip.generated, clip.subject.name, clip.recipe, float(header["seconds"]), tensors["statistics"])
        return Treated(sample, clip, int(header["crf"]), version == MARKED)
