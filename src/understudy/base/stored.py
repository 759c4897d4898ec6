"""Numbers and words as JSON files hold them, checked: whoever wrote the file may have written anything."""

from __future__ import annotations

import re
import reprlib
from fractions import Fraction
from math import isfinite
from typing import Any

MOST_RATE = 1000
"""frames a second"""
_RATE = re.compile(r"[0-9]{1,12}(/[0-9]{1,12}|\.[0-9]{1,12})?")


def rate(value: Any) -> Fraction:
    """Frames a second, exact: "30000/1001", "25" or 25.

    Text with an exponent is refused: `Fraction` would work out a power of ten of any size, for hours.

    Raises:
        ValueError: it is no rate, or not above 0 and at most 1000.
    """
    text = str(value)
    if isinstance(value, bool) or not _RATE.fullmatch(text):
        raise ValueError(f"{brief(value)} is no rate")
    try:
        exact = Fraction(text)
    except ZeroDivisionError:
        exact = Fraction(0)
    if not 0 < exact <= MOST_RATE:
        raise ValueError(f"a rate of {brief(value)} frames a second")
    return exact


def word(value: Any) -> str:
    """Text.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, str):
        raise ValueError(f"{brief(value)} is no text")
    return value


def number(value: Any) -> float:
    """A number that is one.

    Raises:
        ValueError: it is something else, NaN or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300 or not isfinite(value):
        raise ValueError(f"{brief(value)} is no number")
    return float(value)


def whole(value: Any, least: int = 0, most: int = 2**53) -> int:
    """A whole number between two others, both of which it may be.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{brief(value)} is no whole number from {least} to {most}")
    return value


def truth(value: Any) -> bool:
    """Yes or no.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{brief(value)} is neither true nor false")
    return value


def brief(value: object) -> str:
    """A few words of it, whatever it is."""
    return reprlib.repr(value)
