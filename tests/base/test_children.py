"""Child processes: asked by a line, and how one ended that did not say it."""

import json
import os
import signal
import sys

import pytest

from understudy.base.children import ask, how_it_ended, kill, started
from understudy.base.runs import runs

ECHO = (
    "import json, sys; print(json.dumps([json.loads(sys.stdin.readline()), json.loads(sys.argv[1])[:1]]), flush=True)"
)


def test_a_child_is_asked_by_a_line_and_knows_where_modules_lie():
    child = started(ECHO, dict(os.environ))
    ask(child, {"what": "nothing"})
    told, error = child.communicate(timeout=60)
    assert json.loads(told) == [{"what": "nothing"}, sys.path[:1]] and error is None
    assert child.returncode == 0


def test_one_that_is_gone_is_asked_in_vain_and_without_an_error():
    child = started("", dict(os.environ))
    child.wait(60)
    ask(child, "x" * (1 << 20))
    assert child.stdout is not None and child.stdout.read() == b""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no groups of processes")
def test_all_that_a_child_has_started_is_killed_with_it():
    child = started(
        "import subprocess, sys; one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "print(one.pid, flush=True); one.wait()",
        dict(os.environ),
    )
    assert child.stdout is not None and int(child.stdout.readline()) > 0
    kill(child)
    assert child.wait(60) == -signal.SIGKILL
    assert child.stdout.read() == b""  # which ends when nobody holds the other end: neither does the one it started


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (3, "ended without an answer (exit code 3)"),
        (0, "ended without an answer (exit code 0)"),
        (-15, "was ended by SIGTERM"),
        (-9, "was ended by SIGKILL, as it is when memory runs out"),
        (-40, "was ended by signal 40"),
    ],
)
def test_how_a_child_ended_is_said_in_words(code, said):
    assert how_it_ended(code) == said


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ([], []),
        ([False], []),
        ([True], [(0, 1)]),
        ([False, True, True, False, True], [(1, 3), (4, 5)]),
        ([True, False, True], [(0, 1), (2, 3)]),
    ],
)
def test_runs_are_told_by_their_first_and_what_is_behind_their_last(flags, found):
    assert runs(flags) == found
