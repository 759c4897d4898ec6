"""What people do with understudy, as functions: train, perform, clone. The command line calls exactly these."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from understudy.actor import Actor, recipe_module, run_folder_of
from understudy.base.files import locked, read_json, write_json
from understudy.compositing.backgrounds import Colour, check_room, parse_background
from understudy.consent import Consent, obtain_consent
from understudy.errors import TrainingError, UnderstudyError, UsageError
from understudy.unpaired.chosen import Unpaired, chosen_unpaired, read_unpaired
from understudy.verbs.outputs import beside, check_actor_output, check_video_output, comparison_path, normalization_path

if TYPE_CHECKING:
    from understudy.base.devices import Device
    from understudy.performance import Performance
    from understudy.performing.ensemble import Layout
    from understudy.retargeting.alignment import NormalizeBy

Preset = Literal["instant", "preview", "fast", "paper"]
Recipe = Literal[
    "performance-cloning",
    "everybody-dance-now",
    "poses-in-the-wild",
    "pix2pix",
    "cyclegan",
    "nearest-neighbour",
    "limb-warp",
]
StrPath: TypeAlias = "str | os.PathLike[str]"
Clip: TypeAlias = "StrPath | Performance"
"""A video file, a performance's folder, or a loaded performance."""

PRESETS = ("instant", "preview", "fast", "paper")
LAYOUTS = ("side-by-side", "stage")
DEFAULT_RECIPE, INSTANT_RECIPE = "performance-cloning", "limb-warp"
DEFAULT_WORKING_SIZE = 256

log = logging.getLogger(__name__)


def train(
    reference: Clip,
    output: StrPath,
    *,
    unpaired: Sequence[Unpaired] = (),
    recipe: Recipe | None = None,
    preset: Preset = "preview",
    resume: bool = False,
    max_minutes: float | None = None,
    max_steps: int | None = None,
    seed: int = 0,
    normalization: NormalizeBy | None = None,
    ablation: str | None = None,
    consent: str | None = None,
    device: Device = "auto",
) -> Actor:
    """Learns the person of a reference clip; writes an actor.

    Videos are tracked first, and remembered. Checkpoints, losses and previews go to the folder `OUTPUT.run`, which
    stays: training can go on from it later. A finished actor is never overwritten unless `resume` is given
    or it was made without training.

    Args:
        reference: video or performance of the person whose looks are learnt.
        output: the actor to write, usually `something.actor`.
        unpaired: videos or performances of other people, whose motion (not looks) is learnt from as well; best is
            the dance that will be performed. "poses-in-the-wild" learns from poses alone, so it also takes everything
            that `gathering.gather` reads, and made-up dances ("choreography") where nothing is given.
        recipe: which method; None is "performance-cloning", and with the preset "instant" the only one there is,
            "limb-warp".
        preset: "instant" (256x256, seconds: nothing is trained, the reference's frames are warped), "preview" (128x128,
            minutes on a CPU), "fast" (256x256), or "paper" (256x256, all the paper's numbers).
        resume: go on with an interrupted run of this output, or start one.
        max_minutes: stop after this much training, all parts of a resumed run together.
        max_steps: stop after this many training steps.
        seed: of everything random.
        normalization: how the actor brings drivers to the reference's place: "similarity" (one scale and translation a
            clip), "ground" (one for every frame, by where the feet are), or None: as the recipe does.
        ablation: for researchers, with the recipe "poses-in-the-wild": leave out what a rung of its Table 5 does
            without, "PL-Stage1", "PL-Stage1-DA", "PL-Stage1-DA-F", "PL-Stage2" or "PL-UL-Stage2" (nothing).
        consent: who agreed to be learnt, and to what; None asks at a terminal.
        device: "auto", "cpu", "cuda" or "mps".

    Raises:
        ConsentError: no consent was given.
        UsageError: `output` exists already, or arguments make no sense.
        TrainingError: training cannot start or go on, or another process trains this output.
        Interrupted: Ctrl-C or SIGTERM, with everything saved.

    Example:
        actor = train("me.mp4", "me.actor", preset="preview", consent="I am the person in me.mp4")
    """
    path = Path(output)
    chosen, config = _recipe_and_config(recipe, preset, ablation)
    _check_limits(max_minutes, max_steps, seed, device)
    _check_normalization(normalization)
    check_actor_output(path, resume)
    clips = chosen_unpaired(chosen, config, unpaired)
    given = _consent(consent, reference, path, resume)
    size = {} if config.size <= DEFAULT_WORKING_SIZE else {"size": config.size}
    performance = _tracked(reference, **size)
    others = read_unpaired(chosen, clips, **size)
    run_folder = run_folder_of(path)
    with locked(run_folder, TrainingError):
        check_actor_output(path, resume)  # again: another process may have trained it while this one tracked
        write_json(run_folder / "consent.json", asdict(given))
        trained = recipe_module(chosen).train(
            performance,
            others,
            run_folder,
            config,
            seed=seed,
            resume=resume,
            max_minutes=max_minutes,
            max_steps=max_steps,
            device=device,
        )
        actor = Actor.of(trained, performance, chosen, preset, given).normalizing_by(normalization)
        actor.save(path)
    return actor


def perform(
    actor: Actor | StrPath | Sequence[Actor | StrPath],
    driving: Clip,
    output: StrPath,
    *,
    layout: Layout = "side-by-side",
    background: str = "reference",
    normalization: NormalizeBy | None = None,
    compare: bool = False,
    device: Device = "auto",
) -> Path:
    """Lets an actor play the motion of a driving clip; writes a video of the reference's size at the driver's rate.

    The driving video's sound goes along. An existing output is replaced. Where nobody was found in the driving clip,
    the performer fades out.

    Several actors play the same motion at once in one video. They are loaded one after another, so the largest of them
    says how much memory is needed; what each has painted waits in a temporary folder beside the output.

    Args:
        actor: an actor or its file, or a sequence of them, from left to right; the same one may come more than once.
        driving: video or performance of the motion, or motion capture as BVH, which a made-up person dances before a
            grey wall, see `driver_of`. Only a video has sound.
        output: the video to write: .mp4, .mkv or .mov; .webm, .mov or a folder of PNG files for transparent ones.
        layout: of several actors. "side-by-side": each in a picture of its own, all as high as the first one's.
            "stage": all in one picture as high as the first one's, spread over its width with their feet on one ground;
            whose feet are lower is nearer. Each keeps the share of the picture's height that it has alone, and all
            shrink together where the stage is too narrow for that.
        background: "reference" (the room of the reference clip; on a stage, of the first), "driving" (the driver's
            room), "transparent", a colour (a name, "#rrggbb" or "r,g,b"), or an image or video file.
        normalization: how the driver is brought to the reference's place, see `train`; None: as the actor does.
        compare: also write `NAME.compare.mp4`, driving, pose and clone side by side, and `NAME.normalization.png`, the
            driver's skeleton as filmed and as brought to the reference's place. Of several actors only the video is
            written, with the driver beside them all.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        The path of the video.

    Raises:
        ActorError, MediaError, PerformanceError, PoseError: something given cannot be read or used.
        UsageError: arguments that contradict each other.

    Example:
        perform("me.actor", "dance.mp4", "out.mp4", background="#202030", compare=True)
        perform(["me.actor", "you.actor"], "dance.mp4", "together.mp4", layout="stage")
    """
    from understudy.base.devices import choose_device

    path = Path(output)
    behind = parse_background(background)
    actors = [actor] if isinstance(actor, (Actor, str, os.PathLike)) else list(actor)
    if not actors:
        raise UsageError("nobody is there to perform: give --actor NAME.actor, once for each performer")
    if layout not in LAYOUTS:
        raise UsageError(f"--layout {layout}: there is no such layout; choose one of {', '.join(LAYOUTS)}")
    check_video_output(path, behind == "transparent", compare, [driving, behind, *actors])
    _check_background(behind)
    _check_normalization(normalization)
    choose_device(device)
    if len(actors) > 1:
        return _perform_together(actors, driving, path, layout, behind, normalization, compare, device)
    alone = actors[0]
    loaded = (alone if isinstance(alone, Actor) else Actor.load(alone)).normalizing_by(normalization)
    check_room(loaded.config, behind)
    return _perform(loaded, _driver(driving), _video_of(driving), path, behind, compare, device)


def _perform_together(
    actors: Sequence[Actor | StrPath],
    driving: Clip,
    path: Path,
    layout: Layout,
    behind: str | Colour | Path,
    normalization: NormalizeBy | None,
    compare: bool,
    device: Device,
) -> Path:
    from understudy.performing.ensemble import members, perform_together

    cast = members(actors, layout, normalization)
    for member in cast:
        check_room(member.outline.config, behind)
    video = _video_of(driving)
    perform_together(
        cast,
        _driver(driving),
        path,
        layout=layout,
        background=behind,
        driving_video=video,
        sound=_sound_of(video, path),
        compare=comparison_path(path) if compare else None,
        device=device,
    )
    return path


def _perform(
    actor: Actor,
    driving: Performance,
    video: Path | None,
    path: Path,
    behind: str | Colour | Path,
    compare: bool,
    device: Device,
) -> Path:
    from understudy.performing.perform import perform_to_file

    perform_to_file(
        actor,
        driving,
        path,
        background=behind,
        driving_video=video,
        sound=_sound_of(video, path),
        compare=comparison_path(path) if compare else None,
        overlay=normalization_path(path) if compare else None,
        device=device,
    )
    return path


def clone(
    reference: Clip,
    driving: Clip,
    output: StrPath,
    *,
    unpaired: Sequence[Unpaired] = (),
    recipe: Recipe | None = None,
    preset: Preset = "preview",
    max_minutes: float | None = None,
    compare: bool = False,
    background: str = "reference",
    resume: bool = False,
    seed: int = 0,
    normalization: NormalizeBy | None = None,
    consent: str | None = None,
    device: Device = "auto",
) -> Path:
    """The whole way: tracks both clips, trains an actor of the reference, and lets it play the driver.

    The actor stays beside the output, as `NAME.actor`, and can perform other clips without training again.

    Args:
        reference: video or performance of the person.
        driving: video, performance or BVH file of the motion, see `perform`; training learns from its motion as well.
        output: the video to write, see `perform`.
        unpaired: what training learns from besides the driver, see `train`.
        recipe, preset: see `train`.
        max_minutes: stop after this much training, all parts of a resumed run together.
        compare: also write `NAME.compare.mp4`, driving, pose and clone side by side, and `NAME.normalization.png`, the
            driver's skeleton as filmed and as brought to the reference's place.
        background: see `perform`.
        resume: go on with an interrupted run of this output, or start one.
        seed: of everything random.
        normalization: see `train`; the actor keeps it.
        consent: who agreed to be learnt, and to what; None asks at a terminal.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        The path of the video.

    Raises:
        UnderstudyError: as `train` and `perform`.
        Interrupted: Ctrl-C or SIGTERM, with everything saved.

    Example:
        clone("me.mp4", "dance.mp4", "out.mp4", preset="preview", consent="I am the person in me.mp4")
    """
    path = Path(output)
    actor_path = beside(path, ".actor")
    behind = parse_background(background)
    check_video_output(path, behind == "transparent", compare, [reference, driving, behind])
    _check_background(behind)
    chosen, config = _recipe_and_config(recipe, preset)
    others = chosen_unpaired(chosen, config, unpaired)
    check_room(asdict(config), behind)
    _check_limits(max_minutes, None, seed, device)
    _check_normalization(normalization)
    check_actor_output(actor_path, resume, rendered_with=f"understudy perform --actor {actor_path}")
    given = _consent(consent, reference, actor_path, resume)
    size = {} if config.size <= DEFAULT_WORKING_SIZE else {"size": config.size}
    reference_performance, driving_performance = _tracked(reference, **size), _driver(driving, **size)
    _say_coverage(reference_performance, driving_performance)
    actor = train(
        reference_performance,
        actor_path,
        unpaired=[driving_performance, *others],
        recipe=recipe,
        preset=preset,
        resume=resume,
        max_minutes=max_minutes,
        seed=seed,
        normalization=normalization,
        consent=given.text,
        device=device,
    )
    log.info("actor: %s (perform other clips with `understudy perform --actor %s`)", actor_path, actor_path)
    return _perform(actor, driving_performance, _video_of(driving), path, behind, compare, device)


def _recipe_and_config(recipe: str | None, preset: str, ablation: str | None = None) -> tuple[str, Any]:
    if preset not in PRESETS:
        raise UsageError(f"--preset {preset}: there is no such preset; choose one of {', '.join(PRESETS)}")
    if preset == "instant" and recipe not in (None, INSTANT_RECIPE):
        raise UsageError(
            f"--preset instant trains nothing, so it cannot be had with --recipe {recipe}: leave out one of the two"
        )
    chosen = recipe or (INSTANT_RECIPE if preset == "instant" else DEFAULT_RECIPE)
    module = recipe_module(chosen)
    presets = {"instant": module.fast, "preview": module.preview, "fast": module.fast, "paper": module.paper}
    config = presets[preset]()
    if ablation is None:
        return chosen, config
    if not hasattr(module, "rung"):
        raise UsageError(f"--ablation {ablation}: the rungs are those of --recipe poses-in-the-wild, not of {chosen}")
    try:
        return chosen, module.rung(config, ablation)
    except ValueError as error:
        raise UsageError(f"--ablation {ablation}: {error}") from None


def _check_limits(max_minutes: float | None, max_steps: int | None, seed: int, device: Device) -> None:
    from understudy.base.devices import choose_device

    choose_device(device)
    if max_minutes is not None and not 0 < max_minutes < float("inf"):
        raise UsageError(f"--max-minutes must be above 0, not {max_minutes:g}")
    if max_steps is not None and max_steps < 1:
        raise UsageError(f"--max-steps must be at least 1, not {max_steps}")
    if seed < 0:
        raise UsageError(f"--seed must be 0 or above, not {seed}")


def _check_normalization(normalization: str | None) -> None:
    if normalization not in (None, "similarity", "ground"):
        raise UsageError(f"--normalization {normalization}: there is no such one; choose similarity or ground")


def _consent(consent: str | None, reference: Clip, actor: Path, resume: bool) -> Consent:
    """The consent given now, else the one that the run to be resumed was begun with."""
    recorded = run_folder_of(actor) / "consent.json"
    if resume and recorded.is_file():
        stored = read_json(recorded, TrainingError)
        if isinstance(stored, dict) and stored.get("text") and consent in (None, stored["text"]):
            return Consent(str(stored["text"]), str(stored.get("time", "")))
    return obtain_consent(consent, _name(reference))


def _check_background(behind: str | Colour | Path) -> None:
    """A picture or video that cannot be read is better known before hours of training than after."""
    if isinstance(behind, Path):
        from understudy.media.reading import is_image, probe, read_image

        _ = read_image(behind) if is_image(behind) else probe(behind)


def _tracked(clip: Clip, **options: Any) -> Performance:
    from understudy.tracking.track import tracked

    return tracked(clip, **options)


def _driver(clip: Clip, **options: Any) -> Performance:
    from understudy.synthetic.drivers import driver_of

    return driver_of(clip, **options)


def _name(clip: Clip) -> str:
    return Path(clip).name if isinstance(clip, (str, os.PathLike)) else clip.header.source_name


def _video_of(clip: Clip) -> Path | None:
    from understudy.synthetic.bvh import is_bvh

    return Path(clip) if isinstance(clip, (str, os.PathLike)) and Path(clip).is_file() and not is_bvh(clip) else None


def _sound_of(video: Path | None, output: Path) -> Path | None:
    from understudy.media.reading import probe

    if video is None:
        log.info("%s is without sound: only a driving video itself has any", output)
        return None
    return video if probe(video).has_audio else None


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
