"""What the training step of every recipe uses: descending from its losses, and what holds meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from understudy.base.ranks import ranks
from understudy.training import together

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def descend(fabric: Fabric, optimizer: torch.optim.Optimizer, losses: Mapping[str, Tensor]) -> None:
    """One step of a fused Adam down the sum of already weighted, named losses; all processes take their mean.

    Where one of them is NaN or infinite, in any process, no weight changes. That is decided where the weights are; the
    loop asks once a step (`not_descended`), because a GPU comes to rest for an answer.
    """
    values = torch.stack(list(losses.values()))
    finite = torch.isfinite(values.detach()).all()
    optimizer.zero_grad(set_to_none=True)
    fabric.backward(values.sum() / ranks())
    finite = together.add_gradients(optimizer, finite)
    _within(optimizer).found_inf = (~finite).float()
    if finite.device.type == "mps" and not finite:  # where Adam does not look at it
        optimizer.zero_grad(set_to_none=True)
    optimizer.step()


def not_descended(optimizers: Iterable[torch.optim.Optimizer], losses: Mapping[str, Tensor]) -> str | None:
    """Name of a loss for which `descend` changed nothing, of those of one training step; the same in all processes."""
    found = [adam.found_inf for adam in map(_within, optimizers) if hasattr(adam, "found_inf")]
    if not (found and torch.stack(found).any()):
        return None
    torch._foreach_zero_(found)  # not each steps next time
    finite = together.everywhere(torch.isfinite(torch.stack([loss.detach() for loss in losses.values()])))
    return next((name for name, one in zip(losses, finite.tolist(), strict=True) if not one), "that has no name")


def _within(optimizer: torch.optim.Optimizer) -> Any:
    """PyTorch's optimizer within Fabric's wrapper, or the one that it is."""
    return getattr(optimizer, "optimizer", optimizer)


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Keeps gradients of the networks' weights from being computed; gradients still flow through."""
    for network in networks:
        network.requires_grad_(False)
    try:
        yield
    finally:
        for network in networks:
            network.requires_grad_(True)


def linear_decay(step: int, steps: int) -> float:
    """Factor on a learning rate: 1 for the first half of a schedule of `steps`, then linearly towards 0."""
    return min(1.0, (steps - step) / (steps / 2))


@contextmanager
def rates_times(optimizers: Iterable[torch.optim.Optimizer], factor: float) -> Iterator[None]:
    """Lends optimizers a smaller learning rate; the loop, which halves it after a NaN, keeps its own."""
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    own = [group["lr"] for group in groups]
    for group in groups:
        group["lr"] *= factor
    try:
        yield
    finally:
        for group, rate in zip(groups, own, strict=True):
            group["lr"] = rate
