"""Rotation matrices: frames from directions, shares, means, resampling in time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def normalised(vectors: Array) -> Array:
    """Unit vectors; a zero vector stays zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def frame_from(main: str, along: Array, other: str, towards: Array) -> Array:
    """Right-handed rotations (T, 3, 3) whose columns are the axes x, y, z of a frame.

    Args:
        main: the axis, "x", "y" or "z", that points exactly `along` (T, 3).
        other: the axis that points as nearly as it can `towards` (T, 3).
    """
    first, second = "xyz".index(main), "xyz".index(other)
    third = 3 - first - second
    axes = np.empty((*np.broadcast_shapes(along.shape, towards.shape), 3))
    axes[..., first] = normalised(along)
    square = towards - axes[..., first] * np.sum(towards * axes[..., first], axis=-1, keepdims=True)
    axes[..., second] = normalised(square)
    in_order = (second - first) % 3 == 1
    pair = (axes[..., first], axes[..., second]) if in_order else (axes[..., second], axes[..., first])
    axes[..., third] = np.cross(*pair)
    return axes


def to_vector(rotations: Array) -> Array:
    """Rotation vectors (..., 3): axis times angle in [0, pi]."""
    trace = np.clip((np.trace(rotations, axis1=-2, axis2=-1) - 1) / 2, -1, 1)
    angle = np.arccos(trace)
    skew = rotations - np.swapaxes(rotations, -1, -2)
    axis = np.stack([skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]], axis=-1) / 2
    sine = np.linalg.norm(axis, axis=-1)
    factor = np.where(sine > 1e-9, angle / np.maximum(sine, 1e-9), 1.0)
    vector = axis * factor[..., None]
    half_turn = trace < -1 + 1e-9
    if half_turn.any():
        column = rotations + np.eye(3)
        best = np.linalg.norm(column, axis=-2).argmax(axis=-1)
        chosen = np.take_along_axis(column, best[..., None, None], axis=-1)[..., 0]
        vector = np.where(half_turn[..., None], np.pi * normalised(chosen), vector)
    return np.asarray(vector)


def from_vector(vectors: Array) -> Array:
    """Rotations (..., 3, 3) of rotation vectors (Rodrigues' formula)."""
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(normalised(vectors), -1, 0)
    zero = np.zeros_like(x)
    skew = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    return np.asarray(np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * (skew @ skew))


def share_of_rotation(rotations: Array, share: float) -> Array:
    """The part of each rotation on the shortest way from none to all of it."""
    return from_vector(share * to_vector(rotations))


def mean_rotation(rotations: Array) -> Array:
    """(3, 3) the rotation nearest to the mean of (T, 3, 3) matrices."""
    left, _, right = np.linalg.svd(rotations.mean(axis=0))
    flip = np.diag([1.0, 1.0, float(np.linalg.det(left @ right))])
    return np.asarray(left @ flip @ right)


def resampled_rotations(rotations: Array, times: Array) -> Array:
    """Rotations (T, ..., 3, 3) at fractional frame numbers, by the shortest way between neighbours."""
    last = len(rotations) - 1
    times = np.clip(times, 0, last)
    before = np.floor(times).astype(np.intp)
    after = np.minimum(before + 1, last)
    step = np.swapaxes(rotations[before], -1, -2) @ rotations[after]
    amount = (times - before).reshape(-1, *[1] * (rotations.ndim - 2))
    return np.asarray(rotations[before] @ from_vector(to_vector(step) * amount))
