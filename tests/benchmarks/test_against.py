"""Against another revision, with a made-up one that answers at once: nothing is installed and nothing is measured."""

import json
import math
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from understudy.base.machine import machine
from understudy.errors import UnderstudyError, UsageError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MACHINE = {"cpu": "a processor", "cores": 2, "gpu": None, "load_before": 0.1}


@pytest.fixture(scope="module")
def against():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import against

        yield against


@pytest.fixture
def faked(against, monkeypatch):
    """No git, no environment; a run takes its numbers from `answers`, one a call, and notes what it was asked for."""
    asked, answers = [], []

    @contextmanager
    def checked_out(commit, folder, scratch, keep):
        yield against.Tree(Path("other"), Path("python"))

    def run_pipeline(tree, arguments, isa, scratch):
        asked.append(("other" if tree.folder == Path("other") else "this", isa))
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return {"machine": MACHINE, "rows": answer, "comparisons": [], "skipped": []}

    for name, stand_in in (("checked_out", checked_out), ("run_pipeline", run_pipeline)):
        monkeypatch.setattr(against, name, stand_in)
    monkeypatch.setattr(against, "commit_of", lambda revision: {"HEAD": "a" * 40}.get(revision, "b" * 40))
    monkeypatch.setattr(against, "git", lambda *arguments: " M src/some.py")
    return asked, answers


def _row(median, case="whole", unit="ms/frame", size=None, memory=100, stage="track"):
    return {"stage": stage, "case": case, "size": size, "unit": unit, "median": median, "peak_memory_mib": memory}


def _run(number, side, *rows, condition="quiet", isa="native"):
    return {"round": number, "condition": condition, "isa": isa, "side": side, "rows": list(rows)}


def test_rows_are_paired_and_ratios_say_how_many_times_as_fast_this_tree_is(against):
    training = {"stage": "train", "case": "both", "unit": "images/s", "size": 64}
    runs = [
        _run(1, "this", _row(20), _row(40, **training)),
        _run(1, "other", _row(30, memory=300), _row(10, **training)),
        _run(2, "other", _row(24, memory=200), _row(30, **training)),
        _run(2, "this", _row(10, memory=120), _row(30, **training)),
    ]
    (track, train), alone = against.compared(runs)
    assert not alone
    assert (track.this, track.other, track.unit, track.rounds) == (15, 27, "ms/frame", 2)  # medians over the rounds
    assert (track.min, track.max) == (1.5, 2.4) and track.ratio == pytest.approx(math.sqrt(1.5 * 2.4))
    assert (track.memory_this_mib, track.memory_other_mib) == (120, 300)
    assert (train.this, train.other, train.size) == (35, 20, 64)
    assert (train.min, train.max) == (1, 4) and train.ratio == pytest.approx(2)  # of images a second more are better


def test_intervals_hold_the_ratio_and_are_the_same_each_time(against):
    def over(ratios):
        runs = [
            _run(i, side, _row(at)) for i, ratio in enumerate(ratios) for side, at in (("this", 1), ("other", ratio))
        ]
        (ratio,), _ = against.compared(runs)
        return ratio

    steady, shaky = over([1.28, 1.30, 1.31, 1.29, 1.30]), over([0.8, 1.9, 1.3, 1.2, 1.4])
    assert 1.27 < steady.low < steady.ratio < steady.high < 1.32
    assert shaky.low < 1 < shaky.ratio < shaky.high, "the rounds do not agree on which is faster"
    assert steady == over([1.28, 1.30, 1.31, 1.29, 1.30])
    alike, once = over([2, 2, 2]), over([1.5])
    assert (alike.low, alike.ratio, alike.high) == pytest.approx((2, 2, 2))
    assert once.ratio == pytest.approx(1.5) and once.low is None and once.high is None


def test_rows_of_one_tree_alone_are_listed_and_not_compared(against):
    runs = [
        _run(1, "this", _row(20), _row(5, "shrunk to 384", stage="decode"), _row(3, "new", size=64)),
        _run(1, "other", _row(20), _row(6, "shrunk to 448", stage="decode"), _row(3, "new", size=128)),
        _run(1, "this", _row(30, "once", unit="ms"), condition="busy"),
        _run(1, "other", _row(30, "once", unit="ms"), condition="quiet"),
    ]
    ratios, alone = against.compared(runs)
    assert [one.case for one in ratios] == ["whole"]
    assert [(one.case, one.size, one.condition, one.only_in) for one in alone] == [
        ("shrunk to 384", None, "quiet", "this"),
        ("new", 64, "quiet", "this"),
        ("shrunk to 448", None, "quiet", "other"),
        ("new", 128, "quiet", "other"),
        ("once", None, "busy", "this"),
        ("once", None, "quiet", "other"),
    ]


def test_a_part_that_one_tree_does_not_have_has_no_ratio(against):
    runs = [_run(1, "this", _row(0.0, memory=None)), _run(1, "other", _row(4.0, memory=None))]
    (part,), _ = against.compared(runs)
    assert part.ratio is part.low is part.max is part.memory_this_mib is None
    assert "n/a" in against._line(part)


def test_trees_take_turns_and_the_record_holds_it_all(against, faked, tmp_path, capsys):
    asked, answers = faked
    for this, other in ((10, 20), (10, 30)):  # round 2 begins with the other
        for _ in against.ISA:
            pair = [[_row(this)], [_row(other), _row(1, "old part")]]
            answers += pair if other == 20 else pair[::-1]
    output = tmp_path / "out.json"
    facts = {"machine": MACHINE, "clip": None}
    against.compare("v1", ["--only", "track"], facts, 2, ["quiet"], ["native", "avx2"], tmp_path, None, output)
    first, second = ["this", "other"], ["other", "this"]
    assert [side for side, _ in asked] == [*first, *first, *second, *second]
    assert [isa for _, isa in asked] == ["native", "native", "avx2", "avx2"] * 2
    record = json.loads(output.read_text())
    assert record["version"] == 1 and record["machine"] == MACHINE
    assert record["revisions"] == {
        "this": {"commit": "a" * 40, "dirty": True},
        "other": {"name": "v1", "commit": "b" * 40},
    }
    assert record["isa"]["avx2"] == {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    assert len(record["runs"]) == 8 and all(run["rows"] for run in record["runs"])
    assert record["machines"] == {"this": MACHINE, "other": MACHINE}
    assert [one["ratio"] for one in record["ratios"]] == pytest.approx([math.sqrt(6)] * 2)
    assert {(one["case"], one["only_in"]) for one in record["only_in_one"]} == {("old part", "other")}
    printed = capsys.readouterr().out
    assert "round 1 of 2, quiet, native: this tree in 0 s; about 0 s left" in printed
    assert "aaaaaaaaaaaa, with changes" in printed and "a processor, 2 cores" in printed
    assert "2.45x" in printed and "2.00 .. 3.00" in printed and "only in other track old part" in printed


def test_what_was_measured_before_an_interruption_is_kept(against, faked, tmp_path, capsys):
    _, answers = faked
    answers += [[_row(10)], [_row(20)], [_row(30)], KeyboardInterrupt()]
    output = tmp_path / "out.json"
    with pytest.raises(KeyboardInterrupt):
        against.compare("v1", [], {"machine": MACHINE}, 5, ["quiet"], ["native"], tmp_path, None, output)
    record = json.loads(output.read_text())
    assert [(run["round"], run["side"]) for run in record["runs"]] == [(1, "this"), (1, "other")]
    assert record["ratios"][0]["ratio"] == pytest.approx(2) and "2.00x" in capsys.readouterr().out


def test_busy_processes_are_started_and_stopped(against):
    with against.busy(2) as processes:
        assert len(processes) == 2 and [process.poll() for process in processes] == [None, None]
    assert all(process.returncode is not None for process in processes)
    with pytest.raises(KeyboardInterrupt), against.busy(1) as processes:
        raise KeyboardInterrupt
    assert processes[0].returncode is not None


def test_busy_processes_end_with_a_benchmark_that_was_killed(against):
    starts = f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r}); from processes import busy; import os, signal\n"
    starts += "with busy(1) as (one,): print(one.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    killed = subprocess.run([sys.executable, "-c", starts], capture_output=True, text=True)
    process = int(killed.stdout)
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        if _is_zombie(process):
            return
        time.sleep(0.02)
    pytest.fail("it still runs")


def _is_zombie(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return False


def test_only_busy_runs_have_busy_company(against, faked, monkeypatch, tmp_path):
    _, answers = faked
    answers += [[_row(1)]] * 4
    started = []

    @contextmanager
    def busy(cores):
        started.append(cores)
        yield []

    monkeypatch.setattr(against, "busy", busy)
    against.compare("v1", [], {"machine": MACHINE}, 1, ["quiet", "busy"], ["native"], tmp_path, None, None)
    assert started == [against.cores()] * 2


def test_a_command_that_fails_says_why_in_one_line(against, tmp_path):
    def failure(code):
        return against.finished([sys.executable, "-S", "-c", code], tmp_path, dict(os.environ))

    assert failure("pass") is None
    assert (
        failure("import sys; sys.exit('advice\\nERROR: no such package\\n[notice] buy more')")
        == "ERROR: no such package"
    )
    assert failure("raise ValueError('odd')") == "ValueError: odd"
    assert failure("import os; os.kill(os.getpid(), 9)") == "ended by SIGKILL"


def test_each_tree_is_given_its_own_modules_and_the_instructions_asked_for(against, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    given = []
    monkeypatch.setattr(against, "finished", lambda command, folder, environment: given.append(environment) or "odd")
    tree = against.Tree(tmp_path / "tree", Path("python"))
    for isa in ("native", "avx2"):
        with pytest.raises(UnderstudyError, match="the benchmark of the other revision failed: odd"):
            against.run_pipeline(tree, [], isa, tmp_path)
    native, avx2 = given
    assert native["PYTHONPATH"] == str(tmp_path / "tree" / "src") and "ATEN_CPU_CAPABILITY" not in native
    assert avx2["ATEN_CPU_CAPABILITY"] == "avx2" and avx2["ONEDNN_MAX_CPU_ISA"] == "AVX2"
    assert avx2["PYTHONPATH"] == os.pathsep.join([str(BENCHMARKS / "avx2"), native["PYTHONPATH"]])


def test_the_record_names_what_holds_pytorch_to_older_instructions(monkeypatch):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    instructions = machine("cpu")["instructions"]
    assert instructions.pop("PyTorch") and instructions == {"ONEDNN_MAX_CPU_ISA": "AVX2"}


@pytest.fixture
def repository(against, monkeypatch, tmp_path):
    """A repository of one commit, with an older one that has no benchmark yet."""
    import revisions

    monkeypatch.setattr(revisions, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def git(*arguments):
        name = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
        subprocess.run(["git", "-C", str(tmp_path), *name, *arguments], check=True, capture_output=True)

    return revisions, git, tmp_path


def test_revisions_that_cannot_be_measured_are_told_in_one_line(repository, monkeypatch):
    revisions, git, folder = repository
    with pytest.raises(UsageError, match="does not lie in a git repository of its own"):
        revisions.commit_of("HEAD")
    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "empty")
    git("tag", "older")
    (folder / "benchmarks").mkdir()
    for name in ("benchmarks/pipeline.py", "constraints.txt"):
        (folder / name).touch()
    git("add", ".")
    git("commit", "--quiet", "--message", "benchmark")
    assert len(revisions.commit_of("HEAD")) == 40
    for unknown in ("nowhere", "--all", "HEAD~5", ""):
        with pytest.raises(UsageError, match=rf"^`--against {unknown}`: no such revision here"):
            revisions.commit_of(unknown)
    with pytest.raises(UsageError, match=r"has no benchmarks/pipeline\.py yet"):
        revisions.commit_of("older")
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(UsageError, match="git, which is not installed"):
        revisions.commit_of("HEAD")


def test_a_revision_is_installed_once_and_removed_unless_kept(repository, monkeypatch):
    revisions, git, folder = repository
    git("init", "--quiet")
    for name, content in (("benchmarks/pipeline.py", ""), ("constraints.txt", ""), ("Makefile", "weights fetch")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    git("add", ".")
    git("commit", "--quiet", "--message", "benchmark")
    steps = []

    def finished(command, at, environment):
        (at / ".venv").mkdir(exist_ok=True)
        steps.append([str(word) for word in command[1:]])
        return "ERROR: no such package" if failing and "pip" in command else None

    monkeypatch.setattr(revisions, "finished", finished)
    commit, work, failing = revisions.commit_of("HEAD"), folder / "work", False
    with revisions.checked_out(commit, work, folder, keep=True) as tree:
        assert (tree.folder / "constraints.txt").exists() and tree.python.is_relative_to(tree.folder)
    assert [step[:2] for step in steps] == [["-m", "venv"], ["-m", "pip"], ["weights", "fetch"]]
    with revisions.checked_out(commit, work, folder, keep=True) as again:
        assert again == tree and len(steps) == 3, "it was installed a second time"
    (tree.folder / ".venv" / ".ready").unlink()  # as an interrupted installation leaves it
    with revisions.checked_out(commit, work, folder, keep=False):
        assert len(steps) == 6
    assert not tree.folder.exists()
    failing = True
    with (
        pytest.raises(UnderstudyError, match="cannot be installed: ERROR: no such package"),
        revisions.checked_out(commit, work, folder, keep=False),
    ):
        pass
    assert not tree.folder.exists() and revisions.git("worktree", "list").count("\n") == 0


def test_the_command_hands_over_what_both_are_to_be_given(against, monkeypatch, tmp_path, capsys):
    import pipeline

    given = []
    monkeypatch.setattr(against, "compare", lambda *arguments: given.append(arguments))
    monkeypatch.setattr(pipeline, "commit_of", lambda revision: "b" * 40)
    only = ["--only", "condition", "--sizes", "64", "--device", "cpu"]
    assert pipeline.main(["--against", "v1", *only, "--isa", "native", "--work", str(tmp_path)]) == 0
    ((revision, arguments, facts, rounds, conditions, isa, _, work, output),) = given
    assert (revision, rounds, conditions, isa, work) == ("v1", against.ROUNDS, ["quiet", "busy"], ["native"], tmp_path)
    assert arguments == ["--device", "cpu", "--seed", "0", "--sizes", "64", "--only", "condition"]
    assert facts["clip"] is None and facts["machine"]["instructions"] and output is None
    for wrong, why in ((["--rounds", "3"], "are for --against"), (["--against", "v1", "--repeats", "2"], "--rounds")):
        with pytest.raises(SystemExit):
            pipeline.main(wrong)
        assert why in capsys.readouterr().err
