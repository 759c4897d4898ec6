"""The verb `train_freestyle`: networks that know people in general, for `reenact`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from understudy.base.arguments import Device, StrPath, check_choice, check_limits, check_seed
from understudy.base.ranks import check_alone
from understudy.errors import TrainingError, UsageError

if TYPE_CHECKING:
    from understudy.performance import Clip

RECIPE_NAME = "freestyle-reenactment"
NetworkPreset = Literal["preview", "fast", "paper"]


def train_freestyle(
    output: StrPath,
    *,
    people: str = "made-up:2000",
    video_data: Sequence[StrPath] = (),
    image_data: Sequence[StrPath] = (),
    reference: Sequence[Clip] = (),
    preset: NetworkPreset = "fast",
    variant: str | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    overwrite: bool = False,
    max_minutes: float | None = None,
    max_steps: int | None = None,
    seed: int = 0,
    consent: str | None = None,
    device: Device = "auto",
) -> Path:
    """Teaches the networks that make photographs dance what people look like; writes a model.

    The model is what `understudy perform --person` takes in place of the one that comes with the program.

    First everybody who is learnt from is made into a file of the folder OUTPUT.run/people, which takes about three
    seconds a made-up person; then the networks are trained one after another: the body in a pose, its picture, its
    face. All of it goes on where it was stopped with `resume=True`.

    Args:
        output: the model to write, one file, usually NAME.freestyle.
        people: "made-up:COUNT", people that nobody is.
        video_data: folders of VIP as it is published, to learn from beside them. Its terms are its own.
        image_data: folders of CIHP or MHPv2 as they are published, likewise.
        reference: videos or performances of real people to learn from beside them.
        preset: "fast": what comes with the program. "preview": 128x80, minutes, to try out. "paper": the paper's
            numbers; weeks without a GPU. It reads faces by a network of VGGFace2 that you bring
            (face_network=vggface2:FILE among the settings; face_embedding=320 does without) and looks by VGG-19,
            fetched once (part_embedding=320 does without).
        variant: for research: the networks without something, as the paper's figures 5 and 6 have it: "painted" (the
            paper's way, nothing is copied), "no squeeze", "no hand labels", "no DensePose", "no DensePose, no hand
            labels", "no face loss".
        settings: numbers of the config to change, each NAME=VALUE.
        resume: go on with an interrupted run of this output, or start one.
        overwrite: begin anew whatever is there.
        max_minutes: stop after this much training, all parts of a resumed run together; making people comes on top.
        max_steps: stop after this many training steps, of all three networks together.
        seed: of everything random.
        consent: who of the clips in `reference` agreed to be learnt from; stored in the model. Left out, it is asked
            for at a terminal. Without clips nobody needs to agree.
        device: where to compute; "auto" takes the fastest there is.

    Returns:
        The path of the model.

    Raises:
        ConsentError: clips were given, and no consent.
        UsageError: `output` exists already, or arguments make no sense.
        TrainingError: training cannot start or go on, or another process trains this output.
        Interrupted: Ctrl-C or SIGTERM, with everything saved.

    Example:
        train_freestyle("mine.freestyle", people="made-up:200", max_minutes=60)

    Shell:
        $ understudy train-freestyle --output mine.freestyle --people made-up:200 --max-minutes 60
        $ understudy train-freestyle --output mine.freestyle --resume
    """
    from understudy.actor import run_folder_of
    from understudy.base.devices import choose_device
    from understudy.base.files import locked
    from understudy.consent import obtain_consent
    from understudy.recipes.freestyle_reenactment import NETWORK_PRESETS, NETWORK_VARIANTS, RECIPE
    from understudy.recipes.parts.freestyle_datasets import gather_dataset
    from understudy.recipes.parts.freestyle_gathering import VIEWS, gather_clip, gather_made_up, made_up_count
    from understudy.recipes.parts.freestyle_model import face_extractor, part_extractor
    from understudy.recipes.parts.freestyle_schedule import trained
    from understudy.recipes.parts.settings import assignments, changed
    from understudy.tracking.track import tracked
    from understudy.training.session import Session

    check_alone("train-freestyle")
    path = Path(output)
    check_choice("preset", preset, get_args(NetworkPreset))
    config = NETWORK_PRESETS[preset]()
    if variant is not None:
        check_choice("variant", variant, tuple(NETWORK_VARIANTS))
        config = NETWORK_VARIANTS[variant](config)
    config = changed(config, assignments(settings))
    count = made_up_count(people)
    data = [Path(one) for one in (*video_data, *image_data)]
    if not count and not reference and not data:
        raise UsageError("there is nobody to learn from: give `people='made-up:COUNT'`, or clips as `reference`")
    choose_device(device)
    check_limits(max_minutes, max_steps)
    check_seed(seed)
    _check_output(path, resume, overwrite)
    face_extractor(config), part_extractor(config)  # known to be at hand before hours are spent on making people
    agreed = obtain_consent(consent, ", ".join(_name(one) for one in reference)) if reference else None
    clips = [tracked(one, size=config.size, landmarks=RECIPE.landmarks) for one in reference]
    folder = run_folder_of(path)
    with locked(folder, TrainingError):
        files = gather_made_up(folder / "people", count, config.size_hw)
        for one in data:
            files += gather_dataset(folder / "people", one, config.size_hw)
        for clip in clips:
            files += gather_clip(folder / "people", clip, config.size_hw)
        session = Session(
            RECIPE_NAME,
            config,
            None,
            [],
            folder,
            seed=seed,
            resume=resume,
            max_minutes=max_minutes,
            max_steps=max_steps,
            device=device,
        )
        model = trained(session, files, VIEWS, _seen(count, [one.resolve().name for one in data], len(clips)))
        if agreed is not None:
            model = replace(model, record={**model.record, "consent": asdict(agreed)})
        model.save(path)
    return path


def _check_output(path: Path, resume: bool, overwrite: bool) -> None:
    from understudy.actor import run_folder_of
    from understudy.base.files import check_name

    check_name(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file for the model, for example {path.name or 'my'}.freestyle")
    if overwrite and resume:
        raise UsageError("`overwrite` begins anew and `resume` goes on: give one of them")
    begun = any(run_folder_of(path).glob("*/checkpoints/step-*"))
    if (path.exists() or begun) and not (resume or overwrite):
        what = path if path.exists() else f"an unfinished training of {path}"
        raise UsageError(
            f"{what} is there: train it further with `resume=True`, replace it with `overwrite=True`, or choose "
            "another `output`"
        )


def _name(clip: Clip) -> str:
    return Path(clip).name if isinstance(clip, str | os.PathLike) else clip.header.source_name


def _seen(count: int, data: Sequence[str], clips: int) -> str:
    """A line for whoever uses the model."""
    parts = [f"{count} made-up people"] if count else []
    parts += [f"the people of {name}" for name in data]
    parts += [f"{clips} clip{'s' if clips > 1 else ''} of real ones"] if clips else []
    parts += [] if data or clips else ["no real ones"]
    return " and ".join(parts)
