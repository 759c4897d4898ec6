"""MediaPipe's pose landmarks as JSON, by a web socket: a page in a browser tracks, and an actor dances.

A message is what a page has in its hands: the result of `PoseLandmarker.detectForVideo`, of the tasks for the web, as
`JSON.stringify` writes it (`landmarks`: a list of people, of 33 landmarks each), or `poseLandmarks` of the older
solutions (33 landmarks), or such a list by itself. A landmark has `x` and `y` as shares of the picture's width and
height, y down, and `visibility`, which newer tasks leave out at times. `width` and `height` beside `landmarks` say the
picture's shape; else it is taken as 16:9. Of several people the first one counts; an empty list says that nobody is
there.

Sources: MediaPipe, "Pose landmark detection guide for Web" (the 33 landmarks, and what their numbers are); its
`NormalizedLandmark` says of `visibility` that, depending on the model, it is "a sigmoid or an argument of sigmoid", so
what lies outside 0 to 1 is clipped.

Anybody on this machine may send, and so might a page from elsewhere that a browser shows: the socket listens on
127.0.0.1, takes browsers' connections from pages of this machine alone (`Origin`; a file that is opened has none to
trust, "null"), limits sizes and rates, and refuses what is not the above. Nothing is ever sent but the closing.
"""

from __future__ import annotations

import importlib
import json
import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from understudy.errors import UsageError
from understudy.poses.pose import POINTS, Pose
from understudy.streaming.placing import nobody
from understudy.streaming.ports import ADDRESS, bound
from understudy.streaming.pose_stream import ASPECT, pose_of_shares, size_of
from understudy.tracking.blazepose_points import BODY_FROM_BLAZEPOSE

LANDMARKS = 33
MOST_BYTES = 64 << 10
"""of a message; a result is 4 to 8 KB, with its world landmarks twice that"""
MOST_A_SECOND = 120
"""messages of one connection that are looked at"""
MOST_CONNECTIONS = 4
SEEN_ABOVE = 0.3
"""visibility below which a landmark is a guess about what is hidden, and not drawn"""
OWN_PAGES = re.compile(r"http://(127\.0\.0\.1|localhost)(:\d{1,5})?")
PATIENCE = 5.0
"""seconds for a connection's opening and closing"""

log = logging.getLogger(__name__)


class LandmarkError(ValueError):
    """A message that holds no landmarks."""


def pose_of_json(text: str | bytes) -> Pose:
    """The pose of a message, (1, 133); of nobody where it says that nobody is there.

    Raises:
        LandmarkError: it is not JSON, or not what stands at the head of this module.
    """
    try:
        said = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise LandmarkError("not JSON, or numbers that are none") from None
    size_hw = size_of(ASPECT)
    if isinstance(said, dict):
        size_hw = _size(said.get("width"), said.get("height"))
        said = said.get("landmarks", said.get("poseLandmarks"))
    if not isinstance(said, list):
        raise LandmarkError("no list of landmarks")
    if said and isinstance(said[0], list):
        said = said[0]
    if not said:
        return nobody(size_hw)
    if len(said) != LANDMARKS or not all(isinstance(one, dict) for one in said):
        raise LandmarkError(f"not {LANDMARKS} landmarks")
    shares, confidence = np.zeros((POINTS, 2)), np.zeros(POINTS)
    for point, landmark in BODY_FROM_BLAZEPOSE:
        one = said[landmark]
        shares[point] = _number(one.get("x")), _number(one.get("y"))
        visibility = min(1.0, max(0.0, _number(one.get("visibility", 1.0))))
        confidence[point] = visibility if visibility >= SEEN_ABOVE else 0.0
    try:
        return pose_of_shares(shares, confidence, size_hw)
    except ValueError as error:
        raise LandmarkError(str(error)) from None


def _refused(word: str) -> float:
    raise ValueError(word)


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > 1e9:
        raise LandmarkError("a number that is none")
    return float(value)


def _size(width: Any, height: Any) -> tuple[int, int]:
    if width is None and height is None:
        return size_of(ASPECT)
    wide, high = _number(width), _number(height)
    try:
        return size_of(wide / high)
    except (ValueError, ZeroDivisionError):
        raise LandmarkError("no picture has this shape") from None


class LandmarkSocket:
    """Listens for web sockets on this machine alone, in threads of its own.

    Args:
        port: 0 takes any that is free.
        put: takes a pose.

    Attributes:
        refused: messages that were not understood, or came too fast.

    Raises:
        UsageError: the library is missing, or the port is taken.
    """

    def __init__(self, port: int, put: Callable[[Pose], None]) -> None:
        try:
            server: Any = importlib.import_module("websockets.sync.server")
            exceptions: Any = importlib.import_module("websockets.exceptions")
        except ImportError:
            raise UsageError("`poses='mediapipe'` needs websockets: `pip install 'understudy[live]'`") from None
        self._put, self._closed_by_them = put, exceptions.ConnectionClosed
        self._lock = threading.Lock()
        self._open: set[Any] = set()
        self._closed = False
        self.refused = 0
        quiet = logging.getLogger("understudy.websockets")
        quiet.setLevel(logging.CRITICAL)  # what strangers send is counted, not told line by line
        with bound("websocket", port):
            self._server = server.serve(
                self._listen,
                ADDRESS,
                port,
                origins=[None, OWN_PAGES],
                compression=None,  # a small message may be a large one compressed
                max_size=MOST_BYTES,
                max_queue=4,
                open_timeout=PATIENCE,
                close_timeout=PATIENCE,
                server_header=None,
                logger=quiet,
            )
        self.port = int(self._server.socket.getsockname()[1])
        threading.Thread(target=self._server.serve_forever, daemon=True, name="landmarks").start()

    @property
    def connections(self) -> int:
        """How many there are now."""
        return len(self._open)

    def _listen(self, connection: Any) -> None:
        with self._lock:
            taken = not self._closed and len(self._open) < MOST_CONNECTIONS
            if taken:
                self._open.add(connection)
        if not taken:  # outside of the lock: whoever is turned away may take long to answer
            connection.close(1013, "too many connections")
            return
        try:
            self._take(connection)
        except self._closed_by_them:
            pass
        finally:
            with self._lock:
                self._open.discard(connection)

    def _take(self, connection: Any) -> None:
        second, count = 0.0, 0
        for message in connection:
            now = time.monotonic()
            if now - second >= 1.0:
                second, count = now, 0
            count += 1
            try:
                if count > MOST_A_SECOND:
                    raise LandmarkError("too many messages")
                pose = pose_of_json(message)
            except LandmarkError as error:
                with self._lock:
                    self.refused += 1
                log.debug("a message was refused: %s", error)
                continue
            self._put(pose)

    def close(self) -> None:
        with self._lock:
            self._closed, left = True, list(self._open)
        enders = [threading.Thread(target=one.close, args=(1001,), daemon=True) for one in left]
        for ender in enders:  # at once: one that does not answer takes PATIENCE; before 17, websockets closes none
            ender.start()
        self._server.shutdown()
        for ender in enders:
            ender.join(2 * PATIENCE)
        if self.refused:
            log.warning("%d messages were not understood, or came too fast", self.refused)
