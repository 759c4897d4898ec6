"""A clip of two made-up people who cross, the one behind the other, with exact poses of both."""

from fractions import Fraction

import numpy as np

from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene
from understudy.synthetic.together import film_together, moved

FPS, SECONDS, SIZE_HW = Fraction(20), 2.5, (300, 450)


def filmed_duo(path, people=(3, 8)):
    """Who begins at the left and ends at the right, in front, and who comes the other way; poses in this order."""
    share = np.linspace(0, 1, round(SECONDS * FPS))
    x = -1.1 + 2.2 * np.clip((share - 0.1) / 0.8, 0, 1)
    depth = np.full_like(x, 0.45)
    cast = [
        (make_person(people[0]), moved(choreography(1, SECONDS, FPS), np.stack([x, depth], axis=1))),
        (make_person(people[1]), moved(choreography(2, SECONDS, FPS), np.stack([-x, -depth], axis=1))),
    ]
    return film_together(path, cast, make_scene(3, SIZE_HW))
