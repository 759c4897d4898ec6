"""Where dancing feet stand and go: steps, turns, kicks, hops, lunges, as a plan over time in leg lengths."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from understudy.body.skeleton import CANONICAL_BODY

STANCE = 1.25 * CANONICAL_BODY.hip_half_width / CANONICAL_BODY.leg
"""leg lengths from the middle to a foot that stands at ease"""


def ease(amount: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Minimum-jerk course from 0 to 1, at rest at both ends (Flash and Hogan 1985)."""
    amount = np.clip(amount, 0.0, 1.0)
    return amount**3 * (10 - 15 * amount + 6 * amount**2)


@dataclass
class Track:
    """Values held and moved between at given times."""

    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    values: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def add(self, start: float, end: float, value: npt.ArrayLike) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.values.append(np.asarray(value, np.float64))

    def at(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(T, ...) values; before the first entry its value holds."""
        which = np.clip(np.searchsorted(self.starts, times, side="right") - 1, 0, None)
        values, starts, ends = np.stack(self.values), np.array(self.starts), np.array(self.ends)
        before = values[np.clip(which - 1, 0, None)]
        amount = ease((times - starts[which]) / (ends - starts)[which])
        amount = amount.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(before + (values[which] - before) * amount)


def smooth(values: npt.NDArray[np.float64], times: npt.NDArray[np.float64], width: float) -> npt.NDArray[np.float64]:
    """Gaussian smoothing along time, `width` in seconds."""
    if len(times) < 3:
        return values
    step = times[1] - times[0]
    reach = int(np.ceil(3 * width / step))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    padded = np.pad(values, [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    columns = padded.reshape(len(padded), -1)
    smoothed = np.stack([np.convolve(column, kernel / kernel.sum(), "valid") for column in columns.T], axis=1)
    return smoothed.reshape(values.shape)


class Footwork:
    """Where the feet stand and when they move: a plan in leg lengths, z to the front, yaw to the left."""

    def __init__(self, stream: np.random.Generator, tempo: float, until: float) -> None:
        self.place = {"left": Track(), "right": Track()}  # x, z, yaw
        self.swing: list[tuple[str, float, float, float]] = []  # side, start, end, height
        self.kicks: list[tuple[str, float, float, float, float, float]] = []
        """side, start, end, direction, reach, rise"""
        self.hops: list[tuple[float, float, float]] = []  # start, end, height
        self.bend = Track()
        self.bend.add(-2.0, -1.0, 0.02)
        self._centre = np.zeros(2)
        self._yaw = 0.25 * float(stream.normal())
        self._width = 1.0
        self._since_turn = 0
        for side in ("left", "right"):
            self.place[side].add(-2.0, -1.0, self._stand(side))
        clock = tempo
        moves = [self._step, self._turn, self._squat, self._kick, self._sway, self._lunge, self._step, self._turn]
        bag: list[int] = []
        while clock < until:
            if abs(self._away()) > 0.6 and self._since_turn > 1:
                clock = self._turn(stream, tempo, clock)
                continue
            if not bag:  # every kind comes before any comes again, so that even a short dance is varied
                bag = list(stream.permutation(len(moves)))
                if stream.random() < 0.6:
                    clock = self._hop(stream, tempo, clock)
            self._since_turn += 1
            clock = moves[bag.pop()](stream, tempo, clock)

    def _stand(self, side: str) -> npt.NDArray[np.float64]:
        """Place of a foot beside the body's middle."""
        across = STANCE * self._width * (1 if side == "left" else -1)
        x = self._centre[0] + across * np.cos(self._yaw)
        z = self._centre[1] - across * np.sin(self._yaw)
        return np.array([x, z, self._yaw + (0.14 if side == "left" else -0.14)])

    def _move_foot(self, side: str, start: float, end: float, place: npt.NDArray[np.float64], height: float) -> None:
        self.place[side].add(start, end, place)
        self.swing.append((side, start, end, height))

    def _shift(self, stream: np.random.Generator, reach: float) -> str:
        """Moves the middle, rather back towards home; returns the foot that goes first."""
        step = stream.normal(0, reach, 2) * (1.0, 0.8) - 0.4 * self._centre
        self._centre = np.clip(self._centre + step, (-0.22, -0.30), (0.22, 0.30))
        return "left" if step @ (np.cos(self._yaw), -np.sin(self._yaw)) > 0 else "right"

    def _both(self, first: str, clock: float, beat: float, height: float) -> float:
        for side in (first, "right" if first == "left" else "left"):
            self._move_foot(side, clock, clock + 0.8 * beat, self._stand(side), height)
            clock += beat
        return clock

    def _step(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        for _ in range(stream.integers(1, 4)):
            self._width = 0.9 + 1.3 * stream.random()
            clock = self._both(self._shift(stream, 0.18), clock, tempo * (0.8 + 0.4 * stream.random()), 0.07)
        return clock

    def _turn(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        """All the way round, or away from the camera and, next time, back to it, the short or the long way."""
        way, away = (1 if stream.random() < 0.5 else -1), self._away()
        if abs(away) > 0.6:
            total = -away if stream.random() < 0.7 else -away + 2 * np.pi * np.sign(away)
        else:
            total = way * float(stream.choice([90.0, 180.0, 360.0, 360.0])) * np.pi / 180 - away
        total += 0.2 * float(stream.normal())
        steps = max(1, round(abs(total) / 1.05))
        self._width = 1.0
        for _ in range(steps):
            self._yaw += total / steps
            clock = self._both("left" if total > 0 else "right", clock, tempo * 0.62, 0.05)
        self._since_turn = 0
        return clock

    def _away(self) -> float:
        """Radians from facing the camera, to the left, in (-pi, pi]."""
        return float(np.pi - (np.pi - self._yaw) % (2 * np.pi))

    def _squat(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        self._width = 1.2 + 0.8 * stream.random()
        clock = self._both("left", clock, tempo * 0.7, 0.05)
        for _ in range(stream.integers(1, 4)):
            self.bend.add(clock, clock + tempo, 0.10 + 0.26 * stream.random())
            self.bend.add(clock + tempo, clock + 2 * tempo, 0.02)
            clock += 2 * tempo
        return clock

    def _kick(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        self._width = 0.8
        clock = self._both("left", clock, tempo * 0.7, 0.05)
        first = int(stream.integers(2))
        for number in range(2 + int(stream.integers(2))):
            side = ("left", "right")[(first + number) % 2]
            direction = float(stream.choice([0.0, 0.0, 0.9, 1.4, 1.5])) + 0.2 * stream.normal()
            size = 0.4 + 0.6 * float(stream.random())
            knee_up = stream.random() < 0.35
            reach, rise = (0.15, 0.25 + 0.25 * size) if knee_up else (0.62 * size, 0.42 * size**1.5)
            self.kicks.append((side, clock, clock + 2.2 * tempo, direction, reach, rise))
            clock += 2.3 * tempo
        return clock

    def _hop(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        for _ in range(stream.integers(1, 3)):
            self.bend.add(clock, clock + 0.6 * tempo, 0.15)
            self.bend.add(clock + 0.6 * tempo, clock + 0.95 * tempo, 0.005)
            start = clock + 0.8 * tempo
            length = 0.30 + 0.12 * stream.random()
            self.hops.append((start, start + length, 9.81 * length**2 / 8 / CANONICAL_BODY.leg))
            self.bend.add(start + length, start + length + 0.3 * tempo, 0.12)
            self.bend.add(start + length + 0.3 * tempo, start + length + tempo, 0.02)
            clock = start + length + tempo
        return clock

    def _sway(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        self._width = 1.5 + 0.8 * stream.random()
        clock = self._both("right", clock, tempo * 0.8, 0.05)
        for _ in range(stream.integers(1, 4)):
            self.bend.add(clock, clock + 0.5 * tempo, 0.07 + 0.05 * stream.random())
            self.bend.add(clock + 0.5 * tempo, clock + tempo, 0.02)
            clock += tempo
        return clock

    def _lunge(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        self._width = 1.0
        side = "left" if stream.random() < 0.5 else "right"
        direction = stream.uniform(-0.3, 1.7) * (1 if side == "left" else -1) + self._yaw
        there = self._stand(side) + 0.42 * np.array([np.sin(direction), np.cos(direction), 0.0])
        self._move_foot(side, clock, clock + 0.9 * tempo, there, 0.06)
        self.bend.add(clock + 0.3 * tempo, clock + 1.2 * tempo, 0.12 + 0.12 * stream.random())
        clock += 2 * tempo
        self.bend.add(clock, clock + 0.8 * tempo, 0.02)
        self._move_foot(side, clock, clock + 0.9 * tempo, self._stand(side), 0.05)
        return clock + tempo

    def swing_height(self, side: str, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(T,) height of a stepping foot."""
        height = np.zeros_like(times)
        for mover, start, end, top in self.swing:
            if mover == side:
                amount = np.clip((times - start) / (end - start), 0, 1)
                height += top * np.sin(np.pi * ease(amount)) ** 2
        return height

    def hop_height(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(T,) clearance of a ballistic hop."""
        height = np.zeros_like(times)
        for start, end, top in self.hops:
            amount = np.clip((times - start) / (end - start), 0, 1)
            height += 4 * top * amount * (1 - amount)
        return height

    def kick_amount(self, side: str, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(T, 3) offset of a kicking foot from its place, in the pelvis' heading: left, up, front."""
        offset = np.zeros((len(times), 3))
        for kicker, start, end, direction, reach, rise in self.kicks:
            if kicker == side:
                amount = np.clip((times - start) / (end - start), 0, 1)
                out = ease(amount / 0.45) * ease((1 - amount) / 0.45)
                lifted = ease(amount / 0.28) * ease((1 - amount) / 0.28)
                outward = 1 if side == "left" else -1
                towards = np.array([outward * np.sin(direction), 0.0, np.cos(direction)])
                offset += out[:, None] * towards * reach
                offset[:, 1] += lifted * 0.12 + out * rise
        return offset
