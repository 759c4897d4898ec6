"""What the marks of a file say: how it was made, with whose consent. No path, no name of a machine or account."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.consent import Consent, comment_of
from understudy.texts import printable

VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""of the IPTC: how a picture came to be"""
GENERATED, COMPOSITE = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
"""all of it generated; generated parts together with what was filmed"""
ACTIONS, OURS = "c2pa.actions.v2", "org.understudy.performance"
"""labels of a manifest's assertions: the standard's, and our own"""
PROGRAM = "understudy"


@dataclass(frozen=True)
class Performer:
    """Somebody who is shown doing what they did not do."""

    recipe: str
    actor_sha256: str
    """of what was learnt, see `performing.marked_video.performer_of`"""
    consent: Consent


@dataclass(frozen=True)
class Statement:
    """What is said of one file."""

    performers: tuple[Performer, ...]
    composite: bool
    """whether what was filmed is in it too, a room or a driver; else performers stand before a colour, or nothing"""
    version: str
    """of this program"""
    invisible: int | None = None
    """the identity that the invisible mark carries, 40 bits"""

    @property
    def source_type(self) -> str:
        """The IPTC's address for how it came to be."""
        return VOCABULARY + (COMPOSITE if self.composite else GENERATED)

    @property
    def comment(self) -> str:
        """One line for people, which players show."""
        if not self.performers:  # they are not known here: of what was made before, clips were put together
            return f"something in it was generated; put together by {PROGRAM} {self.version}"
        return comment_of([one.consent for one in self.performers], self.version)

    def identity(self, luma: npt.NDArray[np.uint8]) -> int:
        """40 bits for the invisible mark: others for other people or pictures, and the same when it is made again.

        Args:
            luma: brightness of the first picture, uint8 (H, W).
        """
        digest = hashlib.sha256(repr(self.performers).encode())
        digest.update(np.ascontiguousarray(luma).data)
        return int.from_bytes(digest.digest()[:5], "big")

    def manifest(self, kind: str) -> dict[str, Any]:
        """The C2PA manifest's definition, as JSON has it.

        Args:
            kind: of the file, a MIME type.
        """
        program = {"name": PROGRAM, "version": self.version}
        created = {
            "action": "c2pa.created",
            "digitalSourceType": self.source_type,
            "softwareAgent": program,
            "description": "motion transfer: somebody is shown in poses taken from other footage",
        }
        return {
            "claim_generator_info": [program],
            "format": kind,
            "assertions": [
                {"label": ACTIONS, "data": {"actions": [created]}},
                {"label": OURS, "data": self._ours()},
            ],
        }

    def _ours(self) -> dict[str, Any]:
        told: dict[str, Any] = {"version": 1, "performers": [_told(one) for one in self.performers]}
        if self.invisible is not None:
            told["invisible_mark"] = shown_identity(self.invisible)
        return told


def says_generated(kind: str | None) -> bool:
    """Whether a digital source type, the IPTC's address or its last part, is one of what was generated."""
    return kind is not None and kind.rpartition("/")[2] in (GENERATED, COMPOSITE)


def shown_identity(identity: int) -> str:
    """As people and manifests write it: ten hexadecimal digits."""
    return f"{identity:010x}"


def _told(one: Performer) -> dict[str, Any]:
    return {
        "recipe": one.recipe,
        "actor_sha256": one.actor_sha256,
        "consent": {"text": printable(one.consent.text), "time": printable(one.consent.time)},
    }
