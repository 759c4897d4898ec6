"""What a device reaches at best in this process: the fastest of a few matrix products and 3x3 convolutions."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from measuring import synchronise

SIDES = {"cpu": (512, 1024, 2048), "cuda": (4096, 8192, 16384), "mps": (1024, 2048, 4096)}
"""of the square matrices"""
CONVOLUTIONS = {
    "cpu": ((4, 64, 128), (4, 256, 64), (4, 512, 32)),
    "cuda": ((16, 128, 256), (16, 512, 64), (16, 1024, 32)),
    "mps": ((4, 128, 128), (4, 256, 64), (4, 512, 32)),
}
"""(pictures, channels, side in pixels)"""
SECONDS = 0.3
"""for which each is repeated, whatever it takes"""
REPEATS = 4
"""at least"""


def reachable(device: str, kind: torch.dtype) -> dict[str, float]:
    """Floating point operations a second of the fastest "matrix product" and "convolution" of that type."""
    return {
        "matrix product": max(_product(device, kind, side) for side in SIDES[device]),
        "convolution": max(_convolution(device, kind, *shape) for shape in CONVOLUTIONS[device]),
    }


@torch.inference_mode()
def _product(device: str, kind: torch.dtype, side: int) -> float:
    a, b = torch.randn(2, side, side, device=device, dtype=kind)
    return 2 * side**3 / _quickest(lambda: a @ b, device)


@torch.inference_mode()
def _convolution(device: str, kind: torch.dtype, pictures: int, channels: int, side: int) -> float:
    x = torch.randn(pictures, channels, side, side, device=device, dtype=kind)
    weight = torch.randn(channels, channels, 3, 3, device=device, dtype=kind)
    x, weight = (one.contiguous(memory_format=torch.channels_last) for one in (x, weight))
    return 2 * 9 * channels**2 * pictures * side**2 / _quickest(lambda: F.conv2d(x, weight, padding=1), device)


def _quickest(action: Callable[[], object], device: str) -> float:
    """Seconds of the quickest call: a peak is what nothing disturbed."""
    best, began, done = float("inf"), time.perf_counter(), -1
    while done < REPEATS or time.perf_counter() - began < SECONDS:
        synchronise(device)
        started = time.perf_counter()
        action()
        synchronise(device)
        done += 1
        if done:  # the first one warms up
            best = min(best, time.perf_counter() - started)
    return best
