"""What a child process gives up before it looks at files that others sent: privileges, the network, and writing.

What is given up depends on the system, since none offers all of it: what one lacks is left out without a word, and
`SECURITY.md` says which has what. A limit that is set is one for all that this process starts, too.
"""

from __future__ import annotations

import ctypes
import math
import os
import struct
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

# Numbers of Linux, alike on all of its processors that Python wheels are made for
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1
_SIGKILL = 9
_CAPABILITIES, _READ_ANY_FILE, _WRITE_ANY_FILE = 0x20080522, 1 << 2, 1 << 1
"""the version of that call; what root keeps"""

_FILES = 0b1_1111_1111_0011
"""of Landlock's rights: to run, write, remove and make files of any kind; all but to read"""
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_RUN, _DEVICES = 1, (1 << 6) | (1 << 11)
"""of the same rights: what is not given back anywhere"""
_TCP = 0b11
"""to listen and to connect"""
_OUTSIDE = 0b11
"""nameless sockets of, and signals to, processes outside"""


def give_up(writable: Sequence[Path] = ()) -> None:
    """Privileges, the network, writing, and surviving its parent, as far as the system lets it.

    Args:
        writable: folders in which files may still be made, changed and removed.
    """
    with suppress(ImportError):  # Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not writable:
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
    _give_up_files(libc, writable)
    _give_up_capabilities(libc, bool(writable))
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)  # last: a change of namespaces takes it back


def _give_up_files(libc: ctypes.CDLL, writable: Sequence[Path]) -> None:
    """Landlock: rights are given up for every file, but for those beneath the folders that are named."""
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return
    files = _FILES | (_REFER if version >= 2 and writable else 0) | (_TRUNCATE if version >= 3 else 0)
    rights = struct.pack("QQQ", files, _TCP, _OUTSIDE)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = libc.syscall(_LANDLOCK_CREATE_RULESET, rights, ctypes.c_size_t(len(rights)), ctypes.c_uint32(0))
    if rules < 0:
        return
    for folder in writable:
        beneath = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        rule = struct.pack("=Qi", files & ~(_RUN | _DEVICES), beneath)
        libc.syscall(_LANDLOCK_ADD_RULE, ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
        os.close(beneath)
    libc.syscall(_LANDLOCK_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    os.close(rules)


def _give_up_capabilities(libc: ctypes.CDLL, writes: bool) -> None:
    """All but to read files, where this process has that: root's, and those that a new namespace of users gives."""
    asked, told = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITIES, 0), 8), ctypes.create_string_buffer(24)
    if not libc.capget(asked, told):
        _, permitted, *_ = struct.unpack("6I", told.raw)
        kept = permitted & (_READ_ANY_FILE | (_WRITE_ANY_FILE if writes else 0))
        libc.capset(asked, struct.pack("6I", kept, kept, 0, 0, 0, 0))


def bound_memory(more: int) -> None:
    """So many bytes of data beyond what is loaded (Linux alone counts them)."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        now = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmData:"))
    except (OSError, StopIteration):
        return
    import resource

    _lower(resource.RLIMIT_DATA, now + more, hard=True)


def bound_computing(seconds: int) -> None:
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
