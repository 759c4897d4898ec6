"""The verb `clone`: the whole way from two videos to a third."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.base.arguments import Device, Fit, Label, MissingLimbs, NormalizeBy, Preset, Region, Rotation, StrPath
from understudy.base.ranks import check_alone
from understudy.base.things import pasted
from understudy.errors import UnderstudyError
from understudy.verbs.checks import checked_training, checked_video
from understudy.verbs.perform import rendered
from understudy.verbs.train import carried_out

if TYPE_CHECKING:
    from understudy.performance import Clip, Performance
    from understudy.unpaired.chosen import Unpaired

log = logging.getLogger(__name__)


def clone(
    reference: Clip,
    driving: Clip,
    output: StrPath,
    *,
    unpaired: Sequence[Unpaired] = (),
    recipe: str | None = None,
    preset: Preset = "preview",
    resume: bool = False,
    overwrite: bool = False,
    max_minutes: float | None = None,
    max_steps: int | None = None,
    memory_gb: float | None = None,
    seed: int = 0,
    normalization: NormalizeBy | None = None,
    variant: str | None = None,
    config: Any = None,
    settings: Sequence[str] = (),
    background: StrPath = "reference",
    fit: Fit = "placed",
    missing_limbs: MissingLimbs = "stand",
    compare: bool = False,
    reference_start: float | None = None,
    reference_end: float | None = None,
    reference_rotate: Rotation = 0,
    reference_region: Region | None = None,
    reference_poses: StrPath | None = None,
    reference_matte: StrPath = "auto",
    reference_tolerate_damage: bool = False,
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
    """Goes the whole way from two videos to a third: tracks both, trains an actor, lets it perform.

    The actor stays beside the output, as NAME.actor, and can perform other videos without training again.

    Args:
        reference: video or performance of the person whose looks are learnt.
        driving: video, performance or motion capture (BVH) of the motion; a recipe that learns from other people
            learns from its motion as well.
        output: the video to write: .mp4, .mov or .mkv. Transparent ones: .webm, .mov, or a name without suffix for a
            folder of PNG files.
        unpaired: what such a recipe learns from besides the driver, see `train`.
        recipe: as for `train`.
        preset: as for `train`.
        resume: as for `train`.
        overwrite: as for `train`.
        max_minutes: as for `train`.
        max_steps: as for `train`.
        memory_gb: as for `train`.
        seed: as for `train`.
        normalization: as for `train`; the actor keeps it.
        variant: as for `train`.
        config: as for `train`.
        settings: as for `train`.
        background: behind the performer: "reference" (the room of the reference clip), "driving" (the driver's own
            shot, see `perform`), "transparent", a colour (a name, #202030 or 32,32,48), or a picture or video file.
        fit: as for `perform`.
        missing_limbs: what becomes of limbs that the driver does not show, see `perform`.
        compare: also write NAME.compare.mp4, driving, pose and clone side by side, and NAME.normalization.png, the
            driver's skeleton as filmed and where it was brought to.
        reference_start: as for `train`.
        reference_end: as for `train`.
        reference_rotate: as for `train`.
        reference_region: as for `train`.
        reference_poses: as for `train`.
        reference_matte: as for `train`.
        reference_tolerate_damage: as for `train`.
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
        consent: as for `train`.
        device: as for `train`.

    Returns:
        The path of the video.

    Raises:
        UnderstudyError: as `train` and `perform`.
        Interrupted: Ctrl-C or SIGTERM, with everything saved.

    Example:
        clone("me.mp4", "dance.mp4", "out.mp4", preset="preview", consent="I am the person in me.mp4")

    Shell:
        $ understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4 --preset instant
        $ understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4 --max-minutes 60 --compare
    """
    from understudy.covering.oddities import say_oddities
    from understudy.performing.driver import Driver, check_shot
    from understudy.performing.missing_limbs import say_missing
    from understudy.synthetic.drivers import part_of
    from understudy.tracking.track import tracked
    from understudy.verbs.outputs import beside

    check_alone("clone")
    actor_path = beside(Path(output), ".actor")
    filmed = part_of(
        "reference",
        reference,
        start=reference_start,
        end=reference_end,
        rotate=reference_rotate,
        region=reference_region,
        poses=reference_poses,
        matte=reference_matte,
        tolerate_damage=reference_tolerate_damage,
    )
    danced = part_of(
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
    given_along = [*filmed.values(), *danced.values()]
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
        [reference, driving, *given_along],
    )
    training = checked_training(
        actor_path,
        unpaired=unpaired,
        recipe=recipe,
        preset=preset,
        resume=resume,
        overwrite=overwrite,
        max_minutes=max_minutes,
        max_steps=max_steps,
        memory_gb=memory_gb,
        seed=seed,
        normalization=normalization,
        variant=variant,
        config=config,
        settings=settings,
        device=device,
        use=f"understudy perform --actor {pasted(actor_path)}",
    )
    video.background.check_room(training.paints_room)
    if video.background.what == "driving":
        check_shot(driving)
    given = training.agreed(consent, reference)
    person = tracked(reference, **training.tracking, **filmed)
    driver = Driver.of(driving, **training.tracking_drivers, **danced)
    say_oddities("reference", person)
    training.say_if_coarse(person)
    say_oddities("driving", driver.performance)
    say_missing(driver.performance, missing_limbs)
    _say_coverage(person, driver.performance)
    actor = carried_out(training, person, given, also=[driver.performance])
    log.info("actor: %s (perform other clips with `understudy perform --actor %s`)", actor_path, pasted(actor_path))
    return rendered(actor, driver, video)


def _say_coverage(reference: Performance, driving: Performance) -> None:
    from understudy.covering.measure import measure

    try:
        found = measure(reference.poses, driving.poses, driving.fps)
    except UnderstudyError as error:
        log.warning("coverage could not be measured: %s", error)
        return
    share = found.share_of_frames
    advice = "; `understudy coverage` says what to film" if share > 0.1 else ""
    log.info("coverage: %.0f%% of the driving frames show limbs as the reference never does%s", 100 * share, advice)
