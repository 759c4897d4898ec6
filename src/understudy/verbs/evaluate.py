"""The verb `evaluate`: how true are clones, where the truth is known?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.base.arguments import (
    Device,
    Rotation,
    StrPath,
    TrainingPreset,
    check_limits,
    check_rotation,
    check_seed,
)
from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.performance import Clip


def evaluate(
    reference: StrPath | None = None,
    output: StrPath = "evaluation",
    *,
    recipes: Sequence[str] | None = None,
    preset: TrainingPreset = "preview",
    max_minutes: float | None = None,
    actor: Actor | StrPath | None = None,
    driving: StrPath | None = None,
    unpaired: Sequence[Clip] = (),
    train_share: float = 2 / 3,
    gap: float = 0.5,
    rotate: Rotation = 0,
    seed: int = 0,
    settings: Sequence[str] = (),
    consent: str | None = None,
    device: Device = "auto",
) -> Path:
    """Measures how true clones are, where the truth is known; writes a report.

    With `reference`, each recipe learns the first part of the video and plays the rest, whose frames are the truth
    (self-reenactment, Aberman et al. 2018, section 5.2). With `actor` and `driving`, an actor that is already trained
    plays a video of its own person that it has not seen. Interrupted, the same call goes on. Generated clips, and those
    in the report, bear the marks of performances; the true ones none.

    Args:
        reference: video of one person; half a minute or more says something.
        output: the folder to write: index.html, the numbers (results.json), the clips and the actors.
        recipes: what to compare; left out, everything.
        preset: "preview" (128x128; copy-then-refine 512x512), "fast" (256x256; 768x768), or "paper": all the numbers of
            the papers, at 256x256 or 512x512 (1024x1024). All are compared at the size of the largest.
        max_minutes: of training, for each recipe.
        actor: a trained actor, instead of a reference.
        driving: a video of the actor's own person, by the same camera in the same place, not used in training.
        unpaired: videos or performances of other people, for the recipes that learn from their motion too; left out,
            a made-up dancer's.
        train_share: how much of the video trains.
        gap: seconds left out between the two parts.
        rotate: degrees clockwise by which the video is turned first, be it the reference or the driving one.
        seed: of everything random.
        settings: numbers of every recipe's config to change, each NAME=VALUE, for example augmentation.rotate=0;
            `understudy recipes NAME` lists them all.
        consent: who agreed to be learnt, and to what; left out, it is asked for at a terminal.
        device: where to compute; "auto" takes the fastest there is.

    Returns:
        The path of the report.

    Raises:
        UsageError: arguments that contradict each other, a clip that is too short, or no key to sign clips with.
        UnderstudyError: as `track`, `train` and `perform`.
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.

    Example:
        evaluate("me.mp4", "report", max_minutes=4, consent="I am the person in me.mp4")

    Shell:
        $ understudy evaluate --reference me.mp4 --max-minutes 4 --output report --consent "It is me"
        $ understudy evaluate --actor me.actor --driving held_out.mp4 --output report
    """
    from understudy.base.devices import choose_device
    from understudy.base.files import locked
    from understudy.consent import obtain_consent
    from understudy.evaluation.evaluate import contenders_of, of_actor, report, self_reenacted
    from understudy.marks.marking import checked_signing

    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"`output` {folder} is a file: name a folder")
    if (reference is None) == (actor is None):
        raise UsageError("give either `reference`, to train and compare, or `actor` with `driving`")
    if (actor is None) != (driving is None):
        raise UsageError(
            "`actor` and `driving` belong together: an actor, and a clip of its person that it has not seen"
        )
    check_limits(max_minutes)
    check_seed(seed)
    check_rotation("rotate", rotate)
    chosen = choose_device(device)
    checked_signing()  # of the clips
    contenders = contenders_of(recipes, preset, by_the_clock=max_minutes is not None, settings=settings)
    with locked(folder, UsageError):
        if reference is None:
            assert actor is not None and driving is not None
            test, told = of_actor(actor, Path(driving), folder, rotate, device)
            return report(folder, f"How true is {told['actor']}?", [test], told, chosen.type)
        video = Path(reference)
        given = obtain_consent(consent, video.name)
        test = self_reenacted(
            video, folder, contenders, given, unpaired, train_share, gap, seed, max_minutes, rotate, device
        )
        asked: dict[str, Any] = {
            "reference": video.name,
            "preset": preset,
            "max_minutes": max_minutes,
            "train_share": train_share,
            "gap_seconds": gap,
            "seed": seed,
        }
        if rotate:
            asked["rotate"] = rotate
        if settings:
            asked["settings"] = list(settings)
        return report(folder, f"How true are clones of {video.name}?", [test], asked, chosen.type)
