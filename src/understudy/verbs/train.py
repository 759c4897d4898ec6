"""The verb `train`: a person out of a video."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from understudy.base.arguments import Device, NormalizeBy, Preset, Region, Rotation, StrPath
from understudy.errors import TrainingError
from understudy.verbs.checks import CheckedTraining, checked_training

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.consent import Consent
    from understudy.performance import Clip, Performance
    from understudy.unpaired.chosen import Unpaired


def train(
    reference: Clip,
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
    reference_start: float | None = None,
    reference_end: float | None = None,
    reference_rotate: Rotation = 0,
    reference_region: Region | None = None,
    reference_poses: StrPath | None = None,
    reference_matte: StrPath = "auto",
    reference_tolerate_damage: bool = False,
    consent: str | None = None,
    device: Device = "auto",
) -> Actor:
    """Learns the person of a video; writes an actor.

    Videos are tracked first, and remembered. Previews, losses and checkpoints appear in the folder OUTPUT.run, which
    stays: Ctrl-C saves and stops, and training goes on from there with `resume=True`. Nothing else takes the place of a
    trained actor, unless `overwrite=True` says so.

    Args:
        reference: video or performance of the person whose looks are learnt.
        output: the actor to write, one file, usually NAME.actor.
        unpaired: videos or performances of other people, whose motion (not looks) is learnt from as well, if the
            recipe does that; best are the dances that will be performed. "performance-cloning" learns from them.
            "poses-in-the-wild" learns from poses alone, so it also takes JSON of OpenPose, ComfyUI or COCO-WholeBody,
            folders full of any of these, and the word "choreography", or choreography:COUNT, for made-up dances, which
            it takes where nothing is given. The default recipe learns from the reference alone.
        recipe: the method; left out, "copy-then-refine". The papers' are "performance-cloning", "everybody-dance-now"
            and "poses-in-the-wild"; `understudy recipes` lists all.
        preset: "instant": 512x512 within seconds, nothing is trained. "preview": minutes on a CPU. "fast": longer,
            and larger. "paper": all the paper's numbers, at its size; of a recipe without a paper the largest picture
            and the longest training. Sizes differ by recipe: `understudy recipes NAME` says them.
        resume: go on with an interrupted run of this output, or start one.
        overwrite: begin anew whatever is there; the actor that was there is kept once, as NAME.before.actor.
        max_minutes: stop after this much training, all parts of a resumed run together.
        max_steps: stop after this many training steps.
        memory_gb: gigabytes (of 10^9 bytes) that the frames which are learnt from may take of the machine's memory, and
            of a GPU's; left out, half of what is free. What does not fit lies on the disk of OUTPUT.run meanwhile: the
            actor is the same, to the bit.
        seed: of everything random.
        normalization: how the actor brings drivers to the reference's place: "similarity" (one scale and place for
            the clip) or "ground" (for every frame by the feet, for dancers who come closer and go away); left out, as
            the recipe does.
        variant: for research: the method without something, as its paper's ablation has it; `understudy recipes` lists
            the variants of each recipe.
        config: a config of a recipe, for example `everybody_dance_now.fast()`, in place of recipe, preset and variant.
        settings: numbers of the recipe's config to change, each NAME=VALUE, for example optimisation.batch=4;
            `understudy recipes NAME` lists them all.
        reference_start: of the reference clip, if it is a video: as `start` for `track`.
        reference_end: of the reference clip, if it is a video: as `end` for `track`.
        reference_rotate: of the reference clip, if it is a video: as `rotate` for `track`.
        reference_region: of the reference clip, if it is a video: as `region` for `track`.
        reference_poses: of the reference clip, if it is a video: as `poses` for `track`.
        reference_matte: of the reference clip, if it is a video: as `matte` for `track`.
        reference_tolerate_damage: of the reference clip, if it is a video: as `tolerate_damage` for `track`.
        consent: who agreed to be learnt, and to what; stored in the actor. Left out, it is asked for at a terminal.
        device: where to compute; "auto" takes the fastest there is.

    Returns:
        The actor, as it was written.

    Raises:
        ConsentError: no consent was given.
        UsageError: `output` exists already, or arguments make no sense.
        TrainingError: training cannot start or go on, or another process trains this output.
        Interrupted: Ctrl-C or SIGTERM, with everything saved.

    Example:
        actor = train("me.mp4", "me.actor", preset="preview", consent="I am the person in me.mp4")

    Shell:
        $ understudy train --reference me.mp4 --output me.actor --preset preview --max-minutes 10
        $ understudy train --reference me.mp4 --output me.actor --recipe performance-cloning --unpaired dance.mp4
        $ understudy train --reference me.mp4 --output me.actor --recipe everybody-dance-now --set optimisation.batch=2
    """
    from understudy.consent import Consent
    from understudy.covering.oddities import say_oddities
    from understudy.synthetic.drivers import part_of
    from understudy.tracking.track import tracked
    from understudy.training import together

    together.join()
    part = part_of(
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
    training = checked_training(
        output,
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
    )
    together.wait()  # before one of several writes what the others would find in the output's place
    given = Consent(**together.of_first(lambda: asdict(training.agreed(consent, reference))))
    person = together.in_turns(lambda: tracked(reference, **training.tracking, **part))
    say_oddities("reference", person)
    training.say_if_coarse(person)
    return carried_out(training, person, given)


def carried_out(
    training: CheckedTraining, reference: Performance, consent: Consent, also: Sequence[Performance] = ()
) -> Actor:
    """Trains what was checked, and writes the actor.

    Args:
        also: further clips, learnt from before those of the training if the recipe learns from others.

    Raises:
        TrainingError, Interrupted: as `train`.
    """
    from understudy.actor import Actor, run_folder_of
    from understudy.base.files import locked, write_json
    from understudy.base.ranks import first
    from understudy.recipes import recipe
    from understudy.training import together
    from understudy.training.session import Session
    from understudy.unpaired.chosen import read_unpaired
    from understudy.verbs.outputs import set_aside

    learnt_too = also if training.learns_from else []
    learnt_from = [*learnt_too, *training.unpaired]
    others = together.in_turns(lambda: read_unpaired(training.learns_from, learnt_from, **training.tracking))
    run_folder = run_folder_of(training.output)
    with locked(run_folder, TrainingError) if first() else nullcontext():
        if first():
            # again: another process may have trained it while this one tracked
            training.check_output()
            if training.overwrite:
                set_aside(training.output)
            write_json(run_folder / "consent.json", asdict(consent))
        session = Session(
            training.recipe,
            training.config,
            reference,
            others,
            run_folder,
            seed=training.seed,
            resume=training.resume,
            max_minutes=training.max_minutes,
            max_steps=training.max_steps,
            memory_gb=training.memory_gb,
            device=training.device,
        )
        trained = recipe(training.recipe).learn(session)
        actor = Actor.of(trained, reference, training.recipe, training.preset, consent)
        actor = actor.normalizing_by(training.normalization)
        if first():
            actor.save(training.output)
        together.wait()
    return actor
