"""The refining network of a config, what it makes of moments, and which of several is to be played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from understudy import losses
from understudy.conditioning.limb_warps import PARTS
from understudy.networks.efficientnet_lite import LiteFeatures
from understudy.networks.refiner import Refiner, applied
from understudy.recipes.parts.copy_then_refine_config import Config
from understudy.recipes.parts.rehearsal import Rehearsal
from understudy.recipes.parts.rehearsal_tensors import tensors

JUDGED = 16
"""moments of the reference by which networks are compared"""


def refiner_for(config: Config) -> Refiner:
    """The network with fresh weights."""
    return Refiner(config.sources, len(PARTS), config.widths, config.most_flow)


def over(picture: Tensor, behind: Tensor) -> Tensor:
    """(B, 3, H, W) of (B, 4, H, W) premultiplied, over colours (B or 1, 3, 1, 1)."""
    return picture[:, :3] + (1 - picture[:, 3:]) * behind


def neutral(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of a network that changes nothing: the plain warp."""
    quiet = {name: torch.zeros_like(value) if name.startswith("last.") else value for name, value in weights.items()}
    quiet["last.bias"] = quiet["last.bias"].clone()
    quiet["last.bias"][-1] = -100.0
    return quiet


def best(
    config: Config, named: Mapping[str, Mapping[str, Tensor]], blocks: Sequence[Rehearsal]
) -> tuple[str, dict[str, float]]:
    """Which network makes the held-back moments best by features of Lite2, which trained none; "warp" is none.

    A later network takes the place of the one before only if it is better by more than chance among the moments gives,
    one standard error of the mean difference: what has learnt more has also had more occasion to go astray where
    nothing is held back. Without moments to judge by, the latest.

    Returns:
        The name, and the mean distance of each.
    """
    latest = list(named)[-1]
    if not blocks or not config.checked:
        return latest, {}
    phi = LiteFeatures("lite2", (4, 8, 16))
    network = refiner_for(config).eval()
    grey = torch.full((1, 3, 1, 1), 0.5)
    places = [(block, place) for block in blocks for place in range(0, len(block), 2)]
    spread = np.unique(np.linspace(0, len(places) - 1, JUDGED).astype(int))
    moments = [tensors(block.part(slice(place, place + 1))) for block, place in (places[index] for index in spread)]
    found: dict[str, list[float]] = {}
    with torch.inference_mode():
        true = [phi(2 * over(truth, grey) - 1) for *_, truth in moments]
        for name, weights in {"warp": neutral(next(iter(named.values()))), **named}.items():
            network.load_state_dict(weights)
            found[name] = []
            for (pictures, filmed, logits, pose, _), truth in zip(moments, true, strict=True):
                refinement = network(pictures, filmed, logits, pose)
                made = over(applied(pictures, logits, refinement, played=True), grey)
                found[name].append(float(losses.unit_feature_distance(phi(2 * made - 1), truth)))
    means = {name: round(float(np.mean(values)), 4) for name, values in found.items()}
    chosen, *later = found
    for name in later:
        if clearly_less(found[name], found[chosen]):
            chosen = name
    return chosen, means


def clearly_less(ones: Sequence[float], others: Sequence[float]) -> bool:
    """Whether distances of the same moments are less in the mean, by more than the standard error of that."""
    less = np.subtract(others, ones)
    error = less.std(ddof=1) / np.sqrt(len(less)) if len(less) > 1 else 0.0
    return bool(less.mean() > error)


def told(chosen: str, judged: Mapping[str, float]) -> str:
    """What is kept, in words, for the one who waits."""
    words = {
        "warp": "the frames as they are warped, without the network",
        "prior": "the network as it came, without learning the person",
        "untrained": "the network as it began",
        "adapted": "the network that learnt the person",
    }
    if not judged:
        return f"kept: {words[chosen]} (the reference is too short to hold any of it back)"
    figures = ", ".join(f"{name} {value:.3f}" for name, value in judged.items())
    near = "" if judged[chosen] == min(judged.values()) else " (the least is so by chance)"
    return f"kept: {words[chosen]}; distances on moments held back: {figures}{near}"
