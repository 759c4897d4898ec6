"""Every recipe at a size that trains within a second, for tests of what all recipes have alike."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tiny import session_for, shrunk, tiny_performance
from understudy.recipes import recipe
from understudy.recipes.parts.recipe import Recipe
from understudy.recipes.parts.trained import Trained


@dataclass(frozen=True)
class Learnt:
    """What a recipe made of a tiny performance."""

    recipe: Recipe
    trained: Trained

    def player(self, frames=0):
        return self.recipe.player(self.trained.config, self.trained.weights, self.trained.statistics, "cpu", frames)


@pytest.fixture(scope="session")
def learnt_small(tmp_path_factory):
    """A function: name of a recipe, perhaps a variant -> `Learnt`; each is trained once."""
    folder = tmp_path_factory.mktemp("small")
    me, dance = (tiny_performance(folder / f"{name}.performance", seed) for seed, name in enumerate(("me", "dance"), 1))
    made: dict[tuple[str, str | None], Learnt] = {}

    def learn(name, variant=None):
        if (name, variant) not in made:
            one = recipe(name)
            config = shrunk(one.preset("preview", variant))
            unpaired = [dance] if one.learns_from(config) else []
            session = session_for(name, config, me, folder / f"{name} {len(made)}", unpaired, device="cpu")
            made[name, variant] = Learnt(one, one.learn(session))
        return made[name, variant]

    return learn
