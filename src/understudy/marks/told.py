"""Reads the marks of files where a decoder can do no harm, and reads again what is told of them.

What comes back may have been said by a child process that was taken over: of every field the type is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.base.progress import Advance, progress_bar
from understudy.base.sandbox import UNTRUE, Place, only
from understudy.base.stored import number, truth, whole, word
from understudy.errors import MediaError, SandboxError, UnderstudyError

if TYPE_CHECKING:
    from understudy.marks.finding import Found
    from understudy.marks.manifest import Manifest


def read(advance: Advance, path: str) -> Iterator[dict[str, Any]]:
    """What stands in one file: its manifest, or why that cannot be read, whether it is elsewhere; its metadata.

    Raises:
        OSError: the file cannot be read.
    """
    from understudy.marks import manifest
    from understudy.marks.carried import metadata_of

    file = Path(path)
    told: dict[str, Any] = {"metadata": metadata_of(file), "manifest": None, "damage": None, "elsewhere": False}
    try:
        found = manifest.read(file)
        told["manifest"] = None if found is None else asdict(found)
    except manifest.Elsewhere:
        told["elsewhere"] = True
    except MediaError as error:
        told["damage"] = str(error)
    yield told


def sought(advance: Advance, paths: list[str]) -> Iterator[dict[str, Any]]:
    """The invisible mark of a video, or of the film whose pictures these are, and whether there was film enough."""
    from understudy.marks.films import in_film, in_pictures
    from understudy.media.reading import is_video

    files = [Path(path) for path in paths]
    try:
        found = in_film(files[0], advance) if is_video(files[0]) else in_pictures(files, advance)
    except (UnderstudyError, OSError):  # too short, a picture alone, damaged: what can be said of that was said
        yield {"sought": False, "found": None}
        return
    yield {"sought": True, "found": None if found is None else asdict(found)}


def decoded(advance: Advance, path: str) -> Iterator[bool]:
    """Whether a picture can be decoded; one that breaks its decoder does so alone here."""
    from understudy.media.images import read_image

    try:
        read_image(path)
    except MediaError:
        yield False
    else:
        yield True


def marks_that_say_so(file: Path, where: Place) -> tuple[str, ...]:
    """The marks of a video that say that it was generated, in words; without them, and where they cannot be read, none.

    Frames in which the invisible one is sought are counted on stderr: there may be a minute of them.

    Args:
        where: the file is read.
    """
    from understudy.marks.statement import says_generated

    try:
        manifest, _, _, metadata = read_of(only(where.run(read, str(file))))
        with progress_bar("looking for marks", None) as advance:
            _, invisible = sought_of(only(where.run(sought, [str(file)], advance=advance)))
    except (UnderstudyError, OSError):
        return ()
    signed = manifest is not None and manifest.intact and says_generated(manifest.source_type)
    there = {
        "a signed manifest": signed,
        "metadata": says_generated(metadata),
        "understudy's invisible mark": invisible is not None,
    }
    return tuple(words for words, is_there in there.items() if is_there)


def read_of(said: Any) -> tuple[Manifest | None, str | None, bool, str | None]:
    """Manifest, damage, elsewhere and metadata, of which `read` told.

    Raises:
        SandboxError: it is no such thing.
    """
    try:
        manifest = None if said["manifest"] is None else _manifest_of(said["manifest"])
        return manifest, _text_or_none(said["damage"]), truth(said["elsewhere"]), _text_or_none(said["metadata"])
    except (KeyError, TypeError, ValueError):
        raise SandboxError(UNTRUE) from None


def sought_of(said: Any) -> tuple[bool, Found | None]:
    """Whether there was film enough, and the invisible mark, of which `sought` told.

    Raises:
        SandboxError: it is no such thing.
    """
    try:
        return truth(said["sought"]), None if said["found"] is None else _found_of(said["found"])
    except (KeyError, TypeError, ValueError):
        raise SandboxError(UNTRUE) from None


def _manifest_of(said: Any) -> Manifest:
    from understudy.marks.manifest import Manifest

    ours = said["ours"]
    if ours is not None and not isinstance(ours, dict):
        raise ValueError("no table")
    return Manifest(
        intact=truth(said["intact"]),
        trusted=truth(said["trusted"]),
        problems=tuple(map(word, said["problems"])),
        signed_by=word(said["signed_by"]),
        certificate=word(said["certificate"]),
        program=word(said["program"]),
        source_type=_text_or_none(said["source_type"]),
        ours=ours,
    )


def _found_of(said: Any) -> Found:
    from understudy.marks.finding import Found
    from understudy.marks.invisible import IDENTITY_BITS, Payload

    payload = Payload(whole(said["payload"]["identity"], most=(1 << IDENTITY_BITS) - 1))
    return Found(payload, number(said["strength"]), number(said["scale"]), truth(said["mirrored"]))


def _text_or_none(said: Any) -> str | None:
    return None if said is None else word(said)
