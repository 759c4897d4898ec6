"""`verify`: which marks a file bears, what they say, and whether it was changed since it was signed."""

from __future__ import annotations

import json as json_text
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from understudy.base.arguments import StrPath
from understudy.base.progress import Advance, progress_bar
from understudy.base.sandbox import Limits, Place, only, place
from understudy.errors import UnderstudyError, UsageError
from understudy.marks import told

if TYPE_CHECKING:
    from understudy.forensics.opinion import Opinion
    from understudy.marks.finding import Found
    from understudy.marks.manifest import Manifest

Verdict = Literal["generated", "otherwise", "unmarked", "unreadable", "changed"]
SAID: dict[Verdict, str] = {
    "generated": "says that it was generated",
    "otherwise": "says how it was made, and not that it was generated",
    "unmarked": "no marks found",
    "unreadable": "cannot be read",
    "changed": "was changed after it was signed, or its manifest is damaged",
}
EXIT_CODES: dict[Verdict, int] = {"generated": 0, "otherwise": 1, "unmarked": 1, "unreadable": 2, "changed": 3}
"""of the command, whose worst file counts"""
NOT_PROVEN = """\
What this does not prove. No marks: uploads strip them, and other programs write none. An intact manifest: that what it
says is true; whoever holds the key said so. A key that nobody vouches for: anybody can make one, by any name. Metadata
(XMP): anybody can write it. An invisible mark: anybody can put ours into any video, or take it out with effort."""
OPINION_WORTH = """\
The detector's opinion proves nothing and changes no exit code. What it knows is little:"""
LIMITS = Limits()
"""of the child that looks at the files"""
ASK_FOR_OPINION = "Of videos without marks the detector has an opinion, which is no proof: understudy verify --detect"


@dataclass(frozen=True)
class Marks:
    """The marks of one file."""

    file: Path
    manifest: Manifest | None
    """signed (C2PA): the newest, in the file or beside it"""
    damage: str | None
    """why there is a manifest that cannot be read"""
    elsewhere: bool
    """whether the file says that its manifest is somewhere else, where nobody looks"""
    metadata: str | None
    """the IPTC's address for how the file came to be, in its XMP, which nobody signs"""
    invisible: Found | None = None
    """the invisible mark, of this program alone"""
    sought: bool = False
    """whether there was film enough to look for one"""
    opinion: Opinion | None = None
    """of the detector, where it was asked for and there are no marks; it counts for nothing in `verdict`"""
    error: str | None = None
    """why the file cannot be read"""

    @property
    def verdict(self) -> Verdict:
        """The worst that the marks say together."""
        from understudy.marks.statement import says_generated

        if self.error is not None:
            return "unreadable"
        if self.damage is not None or (self.manifest is not None and not self.manifest.intact):
            return "changed"
        signed = None if self.manifest is None else self.manifest.source_type
        kinds = [kind for kind in (signed, self.metadata) if kind is not None]
        if self.invisible is not None or any(map(says_generated, kinds)):
            return "generated"
        return "otherwise" if kinds or self.manifest is not None else "unmarked"

    def __str__(self) -> str:
        if self.error is not None:
            return _shown(f"{self.file}: {self.error}")
        lines = [f"{self.file}: {SAID[self.verdict]}", *self._of_manifest()]
        lines.append(f"  metadata (XMP): {_word(self.metadata) if self.metadata else 'none'}")
        lines.append(f"  invisible mark: {self._of_invisible()}")
        if self.opinion is not None:
            lines.append(f"  the detector's opinion, no proof: {self.opinion}")
        return "\n".join(map(_shown, lines))

    def _of_invisible(self) -> str:
        from understudy.marks.statement import shown_identity

        if self.invisible is None:
            return "none" if self.sought else "not looked for, which takes some seconds of film"
        identity = shown_identity(self.invisible.payload.identity)
        told = None if self.manifest is None else (self.manifest.ours or {}).get("invisible_mark")
        if told is None:
            same = ""
        else:
            same = ", which the manifest names" if told == identity else f"; the manifest names another, {told}"
        also = [word for word in ("mirrored", "faint") if getattr(self.invisible, word)]
        return ", ".join([f"understudy's, {identity}{same}", *also])

    def record(self) -> dict[str, Any]:
        """The same for programs."""
        from understudy.marks.statement import shown_identity

        record = {"verdict": self.verdict, **asdict(self), "file": str(self.file)}
        if self.invisible is not None:
            record["invisible"] = {
                "identity": shown_identity(self.invisible.payload.identity),
                "strength": round(self.invisible.strength, 1),
                "scale": round(self.invisible.scale, 4),
                "mirrored": self.invisible.mirrored,
                "faint": self.invisible.faint,
            }
        return record

    def _of_manifest(self) -> list[str]:
        from understudy.marks.manifest import table, tables

        found = self.manifest
        if found is None:
            none = "somewhere else, by the file's own account; nothing is fetched" if self.elsewhere else "none"
            return [f"  manifest (C2PA): {self.damage or none}"]
        state = "intact" if found.intact else f"broken ({', '.join(found.problems)})"
        vouched = "somebody vouches for its key" if found.trusted else "nobody vouches for its key"
        lines = [
            f"  manifest (C2PA): {state}; signed by {found.signed_by or 'nobody named'}; {vouched}",
            f"    made with {found.program or 'a program not named'}: {_word(found.source_type)}",
            f"    certificate {found.certificate}",
        ]
        for one in tables((found.ours or {}).get("performers")):
            consent = table(one.get("consent"))
            lines.append(f"    performs: an actor of {one.get('recipe')}, SHA-256 {one.get('actor_sha256')}")
            lines.append(f"    consent: {consent.get('text')} ({consent.get('time')})")
        return lines


@dataclass(frozen=True)
class Verified:
    """What `verify` found; as text it is the report."""

    files: tuple[Marks, ...]
    json: bool = False
    """whether the text is JSON"""
    detect: bool = False
    """whether the detector was asked"""

    @property
    def exit_code(self) -> int:
        """0: all say that they were generated; 1: some do not; 3: some were changed after they were signed."""
        return max(EXIT_CODES[one.verdict] for one in self.files)

    def record(self) -> list[dict[str, Any]]:
        """The same for programs: one object for each file."""
        return [one.record() for one in self.files]

    def __str__(self) -> str:
        if self.json:
            return json_text.dumps(self.record(), indent=1)
        parts: list[str] = []
        by_folder: dict[Path, list[Marks]] = {}
        for one in self.files:
            by_folder.setdefault(one.file.parent, []).append(one)
        for folder, some in by_folder.items():
            parts += [_pictures(folder, some)] if _is_series(some) else [str(one) for one in some]
        return "\n".join([*parts, NOT_PROVEN, *self._of_opinions()])

    def _of_opinions(self) -> list[str]:
        """What opinions are worth; or that there could be some."""
        worth = next((one.opinion for one in self.files if one.opinion is not None and one.opinion.trust), None)
        if worth is not None:
            sentences = [f"- {one}" for one in worth.trust]
            return [_shown(line) for line in [OPINION_WORTH, f"- {worth.trained_on}", *sentences]]
        return [] if self.detect or all(one.verdict != "unmarked" for one in self.files) else [ASK_FOR_OPINION]


def verify(files: Sequence[StrPath], *, json: bool = False, detect: bool = False, sandbox: bool = True) -> Verified:
    """Says which marks files bear that tell how they were made, without any network.

    Looks for a signed manifest (C2PA), in the file or in FILE.c2pa beside it, of this or any other program, for
    metadata (XMP) in PNG, JPEG, WebP, MP4, QuickTime, Matroska and WebM files, and for this program's invisible mark
    in the first minute of a video, or in six parts of a longer one. Exit codes of the command: 0, every file says
    that it was generated; 1, some do not; 2, some cannot be read, or another error; 3, some were changed after they
    were signed. An opinion of the detector changes none of them.

    Args:
        files: videos and pictures; of a folder all its PNG files.
        json: print what was found as JSON.
        detect: of videos without marks tell what the detector thinks, too. It takes about as long as they last, needs
            the tracker's networks, and is an opinion, no proof; where it cannot know, it says why.
        sandbox: decode the files in a child process with limits, since they may be anybody's (SECURITY.md has them);
            `sandbox=False` decodes them in this process.

    Returns:
        What was found; `.files` has the marks of each file.

    Raises:
        UsageError: nothing is named, or a folder has no pictures.

    Example:
        print(verify(["out.mp4"]))

    Shell:
        $ understudy verify out.mp4
        $ understudy verify out.mp4 frames --json
        $ understudy verify out.mp4 --detect
    """
    given = [files] if isinstance(files, str | Path) else files
    series = [_files_of(Path(name)) for name in given]
    if not series:
        raise UsageError("`verify` needs a file to look at: name one or more")
    with (
        place(sandbox, LIMITS) as where,
        progress_bar("looking for marks", sum(map(len, series)), unit="files") as advance,
    ):
        found = [one for files in series for one in _marks_of_series(files, where, advance)]
    return Verified(tuple(_with_opinions(found, sandbox) if detect else found), json, detect)


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    pictures = sorted(one for one in path.iterdir() if one.suffix.lower() == ".png" and one.is_file())
    if not pictures:
        raise UsageError(f"{path} is a folder without PNG files: name a video, or a folder of pictures")
    return pictures


def _marks_of_series(files: Sequence[Path], where: Place, advance: Advance) -> list[Marks]:
    """Of one file, or of the pictures of a folder, which are taken for those of one film."""
    marks = []
    for file in files:
        marks.append(_marks_of(file, where))
        advance()
    readable = [one for one in marks if one.error is None]
    try:
        return _with_invisible(marks, readable, where)
    except (UnderstudyError, OSError) as error:
        if len(readable) == 1:
            return _unreadable(marks, error)
        return _without_the_broken(marks, where, error)


def _with_invisible(marks: Sequence[Marks], film: Sequence[Marks], where: Place) -> list[Marks]:
    """Those that can be read, with the invisible mark of the film that some of them are."""
    if not film:
        return list(marks)
    sought, invisible = told.sought_of(only(where.run(told.sought, [str(one.file) for one in film])))
    return [one if one.error else replace(one, invisible=invisible, sought=sought) for one in marks]


def _without_the_broken(marks: Sequence[Marks], where: Place, error: Exception) -> list[Marks]:
    """Of pictures that ended the search together: each is decoded alone, and the search goes on without the guilty.

    Args:
        error: in which it ended.
    """
    from understudy.marks.films import MOST_PICTURES

    readable = [number for number, one in enumerate(marks) if one.error is None][:MOST_PICTURES]  # as it looks at them
    tried = list(marks)
    for number in readable:
        tried[number] = _decoded(marks[number], where)
    film = [tried[number] for number in readable if tried[number].error is None]
    if len(film) == len(readable):  # none is guilty by itself
        return _unreadable(marks, error)
    try:
        return _with_invisible(tried, film, where)
    except (UnderstudyError, OSError) as last:
        return _unreadable(tried, last)


def _unreadable(marks: Sequence[Marks], error: Exception) -> list[Marks]:
    """The same; those that could be read so far, cannot."""
    return [one if one.error else replace(one, error=f"cannot be read ({error})") for one in marks]


def _decoded(one: Marks, where: Place) -> Marks:
    """The marks of a picture, or that it cannot be read because it ends its decoder."""
    try:
        only(where.run(told.decoded, str(one.file)))
    except (UnderstudyError, OSError) as error:
        return _unreadable([one], error)[0]
    return one


def _marks_of(file: Path, where: Place) -> Marks:
    try:
        if not file.is_file():
            return Marks(file, None, None, False, None, error=_why_no_file(file))
        return Marks(file, *told.read_of(only(where.run(told.read, str(file)))))
    except UnderstudyError as error:
        return Marks(file, None, None, False, None, error=f"cannot be read ({error})")
    except OSError as error:
        other = error.filename is not None and Path(os.fsdecode(error.filename)) != file
        named = f"{os.fsdecode(error.filename)}: " if other else ""
        return Marks(file, None, None, False, None, error=f"cannot be read ({named}{error.strerror or error})")


def _why_no_file(file: Path) -> str:
    if file.exists():
        return "it is a pipe or a device, whose marks cannot be looked for: copy what it gives into a file"
    return "it is a link to a file that is not there" if file.is_symlink() else "there is no such file"


def _with_opinions(marks: Sequence[Marks], sandbox: bool) -> list[Marks]:
    """The same, with what the detector thinks of those that bear no marks."""
    from understudy.forensics.detect import Judge, looking_place
    from understudy.forensics.opinion import OF_PICTURES, opinion_of
    from understudy.media.images import is_image

    if all(one.verdict != "unmarked" for one in marks):
        return list(marks)
    judge, heard = Judge(), []
    with looking_place(sandbox) as where:
        for one in marks:
            if one.verdict != "unmarked":
                heard.append(one)
            elif is_image(one.file):
                heard.append(replace(one, opinion=OF_PICTURES))
            else:
                heard.append(replace(one, opinion=opinion_of(one.file, where, judge)))
    return heard


def _shown(line: str) -> str:
    """A line that steers no terminal: what files say of themselves may be anything."""
    from understudy.texts import shown

    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + shown(line)


def _word(kind: str | None) -> str:
    """The last part of the IPTC's address, which is what it is called."""
    return "not said how" if kind is None else kind.rpartition("/")[2]


def _is_series(some: Sequence[Marks]) -> bool:
    """Whether these are pictures of one series, of which one speaks for all."""
    return len(some) > 3 and all(one.file.suffix.lower() == ".png" for one in some)


def _pictures(folder: Path, some: Sequence[Marks]) -> str:
    counts = Counter(one.verdict for one in some)
    lines = [f"{folder}: {len(some)} pictures"]
    for verdict, count in counts.items():
        first = next(one for one in some if one.verdict == verdict)
        lines.append(f"{count} of them, the first is\n{first}")
    return "\n".join(lines)
