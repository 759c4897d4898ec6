"""One file per method: a module in this folder is a recipe, and nothing else makes one."""

from __future__ import annotations

import pkgutil


def names() -> tuple[str, ...]:
    """The recipes there are, in alphabetical order. The folder is looked at; no recipe is imported."""
    modules = (module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)
    return tuple(sorted(name.replace("_", "-") for name in modules))
