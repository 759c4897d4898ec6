import hashlib
import os
import re
import resource
import subprocess
import sys

import numpy as np
import pytest

from understudy.base.files import (
    atomic_file,
    atomic_folder,
    load_tensors,
    locked,
    read_json,
    save_tensors,
    sha256_of,
    sweep_stale,
    write_json,
)
from understudy.errors import ActorError, TrainingError, UnderstudyError


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_file_appears_whole(tmp_path):
    with atomic_file(tmp_path / "deep" / "a.txt") as temporary:
        temporary.write_text("whole")
        assert names(tmp_path / "deep") == [temporary.name]
        assert temporary.suffix == ".txt"
    assert (tmp_path / "deep" / "a.txt").read_text() == "whole"
    assert names(tmp_path / "deep") == ["a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(error), atomic_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "old").write_text("old")
    with atomic_folder(tmp_path / "clip") as temporary:
        (temporary / "new").write_text("new")
    assert names(tmp_path / "clip") == ["new"]
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "clip") as temporary:
        (temporary / "newer").write_text("newer")
        raise RuntimeError
    assert names(tmp_path / "clip") == ["new"]
    assert names(tmp_path) == ["clip"]


def test_what_a_killed_process_left_is_swept_and_a_living_one_keeps_its_own(tmp_path):
    script = (
        "import os, sys; from understudy.base.files import atomic_file\n"
        "with atomic_file(sys.argv[1]) as t: t.write_text('half'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.txt")], check=False)
    assert len(names(tmp_path)) == 1 and ".part" in names(tmp_path)[0]
    with atomic_file(tmp_path / "b.txt") as mine:
        mine.write_text("b")
        sweep_stale(tmp_path)
        assert names(tmp_path) == [mine.name]
    assert names(tmp_path) == ["b.txt"]


def test_an_unwritable_place_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnderstudyError, match=r"cannot make the folder .*file/sub .*: choose another `output`"):
        write_json(tmp_path / "file" / "sub" / "a.json", {})


def killed_between_the_renames(folder):
    """What is left when a process dies after it moved the old folder away and before the new one took its name."""
    script = (
        "import os, sys; from pathlib import Path; from understudy.base.files import atomic_folder\n"
        "rename = os.rename\n"
        "def once(*names): rename(*names); os.kill(os.getpid(), 9)\n"
        "os.rename = once\n"
        "with atomic_folder(sys.argv[1]) as t: (t / 'new').write_text('new')"
    )
    (folder / "old").write_text("old")
    subprocess.run([sys.executable, "-c", script, str(folder)], check=False)
    assert not folder.exists() and len(names(folder.parent)) == 2


@pytest.mark.parametrize("name", ["clip", "clip.performance", "x.old", "x.part.old"])
def test_a_folder_moved_away_by_a_killed_process_comes_back(tmp_path, name):
    (tmp_path / name).mkdir()
    killed_between_the_renames(tmp_path / name)
    write_json(tmp_path / "a.json", {})
    assert names(tmp_path) == sorted(["a.json", name])
    assert names(tmp_path / name) == ["old"]


def test_a_folder_moved_away_goes_once_the_new_one_is_there(tmp_path):
    (tmp_path / "clip").mkdir()
    killed_between_the_renames(tmp_path / "clip")
    (tmp_path / "clip").mkdir()
    sweep_stale(tmp_path)
    assert names(tmp_path) == ["clip"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(5, "gone")], ids=["ctrl-c", "disk"])
def test_an_error_between_the_renames_brings_the_old_folder_back(tmp_path, monkeypatch, error):
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "old").write_text("old")
    real, calls = os.rename, []

    def failing(*paths):
        calls.append(paths)
        if len(calls) == 2:
            raise error
        real(*paths)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises((KeyboardInterrupt, OSError)), atomic_folder(tmp_path / "clip") as temporary:
        (temporary / "new").write_text("new")
    assert names(tmp_path) == ["clip"]
    assert names(tmp_path / "clip") == ["old"]


def full_disk(temporary):
    raise OSError(28, "No space left on device")


def unwritable(temporary):
    (temporary.parent / temporary.name / "sub").write_text("x")


@pytest.mark.parametrize("fails", [full_disk, unwritable])
def test_errors_of_writing_name_the_output(tmp_path, fails):
    message = r"cannot write .*a\.txt: (No space left|No such file)"
    with pytest.raises(UnderstudyError, match=message), atomic_file(tmp_path / "a.txt") as temporary:
        fails(temporary)
    assert names(tmp_path) == []


def test_what_is_written_within_is_named_as_it_will_be_called(tmp_path):
    message = re.escape(f"cannot write {tmp_path / 'clip' / 'a.txt'}: No space left on device")
    with (
        pytest.raises(TrainingError, match=message),
        atomic_folder(tmp_path / "clip") as folder,
        atomic_file(folder / "a.txt") as part,
    ):
        raise TrainingError(f"cannot write {part}: No space left on device")


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(2, "No such file", "clip.mp4"), TimeoutError("timed out"), ConnectionResetError(104, "reset")],
    ids=["input gone", "network slow", "network gone"],
)
@pytest.mark.parametrize("atomic", [atomic_file, atomic_folder])
def test_errors_of_reading_are_not_blamed_on_the_output(tmp_path, monkeypatch, atomic, error):
    monkeypatch.chdir(tmp_path)  # where the input lies beside the output
    with pytest.raises(type(error)) as raised, atomic("out"):
        raise error
    assert raised.value is error
    assert names(tmp_path) == []


def test_json_round_trip(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Zoë", "n": [1, 2]})
    assert read_json(tmp_path / "a.json") == {"name": "Zoë", "n": [1, 2]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"{", "is not valid JSON", id="cut off"),
        pytest.param(b"\xff\xfe\x00", "is not valid JSON", id="not text"),
        pytest.param(b"[" * 100_000, "is nested too deeply", id="too deep"),
        pytest.param(None, "cannot read", id="missing"),
    ],
)
def test_bad_json_is_one_line_of_the_asked_kind(tmp_path, content, message):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ActorError, match=message):
        read_json(path, ActorError)


def test_json_beyond_any_of_ours_is_not_read(tmp_path, monkeypatch):
    write_json(tmp_path / "a.json", {"n": 1})
    monkeypatch.setattr("understudy.base.files.MAX_JSON_BYTES", (tmp_path / "a.json").stat().st_size)
    assert read_json(tmp_path / "a.json") == {"n": 1}
    write_json(tmp_path / "a.json", {"n": 10})
    with pytest.raises(ActorError, match=r"a\.json is larger than any JSON file this program writes"):
        read_json(tmp_path / "a.json", ActorError)


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"[3,4]", b"[4,3]"), (b'"F32"', b'"I32"'), (b"step", b"stop")],
    ids=["shape", "type", "header"],
)
def test_what_is_said_about_tensors_is_hashed_with_them(tmp_path, before, after):
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"weights": np.ones((3, 4), np.float32)}, {"step": 3})
    assert path.read_bytes().count(before) == 1
    path.write_bytes(path.read_bytes().replace(before, after))
    with pytest.raises(ActorError, match="its content does not match its stored SHA-256"):
        load_tensors(path, ActorError)


def test_the_same_arrays_and_header_make_the_same_bytes(tmp_path):
    tensors = {"b": np.arange(6.0).reshape(2, 3), "a": np.ones(3, np.float16)}
    header = {"words": 'quotes ", \u00fc, \n, \x01, \x7f', "number": 3}
    for name in range(12):  # by chance, two keys come in the same order half the time
        save_tensors(tmp_path / str(name), tensors, header)
    assert len({(tmp_path / str(name)).read_bytes() for name in range(12)}) == 1
    assert len(names(tmp_path)) == 12
    loaded, told = load_tensors(tmp_path / "3")
    assert told == header and all(np.array_equal(loaded[name], tensors[name]) for name in tensors)


def test_tensors_round_trip_with_their_header(tmp_path):
    tensors = {
        "weights": np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32),
        "strided": np.arange(12, dtype=np.int64).reshape(3, 4)[:, ::2],
        "scalar": np.array(7.0, np.float32),
        "empty": np.zeros((0, 2), np.uint8),
    }
    save_tensors(tmp_path / "a.safetensors", tensors, {"step": 3, "name": "x"})
    loaded, header = load_tensors(tmp_path / "a.safetensors")
    assert header == {"step": 3, "name": "x"}
    assert loaded.keys() == tensors.keys()
    for name, array in tensors.items():
        assert loaded[name].shape == array.shape and loaded[name].dtype == array.dtype
        assert np.array_equal(loaded[name], array)


def test_a_disk_too_full_for_tensors_is_one_line(tmp_path):
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        with pytest.raises(UnderstudyError, match=r"cannot write .*a\.safetensors: .*too large"):
            save_tensors(tmp_path / "a.safetensors", {"x": np.zeros(10_000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
    assert names(tmp_path) == []


def flip(content, place):
    changed = bytearray(content)
    changed[place] ^= 4
    return bytes(changed)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(lambda c: flip(c, len(c) - 1), "does not match its stored SHA-256", id="one bit of the content"),
        pytest.param(lambda c: c.replace(b'\\"step\\":3', b'\\"step\\":4'), "SHA-256", id="header edited"),
        pytest.param(lambda c: c[:-5], "damaged or cut off", id="cut off"),
        pytest.param(lambda c: c[:4], "not a safetensors file, or it is cut off", id="four bytes"),
        pytest.param(lambda c: b"", "not a safetensors file, or it is cut off", id="empty"),
        pytest.param(lambda c: (2**40).to_bytes(8, "little") + c, "not a safetensors file", id="absurd header length"),
        pytest.param(lambda c: b"GIF89a" + c, "not a safetensors file", id="something else"),
    ],
)
def test_damage_is_noticed(tmp_path, damage, message):
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"x": np.zeros(64, np.float32)}, {"step": 3})
    before = path.read_bytes()
    path.write_bytes(damage(before))
    if path.read_bytes() == before:
        path.write_bytes(before.replace(b"step", b"stop"))
    with pytest.raises(TrainingError, match=message):
        load_tensors(path, TrainingError)


@pytest.mark.parametrize("said", ["[1]", "{", "[" * 100_000 + "]" * 100_000], ids=["a list", "cut off", "nested"])
def test_a_header_that_is_none_is_refused_though_its_hash_fits(tmp_path, said):
    from safetensors.numpy import save_file

    array = np.zeros(3)
    hashed = hashlib.sha256(said.encode() + f"\0x\0{array.dtype.str}\0(3,)\0".encode() + array.tobytes())
    save_file({"x": array}, tmp_path / "a.safetensors", metadata={"understudy": said, "sha256": hashed.hexdigest()})
    with pytest.raises(TrainingError, match="its header is not one of understudy's"):
        load_tensors(tmp_path / "a.safetensors", TrainingError)


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(UnderstudyError, match="was not written by understudy"):
        load_tensors(tmp_path / "a.safetensors")


def test_the_lock_refuses_a_second_writer_and_ends_with_its_holder(tmp_path):
    with locked(tmp_path, TrainingError):
        script = (
            "import sys; from pathlib import Path; from understudy.base.files import locked\n"
            "with locked(Path(sys.argv[1])): pass"
        )
        second = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
        assert second.returncode != 0
        assert "another run is writing to" in second.stderr
    with locked(tmp_path, TrainingError):
        pass


def test_the_lock_refuses_a_second_writer_of_the_same_process_too(tmp_path):
    with (
        locked(tmp_path),
        pytest.raises(TrainingError, match="another run is writing to"),
        locked(tmp_path, TrainingError),
    ):
        pass
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    with locked(tmp_path):
        pass


def test_a_killed_holder_leaves_no_lock(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from understudy.base.files import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match="another run is writing to"), locked(tmp_path, TrainingError):
            pass
        holder.kill()
        holder.wait()
    with locked(tmp_path, TrainingError):
        pass


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_write_errors_name_the_file(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(UnderstudyError, match=r"cannot write .*a\.json"):
        write_json(tmp_path / "a.json", {})
