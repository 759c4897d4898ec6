"""The command line: help for newcomers, one line for every mistake, and the functions' own defaults."""

import logging
import os
import signal
import subprocess
import sys
import time
from functools import wraps
from pathlib import Path

import numpy as np
import pytest

import understudy
from tiny import tiny_performance
from tiny_actor import tiny_actor
from understudy.cli import main as cli
from understudy.errors import Interrupted, MediaError


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main([str(word) for word in words])
    return 0 if left.value.code is None else int(left.value.code)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one of everything, and the program in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    tiny_performance(tmp_path / "me.performance", 1)
    tiny_performance(tmp_path / "dance.performance", 2)
    tiny_actor().save(tmp_path / "me.actor")
    (tmp_path / "text.mp4").write_text("this is no video")
    (tmp_path / "text.compare.mp4").write_text("this is no video")
    (tmp_path / "folder.compare.mp4").mkdir()
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "damaged.actor").write_bytes((tmp_path / "me.actor").read_bytes()[:-20])
    (tmp_path / "half.performance").mkdir()
    begun = tmp_path / "begun.actor.run" / "checkpoints"
    begun.mkdir(parents=True)
    (begun / "step-00000010.safetensors").write_bytes(b"")
    return tmp_path


MISTAKES = {
    "clone without consent": (
        "clone --reference me.performance --driving dance.performance --output out.mp4",
        "training on me.performance needs the person's consent: add --consent",
    ),
    "train without consent": ("train --reference me.performance --output x.actor", "consent: add --consent"),
    "empty consent": ("train --reference me.performance --output x.actor --consent=", "says nothing"),
    "no such reference": ("train --reference no.mp4 --output x.actor --consent me", "no.mp4"),
    "reference is text": ("train --reference text.mp4 --output x.actor --consent me", "text.mp4"),
    "reference is empty": ("train --reference empty.mp4 --output x.actor --consent me", "empty.mp4"),
    "half performance": ("train --reference half.performance --output x.actor --consent me", "half written"),
    "actor exists": ("train --reference me.performance --output me.actor --consent me", "me.actor exists: train it"),
    "actor without run": (
        "train --reference me.performance --output me.actor --consent me --resume",
        "its run folder me.actor.run is gone",
    ),
    "interrupted before": (
        "train --reference me.performance --output begun.actor --consent me",
        "in begun.actor.run: go on with --resume",
    ),
    "actor named as video": ("train --reference me.performance --output x.mp4 --consent me", "name it x.actor"),
    "actor is a folder": ("train --reference me.performance --output me.performance --consent me", "is a folder"),
    "batch of nobody": (
        "batch --drivings dance.performance --output-folder out",
        "to perform: give --actors, or a job",
    ),
    "batch to nowhere": ("batch --actors me.actor --drivings dance.performance", "add --output-folder out"),
    "batch of one twice": (
        "batch --actors me.actor me.actor --drivings dance.performance --output-folder out",
        "me_by_dance.mp4 would be written twice, of me.actor by dance.performance and of me.actor by dance.performance",
    ),
    "batch with one that is none": (
        "batch --actors me.actor damaged.actor --drivings dance.performance --output-folder out",
        "job 2 (damaged_by_dance.mp4): damaged.actor",
    ),
    "jobs in another language": ("batch jobs.yaml", "jobs.yaml: jobs are read from JSON, not from YAML: write"),
    "no minutes": ("train --reference me.performance --output x.actor --consent me --max-minutes 0", "above 0, not 0"),
    "no steps": ("train --reference me.performance --output x.actor --consent me --max-steps 0", "at least 1, not 0"),
    "negative seed": ("train --reference me.performance --output x.actor --consent me --seed -1", "0 or above, not -1"),
    "no such actor": ("perform --actor no.actor --driving dance.performance --output out.mp4", "there is no actor"),
    "damaged actor": ("perform --actor damaged.actor --driving dance.performance --output out.mp4", "damaged"),
    "performance as actor": (
        "perform --actor me.performance --driving dance.performance --output o.mp4",
        "is a performance, not an actor",
    ),
    "no actor": ("perform --driving dance.performance --output out.mp4", "give --actor NAME.actor, once for each"),
    "one of several is damaged": (
        "perform --actor me.actor --actor damaged.actor --driving dance.performance --output out.mp4",
        "damaged",
    ),
    "overwrites one of several": (
        "perform --actor me.actor --actor text.mp4 --driving dance.performance --output text.mp4",
        "would overwrite",
    ),
    "no such driving": ("perform --actor me.actor --driving no.mp4 --output out.mp4", "no.mp4"),
    "actor as driving": ("perform --actor me.actor --driving me.actor --output out.mp4", "me.actor"),
    "bad suffix": ("perform --actor me.actor --driving dance.performance --output out.gif", "use .mp4, .mov or .mkv"),
    "bad background": (
        "perform --actor me.actor --driving dance.performance --output out.mp4 --background x.png",
        "neither a colour nor an existing file",
    ),
    "background is text": (
        "perform --actor me.actor --driving dance.performance --output out.mp4 --background text.mp4",
        "text.mp4",
    ),
    "background of a clone is text": (
        "clone --reference me.performance --driving dance.performance --output o.mp4 --background text.mp4",
        "text.mp4",
    ),
    "overwrites its input": (
        "clone --reference me.performance --driving text.mp4 --output text.mp4 --consent me",
        "would overwrite",
    ),
    "comparison overwrites an input": (
        "perform --actor me.actor --driving text.compare.mp4 --output text.mp4 --compare",
        "--compare would overwrite text.compare.mp4",
    ),
    "comparison is a folder": (
        "perform --actor me.actor --driving dance.performance --output folder.mp4 --compare",
        "folder.compare.mp4 is a folder",
    ),
    "unknown recipe": (
        "clone --reference me.performance --driving dance.performance --output o.mp4 --recipe magic",
        "--recipe magic: there is no such one; choose one of copy-then-refine, cyclegan, everybody-dance-now, ",
    ),
    "instant of another recipe": (
        "train --reference me.performance --output x.actor --preset instant --recipe pix2pix",
        "--preset instant: pix2pix has no such preset; choose one of preview, fast, paper",
    ),
    "variant of another recipe": (
        "clone --reference me.performance --driving dance.performance --output o.mp4 --variant PL-Stage1",
        "--variant PL-Stage1: Copy, then refine has no such variant; choose one of no prior, no flow, ",
    ),
    "number with another name": (
        "train --reference me.performance --output x.actor --recipe performance-cloning --set augmentation.rotat=5",
        "--set augmentation.rotat: there is no such number; did you mean augmentation.rotate?",
    ),
    "number of another kind": (
        "train --reference me.performance --output x.actor --recipe performance-cloning --set steps=many",
        "--set steps=many: it must be a whole number or none",
    ),
    "number that the default has not": (
        "train --reference me.performance --output x.actor --set optimisation.bach=2",
        "--set optimisation.bach: there is no such number; did you mean optimisation.batch?",
    ),
    "numbers that contradict each other": (
        "clone --reference me.performance --driving dance.performance --output o.mp4 --recipe performance-cloning "
        "--set size=100 --set depth=6",
        "--set size=100, depth=6: size 100 cannot be halved 6 times: use a multiple of 64",
    ),
    "numbers of the default that contradict each other": (
        "clone --reference me.performance --driving dance.performance --output o.mp4 --set side=512 --set size=256",
        "--set side=512, size=256: crop, side and size must rise, not 128, 512, 256",
    ),
    "number without a value": (
        "evaluate --reference text.mp4 --set rotate",
        "--set rotate: write NAME=VALUE, for example optimisation.batch=4",
    ),
    "listing of no recipe": ("recipes magic", "there is no recipe 'magic'; choose one of copy-then-refine, cyclegan, "),
    "no steps for a clone": (
        "clone --reference me.performance --driving dance.performance --output o.mp4 --max-steps 0",
        "--max-steps must be at least 1, not 0",
    ),
    "poses alone": (
        "train --reference me.performance --output x.actor --recipe performance-cloning --unpaired choreography",
        "--unpaired choreography: performance-cloning learns from videos and performances, not from poses alone, "
        "which --recipe poses-in-the-wild takes",
    ),
    "poses alone for the default": (
        "train --reference me.performance --output x.actor --unpaired choreography",
        "--unpaired choreography: copy-then-refine learns from the reference, not from poses alone, "
        "which --recipe poses-in-the-wild takes",
    ),
    "colour": (
        "perform --actor me.actor --driving dance.performance --output out.mp4 --background 1,2,256",
        "--background 1,2,256: each part of r,g,b must be between 0 and 255",
    ),
    "working size": ("track text.mp4 --output x.performance --size 100", "--size must be a multiple of 8 from 32"),
    "gamma": ("coverage --reference me.performance --driving dance.performance --gamma 0", "--gamma must be above 0"),
    "nothing to evaluate": ("evaluate", "give either --reference, to train and compare, or --actor with --driving"),
    "driver of no actor": ("inspect me.performance --driving dance.performance", "--driving shows how an actor places"),
    "clone made before": (
        "clone --reference me.performance --driving dance.performance --output me.mp4 --consent me",
        "understudy perform --actor me.actor",
    ),
    "track no such video": ("track no.mp4 --output x.performance", "no.mp4"),
    "track text": ("track text.mp4 --output x.performance", "text.mp4"),
    "coverage report name": (
        "coverage --reference me.performance --driving dance.performance --output report.pdf",
        "report.html",
    ),
    "inspect nothing": ("inspect nothing", "there is no nothing"),
    "inspect damage": ("inspect damaged.actor", "damaged"),
    "inspect text": ("inspect text.mp4", "text.mp4"),
    "inspect to text": ("inspect me.actor --output sheet.txt", "name it sheet.png"),
    "poses of nothing": ("poses no.json x.json", "there is no no.json"),
    "poses of a video": ("poses text.mp4 x.json", "track it first"),
    "poses over something else": ("poses me.performance me.actor", "the name does not say what to write"),
    "no such command": ("dance", "there is no command 'dance'; use one of clone, track"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_cost_one_line_and_exit_2(here: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    command, message = MISTAKES[name]
    before = sorted(here.rglob("*"))
    assert run(*command.split(" ")) == 2
    printed = capfd.readouterr()
    lines = [line for line in printed.err.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1 and lines[0].startswith("error: ") and message in lines[0], printed.err
    assert not printed.out
    assert [path for path in sorted(here.rglob("*")) if path not in before and path.is_file()] == []


TYPOS = {
    "missing options": ("train", "--reference"),
    "unknown option": ("inspect me.actor --colour", "--colour"),
    "unknown preset": ("train --reference a --output b --preset best", "preview"),
    "minutes in words": ("train --reference a --output b --max-minutes ten", "'ten' is not a number of minutes"),
    "steps in words": ("train --reference a --output b --max-steps 1.5", "'1.5' is not a whole number of steps"),
    "unknown layout": ("perform --actor a --driving b --output c.mp4 --layout circle", "side-by-side"),
    "region": ("track a.mp4 --output b --region 1,2,3", "'1,2,3' is not four whole numbers X,Y,W,H"),
    "rate": ("poses a b --fps many", "'many' is not a number of frames a second"),
    "pose format": ("poses a b --to bvh", "openpose18"),
    "start": ("track a.mp4 --output b --start soon", "'soon' is not a number of seconds"),
}


@pytest.mark.parametrize("name", TYPOS)
def test_typing_errors_are_explained_and_exit_2(capfd: pytest.CaptureFixture[str], name: str) -> None:
    command, message = TYPOS[name]
    assert run(*command.split(" ")) == 2
    printed = capfd.readouterr().err
    assert message in " ".join(printed.replace("│", " ").split()) and len(printed.splitlines()) < 20


@pytest.mark.parametrize("word", ["--source", "--target", "--source=me.mp4"])
def test_old_words_are_translated_in_two_lines(capfd: pytest.CaptureFixture[str], word: str) -> None:
    assert run("clone", word, "me.mp4", "--driving", "dance.mp4") == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2 and word.split("=")[0] in lines[0]
    assert "--reference" in lines[1] and "--driving" in lines[1]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"understudy {understudy.__version__}\n"


def test_public_names() -> None:
    assert set(understudy.__all__) <= set(dir(understudy))
    for name in understudy.__all__:
        assert getattr(understudy, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'dance'"):
        understudy.dance  # noqa: B018


def test_results_are_named_at_the_end(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run("perform", "--actor", "me.actor", "--driving", "dance.performance", "--output", "o/out.mp4", "--compare")
        == 0
    )
    assert capsys.readouterr().out.splitlines() == [
        "video: o/out.mp4",
        "comparison: o/out.compare.mp4",
        "normalization: o/out.normalization.png",
    ]
    assert run("coverage", "--reference", "me.performance", "--driving", "dance.performance") == 0
    assert "of the driver's" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (MediaError("one\n  two"), 2, "error: one two"),
        (FileNotFoundError(2, "No such file or directory", "me.mp4"), 2, "error: me.mp4: No such file or directory"),
        (OSError(5, "Input/output error"), 2, "error: Input/output error"),
        (MemoryError(), 2, f"error: {cli.MEMORY_RAN_OUT}"),
        (OSError(12, "Cannot allocate memory"), 2, f"error: {cli.MEMORY_RAN_OUT}"),
        (BlockingIOError(11, "Resource temporarily unavailable"), 2, f"error: {cli.MEMORY_RAN_OUT}"),
        (ImportError("libx.so: failed to map segment from shared object"), 2, f"error: {cli.MEMORY_RAN_OUT}"),
        (Interrupted("stopped at step 7; saved", signal.SIGTERM), 143, "stopped at step 7; saved"),
        (Interrupted("stopped at step 7; saved", signal.SIGINT), 130, "stopped at step 7; saved"),
        (KeyboardInterrupt(), 130, "stopped; nothing half-finished was left behind"),
    ],
)
def test_exit_codes(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    line: str,
) -> None:
    @wraps(understudy.inspect)
    def failing(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(understudy, "inspect", failing)
    assert run("inspect", "me.actor") == code
    assert capfd.readouterr().err == line + "\n"


def test_unexpected_errors_stay_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    @wraps(understudy.inspect)
    def failing(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(understudy, "inspect", failing)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        cli.main(["inspect", "me.actor"])


def test_notes_are_single_lines(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    logging.getLogger("understudy.media.reading").warning("cut at %.2f s\n(of 3)", 0.47)
    logging.getLogger("understudy.verbs.clone").info("coverage: 3%%")
    cli._say_notes()
    capfd.readouterr()
    for _ in range(2):  # two steps of a command that find the same say it once
        logging.getLogger("understudy.media.reading").warning("cut at %.2f s\n(of 3)", 0.47)
        logging.getLogger("understudy.verbs.clone").info("coverage: 3 percent")
    assert capfd.readouterr().err == "note: cut at 0.47 s (of 3)\ncoverage: 3 percent\n"


def test_terminated_while_performing_leaves_nothing_and_exits_143(here: Path) -> None:
    tiny_performance(here / "long.performance", 3, frames=2500)
    command = "perform --actor me.actor --driving long.performance --output out/out.mp4 --background black"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    program = [sys.executable, "-m", "understudy", *command.split()]
    with subprocess.Popen(program, cwd=here, stderr=subprocess.PIPE, text=True, env=environment) as process:
        deadline = time.monotonic() + 60
        while not list(here.glob("out/.*")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, printed = process.communicate(timeout=60)
    assert process.returncode == 143
    assert printed.splitlines()[-1] == "stopped; nothing half-finished was left behind"
    assert list((here / "out").iterdir()) == []


def test_inspect_shows_numbers_and_a_sheet(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from understudy.media.reading import read_image

    for thing, number in [("me.performance", "found in 12 of 12 frames"), ("me.actor", "I am the person")]:
        assert run("inspect", thing) == 0
        printed = capsys.readouterr().out
        assert number in printed and f"contact sheet: {thing}.png" in printed
        assert np.ptp(read_image(here / f"{thing}.png")) > 100


def test_poses_are_converted_as_asked(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from understudy.poses.formats import read_poses

    assert run("poses", "me.performance", "me.json", "--fps", "5") == 0
    printed = capfd.readouterr()
    assert (
        printed.out == "poses: me.json\n"
        and printed.err == "2 frames of 40x48 at 5 frames a second, a person in 2 of them\n"
    )
    assert run("poses", "me.json", "frames.out", "--to", "openpose18", "--person", "0", "--size", "40x48") == 2
    assert run("poses", "me.json", "frames.out", "--to", "openpose18", "--person", "0") == 0
    assert len(read_poses(here / "frames.out")) == 2


@pytest.mark.parametrize(("given", "seen"), [({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")])
def test_threads_that_wait_sleep_unless_the_user_says_otherwise(given: dict[str, str], seen: str) -> None:
    """In a process of its own, since PyTorch reads it once, when it is loaded."""
    program = (
        "import atexit, os; from understudy.cli.main import main; "
        "atexit.register(lambda: print(os.environ['OMP_WAIT_POLICY'])); main(['--help'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | given
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == seen
