"""What each command does with what was typed: it calls the public function of its name, and says what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import understudy
from understudy.base.ranks import first
from understudy.base.things import pasted
from understudy.errors import UsageError


def reader_has_gone() -> None:
    """Nobody reads our output any more, as after `| head`: Python's last words go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def clone(asked: dict[str, Any]) -> None:
    understudy.clone(**asked)
    _say_video(asked["output"], asked["compare"])


def track(asked: dict[str, Any]) -> None:
    header = understudy.track(**asked).header
    _say("performance", asked["output"], f"{header.frames} frames, the person found in {header.found}")


def train(asked: dict[str, Any]) -> None:
    understudy.train(**asked)
    next_step = f"understudy perform --actor {pasted(asked['output'])} --driving VIDEO --output out.mp4"
    _say("actor", asked["output"], f"perform with: {next_step}")


def perform(asked: dict[str, Any]) -> None:
    actors, people = asked.pop("actor"), asked.pop("person")
    assigned = asked.pop("assign")
    alone = {name: asked.pop(name) for name in ("model", "consent", "inpainter")}
    if people and assigned:
        raise UsageError("`assign` and `person` are two ways to say who performs: give one of them")
    if people and actors:
        raise UsageError("`actor` and `person` are two ways to say who performs: give one of them")
    if people:
        understudy.reenact(**{**asked, **alone, "person": people})
    elif any(alone.values()):
        given = next(name for name, value in alone.items() if value)
        raise UsageError(f"`{given}` goes with `person`: an actor knows its own")
    else:
        understudy.perform(**{**asked, "actor": actors, "assign": _by_side(assigned)})
    _say_video(asked["output"], asked["compare"], overlay=len(people or actors) == 1)


def _by_side(assigned: Sequence[tuple[str, Path]]) -> dict[str, Path] | None:
    """Who dances whom; None where nobody was assigned."""
    sides = [side for side, _ in assigned]
    for side in sides:
        if sides.count(side) > 1:
            raise UsageError(f"`assign`: {side} is given twice: one actor dances one person")
    return dict(assigned) or None


def live(asked: dict[str, Any]) -> None:
    summary = understudy.live(**asked)
    print(summary)
    if asked["output"] is not None and summary.frames:
        _say("video", asked["output"])


def batch(asked: dict[str, Any]) -> int:
    result = understudy.batch(**asked)
    print(result)
    return result.exit_code


def studio(asked: dict[str, Any]) -> None:
    understudy.studio(**asked)


def export(asked: dict[str, Any]) -> None:
    for one in understudy.export(**asked):
        _say("network", one.path, one.about)
    print("Its pictures are synthetic: say so wherever they are shown. How to feed it: docs/exporting.md")


def train_freestyle(asked: dict[str, Any]) -> None:
    model = understudy.train_freestyle(**asked)
    next_step = f"understudy perform --person PHOTO --model {pasted(model)} --driving VIDEO --output out.mp4"
    _say("model", model, f"perform with: {next_step}")


def coverage(asked: dict[str, Any]) -> None:
    print(understudy.coverage(**asked).summary())
    if asked["output"] is not None:
        _say("report", asked["output"])


def evaluate(asked: dict[str, Any]) -> None:
    _say("report", understudy.evaluate(**asked))


def study(asked: dict[str, Any]) -> None:
    results, study, output = (asked.pop(name) for name in ("results", "study", "output"))
    if results:
        if any(asked[name] for name in ("pairs", "videos", "real", "labels")):
            raise UsageError("`results` counts votes: it goes with `study` and `output` only")
        print(understudy.study_results(results=results, study=study, output=output))
        if output is not None:
            _say("results", output)
        return
    if output is None:
        raise UsageError("a study needs a folder to be written to: add `output=study`")
    if study is not None:
        raise UsageError("`study` goes with `results`: give the files of votes, too")
    made = understudy.study(**asked, output=output)
    _say("study", output, f"{len(made.key.items)} questions")
    print(made)
    print(f"count the votes: understudy study --results votes-*.json --study {pasted(output)}")


def fix(asked: dict[str, Any]) -> None:
    print(understudy.fix(**asked))


def detect(asked: dict[str, Any]) -> None:
    print(understudy.detect(**asked))
    if asked["output"] is not None:
        _say("details", asked["output"])


def verify(asked: dict[str, Any]) -> int:
    found = understudy.verify(**asked)
    try:
        print(found, flush=True)
    except BrokenPipeError:  # what was found has not changed
        reader_has_gone()
    return found.exit_code


def poses(asked: dict[str, Any]) -> None:
    _say("poses", understudy.convert_poses(**asked))


def recipes(asked: dict[str, Any]) -> None:
    print(understudy.list_recipes(**asked))


def licences(asked: dict[str, Any]) -> None:
    print(understudy.licences(**asked))


def forget(asked: dict[str, Any]) -> None:
    print(understudy.forget(**asked))


def weights(asked: dict[str, Any]) -> None:
    print(understudy.weights(**asked))


def inspect(asked: dict[str, Any]) -> None:
    found = understudy.inspect(**asked)
    print(found)
    _say("contact sheet", found.sheet)


def demo(asked: dict[str, Any]) -> None:
    result = understudy.demo(**asked)
    print(result)
    _say("clone", result.clone)
    _say("comparison", result.comparison)
    _say("contact sheet", result.sheet)
    print("\nWith your own videos: understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4")


def _say(what: str, path: Path, more: str = "") -> None:
    """Where something lies that a command has made."""
    if first():
        print(f"{what}: {path}" + (f" ({more})" if more else ""))


def _say_video(output: Path, compare: bool, overlay: bool = True) -> None:
    _say("video" if output.suffix else "pictures", output)
    if compare:
        from understudy.verbs.outputs import comparison_path, normalization_path

        _say("comparison", comparison_path(output))
        if overlay:
            _say("normalization", normalization_path(output))
