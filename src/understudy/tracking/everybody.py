"""Everybody in a clip: the detector finds people, each is followed, and keeps a number for as long as it is seen."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from understudy.tracking.blazepose import Body, Follower, PoseNetworks
from understudy.tracking.regions import Region, UInt8Array

EVERY = 10
"""frames between two looks at the whole picture while nobody is lost"""
APART = 0.25
"""of the smaller square's side: people whose middles are nearer, and whose squares are about as large, are one"""
LIKE = 1.6
"""times that the larger of two squares of one person is wider at most"""


class Everybody:
    """Follows everybody at once. Not for two threads at a time.

    Args:
        networks: of a tracker that does not run now; None loads them.

    Raises:
        WeightsError: the networks are not at hand and cannot be fetched.
    """

    def __init__(self, networks: PoseNetworks | None = None) -> None:
        self._networks = networks or PoseNetworks()
        self._followers: dict[int, Follower] = {}
        self._next, self._until_look = 0, 0

    def __call__(self, frame: UInt8Array) -> dict[int, Body]:
        """(H, W, 3) RGB in; who is in it, by number. Numbers are given in the order in which people are found."""
        bodies: dict[int, Body] = {}
        lost = False
        for number, follower in list(self._followers.items()):
            body = follower(frame)
            # two followers of one person: the older one stays
            if body is None or any(_same(body.region, other.region) for other in bodies.values()):
                del self._followers[number]
                lost = True
            else:
                bodies[number] = body
        if lost or not self._followers or self._until_look <= 0:
            self._until_look = EVERY
            for region in self._networks.detect(frame):
                if any(_same(region, body.region) for body in bodies.values()):
                    continue
                follower = Follower(self._networks, region)
                body = follower(frame)
                if body is None or any(_same(follower.region, one.region) for one in self._followers.values()):
                    continue
                self._followers[self._next], bodies[self._next] = follower, body
                self._next += 1
        self._until_look -= 1
        return bodies

    def forget(self) -> None:
        """The next frame is of another shot: everybody in it is somebody new."""
        self._followers.clear()


def _same(one: Region, other: Region) -> bool:
    near, far = sorted((one.width, other.width))
    return math.hypot(one.x - other.x, one.y - other.y) < APART * near and far < LIKE * max(near, 1e-6)


def others(
    frame: UInt8Array, person: npt.NDArray[np.floating], networks: PoseNetworks | None = None
) -> list[tuple[int, int, int, int]]:
    """The surroundings of whoever is in (H, W, 3) besides a person of whom (K, 2) points are known."""
    low, high = person.min(axis=0), person.max(axis=0)
    found = []
    for body in Everybody(networks)(frame).values():
        left, top, width, height = place = surroundings(body, (frame.shape[0], frame.shape[1]))
        shared = np.minimum(high, (left + width, top + height)) - np.maximum(low, (left, top))
        hips = body.xy[[23, 24]].mean(axis=0)
        if (shared <= 0).any() or (hips < low).any() or (hips > high).any():
            found.append(place)
    return found


def surroundings(body: Body, picture_hw: tuple[int, int], room: float = 0.15) -> tuple[int, int, int, int]:
    """left, top, width, height of a person with room about it, within the picture: what a `region` may be."""
    seen = body.xy[:33][body.visibility[:33] > 0.5]
    if len(seen) < 2:
        seen = body.xy[:33]
    low, high = seen.min(axis=0), seen.max(axis=0)
    more = room * (high - low).max()
    left, top = np.floor(np.clip(low - more, 0, picture_hw[::-1])).astype(int)
    right, bottom = np.ceil(np.clip(high + more, 0, picture_hw[::-1])).astype(int)
    return int(left), int(top), int(right - left), int(bottom - top)
