"""`verify`: what it says of marked, unmarked and changed files, as text, as JSON, and by its exit code."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import sandboxed
import understudy
from understudy.base.sandbox import Limits
from understudy.cli.main import main
from understudy.consent import Consent
from understudy.errors import PoseError, SandboxError, UsageError, WeightsError
from understudy.forensics.verdict import Detection
from understudy.marks import told
from understudy.marks.manifest import beside
from understudy.marks.marking import Marking
from understudy.marks.signing import signing
from understudy.marks.statement import Performer, Statement
from understudy.media.reading import VideoWriter
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
STATEMENT = Statement((Performer("limb-warp", "ab" * 32, Consent("It is me", "2026-11-29T08:00:00+00:00")),), True, "9")


def written(path, marked=True, frames=2):
    marking = Marking(STATEMENT, signing()) if marked else None
    with VideoWriter(path, Fraction(25), marking=marking) as writer:
        for level in range(frames):
            writer.write(np.full((32, 48, 3), 40 * level, np.uint8))
    return path


def changed(path):
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    written(folder / "frames", frames=5)
    return {
        "mp4": written(folder / "out.mp4"),
        "webm": written(folder / "out.webm"),
        "mkv": written(folder / "out.mkv"),
        "plain": written(folder / "plain.mp4", marked=False),
        "changed": changed(written(folder / "changed.mkv")),
        "frames": folder / "frames",
    }


def test_a_marked_file_is_told_in_words(files):
    said = str(understudy.verify([files["mp4"]]))
    for words in (
        "out.mp4: says that it was generated",
        "manifest (C2PA): intact; signed by understudy, a key made on the computer that uses it",
        "nobody vouches for its key",
        "made with understudy 9: compositeWithTrainedAlgorithmicMedia",
        "an actor of limb-warp, SHA-256 abab",
        "consent: It is me (2026-11-29T08:00:00+00:00)",
        "metadata (XMP): compositeWithTrainedAlgorithmicMedia",
        "What this does not prove",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["mp4"], 0), (["webm", "mkv"], 0), (["frames"], 0), (["plain"], 1), (["mp4", "plain"], 1), (["changed"], 3),
        (["changed", "plain", "mp4"], 3),
    ],
)  # fmt: skip
def test_the_worst_file_makes_the_exit_code(files, names, code, capsys):
    with pytest.raises(SystemExit) as left:
        main(["verify", *(str(files[name]) for name in names)])
    assert left.value.code == code
    assert "What this does not prove" in capsys.readouterr().out


def test_as_json_it_is_for_programs(files, capsys):
    with pytest.raises(SystemExit):
        main(["verify", str(files["mp4"]), str(files["plain"]), "--json"])
    first, second = json.loads(capsys.readouterr().out)
    assert (first["verdict"], second["verdict"]) == ("generated", "unmarked")
    assert first["manifest"]["intact"] and second["manifest"] is None
    assert first["metadata"].endswith("compositeWithTrainedAlgorithmicMedia")


def test_a_changed_file_says_what_does_not_fit(files):
    found = understudy.verify([files["changed"]]).files[0]
    assert found.verdict == "changed" and "broken (assertion." in str(found)


def test_the_pictures_of_a_series_are_told_at_once(files):
    said = str(understudy.verify([files["frames"]]))
    assert "frames: 5 pictures" in said and "5 of them, the first is" in said and "000002.png" not in said


def test_metadata_alone_is_enough_to_say_it_and_a_manifest_that_is_gone_is_none(files, tmp_path):
    file = written(tmp_path / "out.webm")
    beside(file).unlink()
    found = understudy.verify(file).files[0]
    assert found.manifest is None and found.metadata and found.verdict == "generated"


def test_a_manifest_that_cannot_be_read_is_a_change(tmp_path):
    file = written(tmp_path / "out.webm")
    beside(file).write_bytes(b"nothing")
    found = understudy.verify([file])
    assert found.exit_code == 3 and "cannot be read" in str(found)


def test_a_photograph_by_a_camera_says_otherwise(files):
    found = understudy.verify([files["mp4"]]).files[0]
    camera = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    taken = replace(found, manifest=replace(found.manifest, source_type=camera, ours=None), metadata=None)
    assert taken.verdict == "otherwise" and "says how it was made, and not that it was generated" in str(taken)


def test_what_is_not_there_keeps_the_rest_from_nothing(files, tmp_path):
    found = understudy.verify([files["mp4"], tmp_path / "nowhere.mp4"])
    assert found.exit_code == 2 and [one.verdict for one in found.files] == ["generated", "unreadable"]
    assert "nowhere.mp4: there is no such file" in str(found)


def test_nothing_to_look_at(tmp_path):
    with pytest.raises(UsageError, match="needs a file to look at"):
        understudy.verify([])
    with pytest.raises(UsageError, match="is a folder without PNG files"):
        understudy.verify([tmp_path])


def test_what_a_file_says_steers_no_terminal(files):
    found = understudy.verify([files["mp4"]]).files[0]
    hostile = replace(found, manifest=replace(found.manifest, signed_by="a\x1b[31m\u202eb\nc"))
    assert "signed by a\ufffd[31m\ufffdb c; nobody" in str(hostile)


def test_a_manifest_somewhere_else_is_said(files):
    found = replace(understudy.verify([files["plain"]]).files[0], elsewhere=True)
    assert "somewhere else, by the file's own account; nothing is fetched" in str(found)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """Five seconds of marked film, and the same without manifest and metadata."""
    folder = tmp_path_factory.mktemp("filmed")
    for name, marking in (("marked.mp4", Marking(STATEMENT, signing())), ("stripped.mp4", _OnlyBits())):
        room = np.random.default_rng(0).integers(60, 180, (144, 192, 3)).astype(np.uint8)
        with VideoWriter(folder / name, Fraction(12), marking=marking) as writer:
            for _ in range(60):
                writer.write(room)
    return folder


class _OnlyBits(Marking):
    """What uploads leave of the marks."""

    tags, texts = {}, {}

    def __init__(self):
        super().__init__(STATEMENT, None)

    def file(self, finished, named):
        return lambda: None


def test_an_invisible_mark_is_told_beside_the_manifest_that_names_it(filmed):
    found = understudy.verify([filmed / "marked.mp4"])
    identity = found.record()[0]["invisible"]["identity"]
    assert found.files[0].manifest.ours["invisible_mark"] == identity
    assert f"invisible mark: understudy's, {identity}, which the manifest names" in str(found)


def test_an_invisible_mark_alone_says_that_a_file_was_generated(filmed, capsys):
    with pytest.raises(SystemExit) as left:
        main(["verify", str(filmed / "stripped.mp4"), "--json"])
    assert left.value.code == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "generated" and told["manifest"] is told["metadata"] is None
    assert told["invisible"]["strength"] > 6.5 and not told["invisible"]["mirrored"]


def test_a_manifest_that_names_another_mark_is_told(filmed):
    (one,) = understudy.verify([filmed / "marked.mp4"]).files
    other = replace(one, manifest=replace(one.manifest, ours={"invisible_mark": "0123456789"}))
    assert "; the manifest names another, 0123456789" in str(other)
    faint = replace(one, manifest=None, invisible=replace(one.invisible, strength=12.9, mirrored=True))
    assert str(faint).rstrip().endswith(", mirrored, faint") and "faint" not in str(one)


def test_where_no_mark_can_be_it_says_whether_it_was_looked_for(files, filmed):
    (short,) = understudy.verify([files["plain"]]).files
    assert "invisible mark: not looked for, which takes some seconds of film" in str(short)
    with VideoWriter(filmed / "plain.mp4", Fraction(12)) as writer:
        for level in range(60):
            writer.write(np.full((144, 192, 3), level, np.uint8))
    (plain,) = understudy.verify([filmed / "plain.mp4"]).files
    assert "invisible mark: none" in str(plain) and plain.verdict == "unmarked"


# -- In a child, and not ---------------------------------------------------------------------------------------------


def with_paths():
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def test_it_is_the_same_in_a_child_and_in_this_process(files, filmed, tmp_path):
    (tmp_path / "text.mp4").write_text("no video at all")
    some = [*files.values(), filmed / "marked.mp4", filmed / "stripped.mp4", tmp_path / "text.mp4", tmp_path / "none"]
    there, here = (understudy.verify(some, sandbox=sandbox) for sandbox in (True, False))
    assert there == here and str(there) == str(here) and there.record() == here.record()
    assert {one.verdict for one in there.files} == {"generated", "unmarked", "changed", "unreadable"}


def test_what_lies_beside_and_cannot_be_read_is_no_change_of_the_file(files, tmp_path, monkeypatch):
    film = tmp_path / "film.webm"
    film.write_bytes(files["plain"].read_bytes())
    (tmp_path / "film.webm.c2pa").write_bytes(b"somebody else's")
    own = Path.read_bytes

    def forbidden(path):
        if path.suffix == ".c2pa":
            raise PermissionError(13, "Permission denied", str(path))
        return own(path)

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    found = understudy.verify([film], sandbox=False)
    assert found.exit_code == 2
    assert found.files[0].error == f"cannot be read ({tmp_path / 'film.webm.c2pa'}: Permission denied)"


def test_a_reader_that_goes_changes_no_exit_code(files):
    words = [sys.executable, "-m", "understudy", "verify", "--json", str(files["plain"]), "--no-sandbox"]
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as pipe:
        ended = subprocess.run(words, stdout=pipe, stderr=subprocess.PIPE, env=with_paths(), text=True)
    assert ended.returncode == 1 and "Error" not in ended.stderr


@posix
def test_closed_output_and_letters_that_are_not_known_change_no_exit_code(files, tmp_path):
    film = tmp_path / "caf\u00e9.mp4"
    film.write_bytes(files["mp4"].read_bytes())
    words = [sys.executable, "-m", "understudy", "verify", str(film), "--no-sandbox"]
    ascii_only = with_paths() | {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    told = subprocess.run(words, capture_output=True, env=ascii_only)
    assert told.returncode == 0 and b"caf\\ufffd\\ufffd.mp4: says that it was generated" in told.stdout
    closed = subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *words], env=with_paths())
    assert closed.returncode == 0


@pytest.fixture
def broken(monkeypatch):
    """A decoder that breaks at files of certain names."""
    reading = SimpleNamespace(
        read=sandboxed.read, sought=sandboxed.sought, read_of=told.read_of, sought_of=told.sought_of
    )
    monkeypatch.setattr("understudy.verbs.verify.told", reading)
    monkeypatch.setattr("understudy.verbs.verify.LIMITS", Limits(quiet=8.0))


@posix
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("dies", "its decoder was ended by SIGSEGV"),
        ("hangs", "nothing was heard of its decoder for 8 s"),
        ("lies", "its decoder said what it should not"),
        ("twice", "its decoder said what it should not"),
    ],
)
def test_a_file_that_ends_its_decoder_cannot_be_read_and_the_others_go_on(files, broken, tmp_path, capsys, name, why):
    bad = tmp_path / f"{name}.mp4"
    bad.write_bytes(files["mp4"].read_bytes())
    with pytest.raises(SystemExit) as left:
        main(["verify", str(files["mp4"]), str(bad), str(files["plain"])])
    assert left.value.code == 2
    said = capsys.readouterr()
    assert f"\n{bad}: cannot be read ({why})\n" in said.out and "error" not in said.err
    assert f"{files['mp4']}: says that it was generated" in said.out
    assert f"{files['plain']}: no marks found" in said.out


@posix
def test_one_that_breaks_the_search_for_the_invisible_mark_cannot_be_read(files, broken, monkeypatch):
    monkeypatch.setattr("understudy.verbs.verify.told.sought", sandboxed.die_seeking)
    found = understudy.verify([files["mp4"]])
    assert found.exit_code == 2 and found.files[0].error == "cannot be read (its decoder was ended by SIGABRT)"


@pytest.fixture
def film(tmp_path, monkeypatch):
    """A folder with the pictures of a marked film, in a place where one called "breaks" ends its decoder."""
    reading = SimpleNamespace(
        read=told.read, sought=sandboxed.seek, decoded=sandboxed.decode, read_of=told.read_of, sought_of=told.sought_of
    )
    monkeypatch.setattr("understudy.verbs.verify.told", reading)
    with VideoWriter(tmp_path / "film", Fraction(25), marking=Marking(STATEMENT, signing())) as writer:
        for _ in range(60):
            writer.write(np.full((96, 128, 3), 120, np.uint8))
    return tmp_path / "film"


@posix
def test_of_a_folder_only_the_picture_that_breaks_the_search_cannot_be_read(film):
    (film / "000020.png").rename(film / "breaks.png")
    marks = understudy.verify(film).files
    broken = [one for one in marks if one.error is not None]
    assert [(one.file.name, one.error) for one in broken] == [
        ("breaks.png", "cannot be read (its decoder was ended by SIGSEGV)")
    ]
    others = [one for one in marks if one.error is None]
    assert len(others) == 59 and {one.verdict for one in others} == {"generated"}
    assert all(one.sought and one.invisible is not None for one in others)


@posix
def test_of_pictures_that_break_the_search_only_together_none_is_taken_for_good(film):
    (film / "000020.png").rename(film / "together.png")
    marks = understudy.verify(film).files
    assert {one.error for one in marks} == {"cannot be read (its decoder was ended by SIGSEGV)"}


@posix
def test_pictures_that_cannot_be_read_at_all_keep_the_others_from_nothing(film, monkeypatch):
    monkeypatch.setattr("understudy.verbs.verify.told.read", sandboxed.read)
    (film / "000020.png").rename(film / "dies.png")
    (film / "000021.png").rename(film / "breaks.png")
    marks = understudy.verify(film).files
    assert {one.file.name for one in marks if one.error is not None} == {"dies.png", "breaks.png"}
    assert sum(one.sought and one.invisible is not None for one in marks) == 58


def test_what_a_child_says_steers_no_terminal(broken, tmp_path):
    (tmp_path / "steers.mp4").write_bytes(b"")
    (found,) = understudy.verify([tmp_path / "steers.mp4"]).files
    assert found.metadata == "a\ufffd[31mb c"


FIT = {"metadata": None, "manifest": None, "damage": None, "elsewhere": False}
MANIFEST = {
    "intact": True, "trusted": False, "problems": [], "signed_by": "", "certificate": "", "program": "",
    "source_type": None, "ours": None,
}  # fmt: skip
SEEN = {"payload": {"identity": 7}, "strength": 9.0, "scale": 1.0, "mirrored": False}


def test_marks_are_of_their_types():
    assert told.read_of(FIT) == (None, None, False, None)
    assert told.read_of(FIT | {"manifest": MANIFEST})[0].ours is None
    assert told.sought_of({"sought": True, "found": SEEN})[1].payload.identity == 7


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (told.read_of, 7), (told.read_of, []), (told.read_of, {}), (told.read_of, FIT | {"elsewhere": 1}),
        (told.read_of, FIT | {"damage": ["x"]}), (told.read_of, FIT | {"manifest": "x"}),
        *((told.read_of, FIT | {"manifest": MANIFEST | {name: 7}}) for name in MANIFEST),
        (told.read_of, FIT | {"manifest": MANIFEST | {"problems": [None]}}),
        (told.sought_of, None), (told.sought_of, {"sought": "yes", "found": None}),
        *((told.sought_of, {"sought": True, "found": SEEN | {name: "x"}}) for name in SEEN),
        (told.sought_of, {"sought": True, "found": SEEN | {"payload": {"identity": 1 << 40}}}),
    ],
)  # fmt: skip
def test_marks_that_are_none_are_not_believed(read, said):
    with pytest.raises(SandboxError, match="its decoder said what it should not"):
        read(said)


# -- What the detector thinks ----------------------------------------------------------------------------------------


@pytest.fixture
def opinions(monkeypatch):
    """Detections to come, an error among them perhaps; `None` is for files that must not be asked about."""
    waiting = []

    def judged(self, video, where, rotate=0):
        found = waiting.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("understudy.forensics.detect.Judge.judged", judged)
    return waiting


SURE = Detection(
    video="plain.mp4", verdict="generated", probability=0.93, sum_of_log_odds=9.0, pairs=20, seconds=3.0, rate=25.0,
    person_found=1.0, unknowable=None, time_line=(), trained_on="trained on drawings",
    trust=("not at all", "a\x1b[31m"),
)  # fmt: skip
OPINIONS = [
    (SURE, "generated", "looks generated (probability of generated: 93 %)"),
    (replace(SURE, verdict="real", probability=0.1), "real",
     "no sign of having been generated, which is not the same as real (probability of generated: 10 %)"),
    (replace(SURE, verdict="unsure", probability=0.5), "unsure", "cannot tell (probability of generated: 50 %)"),
    (replace(SURE, verdict="unsure", unknowable="it lasts 0.48 seconds"), "unknown",
     "cannot know (it lasts 0.48 seconds)"),
    (PoseError("nobody is found in it"), "unknown", "cannot know (nobody is found in it)"),
    (SandboxError("x cannot be read (its decoder was ended by SIGSEGV)"), "unknown",
     "cannot know (x cannot be read (its decoder was ended by SIGSEGV))"),
    (WeightsError("the networks are not at hand"), "unknown", "cannot know (the networks are not at hand)"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "says", "words"), OPINIONS, ids=[str(number) for number in range(len(OPINIONS))])
def test_of_files_without_marks_the_detector_says_what_it_thinks(files, opinions, capsys, found, says, words):
    for options in ([], ["--json"]):
        opinions[:] = [found]
        with pytest.raises(SystemExit) as left:
            main(["verify", str(files["mp4"]), str(files["plain"]), "--detect", *options])
        assert left.value.code == 1 and not opinions  # nothing that it says makes that another code
    printed = capsys.readouterr().out
    text, _, numbers = printed.partition("\n[\n")
    assert f"\n  the detector's opinion, no proof: {words}\n" in text and text.count("opinion, no proof") == 1
    assert ("What it knows is little:\n- trained on drawings\n- not at all\n- a\ufffd[31m" in text) == (
        not isinstance(found, Exception)
    )
    marked, plain = json.loads("[\n" + numbers)
    assert marked["opinion"] is None and plain["opinion"]["says"] == says and plain["verdict"] == "unmarked"
    assert plain["opinion"]["probability"] == getattr(found, "probability", None)


def test_pictures_are_none_of_the_detectors_business(tmp_path, opinions):
    written(tmp_path / "frames", marked=False)
    found = understudy.verify([tmp_path / "frames"], detect=True)
    assert "cannot know (it compares frames of a video, and these are pictures)" in str(found)


def test_who_did_not_ask_is_told_that_there_is_an_opinion(files, opinions):
    hint = "the detector has an opinion, which is no proof: understudy verify --detect"
    assert hint in str(understudy.verify([files["mp4"], files["plain"]]))
    assert hint not in str(understudy.verify([files["mp4"]]))
    opinions.append(PoseError("nobody"))
    assert hint not in str(understudy.verify([files["plain"]], detect=True))


def test_of_one_who_dances_it_says_what_detect_says(tmp_path):
    clip = tmp_path / "somebody.mp4"
    write_clip(clip, make_person(1), choreography(5, 1.2, Fraction(20)), make_scene(1, (256, 192)))
    there, here = (understudy.verify([clip], detect=True, sandbox=sandbox) for sandbox in (True, False))
    detected = [understudy.detect(clip, sandbox=sandbox) for sandbox in (True, False)]
    assert there == here and detected[0] == detected[1]
    opinion = there.files[0].opinion
    assert opinion.probability == detected[0].probability and opinion.says == detected[0].verdict
    assert opinion.trained_on == detected[0].trained_on


def test_pipes_devices_and_links_to_nothing_are_told_apart(files, tmp_path):
    pipe, link = tmp_path / "pipe.mp4", tmp_path / "link.mp4"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "gone.mp4")
    found = str(understudy.verify([files["mp4"], pipe, link]))
    assert "pipe.mp4: it is a pipe or a device" in found
    assert "link.mp4: it is a link to a file that is not there" in found
