"""Actors, drivers and outputs by address: fetched once and whole, put there whole, and nothing secret said."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import pytest
from s3_stand_in import KEY, Objects, standing_in

from tiny import tiny_performance
from tiny_actor import tiny_actor
from understudy.errors import MediaError, UnderstudyError, UsageError
from understudy.jobs import stores
from understudy.jobs.batch import batch
from understudy.jobs.stores import Elsewhere, Store, address_of, fetched, place_of, sweep_uploads
from understudy.verbs.perform import perform

JOB = {"actor": "me.actor", "driving": "dance.performance", "marks": False}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


@pytest.fixture
def memory() -> Iterator[Any]:
    """An empty one."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pseudo_dirs[:] = [""]
    yield store
    store.store.clear()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Objects]:
    with standing_in() as objects:
        monkeypatch.setenv("AWS_ENDPOINT_URL", objects.address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "never to be seen")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        fsspec.filesystem("s3").clear_instance_cache()
        yield objects
        fsspec.filesystem("s3").clear_instance_cache()


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("me.actor", None),
        (Path("folder/me.actor"), None),
        ("C:/clips/dance.mp4", None),
        ("s3://bucket/x.actor", "s3://bucket/x.actor"),
        (Path("s3://bucket/x.actor"), "s3://bucket/x.actor"),  # as the command line has it
        ("file:///clips/dance.mp4", "file:///clips/dance.mp4"),
        ("GS://bucket/x", "gs://bucket/x"),
        ("abfs://clips@me.dfs.core.windows.net/x.mp4", "abfs://clips@me.dfs.core.windows.net/x.mp4"),
        ("notes:", None),
        ("sftp://host:2222/x.mp4", "sftp://host:2222/x.mp4"),
        ("sftp://[fe80:0:0:0:0:0:0:1]:22/x.mp4", "sftp://[fe80:0:0:0:0:0:0:1]:22/x.mp4"),
    ],
)
def test_what_is_an_address(given: str | Path, address: str | None) -> None:
    assert address_of(given) == address


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("http://10.0.0.1/x.mp4", "nothing is read from http"),
        ("s3://me:secret@bucket/x.mp4", "holds a name or password"),
        ("simplecache::s3://bucket/x.mp4", "nothing is read|is no address|^$"),
        ("s3://bucket/x.zip::zip://y", "is no address of one thing"),
        ("abfs://me:secret@account/x.mp4", "holds a name or password"),
        ("abfss://secret@container@account/x.mp4", "holds a name or password"),
        ("az://secret@account/x.mp4", "holds a name or password"),
        ("s3:///", "is no address of one thing"),
        ("s3:", "is no address of one thing"),  # what the command line makes of s3://
        ("s3://ME:secret/secret@bucket/x.mp4", "holds a name or password"),
        ("sftp://me:secret/secret@host/x.mp4", "holds a name or password"),
    ],
)
def test_addresses_that_are_refused(given: str, said: str) -> None:
    try:
        assert address_of(given) is None and "::" in given  # then it is a path that is not there
    except UsageError as error:
        assert re.search(said, str(error)) and "secret" not in str(error)


def test_a_file_is_fetched_once_and_again_when_it_is_another(memory: Any, cache: Path) -> None:
    memory.pipe_file("/bucket/me.actor", b"first")
    place = fetched("memory://bucket/me.actor")
    assert place.name == "me.actor" and place.read_bytes() == b"first" and cache in place.parents
    taken = place.stat().st_ino
    assert fetched("memory://bucket/me.actor").stat().st_ino == taken
    memory.pipe_file("/bucket/me.actor", b"other")
    assert fetched("memory://bucket/me.actor").read_bytes() == b"other"
    place.unlink()
    assert fetched("memory://bucket/me.actor").read_bytes() == b"other"
    with pytest.raises(MediaError, match=r"there is nothing at memory://bucket/no\.actor: check the name"):
        fetched("memory://bucket/no.actor")


def test_limits_and_what_stores_say_is_checked(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.pipe_file("/bucket/dance.mp4", b"0123456789")
    monkeypatch.setattr(stores, "MOST_BYTES", 9)
    with pytest.raises(MediaError, match="too large to be fetched"):
        fetched("memory://bucket/dance.mp4")
    monkeypatch.undo()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=stores.ROOM_LEFT))
    with pytest.raises(UnderstudyError, match="make room, or name another disk"):
        fetched("memory://bucket/dance.mp4")
    monkeypatch.undo()
    monkeypatch.setattr(type(memory), "get_file", lambda self, name, file: Path(file).write_bytes(b"0123"))
    with pytest.raises(MediaError, match="did not arrive whole: 4 bytes of 10"):
        fetched("memory://bucket/dance.mp4")
    assert not place_of("memory://bucket/dance.mp4").exists()
    for size in (None, -1, True, 2.5):
        monkeypatch.setattr(type(memory), "info", lambda *_, s=size, **__: {"name": "x", "type": "file", "size": s})
        with pytest.raises(MediaError, match="does not say how large"):
            fetched("memory://bucket/dance.mp4")


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/out", "a\\b"])
def test_no_name_in_a_folder_leads_out_of_it(memory: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.pipe_file("/bucket/dance.performance/performance.json", b"{}")
    told = {"name": f"/bucket/dance.performance/{name}", "type": "file", "size": 1}
    monkeypatch.setattr(type(memory), "find", lambda *_, **__: {told["name"]: told})
    with pytest.raises(MediaError, match="leads out of it"):
        fetched("memory://bucket/dance.performance")


def test_an_address_needs_a_name_at_its_end(cache: Path) -> None:
    for address in ("s3://bucket/..", "s3://bucket/a:b", "memory://fetched.json"):
        with pytest.raises(UsageError, match="ends in no name"):
            place_of(address)


def test_where_files_grow_in_sight_they_get_their_name_at_the_end(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.mp4").write_bytes(b"whole")
    monkeypatch.setattr(stores, "WHOLE_AT_END", ())
    seen: list[str] = []
    real = type(memory).put_file

    def put_file(self: Any, file: str, path: str) -> None:
        seen.append(path)
        real(self, file, path)

    monkeypatch.setattr(type(memory), "put_file", put_file)
    Store("memory://out").put(tmp_path / "out.mp4")
    assert seen[0].endswith(".upload") and memory.cat_file("/out/out.mp4") == b"whole"
    assert memory.find("/out") == ["/out/out.mp4"]

    def breaks(self: Any, file: str, path: str) -> None:
        real(self, file, path)
        raise TimeoutError

    monkeypatch.setattr(type(memory), "put_file", breaks)
    with pytest.raises(UnderstudyError, match=r"cannot reach memory://out/out\.mp4: TimeoutError"):
        Store("memory://out").put(tmp_path / "out.mp4")
    assert memory.find("/out") == ["/out/out.mp4"]


def test_a_shared_folder_gets_files_whole_and_leftovers_go(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "a.png").write_bytes(b"a")
    (tmp_path / "out").mkdir()
    store = Store(tmp_path / "out")
    first = store.put(tmp_path / "made")
    (tmp_path / "made" / "a.png").rename(tmp_path / "made" / "b.png")
    assert store.put(tmp_path / "made") != first
    assert [path.name for path in (tmp_path / "out" / "made").iterdir()] == ["b.png"]
    (tmp_path / "out" / f".x.mp4.{'a' * 16}.upload").write_bytes(b"")
    (tmp_path / "out" / ".theirs.upload").write_bytes(b"")
    sweep_uploads(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".theirs.upload", "made"]


def test_a_kind_of_storage_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    registry = importlib.import_module("fsspec.registry")._registry  # of what was imported before, by whatever name
    for name in [*registry]:
        monkeypatch.delitem(registry, name)
    with pytest.raises(UsageError, match="s3:// needs s3fs, which is not installed: pip install s3fs"):
        fetched("s3://bucket/x.actor")


def test_files_by_address_are_paths(tmp_path: Path) -> None:
    elsewhere = Elsewhere()
    assert elsewhere.place("file:///clips/dance.mp4", Path("x")) == Path("/clips/dance.mp4")
    assert elsewhere.place("dance.mp4", Path("x")) == Path("x/dance.mp4") and not elsewhere.addresses


def test_a_job_that_names_no_storage_there_is(tmp_path: Path) -> None:
    Path("jobs.json").write_text(json.dumps({"jobs": [{**JOB, "driving": "http://x/d.mp4"}]}))
    with pytest.raises(UsageError, match=r"job 1 of jobs\.json: nothing is read from http"):
        batch("jobs.json")


def test_a_batch_from_memory_to_memory_goes_on_where_it_was(memory: Any, tmp_path: Path) -> None:
    tiny_performance(tmp_path / "dance.performance", 1, frames=6)
    tiny_actor().save(tmp_path / "me.actor")
    memory.put(str(tmp_path / "dance.performance"), "/in/dance.performance", recursive=True)
    memory.put_file(str(tmp_path / "me.actor"), "/in/me.actor")
    there = {**JOB, "actor": "memory://in/me.actor", "driving": "memory://in/dance.performance"}
    Path("jobs.json").write_text(json.dumps({"jobs": [there]}))
    result = batch("jobs.json", output_folder="memory://out")
    assert result.made == ("memory://out/me_by_dance.mp4",) and "batch: memory://out (1 made; batch" in str(result)
    perform("me.actor", "dance.performance", "alone.mp4", marks=False)
    assert memory.cat_file("/out/me_by_dance.mp4") == Path("alone.mp4").read_bytes()
    assert json.loads(memory.cat_file("/out/batch.json"))["jobs"]["me_by_dance.mp4"]["status"] == "done"
    assert batch("jobs.json", output_folder="memory://out").kept == result.made
    memory.pipe_file("/out/me_by_dance.mp4", b"damaged")
    assert batch("jobs.json", output_folder="memory://out").made == result.made


def test_a_batch_from_s3_to_s3(s3: Objects, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tiny_performance(tmp_path / "dance.performance", 1, frames=6)
    tiny_actor().save(tmp_path / "me.actor")
    for path in (tmp_path / "dance.performance").iterdir():
        s3[f"clips/in/dance.performance/{path.name}"] = path.read_bytes()
    s3["clips/me.actor"] = (tmp_path / "me.actor").read_bytes()
    there = {**JOB, "actor": "s3://clips/me.actor", "driving": "s3://clips/in/dance.performance", "compare": True}
    Path("jobs.json").write_text(json.dumps({"jobs": [there]}))
    result = batch("jobs.json", output_folder="s3://clips/out")
    assert result.failed == {} and result.made == ("s3://clips/out/me_by_dance.mp4",)
    names = {key.rpartition("/")[2] for key in s3 if key.startswith("clips/out/")}
    assert names == {"me_by_dance.mp4", "me_by_dance.compare.mp4", "me_by_dance.normalization.png", "batch.json"}
    s3.asked.clear()
    again = batch("jobs.json", output_folder="s3://clips/out")
    assert again.kept == result.made
    assert [one for one in s3.asked if one.startswith("GET clips/") and "batch.json" not in one] == []
    said = caplog.text + json.dumps(sorted(s3["clips/out/batch.json"].decode()))
    assert KEY not in said and "never to be seen" not in said


def test_whoever_may_not_read_is_told_no_more_than_that(s3: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    s3["clips/me.actor"] = b"an actor"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(UnderstudyError, match=r"s3://clips/me\.actor may not be read") as told:
        fetched("s3://clips/me.actor")
    assert KEY not in str(told.value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(UnderstudyError, match=r"cannot reach s3://clips/me\.actor"):
        fetched("s3://clips/me.actor")
