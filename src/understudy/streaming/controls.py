"""What is done while a live performance goes on: keys of a window, buttons of the page and OSC messages are one."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace

KEYS = {"a": "actor", "b": "background", "m": "mirror", "f": "freeze", "c": "calibrate"}
"""what is typed for each"""
ACTIONS = tuple(KEYS.values())


@dataclass(frozen=True)
class State:
    """How things stand."""

    actor: int = 0
    """which of the actors performs"""
    background: int = 0
    """which of the backgrounds is behind"""
    mirror: bool = False
    """the performer moves like a mirror image"""
    freeze: bool = False
    """the performer stays as at this moment; a moving background goes on"""
    calibrate: int = 0
    """how often whoever stands there is to be measured anew"""


class Controls:
    """Pressed by any thread, read by any other.

    Args:
        actors, backgrounds: how many there are to go round.
        mirror: how it begins.
    """

    def __init__(self, actors: int = 1, backgrounds: int = 1, mirror: bool = False) -> None:
        self._actors, self._backgrounds = actors, backgrounds
        self._lock = threading.Lock()
        self._state = State(mirror=mirror)
        self.ended = False
        """whether somebody closed the window"""

    @property
    def state(self) -> State:
        """As it is now; it never changes, the next one is another."""
        return self._state

    def press(self, action: str) -> bool:
        """Does one of `ACTIONS`; False, and nothing, where it is none of them."""
        with self._lock:
            now = self._state
            if action == "actor":
                self._state = replace(now, actor=(now.actor + 1) % self._actors)
            elif action == "background":
                self._state = replace(now, background=(now.background + 1) % self._backgrounds)
            elif action == "mirror":
                self._state = replace(now, mirror=not now.mirror)
            elif action == "freeze":
                self._state = replace(now, freeze=not now.freeze)
            elif action == "calibrate":
                self._state = replace(now, calibrate=now.calibrate + 1, freeze=False)
            else:
                return False
            return True

    def told(self) -> dict[str, int | bool]:
        """The state by name, for a page; actors and backgrounds counted from 1."""
        told: dict[str, int | bool] = asdict(self._state)
        return told | {"actor": self._state.actor + 1, "background": self._state.background + 1}
