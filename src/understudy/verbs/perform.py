"""The verb `perform`: an actor, or several, play a driver."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

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
from understudy.verbs.assign import check_assigned, performed_by_each
from understudy.verbs.checks import CheckedVideo, check_normalization, checked_video

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.performance import Clip
    from understudy.performing.driver import Driver

log = logging.getLogger(__name__)


def perform(
    actor: Actor | StrPath | Sequence[Actor | StrPath] | None,
    driving: Clip,
    output: StrPath,
    *,
    assign: Mapping[str, Actor | StrPath] | None = None,
    layout: Layout = "side-by-side",
    background: StrPath = "reference",
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
    device: Device = "auto",
) -> Path:
    """Lets an actor, or several in step, play the motion of a video; writes a video.

    The result has the size of the reference, the rate and the sound of the driving video. An existing output is
    replaced. Where nobody was found in the driving clip, the performer fades out. With `background="driving"` it has
    the size of the driving video as well, and everything in it but the driver.

    Several actors dance the same in one video, or with `assign` each what another person dances. They are loaded one
    after another, so the largest of them says how much memory is needed; what each has painted waits in a temporary
    folder beside the output.

    Args:
        actor: the actor, made by `train`; several from left to right, also the same one twice. In Python None, if
            `assign` says who performs.
        driving: video, performance or motion capture (BVH) of the motion. Only a video has sound.
        output: the video to write: .mp4, .mov or .mkv. Transparent ones: .webm, .mov, or a name without suffix for a
            folder of PNG files.
        assign: in place of `actor`, for a driving video of several people: an actor for each, who dances the moves of
            that person alone, and stands where that person stood, the nearer before the farther. People are called by
            where they stand when all are first seen: left, centre, right, or 1, 2, 3 from left to right. Whoever is not
            named is left out. Before a colour, nothing, or the driver's room the picture has the driving video's shape.
        layout: of several actors. "side-by-side": each in a picture of its own, all as high as the first one's.
            "stage": all in one picture as high as the first one's, spread over its width with their feet on one
            ground; whose feet are lower is nearer. Each keeps the share of the picture's height that it has alone,
            and all shrink together where the stage is too narrow for that. Not with `assign`.
        background: behind the performer: "reference" (the room of the reference clip; on a stage, of the first),
            "driving" (the driver's own shot, in which the performer takes his place, as large as he is and with its
            feet where his are; several actors have his room alone), "transparent", a colour (a name, #202030 or
            32,32,48), or a picture or video file. For the shot the driving video has to be there.
        fit: "placed" lets the performer stand where the driver's motion takes it, even if that is partly outside of the
            picture; "whole" makes and places it so that all of it stays in. On a stage there is room for everybody; in
            the driver's own shot it stands where he stood.
        normalization: how the driver is brought to the reference's place, "similarity", "ground" or "ground-printed"
            (as the paper of "ground" prints it, less steady): see `train`; left out, as the actor does.
        missing_limbs: what becomes of legs that the driver never shows or that come and go, because his picture ends at
            the knees, the hips or the waist. "stand": the clone's own legs stand on the floor below its hips. "crop":
            the picture is enlarged, at most twice, and moved, so that it ends where the driver's does; its size stays.
            "fade": the clone fades out there. Arms never shown hang, but for "fade". A driver who shows everything is
            played as he is.
        compare: also write NAME.compare.mp4, driving, pose and clone side by side, and NAME.normalization.png, the
            driver's skeleton as filmed and where it was brought to. Of several actors NAME.compare.mp4 alone, the
            driver beside them all.
        driving_start: of the driving clip, if it is a video: as `start` for `track`.
        driving_end: of the driving clip, if it is a video: as `end` for `track`.
        driving_rotate: of the driving clip, if it is a video: as `rotate` for `track`.
        driving_region: of the driving clip, if it is a video: as `region` for `track`.
        driving_poses: of the driving clip, if it is a video: as `poses` for `track`.
        driving_matte: of the driving clip, if it is a video: as `matte` for `track`.
        driving_tolerate_damage: of the driving clip, if it is a video: as `tolerate_damage` for `track`.
        marks: the file says that it was generated, by which program and actor, and who agreed: a signed manifest,
            metadata (XMP) and an invisible mark, see `verify`; `marks=False` writes it without.
        sign_cert: PEM file with the certificate of the key that signs, then those that vouch for it; goes with
            `sign_key`. Left out, UNDERSTUDY_SIGN_CERT and UNDERSTUDY_SIGN_KEY name both, else a key of one's own signs,
            for which nobody vouches.
        sign_key: PEM file with that key, without a password. Nothing keeps where it lies.
        label: "corner" paints a small "AI" into the corner that the performer comes into least, for people to see.
        device: where to compute; "auto" takes the fastest there is.

    Returns:
        The path of the video.

    Raises:
        ActorError, MediaError, PerformanceError, PoseError: something given cannot be read or used.
        UsageError: arguments that contradict each other.

    Example:
        perform("me.actor", "dance.mp4", "out.mp4", background="#202030", compare=True)
        perform(["me.actor", "you.actor"], "dance.mp4", "together.mp4", layout="stage")
        perform(None, "duo.mp4", "duo_out.mp4", assign={"left": "anna.actor", "right": "ben.actor"})

    Shell:
        $ understudy perform --actor me.actor --driving dance.mp4 --output out.mp4 --compare
        $ understudy perform --actor me.actor --driving dance.mp4 --output out.mp4 --background driving
        $ understudy perform --actor me.actor --driving dance.mp4 --output out.webm --background transparent
        $ understudy perform --actor me.actor --actor you.actor --driving dance.mp4 --output both.mp4 --layout stage
        $ understudy perform --assign left=anna.actor --assign right=ben.actor --driving duo.mp4 --output duo_out.mp4
    """
    from understudy.actor import Actor
    from understudy.covering.oddities import say_oddities
    from understudy.performing.driver import Driver, check_shot
    from understudy.performing.missing_limbs import say_missing
    from understudy.recipes import landmarks_for
    from understudy.synthetic.drivers import part_of

    actors = [actor] if isinstance(actor, Actor | str | os.PathLike) else list(actor or ())
    if actors and assign is not None:
        raise UsageError("`actor` and `assign` are two ways to say who performs: give one of them")
    if not actors and assign is None:
        raise UsageError(
            "nobody is there to perform: give `actor='NAME.actor'`, once for each, or a photograph, or `assign` actors "
            "to the people of a video"
        )
    check_choice("layout", layout, get_args(Layout))
    if assign is not None and layout != "side-by-side":
        raise UsageError("with `assign` everybody stands where that person stood: leave `layout` out")
    check_normalization(normalization)
    part = part_of(
        "driving",
        driving,
        start=driving_start,
        end=driving_end,
        rotate=driving_rotate,
        region=driving_region,
        poses=driving_poses,
        matte=driving_matte,
        tolerate_damage=driving_tolerate_damage,
    )
    if assign is not None:
        check_assigned(assign, driving, part, fit, missing_limbs, normalization)
    video = checked_video(
        output,
        background,
        compare,
        fit,
        missing_limbs,
        marks,
        sign_cert,
        sign_key,
        label,
        device,
        [driving, *actors, *(assign or {}).values(), *part.values()],
    )
    if assign is not None and isinstance(driving, str | os.PathLike):
        return performed_by_each(assign, driving, part, video)
    if len(actors) > 1:
        return _together(actors, driving, part, video, layout, normalization)
    alone = actors[0] if isinstance(actors[0], Actor) else Actor.load(actors[0])
    video.background.check_room(alone.paints_room)
    if video.background.what == "driving":
        check_shot(driving)
    driver = Driver.of(driving, **part, landmarks=landmarks_for([alone.recipe]))
    say_oddities("driving", driver.performance)
    say_missing(driver.performance, missing_limbs)
    return rendered(alone.normalizing_by(normalization), driver, video)


def rendered(actor: Actor, driver: Driver, video: CheckedVideo) -> Path:
    """One actor plays, and the video that was checked is written."""
    from understudy.performing.perform import perform_to_file

    _say_silence(driver, video)
    perform_to_file(
        actor,
        driver,
        video.output,
        background=video.background,
        compare=video.comparison,
        overlay=video.overlay,
        fit=video.fit,
        missing_limbs=video.missing_limbs,
        marks=video.signing is not None,
        signing=video.signing,
        label=video.label == "corner",
        device=video.device,
    )
    return video.output


def _together(
    actors: Sequence[Actor | StrPath],
    driving: Clip,
    part: dict[str, Any],
    video: CheckedVideo,
    layout: Layout,
    normalization: NormalizeBy | None,
) -> Path:
    from understudy.covering.oddities import say_oddities
    from understudy.performing.driver import Driver
    from understudy.performing.ensemble import perform_together
    from understudy.performing.members import members
    from understudy.performing.missing_limbs import say_missing
    from understudy.recipes import landmarks_for

    cast = members(actors, layout, normalization)
    for member in cast:
        video.background.check_room(member.outline.paints_room)
    driver = Driver.of(driving, **part, landmarks=landmarks_for(member.outline.recipe for member in cast))
    say_oddities("driving", driver.performance)
    say_missing(driver.performance, video.missing_limbs)
    _say_silence(driver, video)
    perform_together(
        cast,
        driver,
        video.output,
        layout=layout,
        background=video.background,
        compare=video.comparison,
        fit=video.fit,
        missing_limbs=video.missing_limbs,
        marks=video.signing is not None,
        signing=video.signing,
        label=video.label == "corner",
        device=video.device,
    )
    return video.output


def _say_silence(driver: Driver, video: CheckedVideo) -> None:
    if driver.video is None:
        log.info(
            "%s is without sound: the driver is motion alone, or the video that it was tracked from is no longer there",
            video.output,
        )
