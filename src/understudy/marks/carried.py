"""What files that were given say of how they came to be: it goes on to what is made of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from understudy.errors import MediaError
from understudy.marks import manifest, xmp
from understudy.marks.statement import COMPOSITE, GENERATED
from understudy.media.opening import open_input


def says_generated(file: Path) -> bool:
    """Whether a file's manifest or metadata says that it, or a part of it, was generated.

    It is a word, not a proof; a manifest counts even if the file was changed since. Nothing is decoded, so the
    invisible mark is not looked for.
    """
    return any(kind.rpartition("/")[2] in (GENERATED, COMPOSITE) for kind in _source_types(file))


def metadata_of(file: Path) -> str | None:
    """The IPTC's address that a file's metadata (XMP) gives for how it came to be; None where it gives none.

    Raises:
        OSError: the file cannot be read.
    """
    packet = xmp.found_in(file)
    if packet is None and file.suffix.lower() in manifest.KINDS_BESIDE:
        packet = _tag_of(file)
    return None if packet is None else xmp.source_type(packet)


def _source_types(file: Path) -> Iterable[str]:
    """The IPTC's addresses that a file gives for how it came to be."""
    try:
        signed = manifest.read(file)
    except (MediaError, OSError):  # damaged, somewhere else, or not to be read
        signed = None
    told = None if signed is None else signed.source_type, metadata_of(file)
    return [kind for kind in told if kind is not None]


def _tag_of(file: Path) -> str | None:
    """The packet in a container that has no place of its own for it."""
    try:
        with open_input(file) as container:
            return next((value for name, value in container.metadata.items() if name.lower() == xmp.TAG), None)
    except MediaError:
        return None
