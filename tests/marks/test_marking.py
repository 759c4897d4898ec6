"""Files that bear marks: what an outside reader finds in them, what changes them, and that they say no more."""

import io
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import threading
import zlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import av
import c2pa
import numpy as np
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from understudy.base.files import prepared_file
from understudy.consent import Consent
from understudy.errors import MediaError, UnderstudyError
from understudy.marks import manifest, xmp
from understudy.marks.library import NAMES
from understudy.marks.marking import Marking, Unmarked
from understudy.marks.signing import CERTIFICATE, KEY, Signing, made, signing
from understudy.marks.statement import Performer, Statement
from understudy.media.reading import VideoReader, VideoWriter, read_image

ANNA = Performer("limb-warp", "ab" * 32, Consent("Anna said <yes> & signed", "2026-11-29T08:00:00+00:00"))
STATEMENT = Statement((ANNA,), True, "9.9.9")
posix = pytest.mark.skipif(sys.platform == "win32", reason="limits are set as POSIX has them")
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
    nonsense = Signing(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"nothing", "es256", "nobody")
    with pytest.raises(UnderstudyError, match=r"it cannot be signed .*`marks=False` writes it unmarked"):
        written(tmp_path / "out.mp4", Marking(STATEMENT, nonsense))
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_disk_that_is_full_when_a_video_is_signed_is_named_with_the_video(marking, tmp_path):
    written(tmp_path / "before.mp4", Unmarked())
    most = (tmp_path / "before.mp4").stat().st_size + 3000  # metadata fits, the manifest does not
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(UnderstudyError) as told:
            written(tmp_path / "out.mp4", marking)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(told.value) == f"cannot write {tmp_path / 'out.mp4'}: File too large"
    assert [path.name for path in tmp_path.iterdir()] == ["before.mp4"]


def test_no_key_of_the_signers_is_in_what_is_signed(monkeypatch, tmp_path):
    pem = made()
    (tmp_path / "both.pem").write_bytes(pem)
    for name in (CERTIFICATE, KEY):
        monkeypatch.setenv(name, str(tmp_path / "both.pem"))
    key = load_pem_private_key(pem, None)
    number = key.private_numbers().private_value.to_bytes(32, "big")
    for name in ("out.mp4", "out.webm", "frames"):
        kind = "transparent" if name == "frames" else None
        written(tmp_path / name, Marking(STATEMENT, signing()), kind=kind)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".pem"]
    assert len(files) == 6
    for file in files:
        assert number not in file.read_bytes() and b"PRIVATE KEY" not in file.read_bytes(), file.name


@posix
def test_of_a_video_whose_manifest_lies_beside_it_neither_is_there_when_the_disk_is_full(marking, tmp_path):
    written(tmp_path / "before.mkv", Unmarked())
    old = written(tmp_path / "out.mkv", marking).read_bytes(), (tmp_path / "out.mkv.c2pa").read_bytes()
    names = sorted(path.name for path in tmp_path.iterdir())
    most = len(old[1]) - 100
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    content = b"x" * len(old[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(UnderstudyError, match=r"cannot write .*out\.mkv\.c2pa: File too large"):
            prepared_file(tmp_path / "out.mkv.c2pa", content)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert old == ((tmp_path / "out.mkv").read_bytes(), (tmp_path / "out.mkv.c2pa").read_bytes())
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_manifest_beside_is_written_before_its_video_has_its_name(marking, tmp_path, monkeypatch):
    def full(path, content):
        raise UnderstudyError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr("understudy.marks.marking.prepared_file", full)
    with pytest.raises(UnderstudyError, match=r"cannot write .*out\.webm\.c2pa"):
        written(tmp_path / "out.webm", marking)
    assert list(tmp_path.iterdir()) == []


def test_a_library_in_the_current_folder_is_not_the_one_that_is_loaded(tmp_path):
    for name in NAMES:
        (tmp_path / name).write_bytes(b"no library")
    script = (
        "from understudy.marks.library import c2pa\n"
        "from pathlib import Path\n"
        "c2pa()\n"
        "import c2pa, os\n"
        "assert 'C2PA_LIBRARY_NAME' not in os.environ\n"
        "print(c2pa.c2pa._lib._name)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", script]
    said = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert Path(said.stdout.strip()).is_relative_to(Path(c2pa.__file__).parent) and said.stderr == ""


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


def test_a_manifest_somewhere_else_is_not_fetched(tmp_path):
    """c2pa would ask the address that a file names, and by that tell who looks at it."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.5)
        key, info = signing(), None
        info = c2pa.C2paSignerInfo(
            alg=key.algorithm.encode(), sign_cert=key.certificates, private_key=key.key, ta_url=None
        )
        plain = written(tmp_path / "plain.mp4", None)
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(json.dumps(STATEMENT.manifest("video/mp4"))) as builder,
            open(plain, "rb") as given,
            open(tmp_path / "remote.mp4", "w+b") as made,
        ):
            builder.set_no_embed()
            builder.set_remote_url(f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa")
            builder.sign(signer, "video/mp4", given, made)
        with pytest.raises(manifest.Elsewhere, match="nothing is fetched"):
            manifest.read(tmp_path / "remote.mp4")
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("name", ["out.bak", "out", "out.jpg", "out.mkv"])
def test_a_file_is_read_by_what_it_holds_and_not_by_its_name(marking, tmp_path, name):
    content = bytearray(written(tmp_path / "a.mp4", marking).read_bytes())
    (tmp_path / name).write_bytes(content)
    assert manifest.read(tmp_path / name).intact
    content[content.rindex(b"mdat") + 60] ^= 1
    (tmp_path / name).write_bytes(content)
    assert not manifest.read(tmp_path / name).intact


@pytest.mark.parametrize("content", [b"", b"a text", bytes(range(256)) * 8, b"\0\0\0\x18ftypisom" + bytes(40)])
@pytest.mark.parametrize("suffix", [".mp4", ".png", ".webm"])
def test_what_never_had_a_manifest_was_not_changed(tmp_path, content, suffix):
    (tmp_path / f"some{suffix}").write_bytes(content)
    assert manifest.read(tmp_path / f"some{suffix}") is None


def test_a_manifest_beside_a_file_is_a_file_of_a_sensible_size(marking, tmp_path):
    file = written(tmp_path / "out.webm", marking)
    side = manifest.beside(file)
    (tmp_path / "link.webm").symlink_to(file)
    assert manifest.read(tmp_path / "link.webm").intact, "it lies beside what the link names"
    side.unlink()
    os.mkfifo(side)
    assert manifest.read(file) is None
    side.unlink()
    with open(side, "wb") as stream:
        stream.truncate(manifest.MOST_BYTES + 1)
    with pytest.raises(MediaError, match="larger than any manifest"):
        manifest.read(file)


def test_a_manifest_within_counts_more_than_one_beside(marking, tmp_path):
    file = written(tmp_path / "out.mp4", marking)
    manifest.beside(file).write_bytes(b"nothing")
    assert manifest.read(file).intact


@pytest.mark.parametrize("ours", [[1, 2], "text", {"performers": "nobody"}, {"performers": [1, {"consent": [2]}]}])
def test_what_another_program_wrote_in_our_name_may_be_anything(tmp_path, monkeypatch, ours):
    from understudy import verify

    definition = STATEMENT.manifest("video/mp4")
    definition["assertions"][1]["data"] = ours
    monkeypatch.setattr(Statement, "manifest", lambda *_: definition)
    file = written(tmp_path / "out.mp4", Marking(STATEMENT, signing()))
    said = str(verify([file]))
    assert "says that it was generated" in said and "nobody vouches" in said


@pytest.mark.parametrize("told", ["{}", "[]", '{"manifests": {}, "active_manifest": "urn"}', '{"manifests": 7}'])
def test_a_manifest_that_lacks_its_parts_is_damaged(marking, tmp_path, monkeypatch, told):
    import c2pa

    file = written(tmp_path / "out.mp4", marking)
    monkeypatch.setattr(c2pa.Reader, "json", lambda self: told)
    with pytest.raises(MediaError, match=r"out\.mp4 cannot be read \(it lacks what a manifest needs\)"):
        manifest.read(file)


def test_a_file_of_countless_boxes_is_not_looked_into(tmp_path):
    ftyp = b"\0\0\0\x14ftypisom" + bytes(8)
    (tmp_path / "boxes.mp4").write_bytes(ftyp + b"\0\0\0\x08free" * (manifest.MOST_BOXES + 1))
    with pytest.raises(MediaError, match="more than 10000 boxes"):
        manifest.read(tmp_path / "boxes.mp4")


@pytest.mark.parametrize("marks", [True, False])
def test_what_lies_beside_belongs_to_the_video_that_is_there(marking, tmp_path, monkeypatch, marks):
    """An old video keeps its manifest until the new one takes its name, which has its own, or none."""
    file = written(tmp_path / "out.webm", marking)
    old = manifest.beside(file).read_bytes()
    with (
        pytest.raises(ZeroDivisionError),
        VideoWriter(file, Fraction(25), marking=marking if marks else Unmarked()) as w,
    ):
        w.write(np.zeros((32, 48, 3), np.uint8))
        raise ZeroDivisionError
    assert manifest.beside(file).read_bytes() == old and manifest.read(file).intact
    written(file, marking if marks else Unmarked(), frames=5)
    assert manifest.beside(file).exists() == marks
    assert manifest.read(file).intact if marks else manifest.read(file) is None


@pytest.mark.parametrize(
    "text", ["a\0b\x01c\x1b[31md\ufffe", "two\nlines\tand \x0b more", "\ud800", "]]> <?xpacket end"]
)
def test_whatever_somebody_wrote_as_consent_is_well_formed(tmp_path, text):
    told = replace(STATEMENT, performers=(replace(ANNA, consent=Consent(text, "2026")),))
    ElementTree.fromstring(xmp.packet(told).partition("?>")[2].rpartition("<?xpacket")[0])
    file = written(tmp_path / "out.mkv", Marking(told, signing()))
    with av.open(str(file)) as container:
        packet = next(value for name, value in container.metadata.items() if name.lower() == xmp.TAG)
    assert packet == xmp.packet(told)
    assert not set(manifest.read(file).ours["performers"][0]["consent"]["text"]) & set("\0\x01\x1b\n")


def test_compressed_metadata_of_other_programs_is_read(tmp_path):
    text = '<a DigitalSourceType="http://x/digitalCapture"/>'
    data = xmp.PNG_KEYWORD.encode() + b"\0\1\0\0\0" + zlib.compress(text.encode())
    chunk = struct.pack(">I", len(data)) + b"iTXt" + data + struct.pack(">I", zlib.crc32(b"iTXt" + data))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    assert xmp.found_in(tmp_path / "a.png") == text


def test_c2pa_is_called_beside_the_thread_that_gets_signals(marking, tmp_path, monkeypatch):
    """In its callbacks a signal's exception would be dropped, and the signature be of something else."""
    threads, sign = [], manifest._sign

    def watched(*given, **named):
        threads.append(threading.current_thread())
        return sign(*given, **named)

    monkeypatch.setattr(manifest, "_sign", watched)
    for name in ("out.mp4", "out.webm"):
        written(tmp_path / name, marking)
    assert len(threads) == 2 and threading.main_thread() not in threads


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
