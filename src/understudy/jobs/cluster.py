"""Jobs done by the machines of a Ray cluster: each is a task, which has it done by a process, as this machine would.

Ray chooses where, and says when a worker or a machine is gone. What is to be done again is decided here, and not by
Ray: a job that fails for a reason of its own is not tried on every machine in turn.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from understudy.base.machine import version_of
from understudy.errors import UnderstudyError, UsageError
from understudy.jobs.checks import Checked
from understudy.jobs.child import as_asked
from understudy.jobs.remote import task
from understudy.jobs.stores import Store
from understudy.jobs.workers import GRACE_SECONDS, Heard

log = logging.getLogger(__name__)

THREADS = 2
"""of a job, unless somebody says another number: as many everywhere, since sums of fewer differ in the last bit"""
TRIES = 5
"""of a job whose worker or machine is gone: that is seldom the job's fault"""
REACH_SECONDS = 5.0
"""that a cluster may take to answer at all"""
ALIKE = ("understudy", "torch", "numpy", "av", "ai-edge-litert")
"""packages whose versions have to be the same everywhere, or results are not"""


def versions() -> dict[str, str | None]:
    """Those of this machine, by package."""
    return {name: version_of(name) for name in ALIKE}


def threads_of(threads: int | None) -> int:
    """Of each job: as many as were said, by a parameter or by OMP_NUM_THREADS, else `THREADS`."""
    if threads is not None:
        return threads
    said = os.environ.get("OMP_NUM_THREADS", "")
    return int(said) if said.isdecimal() and int(said) > 0 else THREADS


class Cluster:
    """A Ray cluster that runs already, of which this machine is a part.

    Args:
        address: host:port of its head, or "auto" for the one that this machine belongs to.
        threads: of each job, and cores that it takes.
        most: jobs at once; None = as many as there are cores for.
        store: where videos go.
        addresses: of what has to be fetched, by where it lies here.

    Raises:
        UsageError: Ray is not installed, there is no such cluster, or none of its machines can do such jobs.
    """

    who, tracks_once = "worker", False

    def __init__(
        self, address: str, threads: int, most: int | None, store: Store, addresses: Mapping[Path, str]
    ) -> None:
        self._threads, self._most, self._store, self._addresses = threads, most, store, addresses
        self._ray = _ray()
        self._ours = not self._ray.is_initialized()
        if self._ours:
            _join(self._ray, address)
        try:
            self._check_machines()
        except BaseException:
            self.leave()
            raise

    def has_room(self, running: int) -> bool:
        """As `Place`: by all cores that there are now; machines may come and go."""
        room = int(self._ray.cluster_resources().get("CPU", 0)) // self._threads
        return running < max(1, room if self._most is None else min(self._most, room))

    def begin(self, one: Checked, heard: Heard) -> _Task:
        """As `Place`."""
        return _Task(self._ray, one, self._begun(self._asked(one)), heard)

    def end(self, running: Sequence[_Task]) -> None:
        """As `Place`: workers end their processes; what does not end in time is killed."""
        late = time.monotonic() + GRACE_SECONDS + 5
        for force in (False, True):
            for doing in running:
                if doing.listens.is_alive():
                    with suppress(Exception):
                        self._ray.cancel(doing.generator, force=force)
            for doing in running:
                doing.listens.join(max(0.5, late - time.monotonic()))

    def leave(self) -> None:
        """Leaves the cluster as it was, unless it was joined before."""
        if self._ours:
            self._ray.shutdown()

    def _begun(self, asked: Mapping[str, Any], node: str | None = None) -> Any:
        options: dict[str, Any] = {"num_cpus": self._threads, "max_retries": 0, "scheduling_strategy": "SPREAD"}
        if node is not None:
            from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

            there = NodeAffinitySchedulingStrategy(node, soft=False)
            options |= {"num_cpus": 0, "scheduling_strategy": there}
        return self._ray.remote(**options)(task).remote(json.dumps(asked))

    def _asked(self, one: Checked) -> dict[str, Any]:
        inputs = (*one.job.actors, one.job.driving)
        return {
            "versions": versions(),
            "threads": self._threads,
            "job": as_asked(replace(one.job, options=_absolute(one.job.options)), one.recipes, one.landmarks),
            "clip": one.clip,
            "folder": self._store.address if not self._store.is_folder else str(Path(self._store.address).absolute()),
            "addresses": {str(path): self._addresses[path] for path in inputs if path in self._addresses},
            "contents": {str(path): content for path, content in zip(inputs, one.contents, strict=True)},
            "current": os.getcwd(),
        }

    def _check_machines(self) -> None:
        """Raises UsageError: none has as many cores as a job takes, or one has other versions than we."""
        alive = [node for node in self._ray.nodes() if node["Alive"]]
        most = int(max((node["Resources"].get("CPU", 0) for node in alive), default=0))
        if most < self._threads:
            raise UsageError(
                f"a job takes {self._threads} cores, and no machine of the cluster offers more than {most}: "
                f"give `threads={max(1, most)}`"
            )
        asked = {"versions": versions()}
        for node, generator in [(node, self._begun(asked, node["NodeID"])) for node in alive]:
            where = node["NodeManagerHostname"]
            try:
                for reference in generator:
                    kind, said = json.loads(self._ray.get(reference, timeout=60))
                    if kind == "failed":
                        raise UsageError(said["reason"])
            except self._ray.exceptions.RayError as error:
                raise UsageError(
                    f"{where}, a machine of the cluster, cannot run understudy ({type(error).__name__}): install "
                    f"understudy {version_of('understudy')} there, as it is here"
                ) from None
        cores = int(self._ray.cluster_resources().get("CPU", 0))
        log.info("%d machines with %d cores, %d for each job", len(alive), cores, self._threads)


def _absolute(options: Mapping[str, Any]) -> dict[str, Any]:
    """Files that options name have the same names for workers, whose current folder is another."""
    named = dict(options)
    for name, value in options.items():
        if not isinstance(value, str):
            continue
        kind, colon, file = value.partition(":")
        if Path(value).exists():
            named[name] = str(Path(value).absolute())
        elif name == "inpainter" and colon:
            named[name] = f"{kind}:{Path(file).absolute()}"
    return named


class _Task:
    """A job that a worker of the cluster has; what its process says comes over line by line."""

    tries = TRIES

    def __init__(self, ray: Any, one: Checked, generator: Any, heard: Heard) -> None:
        self.one = one
        self.answer: tuple[str, dict[str, Any]] | None = None
        self.generator = generator
        self._ray, self._heard, self._began = ray, heard, time.monotonic()
        self._ended_by = "ended without an answer"
        self.listens = threading.Thread(target=self._listen, daemon=True, name=f"job-{one.job.number}")
        self.listens.start()

    @property
    def seconds(self) -> float:
        """Since a worker has it."""
        return time.monotonic() - self._began

    def why(self) -> str:
        """What has ended it."""
        return self._ended_by

    def _listen(self) -> None:
        try:
            for reference in self.generator:
                kind, said = json.loads(self._ray.get(reference))
                if kind == "began":
                    self._began = time.monotonic()
                elif kind == "gone":
                    self._ended_by = said
                else:
                    self._heard.put((self, kind, said))
        except self._ray.exceptions.RayError as error:
            self._ended_by = f"is gone ({type(error).__name__})"
        except Exception as error:  # noqa: BLE001 - whoever waits for this job has to hear that it is over
            self._ended_by = f"said what nobody understands ({type(error).__name__})"
        self._heard.put((self, "gone", None))


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing of ours tells Ray's makers of its use
    try:
        import ray
    except ImportError:
        raise UsageError("`ray` needs Ray: pip install 'understudy[cluster]'") from None
    return ray


def _join(ray: Any, address: str) -> None:
    """Raises UsageError: there is no such cluster. Ray would look for it for two minutes, then end the process."""
    advice = "start one with `ray start --head`, and `ray start --address HOST:PORT` on every machine, this one too"
    if address != "auto":
        host, colon, port = address.rpartition(":")
        if not colon or not host or not port.isdecimal() or "/" in host or not 0 < int(port) < 65536:
            raise UsageError(f"`ray` is auto or HOST:PORT of the cluster's head, not {address!r}")
        try:
            socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise UsageError(f"there is no Ray cluster at {address} ({why}): {advice}") from None
    restore = _handlers()
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
    except SystemExit:
        raise UsageError(f"what answers at {address} is no Ray cluster: {advice}") from None
    except Exception as error:  # noqa: BLE001 - of any kind, also of those that Ray makes up
        if "version" in str(error).lower():
            raise UsageError(
                f"the cluster has another Ray or Python than this machine, which has Ray {ray.__version__} and Python "
                f"{platform.python_version()}: install the same everywhere"
            ) from None
        if address != "auto":
            raise UsageError(
                f"cannot join a Ray cluster at {address}: this machine has to belong to it, with the ~/.ray/auth_token "
                f"of its head: {advice}"
            ) from None
        raise UsageError(f"no Ray cluster runs on this machine: {advice}") from None
    finally:
        restore()


def _handlers() -> Callable[[], None]:
    """Gives signals back to who had them: Ray takes SIGTERM, and would leave without a word."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore


def seen_here(store: Store, files: Mapping[str, str]) -> None:
    """Raises UnderstudyError: a worker has written into a folder of that name that is not the one that is seen here."""
    for name, content in files.items():
        try:
            if store.content(name) == content:
                continue
        except OSError:
            pass
        raise UnderstudyError(
            f"{name} was made on another machine and is not in {store.address} here: the output folder has to be one "
            "that all machines share, or an address such as s3://bucket/folder"
        )
