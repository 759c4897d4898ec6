"""A clip of a made-up dancer, to be tracked."""

from fractions import Fraction

from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene

FRAMES, SIZE_HW = 16, (480, 360)


def filmed_dancer(folder):
    """The clip, dance.mp4 in a folder, with its truth."""
    dance = choreography(2, FRAMES / 20, Fraction(20))
    return write_clip(folder / "dance.mp4", make_person(3), dance, make_scene(1, SIZE_HW))
