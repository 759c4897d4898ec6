"""Files that bear marks: what an outside reader finds in them, what changes them, and that they say no more."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import c2pa
import numpy as np
import pytest

from understudy.consent import Consent
from understudy.errors import MediaError, UnderstudyError
from understudy.marks import manifest, xmp
from understudy.marks.marking import Marking
from understudy.marks.signing import Signing, signing
from understudy.marks.statement import Performer, Statement
from understudy.media.reading import VideoReader, VideoWriter, read_image

ANNA = Performer("limb-warp", "ab" * 32, Consent("Anna said <yes> & signed", "2026-11-29T08:00:00+00:00"))
STATEMENT = Statement((ANNA,), True, "9.9.9")
SUFFIXES = [".mp4", ".m4v", ".mov", ".mkv", ".webm"]


@pytest.fixture(scope="module")
def marking():
    return Marking(STATEMENT, signing())


def written(path, marking, frames=3, kind=None):
    shape = (32, 48, 4) if kind == "transparent" else (32, 48, 3)
    with VideoWriter(path, Fraction(25), kind=kind, marking=marking) as writer:
        for level in range(frames):
            writer.write(np.full(shape, 40 * level, np.uint8))
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_video_says_how_it_was_made(marking, tmp_path, suffix):
    file = written(tmp_path / f"out{suffix}", marking)
    found = manifest.read(file)
    assert found.intact and not found.trusted and found.problems == ()
    assert found.source_type == STATEMENT.source_type and found.program == "understudy 9.9.9"
    assert found.ours["performers"] == [
        {
            "recipe": "limb-warp",
            "actor_sha256": "ab" * 32,
            "consent": {"text": ANNA.consent.text, "time": ANNA.consent.time},
        }
    ]
    with VideoReader(file) as reader:
        assert [round(float(frame.mean()), -1) for frame in reader] == [0, 40, 80]
    with av.open(str(file)) as container:
        assert ANNA.consent.text in container.metadata.get("comment", container.metadata.get("COMMENT", ""))
    names = sorted(one.name for one in tmp_path.iterdir())
    assert names == ([file.name] if suffix in manifest.KINDS else [file.name, f"{file.name}.c2pa"])


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_metadata_is_found_in_boxes(marking, tmp_path, suffix):
    packet = xmp.found_in(written(tmp_path / f"out{suffix}", marking))
    assert packet == xmp.packet(STATEMENT)
    assert xmp.source_type(packet) == STATEMENT.source_type
    assert "Anna said &lt;yes&gt; &amp; signed" in packet


def test_pictures_are_marked_one_by_one(marking, tmp_path):
    folder = written(tmp_path / "frames", marking, kind="transparent")
    for picture in sorted(folder.iterdir()):
        assert manifest.read(picture).intact
        assert xmp.found_in(picture) == xmp.packet(STATEMENT)
    assert read_image(folder / "000003.png").shape == (32, 48, 3)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ""])
def test_one_changed_byte_is_noticed(marking, tmp_path, suffix):
    file = written(tmp_path / f"out{suffix}", marking, kind="transparent" if not suffix else None)
    file = file if suffix else file / "000001.png"
    content = bytearray(file.read_bytes())
    where = content.rindex(b"mdat") + 60 if suffix == ".mp4" else content.rindex(b"IDAT") + 8 if not suffix else -20
    content[where] ^= 1
    file.write_bytes(content)
    found = manifest.read(file)
    assert not found.intact and any("mismatch" in code for code in found.problems)


def test_a_remux_loses_the_manifest_and_is_not_taken_for_marked(marking, tmp_path):
    file = written(tmp_path / "out.mp4", marking)
    with av.open(str(file)) as given, av.open(str(tmp_path / "again.mp4"), "w") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    assert manifest.read(tmp_path / "again.mp4") is None
    assert xmp.found_in(tmp_path / "again.mp4") is None


def test_the_standards_own_reader_takes_them(marking, tmp_path):
    """c2pa's `Reader`, by itself: valid, but for a key that nobody vouches for."""
    file = written(tmp_path / "out.mp4", marking)
    with c2pa.Reader(str(file)) as reader:
        assert reader.get_validation_state() == "Valid" and reader.is_embedded()
        said = json.loads(reader.json())
    codes = [one["code"] for one in said["validation_status"]]
    assert codes == ["signingCredential.untrusted"]
    active = said["manifests"][said["active_manifest"]]
    action = next(one for one in active["assertions"] if one["label"] == "c2pa.actions.v2")["data"]["actions"][0]
    assert action["action"] == "c2pa.created"
    assert action["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")


def test_who_stands_before_nothing_is_no_composite():
    assert replace(STATEMENT, composite=False).source_type.endswith("/trainedAlgorithmicMedia")


def test_nothing_in_a_marked_file_names_the_machine(marking, tmp_path):
    file = written(tmp_path / "a folder that nobody shall know" / "out.mp4", marking)
    content = file.read_bytes()
    for secret in (str(tmp_path), "nobody shall know", str(Path.home()), sys.executable):
        assert secret.encode() not in content


def test_a_video_that_cannot_be_signed_takes_no_name(tmp_path):
    nonsense = Signing(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"nothing", "es256")
    with pytest.raises(UnderstudyError, match=r"it cannot be signed .*`marks=False` writes it unmarked"):
        written(tmp_path / "out.mp4", Marking(STATEMENT, nonsense))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_manifest_is_an_error_and_no_manifest_is_none(marking, tmp_path):
    file = written(tmp_path / "out.webm", marking)
    manifest.beside(file).write_bytes(b"nothing")
    with pytest.raises(MediaError, match=r"the manifest of .*out\.webm cannot be read"):
        manifest.read(file)
    assert manifest.read(written(tmp_path / "plain.mp4", None)) is None
    (tmp_path / "some.txt").write_text("nothing")
    assert manifest.read(tmp_path / "some.txt") is None


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        ('<rdf:Description Iptc4xmpExt:DigitalSourceType="http://x/digitalCapture"/>', "http://x/digitalCapture"),
        ("<a:DigitalSourceType>http://x/y</a:DigitalSourceType>", "http://x/y"),
        ("<a:DigitalSourceType='http://x/z'", "http://x/z"),
        ("<nothing/>", None),
    ],
)
def test_the_source_type_is_read_in_either_form(packet, expected):
    assert xmp.source_type(packet) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\1mdat",
        b"\0\0\0\0mdat" + bytes(9),
        b"\0\0\0\4uuid",
        b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffiTXt",
    ],
    ids=["empty", "short", "64-bit length cut", "to the end", "too small", "picture"],
)
def test_files_that_are_cut_have_no_metadata(tmp_path, content):
    (tmp_path / "cut").write_bytes(content)
    assert xmp.found_in(tmp_path / "cut") is None


def test_nothing_of_it_asks_a_network(tmp_path):
    """Signing and reading in a process whose sockets raise."""
    program = (
        "import socket, sys\n"
        "def refuse(*_, **__): raise SystemExit('a socket was opened')\n"
        "socket.socket.connect = refuse; socket.create_connection = refuse; socket.getaddrinfo = refuse\n"
        "from understudy.marks import manifest\n"
        "from understudy.marks.signing import signing\n"
        "from understudy.marks.statement import Statement\n"
        "png = open(sys.argv[1], 'rb').read()\n"
        "open(sys.argv[1], 'wb').write(manifest.sign_png(png, Statement((), False, '1'), signing()))\n"
        "from pathlib import Path\n"
        "assert manifest.read(Path(sys.argv[1])).intact\n"
    )
    folder = written(tmp_path / "frames", None, frames=1, kind="transparent")
    subprocess.run([sys.executable, "-c", program, str(folder / "000001.png")], check=True, timeout=60)


def test_a_signed_picture_stays_the_picture(marking):
    from understudy.media.images import decoded_image, encoded_image, with_texts

    picture = np.arange(32 * 48 * 4, dtype=np.uint32).astype(np.uint8).reshape(32, 48, 4)
    png = marking.png(with_texts(encoded_image(Path("a.png"), picture), marking.texts))
    assert np.array_equal(decoded_image(np.frombuffer(png, np.uint8)), picture)
    with c2pa.Reader("image/png", io.BytesIO(png)) as reader:
        assert reader.get_validation_state() == "Valid"
    assert len(png) < 20_000, "a small picture within each manifest would make it larger than the picture"
