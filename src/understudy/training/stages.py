"""Training in stages: each is a run of `training.run` in a folder of its own, one after the other, as one whole.

Time and steps are given for all stages together. A stage that is done is not done again; one that was killed goes on
where it was; one that builds on a stage which has been trained further since then begins anew.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.base.files import read_json
from understudy.base.ranks import first, ranks
from understudy.errors import TrainingError
from understudy.training import loop as training
from understudy.training import together
from understudy.training.run_folder import RunFolder

if TYPE_CHECKING:
    from lightning_fabric import Fabric

log = logging.getLogger(__name__)


class Stages:
    """Runs the stages of a recipe in the order in which they are asked for.

    Args:
        folder: the run folder; the stage "global" has `folder / "global"`. The caller holds its lock.
        shares: name of each stage that will be run -> its share of `max_minutes`. What a stage does not need is shared
            by those after it.
        settings, seed, ema_decay, resume: see `training.run`.
        max_minutes, max_steps: of all stages together.
    """

    def __init__(
        self,
        folder: Path,
        shares: Mapping[str, float],
        *,
        fabric: Fabric,
        settings: Mapping[str, Any],
        seed: int,
        ema_decay: float,
        resume: bool = False,
        max_minutes: float | None = None,
        max_steps: int | None = None,
    ):
        self.folder, self.fabric, self.settings = folder, fabric, settings
        self.seed, self.ema_decay, self.resume = seed, ema_decay, resume
        self.shares = dict(shares)
        self.minutes, self.steps = max_minutes, max_steps
        self.outcomes: dict[str, training.Outcome] = {}
        self.idle = True
        if not resume and first():  # else a later resumption could take an older run's stage for this one's
            for name in shares:
                shutil.rmtree(folder / name, ignore_errors=True)

    def run(
        self,
        name: str,
        trainee: training.Trainee,
        steps: int,
        after: Sequence[str] | None = None,
        work: Callable[[int], float] | None = None,
    ) -> training.Outcome | None:
        """Trains one stage, for `steps` at most; None when time or steps ran out before it.

        Args:
            after: stages it builds on; None are all before it.
            work: what its first n steps cost, see `Estimate`.

        Raises:
            TrainingError, Interrupted: as `training.run`.
        """
        share = self.shares[name] / sum(share for stage, share in self.shares.items() if stage not in self.outcomes)
        minutes = None if self.minutes is None else self.minutes * share
        steps = steps if self.steps is None else min(steps, self.steps)
        if self.exhausted:
            return None
        builds_on = {
            stage: outcome.steps for stage, outcome in self.outcomes.items() if after is None or stage in after
        }
        resume = together.of_first(lambda: self.resume and self._builds_on(name) in (None, builds_on))
        run_folder = RunFolder(self.folder / name)
        if self.resume and not resume and run_folder.checkpoints():
            log.warning("stage %s begins anew: what it builds on has been trained further", name)
        begun = run_folder.checkpoints()[-1:] if resume else []
        outcome = training.run(
            trainee,
            run_folder.path,
            fabric=self.fabric,
            settings={**self.settings, "stage": name, "builds_on": builds_on},
            steps=steps,
            seed=self.seed,
            ema_decay=self.ema_decay,
            resume=resume,
            max_minutes=minutes,
            stage=name,
            work=work,
        )
        self.idle &= run_folder.checkpoints()[-1:] == begun
        self.outcomes[name] = outcome
        if self.minutes is not None:
            self.minutes -= outcome.seconds / 60
        if self.steps is not None:
            self.steps -= outcome.steps
        return outcome

    def _builds_on(self, name: str) -> Any:
        """What the stage of an earlier run was built on: steps of each stage before it. None without such a run."""
        record = self.folder / name / "run.json"
        if not record.exists():
            return None
        try:
            return read_json(record, TrainingError)["settings"]["builds_on"]
        except (TrainingError, KeyError, TypeError):
            return None  # `training.run` says what is wrong with it

    @property
    def exhausted(self) -> bool:
        """Whether neither time nor steps are left for another stage."""
        return (self.steps is not None and self.steps < 1) or (self.minutes is not None and self.minutes <= 0)

    def tell_what_is_left(self, names: Sequence[str]) -> None:
        """Warns of stages that were not reached, and of having had nothing to do."""
        if missing := [name for name in names if name not in self.outcomes]:
            log.warning("the actor is without the stages that were not reached: %s", ", ".join(missing))
        if self.idle:
            log.warning("nothing left to do: all stages are done; raise `max_minutes` or `max_steps`")

    @property
    def record(self) -> dict[str, Any]:
        """How the training went, for the actor: steps and seconds over all interrupted parts, last losses."""
        device = self.fabric.device
        return {
            "steps": sum(outcome.steps for outcome in self.outcomes.values()),
            "stages": {name: outcome.steps for name, outcome in self.outcomes.items()},
            "seconds": round(sum(outcome.seconds for outcome in self.outcomes.values()), 1),
            "device": str(device),
            "precision": training.precision_on(device),
            "processes": ranks(),
            "seed": self.seed,
            "losses": {
                f"{stage} {name}": value
                for stage, outcome in self.outcomes.items()
                for name, value in outcome.losses.items()
            },
        }
