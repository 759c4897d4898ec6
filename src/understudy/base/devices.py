"""Where to compute, and in which precision."""

from __future__ import annotations

import ctypes
import sys

import torch

from understudy.base.arguments import Device as Device
from understudy.errors import UsageError


def choose_device(device: Device = "auto") -> torch.device:
    """The device to compute on; "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        UsageError: a device was named that this machine, or this build of PyTorch, does not have.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(name for name, there in available.items() if there))
    if not available.get(device, False):
        have = ", ".join(name for name, there in available.items() if there)
        raise UsageError(f"`device={device!r}`: not available to PyTorch here; this machine has: {have}")
    return torch.device(device)


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: newer NVIDIA cards, and CPUs with instructions for it.

    Not where PyTorch is held to older instructions (ATEN_CPU_CAPABILITY), with which it would be many times slower.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        capability = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        there = capability.get("amx_bf16") or capability.get("avx512_bf16")
        return bool(there) and torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return False


def autocast(device: torch.device) -> torch.autocast:
    """A context in which matrix work runs in bfloat16 where that is faster, and in float32 elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_in_bfloat16(device))


def ready_device(device: Device = "auto") -> torch.device:
    """The device to compute on, as `choose_device` has it, prepared for the same work over and over."""
    chosen = choose_device(device)
    if chosen.type == "cpu":
        keep_freed_memory()
    return chosen


def keep_freed_memory() -> None:
    """Asks the C library to keep freed blocks for reuse, for the rest of the process; only glibc on Linux does.

    By default every large tensor is mapped afresh and zeroed by the kernel, page by page, in every step: a fifth of a
    training step on the CPU went there. Memory in use stays what it was at its peak.
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
        library.mallopt(mmap_threshold, 1 << 30)
        library.mallopt(trim_threshold, (1 << 31) - 1)
