"""64 bits as 288, of which many may be lost: a convolutional code, decoded from how sure each bit is."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

BITS = 64
_MEMORY = 8
_GENERATORS = (0o463, 0o535, 0o733, 0o745)
"""rate 1/4, constraint length 9, free distance 24 (Proakis, "Digital Communications", table 8-2-3)"""
CODED_BITS = (BITS + _MEMORY) * len(_GENERATORS)
_Bits = npt.NDArray[np.int64]


def encoded(bits: _Bits) -> _Bits:
    """(64,) of 0 and 1 -> (288,)."""
    state, out = 0, []
    outputs = _outputs()
    for bit in [*bits.tolist(), *[0] * _MEMORY]:
        out.append(outputs[state, bit])
        state = _next(state, bit)
    return np.concatenate(out)


def decoded(likelihoods: npt.NDArray[np.floating]) -> _Bits:
    """The likeliest 64 bits (Viterbi's algorithm).

    Args:
        likelihoods: (288,), how much more likely each coded bit is 1 than 0, as a logarithm, in any unit.

    Returns:
        (64,) of 0 and 1.
    """
    steps = np.asarray(likelihoods, np.float64).reshape(-1, len(_GENERATORS))
    states = 1 << _MEMORY
    signs = 2.0 * _outputs() - 1.0  # (states, 2, generators)
    gains = np.einsum("sbg,tg->tsb", signs, steps)
    # A state is the last eight bits, newest lowest: it is reached from the two that differ in the oldest one.
    before = np.arange(states)[:, None] >> 1 | np.array([[0, states >> 1]])
    newest = np.arange(states) & 1
    best = np.full(states, -np.inf)
    best[0] = 0.0
    chosen = []
    for gain in gains:
        ways = best[before] + gain[before, newest[:, None]]
        taken = ways.argmax(axis=1)
        best = ways[np.arange(states), taken]
        chosen.append(taken)
    state, bits = 0, []  # the tail of zeros leads back to state 0
    for taken in reversed(chosen):
        bits.append(state & 1)
        state = int(before[state, taken[state]])
    return np.array(bits[::-1][:BITS], np.int64)


def _next(state: int, bit: int) -> int:
    return (state << 1 | bit) & ((1 << _MEMORY) - 1)


@functools.cache
def _outputs() -> _Bits:
    """(states, 2, generators): the coded bits for each state and new bit."""
    out = np.zeros((1 << _MEMORY, 2, len(_GENERATORS)), np.int64)
    for state in range(1 << _MEMORY):
        for bit in (0, 1):
            register = state << 1 | bit
            out[state, bit] = [(register & generator).bit_count() & 1 for generator in _GENERATORS]
    return out
