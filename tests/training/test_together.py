"""Several processes on this machine's own address: they train as one would, and end together."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tiny import tiny_performance
from training_together import EQUAL, STEPS

TESTS = Path(__file__).parents[1]
SCRIPT = TESTS / "training_together.py"
SECONDS = 60
"""after which nothing waits any longer"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def environment(**more):
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent / "src"), os.environ.get("PYTHONPATH", "")])
    here = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    return {**os.environ, **here, **{name: str(value) for name, value in more.items()}}


def ended(processes):
    """Exit codes and what was said on stderr; nothing is left running."""
    processes = list(processes)  # all of them before the first is waited for
    try:
        said = [process.communicate(timeout=SECONDS)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [process.returncode for process in processes], said


def start(words, **more):
    return subprocess.Popen(
        [sys.executable, *map(str, words)], env=environment(**more), stderr=subprocess.PIPE, text=True
    )


def two(*words):
    """Two processes as torchrun starts them, but without it: nobody ends the one when the other has died."""
    port = free_port()
    return ended(
        start(
            words, MASTER_ADDR="127.0.0.1", MASTER_PORT=port, WORLD_SIZE=2, RANK=rank, LOCAL_RANK=rank,
            LOCAL_WORLD_SIZE=2, TORCHELASTIC_RUN_ID="test",
        )
        for rank in range(2)
    )  # fmt: skip


def one(*words):
    codes, said = ended([start([SCRIPT, *words])])
    assert codes == [0], said


def torchrun(*words, port=0, machine=0, machines=1, processes=2):
    address = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{port}", "--local-addr", "127.0.0.1"]
    size = ["--nnodes", machines, "--nproc-per-node", processes, "--rdzv-id", "test"]
    host = ["--rdzv-conf", f"is_host={int(machine == 0)}"] if machines > 1 else []
    return start(["-m", "torch.distributed.run", *address, *size, *host, *words])


def losses(path):
    return [json.loads(line) for line in (path / "losses.jsonl").read_text().splitlines()]


def arrays(path):
    with np.load(path) as stored:
        return dict(stored)


def same(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders: what one process learnt, and two, each on "a machine" of its own, with half of the batch."""
    alone, both = tmp_path_factory.mktemp("alone"), tmp_path_factory.mktemp("both")
    one("equal", alone, *EQUAL)
    port = free_port()
    codes, said = ended(
        torchrun(SCRIPT, "equal", both, *EQUAL, port=port, machine=machine, machines=2, processes=1)
        for machine in range(2)
    )
    assert codes == [0, 0], said
    return alone, both


@pytest.mark.parametrize("name", EQUAL)
def test_two_on_two_machines_have_the_losses_of_one_with_the_doubled_batch(trained, name):
    alone, both = trained
    folders = [path.parent.relative_to(alone) for path in sorted((alone / name).rglob("losses.jsonl"))]
    assert folders
    for folder in folders:
        expected, found = losses(alone / folder), losses(both / folder)
        assert [line["step"] for line in found] == [line["step"] for line in expected] and len(found) >= 2
        for before, after in zip(expected, found, strict=True):
            for loss in before.keys() - {"seconds"}:
                assert after[loss] == pytest.approx(before[loss], rel=1e-4, abs=1e-4), (folder, before["step"], loss)


@pytest.mark.parametrize("name", EQUAL)
def test_all_end_with_the_same_weights_and_the_record_says_how_many_they_were(trained, name):
    alone, both = trained
    first, second = (arrays(both / f"{name} {rank}.npz") for rank in range(2))
    assert same(first, second)
    assert arrays(alone / f"{name} 0.npz").keys() == first.keys()
    assert json.loads((both / f"{name}.json").read_text())["processes"] == 2
    assert json.loads((alone / f"{name}.json").read_text())["processes"] == 1


def test_only_one_writes(trained):
    _, both = trained
    made = sorted(path.name for path in (both / "performance-cloning").iterdir())
    assert made == ["checkpoints", "losses.jsonl", "previews", "run.json"]
    assert [line["step"] for line in losses(both / "performance-cloning")] == [1, 2, 3, 4, 5, 6]


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """A folder of the toy's runs, and what each of two processes said of them; started as seldom as can be."""
    folder = tmp_path_factory.mktemp("toys")
    codes, said = two(SCRIPT, "toys", folder, "unbroken", "nan:NAN:4:1", "term:TERM:6:1")
    assert codes == [0, 0], said
    return folder, said


@pytest.fixture(scope="module")
def killed(toys):
    """The same after one of two was killed, the first and the second: exit codes, and what survivors wrote."""
    folder, _ = toys
    found = {}
    for victim in range(2):
        codes, said = two(SCRIPT, "toys", folder, f"killed {victim}:KILL:9:{victim}")
        ending = folder / f"killed {victim}" / f"ending {1 - victim}.txt"
        found[victim] = codes, ending.read_text() if ending.exists() else said
    return found


@pytest.fixture(scope="module")
def gone_on(toys, killed):
    """What two said who went on with the runs of the killed."""
    folder, _ = toys
    reached = [losses(folder / f"killed {victim}" / "run")[-1]["step"] for victim in range(2)]
    codes, said = two(SCRIPT, "toys", folder, "killed 0", "killed 1")
    assert codes == [0, 0], said
    return reached, said


def test_each_leaves_the_others_before_python_ends(toys):
    folder, _ = toys  # else one of Gloo's threads may still hold tensors then, and PyTorch aborts, now and then
    assert [(folder / f"parted {rank}.txt").read_text() for rank in range(2)] == ["yes", "yes"]


def test_a_nan_in_one_is_skipped_by_all(toys):
    folder, said = toys
    assert said[0].count("step 4 skipped: the loss error is not a number") == 1
    steps = [line["step"] for line in losses(folder / "nan" / "run")]
    assert steps == [step for step in range(1, STEPS + 1) if step != 5]
    weights = [arrays(folder / "nan" / f"weights {rank}.npz") for rank in range(2)]
    assert same(*weights) and all(np.isfinite(value).all() for value in weights[0].values())


def test_a_signal_to_one_stops_all_at_the_same_step(toys):
    folder, _ = toys
    endings = {(folder / "term" / f"ending {rank}.txt").read_text() for rank in range(2)}
    assert endings == {"Interrupted: stopped at step 7; saved, go on with `resume=True`"}
    saved = sorted(path.name for path in (folder / "term" / "run" / "checkpoints").iterdir())
    assert saved[-1] == "step-00000007.safetensors"


@pytest.mark.parametrize("victim", [0, 1])
def test_a_run_of_which_one_was_killed_goes_on_as_the_unbroken_one(toys, killed, gone_on, victim):
    folder, _ = toys
    codes, ending = killed[victim]
    survivor = 1 - victim
    assert codes[victim] == -9 and codes[survivor] == 0, ending
    expected = "TrainingError: another of the processes has gone: start all" if survivor == 0 else "Told: "
    assert ending.startswith(expected)
    reached, said = gone_on
    assert reached == [9, 9] and said[0].count("resumed at step 9") == 2
    unbroken = arrays(folder / "unbroken" / "weights 0.npz")
    assert all(same(arrays(folder / f"killed {victim}" / f"weights {rank}.npz"), unbroken) for rank in range(2))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["train", "--preset", "huge"], "Error parsing --preset: 'huge' is not one of"),
        (["train", "--recipe", "pix2pix"], "error: "),
        (["track"], "`track` does not share its work between 2 processes, only `train` does"),
    ],
    ids=["preset", "output", "track"],
)
def test_an_error_is_said_once_and_ends_all(tmp_path, command, message):
    tiny_performance(tmp_path / "me.performance")
    (tmp_path / "me.actor").write_text("mine")
    inputs = ["--video" if command[0] == "track" else "--reference", tmp_path / "me.performance"]
    words = ["-m", "understudy", *command, *inputs, "--output", tmp_path / "me.actor"]
    if "huge" not in command:  # as users start it; without torchrun the first one to end takes the other's store along
        codes, said = ended([torchrun(*words)])
        assert codes == [1]
    else:
        codes, said = two(*words)
        assert codes == [2, 2]
    told = "".join(said)
    assert told.count(message) == 1 and "understudy/cli" not in told, told
    assert (tmp_path / "me.actor").read_text() == "mine"
