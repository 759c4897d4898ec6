"""The verb `reenact`: people of whom there is one photograph play a driver."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, get_args

from understudy.base.arguments import (
    Device,
    Fit,
    Label,
    Layout,
    MissingLimbs,
    NormalizeBy,
    Region,
    Rotation,
    StrPath,
    check_choice,
)
from understudy.errors import UsageError
from understudy.verbs.checks import checked_video
from understudy.verbs.perform import perform

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.consent import Consent
    from understudy.performance import Clip, Header, Performance

RECIPE = "freestyle-reenactment"
LARGEST = 1920
"""pixels: the longer side of a video of somebody in a photograph"""
FEW = 120
"""pixels: a person in a photograph who is less high is a blur in any video"""
FINER = 2
"""times as fine as the networks see somebody, a photograph is copied from where the video shows more than they see"""
WORTH = 1.2
"""times as large as the networks see it, the square must be in the video for that"""
_log = logging.getLogger(__name__)


def reenact(
    person: Clip | Sequence[Clip],
    driving: Clip,
    output: StrPath,
    *,
    model: StrPath | None = None,
    layout: Layout = "side-by-side",
    background: StrPath = "reference",
    inpainter: str | None = None,
    fit: Fit = "placed",
    normalization: NormalizeBy | None = None,
    missing_limbs: MissingLimbs = "stand",
    compare: bool = False,
    driving_start: float | None = None,
    driving_end: float | None = None,
    driving_rotate: Rotation = 0,
    driving_region: Region | None = None,
    driving_poses: StrPath | None = None,
    driving_matte: StrPath = "auto",
    driving_tolerate_damage: bool = False,
    marks: bool = True,
    sign_cert: StrPath | None = None,
    sign_key: StrPath | None = None,
    label: Label = "none",
    consent: str | None = None,
    device: Device = "auto",
) -> Path:
    """Lets somebody of whom there is one photograph play a video, at once: nothing is trained.

    The networks know people in general (Gafni et al. 2021) and copy from the photograph what it shows. Who is to be
    shown often is better filmed and trained: see `train`.

    Args:
        person: a photograph, or a video or performance, of which one frame is taken; several people from left to right.
            A larger picture than 1920 pixels gives a video of that size.
        driving: as for `perform`.
        output: as for `perform`.
        model: networks made by `understudy train-freestyle`; left out, those that come with the program.
        layout: as for `perform`.
        background: behind the performer: "reference" or "inpainted" (the photograph's room, filled in where the person
            stood; on a stage, of the first), "driving" (the driver's own shot, see `perform`), "transparent", a colour,
            or a picture or video file.
        inpainter: as for `track`.
        fit: as for `perform`.
        normalization: as for `perform`.
        missing_limbs: as for `perform`.
        compare: as for `perform`.
        driving_start: as for `perform`.
        driving_end: as for `perform`.
        driving_rotate: as for `perform`.
        driving_region: as for `perform`.
        driving_poses: as for `perform`.
        driving_matte: as for `perform`.
        driving_tolerate_damage: as for `perform`.
        marks: as for `perform`.
        sign_cert: as for `perform`.
        sign_key: as for `perform`.
        label: as for `perform`.
        consent: who agreed to be shown dancing, and to what; written into the video's metadata. Left out, it is asked
            for at a terminal.
        device: as for `perform`.

    Returns:
        The path of the video.

    Raises:
        ConsentError: no consent was given.
        UnderstudyError: as `perform`; or a photograph shows nobody.

    Example:
        reenact("photo.jpg", "dance.mp4", "out.mp4", consent="I am the person in the photograph")

    Shell:
        $ understudy perform --person photo.jpg --driving dance.mp4 --output out.mp4 --consent "It is me"
        $ understudy perform --person anna.jpg --person ben.jpg --driving dance.mp4 --output both.mp4 --layout stage
    """
    from understudy.compositing.inpainting import inpainter as chosen_inpainter
    from understudy.consent import obtain_consent
    from understudy.performance import Performance

    people = [person] if isinstance(person, Performance | str | os.PathLike) else list(person)
    if not people:
        raise UsageError("nobody is there to perform: give `person='photo.jpg'`, once for each performer")
    check_choice("layout", layout, get_args(Layout))
    given = [driving, *people]
    checked_video(output, background, compare, fit, missing_limbs, marks, sign_cert, sign_key, label, device, given)
    if inpainter is not None:
        chosen_inpainter(inpainter)
        for one in people:
            if not _is_photograph(one):
                raise UsageError(
                    f"`inpainter` is for photographs, and {_name(one)} shows its room or was tracked before"
                )
    agreed = obtain_consent(consent, " and ".join(dict.fromkeys(_name(one) for one in people)), shown=True)
    actors = {_identity(one): one for one in people}
    known = {identity: _actor_of(one, model, agreed, inpainter, device) for identity, one in actors.items()}
    return perform(
        [known[_identity(one)] for one in people],
        driving,
        output,
        layout=layout,
        background=background,
        fit=fit,
        normalization=normalization,
        missing_limbs=missing_limbs,
        compare=compare,
        driving_start=driving_start,
        driving_end=driving_end,
        driving_rotate=driving_rotate,
        driving_region=driving_region,
        driving_poses=driving_poses,
        driving_matte=driving_matte,
        driving_tolerate_damage=driving_tolerate_damage,
        marks=marks,
        sign_cert=sign_cert,
        sign_key=sign_key,
        label=label,
        device=device,
    )


def _is_photograph(person: Clip) -> bool:
    from understudy.media.photographs import is_photograph

    return isinstance(person, str | os.PathLike) and not Path(person).is_dir() and is_photograph(person)


def _identity(person: Clip) -> object:
    """The same for the same picture, which is read once."""
    return Path(person).resolve() if isinstance(person, str | os.PathLike) else id(person)


def _name(person: Clip) -> str:
    return Path(person).name if isinstance(person, str | os.PathLike) else person.header.source_name


def _actor_of(person: Clip, model: StrPath | None, agreed: Consent, inpainter: str | None, device: Device) -> Actor:
    """An actor of somebody in a photograph, in memory."""
    from understudy.actor import Actor
    from understudy.covering.oddities import say_oddities
    from understudy.recipes import recipe
    from understudy.recipes.parts.freestyle_model import load_model
    from understudy.tracking.track import SIZES, tracked
    from understudy.training.session import Session

    method = recipe(RECIPE)
    usual = method.preset("instant")
    config = usual
    if model is not None:  # how somebody is placed is not what networks learn
        config = replace(load_model(model).config, model=str(model), placement=usual.placement)
    finer = FINER if config.copies and _is_photograph(person) else 1
    size = min(finer * config.side, SIZES[-1])
    photograph = tracked(person, size=size, landmarks=method.landmarks, inpainter=inpainter)
    if config.copies:
        config = replace(config, detail=_detail(photograph.header, config.side))
    say_oddities("photograph" if len(photograph) == 1 else "reference", photograph)
    _say_small(photograph)
    with TemporaryDirectory() as folder:
        session = Session(RECIPE, config, photograph, [], Path(folder), device=device)
        trained = method.learn(session)
    return _of_a_videos_size(Actor.of(trained, photograph, RECIPE, "instant", agreed))


def _say_small(photograph: Performance) -> None:
    import numpy as np

    xy, seen = photograph.poses.xy[0], photograph.poses.confidence[0] > 0
    high = float(np.ptp(photograph.header.crop.back(xy[seen])[:, 1])) if seen.any() else 0.0
    if len(photograph) == 1 and high < FEW:
        _log.warning(
            f"{photograph.header.source_name} shows the person {high:.0f} pixels high, and all that is made of it will "
            "be blurred: give a larger picture"
        )


def _detail(header: Header, side: int) -> int:
    """How many times as fine as the networks see the person's square it is worth being made.

    As fine as the video shows it, and no finer than it was tracked.
    """
    video = min(1.0, LARGEST / max(header.original_size_hw))
    shown = min(video * header.size_hw[0] / header.crop.scale, header.size_hw[0])
    return FINER if shown > WORTH * side else 1


def _of_a_videos_size(actor: Actor) -> Actor:
    """The actor, his room no larger than `LARGEST`: photographs have many times the pixels of a video."""
    import cv2
    import numpy as np

    from understudy.poses.similarity import Similarity

    height, width = actor.original_size_hw
    if max(height, width) <= LARGEST:
        return actor
    ratio = LARGEST / max(height, width)
    size_hw = 2 * round(ratio * height / 2), 2 * round(ratio * width / 2)
    _log.info(f"{actor.reference_name} has {width}x{height} pixels, the video gets {size_hw[1]}x{size_hw[0]}")
    return replace(
        actor,
        background=np.asarray(cv2.resize(actor.background, size_hw[::-1], interpolation=cv2.INTER_AREA), np.uint8),
        original_size_hw=size_hw,
        crop=actor.crop @ Similarity.resized(1 / ratio),
    )
