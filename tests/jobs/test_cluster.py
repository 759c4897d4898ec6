"""Jobs on a Ray cluster of two nodes on this machine: what a killed worker costs, and that all is as without."""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jobs_folder import filled
from s3_stand_in import KEY, Objects, standing_in

from tiny import tiny_performance
from understudy.errors import UsageError
from understudy.jobs import cluster as clusters
from understudy.jobs.batch import batch
from understudy.jobs.cluster import threads_of
from understudy.verbs.perform import perform

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes as Linux lists them")

TOKEN = secrets.token_hex(32)
SOURCES = Path(__file__).parents[2] / "src"
JOBS: list[dict[str, Any]] = [
    {"actor": "me.actor", "driving": "dance.performance", "marks": False, "compare": True},
    {"actor": "me.actor", "driving": "walk.performance", "marks": False, "background": "room.png"},
    {"actor": ["me.actor", "anna.actor"], "driving": "walk.performance", "marks": False, "layout": "stage"},
]


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """Ray reads how clusters know their own when it is imported, and not again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", TOKEN)
        yield


@pytest.fixture(scope="module")
def s3(environment: None) -> Iterator[Objects]:
    """Storage that the workers see as well."""
    with standing_in() as objects, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", objects.address)
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "never to be seen")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        yield objects


@pytest.fixture(scope="module")
def address(s3: Objects, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two nodes of one core each. Ray listens to whoever comes, and answers to whom knows a token of these tests.

    Ray takes 127.0.0.1 for any address of this machine, and 127.0.0.2 as it is said.
    """
    import ray
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNDERSTUDY_CACHE", str(tmp_path_factory.mktemp("workers_cache")))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(SOURCES), *filter(None, [os.environ.get("PYTHONPATH")])]))
        node = {"num_cpus": 1, "node_ip_address": "127.0.0.2", "object_store_memory": 80 * 2**20}
        cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        cluster.add_node(**node)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def joined(address: str) -> str:
    """This process belongs to the cluster, for as long as the module takes."""
    import ray

    if not ray.is_initialized():
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    return address


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with actors, drivers and jobs."""
    monkeypatch.chdir(filled(tmp_path))
    from PIL import Image

    Image.new("RGB", (64, 48), (30, 90, 60)).save("room.png")
    Path("jobs.json").write_text(json.dumps({"jobs": JOBS}))
    return tmp_path


def workers_with_a_child() -> list[int]:
    """Of our cluster, and of no other test's, at a job whose process has begun."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = TOKEN.encode() in (process / "environ").read_bytes()
            if ours and (process / "cmdline").read_bytes().startswith(b"ray::task"):
                children = (process / "task" / process.name / "children").read_text()
                threads = [path.read_text() for path in (process / "task").glob("*/children")]
                if children.strip() or any(one.strip() for one in threads):
                    found.append(int(process.name))
        except OSError:
            continue
    return found


def program(words: str) -> subprocess.Popen[str]:
    """The command line, in a process of its own."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCES), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "understudy", *words.split()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)


def of_folder(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ("batch.json", ".lock")}


def test_a_killed_worker_loses_nothing_but_its_job_and_all_is_as_on_one_machine(
    joined: str, here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed: list[int] = []

    def kill_one() -> None:
        late = time.monotonic() + 60
        while not killed and time.monotonic() < late:
            for worker in workers_with_a_child()[:1]:
                os.kill(worker, signal.SIGKILL)
                killed.append(worker)
            time.sleep(0.02)

    caplog.set_level(logging.INFO)
    killer = threading.Thread(target=kill_one)
    killer.start()
    many = batch("jobs.json", output_folder="many", ray=joined, threads=1)
    killer.join()
    assert len(killed) == 1 and many.failed == {} and len(many.made) == 3
    again = [line for line in caplog.messages if "it is tried once more" in line]
    assert len(again) == 1 and "its worker is gone" in again[0]
    ends = [line for line in caplog.messages if " of 3: " in line]
    assert len(ends) == 3 and " left" in ends[0]
    assert "2 machines with 2 cores, 1 for each job" in caplog.messages

    one = batch("jobs.json", output_folder="one", threads=1)
    assert one.failed == {} and of_folder(here / "many") == of_folder(here / "one")
    # each knows what the other has made
    assert len(batch("jobs.json", output_folder="many").kept) == 3
    assert len(batch("jobs.json", output_folder="one", ray=joined).kept) == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_is_running_can_be_stopped(address: str, here: Path, number: int, code: int) -> None:
    tiny_performance(here / "long.performance", 2, frames=4000)
    jobs = [{"actor": "me.actor", "driving": "long.performance", "marks": False}]
    Path("jobs.json").write_text(json.dumps({"jobs": jobs}))
    late = time.monotonic() + 60
    while workers_with_a_child() and time.monotonic() < late:  # of the test before
        time.sleep(0.02)
    asked = program(f"batch jobs.json --output-folder out --threads 1 --ray {address}")
    while not (workers_with_a_child() and (here / "out" / "batch.json").exists()) and time.monotonic() < late:
        time.sleep(0.02)
    asked.send_signal(number)
    said = asked.communicate(timeout=60)[1]
    assert asked.returncode == code and "Traceback" not in said, said
    while workers_with_a_child() and time.monotonic() < late:  # it is told to stop, and does so in a moment
        time.sleep(0.02)
    assert workers_with_a_child() == []
    entries = json.loads((here / "out" / "batch.json").read_text())["jobs"]
    assert [entry["status"] for entry in entries.values()] == ["waiting"]
    assert not [path for path in (here / "out").iterdir() if path.name not in ("batch.json", ".lock")]


def test_by_address_workers_share_no_folder_with_us(joined: str, s3: Objects, here: Path) -> None:
    for path in (here / "dance.performance").iterdir():
        s3[f"clips/dance.performance/{path.name}"] = path.read_bytes()
    s3["clips/me.actor"] = (here / "me.actor").read_bytes()
    job = {**JOBS[0], "actor": "s3://clips/me.actor", "driving": "s3://clips/dance.performance"}
    Path("jobs.json").write_text(json.dumps({"jobs": [job]}))
    result = batch("jobs.json", output_folder="s3://clips/out", ray=joined, threads=1)
    assert result.failed == {} and result.made == ("s3://clips/out/me_by_dance.mp4",)
    perform("me.actor", "dance.performance", "alone.mp4", marks=False, compare=True)
    for name in ("", ".compare"):
        assert s3[f"clips/out/me_by_dance{name}.mp4"] == Path(f"alone{name}.mp4").read_bytes()
    assert batch("jobs.json", output_folder="s3://clips/out").kept == result.made


def test_other_versions_are_refused_before_the_first_job(
    joined: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "versions", lambda: {"understudy": "9.9"})
    with pytest.raises(UsageError, match=r"has understudy 0\..*, and the machine that asks has 9\.9: install the same"):
        batch("jobs.json", output_folder="out", ray=joined, threads=1)
    assert not list((here / "out").glob("*.mp4"))
    with pytest.raises(UsageError, match=r"takes 64 cores, and no machine .* more than 1: give `threads=1`"):
        batch("jobs.json", output_folder="out", ray=joined, threads=64)
    with pytest.raises(UsageError, match=r"memory:// is one program's own"):
        batch("jobs.json", output_folder="memory://out", ray=joined, threads=1)


def test_a_folder_that_is_not_shared_is_told(joined: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the workers' machines had a folder of the same name, and an actor of the same name that is another."""
    (here / "theirs").mkdir()
    Path("jobs.json").write_text(json.dumps({"jobs": JOBS[:1]}))
    real = clusters.Cluster._asked
    monkeypatch.setattr(
        clusters.Cluster, "_asked", lambda self, one: real(self, one) | {"folder": str(here / "theirs")}
    )
    result = batch("jobs.json", output_folder="out", ray=joined, threads=1)
    assert "is not in out here: the output folder has to be one that all machines share" in str(result)

    def another(self: Any, one: Any) -> dict[str, Any]:
        asked = real(self, one)
        return asked | {"contents": dict.fromkeys(asked["contents"], "0" * 64)}

    monkeypatch.setattr(clusters.Cluster, "_asked", another)
    assert "me.actor is another one on" in str(batch("jobs.json", output_folder="out", ray=joined, threads=1))
    (here / "theirs").rename(here / "moved")
    monkeypatch.setattr(
        clusters.Cluster, "_asked", lambda self, one: real(self, one) | {"current": str(here / "moved")}
    )
    assert "has no me.actor: lay it into a folder" in str(batch("jobs.json", output_folder="o2", ray=joined, threads=1))


def test_from_the_command_line(address: str, here: Path) -> None:
    """A program that joins the cluster, and leaves it as it was."""
    words = f"batch jobs.json --output-folder out --threads 1 --ray {address}"
    Path("jobs.json").write_text(json.dumps({"jobs": JOBS[1:2]}))
    done = program(words)
    out, error = done.communicate(timeout=120)
    assert (done.returncode, out) == (0, "batch: out (1 made; batch.json says which)\n"), error
    assert "Traceback" not in error and "ray" not in error.lower()


# -- without a cluster -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nowhere", "`ray` is auto or HOST:PORT of the cluster's head, not 'nowhere'"),
        ("ray://127.0.0.1:10001", "`ray` is auto or HOST:PORT"),
        ("127.0.0.1:99999", "`ray` is auto or HOST:PORT"),
        ("127.0.0.1:{free}", "there is no Ray cluster at 127.0.0.1:"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(
    here: Path, address: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        free = nobody.getsockname()[1]
    with pytest.raises(UsageError, match=said.format(free=free)) as told:
        batch("jobs.json", ray=address.format(free=free))
    assert "\n" not in str(told.value)


def test_without_ray_it_is_said_how_to_get_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"`ray` needs Ray: pip install 'understudy\[cluster\]'"):
        batch("jobs.json", ray="auto")


def test_how_many_threads_a_job_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert (threads_of(None), threads_of(3)) == (2, 3)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert (threads_of(None), threads_of(3)) == (5, 3)
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert threads_of(None) == 2
