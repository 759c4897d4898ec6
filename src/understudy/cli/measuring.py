"""Commands that measure: `evaluate` against ground truth, `study` by asking people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from understudy.cli.options import ALL_RECIPES, DeviceName, Minutes, OptionalPath, Paths, Text, Texts, say_result
from understudy.errors import UsageError

RecipeNames = Annotated[
    tuple[str, ...], arg(metavar=f"{'|'.join(ALL_RECIPES)} ...", help_behavior_hint="(default: all)")
]
TrainingPreset = Annotated[str, arg(metavar="preview|fast|paper")]


def evaluate(
    *,
    reference: OptionalPath = None,
    output: Path = Path("evaluation"),
    recipes: RecipeNames = ALL_RECIPES,
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
    say_result("report", report)


def study(
    *,
    pairs: Paths = (),
    videos: Paths = (),
    real: Paths = (),
    labels: Texts = (),
    seconds: float = 10.0,
    seed: int = 0,
    results: Paths = (),
    study: OptionalPath = None,
    output: OptionalPath = None,
) -> None:
    """Ask people: makes a page on which judges compare videos, and counts their votes.

    The page needs no server and sends nothing: a judge opens it from disk and gets a file of votes at the end.
    Either "Which looks more real?" of pairs of videos that show the same motion, or "Real or not?" of single ones.

    For example:
      understudy study --pairs ours/1.mp4 pix2pix/1.mp4 ours/2.mp4 pix2pix/2.mp4 --output study
      understudy study --videos clone1.mp4 clone2.mp4 --real film1.mp4 film2.mp4 --output study
      understudy study --results votes-1.json votes-2.json --study study --output results.json

    Args:
        pairs: Videos, each two that follow one another a pair: A1 B1 A2 B2. Both show the same motion.
        videos: Videos to judge one by one.
        real: The recordings among the videos, named again or only here.
        labels: Names of the methods. For pairs: two, of the first and of the second of every pair, or one for each
            video. Else: one for each video that is not real. Left out, the files' names, or their folders' where
            files have the same name.
        seconds: Show at most so much of every video.
        seed: Of the order in which things are named and hidden.
        results: Count votes: the files that the judges sent back.
        study: With --results: the folder of the study, which says whose video is whose.
        output: The folder to write; with --results, a JSON file, which may be left out.
    """
    if results:
        from understudy.judging.results import study_results

        if pairs or videos or real or labels:
            raise UsageError("--results counts votes: it goes with --study and --output only")
        print(study_results(results, study=study, output=output))
        if output is not None:
            say_result("results", output)
        return
    from understudy.judging.page import study as verb

    if output is None:
        raise UsageError("a study needs a folder to be written to: add --output study")
    if study is not None:
        raise UsageError("--study goes with --results: give the files of votes, too")
    made = verb(pairs, videos, output=output, real=real, labels=labels, seconds=seconds, seed=seed)
    say_result("study", output, f"{len(made.key.items)} questions")
    print(made)
    print(f"count the votes: understudy study --results votes-*.json --study {output}")
