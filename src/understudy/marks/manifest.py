"""Signed manifests as the C2PA specifies them (version 2): within MP4, QuickTime and PNG, else in a file beside.

c2pa-python, the reference implementation's own, signs and checks, without any network.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from understudy.base.files import atomic_file
from understudy.errors import MediaError, UnderstudyError
from understudy.marks import library
from understudy.marks.signing import Signing
from understudy.marks.statement import ACTIONS, OURS, Statement
from understudy.marks.xmp import JPEG_BEGINS, PNG_BEGINS, boxes, is_webp

Result = TypeVar("Result")

KINDS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".png": "image/png"}
"""files that hold a manifest"""
KINDS_BESIDE = {".mkv": "video/x-matroska", ".webm": "video/webm"}
"""files that cannot, whose manifest lies beside them"""
MOST_BYTES, MOST_BOXES = 16 << 20, 10_000
"""of a manifest beside a file; of boxes in a file, with whose number the time to read it grows too fast"""
_OFFLINE: dict[str, Any] = {
    "core": {"allowed_network_hosts": [], "backing_store_memory_threshold_in_mb": 16},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
"""a file may name a manifest somewhere else: who looks at it would tell that place so"""
_SETTINGS = _OFFLINE | {"builder": {"thumbnail": {"enabled": False}}}
"""no small picture in the manifest of each picture: with it they are many times as large"""
_UNTRUSTED = "signingCredential.untrusted"


def beside(file: Path) -> Path:
    """Where the manifest of a file lies that cannot hold it."""
    return file.with_name(file.name + ".c2pa")


def sign_file(file: Path, statement: Statement, signing: Signing) -> None:
    """Puts a manifest into an MP4 or QuickTime file. It must come last: whatever changes the file later breaks it.

    Raises:
        UnderstudyError: it cannot be signed, or not be written.
    """
    kind = KINDS[file.suffix.lower()]
    with atomic_file(file) as signed, open(file, "rb") as stream, _Noting(signed, "w+b") as raw:
        try:
            with io.BufferedRandom(raw) as written:
                _beside_signals(lambda: _sign(stream, written, kind, statement, signing))
        except UnderstudyError:
            if raw.error is not None:
                raise raw.error from None
            raise


class _Noting(io.FileIO):
    """A file that remembers why it could not be written to: c2pa says no more than that it could not."""

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.error = error
            raise


def sign_png(png: bytes, statement: Statement, signing: Signing) -> bytes:
    """The bytes of a PNG file with a manifest in them."""
    written = io.BytesIO()
    _sign(io.BytesIO(png), written, KINDS[".png"], statement, signing)
    return written.getvalue()


def manifest_of(file: Path, kind: str, statement: Statement, signing: Signing) -> bytes:
    """The manifest of a file that stays as it is, for the file `beside` it.

    Args:
        kind: its MIME type.
    """
    with open(file, "rb") as stream:
        return _beside_signals(lambda: _sign(stream, io.BytesIO(), kind, statement, signing, embed=False))


def _beside_signals(work: Callable[[], Result]) -> Result:
    """Calls c2pa in a thread: signals come to the main one, and in a callback from foreign code would be lost."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def _sign(
    stream: io.IOBase, written: io.IOBase, kind: str, statement: Statement, signing: Signing, embed: bool = True
) -> bytes:
    c2pa = library.c2pa()
    key = {"alg": signing.algorithm.encode(), "sign_cert": signing.certificates, "private_key": signing.key}
    info = c2pa.C2paSignerInfo(**key, ta_url=None)
    try:
        with (
            c2pa.Settings.from_dict(_SETTINGS) as settings,
            c2pa.Context(settings) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(json.dumps(statement.manifest(kind)), context) as builder,
        ):
            if not embed:
                builder.set_no_embed()
            manifest: bytes = builder.sign(signer, kind, stream, written)
            return manifest
    except c2pa.C2paError as error:
        raise UnderstudyError(f"it cannot be signed ({_line(error)}): `marks=False` writes it unmarked") from None


@dataclass(frozen=True)
class Manifest:
    """What the newest manifest of a file says, and whether that holds."""

    intact: bool
    """signature and hashes fit: nobody has changed the file since it was signed"""
    trusted: bool
    """whether somebody on a list of trust vouches for who holds the key; never for keys made here"""
    problems: tuple[str, ...]
    """C2PA's codes of what does not fit"""
    signed_by: str
    """organisation and name in the certificate, as whoever made it wrote them"""
    certificate: str
    """serial number, hexadecimal: the same for all that one key signs"""
    program: str
    """that made the file, by its own account"""
    source_type: str | None
    """the IPTC's address for how it came to be"""
    ours: dict[str, Any] | None = field(default=None)
    """the assertion of this program: recipes, actors, consent"""


class Elsewhere(MediaError):
    """A file names a place where its manifest is; nothing is fetched."""


def read(file: Path) -> Manifest | None:
    """The manifest of a file, in it or beside it; None where there is none, and for files that cannot have one.

    Raises:
        Elsewhere: there is one, somewhere else.
        MediaError: there is one, and it cannot be read.
        OSError: the file, or the one beside it, cannot be read, whatever is in it.
    """
    kind = _kind_of(file)
    within = None if kind is None else _beside_signals(lambda: _read(file, kind, None))
    if within is not None or (manifest := _manifest_beside(file)) is None:
        return within
    taken = kind or KINDS_BESIDE.get(file.suffix.lower(), "application/octet-stream")
    return _beside_signals(lambda: _read(file, taken, manifest))


def _read(file: Path, kind: str, manifest: bytes | None) -> Manifest | None:
    c2pa = library.c2pa()
    try:
        with (
            c2pa.Settings.from_dict(_OFFLINE) as settings,
            c2pa.Context(settings) as context,
            open(file, "rb") as stream,
            c2pa.Reader(kind, stream, manifest, context=context) as reader,
        ):
            return _told(json.loads(reader.json()))
    except (LookupError, TypeError, ValueError, AttributeError):  # it can be signed, and lack parts all the same
        raise MediaError(f"the manifest of {file} cannot be read (it lacks what a manifest needs)") from None
    except c2pa.C2paError as error:
        said = f"{type(error).__name__} {error}"
        if "ManifestNotFound" in said:
            return None
        if "Remote" in said:
            raise Elsewhere(f"{file} says that its manifest is somewhere else; nothing is fetched") from None
        if manifest is None and not _names_one(file):  # damaged, or no such file at all
            return None
        raise MediaError(f"the manifest of {file} cannot be read ({_line(error)})") from None


def _kind_of(file: Path) -> str | None:
    """The MIME type of a file that can hold a manifest, by its first bytes, whatever it is called.

    Raises:
        MediaError: it has too many parts to be read in a sensible time.
    """
    with open(file, "rb") as stream:
        head = stream.read(12)
        if head[4:8] == b"ftyp":
            if sum(1 for _ in islice(boxes(stream), MOST_BOXES + 1)) > MOST_BOXES:
                raise MediaError(f"{file} has more than {MOST_BOXES} boxes: it is not looked into")
            return {b"qt  ": "video/quicktime", b"avif": "image/avif"}.get(head[8:12], "video/mp4")
    if head.startswith(PNG_BEGINS):
        return "image/png"
    if head.startswith(JPEG_BEGINS):
        return "image/jpeg"
    return "image/webp" if is_webp(head) else None


def _manifest_beside(file: Path) -> bytes | None:
    """That of a file which cannot hold one, beside it or beside what it is a link to."""
    for side in (beside(file), beside(file.resolve())):
        if side.is_file():
            if side.stat().st_size > MOST_BYTES:
                raise MediaError(f"{side} is larger than any manifest ({MOST_BYTES >> 20} MiB): it is not read")
            return side.read_bytes()
    return None


def _names_one(file: Path) -> bool:
    """Whether a file that cannot be read speaks of a manifest at all; it lies near the beginning."""
    with open(file, "rb") as stream:
        return b"c2pa" in stream.read(1 << 20)


def _told(store: dict[str, Any]) -> Manifest:
    manifest = store["manifests"][store["active_manifest"]]
    said = {one["label"].split("__")[0]: one.get("data") for one in manifest.get("assertions", [])}
    codes = [one["code"] for one in store.get("validation_status", [])]
    problems = tuple(dict.fromkeys(code for code in codes if code != _UNTRUSTED))
    signature = manifest.get("signature_info", {})
    names = (signature.get(name) for name in ("issuer", "common_name"))
    program: dict[str, Any] = next(iter(manifest.get("claim_generator_info", [])), {})
    actions = table(said.get(ACTIONS, said.get("c2pa.actions"))).get("actions")
    serial = signature.get("cert_serial_number")
    return Manifest(
        intact=not problems,
        trusted=_UNTRUSTED not in codes,
        problems=problems,
        signed_by=", ".join(str(name) for name in names if name),
        certificate=f"{int(serial):x}" if str(serial).isdigit() else "",
        program=" ".join(str(program[key]) for key in ("name", "version") if program.get(key)),
        source_type=next(
            (str(one["digitalSourceType"]) for one in tables(actions) if "digitalSourceType" in one), None
        ),
        ours=table(said.get(OURS)) or None,
    )


def table(told: object) -> dict[str, Any]:
    """What a file told, if it is a table; it may be anything. Else an empty one."""
    return told if isinstance(told, dict) else {}


def tables(told: object) -> list[dict[str, Any]]:
    """The tables in a list that a file told."""
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
