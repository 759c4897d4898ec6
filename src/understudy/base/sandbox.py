"""Files that others sent are decoded in a child process with limits: what a broken decoder does there stays there.

The child (`sandbox_child.py`) is a fresh interpreter: a fork of a process that has threads may hang. It is sent JSON
and answers JSON, of which every word is checked here, for a child that was taken over may say anything. Nothing that it
says is ever run, no traceback of its is printed, and its own stderr leads nowhere.
"""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeAlias

from understudy import errors
from understudy.base.folders import cache_folder, weights_folder
from understudy.base.progress import Advance
from understudy.base.stored import number, whole, word
from understudy.base.telling import LEVELS
from understudy.errors import SandboxError, UnderstudyError, UsageError
from understudy.texts import shortened, shown

log = logging.getLogger(__name__)

Answers: TypeAlias = Generator[Any, None, None]
Work: TypeAlias = Callable[..., Iterator[Any]]
"""A generator function at the top of a module: takes an `Advance` and what JSON can say, yields the same"""

MEMORY = 4 << 30
"""bytes that a child may ask for beyond what it has loaded: frames of 8192x8192 pixels, of which several wait"""
QUIET_SECONDS = 300.0
"""without a word of the child, after which it hangs; the hash of a manifest reads a file of 30 GB in so long"""
SECONDS = 3600.0
"""for one piece of work, by the clock"""
COMPUTING_SECONDS = 4 * 3600
"""for one piece of work, of all cores together"""
MOST_BYTES = 16 << 20
"""of one line that a child says; the largest there is are two squares of 1024x1024 pixels"""
MOST_NOTES = 100
"""that a piece of work may leave"""
DYING_SECONDS = 5.0
"""by the clock, from its last word to its end"""
MOST_COUNT = 10**9
"""units that a child may say it has done, or is to do"""
UNTRUE = "its decoder said what it should not"
_NOTHING = object()
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from understudy.base.sandbox_child import serve; serve(json.loads(sys.argv[2]))"
)
"""what the child runs; it is kept from the current folder and from all that Python's own variables name, and is told
where modules lie instead"""


@dataclass(frozen=True)
class Limits:
    """Of one child; those in seconds for each piece of work."""

    memory: int = MEMORY
    """bytes of data beyond what is loaded (Linux)"""
    computing: int = COMPUTING_SECONDS
    """seconds of all cores together (not on Windows)"""
    seconds: float = SECONDS
    """by the clock"""
    quiet: float = QUIET_SECONDS
    """seconds by the clock without a word"""


class Place(Protocol):
    """Where work is done: in a child, or in this process. To be used as a `with` block."""

    def __enter__(self) -> Place: ...

    def __exit__(self, *_: object) -> None: ...

    def run(self, work: Work, *given: Any, advance: Advance = ...) -> Answers:
        """What `work(advance, *given)` yields, with every text as `shown` has it; `given` is what JSON can say.

        Raises:
            SandboxError: the child met its limits, died, or said what it should not. The next piece of work has
                another child.
            UnderstudyError, OSError: as the work raised it.
        """


def _uncounted(count: int = 1, note: str = "", total: int | None = None, left: float | None = None) -> None:
    pass


class NoSandbox:
    """Does the work in this process, with the same answers."""

    def __enter__(self) -> NoSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, work: Work, *given: Any, advance: Advance = _uncounted) -> Answers:
        for item in work(advance, *given):
            yield fit(json.loads(json.dumps(item)))


class Sandbox:
    """A child for one piece of work after the other, started anew when it has died; gone when the block ends.

    For one thread at a time, which must live as long as the block does.

    Example:
        with Sandbox() as sandbox:
            for found in sandbox.run(work, "given.mp4"):
                print(found)
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._child: subprocess.Popen[bytes] | None = None
        self._busy = False
        self._watch: _Watch | None = None

    def __enter__(self) -> Sandbox:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(self, work: Work, *given: Any, advance: Advance = _uncounted) -> Answers:
        """See `Place`. The work begins at once; the clocks run while an answer is waited for."""
        if self._busy or self._child is None or self._child.poll() is not None:
            self._end()
            self._start()
        assert self._child is not None and self._child.stdin is not None
        asked = {"module": work.__module__, "name": work.__qualname__, "given": given}
        self._busy = True
        with suppress(BrokenPipeError):  # it has died; why is told to whoever waits for the answer
            self._child.stdin.write(json.dumps(asked).encode() + b"\n")
            self._child.stdin.flush()
        return self._answers(advance)

    def _start(self) -> None:
        if not sys.executable:
            raise UsageError(
                "there is no Python that could be started for the child process: `sandbox=False` does without"
            )
        self._busy = False
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", _START, json.dumps(sys.path), json.dumps(asdict(self.limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"UNDERSTUDY_OFFLINE": "1"} | _folders(),
            start_new_session=True,
        )
        self._watch = _Watch(self._child)

    def _answers(self, advance: Advance) -> Answers:
        ends, notes = time.monotonic() + self.limits.seconds, 0
        while True:
            kind, said = self._heard(ends)
            try:
                if kind == "item":
                    item = fit(said)
                elif kind == "advance":
                    count, total = said
                    advance(whole(count, most=MOST_COUNT), total=None if total is None else whole(total, 1, MOST_COUNT))
                    continue
                elif kind == "note" and notes < MOST_NOTES:
                    level, text = said
                    log.log(LEVELS[word(level)], "%s", shortened(shown(word(text))))
                    notes += 1
                    continue
                elif kind == "end":
                    self._busy = False
                    return
                elif kind in ("error", "system"):
                    error = _error_of(kind, said)
                else:
                    raise ValueError(kind)
            except (ValueError, TypeError, KeyError, RecursionError):
                raise self._failed(UNTRUE) from None
            if kind == "item":
                yield item
                continue
            if isinstance(error, SandboxError):
                raise self._failed(str(error)) from None
            self._busy = False
            raise error from None

    def _heard(self, ends: float) -> tuple[str, Any]:
        """The next message: its kind and what it says, both of which may be anything."""
        assert self._child is not None and self._child.stdout is not None and self._watch is not None
        now = time.monotonic()
        late, why = min(
            (now + self.limits.quiet, f"nothing was heard of its decoder for {self.limits.quiet:g} s"),
            (ends, f"its decoder took more than {self.limits.seconds:g} s"),
        )
        with self._watch.until(late):
            line = self._child.stdout.readline(MOST_BYTES + 1)
        if self._watch.ended:
            raise self._failed(why)
        if not line:
            raise self._failed(self._why_it_died())
        if len(line) > MOST_BYTES:
            raise self._failed(f"its decoder said more than {MOST_BYTES >> 20} MiB at once")
        try:
            ((kind, said),) = json.loads(line, parse_constant=_no_number).items()
        except (ValueError, AttributeError, RecursionError):
            raise self._failed(UNTRUE) from None
        return kind, said

    def _why_it_died(self) -> str:
        assert self._child is not None
        try:
            code = self._child.wait(DYING_SECONDS)
        except subprocess.TimeoutExpired:  # it has closed the pipe, and lives
            return "its decoder ended without an answer"
        if code >= 0:
            return f"its decoder ended without an answer (exit code {code})"
        name = _name_of(-code)
        if name == "SIGXCPU":
            return f"its decoder computed for more than {self.limits.computing} s"
        return f"its decoder was ended by {name}" + (", as it is when memory runs out" if name == "SIGKILL" else "")

    def _failed(self, why: str) -> SandboxError:
        self._end()
        return SandboxError(why)

    def _end(self) -> None:
        """No child stays, and nothing that it started."""
        child, self._child = self._child, None
        watch, self._watch = self._watch, None
        if child is None:
            return
        _kill(child)
        if watch is not None:
            watch.stop()
        for stream in (child.stdin, child.stdout):
            with suppress(OSError):  # of what was not sent any more
                if stream is not None:
                    stream.close()
        child.wait()


def place(sandbox: bool, limits: Limits | None = None) -> Place:
    """A child, or this process."""
    return Sandbox(limits) if sandbox else NoSandbox()


def only(answers: Answers) -> Any:
    """The one thing that a piece of work yields.

    Raises:
        SandboxError: it is none, or more than one; and what `Place.run` raises.
    """
    with closing(answers):
        item = next(answers, _NOTHING)
        if item is _NOTHING or next(answers, _NOTHING) is not _NOTHING:
            raise SandboxError(UNTRUE)
    return item


def fit(said: Any) -> Any:
    """What was said, with every text on one line and without what would steer a terminal.

    Raises:
        ValueError: there is a number that is none.
    """
    if isinstance(said, str):
        return shown(said)
    if isinstance(said, list):
        return [fit(one) for one in said]
    if isinstance(said, dict):
        return {shown(name): fit(one) for name, one in said.items()}
    return said if said is None or isinstance(said, bool | int) else number(said)


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _error_of(kind: str, said: Any) -> Exception:
    """The error that a child tells of.

    Raises:
        ValueError, TypeError, KeyError: there is no such one.
    """
    if kind == "system":
        code, text, file = said
        return OSError(
            whole(code, most=MOST_COUNT),
            shortened(shown(word(text))),
            None if file is None else shortened(shown(word(file))),
        )
    name, text = map(word, said)
    if name == "MemoryError":
        return SandboxError("its decoder took more memory than it may")
    if name == "Exception":
        return SandboxError(f"its decoder failed: {text}")
    family = vars(errors)[name]
    if not (isinstance(family, type) and issubclass(family, UnderstudyError)):
        raise ValueError(name)
    return family(text)


def _folders() -> dict[str, str]:
    """Where this process has what it fetched: the child may be nobody, who has no home to look for it in."""
    try:
        return {
            "UNDERSTUDY_CACHE": str(cache_folder().absolute()),
            "UNDERSTUDY_WEIGHTS": str(weights_folder().absolute()),
        }
    except (RuntimeError, OSError):  # no home here either, or the current folder is gone
        return {}


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names
        return f"signal {number}"


def _kill(child: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # it leads its group, in which others may be left
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


class _Watch:
    """Kills a child that is waited for too long: reading from a pipe has no time limit that holds everywhere.

    What it is told goes through a `SimpleQueue`, whose steps Ctrl-C does not break in two (see `threads.py`).
    """

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self.ended = False
        """whether it was killed"""
        self._child = child
        self._told: SimpleQueue[float | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name="sandbox-watch")
        self._thread.start()

    @contextmanager
    def until(self, late: float) -> Iterator[None]:
        """A block that may last until then, as `time.monotonic` counts."""
        self._told.put(late)
        try:
            yield
        finally:
            self._told.put(math.inf)

    def stop(self) -> None:
        self._told.put(None)
        self._thread.join()

    def _run(self) -> None:
        late: float | None = math.inf
        while late is not None:
            try:
                late = self._told.get(timeout=None if late == math.inf else max(0.0, late - time.monotonic()))
            except Empty:
                self.ended = True
                _kill(self._child)
                return
