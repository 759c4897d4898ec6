"""Marks a file as generated, before it takes its name: metadata first, the signature last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.base.files import atomic_file
from understudy.marks import manifest, xmp
from understudy.marks.signing import Signing
from understudy.marks.statement import Statement


@dataclass(frozen=True)
class Marking:
    """What `VideoWriter` asks of who marks its files; one for each file."""

    statement: Statement
    signing: Signing

    @property
    def tags(self) -> dict[str, str]:
        """For the container's own metadata."""
        return {"comment": self.statement.comment, xmp.TAG: xmp.packet(self.statement)}

    @property
    def texts(self) -> dict[str, str]:
        """For the text chunks of a PNG file, by keyword."""
        return {"Comment": self.statement.comment, xmp.PNG_KEYWORD: xmp.packet(self.statement)}

    def png(self, picture: bytes) -> bytes:
        """A PNG file with its texts in it -> the same, signed."""
        return manifest.sign_png(picture, self.statement, self.signing)

    def file(self, finished: Path, named: Path) -> None:
        """Marks a video that is finished and will be called `named`.

        Raises:
            UnderstudyError: it cannot be signed, or not be written.
        """
        suffix = named.suffix.lower()
        if suffix in manifest.KINDS:
            xmp.append_box(finished, xmp.packet(self.statement))
            manifest.sign_file(finished, self.statement, self.signing)
            return
        content = manifest.manifest_of(finished, manifest.KINDS_BESIDE[suffix], self.statement, self.signing)
        with atomic_file(manifest.beside(named)) as part:
            part.write_bytes(content)
