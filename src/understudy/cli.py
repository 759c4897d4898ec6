"""The command line: one command per verb, each a thin call of the public function of that name."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Literal, NoReturn

import tyro
from tyro.conf import Positional

from understudy.cli_evaluation import evaluate
from understudy.cli_options import (
    Background,
    Box,
    DeviceName,
    Matte,
    Minutes,
    OptionalPath,
    Paths,
    Preset,
    RecipeName,
    Seconds,
    Smooth,
    Steps,
    Text,
    Texts,
)
from understudy.errors import Interrupted, UnderstudyError, UsageError

# Only what `--help` needs is imported up here: help must come at once, and PyTorch alone takes seconds.

DESCRIPTION = """Film a person for two minutes, and a trained actor of that person performs any dance.

The whole way, in one command:
  understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4

The reference is the person, the driving video is the motion. One actor is one person: train it once, then let it
perform as many driving videos as you like:
  understudy train --reference me.mp4 --output me.actor
  understudy perform --actor me.actor --driving dance.mp4 --output out.mp4

No video at hand? `understudy demo --output demo` does it all with made-up people."""

AMBIGUOUS_WORDS = ("--source", "--target")
IN_OTHER_WORDS = """In other programs {} is sometimes the person and sometimes the motion, so it is not used here.
The person whose looks are learnt is --reference, the motion is --driving; a trained person is --actor."""


def track(
    video: Positional[Path],
    /,
    *,
    output: Path,
    tracker: Literal["mediapipe", "rtmlib"] = "mediapipe",
    landmarks: Literal["body", "wholebody"] = "body",
    poses: OptionalPath = None,
    region: Box = None,
    start: Seconds = None,
    end: Seconds = None,
    matte: Matte = "auto",
    smooth: Smooth = True,
    strict: bool = False,
    tolerate_damage: bool = False,
) -> None:
    """Find the person in every frame of a video; writes a performance.

    The other commands do this by themselves when they are given a video. Track one yourself to choose the part,
    the person or the tracker, or to look at the result (`understudy inspect`) before training.

    For example:
      understudy track me.mp4 --output me.performance
      understudy track party.mp4 --output anna.performance --region 900,100,500,900 --start 5 --end 65

    Args:
        video: The video.
        output: The performance to write, a folder.
        tracker: mediapipe works at once; rtmlib is better, needs the extra understudy[rtmpose], and fetches its
            weights once.
        landmarks: body (with feet), or wholebody: face and hands too, slower.
        poses: Poses you already have, instead of a tracker: a folder or JSON file of OpenPose, or a JSON file of
            COCO-WholeBody.
        region: Where the person is when there are several, in pixels: left, top, width, height.
        start: Seconds into the video.
        end: Seconds into the video.
        matte: How the person is cut out: auto (a network), green (filmed before a green or blue screen), none, or
            a video that is white where the person is.
        smooth: Keep the jitter of the tracker.
        strict: Stop when the video is cut off, instead of using what is there.
        tolerate_damage: Go on over damaged parts of the video, and count them.
    """
    from understudy.tracking.track import track as verb

    performance = verb(
        video,
        output,
        tracker=tracker,
        landmarks=landmarks,
        poses=poses,
        region=region,
        start=start,
        end=end,
        matte=matte,
        smooth=smooth,
        strict=strict,
        tolerate_damage=tolerate_damage,
    )
    header = performance.header
    _result("performance", output, f"{header.frames} frames, the person found in {header.found}")


def train(
    *,
    reference: Path,
    output: Path,
    unpaired: Paths = (),
    recipe: RecipeName = None,
    preset: Preset = "preview",
    resume: bool = False,
    max_minutes: Minutes = None,
    max_steps: Steps = None,
    seed: int = 0,
    consent: Text = None,
    device: DeviceName = "auto",
) -> None:
    """Learn a person from a video; writes an actor.

    Previews, losses and checkpoints appear in the folder OUTPUT.run while it trains. Ctrl-C saves and stops;
    the same command with --resume goes on. A trained actor is never overwritten without --resume.

    For example:
      understudy train --reference me.mp4 --output me.actor --preset preview --max-minutes 10
      understudy train --reference me.mp4 --output me.actor --unpaired dance.mp4 --consent "It is me"

    Args:
        reference: Video or performance of the person.
        output: The actor to write, one file.
        unpaired: Videos or performances whose motion is learnt from too, best the dances it will perform.
        recipe: The method.
        preset: instant: 256x256 within seconds, warped frames instead of training. preview: 128x128, minutes on a
            CPU. fast: 256x256. paper: 256x256, the published schedule.
        resume: Go on with an interrupted run of this output, or start one.
        max_minutes: Stop after this much training, all parts of a resumed run together.
        max_steps: Stop after this many training steps.
        seed: Of everything random.
        consent: Who agreed to be learnt, and to what. Stored in the actor. Asked for when left out.
        device: Where to compute.
    """
    from understudy.verbs import train as verb

    verb(
        reference,
        output,
        unpaired=unpaired,
        recipe=recipe,
        preset=preset,
        resume=resume,
        max_minutes=max_minutes,
        max_steps=max_steps,
        seed=seed,
        consent=consent,
        device=device,
    )
    _result("actor", output, f"perform with: understudy perform --actor {output} --driving VIDEO --output out.mp4")


def perform(
    *,
    actor: Path,
    driving: Path,
    output: Path,
    background: Background = "reference",
    compare: bool = False,
    device: DeviceName = "auto",
) -> None:
    """Let an actor play the motion of a video; writes a video.

    The result has the size of the reference, the rate and the sound of the driving video. An existing output is
    replaced.

    For example:
      understudy perform --actor me.actor --driving dance.mp4 --output out.mp4 --compare
      understudy perform --actor me.actor --driving dance.mp4 --output out.webm --background transparent

    Args:
        actor: The actor, made by train.
        driving: Video or performance of the motion.
        output: The video to write: .mp4, .mov or .mkv. Transparent ones: .webm, .mov, or a name without suffix for
            a folder of PNG files.
        background: Behind the performer: the reference's room, the driver's room, a colour (green, #202030 or
            32,32,48), a picture, a video, or nothing (transparent).
        compare: Also write NAME.compare.mp4: driving, pose and clone side by side.
        device: Where to compute.
    """
    from understudy.verbs import perform as verb

    verb(actor, driving, output, background=background, compare=compare, device=device)
    _video_result(output, compare)


def clone(
    *,
    reference: Path,
    driving: Path,
    output: Path,
    recipe: RecipeName = None,
    preset: Preset = "preview",
    max_minutes: Minutes = None,
    compare: bool = False,
    background: Background = "reference",
    resume: bool = False,
    seed: int = 0,
    consent: Text = None,
    device: DeviceName = "auto",
) -> None:
    """The whole way from two videos to a third: track both, train an actor, perform.

    The actor stays beside the output and can perform other videos without training again.

    For example:
      understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4 --preset instant
      understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4 --max-minutes 60 --compare

    Args:
        reference: Video or performance of the person whose looks are learnt.
        driving: Video or performance of the motion.
        output: The video to write, see `understudy perform --help`.
        recipe: The method.
        preset: instant: 256x256 within seconds, warped frames instead of training. preview: 128x128, minutes on a
            CPU. fast: 256x256. paper: 256x256, the published schedule.
        max_minutes: Stop after this much training, all parts of a resumed run together.
        compare: Also write NAME.compare.mp4: driving, pose and clone side by side.
        background: Behind the performer, see `understudy perform --help`.
        resume: Go on with an interrupted run of this output, or start one.
        seed: Of everything random.
        consent: Who agreed to be learnt, and to what. Stored in the actor. Asked for when left out.
        device: Where to compute.
    """
    from understudy.verbs import clone as verb

    verb(
        reference,
        driving,
        output,
        recipe=recipe,
        preset=preset,
        max_minutes=max_minutes,
        compare=compare,
        background=background,
        resume=resume,
        seed=seed,
        consent=consent,
        device=device,
    )
    _video_result(output, compare)


def coverage(*, reference: Path, driving: Path, output: OptionalPath = None) -> None:
    """Say which of the driver's poses the reference cannot support, and what to film instead.

    Run it before training: an actor can only show limbs in directions that it has seen.

    For example:
      understudy coverage --reference me.mp4 --driving dance.mp4 --output report.html

    Args:
        reference: Video or performance of the person.
        driving: Video or performance of the motion.
        output: A report to write, one HTML file.
    """
    from understudy.retargeting.coverage import coverage as verb

    print(verb(reference, driving, output).summary())
    if output is not None:
        _result("report", output)


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
        from understudy.evaluation.study_results import study_results

        if pairs or videos or real or labels:
            raise UsageError("--results counts votes: it goes with --study and --output only")
        print(study_results(results, study=study, output=output))
        if output is not None:
            _result("results", output)
        return
    from understudy.evaluation.perceptual_study import study as verb

    if output is None:
        raise UsageError("a study needs a folder to be written to: add --output study")
    if study is not None:
        raise UsageError("--study goes with --results: give the files of votes, too")
    made = verb(pairs, videos, output=output, real=real, labels=labels, seconds=seconds, seed=seed)
    _result("study", output, f"{len(made.key.items)} questions")
    print(made)
    print(f"count the votes: understudy study --results votes-*.json --study {output}")


def inspect(thing: Positional[Path], /, *, output: OptionalPath = None) -> None:
    """Show what is in a video, a performance or an actor: numbers and a contact sheet.

    For example:
      understudy inspect me.performance
      understudy inspect me.actor --output sheet.png

    Args:
        thing: The file or folder.
        output: The contact sheet, a PNG file; left out, it is THING.png in this folder.
    """
    from understudy.inspection import inspect as verb

    found = verb(thing, output)
    print(found)
    _result("contact sheet", found.sheet)


def demo(*, output: Path = Path("demo")) -> None:
    """Do all of it with two made-up people, who can be compared with the truth; takes some minutes.

    For example:
      understudy demo --output demo

    Args:
        output: A folder for the results.
    """
    from understudy.demo import demo as verb

    result = verb(output)
    print(result)
    _result("clone", result.clone)
    _result("comparison", result.comparison)
    _result("contact sheet", result.sheet)
    print("\nWith your own videos: understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4")


COMMANDS: dict[str, Callable[..., None]] = {
    "clone": clone,
    "track": track,
    "train": train,
    "perform": perform,
    "coverage": coverage,
    "evaluate": evaluate,
    "study": study,
    "inspect": inspect,
    "demo": demo,
}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs one command and exits: 0 done, 2 bad input (one line on stderr), 130 or 143 interrupted with all saved."""
    words = list(sys.argv[1:] if argv is None else argv)
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    if "--version" in words:
        import understudy

        print(f"understudy {understudy.__version__}")
        return 0
    for word in (word.split("=")[0] for word in words):
        if word in AMBIGUOUS_WORDS:
            print(IN_OTHER_WORDS.format(word), file=sys.stderr)
            return 2
    if words and words[0] not in COMMANDS and not words[0].startswith("-"):
        print(f"error: there is no command {words[0]!r}; use one of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    _say_notes()
    before = _on_terminate(_raise_interrupted)
    try:
        _call(words)
    except UnderstudyError as error:
        print(f"error: {_one_line(error)}", file=sys.stderr)
        return 2
    except Interrupted as interrupted:
        print(_one_line(interrupted), file=sys.stderr)
        return 128 + interrupted.signal
    except KeyboardInterrupt:
        print("stopped; nothing half-finished was left behind", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # the machine's doing: a disk that fails, an input that has gone meanwhile
        named = f"{error.filename}: " if error.filename else ""
        print(f"error: {named}{error.strerror or _one_line(error)}", file=sys.stderr)
        return 2
    finally:
        _on_terminate(before)
    return 0


def _call(words: list[str]) -> None:
    if not words or words[0] in ("-h", "--help"):
        print(_overview())
        return
    tyro.extras.subcommand_cli_from_dict(
        COMMANDS, prog="understudy", args=words, config=(tyro.conf.FlagCreatePairsOff,)
    )


def _overview() -> str:
    summaries = {name: (command.__doc__ or "").splitlines()[0] for name, command in COMMANDS.items()}
    listed = "\n".join(f"  {name:<10} {summary}" for name, summary in summaries.items())
    return f"""{DESCRIPTION}

Commands:
{listed}

`understudy COMMAND --help` explains one of them; `understudy --version` says which version this is."""


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _raise_interrupted(number: int, _: FrameType | None) -> None:
    raise Interrupted("stopped; nothing half-finished was left behind", number)


def _on_terminate(handler: Any) -> Any:
    if handler is None:
        return None
    try:
        return signal.signal(signal.SIGTERM, handler)
    except ValueError:  # not the main thread: whoever called us handles signals
        return None


class _Notes(logging.Handler):
    """Notes for the user, a line each on stderr, and each once: several steps of one command may find the same."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        note = "note: " if record.levelno >= logging.WARNING else ""
        line = note + _one_line(Exception(record.getMessage()))
        if line not in self._said:
            self._said.add(line)
            print(line, file=sys.stderr, flush=True)  # looked up anew: a progress bar puts its own there meanwhile


def _say_notes() -> None:
    logger = logging.getLogger("understudy")
    logger.setLevel(logging.INFO)
    for handler in [handler for handler in logger.handlers if isinstance(handler, _Notes)]:
        logger.removeHandler(handler)  # of a command before, in the same process
    logger.addHandler(_Notes())


def _result(what: str, path: Path, more: str = "") -> None:
    print(f"{what}: {path}" + (f" ({more})" if more else ""))


def _video_result(output: Path, compare: bool) -> None:
    _result("video" if output.suffix else "pictures", output)
    if compare:
        from understudy.verbs import comparison_path

        _result("comparison", comparison_path(output))


if __name__ == "__main__":
    main()
