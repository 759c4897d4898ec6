"""Commands that measure: `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from understudy.cli_options import DeviceName, Minutes, OptionalPath, Paths, Text

RecipeNames = Annotated[
    tuple[str, ...],
    arg(
        metavar="performance-cloning|pix2pix|cyclegan|nearest-neighbour|limb-warp ...",
        help_behavior_hint="(default: all)",
    ),
]
TrainingPreset = Annotated[str, arg(metavar="preview|fast|paper")]


def evaluate(
    *,
    reference: OptionalPath = None,
    output: Path = Path("evaluation"),
    recipes: RecipeNames = ("performance-cloning", "pix2pix", "cyclegan", "nearest-neighbour", "limb-warp"),
    preset: TrainingPreset = "preview",
    max_minutes: Minutes = None,
    actor: OptionalPath = None,
    driving: OptionalPath = None,
    unpaired: Paths = (),
    train_share: float = 2 / 3,
    gap: float = 0.5,
    seed: int = 0,
    consent: Text = None,
    device: DeviceName = "auto",
) -> None:
    """Measure how true clones are, where the truth is known; writes a report.

    With --reference, each recipe learns the first part of the video and plays the rest, whose frames are the truth.
    With --actor and --driving, an actor that is already trained plays a video of its own person that it has not
    seen, filmed by the same camera in the same place. Interrupted, the same command goes on.

    For example:
      understudy evaluate --reference me.mp4 --max-minutes 4 --output report --consent "It is me"
      understudy evaluate --actor me.actor --driving held_out.mp4 --output report

    Args:
        reference: A video of one person, half a minute or more.
        output: The folder to write: index.html, the numbers, the clips and the actors.
        recipes: What to compare.
        preset: preview (128x128), fast or paper (256x256).
        max_minutes: Of training, for each recipe.
        actor: A trained actor, instead of a reference.
        driving: The video that it plays, and that is the truth.
        unpaired: Videos or performances of other people, for the recipes that learn from their motion too; left out,
            a made-up dancer's.
        train_share: How much of the video trains.
        gap: Seconds left out between the two parts.
        seed: Of everything random.
        consent: Who agreed to be learnt, and to what; asked for when left out.
        device: What computes.
    """
    from understudy.evaluation.evaluate import evaluate as verb

    report = verb(
        reference,
        output,
        recipes=recipes,
        preset=preset,
        max_minutes=max_minutes,
        actor=actor,
        driving=driving,
        unpaired=unpaired,
        train_share=train_share,
        gap=gap,
        seed=seed,
        consent=consent,
        device=device,
    )
    print(f"report: {report}")
