"""Training that is cut off right behind a checkpoint, at a step of the test's choice and not of the clock's."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from understudy.training import loop as training
from understudy.training.run_folder import RunFolder


def saving_every_step(
    patch: pytest.MonkeyPatch, then: Callable[[str, int], object] = lambda stage, step: None
) -> list[tuple[str, int]]:
    """Has every step saved; `then` is called with stage and step behind each checkpoint, and may raise.

    Returns:
        Stage and step of the checkpoints, noted as they are written.
    """
    saved: list[tuple[str, int]] = []
    own_save = RunFolder.save

    def save(folder: RunFolder, step: int, *content: object) -> None:
        own_save(folder, step, *content)  # type: ignore[arg-type]
        saved.append((folder.path.name, step))
        then(folder.path.name, step)

    patch.setattr(RunFolder, "save", save)
    patch.setattr(training, "CHECKPOINT_COST", 0.0)
    patch.setattr(training, "run", functools.partial(training.run, checkpoint_seconds=0.0))
    return saved


def unplugged_behind(stage: str, step: int) -> Callable[[str, int], None]:
    """For `saving_every_step`: ends everything there, without another word being written."""

    def check(saved_stage: str, saved_step: int) -> None:
        if (saved_stage, saved_step) == (stage, step):
            raise KeyboardInterrupt

    return check
