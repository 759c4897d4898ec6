"""Views of made-up people, any number of them: exact labels and mattes, poses as a tracker errs, nobody real."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.people.view import View
from understudy.poses.pose import Pose
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import Person, make_person
from understudy.synthetic.render import Rendered, render
from understudy.synthetic.scene import Scene, make_scene
from understudy.tracking.body_fit import fit
from understudy.tracking.surface import girth_of, surface_maps

WITHIN = 250
"""consecutive frames that two views of a person come from (Gafni et al. 2021, section 3.1.1)"""
FPS = 30
CLOSENESS = (0.75, 1.15)
"""A standing person fills 0.77 times this of a view's height."""
NOISE = 0.004
"""of the view's height: standard deviation of a tracked point"""
UNSEEN = 0.4
"""confidence of a point that something hides; trackers guess it"""


@dataclass(frozen=True, eq=False)
class Film:
    """What views are cut out of.

    Attributes:
        person, scene: who, and where; the film is square.
        frames: of one dance.
        corners: x, y of each view's first pixel in its frame; may be negative.
    """

    person: Person
    scene: Scene
    frames: list[Rendered]
    corners: list[npt.NDArray[np.intp]]


def filmed_views(number: int, count: int, size_hw: tuple[int, int]) -> Film:
    """The film of `made_up_views`, with the same arguments."""
    return _filmed(number, count, size_hw, np.random.default_rng([number, 0xF4EE]))


def _filmed(number: int, count: int, size_hw: tuple[int, int], random: np.random.Generator) -> Film:
    side = 2 * round(size_hw[0] * random.uniform(*CLOSENESS) / 2)
    person, scene = make_person(number), make_scene(number, (side, side))
    motion = choreography(number, WITHIN / FPS, FPS)
    moments = np.sort(random.choice(len(motion), count, replace=False))
    frames = [next(render(person, motion[moment : moment + 1], scene)) for moment in moments]
    return Film(person, scene, frames, [_corner(one, random, size_hw, side) for one in frames])


def made_up_views(number: int, count: int, size_hw: tuple[int, int]) -> list[View]:
    """Views of one made-up person in one room, out of one dance.

    Args:
        number: who; the same number gives the same views.
        count: of views.
        size_hw: of each, even.
    """
    random = np.random.default_rng([number, 0xF4EE])
    film = _filmed(number, count, size_hw, random)
    filmed, corners, scene, (height, width) = film.frames, film.corners, film.scene, size_hw
    xy = np.stack([one.xy - corner for one, corner in zip(filmed, corners, strict=True)])
    xy += random.normal(0, NOISE * height, xy.shape)
    inside = ((xy >= 0) & (xy <= (width - 1, height - 1))).all(axis=-1)
    confidence = np.stack([one.confidence for one in filmed]) * inside
    pose = Pose(xy.astype(np.float32), confidence.astype(np.float32), size_hw)
    mattes = [_window(one.matte, corner, size_hw, 0) for one, corner in zip(filmed, corners, strict=True)]
    posed = fit(pose, follow=False)
    labels = [_window(one.labels, corner, size_hw, 0) for one, corner in zip(filmed, corners, strict=True)]
    surfaces = surface_maps(posed, size_hw, girth_of(posed, mattes, labels))
    return [
        View(
            frame=_window(one.frame, corner, size_hw, None),
            labels=labels[row],
            surface=surface,
            xy=pose.xy[row],
            confidence=pose.confidence[row],
            others=np.zeros(size_hw, np.uint8),
            background=_window(scene.background, corner, size_hw, None),
        )
        for row, (one, corner, surface) in enumerate(zip(filmed, corners, surfaces, strict=True))
    ]


def _corner(shown: Rendered, random: np.random.Generator, size_hw: tuple[int, int], side: int) -> npt.NDArray[np.intp]:
    """x, y of a view's first pixel in the film, the person about its middle; may be negative."""
    height, width = size_hw
    x, _, wide, _ = cv2.boundingRect(shown.matte)
    left = x + wide / 2 - width / 2 + random.normal(0, 0.03 * width)
    top = 0.6 * (side - height) + random.normal(0, 0.02 * height)
    return np.array([round(left), round(top)], np.intp)


def _window(
    picture: npt.NDArray[np.uint8], corner: npt.NDArray[np.intp], size_hw: tuple[int, int], beyond: int | None
) -> npt.NDArray[np.uint8]:
    """A view out of a film; beyond the film `beyond`, or with None its last pixels go on."""
    (left, top), (height, width) = corner, size_hw
    over = max(0, -left, -top, left + width - picture.shape[1], top + height - picture.shape[0])
    kind = cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT
    wide = cv2.copyMakeBorder(picture, over, over, over, over, kind, value=beyond or 0) if over else picture
    return np.ascontiguousarray(wide[top + over : top + over + height, left + over : left + over + width])
