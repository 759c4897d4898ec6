"""The loop that all recipes share: precision, checkpoints, exact resume, average weights, previews, signals.

A recipe brings a `Trainee`; this file never looks inside it. Everything random in step s is a function of
(seed, s), so a run that was killed and resumed ends with the weights of the run that was not, bit for bit, as long
as no loss was NaN: after a NaN a run may go back to a checkpoint, and where those lie depends on the clock.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy.base.devices import Device, computes_in_bfloat16, ready_device
from understudy.base.load import ThreadsByLoad
from understudy.base.machine import says_memory_ran_out
from understudy.base.progress import Advance, progress_bar
from understudy.base.ranks import first, rank, ranks
from understudy.base.stopping import Stop, stop_signals
from understudy.errors import Interrupted, TrainingError
from understudy.training import together
from understudy.training.average import Average
from understudy.training.chance import Chance
from understudy.training.checkpoint import Progress, check_fits
from understudy.training.estimate import Estimate
from understudy.training.run_folder import RunFolder
from understudy.training.step import not_descended

if TYPE_CHECKING:
    from lightning_fabric import Fabric

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 60.0  # at most this much work is lost to a kill, unless saving is slow:
CHECKPOINT_COST = 20.0  # times the seconds of the last save pass before the next one
FIRST_PREVIEW_SECONDS, PREVIEW_SECONDS = 30.0, 150.0
LOG_EVERY_STEPS = 10
NOTHING_LEFT = (
    "nothing left to do: at step %d of %d, after %.1f minutes of training; raise `max_minutes` or `max_steps`"
)
BAD_STEPS_BEFORE_GOING_BACK, BACKTRACKS_BEFORE_STOPPING = 3, 3


class Trainee(Protocol):
    """What a recipe hands to `run`."""

    networks: Mapping[str, nn.Module]
    """All that is trained or keeps running statistics, by name."""
    optimizers: Mapping[str, torch.optim.Optimizer]
    shown: str
    """Name of the network whose average is kept, previewed and delivered."""

    def training_step(self, step: int) -> Mapping[str, Tensor]:
        """One update of everything; returns named scalar losses. Random choices depend on `step` alone."""

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        """Writes pictures of what `generator` (in evaluation mode) can do by now; `step-<n>.png` is there last."""


@dataclass(frozen=True)
class Outcome:
    """What `run` leaves in memory; the run folder holds the rest."""

    weights: dict[str, npt.NDArray[Any]]
    """Average weights and buffers of the shown network, by state-dict name."""
    steps: int
    seconds: float
    """Training time over all interrupted parts."""
    losses: dict[str, float]
    """Values at the last logged step."""


def launch(device: Device = "auto") -> Fabric:
    """One process on one device, or several as `torchrun` has started them, in bfloat16 where that is faster."""
    with _absent("torchmetrics"):
        from lightning_fabric import Fabric

    chosen = ready_device(device)
    for name in ("lightning.fabric", "lightning_fabric"):  # what it announces, we say in our own words
        logging.getLogger(name).setLevel(logging.ERROR)
    fabric = Fabric(accelerator=chosen.type, precision=precision_on(chosen), **together.devices_for(chosen))
    fabric.launch()
    return fabric


@contextmanager
def _absent(package: str) -> Iterator[None]:
    """Keeps a package from being imported meanwhile, unless it has been.

    Fabric imports torchmetrics, and with it SciPy and Matplotlib, to ask for its version: two seconds of each start.
    """
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]


def precision_on(device: torch.device) -> Literal["bf16-mixed", "32-true"]:
    """The precision that `launch` takes there."""
    return "bf16-mixed" if computes_in_bfloat16(device) else "32-true"


@contextmanager
def out_of_memory_told() -> Iterator[None]:
    """Turns running out of memory, which is said in several ways, into a TrainingError."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not says_memory_ran_out(error):
            raise
        raise TrainingError(
            "memory ran out: close other programs or choose another `device`, and go on with `resume=True`; or begin "
            "again with a smaller `preset` and another `output`"
        ) from None


def run(
    trainee: Trainee,
    folder: Path,
    *,
    fabric: Fabric,
    settings: Mapping[str, Any],
    steps: int,
    seed: int,
    ema_decay: float,
    resume: bool = False,
    max_minutes: float | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    stage: str = "",
    work: Callable[[int], float] | None = None,
) -> Outcome:
    """Trains until `steps` or `max_minutes` is reached, whichever comes first; both count over resumed parts.

    Args:
        folder: the run folder, see `RunFolder`; made if absent, emptied unless `resume`. The caller holds its lock.
        settings: JSON-able; a resumed run must have been started with the same.
        seed: seeds every step.
        resume: go on from the newest whole checkpoint, or start when there is none at all.
        stage: name of one stage out of several; that nothing is left to do in it is then as it should be.
        work: what the first n steps cost, see `Estimate`.

    Raises:
        TrainingError: other settings, no checkpoint is whole, or a loss stays NaN.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
    """
    loop = _Loop(trainee, RunFolder(folder), fabric, settings, seed, ema_decay, checkpoint_seconds)
    loop.prepare(resume)
    limit = float("inf") if max_minutes is None else max_minutes * 60
    if loop.at.step >= steps or loop.at.seconds >= limit:
        if not stage:
            log.warning(NOTHING_LEFT, loop.at.step, steps, loop.at.seconds / 60)
        loop.make_up_for_the_preview()
        return loop.outcome()
    title = f"training {stage}".strip()
    with (
        stop_signals() as stopped,
        progress_bar(title, steps, "steps", loop.at.step) as advance,
        ThreadsByLoad() as threads,
    ):
        loop.train(Estimate(steps, limit, loop.at.step, loop.at.seconds, work), stopped, advance, threads)
    return loop.outcome()


class _Loop:
    def __init__(
        self,
        trainee: Trainee,
        folder: RunFolder,
        fabric: Fabric,
        settings: Mapping[str, Any],
        seed: int,
        ema_decay: float,
        checkpoint_seconds: float,
    ):
        self.trainee, self.folder, self.fabric, self.settings, self.seed = trainee, folder, fabric, settings, seed
        self.chance = Chance(seed, rank(), ranks())
        self.average = Average(trainee.networks[trainee.shown], ema_decay)
        self.base_rates = {name: o.param_groups[0]["lr"] for name, o in trainee.optimizers.items()}
        self.at = Progress()
        self.recent: dict[str, float] = {}
        self.bad_steps = 0
        self.signal: int | None = None
        self.due = False
        self.checkpoint_seconds = checkpoint_seconds
        self.started = self.next_save = self.next_preview = 0.0

    def prepare(self, resume: bool) -> None:
        """Restores the newest whole checkpoint of an old run, or empties the folder for a new one."""
        if first():
            self.folder.sweep()
        if not together.of_first(lambda: resume and bool(self.folder.checkpoints())):
            if first():
                self.folder.begin(self.settings, self.seed, str(self.fabric.device))
            return
        if first():
            self.folder.check_settings(self.settings)
        if not self.restore():
            raise TrainingError(
                f"no checkpoint in {self.folder.path} can be read: delete that folder to begin anew, "
                "or choose another `output`"
            )
        log.warning("resumed at step %d", self.at.step)

    # -- the loop ------------------------------------------------------------------------------------------

    def train(self, estimate: Estimate, stopped: Stop, advance: Advance, threads: ThreadsByLoad) -> None:
        """Trains up to the estimate's limits, or until a signal; all that is left behind is saved and finite."""
        steps, limit = estimate.steps, estimate.limit
        self.started = time.monotonic() - self.at.seconds
        self.next_save = self.at.seconds + self.checkpoint_seconds
        self.next_preview = self.at.seconds + FIRST_PREVIEW_SECONDS
        begun = self.at.step
        while True:
            while self.goes_on(steps, limit, stopped):
                before = self.at.step
                self.step(last=before + 1 == steps)
                if before == begun:
                    estimate.warm(self.at.step, self.at.seconds)
                if self.due and not self.bad_steps:  # else: keep what lies before them
                    self.save()
                if self.at.seconds >= self.next_preview:
                    self.preview()
                note = " ".join(f"{name} {value:.3g}" for name, value in self.recent.items())
                advance(self.at.step - before, note, *estimate.at(self.at.step, self.at.seconds))
                threads.follow()
            if self.save():  # else it went back, and has to come here again
                break
        if self.signal is None:
            self.preview()
            self.agree(stopped)  # a signal may have come during that preview
        if self.signal is not None:
            raise Interrupted(f"stopped at step {self.at.step}; saved, go on with `resume=True`", self.signal)

    def goes_on(self, steps: int, limit: float, stopped: Stop) -> bool:
        """Whether there is another step to take."""
        self.agree(stopped)
        return self.at.step < steps and self.at.seconds < limit and self.signal is None

    def agree(self, stopped: Stop) -> None:
        """What the processes see each for itself becomes what all go by: the time, a signal, whether to save."""
        due = self.at.seconds >= self.next_save
        self.at.seconds, self.signal, self.due = together.agreed(self.at.seconds, stopped.signal, due)

    def step(self, last: bool) -> None:
        """One step. A NaN skips it; three in a row, or one that has reached the weights, go back to a checkpoint."""
        step = self.at.step
        torch.manual_seed(self.chance.of_step(step))  # dropout, the only hidden state of a step
        losses = self.trainee.training_step(step)
        bad = not_descended(self.trainee.optimizers.values(), losses)
        if bad is not None:
            self.bad_steps += 1
            log.warning("step %d skipped: the loss %s is not a number", step, bad)
            if self.bad_steps >= BAD_STEPS_BEFORE_GOING_BACK or _not_finite(self._state()):
                self.go_back(f"the loss {bad}")
            else:
                self.at.step += 1
            return
        self.bad_steps = 0
        self.average.update(self.trainee.networks[self.trainee.shown], step)
        self.at.step += 1
        self.at.seconds = time.monotonic() - self.started
        if self.at.step % LOG_EVERY_STEPS == 0 or last:
            self.recent = together.mean(losses)
            if first():
                self.folder.log_losses(self.at.step, self.at.seconds, self.recent)

    def go_back(self, bad: str) -> None:
        backtracks, rate = self.at.backtracks + 1, self.at.rate / 2
        if backtracks > BACKTRACKS_BEFORE_STOPPING or not self.restore():
            often = "again and again" if self.folder.checkpoints() else "before the first checkpoint"
            raise TrainingError(
                f"{bad} is not a number, {often}, at step {self.at.step}: stopped; "
                f"look at the reference with `understudy inspect`, or try another `seed`"
            )
        self.at.backtracks, self.at.rate, self.bad_steps = backtracks, rate, 0
        self._apply_rate()
        log.warning("went back to step %d with the learning rate times %g", self.at.step, rate)

    def preview(self) -> None:
        if not first():
            return
        self.folder.previews.mkdir(exist_ok=True)
        with self.average.shown_in(self.trainee.networks[self.trainee.shown]) as generator, torch.no_grad():
            self.trainee.preview(generator, self.folder.previews, self.at.step)
        self.next_preview = self.at.seconds + PREVIEW_SECONDS

    def make_up_for_the_preview(self) -> None:
        """Writes the last preview, if a kill came between the last checkpoint and it."""
        if not (self.folder.previews / f"step-{self.at.step:07d}.png").exists():
            self.preview()

    def outcome(self) -> Outcome:
        weights = {name: value.cpu().numpy() for name, value in self.average.values.items()}
        return Outcome(weights, self.at.step, self.at.seconds, self.recent)

    # -- checkpoints ---------------------------------------------------------------------------------------

    def save(self) -> bool:
        """Writes a checkpoint of everything; instead of a state with a NaN in it, goes back and returns False."""
        began = time.monotonic()
        tensors = self._state()
        bad = _not_finite(tensors)
        if bad is not None:
            log.warning("step %d not saved: %s is not finite", self.at.step, bad)
            self.go_back(bad)
            return False
        if first():
            arrays = {name: _array(tensor) for name, tensor in tensors.items()}
            self.folder.save(self.at.step, arrays, {"progress": vars(self.at)})
        cost = CHECKPOINT_COST * (time.monotonic() - began)
        self.next_save = self.at.seconds + max(self.checkpoint_seconds, cost)
        return True

    def restore(self) -> bool:
        """Loads the newest checkpoint that is whole; False when there is none."""
        found = self.folder.load() if first() else None
        if not together.of_first(lambda: found is not None):
            return False
        progress = together.of_first(lambda: None if found is None else found[1].get("progress"))
        arrays = None if found is None else {name: torch.from_numpy(array) for name, array in found[0].items()}
        tensors = together.tensors_of_first(arrays)
        try:
            at = Progress.read(progress)
            check_fits(tensors, self._state(), self.trainee.optimizers)
        except (ValueError, TypeError, KeyError) as cause:
            raise TrainingError(
                f"the checkpoint in {self.folder.path} is of something else than what is trained here ({cause}): "
                "delete that folder to begin anew, or choose another `output`"
            ) from None
        self._load_state(tensors)
        self.at = at
        self._apply_rate()
        self.recent = together.of_first(lambda: self.folder.forget_losses_after(self.at.step))
        return True

    def _apply_rate(self) -> None:
        for name, optimizer in self.trainee.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self.base_rates[name] * self.at.rate

    def _state(self) -> dict[str, Tensor]:
        tensors = {f"average/{name}": value for name, value in self.average.values.items()}
        for network_name, network in self.trainee.networks.items():
            tensors |= {f"network/{network_name}/{name}": value for name, value in network.state_dict().items()}
        for optimizer_name, optimizer in self.trainee.optimizers.items():
            for index, values in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer/{optimizer_name}/{index}/{key}": value for key, value in values.items()}
        return tensors

    def _load_state(self, tensors: Mapping[str, Tensor]) -> None:
        def below(prefix: str) -> dict[str, Tensor]:
            return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}

        for name, value in below("average/").items():
            self.average.values[name].copy_(value)
        for network_name, network in self.trainee.networks.items():
            network.load_state_dict(below(f"network/{network_name}/"))
        for optimizer_name, optimizer in self.trainee.optimizers.items():
            state: dict[int, dict[str, Tensor]] = {}
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            for name, value in below(f"optimizer/{optimizer_name}/").items():
                index, key = name.split("/")
                weight = weights[int(index)]
                if key != "step":  # fused Adam pairs elements by their place in memory
                    value = torch.empty_like(weight, requires_grad=False).copy_(value)
                state.setdefault(int(index), {})[key] = value
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state, "param_groups": groups})


def _not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """Name of the first tensor with a NaN or an infinity in it."""
    floating = ((name, tensor) for name, tensor in tensors.items() if tensor.is_floating_point())
    return next((name for name, tensor in floating if not bool(torch.isfinite(tensor).all())), None)


def _array(tensor: Tensor) -> npt.NDArray[Any]:
    return tensor.detach().cpu().contiguous().numpy()
