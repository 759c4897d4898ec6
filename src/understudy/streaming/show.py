"""The live chain: pictures in, poses, the actor's frames, pictures out; each in a thread, each with what is newest."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

import cv2
import numpy as np

from understudy.actor import Actor
from understudy.base.load import ThreadsByLoad
from understudy.base.stopping import stop_signals
from understudy.compositing.backgrounds import Background
from understudy.errors import MediaError
from understudy.performing.label import Label
from understudy.performing.perform import Part, composed
from understudy.pictures.lettering import line_height, text_width, write
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.player import Moment, Player
from understudy.retargeting.window import FADE_SECONDS
from understudy.streaming.cameras import Camera, Image, Shot
from understudy.streaming.newest import Newest
from understudy.streaming.placing import Placing, nobody
from understudy.tracking.detection import Tracker

SAY_EVERY = 10.0
"""seconds"""
KEPT = 10_000
"""delays of the latest pictures, of which the quantiles are told"""

log = logging.getLogger(__name__)


class Output(Protocol):
    """Where live pictures go."""

    from_the_start: bool
    """whether it shows what is to be done before somebody is measured, too"""

    def show(self, frame: Image, when: float) -> None:
        """One picture, (H, W, 3) RGB, which nobody else writes to; `when` by `time.monotonic()`."""
        ...


@dataclass(frozen=True, eq=False)
class Posed:
    """What is to be played, and since when it is known."""

    pose: Pose
    """(1, 133) in the generator's frame"""
    presence: float
    """how visible the performer is"""
    taken: float | None
    """when what it shows was filmed; None before the performance"""


@dataclass(frozen=True, eq=False)
class Shown:
    """A finished picture, and when what it shows was filmed."""

    frame: Image
    taken: float | None
    """None before the performance"""


@dataclass(frozen=True)
class Summary:
    """How a live performance went."""

    frames: int
    """pictures shown, those before somebody was measured left out"""
    seconds: float
    """in which they were"""
    delay_p50: float
    """seconds from a picture of the camera to the one of the performer, half of the time at most"""
    delay_p95: float
    """the same, of 95 in 100"""
    dropped: int
    """pictures of the camera that came while the one before was still looked at, or played"""

    def __str__(self) -> str:
        if not self.frames:
            return "nobody was shown: nobody stood before the camera for long enough, from head to foot"
        return (
            f"{self.frames / max(self.seconds, 1e-9):.1f} frames a second for {self.seconds:.0f} s, "
            f"{1000 * self.delay_p50:.0f} ms behind (95 of 100 at most {1000 * self.delay_p95:.0f} ms), "
            f"{self.dropped} of the camera's pictures left out"
        )


def smaller(actor: Actor, long_side: int) -> Actor:
    """The same actor, for pictures of at most so many pixels: large ones take long to compose and to send."""
    ratio = min(1.0, long_side / max(actor.original_size_hw))
    height, width = (max(2, 2 * round(side * ratio / 2)) for side in actor.original_size_hw)
    room = cv2.resize(actor.background, (width, height), interpolation=cv2.INTER_AREA)
    return replace(
        actor,
        original_size_hw=(height, width),
        crop=actor.crop.relative_to(Similarity.resized(ratio)),
        background=np.asarray(room, np.uint8),
    )


class Pace:
    """When to look at a picture, so that its pose is new when it is asked for, and none is made for nothing.

    Looking takes a core from playing, where there are few.
    """

    CALM = 0.2
    """weight of the latest time among those before"""

    def __init__(self) -> None:
        self._period = self._look = 0.0
        self._asked: float | None = None

    def wait(self, now: float) -> float:
        """Seconds, from when the pose before was taken: of what playing takes lately, what looking does not."""
        if self._asked is not None:
            self._period += self.CALM * (min(now - self._asked, 1.0) - self._period)
        self._asked = now
        return max(0.0, 0.9 * self._period - self._look)

    def looked(self, seconds: float) -> None:
        """How long a pose took."""
        self._look += self.CALM * (min(seconds, 1.0) - self._look)


class Show:
    """One live performance.

    Args:
        actor: who performs, see `smaller`.
        player: its prompt one.
        camera: what comes in.
        tracker: finds whoever stands before it.
        outputs: what the pictures go to, one after the other.
        background: behind the performer.
        label: says in the picture that it is generated; None: nothing does.
        mirror: the performer moves like a mirror image.
        calibration: seconds for which somebody is measured before anything is played.
    """

    def __init__(
        self,
        actor: Actor,
        player: Player,
        camera: Camera,
        tracker: Tracker,
        outputs: Sequence[Output],
        *,
        background: Background,
        label: Label | None = None,
        mirror: bool = False,
        calibration: float = 3.0,
    ) -> None:
        self.actor, self.player, self.camera, self.tracker, self.outputs = actor, player, camera, tracker, outputs
        self.label, self.mirror = label, mirror
        self.placing = Placing(actor, calibration)
        self._moving = background.moving
        self._behind = background.frames(
            actor.original_size_hw, camera.fps, reference=actor.background, driving=lambda: actor.background
        )
        self._stage = threading.Lock()  # the room is asked for by two threads
        self._rooms, self._first_room = 0, 0.0
        self._left_out_before = 0
        self._filmed: Newest[Shot] = Newest()
        self._posed: Newest[Posed] = Newest()
        self._shown: Newest[Shown] = Newest()
        self._under_way: deque[Posed] = deque()

    def run(self, seconds: float | None = None) -> Summary:
        """Until the camera ends, Ctrl-C, or so many seconds of performance are over.

        Raises:
            what went wrong in any of the threads.
        """
        work = (self._film, self._look, self._play)
        threads = [threading.Thread(target=self._watched, args=(each,), daemon=True) for each in work]
        with stop_signals() as stop:
            for thread in threads:
                thread.start()
            try:
                return self._show(seconds, lambda: stop.signal is not None)
            finally:
                self._close()
                for thread in threads:
                    thread.join(timeout=5.0)  # a camera that hangs is left alone

    def _watched(self, work: Callable[[], None]) -> None:
        """Runs one of the threads; what goes wrong in it ends all of them."""
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised where the pictures are shown
            self._close(error)

    def _close(self, error: BaseException | None = None) -> None:
        for each in (self._filmed, self._posed, self._shown):
            each.close(error)

    def _film(self) -> None:
        filmed = False
        try:
            for shot in self.camera.shots():
                filmed = True
                if not self._filmed.put(shot):
                    return
        except MediaError as error:
            if not filmed:
                raise
            log.warning("%s", error)  # what was shown until now was shown, and what was recorded is kept
        self._filmed.close()

    def _look(self) -> None:
        """Poses of what was filmed; before somebody is measured, the room with what is to be done."""
        presence, last, before = 0.0, None, None
        pace = Pace()
        while (shot := self._filmed_in_time(pace)) is not None:
            frame = np.ascontiguousarray(shot.frame[:, ::-1]) if self.mirror else shot.frame
            if shot.first:
                self.tracker.forget()
            found = self.tracker(frame)
            pace.looked(time.monotonic() - shot.taken)
            pose = nobody((frame.shape[0], frame.shape[1]))
            if found is not None:
                pose = Pose(found.xy[None], found.confidence[None], pose.size_hw)
            placed = self.placing(pose, shot.taken) if pose.found.any() or last is None else None
            last = placed or last
            if last is None:
                self._shown.put(Shown(self._asked(self.placing.remaining(shot.taken) or 0.0), None))
                guess = self.placing.guess()
                if guess is not None:  # networks and frames are made ready meanwhile
                    self._posed.put(Posed(guess, 0.0, None))
                continue
            step = (1.0 if before is None else shot.taken - before) / FADE_SECONDS
            presence = min(1.0, presence + step) if placed is not None else max(0.0, presence - step)
            before = shot.taken
            self._posed.put(Posed(last, presence, shot.taken))
        self._posed.close()

    def _filmed_in_time(self, pace: Pace) -> Shot | None:
        """What is filmed when its pose will be asked for as soon as it is known; None when nothing more comes."""
        self._posed.wait_until_taken()
        time.sleep(pace.wait(time.monotonic()))
        return self._filmed.take()

    def _moments(self) -> Iterator[Moment]:
        while (posed := self._posed.take()) is not None:
            self._under_way.append(posed)
            yield Moment(posed.pose.xy[0], posed.pose.confidence[0])

    def _play(self) -> None:
        with ThreadsByLoad() as threads:
            for frame in self.player.play(self._moments(), batch=1):
                posed = self._under_way.popleft()
                threads.follow()
                if posed.taken is None:
                    continue
                window = self.actor.windows(posed.pose, self.camera.fps)
                visible = np.array([posed.presence], np.float32)
                part = Part(posed.pose, window, visible, self.camera.fps)
                picture = composed(self.actor, part, 0, frame, self._room())
                self._shown.put(Shown(self._labelled(picture), posed.taken))
        self._shown.close()

    def _room(self) -> Image:
        """What is behind now: of a video the picture whose time it is, of all else a fresh copy."""
        with self._stage:
            now = time.monotonic()
            self._first_room = self._first_room or now
            due = 1 + int((now - self._first_room) * self.camera.fps) if self._moving else 0
            passed_over = max(0, due - self._rooms - 1)
            self._rooms += passed_over + 1
            return next(islice(self._behind, passed_over, None))

    def _labelled(self, picture: Image) -> Image:
        if self.label is not None:
            self.label.paint(picture)
        return picture

    def _asked(self, remaining: float) -> Image:
        """The room alone, with what whoever stands there is to do."""
        picture = self._room()
        size = max(12, picture.shape[1] // 24)
        lines = ("Stand so that all of you is seen", f"{remaining:.0f}")
        for number, line in enumerate(lines):
            left = max(0, (picture.shape[1] - text_width(line, size)) // 2)
            top = picture.shape[0] // 3 + number * 2 * line_height(size)
            corner, opposite = (left - size, top - size // 4), (picture.shape[1] - left + size, top + 5 * size // 4)
            cv2.rectangle(picture, corner, opposite, (20, 20, 20), -1)
            write(picture, line, (left, top), size, (255, 255, 255))
        return picture

    def _show(self, seconds: float | None, stopped: Callable[[], bool]) -> Summary:
        delays: deque[float] = deque(maxlen=KEPT)
        frames, began, said = 0, 0.0, time.monotonic()
        while not stopped() and not (frames and seconds is not None and time.monotonic() - began >= seconds):
            shown = self._shown.take(0.2)
            if shown is None:
                if self._shown.over:
                    break
                continue
            now = time.monotonic()
            for output in self.outputs:
                if shown.taken is not None or output.from_the_start:
                    output.show(shown.frame, now)
            if shown.taken is None:
                continue
            if not frames:
                began, self._left_out_before = now, self._left_out()
            frames += 1
            delays.append(time.monotonic() - shown.taken)
            if now - max(said, began) >= SAY_EVERY:
                said = now
                log.info("live: %s", self._summary(frames, now - began, delays))
        return self._summary(frames, time.monotonic() - began, delays)

    def _summary(self, frames: int, seconds: float, delays: deque[float]) -> Summary:
        if not frames:
            return Summary(0, 0.0, 0.0, 0.0, 0)
        p50, p95 = np.quantile(np.array(delays), (0.5, 0.95)).tolist()
        return Summary(frames, seconds, p50, p95, self._left_out() - self._left_out_before)

    def _left_out(self) -> int:
        return self._filmed.dropped + self._posed.dropped + self._shown.dropped
