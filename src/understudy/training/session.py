"""What every training has alike: device and precision, chance, limits, settings, record, and stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from understudy.base.frame_store import FrameStore
from understudy.base.ranks import rank, ranks
from understudy.training import loop
from understudy.training.chance import Chance
from understudy.training.run_folder import fingerprint
from understudy.training.stages import Stages

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from understudy.base.devices import Device
    from understudy.performance import Performance


class Session:
    """One training of one recipe; the recipe's `train` asks it for all that is not the recipe's own.

    Args:
        recipe: its name, for the record.
        config: of the recipe, with `optimisation` if it trains a network.
        reference: the person whose looks are learnt; None where it is anybody's.
        unpaired: other people, as `Recipe.learns_from` says: performances, or pose sequences.
        folder: the run folder, see `loop.run`; the caller holds its lock.
        seed: of everything random.
        resume: go on with an interrupted run of this folder, or start one.
        max_minutes, max_steps: of all stages together, all parts of a resumed run together.
        device: "auto", "cpu", "cuda" or "mps".
        memory_gb: what frames may take in memory, see `FrameStore`.
    """

    def __init__(
        self,
        recipe: str,
        config: Any,
        reference: Performance | None,
        unpaired: Sequence[Any],
        folder: Path,
        *,
        seed: int = 0,
        resume: bool = False,
        max_minutes: float | None = None,
        max_steps: int | None = None,
        device: Device = "auto",
        memory_gb: float | None = None,
    ):
        self.config, self._reference, self.unpaired, self.folder = config, reference, list(unpaired), folder
        self.seed, self.resume, self.max_minutes, self.max_steps = seed, resume, max_minutes, max_steps
        self._device, self.memory_gb = device, memory_gb
        self.chance = Chance(seed, rank(), ranks())
        self.settings: dict[str, Any] = {
            "recipe": recipe,
            "config": asdict(config),
            "seed": seed,
            "reference": None if reference is None else fingerprint(reference),
        }
        """what a resumed run must have been begun with; a recipe adds what else it learns from"""
        if ranks() > 1:
            self.settings["processes"] = ranks()
        self._stages: Stages | None = None
        self._outcome: loop.Outcome | None = None

    @property
    def reference(self) -> Performance:
        """The person whose looks are learnt."""
        assert self._reference is not None, "this training learns from anybody"
        return self._reference

    @cached_property
    def fabric(self) -> Fabric:
        """Device and precision; begun when first asked for, since some recipes train no network."""
        return loop.launch(self._device)

    @property
    def device(self) -> torch.device:
        return self.fabric.device

    @cached_property
    def store(self) -> FrameStore:
        """Where the frames that are learnt from are kept."""
        return FrameStore(self.folder, self.device, self.memory_gb)

    # -- networks ------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Sets PyTorch's generator, from which new networks take their first weights."""
        torch.manual_seed(self.seed)

    def adam(self, *networks: nn.Module) -> torch.optim.Adam:
        """One optimizer of the weights of these networks."""
        weights = chain.from_iterable(network.parameters() for network in networks)
        numbers = self.config.optimisation
        return torch.optim.Adam(weights, numbers.learning_rate, numbers.betas, fused=True)

    def fitted(self, network: nn.Module) -> tuple[nn.Module, torch.optim.Optimizer]:
        """A network and its optimizer as a training step uses them, on the device; the network itself moves along."""
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        wrapped, optimizer = self.fabric.setup(network, self.adam(network))
        return wrapped, optimizer

    # -- running -------------------------------------------------------------------------------------------

    def run(self, trainee: loop.Trainee, steps: int, work: Callable[[int], float] | None = None) -> loop.Outcome:
        """Trains the only stage of a recipe, for `steps` at most.

        Args:
            work: what the first n steps cost, see `Estimate`.

        Raises:
            TrainingError, Interrupted: as `loop.run`.
        """
        self._outcome = loop.run(
            trainee,
            self.folder,
            fabric=self.fabric,
            settings=self.settings,
            steps=min(steps, self.max_steps or steps),
            seed=self.seed,
            ema_decay=self.config.optimisation.ema_decay,
            resume=self.resume,
            max_minutes=self.max_minutes,
            work=work,
        )
        return self._outcome

    def plan(self, shares: Mapping[str, float]) -> None:
        """Names the stages that will be run, each with its share of the time; before the first, with all settings."""
        self._stages = Stages(
            self.folder,
            shares,
            fabric=self.fabric,
            settings=self.settings,
            seed=self.seed,
            ema_decay=self.config.optimisation.ema_decay,
            resume=self.resume,
            max_minutes=self.max_minutes,
            max_steps=self.max_steps,
        )

    def stage(
        self,
        name: str,
        trainee: loop.Trainee,
        steps: int,
        after: Sequence[str] | None = None,
        work: Callable[[int], float] | None = None,
    ) -> loop.Outcome | None:
        """Trains one planned stage, for `steps` at most; None when time or steps ran out before it.

        Args:
            after: stages it builds on, whose further training makes it begin anew; None are all before it.
            work: what its first n steps cost, see `Estimate`.

        Raises:
            TrainingError, Interrupted: as `loop.run`.
        """
        return self._planned.run(name, trainee, steps, after, work)

    @property
    def exhausted(self) -> bool:
        """Whether neither time nor steps are left for another stage."""
        return self._planned.exhausted

    def tell_what_is_left(self) -> None:
        """Warns of planned stages that were not reached, and of having had nothing to do."""
        self._planned.tell_what_is_left(list(self._planned.shares))

    @property
    def _planned(self) -> Stages:
        assert self._stages is not None, "plan() comes first"
        return self._stages

    @property
    def record(self) -> dict[str, Any]:
        """How the training went, for the actor: steps and seconds over all interrupted parts, last losses."""
        if self._stages is not None:
            return self._stages.record
        assert self._outcome is not None, "run() comes first"
        return {
            "steps": self._outcome.steps,
            "joined_at": None,
            "seconds": round(self._outcome.seconds, 1),
            "features": "none",
            "device": str(self.device),
            "precision": loop.precision_on(self.device),
            "processes": ranks(),
            "seed": self.seed,
            "losses": self._outcome.losses,
        }
