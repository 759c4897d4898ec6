"""What a user can get wrong about a training or a performance, looked at before hours of work.

Each check stands here once: `train` and `perform` make theirs, and `clone` makes both before it tracks anything.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from understudy.base.arguments import (
    Device,
    Fit,
    Label,
    MissingLimbs,
    NormalizeBy,
    Preset,
    StrPath,
    check_choice,
    check_limits,
    check_memory,
    check_seed,
)
from understudy.errors import TrainingError, UsageError

if TYPE_CHECKING:
    from understudy.compositing.backgrounds import Background
    from understudy.consent import Consent
    from understudy.marks.signing import Signing
    from understudy.performance import Clip, Performance
    from understudy.unpaired.chosen import Others, Unpaired

DEFAULT_RECIPE = "copy-then-refine"
WORKING_SIZE = 256
"""pixels: what clips are tracked at, unless the recipe paints larger frames"""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckedTraining:
    """A training that may begin once the person has agreed."""

    output: Path
    unpaired: list[Unpaired]
    recipe: str
    preset: Preset
    config: Any
    learns_from: Others | None
    """what of other people it learns from, see `Recipe.learns_from`"""
    paints_room: bool
    resume: bool
    overwrite: bool
    max_minutes: float | None
    max_steps: int | None
    memory_gb: float | None
    seed: int
    normalization: NormalizeBy | None
    device: Device
    use: str
    """the command that would use an actor that is there already"""

    @property
    def tracking(self) -> dict[str, Any]:
        """Options of `tracked` for the clips that are learnt from."""
        from understudy.recipes import recipe

        size = {} if self.config.size <= WORKING_SIZE else {"size": self.config.size}
        landmarks = recipe(self.recipe).landmarks
        return size if landmarks == "body" else {**size, "landmarks": landmarks}

    @property
    def tracking_drivers(self) -> dict[str, Any]:
        """The same for a driver, of which no more than the poses is taken unless it is learnt from."""
        options = self.tracking
        return options if self.learns_from else {name: one for name, one in options.items() if name != "size"}

    def say_if_coarse(self, reference: Performance) -> None:
        """That the reference was tracked smaller than need be, or without hands that are played by, in a line."""
        from understudy.conditioning.bent_hands import shows_fingers
        from understudy.recipes import recipe

        header = reference.header
        size, filmed = header.size_hw[0], header.size_hw[0] / header.crop.scale
        plays_fingers = recipe(self.recipe).landmarks == "wholebody"
        fingers = " --landmarks wholebody" if plays_fingers or header.landmarks == "wholebody" else ""
        if size < min(self.config.size, filmed):
            log.warning(
                "the reference was tracked at %d pixels, of which %d are made here: for a sharper person track it "
                "again with `--size %d%s`, and give that",
                size, self.config.size, self.config.size, fingers,
            )  # fmt: skip
        elif plays_fingers and header.landmarks == "body" and not shows_fingers(reference.poses):
            log.info("the reference was tracked without fingers: `track` it with `%s` for livelier hands", fingers[1:])

    def check_output(self) -> None:
        """Raises UsageError: something is there that would be lost."""
        from understudy.verbs.outputs import check_actor_output

        check_actor_output(
            self.output,
            self.recipe,
            self.config,
            resume=self.resume,
            overwrite=self.overwrite,
            rendered_with=self.use,
        )

    def agreed(self, consent: str | None, reference: Clip) -> Consent:
        """The consent given now, else the one that the run to be resumed was begun with; asked for at a terminal.

        Raises:
            ConsentError: nobody agreed.
        """
        from understudy.actor import run_folder_of
        from understudy.base.files import read_json
        from understudy.consent import Consent, obtain_consent

        recorded = run_folder_of(self.output) / "consent.json"
        if self.resume and recorded.is_file():
            stored = read_json(recorded, TrainingError)
            if isinstance(stored, dict) and stored.get("text") and consent in (None, stored["text"]):
                return Consent(str(stored["text"]), str(stored.get("time", "")))
        named = Path(reference).name if isinstance(reference, str | os.PathLike) else reference.header.source_name
        return obtain_consent(consent, named)


def checked_training(
    output: StrPath,
    *,
    unpaired: Sequence[Unpaired],
    recipe: str | None,
    preset: Preset,
    resume: bool,
    overwrite: bool,
    max_minutes: float | None,
    max_steps: int | None,
    memory_gb: float | None,
    seed: int,
    normalization: NormalizeBy | None,
    variant: str | None,
    config: Any,
    settings: Sequence[str],
    device: Device,
    use: str = "",
) -> CheckedTraining:
    """Everything that `train` is asked, but for the reference and its consent.

    Args:
        use: the command that would use an actor that is there already.

    Raises:
        UsageError: arguments that make no sense, or an output that would be lost.
    """
    from understudy.base.devices import choose_device
    from understudy.recipes import recipe as find
    from understudy.unpaired.chosen import chosen_unpaired

    chosen, config = _recipe_and_config(recipe, preset, variant, config, settings)
    method = find(chosen)
    learns_from = method.learns_from(config)
    choose_device(device)
    check_limits(max_minutes, max_steps)
    check_memory(memory_gb)
    check_seed(seed)
    check_normalization(normalization)
    checked = CheckedTraining(
        output=Path(output),
        unpaired=chosen_unpaired(chosen, learns_from, unpaired),
        recipe=chosen,
        preset=preset,
        config=config,
        learns_from=learns_from,
        paints_room=method.paints_room(config),
        resume=resume,
        overwrite=overwrite,
        max_minutes=max_minutes,
        max_steps=max_steps,
        memory_gb=memory_gb,
        seed=seed,
        normalization=normalization,
        device=device,
        use=use,
    )
    checked.check_output()
    return checked


def _recipe_and_config(
    recipe: str | None, preset: str, variant: str | None, config: Any, settings: Sequence[str]
) -> tuple[str, Any]:
    from understudy.recipes import name_of
    from understudy.recipes import recipe as find
    from understudy.recipes.parts.settings import assignments, changed

    changes = assignments(settings)
    if config is not None:
        if recipe is not None or variant is not None:
            raise UsageError("`config` says which recipe and variant it is: leave out `recipe` and `variant`")
        return name_of(config), changed(config, changes)
    check_choice("preset", preset, get_args(Preset))
    chosen = recipe or DEFAULT_RECIPE
    return chosen, changed(find(chosen).preset(preset, variant), changes)


@dataclass(frozen=True)
class CheckedVideo:
    """A video that may be written: where, before what, and whether a comparison goes beside it."""

    output: Path
    background: Background
    compare: bool
    fit: Fit
    missing_limbs: MissingLimbs
    signing: Signing | None
    """with what its marks are signed; None leaves them out"""
    label: Label
    device: Device

    @property
    def comparison(self) -> Path | None:
        from understudy.verbs.outputs import comparison_path

        return comparison_path(self.output) if self.compare else None

    @property
    def overlay(self) -> Path | None:
        from understudy.verbs.outputs import normalization_path

        return normalization_path(self.output) if self.compare else None


def checked_video(
    output: StrPath,
    background: StrPath,
    compare: bool,
    fit: Fit,
    missing_limbs: MissingLimbs,
    marks: bool,
    sign_cert: StrPath | None,
    sign_key: StrPath | None,
    label: Label,
    device: Device,
    inputs: Sequence[object],
) -> CheckedVideo:
    """What `perform` writes, and nothing of `inputs` is lost by it.

    Raises:
        UsageError: an output that cannot be, no such background or device, or no key to sign with.
        MediaError: the background's picture or video cannot be read.
    """
    from understudy.base.devices import choose_device
    from understudy.compositing.backgrounds import Background
    from understudy.marks.marking import checked_signing
    from understudy.marks.opting_out import opt_out
    from understudy.verbs.outputs import check_place_beside, check_video_output

    path, behind = Path(output), Background.of(background)
    check_video_output(path, behind.transparent, compare, [*inputs, behind.what, sign_cert, sign_key])
    check_choice("fit", fit, get_args(Fit))
    check_choice("missing_limbs", missing_limbs, get_args(MissingLimbs))
    check_choice("label", label, get_args(Label))
    choose_device(device)
    signing = None
    if marks:
        signing = checked_signing(sign_cert, sign_key)
        check_place_beside(path)
    elif sign_cert is None and sign_key is None:
        opt_out()
    else:
        raise UsageError("`sign_cert` and `sign_key` sign marks, which `marks=False` leaves out: give either")
    return CheckedVideo(path, behind, compare, fit, missing_limbs, signing, label, device)


def check_normalization(normalization: str | None) -> None:
    """A way of bringing drivers to the reference's place, or None for the actor's own.

    Raises:
        UsageError: another word.
    """
    if normalization is not None:
        check_choice("normalization", normalization, get_args(NormalizeBy))
