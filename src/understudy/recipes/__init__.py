"""One file per method. The folder is the list: every file is a recipe, and `parts/` holds what they are made of."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from understudy.base.arguments import Landmarks, check_choice
from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.performance import Performance
    from understudy.recipes.parts.recipe import Recipe


def names() -> tuple[str, ...]:
    """The recipes by name, as users write them: the names of the files here, with dashes. None of them is imported."""
    return tuple(sorted(found.name.replace("_", "-") for found in iter_modules(__path__) if not found.ispkg))


def recipe(name: str) -> Recipe:
    """A recipe by its name. Imports PyTorch.

    Raises:
        UsageError: there is no such recipe.
    """
    check_choice("recipe", name, names())
    found: Recipe = import_module(f"{__name__}.{name.replace('-', '_')}").RECIPE
    return found


def every() -> Iterator[tuple[str, Recipe]]:
    """All recipes with their names."""
    return ((name, recipe(name)) for name in names())


def landmarks_for(named: Iterable[str]) -> Landmarks:
    """What has to be tracked for all of some recipes: face and hands too, if any of them plays by these."""
    return "wholebody" if any(recipe(name).landmarks == "wholebody" for name in named) else "body"


def as_tracked_for(name: str, performance: Performance) -> Performance:
    """What was tracked for several recipes together, as this one alone has it: it was not taught faces and hands."""
    from understudy.poses.pose import FEET, Pose

    if recipe(name).landmarks == performance.header.landmarks or performance.header.landmarks == "body":
        return performance
    seen = copy.copy(performance)
    confidence = performance.poses.confidence.copy()
    confidence[:, FEET.stop :] = 0
    seen.poses = Pose(performance.poses.xy, confidence, performance.poses.size_hw)
    return seen


def name_of(config: Any) -> str:
    """The name of the recipe that a config belongs to.

    Raises:
        UsageError: it is a config of none.
    """
    for name, one in every():
        if type(config) is one.config:
            return name
    raise UsageError(f"`config` {type(config).__name__}: it is of no recipe; take one that a recipe's presets return")
