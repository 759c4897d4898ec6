"""A small ONNX file of one convolution, written byte by byte: the packages that write ONNX are large."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(place: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _number(place << 3) + _number(value)
    data = value.encode() if isinstance(value, str) else value
    return _number(place << 3 | 2) + _number(len(data)) + data


def _tensor(name: str, values: np.ndarray) -> bytes:
    sizes = b"".join(_field(1, side) for side in values.shape)
    return sizes + _field(2, 1) + _field(8, name) + _field(9, values.astype("<f4").tobytes())


def _declared(name: str, shape: tuple[int, ...]) -> bytes:
    sizes = b"".join(_field(1, _field(1, side)) for side in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, sizes)))


def write_convolution(
    path: Path, weight: np.ndarray, bias: np.ndarray, shape_in: tuple[int, ...], shape_out: tuple[int, ...]
) -> None:
    """`data` convolved with weight (out, in, k, k) and bias (out,), without padding, gives `made`."""
    kernel = weight.shape[-1]
    sides = _field(1, "kernel_shape") + _field(8, kernel) * 2 + _field(20, 7)
    node = b"".join(_field(1, name) for name in ("data", "weight", "bias"))
    node += _field(2, "made") + _field(4, "Conv") + _field(5, sides)
    graph = _field(1, node) + _field(2, "one convolution")
    graph += _field(5, _tensor("weight", weight)) + _field(5, _tensor("bias", bias))
    graph += _field(11, _declared("data", shape_in)) + _field(12, _declared("made", shape_out))
    path.write_bytes(_field(1, 7) + _field(7, graph) + _field(8, _field(2, 13)))
