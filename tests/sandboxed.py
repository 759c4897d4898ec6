"""Harmless pieces of work for the sandbox: each does or says one thing, most of them one that it may not."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from understudy import errors
from understudy.marks import told

log = logging.getLogger("understudy.tests")


def landlock() -> int:
    """The version of Landlock that this system has; 0 without."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, libc.syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def networkless() -> bool:
    """Whether this system lets a process have a network of its own, which is none."""
    if sys.platform != "linux":
        return False
    asked = "import ctypes, sys; one = ctypes.CDLL(None).unshare; sys.exit(one(0x40000000) and one(0x50000000))"
    return subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def answer(advance, *given: Any) -> Iterator[Any]:
    yield from given


def who(advance) -> Iterator[Any]:
    yield os.getpid()


def greet_and_hang(advance) -> Iterator[Any]:
    yield os.getpid()
    time.sleep(60)


def given_up(advance) -> Iterator[Any]:
    import resource

    told = {
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "file size": resource.getrlimit(resource.RLIMIT_FSIZE),
    }
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text().splitlines()
        state = dict(line.split(":", 1) for line in lines)
        told["no new privileges"] = int(state["NoNewPrivs"])
        told["privileges"] = int(state["CapEff"], 16) | int(state["CapPrm"], 16)
    yield told


def count(advance, number: int) -> Iterator[Any]:
    advance(0, total=number)
    for one in range(number):
        advance()
        yield one


def note(advance, number: int) -> Iterator[Any]:
    for one in range(number):
        log.warning("note %d with \x1b[31mred", one)
    log.info("and this")
    yield "noted"


def refuse(advance, kind: str, text: str) -> Iterator[Any]:
    yield "before"
    raise getattr(errors, kind)(text)


def miss(advance, path: str) -> Iterator[Any]:
    yield Path(path).read_bytes().hex()


def stumble(advance, text: str) -> Iterator[Any]:
    yield {}[text]


def take(advance, mib: int) -> Iterator[Any]:
    held = [b"x" * (1 << 20) for _ in range(mib)]
    yield len(held)


def hang(advance, seconds: float) -> Iterator[Any]:
    time.sleep(seconds)
    yield "awake"


def chatter(advance, seconds: float) -> Iterator[Any]:
    """Never quiet, never done."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        advance()
        time.sleep(0.02)
    yield "done"


def compute(advance, seconds: float) -> Iterator[Any]:
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        pass
    yield "computed"


def die(advance, number: int) -> Iterator[Any]:
    os.kill(os.getpid(), number)
    time.sleep(10)
    yield "alive"


def leave(advance, code: int) -> Iterator[Any]:
    os._exit(code)
    yield


def fall_silent(advance) -> Iterator[Any]:
    """Closes the pipe, and lives."""
    for descriptor in range(3, 64):
        with suppress(OSError):
            os.close(descriptor)
    time.sleep(60)
    yield


def orphan(advance) -> Iterator[Any]:
    """Starts a process of the same group, says its number, and dies."""
    child = os.fork()
    if not child:
        time.sleep(60)
        os._exit(0)
    yield child
    os.kill(os.getpid(), signal.SIGSEGV)


def attempt(advance, what: str, path: str) -> Iterator[Any]:
    """The class of the error that it ends in; empty where it works."""
    try:
        _ATTEMPTS[what](path)
    except OSError as error:
        yield type(error).__name__
    else:
        yield ""


def _listen(_: str) -> None:
    with socket.create_server(("127.0.0.1", 0)):
        pass


def _connect(port: str) -> None:
    socket.create_connection(("127.0.0.1", int(port)), 5).close()


def _append(path: str) -> None:
    with open(path, "ab") as stream:
        stream.write(b"more")


_ATTEMPTS = {
    "write": lambda path: Path(path).write_bytes(b"written"),
    "append": _append,
    "touch": lambda path: Path(path).touch(),
    "remove": lambda path: Path(path).unlink(),
    "empty": lambda path: os.truncate(path, 0),
    "make a folder": lambda path: Path(path).mkdir(),
    "link": lambda path: os.symlink("there", path),
    "rename": lambda path: os.rename(path, path + "2"),
    "run": lambda _: subprocess.run([sys.executable, "-c", ""], check=True),
    "signal": lambda number: os.kill(int(number), 0),
    "listen": _listen,
    "connect": _connect,
}


def say(advance, line: str) -> Iterator[Any]:
    """That line instead of an answer, as one who has taken over the child could."""
    os.write(_pipe(advance), line.encode("utf-8", "surrogatepass") + b"\n")
    yield from ()


def say_much(advance, mib: int) -> Iterator[Any]:
    for _ in range(mib):
        _write_all(_pipe(advance), b"9" * (1 << 20))
    yield from ()


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _pipe(advance: Any) -> int:
    return advance.__self__._lines._pipe.fileno()


def print_much(advance) -> Iterator[Any]:
    """On stdout and stderr, from Python and from below it."""
    print(json.dumps({"item": "printed"}), flush=True)
    os.write(1, b'{"item": "printed"}\n')
    os.write(2, b"\x1b[31mred\n")
    yield "said"


def nothing(advance) -> Iterator[Any]:
    yield from ()


# -- Instead of understudy's own reading of marks -------------------------------------------------------------------


def read(advance, path: str) -> Iterator[Any]:
    """What a file called "dies", "hangs", "lies" or "steers" makes of its decoder; others are read as ever."""
    name = Path(path).stem
    if name == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    if name == "hangs":
        time.sleep(60)
    if name == "lies":
        yield {"metadata": 7, "manifest": None, "damage": None, "elsewhere": False}
    elif name == "twice":
        yield from [{}, {}]
    elif name == "steers":
        yield {"metadata": "a\x1b[31mb\nc", "manifest": None, "damage": None, "elsewhere": False}
    else:
        yield from told.read(advance, path)


def sought(advance, paths: list[str]) -> Iterator[Any]:
    yield {"sought": False, "found": None}


def die_seeking(advance, paths: list[str]) -> Iterator[Any]:
    os.kill(os.getpid(), signal.SIGABRT)
    yield


def seek(advance, paths: list[str]) -> Iterator[Any]:
    """Dies at a picture called "breaks"; one called "together" makes it die where there are others."""
    _break_at([path for path in paths if Path(path).stem == "breaks"])
    _break_at([path for path in paths if Path(path).stem == "together"])
    yield from told.sought(advance, paths)


def decode(advance, path: str) -> Iterator[Any]:
    _break_at([path] if Path(path).stem == "breaks" else [])
    yield from told.decoded(advance, path)


def _break_at(paths: list[str]) -> None:
    if paths:
        os.kill(os.getpid(), signal.SIGSEGV)


def seen(advance, *_: Any) -> Iterator[Any]:
    """Squares of another size than was asked for."""
    yield [0.0, "AAAA"]


def die_at(advance, *_: Any) -> Iterator[Any]:
    os.kill(os.getpid(), signal.SIGSEGV)
    yield


def twice(advance, *_: Any) -> Iterator[Any]:
    yield from ([0, "once", 1], [0, "again", 1])
