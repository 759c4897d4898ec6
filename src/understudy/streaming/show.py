"""The live chain: pictures in, poses, the actor's frames, pictures out; each in a thread, each with what is newest."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.player import Moment, Player
from understudy.retargeting.window import FADE_SECONDS
from understudy.streaming.cameras import Camera, Image, Shot, Sighting
from understudy.streaming.controls import Controls, State
from understudy.streaming.instructions import in_words, stand_like_this
from understudy.streaming.newest import Newest
from understudy.streaming.placing import Placing, nobody
from understudy.streaming.rooms import Room, fitted
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
    role: int = 0
    """who plays it"""


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


@dataclass(frozen=True, eq=False)
class Role:
    """Somebody who can perform."""

    actor: Actor
    """see `smaller`"""
    player: Player
    """its prompt one"""


class Show:
    """One live performance.

    Args:
        roles: who can perform; pictures have the size of the first one's, others are fitted into it.
        camera: what comes in.
        tracker: finds whoever stands before it; None where poses come in.
        outputs: what the pictures go to, one after the other.
        backgrounds: what can be behind the performer.
        label: says in the picture that it is generated; None: nothing does.
        controls: what is done meanwhile; None: nothing can be.
        calibration: seconds for which somebody is measured before anything is played.
        feet: whether feet that stand are held where they landed.
        dance: all poses that will come, where they are known: whoever dances is measured by them, and nobody waits.
        stamp: paints on every picture of the performance when what it shows was filmed, for measurements.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        camera: Camera,
        tracker: Tracker | None,
        outputs: Sequence[Output],
        *,
        backgrounds: Sequence[Background],
        label: Label | None = None,
        controls: Controls | None = None,
        calibration: float = 3.0,
        feet: bool = True,
        dance: Pose | None = None,
        stamp: Callable[[Image, float], None] | None = None,
    ) -> None:
        self.roles, self.camera, self.tracker, self.outputs = roles, camera, tracker, outputs
        self.label, self.controls, self.stamp = label, controls or Controls(len(roles), len(backgrounds)), stamp
        self.placing = Placing(roles[0].actor, calibration, feet)
        self.dance = dance
        self.first_taken = 0.0
        """when what the first picture of the performance shows was filmed"""
        self._measure_anew()
        self._rooms = [[Room(role.actor, each, camera.fps) for each in backgrounds] for role in roles]
        self._left_out_before = 0
        self._filmed: Newest[Shot | Sighting] = Newest()
        self._posed: Newest[Posed] = Newest()
        self._shown: Newest[Shown] = Newest()
        self._under_way: deque[Posed] = deque()
        self._next: Posed | None = None

    def run(self, seconds: float | None = None) -> Summary:
        """Until the camera ends, Ctrl-C, or so many seconds of performance are over.

        Raises:
            what went wrong in any of the threads.
        """
        work = (self._film, self._look, self._play)
        threads = [threading.Thread(target=self._watched, args=(each,), daemon=True) for each in work]
        with stop_signals("ending") as stop:
            for thread in threads:
                thread.start()
            try:
                return self._show(seconds, lambda: stop.signal is not None or self.controls.ended)
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
        pace, done = Pace(), self.controls.state
        while (came := self._came_in_time(pace)) is not None:
            state = self.controls.state
            if state.calibrate != done.calibrate:
                self._measure_anew()
                presence, last, before = 0.0, None, None
            if state.actor != done.actor:
                last = self.placing.cast(self.roles[state.actor].actor)
            done = state
            if came.first:
                self._leap()
            if not (state.freeze and last is not None):
                pose = self._seen(came)
                pace.looked(time.monotonic() - came.taken)
                found = pose.found.any()
                placed = self.placing(pose, came.taken, state.mirror) if found or last is None else None
                last = placed or last
                if last is None:
                    self._measuring(came.taken, state)
                    continue
                step = (1.0 if before is None else came.taken - before) / FADE_SECONDS
                presence = min(1.0, presence + step) if placed is not None else max(0.0, presence - step)
            before = came.taken
            self._posed.put(Posed(last, presence, came.taken, state.actor))
        self._posed.close()

    def _measure_anew(self) -> None:
        self.placing.begin()
        if self.dance is not None:
            self.placing.know(self.dance, self.camera.fps)

    def _leap(self) -> None:
        self.placing.leaps()
        if self.tracker is not None:
            self.tracker.forget()

    def _seen(self, came: Shot | Sighting) -> Pose:
        """The pose of whoever is seen, in pixels of the camera; of nobody where nobody is."""
        if isinstance(came, Sighting):
            return came.pose
        assert self.tracker is not None, "pictures need a tracker"
        found, size_hw = self.tracker(came.frame), (came.frame.shape[0], came.frame.shape[1])
        return nobody(size_hw) if found is None else Pose(found.xy[None], found.confidence[None], size_hw)

    def _measuring(self, now: float, state: State) -> None:
        """Shows what is to be done; networks and frames are made ready meanwhile."""
        self._shown.put(Shown(self._asked(self.placing.remaining(now) or 0.0, state), None))
        guess = self.placing.guess()
        if guess is not None:
            self._posed.put(Posed(guess, 0.0, None, state.actor))

    def _came_in_time(self, pace: Pace) -> Shot | Sighting | None:
        """What comes when its pose will be asked for as soon as it is known; None when nothing more comes."""
        self._posed.wait_until_taken()
        time.sleep(pace.wait(time.monotonic()))
        return self._filmed.take()

    def _moments(self, role: int) -> Iterator[Moment]:
        """Of one who performs, until somebody else does."""
        while (posed := self._next or self._posed.take()) is not None:
            self._next = None
            if posed.role != role:
                self._next = posed
                return
            self._under_way.append(posed)
            yield Moment(posed.pose.xy[0], posed.pose.confidence[0])

    def _play(self) -> None:
        role: int | None = 0
        with ThreadsByLoad(spared=1) as threads:  # the other threads of the chain keep a core busy between them
            while role is not None:
                for frame in self.roles[role].player.play(self._moments(role), batch=1):
                    posed = self._under_way.popleft()
                    threads.follow()
                    if posed.taken is not None:
                        self._shown.put(Shown(self._painted(posed, frame), posed.taken))
                role = None if self._next is None else self._next.role
        self._shown.close()

    def _painted(self, posed: Posed, frame: Image) -> Image:
        actor = self.roles[posed.role].actor
        window = actor.windows(posed.pose, self.camera.fps)
        part = Part(posed.pose, window, np.array([posed.presence], np.float32), self.camera.fps)
        picture = composed(actor, part, 0, frame, self._room(posed.role, self.controls.state))
        picture = fitted(picture, self.roles[0].actor.original_size_hw)
        if self.label is not None:
            self.label.paint(picture)
        if self.stamp is not None and posed.taken is not None:
            self.stamp(picture, posed.taken)
        return picture

    def _room(self, role: int, state: State) -> Image:
        return self._rooms[role][state.background].now()

    def _asked(self, remaining: float, state: State) -> Image:
        """The room alone, with what whoever stands there is to do."""
        actor = self.roles[state.actor].actor
        picture = self._room(state.actor, state)
        stand_like_this(picture, actor)
        picture = fitted(picture, self.roles[0].actor.original_size_hw)
        in_words(picture, f"Stand like this, so that all of you is seen: {math.ceil(remaining)}")
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
            if not frames and shown.taken is not None:
                self.first_taken = shown.taken
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
