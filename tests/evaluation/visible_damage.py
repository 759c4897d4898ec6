"""A person in a picture, and the ways in which a clone of it goes wrong, or only seems to: for tests of measures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from understudy.poses.pose import (
    LEFT_ELBOW,
    LEFT_SHOULDER,
    LEFT_WRIST,
    RIGHT_ELBOW,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
)
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Person:
    """One frame of somebody, with all that is needed to spoil it."""

    frame: Picture
    """(S, S, 3) RGB"""
    alpha: Floats
    """(S, S) in [0, 1]"""
    xy: Floats
    """(133, 2) pixels"""
    room: Picture
    """(S, S, 3) without the person; elsewhere as in the frame, his shadow included"""
    later: Picture
    """(S, S, 3) the same person a moment later"""
    room_is_known: bool
    """or painted in, and then only good enough to be seen through a small hole"""

    @property
    def matte(self) -> Picture:
        return np.asarray(np.rint(255 * self.alpha), np.uint8)


@dataclass(frozen=True)
class Clone:
    """What somebody's generator might have made of the frame."""

    frame: Picture
    alpha: Floats


def made_up(seed: int, at: int = 20, size: int = 256) -> Person:
    """A made-up person who dances; `at` is the frame, thirty a second."""
    scene = make_scene(seed, (size, size))
    shots = list(render(make_person(seed), choreography(20 + seed, (at + 8) / 30, 30), scene))
    now, later = shots[at], shots[at + 5]
    alpha = now.matte.astype(np.float32) / 255
    room = np.where((cv2.dilate(alpha, np.ones((3, 3), np.uint8)) > 0)[..., None], scene.background, now.frame)
    return Person(now.frame, alpha, now.xy, room, later.frame, True)


def filmed(video: Path, seconds: float, size: int = 256) -> Person:
    """A real one, tracked; the room behind is painted in from the sides."""
    from understudy.tracking.track import tracked

    clip = tracked(video, start=seconds, end=seconds + 0.5, size=size)
    frames, mattes = list(clip.frames()), list(clip.mattes())
    alpha = mattes[0].astype(np.float32) / 255
    around = cv2.dilate((alpha > 0.02).astype(np.uint8), np.ones((9, 9), np.uint8))
    room = np.asarray(cv2.inpaint(frames[0], around, 5, cv2.INPAINT_TELEA), np.uint8)
    return Person(frames[0], alpha, clip.poses.xy[0], room, frames[5], False)


def over(colours: npt.NDArray, alpha: Floats, room: Picture) -> Picture:
    mixed = alpha[..., None] * colours + (1 - alpha[..., None]) * room
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def moved(picture: npt.NDArray, x: float, y: float) -> npt.NDArray:
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    size = picture.shape[1], picture.shape[0]
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def shifted(who: Person, x: float, y: float) -> Clone:
    """Harmless: the whole person some pixels beside where he was; the room stays, or goes with him if not known."""
    alpha = moved(who.alpha, x, y)
    picture = moved(who.frame, x, y)
    return Clone(over(picture, alpha, who.room) if who.room_is_known else np.asarray(picture, np.uint8), alpha)


def brighter(who: Person, by: float) -> Clone:
    """Harmless: all of the person's colours `by` steps of 255 up."""
    return Clone(over(who.frame + np.float32(by), who.alpha, who.frame), who.alpha)


def blurred(who: Person, sigma: float) -> Clone:
    """The person through a Gaussian of `sigma` pixels."""
    weighted = cv2.GaussianBlur(who.frame * who.alpha[..., None], (0, 0), sigma)
    alpha = cv2.GaussianBlur(who.alpha, (0, 0), sigma)
    return Clone(over(weighted / np.maximum(alpha, 1e-3)[..., None], alpha, who.room), alpha)


def ghosted(who: Person) -> Clone:
    """Half this frame and half that of a sixth of a second later, both to be seen through."""
    mixed = (who.frame.astype(np.float32) + who.later) / 2
    return Clone(np.asarray(np.rint(mixed), np.uint8), who.alpha)


def disc(who: Person, centre: npt.NDArray, radius: float) -> Floats:
    """(S, S) 1 within the radius, with a soft edge of a pixel."""
    rows, columns = np.indices(who.alpha.shape, np.float32)
    distance = np.hypot(columns - centre[0], rows - centre[1])
    return np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)


def capsule(who: Person, a: npt.NDArray, b: npt.NDArray, radius: float) -> Floats:
    """(S, S) 1 within `radius` pixels of the line from a to b."""
    rows, columns = np.indices(who.alpha.shape, np.float32)
    along = b - a
    share = ((columns - a[0]) * along[0] + (rows - a[1]) * along[1]) / max(float(along @ along), 1e-6)
    share = np.clip(share, 0, 1)
    distance = np.hypot(columns - a[0] - share * along[0], rows - a[1] - share * along[1])
    return np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)


def forearm(who: Person) -> tuple[int, int, int]:
    """Shoulder, elbow and wrist of the arm whose hand lies farther from the trunk."""
    sides = ((LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST), (RIGHT_SHOULDER, RIGHT_ELBOW, RIGHT_WRIST))
    middle = who.xy[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(axis=0)[0]
    return max(sides, key=lambda side: abs(float(who.xy[side[2]][0] - middle)))


def thickness(who: Person) -> float:
    """Half the width of an arm, pixels."""
    return 0.033 * float(np.ptp(np.flatnonzero((who.alpha > 0.5).any(axis=1))))


def doubled(who: Person) -> Clone:
    """The forearm and its hand once more, turned about the elbow by 35 degrees."""
    _, elbow, wrist = (who.xy[joint] for joint in forearm(who))
    hand = wrist + 0.45 * (wrist - elbow)
    part = who.alpha * capsule(who, elbow, hand, 1.4 * thickness(who))
    away = 35.0 if wrist[0] < elbow[0] else -35.0
    turn = cv2.getRotationMatrix2D((float(elbow[0]), float(elbow[1])), away, 1)
    size = who.frame.shape[1], who.frame.shape[0]
    colours, once_more = cv2.warpAffine(who.frame, turn, size), cv2.warpAffine(part, turn, size)
    return Clone(over(colours, once_more, who.frame), np.maximum(who.alpha, once_more))


def torn(who: Person) -> Clone:
    """A hole in the sleeve, through which the room is seen: the upper arm's middle."""
    shoulder, elbow, _ = (who.xy[joint] for joint in forearm(who))
    return without(who, disc(who, (shoulder + elbow) / 2, 1.1 * thickness(who)))


def handless(who: Person) -> Clone:
    """The arm ends at the wrist."""
    _, elbow, wrist = (who.xy[joint] for joint in forearm(who))
    end = wrist + 0.6 * (wrist - elbow)
    return without(who, capsule(who, wrist + 0.1 * (wrist - elbow), end, 2 * thickness(who)))


def wrong_handed(who: Person) -> Clone:
    """The hand turned by a right angle about the wrist, as if it were another's."""
    _, elbow, wrist = (who.xy[joint] for joint in forearm(who))
    bare = handless(who)
    hand = who.alpha * capsule(who, wrist, wrist + 0.6 * (wrist - elbow), 2 * thickness(who))
    turn = cv2.getRotationMatrix2D((float(wrist[0]), float(wrist[1])), 90, 1)
    size = who.frame.shape[1], who.frame.shape[0]
    colours, turned = cv2.warpAffine(who.frame, turn, size), cv2.warpAffine(hand, turn, size)
    return Clone(over(colours, turned, bare.frame), np.maximum(bare.alpha, turned))


def without(who: Person, gone: Floats) -> Clone:
    return Clone(over(who.frame.astype(np.float32), 1 - gone, who.room), who.alpha * (1 - gone))


def harmless(who: Person) -> dict[str, Clone]:
    return {
        "shifted by 1 pixel": shifted(who, 1, 0),
        "shifted by 2 pixels": shifted(who, 2, 0),
        "shifted by 1.5 pixels down": shifted(who, 0, 1.5),
        "brighter": brighter(who, 6),
        "darker": brighter(who, -6),
    }


def harmful(who: Person) -> dict[str, Clone]:
    return {
        "blurred": blurred(who, 2),
        "ghosted": ghosted(who),
        "a forearm doubled": doubled(who),
        "a sleeve torn": torn(who),
        "a hand missing": handless(who),
        "a hand wrong": wrong_handed(who),
    }
