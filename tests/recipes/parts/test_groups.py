"""Groups of numbers: what a paper prints by default, and numbers that make no sense refused by name."""

import json
import re
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from understudy.conditioning.clips import random_similarity
from understudy.recipes.parts.groups import Augmentation, Optimisation, Placement
from understudy.retargeting.augmentation import PoseNoise

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("group", "changes", "message"),
    [
        (
            Placement,
            {"normalization": "magic"},
            "normalization must be similarity, ground or ground-printed, not magic",
        ),
        (Placement, {"scale_by": "feet"}, "scale_by must be hips or body, not feet"),
        (Augmentation, {"rotate": -1}, "rotate must be at least 0, not -1"),
        (Augmentation, {"zoom": NAN}, "zoom must be at least 0, not nan"),
        (Augmentation, {"shift": INFINITE}, "shift must be at least 0, not inf"),
        (Optimisation, {"batch": 0}, "batch must be at least 1, not 0"),
        (Optimisation, {"learning_rate": 0.0}, "learning_rate must be above 0, not 0.0"),
        (Optimisation, {"learning_rate": INFINITE}, "learning_rate must be above 0, not inf"),
        (Optimisation, {"betas": (0.5, 1.0)}, "betas must be two numbers of at least 0 and below 1, not (0.5, 1.0)"),
        (Optimisation, {"betas": (-0.1, 0.9)}, "betas must be two numbers of at least 0 and below 1"),
        (Optimisation, {"betas": (0.5,)}, "betas must be two numbers of at least 0 and below 1, not (0.5,)"),
        (Optimisation, {"initial_deviation": -0.1}, "initial_deviation must be at least 0, not -0.1"),
        (Optimisation, {"ema_decay": 1.0}, "ema_decay must be at least 0 and below 1, not 1.0"),
        (Optimisation, {"ema_decay": NAN}, "ema_decay must be at least 0 and below 1, not nan"),
        (PoseNoise, {"drop": 1.5}, "pose drop is a probability between 0 and 1, not 1.5"),
        (PoseNoise, {"jitter": -1}, "pose jitter and stretch must be at least 0, not -1 and 0.0"),
        (PoseNoise, {"stretch": INFINITE}, "pose jitter and stretch must be at least 0, not 0.0 and inf"),
    ],
    ids=str,
)
def test_numbers_that_make_no_sense_are_refused(group, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        group(**changes)
    with pytest.raises(ValueError, match=re.escape(message)):
        replace(group(), **changes)


@pytest.mark.parametrize(
    ("group", "changes"),
    [
        (Placement, {"normalization": "ground-printed"}),
        (Augmentation, {"rotate": 0, "zoom": 0, "shift": 0}),
        (Optimisation, {"batch": 1, "betas": (0, 0), "initial_deviation": 0, "ema_decay": 0}),
        (PoseNoise, {"drop": 1, "jitter": 0, "stretch": 0}),
    ],
    ids=str,
)
def test_the_bounds_themselves_are_allowed(group, changes):
    assert asdict(group(**changes)).items() >= changes.items()


@pytest.mark.parametrize("group", [Augmentation, PoseNoise])
def test_a_group_is_true_when_it_changes_anything(group):
    assert not group()
    for name in asdict(group()):
        assert group(**{name: 0.1})


def test_amounts_are_what_random_similarities_take():
    some = Augmentation(rotate=10, zoom=0.1, shift=0.05)
    assert some.amounts == (10, 0.1, 0.05)
    base = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    drawn = random_similarity(np.random.default_rng(0), base, 300, 64, *some.amounts)
    scale = drawn[:, 0, :2].norm(dim=1)
    assert 1 / 1.1001 <= scale.min() < 0.95 and 1.05 < scale.max() <= 1.1001


def test_momenta_read_from_a_file_are_what_they_were():
    asked = Optimisation(betas=(0.1, 0.9))
    again = Optimisation(**json.loads(json.dumps(asdict(asked))))
    assert again == asked and again.betas == (0.1, 0.9)
