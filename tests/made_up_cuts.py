"""What recipes would export of actors with random weights, and poses of all 133 points."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from tiny import shrunk
from understudy.recipes import recipe


def arrays(contents, seed=0):
    """Random arrays of the kinds and shapes that an actor of a recipe must hold."""
    rng = np.random.default_rng(seed)
    return {
        name: (
            rng.integers(0, 256, shape).astype(dtype)
            if np.dtype(dtype).kind == "u"
            else (0.05 + 0.1 * rng.random(shape)).astype(dtype)
        )
        for name, (dtype, shape) in contents.items()
    }


def made_up(name, variant=None, **changes):
    """A recipe's cuts, its config, and the statistics they were made with; what is said of conditions as files have it.

    Args:
        changes: of the small config.
    """
    one = recipe(name)
    config = replace(shrunk(one.preset("preview", variant)), **changes)
    weights, statistics = (arrays(contents) for contents in one.contents(config))
    cuts = one.cuts(config, weights, statistics)
    return [replace(cut, condition=json.loads(json.dumps(cut.condition))) for cut in cuts], config, statistics


def poses(count, size_hw, seed=3):
    """Points `(count, 133, 2)` float32, some of them outside the picture, and confidence, some of it 0.

    In one pose all points are one, where lines are dots.
    """
    rng = np.random.default_rng(seed)
    height, width = size_hw
    xy = rng.uniform(-0.2, 1.2, (count, 133, 2)) * (width, height)
    xy[-1] = xy[-1, :1]
    confidence = rng.choice([0, 0.05, 0.5, 1], (count, 133), p=[0.1, 0.1, 0.4, 0.4])
    return xy.astype(np.float32), confidence.astype(np.float32)
