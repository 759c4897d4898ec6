"""`verify`: what it says of marked, unmarked and changed files, as text, as JSON, and by its exit code."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import understudy
from understudy.cli.main import main
from understudy.consent import Consent
from understudy.errors import UsageError
from understudy.marks.manifest import beside
from understudy.marks.marking import Marking
from understudy.marks.signing import signing
from understudy.marks.statement import Performer, Statement
from understudy.media.reading import VideoWriter

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
