"""The child process: what it may not do, what becomes of it when it does, and what it may say."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sandboxed
from understudy import errors
from understudy.base.sandbox import MOST_BYTES, MOST_NOTES, UNTRUE, Limits, NoSandbox, Sandbox, fit, only, place
from understudy.errors import SandboxError, UnderstudyError

LINUX = sys.platform == "linux"
linux = pytest.mark.skipif(not LINUX, reason="what other systems do not offer")
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits and signals")
# Landlock and namespaces are the kernel's to offer: where it does not, docs say so
landlock = pytest.mark.skipif(not sandboxed.landlock(), reason="a kernel without Landlock")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as one:
        yield one


def gone(process: int) -> bool:
    """Soon; a zombie is gone, too."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.05)
    return False


# -- Answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [True, False])
def test_answers_are_the_same_here_and_there(wanted):
    given = [1, 2.5, None, True, "Ä", {"a": [{"b": "two\nlines, \x1b[31mred \u202e"}]}, "\ud800"]
    with place(wanted) as where:
        assert list(where.run(sandboxed.answer, *given)) == [
            1, 2.5, None, True, "Ä", {"a": [{"b": "two lines, \ufffd[31mred \ufffd"}]}, "\ufffd",
        ]  # fmt: skip
        assert isinstance(where, Sandbox if wanted else NoSandbox)


def test_one_child_does_one_piece_of_work_after_the_other(sandbox):
    first, again = (only(sandbox.run(sandboxed.who)) for _ in range(2))
    assert first == again != os.getpid()


@pytest.mark.parametrize("wanted", [True, False])
def test_progress_is_counted(wanted):
    counted, totals = [], []

    def advance(count=1, note="", total=None, left=None):
        counted.append(count)
        totals.append(total)

    with place(wanted) as where:
        assert list(where.run(sandboxed.count, 500, advance=advance)) == list(range(500))
    assert sum(counted) == 500 and [one for one in totals if one] == [500]


def test_notes_are_told_here_and_no_more_than_some(sandbox, caplog):
    caplog.set_level("INFO", "understudy")
    assert only(sandbox.run(sandboxed.note, 2)) == "noted"
    assert caplog.messages == ["note 0 with \ufffd[31mred", "note 1 with \ufffd[31mred", "and this"]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO"]
    with pytest.raises(SandboxError, match=UNTRUE):
        only(sandbox.run(sandboxed.note, MOST_NOTES + 1))


def test_what_is_printed_there_is_no_answer_and_comes_to_no_terminal(sandbox, capfd):
    assert only(sandbox.run(sandboxed.print_much)) == "said"
    assert capfd.readouterr() == ("", "")


KINDS = [
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, UnderstudyError)
]  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "SandboxError"])
def test_errors_are_of_their_kind_and_the_child_goes_on(sandbox, kind):
    before = only(sandbox.run(sandboxed.who))
    answers = sandbox.run(sandboxed.refuse, kind, "no \x1b[31mred, \nand no more")
    assert next(answers) == "before"
    with pytest.raises(UnderstudyError) as caught:
        next(answers)
    assert type(caught.value).__name__ == kind and str(caught.value) == "no \ufffd[31mred, and no more"
    assert only(sandbox.run(sandboxed.who)) == before


def test_errors_of_the_system_keep_what_they_say(sandbox, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        only(sandbox.run(sandboxed.miss, str(tmp_path / "nowhere")))
    assert caught.value.filename == str(tmp_path / "nowhere") and caught.value.strerror == "No such file or directory"


def test_any_other_error_is_one_line_and_the_next_child_is_another(sandbox):
    before = only(sandbox.run(sandboxed.who))
    with pytest.raises(SandboxError) as caught:
        only(sandbox.run(sandboxed.stumble, "a\nb"))
    assert str(caught.value) == r"its decoder failed: KeyError: 'a\nb'"
    assert only(sandbox.run(sandboxed.who)) != before


def test_who_breaks_off_begins_with_another_child(sandbox):
    answers = sandbox.run(sandboxed.count, 10**6)
    assert next(answers) == 0
    assert only(sandbox.run(sandboxed.answer, "new")) == "new"


@pytest.mark.parametrize(("work", "given"), [(sandboxed.nothing, []), (sandboxed.answer, [1, 2])])
def test_one_thing_is_one(sandbox, work, given):
    for where in (sandbox, NoSandbox()):
        with pytest.raises(SandboxError, match=UNTRUE):
            only(where.run(work, *given))


# -- Limits --------------------------------------------------------------------------------------------------------

ENDS = {
    "memory": (Limits(memory=128 << 20), sandboxed.take, [512], "its decoder took more memory than it may"),
    "silence": (Limits(quiet=0.5), sandboxed.hang, [60], "nothing was heard of its decoder for 0.5 s"),
    "clock": (Limits(seconds=0.8), sandboxed.chatter, [60], "its decoder took more than 0.8 s"),
    "computing": (Limits(computing=1), sandboxed.compute, [60], "its decoder computed for more than 1 s"),
    "abort": (Limits(), sandboxed.die, [6], "its decoder was ended by SIGABRT"),
    "crash": (Limits(), sandboxed.die, [11], "its decoder was ended by SIGSEGV"),
    "killed": (Limits(), sandboxed.die, [9], "its decoder was ended by SIGKILL, as it is when memory runs out"),
    "exit": (Limits(), sandboxed.leave, [3], "its decoder ended without an answer (exit code 3)"),
    "exit without a word": (Limits(), sandboxed.leave, [0], "its decoder ended without an answer (exit code 0)"),
}


@posix
@pytest.mark.parametrize("name", [name for name in ENDS if LINUX or name != "memory"])
def test_what_ends_a_child_is_one_line_and_the_next_one_works(name):
    limits, work, given, said = ENDS[name]
    with Sandbox(limits) as sandbox:
        first = only(sandbox.run(sandboxed.who))
        with pytest.raises(SandboxError) as caught:
            list(sandbox.run(work, *given))
        assert str(caught.value) == said
        assert only(sandbox.run(sandboxed.who)) != first
    if LINUX:
        assert gone(first)


@linux
def test_less_than_the_limits_is_allowed():
    with Sandbox(Limits(memory=256 << 20, computing=2)) as sandbox:
        assert only(sandbox.run(sandboxed.take, 128)) == 128
        for _ in range(3):  # each piece of work has its own
            assert only(sandbox.run(sandboxed.compute, 0.9)) == "computed"


@posix
def test_who_closes_the_pipe_and_lives_is_ended(monkeypatch):
    monkeypatch.setattr("understudy.base.sandbox.DYING_SECONDS", 0.2)
    with Sandbox() as sandbox:
        child = only(sandbox.run(sandboxed.who))
        with pytest.raises(SandboxError, match=r"^its decoder ended without an answer$"):
            only(sandbox.run(sandboxed.fall_silent))
    assert not LINUX or gone(child)


@linux
def test_what_a_child_leaves_behind_in_its_group_goes_with_it():
    with Sandbox(Limits(quiet=8)) as sandbox:
        answers = sandbox.run(sandboxed.orphan)
        left = next(answers)
        with pytest.raises(SandboxError):
            next(answers)
        assert gone(left)


@posix
@pytest.mark.parametrize("what", ["write", "append"])
def test_no_file_grows(sandbox, tmp_path, what):
    there = tmp_path / "there"
    there.write_text("here")
    for file in (there, tmp_path / "new"):
        assert only(sandbox.run(sandboxed.attempt, what, str(file)))
    assert there.read_text() == "here" and not ((tmp_path / "new").exists() and (tmp_path / "new").stat().st_size)


@landlock
@pytest.mark.parametrize(
    "what", ["write", "append", "touch", "remove", "empty", "make a folder", "rename", "link", "run"]
)
def test_no_file_is_changed_made_removed_or_run(sandbox, tmp_path, what):
    there = tmp_path / "there"
    there.write_text("here")
    file = tmp_path / "new" if what in ("touch", "make a folder", "link") else there
    assert only(sandbox.run(sandboxed.attempt, what, str(file))) == "PermissionError"
    assert [one.name for one in tmp_path.iterdir()] == ["there"] and there.read_text() == "here"
    assert only(NoSandbox().run(sandboxed.attempt, what, str(file))) == ""  # it would have worked here


@landlock
def test_no_process_outside_is_signalled(sandbox):
    assert only(sandbox.run(sandboxed.attempt, "signal", str(os.getpid()))) in (
        ("PermissionError",) if sandboxed.landlock() >= 6 else ("PermissionError", "")
    )


@pytest.mark.skipif(not sandboxed.networkless() and sandboxed.landlock() < 4, reason="a system that keeps it for root")
@pytest.mark.parametrize("what", ["listen", "connect"])
def test_there_is_no_network(sandbox, what):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        assert only(sandbox.run(sandboxed.attempt, what, port))
        assert only(NoSandbox().run(sandboxed.attempt, what, port)) == ""


@posix
def test_there_are_no_core_files_and_no_new_privileges(sandbox):
    limits = only(sandbox.run(sandboxed.given_up))
    assert limits["core"] == limits["file size"] == [0, 0]
    if LINUX:
        assert limits["no new privileges"] == 1
        assert limits["privileges"] in (0, 1 << 2)  # root may read any file


# -- What it says --------------------------------------------------------------------------------------------------

UNFIT = {
    "no JSON": "rubbish",
    "no table": "[1]",
    "no kind": "{}",
    "two kinds": '{"item": 1, "end": null}',
    "another kind": '{"hello": 1}',
    "NaN": '{"item": [NaN]}',
    "infinite": '{"item": {"a": 1e999}}',
    "nested": "[" * 100_000,
    "nested in an item": '{"item": ' + "[" * 900 + "]" * 900 + "}",
    "no such error": '{"error": ["Exit", "x"]}',
    "no error of ours": '{"error": ["Interrupted", "x"]}',
    "an error that is none": '{"error": ["shown", "x"]}',
    "an error without words": '{"error": ["MediaError", 7]}',
    "errors in plenty": '{"error": "MediaError"}',
    "a number of no error": '{"system": ["2", "x", null]}',
    "no file's error": '{"system": [2, "x", ["y"]]}',
    "backwards": '{"advance": [-1, null]}',
    "no count": '{"advance": [0.5, null]}',
    "no such total": '{"advance": [1, 100000000000000]}',
    "no level": '{"note": ["CRITICAL", "x"]}',
    "no note": '{"note": ["INFO", null]}',
    "not of UTF-8": "\udcff",
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_a_child_should_not_say_ends_it(sandbox, name):
    with pytest.raises(SandboxError, match=f"^{UNTRUE}$"):
        list(sandbox.run(sandboxed.say, UNFIT[name]))
    assert only(sandbox.run(sandboxed.answer, "new")) == "new"


def test_lines_have_an_end(sandbox):
    with pytest.raises(SandboxError, match=r"^its decoder said more than 16 MiB at once$"):
        list(sandbox.run(sandboxed.say_much, (MOST_BYTES >> 20) + 1))


def test_a_child_that_claims_to_be_refused_says_one_line(sandbox):
    with pytest.raises(errors.PoseError) as caught:
        list(sandbox.run(sandboxed.say, r'{"error": ["PoseError", "\u001b]0;x\u0007\n' + "y" * 9000 + '"]}'))
    assert str(caught.value).startswith("\ufffd]0;x\ufffd yyy") and len(str(caught.value)) < 2000


def test_fit_is_what_numbers_and_words_are():
    assert fit({"\x1b": ["\x07", 1, True, None, 0.5]}) == {"\ufffd": ["\ufffd", 1, True, None, 0.5]}
    with pytest.raises(ValueError):
        fit([float("nan")])


# -- Ends ----------------------------------------------------------------------------------------------------------

HANGING = """
import signal
import sandboxed
from understudy.base.sandbox import Sandbox
from understudy.cli import commands, main

def hang(asked):
    with Sandbox() as sandbox:
        for said in sandbox.run(sandboxed.greet_and_hang):
            print(said, flush=True)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
commands.recipes = hang
main.main(["recipes"])
"""


@linux
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)], ids=["C", "TERM", "KILL"]
)
def test_no_child_outlives_its_parent(number, code):
    where = [str(Path(__file__).parents[1]), *sys.path]
    parent = subprocess.Popen(
        [sys.executable, "-c", HANGING],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(where)},
    )
    child = int(parent.stdout.readline())
    parent.send_signal(number)
    _, said = parent.communicate(timeout=30)
    assert parent.returncode == code and gone(child)
    assert said == ("" if number == signal.SIGKILL else "stopped; nothing half-finished was left behind\n")


def test_without_a_python_to_start_it_is_said(monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(errors.UsageError, match="`sandbox=False` does without"), Sandbox():
        pass
