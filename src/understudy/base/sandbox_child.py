"""The child process of `sandbox.py`: gives up what it does not need, then does what it is asked, and tells of it.

What is given up depends on the system, since none offers all of it: what one lacks is left out without a word, and
`SECURITY.md` says which has what. A limit that is set is one for all that this process starts, too.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import math
import os
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from understudy.base.telling import Lines, pass_on_notes
from understudy.errors import UnderstudyError

EVERY_SECONDS = 0.1
"""so often at most it is told how much is done"""

# Numbers of Linux, alike on all of its processors that Python wheels are made for
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
_SIGKILL = 9
_CAPABILITIES, _READ_ANY_FILE = 0x20080522, 1 << 2
"""the version of that call; what root keeps"""

_FILES = 0b1_1111_1111_0011
"""of Landlock's rights: to run, write, remove and make files of any kind; all but to read"""
_TRUNCATE = 1 << 14
_TCP = 0b11
"""to listen and to connect"""
_OUTSIDE = 0b11
"""nameless sockets of, and signals to, processes outside"""


def serve(limits: dict[str, Any]) -> None:
    """Gives up what is not needed, and answers until nothing is asked any more.

    Args:
        limits: the fields of `sandbox.Limits`.
    """
    told = _Told()
    _give_up()
    bounded = False
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            work = getattr(importlib.import_module(asked["module"]), asked["name"])
            if not bounded:
                _bound_memory(limits["memory"])
                bounded = True
            _bound_computing(limits["computing"])
            for item in work(told.advance, *asked["given"]):
                told.say("item", item)
        except UnderstudyError as error:
            told.say("error", [type(error).__name__, str(error)])
        except MemoryError:
            told.say("error", ["MemoryError", ""])
        except OSError as error:
            told.say_system(error)
        except Exception as error:  # noqa: BLE001 - a library that could not have what it asked for says so in many ways
            told.say("error", ["Exception", f"{type(error).__name__}: {error}"])
        else:
            told.say("end", None)


class _Told:
    """What is said of the work and how far it is."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._done, self._said = 0, 0.0
        self._total: int | None = None
        pass_on_notes(lambda note: self.say("note", note))

    def say(self, kind: str, said: Any) -> None:
        if kind != "advance":
            self._say_done()
        self._lines.say({kind: said})

    def say_system(self, error: OSError) -> None:
        file = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
        self.say("system", [error.errno or 0, error.strerror or str(error), file])

    def advance(self, count: int = 1, note: str = "", total: int | None = None, left: float | None = None) -> None:
        """As that of a progress bar; what is to be shown at its end is not passed on."""
        self._done += count
        self._total = total or self._total
        if time.monotonic() - self._said >= EVERY_SECONDS:
            self._say_done()

    def _say_done(self) -> None:
        if self._done or self._total:
            done, total, self._done, self._total = self._done, self._total, 0, None
            self._said = time.monotonic()
            self.say("advance", [done, total])


def _give_up() -> None:
    """Privileges, the network, writing, and surviving its parent, as far as the system lets it."""
    with suppress(ImportError):  # Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform != "linux":
        return
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # where memory runs out, this one goes first
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # Who may make such a namespace right away keeps their rights to files; others need one of users around it.
    if libc.unshare(_CLONE_NEWNET):
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    _give_up_files(libc)
    _give_up_capabilities(libc)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)  # last: a change of namespaces takes it back


def _give_up_files(libc: ctypes.CDLL) -> None:
    """Landlock, with rights that are given up for every file, since none is named that keeps them."""
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return
    files = _FILES | (_TRUNCATE if version >= 3 else 0)
    rights = struct.pack("QQQ", files, _TCP, _OUTSIDE)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = libc.syscall(_LANDLOCK_CREATE_RULESET, rights, ctypes.c_size_t(len(rights)), ctypes.c_uint32(0))
    if rules >= 0:
        libc.syscall(_LANDLOCK_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
        os.close(rules)


def _give_up_capabilities(libc: ctypes.CDLL) -> None:
    """All but to read files, where this process has that: root's, and those that a new namespace of users gives."""
    asked, told = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITIES, 0), 8), ctypes.create_string_buffer(24)
    if not libc.capget(asked, told):
        _, permitted, *_ = struct.unpack("6I", told.raw)
        kept = permitted & _READ_ANY_FILE
        libc.capset(asked, struct.pack("6I", kept, kept, 0, 0, 0, 0))


def _bound_memory(more: int) -> None:
    """So many bytes of data beyond what is loaded (Linux alone counts them)."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        now = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmData:"))
    except (OSError, StopIteration):
        return
    import resource

    _lower(resource.RLIMIT_DATA, now + more, hard=True)


def _bound_computing(seconds: int) -> None:
    """So many seconds of all cores from now on: the system ends the process then. Not on Windows."""
    with suppress(ImportError):
        import resource

        _lower(resource.RLIMIT_CPU, math.ceil(time.process_time()) + seconds, hard=False)


def _lower(which: int, most: int, hard: bool) -> None:
    import resource

    _, highest = resource.getrlimit(which)
    if highest != resource.RLIM_INFINITY:
        most = min(most, highest)
    resource.setrlimit(which, (most, most if hard else highest))
