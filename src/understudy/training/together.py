"""What several processes do as one: they agree, add up gradients, and share the statistics of a batch.

`torchrun` starts the processes (`base/ranks.py`). Each draws its part of a joint batch, and all take the same step from
the mean of their gradients, so that their weights stay the same; what hangs on a clock, a signal, a file or a NaN is
decided for all. Alone, nothing here does anything.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from understudy.base.ranks import first, rank_here, ranks, ranks_here
from understudy.errors import Told, TrainingError, UsageError

if TYPE_CHECKING:
    from lightning_fabric.strategies.ddp import DDPStrategy

LONGEST_WAIT = timedelta(days=1)
"""for each other: one may track an hour of video meanwhile. Who has died is noticed at once, by its connection"""
SAID = "understudy said "
DONE, SAYING = "understudy is done saying ", timedelta(seconds=5)
SAID_ANYTHING = "understudy said anything"
Value = TypeVar("Value")


# -- Coming together ---------------------------------------------------------------------------------------------


def join() -> None:
    """Meets the other processes, unless that has been done; the first thing that each of several does."""
    if ranks() > 1 and not dist.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        with _lost_told():
            dist.init_process_group(backend, timeout=LONGEST_WAIT)
        atexit.register(_part)


def _part() -> None:
    """Ends the connections, and so Gloo's threads, while Python still runs.

    Such a thread lets go of the last message's tensors some time after all have it. If the interpreter is being taken
    down by then, PyTorch ends the process with SIGABRT, now and then, after a training that has ended well.
    """
    if dist.is_initialized():
        dist.destroy_process_group()


def in_turns(work: Callable[[], Value]) -> Value:
    """The first process of each machine works, then the others, which find in a cache what it has made."""
    result = work() if rank_here() == 0 else None
    wait()
    if rank_here() != 0:
        result = work()
    wait()
    return result  # type: ignore[return-value]


def wait() -> None:
    """Until all have come here."""
    everywhere(torch.ones(1, dtype=torch.bool))


def say_once(line: str, say: Callable[[str], None]) -> None:
    """Says a line, unless another process that has met the same error does."""
    if ranks() == 1 or not dist.is_initialized():
        say(line)
        return
    try:
        store = dist.distributed_c10d._get_default_store()
        store.add(SAID_ANYTHING, 1)
        if store.add(SAID + line, 1) == 1:
            say(line)
            store.set(DONE + line, "")
        else:  # torchrun ends all others as soon as one ends: not before it is said
            store.wait([DONE + line], SAYING)
    except RuntimeError:  # whoever kept the store has gone
        say(line)


@contextmanager
def _lost_told() -> Iterator[None]:
    """Turns a connection that breaks into an error; a quiet one where the process that has gone said why."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        try:
            told = dist.is_initialized() and dist.distributed_c10d._get_default_store().add(SAID_ANYTHING, 0) > 0
        except RuntimeError:
            told = False
        if told or not first():
            raise Told("another process has said why") from None
        raise TrainingError(
            "another of the processes has gone: start all of them again, with `resume=True`, to go on from the last "
            "checkpoint"
        ) from None


# -- Agreeing ----------------------------------------------------------------------------------------------------


def everywhere(true: Tensor) -> Tensor:
    """Booleans of any shape, each as it is in all processes: true where it is true in every one."""
    if ranks() == 1:
        return true
    wrong = (~true).to(torch.int32)
    with _lost_told():
        dist.all_reduce(wrong, dist.ReduceOp.MAX)
    return wrong == 0


def agreed(seconds: float, signal: int | None, due: bool) -> tuple[float, int | None, bool]:
    """The first process's clock, a signal that came to any, and whether the first wants to save."""
    if ranks() == 1:
        return seconds, signal, due
    found = torch.tensor([seconds if first() else 0.0, signal or 0, due and first()], dtype=torch.float64)
    with _lost_told():
        dist.all_reduce(found, dist.ReduceOp.MAX)
    clock, number, save = found.tolist()
    return clock, int(number) or None, bool(save)


def of_first(ask: Callable[[], Value]) -> Value:
    """What `ask` returns in the first process, in all of them; JSON-able. Only there it is called."""
    if ranks() == 1:
        return ask()
    content = json.dumps(ask()).encode() if first() else b""
    length = torch.tensor([len(content)])
    with _lost_told():
        dist.broadcast(length, 0)
        letters = torch.empty(int(length), dtype=torch.uint8)
        if first():
            letters.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        dist.broadcast(letters, 0)
    value: Value = json.loads(bytes(letters.tolist()))
    return value


def tensors_of_first(tensors: Mapping[str, Tensor] | None) -> dict[str, Tensor]:
    """Tensors on the CPU that the first process has, in all of them."""
    if ranks() == 1:
        assert tensors is not None
        return dict(tensors)

    def listed() -> list[tuple[str, list[int], str]]:
        assert tensors is not None
        return [(name, list(one.shape), str(one.dtype).removeprefix("torch.")) for name, one in tensors.items()]

    found = {}
    for name, shape, kind in of_first(listed):
        found[name] = torch.empty(shape, dtype=getattr(torch, kind))
        if tensors is not None:
            found[name].copy_(tensors[name])
        with _lost_told():
            dist.broadcast(found[name], 0)
    return found


def mean(losses: Mapping[str, Tensor]) -> dict[str, float]:
    """Losses over the joint batch."""
    values = torch.stack([value.detach().double() for value in losses.values()]).cpu()
    if ranks() > 1:
        with _lost_told():
            dist.all_reduce(values)
        values /= ranks()
    return dict(zip(losses, values.tolist(), strict=True))


# -- Fabric ------------------------------------------------------------------------------------------------------


def devices_for(device: torch.device) -> dict[str, Any]:
    """What Fabric is told of processes and devices.

    Raises:
        UsageError: there are more processes here than devices of this kind.
    """
    if ranks() == 1:
        return {"devices": 1}
    if device.type != "cpu":
        there = torch.cuda.device_count() if device.type == "cuda" else 1
        if there < ranks_here():
            raise UsageError(
                f"{ranks_here()} processes and {there} devices of `device={device.type!r}` on this machine: start as "
                "many with `--nproc-per-node` as there are devices"
            )
    join()
    return {"devices": ranks_here(), "num_nodes": ranks() // ranks_here(), "strategy": _strategy()()}


@cache
def _strategy() -> type[DDPStrategy]:
    from lightning_fabric.strategies.ddp import DDPStrategy

    class Together(DDPStrategy):
        """Without DDP's wrapper, which expects each network to be used once a step and never to be frozen."""

        def setup_module(self, module: nn.Module) -> Any:
            share_statistics(module)
            return module

    return Together


# -- Gradients ---------------------------------------------------------------------------------------------------


def add_gradients(optimizer: torch.optim.Optimizer, true: Tensor) -> Tensor:
    """Adds each gradient of the optimizer's weights up over all processes, in one message for each type of number.

    What has a gradient nowhere keeps none. Their mean is meant: losses are divided by `ranks()` before.

    Args:
        true: `()` bool, which travels along.

    Returns:
        Whether that is true in every process.
    """
    if ranks() == 1:
        return true
    weights = [weight for group in optimizer.param_groups for weight in group["params"] if weight.requires_grad]
    kinds = {(weight.dtype, weight.device): None for weight in weights}
    for dtype, device in kinds:
        some = [weight for weight in weights if (weight.dtype, weight.device) == (dtype, device)]
        count = sum(weight.numel() for weight in some)
        message = torch.empty(count + len(some) + 1, dtype=dtype, device=device)
        parts, at = [], 0
        for weight in some:  # laid out as the weight is, so that the part can be its gradient as it stands
            parts.append(message.as_strided(weight.shape, weight.stride(), at))
            at += weight.numel()
        with torch.no_grad():
            there = [(part, weight.grad) for part, weight in zip(parts, some, strict=True) if weight.grad is not None]
            torch._foreach_copy_([part for part, _ in there], [gradient for _, gradient in there])
            for part, weight in zip(parts, some, strict=True):
                if weight.grad is None:
                    part.zero_()
            message[count:-1] = torch.tensor([float(weight.grad is not None) for weight in some])
            message[-1] = ~true
        with _lost_told():
            dist.all_reduce(message)
        true = message[-1] == 0
        for part, weight, anywhere in zip(parts, some, message[count:-1].tolist(), strict=True):
            weight.grad = part if anywhere else None
    return true


# -- Statistics of a batch ---------------------------------------------------------------------------------------


def share_statistics(network: nn.Module) -> None:
    """Lets batch normalisation take its statistics from the joint batch; names and values stay as they are."""
    for part in list(network.modules()):
        for name, child in list(part.named_children()):
            if type(child) is nn.BatchNorm2d:
                shared = JointBatchNorm2d(child.num_features, child.eps, child.momentum, child.affine)
                shared.weight, shared.bias = child.weight, child.bias
                shared.running_mean, shared.running_var = child.running_mean, child.running_var
                shared.num_batches_tracked = child.num_batches_tracked
                setattr(part, name, shared.train(child.training))


class JointBatchNorm2d(nn.BatchNorm2d):
    """`BatchNorm2d` over the equally large batches of all processes. PyTorch's own of that kind needs CUDA."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or ranks() == 1:
            return super().forward(input)
        local = torch.stack(_statistics(input.detach()))
        of_all = [torch.empty_like(local) for _ in range(ranks())]
        with _lost_told():
            dist.all_gather(of_all, local)
        means, variances = torch.stack(of_all).unbind(1)
        centre = means.mean(0)
        variance = variances.mean(0) + (means - centre).square().mean(0)
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            count = ranks() * input.numel() // input.shape[1]
            self.num_batches_tracked += 1
            share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(centre, share)
            self.running_var.lerp_(variance * (count / (count - 1)), share)
        weight, bias = (self.weight, self.bias) if self.affine else (torch.ones_like(centre), torch.zeros_like(centre))
        normalised: Tensor = _Normalised.apply(  # type: ignore[no-untyped-call]
            input, weight, bias, centre, variance, self.eps
        )
        return normalised


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel, float32. By what normalises, many times as fast as `var_mean`."""
    if x.device.type != "cpu":
        variance, mean = torch.var_mean(x.float(), dim=(0, 2, 3), correction=0)
        return mean, variance
    found: tuple[Tensor, Tensor] = torch.batch_norm_update_stats(x.float(), None, None, 0.0)
    return found


class _Normalised(torch.autograd.Function):
    """Normalisation by statistics of all, whose gradients reach every process's part of the batch."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, centre: Tensor, variance: Tensor, eps: float
    ) -> Tensor:
        ctx.save_for_backward(x, weight, centre, variance)
        ctx.eps = eps
        return nn.functional.batch_norm(x, centre, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        # y = w (x - m) / s + b. As if m and s were fixed the gradient is w g / s; through them, with means over all,
        # -w / s (mean(g) + (x - m) / s mean(g (x - m) / s))
        x, weight, centre, variance = ctx.saved_tensors
        as_if_fixed = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, centre, variance, None, None, False, ctx.eps, [True, True, True]
        )
        by_x, by_weight, by_bias = as_if_fixed
        sums = torch.stack([by_bias, by_weight]).float()
        with _lost_told():
            dist.all_reduce(sums)
        of_g, of_gx = sums / (ranks() * x.numel() // x.shape[1])
        over = (variance + ctx.eps).rsqrt()
        scale = over * weight
        slope, offset = -scale * over * of_gx, scale * (over * of_gx * centre - of_g)
        one = torch.ones_like(slope)
        by_x += nn.functional.batch_norm(x, torch.zeros_like(one), one, slope, offset, training=False, eps=0.0)
        return by_x, by_weight, by_bias, None, None, None
