"""The loop that all recipes share: precision, checkpoints, exact resume, average weights, previews, signals.

A recipe brings a `Trainee`; this file never looks inside it. Everything random in step s is a function of
(seed, s), so a run that was killed and resumed ends with the weights of the run that was not.

A run folder holds `run.json` (the resolved settings), `losses.jsonl`, `checkpoints/`, `previews/`.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy.devices import Device, choose_device, computes_in_bfloat16, keep_freed_memory
from understudy.errors import Interrupted, TrainingError
from understudy.files import atomic_file, load_tensors, locked, read_json, save_tensors, write_json
from understudy.progress import progress_bar

if TYPE_CHECKING:
    from lightning_fabric import Fabric

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 60.0  # at most this much work is lost to a kill
FIRST_PREVIEW_SECONDS, PREVIEW_SECONDS = 30.0, 150.0
LOG_EVERY_STEPS = 10
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
        """Writes pictures of what `generator` (in evaluation mode) can do by now."""


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


class NotFinite(Exception):
    """A loss was NaN or infinite; raised before any weight was touched by it."""


def launch(device: Device = "auto") -> Fabric:
    """One process on one device, in bfloat16 where that is faster."""
    from lightning_fabric import Fabric

    chosen = choose_device(device)
    if chosen.type == "cpu":
        keep_freed_memory()
    precision = "bf16-mixed" if computes_in_bfloat16(chosen) else "32-true"
    for name in ("lightning.fabric", "lightning_fabric"):  # what it announces, we say in our own words
        logging.getLogger(name).setLevel(logging.ERROR)
    return Fabric(accelerator=chosen.type, devices=1, precision=precision)  # type: ignore[arg-type]


def descend(fabric: Fabric, optimizer: torch.optim.Optimizer, losses: Mapping[str, Tensor]) -> None:
    """One optimizer step down the sum of already weighted, named losses.

    Raises:
        NotFinite: one of them is NaN or infinite; nothing was changed.
    """
    for name, loss in losses.items():
        if not torch.isfinite(loss):
            raise NotFinite(name)
    optimizer.zero_grad(set_to_none=True)
    fabric.backward(torch.stack(list(losses.values())).sum())
    optimizer.step()


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Keeps gradients of the networks' weights from being computed; gradients still flow through."""
    for network in networks:
        network.requires_grad_(False)
    yield
    for network in networks:
        network.requires_grad_(True)


class Average:
    """Exponential moving average of a network's weights and buffers, for showing.

    The decay starts low and rises to `decay`, min(decay, (1 + s) / (10 + s)), so that short runs are not
    held back by their first steps.
    """

    def __init__(self, network: nn.Module, decay: float):
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        moving, current = [], []
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                moving.append(self.values[name])
                current.append(value.detach())
            else:
                self.values[name].copy_(value)
        torch._foreach_lerp_(moving, current, 1 - decay)

    @contextmanager
    def shown_in(self, network: nn.Module) -> Iterator[nn.Module]:
        """Lends the average to `network`, in evaluation mode, and gives its own weights back afterwards."""
        own = {name: value.detach().clone() for name, value in network.state_dict().items()}
        network.load_state_dict(self.values)
        network.eval()
        try:
            yield network
        finally:
            network.load_state_dict(own)
            network.train()


@dataclass
class _Progress:
    step: int = 0
    seconds: float = 0.0
    rate: float = 1.0
    """Factor on every learning rate; halved when a run had to go back."""
    backtracks: int = 0


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
) -> Outcome:
    """Trains until `steps` or `max_minutes` is reached, whichever comes first; both count over resumed parts.

    Args:
        folder: the run folder; made if absent, emptied unless `resume`.
        settings: JSON-able; a resumed run must have been started with the same.
        seed: seeds every step.
        resume: go on from the newest whole checkpoint, or start when there is none.

    Raises:
        TrainingError: another process trains there, other settings, memory ran out, or a loss stays NaN.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
    """
    with locked(folder, TrainingError):
        loop = _Loop(trainee, folder, fabric, dict(settings), seed, ema_decay, checkpoint_seconds)
        loop.prepare(resume)
        with _stop_signals() as stopped, progress_bar("training", steps, "steps") as advance:
            advance(loop.at.step)
            loop.train(steps, max_minutes, stopped, advance)
        return loop.outcome()


class _Loop:
    def __init__(
        self,
        trainee: Trainee,
        folder: Path,
        fabric: Fabric,
        settings: dict[str, Any],
        seed: int,
        ema_decay: float,
        checkpoint_seconds: float,
    ):
        self.trainee, self.folder, self.fabric, self.settings, self.seed = trainee, folder, fabric, settings, seed
        self.checkpoint_seconds = checkpoint_seconds
        self.average = Average(trainee.networks[trainee.shown], ema_decay)
        self.base_rates = {name: o.param_groups[0]["lr"] for name, o in trainee.optimizers.items()}
        self.at = _Progress()
        self.recent: dict[str, float] = {}

    # -- the loop ------------------------------------------------------------------------------------------

    def train(self, steps: int, max_minutes: float | None, stopped: _Stop, advance: Any) -> None:
        limit = float("inf") if max_minutes is None else max_minutes * 60
        last_saved = self.at.seconds
        next_preview = self.at.seconds + FIRST_PREVIEW_SECONDS
        bad_steps = 0
        started = time.monotonic() - self.at.seconds
        while self.at.step < steps and self.at.seconds < limit:
            step = self.at.step
            torch.manual_seed(_derived(self.seed, step))  # dropout, the only hidden state of a step
            try:
                losses = self.trainee.training_step(step)
            except NotFinite as bad:
                bad_steps += 1
                log.warning("step %d skipped: the loss %s is not a number", step, bad)
                if bad_steps >= BAD_STEPS_BEFORE_GOING_BACK:
                    self._go_back(str(bad))
                    bad_steps = 0
                else:
                    self.at.step += 1
                continue
            except torch.OutOfMemoryError:
                raise TrainingError(
                    "the device ran out of memory: use a smaller --preset, or --device cpu; what was saved is kept, "
                    "go on with --resume"
                ) from None
            bad_steps = 0
            self.average.update(self.trainee.networks[self.trainee.shown], step)
            self.at.step += 1
            self.at.seconds = time.monotonic() - started
            if self.at.step % LOG_EVERY_STEPS == 0 or self.at.step == steps:
                self.recent = {name: float(value.detach()) for name, value in losses.items()}
                self._log_losses()
            left = (limit - self.at.seconds) / (self.at.seconds / self.at.step)
            expected = int(min(steps, self.at.step + left))
            advance(1, " ".join(f"{name} {value:.3g}" for name, value in self.recent.items()), expected)
            if stopped.signal is not None:
                self.save()
                raise Interrupted(f"stopped at step {self.at.step}; saved, go on with --resume", stopped.signal)
            if self.at.seconds - last_saved >= self.checkpoint_seconds:
                self.save()
                last_saved = self.at.seconds
            if self.at.seconds >= next_preview:
                self.preview()
                next_preview = self.at.seconds + PREVIEW_SECONDS
        self.save()
        self.preview()

    def preview(self) -> None:
        folder = self.folder / "previews"
        folder.mkdir(exist_ok=True)
        with self.average.shown_in(self.trainee.networks[self.trainee.shown]) as generator, torch.no_grad():
            self.trainee.preview(generator, folder, self.at.step)

    def outcome(self) -> Outcome:
        weights = {name: value.cpu().numpy() for name, value in self.average.values.items()}
        return Outcome(weights, self.at.step, self.at.seconds, self.recent)

    def _go_back(self, loss: str) -> None:
        backtracks, rate = self.at.backtracks + 1, self.at.rate / 2
        if backtracks > BACKTRACKS_BEFORE_STOPPING or not self.restore():
            raise TrainingError(
                f"the loss {loss} is not a number, again and again, from step {self.at.step} on: stopped; "
                f"look at the reference with `understudy inspect`, or try another --seed"
            )
        self.at.backtracks, self.at.rate = backtracks, rate
        self._apply_rate()
        log.warning("went back to step %d with the learning rate times %g", self.at.step, rate)

    def _apply_rate(self) -> None:
        for name, optimizer in self.trainee.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self.base_rates[name] * self.at.rate

    def _log_losses(self) -> None:
        line = {"step": self.at.step, "seconds": round(self.at.seconds, 2), **self.recent}
        with open(self.folder / "losses.jsonl", "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    # -- the run folder ------------------------------------------------------------------------------------

    def prepare(self, resume: bool) -> None:
        """Empties the folder for a new run, or restores the newest whole checkpoint of an old one."""
        record = self.folder / "run.json"
        if resume and record.exists():
            before = read_json(record, TrainingError)["settings"]
            different = sorted(
                key for key in {*before, *self.settings} if before.get(key) != _plain(self.settings.get(key))
            )
            if different:
                raise TrainingError(
                    f"{self.folder} was begun with other settings ({', '.join(different)}): repeat those, "
                    "choose another --output, or delete that folder"
                )
            if self.restore():
                log.warning("resumed at step %d", self.at.step)
                self._forget_losses_after(self.at.step)
                return
        for old in ("checkpoints", "previews"):
            shutil.rmtree(self.folder / old, ignore_errors=True)
        (self.folder / "losses.jsonl").unlink(missing_ok=True)
        (self.folder / "checkpoints").mkdir()
        write_json(record, {"settings": self.settings, "seed": self.seed, "device": str(self.fabric.device)})

    def _forget_losses_after(self, step: int) -> None:
        path = self.folder / "losses.jsonl"
        if path.exists():
            kept = [line for line in path.read_text(encoding="utf-8").splitlines() if _step_of(line) <= step]
            with atomic_file(path) as temporary:
                temporary.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def checkpoints(self) -> list[Path]:
        """Whole checkpoints, oldest first."""
        return sorted((self.folder / "checkpoints").glob("step-*.safetensors"))

    def save(self) -> None:
        """Writes a checkpoint of everything and keeps the last two. A state with a NaN in it is never saved."""
        tensors = self._state()
        bad = next((n for n, t in tensors.items() if t.is_floating_point() and not bool(torch.isfinite(t).all())), None)
        if bad is not None:
            log.warning("step %d not saved: %s is not finite", self.at.step, bad)
            self._go_back(bad)
            return
        path = self.folder / "checkpoints" / f"step-{self.at.step:08d}.safetensors"
        save_tensors(path, {name: _array(tensor) for name, tensor in tensors.items()}, {"progress": vars(self.at)})
        for old in self.checkpoints()[:-2]:
            old.unlink()

    def restore(self) -> bool:
        """Loads the newest checkpoint that is whole; False when there is none."""
        for path in reversed(self.checkpoints()):
            try:
                arrays, header = load_tensors(path, TrainingError)
            except TrainingError as error:
                log.warning("%s; taking the checkpoint before it", error)
                continue
            self._load_state({name: torch.from_numpy(array) for name, array in arrays.items()})
            self.at = _Progress(**header["progress"])
            self._apply_rate()
            return True
        return False

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
                if value.shape == weight.shape:  # fused Adam pairs elements by their place in memory
                    value = torch.empty_like(weight, requires_grad=False).copy_(value)
                state.setdefault(int(index), {})[key] = value
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state, "param_groups": groups})


def _array(tensor: Tensor) -> npt.NDArray[Any]:
    return tensor.detach().cpu().contiguous().numpy()


def _derived(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _plain(value: Any) -> Any:
    """The value as it comes back from JSON (tuples as lists)."""
    return json.loads(json.dumps(value))


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError):
        return 2**62  # a half-written last line of a killed run


def draw(seed: int, step: int, batch: int, count: int) -> npt.NDArray[np.int64]:
    """Indices of a batch out of `count` items: every item once an epoch, in an order that (seed, epoch) fixes."""
    places = np.arange(step * batch, (step + 1) * batch)
    orders = {epoch: np.random.default_rng([seed, int(epoch)]).permutation(count) for epoch in set(places // count)}
    return np.array([orders[place // count][place % count] for place in places], dtype=np.int64)


class _Stop:
    signal: int | None = None


@contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """The first Ctrl-C or SIGTERM is noted for the loop to see after its step; the second leaves at once."""
    stop = _Stop()

    def note(number: int, _: FrameType | None) -> None:
        if stop.signal is not None:
            os._exit(128 + number)
        stop.signal = number
        log.warning("finishing this step and saving; once more to leave at once")

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever called us handles signals
        yield stop
        return
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
