"""Words that come out of files, made fit to be shown: one line, of sensible length, that steers no terminal."""

from __future__ import annotations

import re

LONGEST = 1500
"""characters of what is said in one line"""
_KEPT_BEFORE, _KEPT_BEHIND = 1000, 400
"""characters of a longer one: its end says how to mend what its beginning complains of"""

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""what neither XML nor a terminal can do with; line ends and tabs are spaces"""
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""what makes a terminal write the other way round"""


def printable(text: str) -> str:
    """The text on one line, with a replacement character for what cannot be written or would steer a terminal."""
    return " ".join(_UNPRINTABLE.sub("\ufffd", text).split())


def shown(text: str) -> str:
    """As `printable`, for people's eyes: what would turn the direction of writing is replaced too.

    Example:
        >>> shown("two\\nlines, \\x1b[31mred")
        'two lines, \ufffd[31mred'
    """
    return printable(_TURNING.sub("\ufffd", text))


def shortened(text: str) -> str:
    """The text without its middle, if it is longer than a line should be."""
    return text if len(text) <= LONGEST else f"{text[:_KEPT_BEFORE]} ... {text[-_KEPT_BEHIND:]}"
