"""The parent's end of child processes of ours: a fresh interpreter that is asked by a line of JSON, and tells by lines.

`telling.py` is the child's end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


def started(code: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A child that runs `code`, which finds our `sys.path` as JSON in `sys.argv[1]`. Its stderr leads nowhere.

    It leads a group of its own: Ctrl-C at a terminal is for us, who then end it in order.
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-c", code, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )


def ask(child: subprocess.Popen[bytes], asked: Any) -> None:
    """Sends the line, which JSON can say."""
    assert child.stdin is not None
    with suppress(BrokenPipeError):  # it has died already, which its reader notices
        child.stdin.write(json.dumps(asked).encode() + b"\n")
        child.stdin.flush()


def kill(child: subprocess.Popen[bytes]) -> None:
    """It, and all that it has started: a decoder that was taken over may have had itself copied, to stay."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


def how_it_ended(code: int) -> str:
    """Of a process that has ended without having said how, in words.

    Args:
        code: as `Popen.returncode` has it.

    Example:
        >>> how_it_ended(-9)
        'was ended by SIGKILL, as it is when memory runs out'
    """
    if code >= 0:
        return f"ended without an answer (exit code {code})"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # real-time signals have no names
        name = f"signal {-code}"
    return f"was ended by {name}" + (", as it is when memory runs out" if name == "SIGKILL" else "")
