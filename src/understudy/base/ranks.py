"""Which of several processes this is, when `torchrun` has started several to train together; else the only one."""

from __future__ import annotations

import os

from understudy.errors import UsageError


def _said(name: str, alone: int) -> int:
    # Clusters set RANK and WORLD_SIZE for programs of their own, too: without this it was not torchrun
    return int(os.environ.get(name, alone)) if "TORCHELASTIC_RUN_ID" in os.environ else alone


def ranks() -> int:
    """How many processes train together, on all machines."""
    return _said("WORLD_SIZE", 1)


def rank() -> int:
    """Which of them this is, from 0 on."""
    return _said("RANK", 0)


def ranks_here() -> int:
    """How many of them are on this machine."""
    return _said("LOCAL_WORLD_SIZE", 1)


def rank_here() -> int:
    """Which of those on this machine this is, from 0 on."""
    return _said("LOCAL_RANK", 0)


def first() -> bool:
    """Whether this is the one that writes and speaks for all."""
    return rank() == 0


def check_alone(command: str) -> None:
    """Raises UsageError: this command was started in several processes, and each would do all of it."""
    if ranks() > 1:
        raise UsageError(
            f"`{command}` does not share its work between {ranks()} processes, only `train` does: start it without "
            "torchrun"
        )
