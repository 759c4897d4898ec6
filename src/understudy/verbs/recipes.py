"""`recipes`: which methods there are, with all their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.recipes.parts.recipe import Recipe

WIDTH = 78
"""columns of a listing"""


@dataclass(frozen=True)
class Catalogue:
    """What `list_recipes` found; as text it is the listing."""

    recipes: dict[str, Recipe]
    """by name, as users write it"""
    whole: bool
    """whether every number is listed"""

    def __str__(self) -> str:
        listed = [_whole(name, one) if self.whole else _brief(name, one) for name, one in self.recipes.items()]
        more = [] if self.whole else ["every number of one: understudy recipes NAME"]
        return "\n\n".join([*listed, *more])


def list_recipes(name: str | None = None) -> Catalogue:
    """Lists the methods: presets, variants, and with a name every number that can be set.

    Any number can be changed: `train`, `clone` and `evaluate` take NAME=VALUE, several times, as `settings`. The last
    word of a name will do where it is the only one. A variant is an ablation of the method's paper; `train` and `clone`
    take one as `variant`.

    Args:
        name: the method whose numbers are wanted, with unit, default and source; left out, all methods in short.

    Returns:
        The listing; `.recipes` are the recipes themselves.

    Raises:
        UsageError: there is no such recipe.

    Example:
        print(list_recipes("everybody-dance-now"))

    Shell:
        $ understudy recipes
        $ understudy recipes everybody-dance-now
    """
    from understudy.errors import UsageError
    from understudy.recipes import every, names
    from understudy.recipes import recipe as find

    if name is not None and name not in names():
        raise UsageError(f"there is no recipe {name!r}; choose one of {', '.join(names())}")
    return Catalogue(dict(every()) if name is None else {name: find(name)}, whole=name is not None)


def _brief(name: str, one: Recipe) -> str:
    lines = [name, _filled(one.paper or f"{one.title}; ours, of no paper"), f"    presets: {', '.join(one.presets)}"]
    if one.variants:
        said = f"variants: {'; '.join(one.variants)}"
        lines.append(_filled(said, " " * 8))
    return "\n".join(lines)


def _whole(name: str, one: Recipe) -> str:
    from understudy.recipes.parts.settings import numbers, wanted

    presets = {
        preset: {number.name: number.value for number in numbers(make())} for preset, make in one.presets.items()
    }
    lines = [_brief(name, one), "", "numbers, with the default and what presets make of it:"]
    for number in numbers(one.config):
        others: dict[str, list[str]] = {}
        for preset, values in presets.items():
            if values[number.name] != number.value:
                others.setdefault(_said(values[number.name]), []).append(preset)
        changed = "".join(f"; {', '.join(names)}: {value}" for value, names in others.items())
        lines.append(f"  {number.name} = {_said(number.value)}{changed}")
        lines.append(_filled(f"({wanted(number.kind)}) {number.text}".strip()))
    return "\n".join(lines)


def _said(value: Any) -> str:
    """As `--set` reads it."""
    if isinstance(value, tuple):
        return ",".join(_said(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else str(value)


def _filled(text: str, then: str = " " * 4) -> str:
    from textwrap import TextWrapper

    whole_words = TextWrapper(WIDTH, " " * 4, then, break_long_words=False, break_on_hyphens=False)
    return whole_words.fill(text)
