"""How the camera of a clip moved, told by what stands behind the person: one homography for every frame.

Corners of the background are followed (Shi and Tomasi 1994, Lucas and Kanade 1981) from a key frame on, and RANSAC
leaves out what moves by itself. Only when little of a key frame is in the picture any more does another one take its
place, so that errors do not add up from frame to frame, and a camera that stands still has one key frame alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.poses.similarity import edge_to_edge

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

CORNERS = 600
"""followed at most"""
LEAST_CORNERS = 12
"""that must move as one, or nothing is said of the camera"""
LEAST_SHARE = 0.4
"""of a key frame's corners that are still followed; with fewer, another key frame is taken"""
FARTHEST = 0.2
"""of the longer side that the picture's middle may have moved before another key frame is taken"""
TRUE_TO = 1.0
"""pixels within which a corner moves as the background does"""
THERE_AND_BACK = 0.7
"""pixels: corners that are not found again when followed back are not used"""
TRUER = 0.8
"""times as far from its corners, on average, as a similarity, that a homography may be at most to be taken: it has more
freedom, of which too few corners make something"""
SAME = 10.0
"""grey levels: two frames without corners that differ by less, on average, where nobody is, are of one still camera"""
STILL = 0.6
"""pixels of the frames looked at: nothing in the picture of a camera on a stand seems to move farther"""


@dataclass(frozen=True)
class CameraPath:
    """Where every frame of a clip looked."""

    scene: npt.NDArray[np.intp]
    """(T,) number of the shot that it belongs to, from 0: between two of them nothing is known"""
    to_first: Floats
    """(T, 3, 3) homographies from pixels of the frame to those of its scene's first one"""
    size_hw: tuple[int, int]
    """of the frames, pixels"""
    finer: float = 1.0
    """times as many pixels as the frames that were looked at"""

    def __len__(self) -> int:
        return len(self.scene)

    def between(self, start: int, end: int) -> Floats:
        """(3, 3) from pixels of frame `start` to those of frame `end`; both of one scene.

        Raises:
            ValueError: they are of two.
        """
        if self.scene[start] != self.scene[end]:
            raise ValueError(f"frames {start} and {end} are of different scenes")
        if start == end:
            return np.eye(3)
        return np.asarray(np.linalg.inv(self.to_first[end]) @ self.to_first[start])

    @property
    def still(self) -> bool:
        """Whether the camera stood on a stand throughout, in one scene."""
        if self.scene.any():
            return False
        corners = _corners(self.size_hw)
        moved = [np.abs(moved_points(one, corners) - corners).max() for one in self.to_first]
        return float(np.quantile(moved, 0.98)) <= STILL * self.finer

    def enlarged(self, size_hw: tuple[int, int]) -> CameraPath:
        """The same path in pixels of the frames at another size, edge to edge."""
        larger = resizing(self.size_hw, size_hw)
        to_first = larger @ self.to_first @ np.linalg.inv(larger)
        return CameraPath(self.scene, to_first, size_hw, self.finer * max(size_hw) / max(self.size_hw))


def resizing(here_hw: tuple[int, int], there_hw: tuple[int, int]) -> Floats:
    """(3, 3) from pixels of a picture to those of the same one resized, edges staying edges."""
    matrix = np.eye(3)
    for axis, (here, there) in enumerate(zip(here_hw[::-1], there_hw[::-1], strict=True)):
        matrix[axis, axis] = there / here
        matrix[axis, 2] = edge_to_edge(0.0, there, here)
    return matrix


def moved_points(homography: npt.NDArray[Any], xy: npt.NDArray[Any]) -> Floats:
    """(N, 2) points through a homography (3, 3)."""
    return np.asarray(cv2.perspectiveTransform(np.asarray(xy, np.float64)[None], homography)[0])


class CameraWatch:
    """Follows the background through a clip whose frames are given in order; memory is that of three frames.

    Example:
        watch = CameraWatch()
        for frame, person in clip:
            watch.add(frame, person)
        path = watch.path
    """

    def __init__(self) -> None:
        self._scenes: list[int] = []
        self._matrices: list[Floats] = []
        self._size_hw = (0, 0)
        self._last: tuple[UInt8Array, UInt8Array] | None = None  # the frame before, and where the person was
        self._key: UInt8Array | None = None
        self._key_to_first = np.eye(3)
        self._points = np.zeros((0, 2), np.float32)
        self._to_key = np.eye(3)  # of the frame before

    @property
    def path(self) -> CameraPath:
        """Of the frames so far."""
        matrices = np.array(self._matrices) if self._matrices else np.zeros((0, 3, 3))
        return CameraPath(np.array(self._scenes, np.intp), matrices, self._size_hw)

    def add(self, frame: UInt8Array, person: UInt8Array) -> None:
        """Adds the next frame.

        Args:
            frame: (H, W, 3) RGB; a few hundred pixels are enough.
            person: (H, W), not 0 where somebody is or may be: nothing there is looked at.
        """
        grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
        if self._last is None:
            self._size_hw = grey.shape[0], grey.shape[1]
            self._begin(grey, person, np.eye(3))
            self._note(0, grey, person, np.eye(3))
            return
        found = self._followed(grey, person)
        if found is None or self._far(found):  # from the frame before it is nearer
            self._begin(*self._last, self._key_to_first @ self._to_key)
            nearer = self._followed(grey, person)
            found = nearer if nearer is not None or found is None else found
        scene = self._scenes[-1]
        if found is None and self._looks_the_same(grey, person):
            found = np.eye(3)
        if found is None:
            scene += 1
            self._begin(grey, person, np.eye(3))
            found = np.eye(3)
        self._note(scene, grey, person, found)

    def _note(self, scene: int, grey: UInt8Array, person: UInt8Array, to_key: Floats) -> None:
        self._scenes.append(scene)
        self._to_key = to_key
        matrix = self._key_to_first @ to_key
        self._matrices.append(matrix / matrix[2, 2])
        self._last = grey, person

    def _begin(self, grey: UInt8Array, person: UInt8Array, to_first: Floats) -> None:
        """Makes a frame the key frame."""
        free = np.where(person > 0, 0, 255).astype(np.uint8)
        apart = max(3.0, max(grey.shape) / 80)
        corners = cv2.goodFeaturesToTrack(grey, CORNERS, 0.005, apart, mask=free)
        self._points = np.zeros((0, 2), np.float32) if corners is None else corners.reshape(-1, 2)
        self._key, self._key_to_first, self._to_key = grey, to_first, np.eye(3)

    def _followed(self, grey: UInt8Array, person: UInt8Array) -> Floats | None:
        """(3, 3) from this frame to the key frame; None if too few corners say so."""
        if len(self._points) < LEAST_CORNERS or self._key is None:
            return None
        here = self._points[:, None]
        guess = moved_points(np.linalg.inv(self._to_key), self._points).astype(np.float32)[:, None]
        options: dict[str, Any] = {"winSize": (21, 21), "maxLevel": 4, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
        there, found, _ = cv2.calcOpticalFlowPyrLK(self._key, grey, here, guess.copy(), **options)
        back, again, _ = cv2.calcOpticalFlowPyrLK(grey, self._key, there, here.copy(), **options)
        height, width = grey.shape
        xy = there[:, 0]
        x, y = (np.clip(np.rint(xy[:, axis]), 0, side - 1).astype(int) for axis, side in ((0, width), (1, height)))
        inside = ((xy > 1) & (xy < (width - 2, height - 2))).all(axis=1)
        right = np.linalg.norm((back - here)[:, 0], axis=1) < THERE_AND_BACK
        good = (found[:, 0] > 0) & (again[:, 0] > 0) & right & inside & (person[y, x] == 0)
        if good.sum() < max(LEAST_CORNERS, LEAST_SHARE * len(self._points)):
            return None
        return _movement(xy[good], self._points[good])

    def _far(self, to_key: Floats) -> bool:
        height, width = self._size_hw
        middle = np.array([[(width - 1) / 2, (height - 1) / 2]])
        return bool(np.abs(moved_points(to_key, middle) - middle).max() > FARTHEST * max(self._size_hw))

    def _looks_the_same(self, grey: UInt8Array, person: UInt8Array) -> bool:
        if self._last is None:
            return False
        last, was = self._last
        free = (person == 0) & (was == 0)
        return bool(free.any()) and float(cv2.absdiff(grey, last)[free].mean()) < SAME


def _movement(here: npt.NDArray[np.float32], there: npt.NDArray[np.float32]) -> Floats | None:
    """(3, 3) that most pairs of points agree on: a similarity, or a homography if that is truer to them."""
    similar, kept = cv2.estimateAffinePartial2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=TRUE_TO)
    count = 0 if similar is None else int(kept.sum())
    found = np.vstack([similar, [0.0, 0.0, 1.0]]) if count >= LEAST_CORNERS else None
    if len(here) < 2 * LEAST_CORNERS:
        return found
    general, kept = cv2.findHomography(here, there, cv2.RANSAC, TRUE_TO)
    if general is None or int(kept.sum()) < max(count, 2 * LEAST_CORNERS):
        return found
    if found is None:
        return np.asarray(general, np.float64)
    away, away_similar = (np.linalg.norm(moved_points(one, here) - there, axis=1) for one in (general, found))
    better = np.median(away) < TRUER * np.median(away_similar)
    return np.asarray(general, np.float64) if better else found


def _corners(size_hw: tuple[int, int] | Sequence[int]) -> Floats:
    height, width = size_hw
    return np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], np.float64)
