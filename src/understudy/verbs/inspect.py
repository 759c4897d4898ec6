"""The verb `inspect`: what is in this file?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.base.arguments import NormalizeBy, Rotation, StrPath, check_rotation
from understudy.base.things import what_is
from understudy.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from understudy.performance import Clip


MODEL_SUFFIX = ".freestyle"
"""of the files of `train-freestyle`"""
SHOWN: tuple[NormalizeBy, ...] = ("similarity", "ground")
"""ways of bringing a driver to an actor's place that are always shown"""


@dataclass(frozen=True)
class Inspection:
    """What `inspect` found."""

    lines: tuple[str, ...]
    sheet: Path
    """the contact sheet, PNG"""

    def __str__(self) -> str:
        return "\n".join(self.lines)


def inspect(
    thing: StrPath, output: StrPath | None = None, *, driving: Clip | None = None, rotate: Rotation = 0
) -> Inspection:
    """Shows what is in a video, a performance, an actor or a model of train-freestyle: numbers and a contact sheet.

    Args:
        thing: the file or folder.
        output: the contact sheet to write, a PNG file; left out, it is THING.png in the current folder.
        driving: of an actor: show instead how a video's or performance's skeletons are brought to its place, by each
            normalization.
        rotate: degrees clockwise by which the video is turned first, be it the thing or the driving one.

    Raises:
        UnderstudyError: there is no such thing, or it is damaged.

    Example:
        print(inspect("me.performance"))

    Shell:
        $ understudy inspect me.performance
        $ understudy inspect me.actor --output sheet.png
        $ understudy inspect my.freestyle
    """
    from understudy.media.images import write_image

    path = Path(thing)
    if not path.exists():
        raise UsageError(f"there is no {path}: give a video, a performance, an actor or a model")
    sheet = Path(path.name + ".png") if output is None else Path(output)
    if sheet.suffix.lower() != ".png":
        raise UsageError(f"the contact sheet is a PNG picture: name it {sheet.stem or 'sheet'}.png, not {sheet}")
    check_rotation("rotate", rotate)
    if rotate:
        _check_is_video(path if driving is None else driving)
    if driving is None:
        lines, picture = _described(path, rotate)
    else:
        lines, picture = _driven(path, driving, rotate)
    write_image(sheet, picture)
    return Inspection(tuple(lines), sheet)


def _described(path: Path, rotate: Rotation) -> tuple[list[str], npt.NDArray[np.uint8]]:
    from understudy.verbs import descriptions

    if path.is_dir():
        from understudy.performance import Performance

        performance = Performance.load(path)
        return descriptions.performance_lines(performance), descriptions.performance_sheet(performance)
    if path.suffix.lower() == MODEL_SUFFIX:
        from understudy.recipes.parts.freestyle_model import load_model
        from understudy.verbs.model_descriptions import model_facts, model_sheet

        model = load_model(path)
        return descriptions.table(model_facts(model)), model_sheet(model)
    if not _is_actor(path):
        return descriptions.video_lines(path, rotate), descriptions.video_sheet(path, rotate)
    from understudy.actor import Actor

    actor = Actor.load(path)
    return descriptions.actor_lines(actor), descriptions.actor_sheet(actor)


def _driven(path: Path, driving: Clip, rotate: Rotation) -> tuple[list[str], npt.NDArray[np.uint8]]:
    from understudy.actor import Actor
    from understudy.performing.driver import Driver
    from understudy.performing.normalization_sheet import normalization_sheet
    from understudy.performing.perform import in_picture, part_for
    from understudy.synthetic.drivers import driver_of
    from understudy.verbs.descriptions import actor_lines

    if path.is_dir() or not _is_actor(path):
        raise UsageError(f"`driving` shows how an actor places a driver, and {path} is no actor: leave it out")
    actor = Actor.load(path)
    driver = Driver(driver_of(driving, rotate=rotate))
    used = actor.placement.normalization
    placed = {}
    for way in dict.fromkeys((*SHOWN, used)):
        pose = part_for(actor.normalizing_by(way), driver.performance, "stand").pose
        placed[f"{way} (as it performs)" if way == used else way] = in_picture(actor, pose)
    return actor_lines(actor), normalization_sheet(actor, driver, placed)


def _check_is_video(clip: Clip) -> None:
    from understudy.media.reading import is_video

    if not isinstance(clip, str | os.PathLike):
        raise UsageError("`rotate` turns a video, and the driving clip is tracked already: leave it out")
    if not is_video(Path(clip)):
        raise UsageError(f"`rotate` turns a video, and {clip} is {what_is(clip)}: leave it out")


def _is_actor(path: Path) -> bool:
    """By its name or its content, as far as that decides who explains what is wrong with it."""
    with open(path, "rb") as stream:
        return path.suffix.lower() == ".actor" or stream.read(9)[8:] == b"{"  # as safetensors files begin
