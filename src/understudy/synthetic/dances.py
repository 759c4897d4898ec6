"""Poses of made-up dances, without filming anybody: milliseconds a dance instead of minutes."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from understudy.body.landmarks import landmark_anchors
from understudy.body.skeleton import forward_kinematics, rest_positions
from understudy.poses.pose import LEFT_EAR, POINTS, RIGHT_EAR, Pose
from understudy.synthetic.motion import Motion, choreography
from understudy.synthetic.pair import centred
from understudy.synthetic.people import Person, make_person
from understudy.synthetic.render import landmark_paths
from understudy.synthetic.scene import Scene, make_scene

FPS = Fraction(30)
SECONDS = 12.0
SIZE_HW = (256, 192)
PEOPLE = 8
"""different bodies, and cameras before them; more dances are danced by the same ones again"""
FIRST_SEED = 0xDA00
"""far from the seeds that anybody types, so that no made-up driver's dance is among these"""
TURNED_AWAY = -0.05
"""cosine between a face point's normal and the camera's view, above which the camera does not see it"""


@lru_cache(maxsize=64)
def dance_poses(number: int) -> Pose:
    """The poses of a made-up dance of 12 seconds at 30 frames a second, as `seen_poses` gives them.

    Args:
        number: which, from 0; the same number gives the same dance.
    """
    motion = centred(choreography(FIRST_SEED + number, SECONDS, FPS))
    return seen_poses(_person(number % PEOPLE), motion, _scene(number % PEOPLE))


def seen_poses(person: Person, motion: Motion, scene: Scene, *, ears_away: float = TURNED_AWAY) -> Pose:
    """What a perfect tracker would see of a motion that nobody films.

    A point is seen where it lies in the picture, and points of the face only where they are turned to the camera. That
    one limb hides another is left out.

    Args:
        person, motion, scene: what `render` takes.
        ears_away: cosine between an ear's normal and the camera's view, above which the ear is not seen.
    """
    xy = landmark_paths(person, motion, scene)
    height, width = scene.size_hw
    inside = np.all((xy >= 0) & (xy <= (width - 1, height - 1)), axis=-1)
    confidence = inside & ~_turned_away(person, motion, scene, ears_away)
    return Pose(xy, confidence.astype(np.float32), scene.size_hw)


def _turned_away(person: Person, motion: Motion, scene: Scene, ears_away: float) -> npt.NDArray[np.bool_]:
    """(T, 133) bool: points of the face that look away from the camera."""
    anchors = landmark_anchors(person.body, person.head)
    world, _ = forward_kinematics(motion.rotations, motion.grip, rest_positions(person.body))
    normals = np.einsum("tpab,pb->tpa", world[:, anchors.joints], anchors.normals)
    has_normal = (anchors.normals != 0).any(axis=-1)
    limits = np.full(POINTS, TURNED_AWAY)
    limits[[LEFT_EAR, RIGHT_EAR]] = ears_away
    return np.asarray(has_normal & (normals @ scene.camera.axes[2] > limits))


@lru_cache(maxsize=PEOPLE)
def _person(number: int) -> Person:
    return make_person(FIRST_SEED + number)


@lru_cache(maxsize=PEOPLE)
def _scene(number: int) -> Scene:
    return make_scene(FIRST_SEED + number, SIZE_HW)
