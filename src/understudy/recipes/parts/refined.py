"""The refining network of a config, what it makes of moments, and which of several is to be played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy import losses
from understudy.conditioning.limb_warps import PARTS
from understudy.networks.efficientnet_lite import LiteFeatures
from understudy.networks.refiner import FLOW_UNIT, Refinement, Refiner, applied, decided, enlarged
from understudy.recipes.parts.copy_then_refine_config import Config
from understudy.recipes.parts.dressing import Dressing
from understudy.recipes.parts.full_size import FILMED
from understudy.recipes.parts.rehearsal import Rehearsal
from understudy.recipes.parts.rehearsal_tensors import tensors

Floats = npt.NDArray[np.float32]

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


def changes_nothing(last_weight: npt.NDArray[Any], last_bias: npt.NDArray[Any]) -> bool:
    """Whether the last layer is one of `neutral` weights, and the network need not be asked."""
    return not last_weight.any() and not last_bias[:-1].any() and float(last_bias[-1]) < -50


def as_filmed(one: Dressing, logits: Tensor, refinement: Refinement) -> tuple[Floats, Floats]:
    """What of a played moment, or a part of one, shows its frames as they were filmed.

    Args:
        logits: (1, K, h/2, w/2) of the choice without the network.
        refinement: of it.

    Returns:
        (K, h, w) how much of each frame is shown so at a place, and (K, h, w, 2) which of its pixels.
    """
    assert one.places is not None, "made without places"
    size_hw = one.places.shape[1:3]
    kept = decided(refinement)
    share = torch.softmax(logits + kept.choice, dim=1) * (1 - kept.mask)
    filmed = torch.from_numpy(np.ascontiguousarray(one.filmed))[None].to(share.device)
    share = enlarged(share * ((filmed - FILMED) / (1 - FILMED)).clamp(0, 1), size_hw)[0]
    places = one.places
    if kept.flow.any():
        flow = enlarged(kept.flow * FLOW_UNIT * size_hw[1] / kept.flow.shape[-1] / 2, size_hw)[0].cpu().numpy()
        y, x = np.indices(size_hw, np.float32)
        places = np.stack(
            [cv2.remap(at, x + step[0], y + step[1], cv2.INTER_LINEAR) for at, step in zip(places, flow, strict=True)]
        )
    return share.cpu().numpy(), places


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
