"""The command line: one command for each public function, read from its signature; errors as one line."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

from understudy.base.machine import says_memory_ran_out
from understudy.base.ranks import check_alone, first, ranks
from understudy.cli import commands
from understudy.cli.reading import COMMANDS, command
from understudy.cli.wording import help_of, in_shell_words, overview
from understudy.errors import Interrupted, Told, UnderstudyError
from understudy.texts import shown

HELP = ("-h", "--help")
AMBIGUOUS_WORDS = ("--source", "--target")
MEMORY_RAN_OUT = "memory ran out: close other programs, or give it less at once (a smaller picture, a shorter clip)"
WITHOUT_DOCSTRINGS = (
    "error: Python leaves out docstrings (-OO, or PYTHONOPTIMIZE=2), from which commands and their help are read: "
    "start it without, or with -O"
)
IN_OTHER_WORDS = """In other programs {} is sometimes the person and sometimes the motion, so it is not used here.
The person whose looks are learnt is --reference, the motion is --driving; a trained person is --actor."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs one command and exits: 0 done, 2 bad input (one line on stderr), 130 or 143 interrupted with all saved.

    A command that answers a question, or does many things, may exit with more: see `verify` and `batch`.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    _say_somewhere()
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    if "--version" in words:
        import understudy

        print(f"understudy {understudy.__version__}")
        return 0
    if sys.flags.optimize > 1:
        print(WITHOUT_DOCSTRINGS, file=sys.stderr)
        return 2
    for word in (word.split("=")[0] for word in words):
        if word in AMBIGUOUS_WORDS:
            print(IN_OTHER_WORDS.format(word), file=sys.stderr)
            return 2
    if words and words[0] not in (*COMMANDS, *HELP):
        print(f"error: there is no command {words[0]!r}; use one of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    _say_notes()
    _let_waiting_threads_sleep()
    before = _on_terminate(_raise_interrupted)
    try:
        return _call(words)
    except UnderstudyError as error:
        _say_error(error)
        return 2
    except Interrupted as interrupted:
        if first():
            print(_one_line(interrupted), file=sys.stderr)
        return 128 + interrupted.signal
    except KeyboardInterrupt:
        print("stopped; nothing half-finished was left behind", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        commands.reader_has_gone()
        return 0
    except OSError as error:  # the machine's doing: a disk that fails, an input that has gone meanwhile
        named = f"{error.filename}: " if error.filename else ""
        _say_error(MEMORY_RAN_OUT if says_memory_ran_out(error) else f"{named}{error.strerror or _one_line(error)}")
        return 2
    except Exception as error:
        if not says_memory_ran_out(error):
            raise
        _say_error(MEMORY_RAN_OUT)
        return 2
    finally:
        _on_terminate(before)


def _say_somewhere() -> None:
    """Output that was closed goes nowhere, and letters that a terminal does not know are written in numbers."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for as long as the program runs
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _let_waiting_threads_sleep() -> None:
    """Before PyTorch is loaded, which reads this once; who has set it, knows better.

    Its threads otherwise spin while they wait for each other. Where another program holds one of the cores, most of the
    time is then spent on spinning (`benchmarks/training_steps.py` compares both).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def _call(words: list[str]) -> int:
    if not words or words[0] in HELP:
        print(overview())
        return 0
    asked = command(words[0])
    if any(word in HELP for word in words):
        print(help_of(asked))
        return 0
    from understudy.cli.parsing import values

    if ranks() == 1:
        read = values(asked, words[1:])
    else:
        from understudy.training import together

        together.join()
        if asked.name != "train":
            check_alone(asked.name)
        if first():  # what cannot be read is told in a box, which one alone shows
            read = values(asked, words[1:])
        together.wait()
        if not first():
            read = values(asked, words[1:])
    return getattr(commands, asked.name.replace("-", "_"))(read) or 0


def _say_error(error: object) -> None:
    """On stderr, where several processes meet the same one: once."""
    line = f"error: {_one_line(error)}"
    if ranks() > 1:
        from understudy.training.together import say_once

        if not isinstance(error, Told):
            say_once(line, lambda said: print(said, file=sys.stderr, flush=True))
        return
    print(line, file=sys.stderr)


def _one_line(said: object) -> str:
    """An error or a note, in the shell's words."""
    return in_shell_words(shown(str(said)))


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
        if not first() and record.levelno < logging.ERROR:
            return
        note = "note: " if record.levelno >= logging.WARNING else ""
        line = note + _one_line(record.getMessage())
        if line not in self._said:
            self._said.add(line)
            print(line, file=sys.stderr, flush=True)  # looked up anew: a progress bar puts its own there meanwhile


def _say_notes() -> None:
    logger = logging.getLogger("understudy")
    logger.setLevel(logging.INFO)
    for handler in [handler for handler in logger.handlers if isinstance(handler, _Notes)]:
        logger.removeHandler(handler)  # of a command before, in the same process
    logger.addHandler(_Notes())


if __name__ == "__main__":
    main()
