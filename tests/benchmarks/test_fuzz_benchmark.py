"""The benchmark of damaged files: mutants repeat and reach what they aim at, and faults are seen as such."""

import json
import os
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from understudy.base.files import load_tensors, save_tensors
from understudy.errors import UnderstudyError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

PLANTED = """
import os, signal, time
from understudy.errors import MediaError

class Talkative(MediaError):
    def __str__(self):
        return "two\\nlines"

def planted(path, out, chance):
    what = path.name
    if what == "output left":
        (out / "made.mp4").write_bytes(b"half of it")
        raise MediaError("it is damaged")
    if what == "half-written":
        (out / ".made.mp4.1-abcdef01.part.mp4").write_bytes(b"half of it")
        raise MediaError("it is damaged")
    if what == "refused":
        raise MediaError("it is damaged")
    if what == "message":
        raise Talkative
    if what == "exception":
        1 // 0
    if what == "signal":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "died":
        os._exit(0)
    if what == "too slow":
        time.sleep(60)
    if what == "too much memory":
        held = b"x" * (160 << 20)
    return ["\\x1b[2J"] if what == "printed" else ["a line"]
"""
OUTCOMES = (
    *("read", "refused", "output left", "message", "exception", "signal", "died", "too slow", "too much memory"),
    *("printed", "half-written"),
)
TRY_PLANTED = f"""{PLANTED}
import json, sys
from pathlib import Path
import fuzz
from fuzz_subjects import Subject

folder, names = Path(sys.argv[1]), {OUTCOMES!r}

def damage(chance, whole, given):
    (given / names[int(given.parent.name)]).write_bytes(b"")
    return given / names[int(given.parent.name)]

for one in ("whole", "scratch", "kept"):
    (folder / one).mkdir()
limits = fuzz.Limits(seconds=1.0, memory=150 << 20)
places = (folder / "whole", folder / "scratch", folder / "kept")
for result in fuzz.fuzzed(Subject(lambda folder: None, damage, planted), *places, range(len(names)), "1", limits):
    print(json.dumps([names[result.number], result.outcome, result.is_fault]))
"""
TRY_KINDS = """
import json, sys
from pathlib import Path
import fuzz

for kind, count in json.loads(sys.argv[2]).items():
    kept = Path(sys.argv[1]) / kind
    kept.mkdir()
    print(json.dumps(fuzz.fuzz_kind(kind, range(count), 1, kept, fuzz.Limits())))
"""

TRY_MAIN = """
import contextlib, sys
import fuzz

fuzz.machine = lambda device: "stubbed"  # it would import PyTorch
with contextlib.redirect_stdout(sys.stderr):
    code = fuzz.main(sys.argv[1:])
    try:
        fuzz.main(["--only", "3"])
    except SystemExit as stop:
        wrong = stop.code
print(code, wrong, sep="\\n")
"""


@pytest.fixture(scope="module")
def mutants():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import mutants

        yield mutants


def said(script, *words):
    """The lines of JSON that a script prints, in a process without threads of its own."""
    path = os.pathsep.join([str(BENCHMARKS), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "UNDERSTUDY_MEDIA": "", "UNDERSTUDY_MOTION": ""}
    command = [sys.executable, "-c", script, *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_kind_of_fault_is_seen_as_one_and_kept(tmp_path):
    found = {name: (outcome, is_fault) for name, outcome, is_fault in said(TRY_PLANTED, tmp_path)}
    fine = {"read": ("read", False), "refused": ("refused", False), "half-written": ("refused", False)}
    assert found == {name: (name, True) for name in OUTCOMES} | fine
    kept = sorted(int(path.name) for path in (tmp_path / "kept").iterdir())
    assert kept == [number for number, name in enumerate(OUTCOMES) if name not in fine]
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param({"poses": 24, "bvh": 24, "manifest": 12, "video": 12}, id="light"),
        pytest.param({"performance": 48, "actor": 48, "run": 48, "detector": 48}, id="trained", marks=pytest.mark.slow),
    ],
)
def test_damaged_files_of_every_kind_are_read_or_refused(tmp_path, counts):
    rows = said(TRY_KINDS, tmp_path, json.dumps(counts))
    assert {row["kind"]: row["mutants"] for row in rows} == counts
    for row in rows:
        assert row["faults"] == {} and row["first_faults"] == [], row
        assert row["read"] + row["refused"] == row["mutants"]
        assert row["peak_mib"] > 10 and row["read"] > 0


WAYS = {
    "bytes": lambda mutants, chance: mutants.damaged(bytes(range(256)), chance, [(0, 16), (200, 256)]),
    "json": lambda mutants, chance: mutants.damaged_json({"a": [1, 2.5, {"b": "word"}], "c": None}, chance),
    "words": lambda mutants, chance: mutants.damaged_words("one two 3\nfour 5 six\n", chance),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_number_is_the_same_mutant_every_time_and_another_is_another(mutants, way):
    made = [WAYS[way](mutants, random.Random(f"1 {number}")) for number in range(200)]
    again = [WAYS[way](mutants, random.Random(f"1 {number}")) for number in range(200)]
    assert made == again
    assert len(set(made)) > 100


def test_damage_begins_where_it_is_aimed_at(mutants):
    whole = bytes(1000)
    for number in range(100):
        chance = random.Random(number)
        assert mutants._flipped(whole, chance, (500, 510))[:500] == whole[:500]
        assert mutants._number(whole, chance, (500, 510))[:500] == whole[:500]


def test_boxes_and_chunks_are_found(mutants):
    box = lambda name, content: struct.pack(">I4s", 8 + len(content), name) + content  # noqa: E731
    film = box(b"ftyp", b"isom") + box(b"moov", box(b"tkhd", b"x" * 12)) + box(b"mdat", b"y" * 50)
    spans = mutants.spans_of(film)
    assert spans["index"] == [(12, 40), (20, 40)] and spans["packets"] == [(40, 98)]
    chunk = struct.pack(">I4s", 3, b"tEXt") + b"abc"
    picture = b"\x89PNG\r\n\x1a\n" + chunk + b"????"
    assert mutants.png_chunks(picture) == [(b"tEXt", 8, 19)]
    assert mutants.with_png_checksums(picture)[-4:] == struct.pack(">I", zlib.crc32(b"tEXtabc"))


def test_tensors_that_were_changed_pass_their_hash(mutants, tmp_path):
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"x": np.zeros((3, 4), np.float32)}, {"step": 3})
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"\x7f")
    with pytest.raises(UnderstudyError, match="SHA-256"):
        load_tensors(path)
    path.write_bytes(mutants.rehashed(path.read_bytes()))
    assert load_tensors(path)[0]["x"][-1, -1] != 0

    passed = 0
    for number in range(60):
        path.write_bytes(mutants.damaged_tensors(whole, random.Random(number)))
        try:
            load_tensors(path)
        except UnderstudyError:
            continue
        passed += path.read_bytes() != whole
    assert passed > 10  # else what lies behind the hash would never be reached


def test_a_single_mutant_and_the_record(tmp_path):
    words = ["--kind", "bvh", "--only", "3", "--kept", tmp_path / "kept", "--output", tmp_path / "mine.json"]
    assert said(TRY_MAIN, *words) == [0, 2]
    record = json.loads((tmp_path / "mine.json").read_text())
    assert record["seed"] == 1 and record["rows"][0]["kind"] == "bvh" and record["rows"][0]["mutants"] == 1
    assert record["machine"] == "stubbed" and record["versions"]["av"] and record["versions"]["libavcodec"]


def test_the_table_names_faults_by_their_kind():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            patch.setenv(name, "1")  # as importing it does; afterwards they are what they were
        import fuzz
    row = {"kind": "bvh", "mutants": 1000, "read": 900, "refused": 97, "faults": {"signal": 1, "too slow": 2}}
    lines = fuzz.table([row | {"slowest_seconds": 20.04, "peak_mib": 1030}]).splitlines()
    assert lines[2] == "| bvh | 1,000 | 900 | 97 | 1 signal, 2 too slow | 20.0 s | 1,030 MiB |"
