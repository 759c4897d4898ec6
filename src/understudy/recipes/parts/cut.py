"""What a recipe gives to other programs: its networks that take tensors and make pictures, and how they are fed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from understudy.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

    from understudy.recipes.parts.trained import Arrays

RGB = ("red", "green", "blue")


@dataclass(frozen=True)
class Cut:
    """One network cut out of an actor, with one input and one output."""

    name: str
    """of what comes after the main network, "face" or "texture"; "" for the main one"""
    network: nn.Module
    """on the CPU, ready to generate: `(B, C, H, W)` float32 to `(B, D, H, W)`"""
    size_hw: tuple[int, int]
    """pixels: H and W, the same of what goes in and what comes out"""
    given: tuple[str, ...]
    """what each of the C channels is"""
    made: tuple[str, ...]
    """what each of the D channels is"""
    condition: dict[str, Any]
    """JSON-able: how the channels are drawn, in the words of `exporting/conditions.py`"""
    use: str
    """what to do with what comes out, in one line"""
    played: nn.Module | None = None
    """what the recipe's player asks, given the same, where `network` is made around it; None: one of the same kind"""
    at_once: int | None = None
    """B, where a program wants it fixed; None for any number"""


Cuts = Callable[[Any, "Arrays", "Arrays"], tuple[Cut, ...]]
"""config, weights and statistics of a `Trained` -> its networks, in the order in which they are used"""


def nothing_to_cut(why: str) -> Cuts:
    """`Recipe.cuts` of recipes that have no network from tensors to a picture.

    Args:
        why: it has none, as the end of a sentence.
    """

    def cuts(config: Any, weights: Arrays, statistics: Arrays) -> tuple[Cut, ...]:
        raise UsageError(
            f"there is no network to export: {why}; train the same reference with pix2pix, performance-cloning, "
            "everybody-dance-now, poses-in-the-wild or cyclegan, and export that actor"
        )

    return cuts


def flat_colour_of(statistics: Arrays) -> list[int] | None:
    """The colour behind the person, RGB, 0-255, as JSON has it; None where the room is painted."""
    return [int(value) for value in statistics["flat_colour"]] if "flat_colour" in statistics else None
