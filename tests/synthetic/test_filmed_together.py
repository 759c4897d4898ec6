"""Several made-up people in one picture: the nearer hides the farther, and each keeps its exact poses."""

from fractions import Fraction

import numpy as np

from understudy.media.reading import VideoReader
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene
from understudy.synthetic.together import film_together, moved, render_together

SCENE = make_scene(3, (120, 160))
DANCE = choreography(1, 0.2, Fraction(10))


def cast_at(near, far, x=0.0):
    return [(make_person(3), moved(DANCE, (-x, near))), (make_person(8), moved(DANCE, (x, far)))]


def test_the_nearer_is_whole_and_hides_the_other():
    for near, far, front in ((0.5, -0.5, 0), (-0.5, 0.5, 1)):
        for picture, alone in render_together(cast_at(near, far), SCENE):
            whole = alone[front].matte == 255
            np.testing.assert_array_equal(picture[whole], alone[front].frame[whole])
            behind = (alone[1 - front].matte == 255) & (alone[front].matte == 0)
            assert behind.any()
            assert np.abs(picture[behind].astype(int) - alone[1 - front].frame[behind]).mean() < 8  # but for a shadow


def test_apart_both_are_as_alone_and_the_room_is_seen():
    cast = cast_at(0.0, 0.0, 0.8)
    picture, alone = next(render_together(cast, SCENE))
    for (person, motion), one in zip(cast, alone, strict=True):
        by_itself = next(render(person, motion, SCENE))
        np.testing.assert_array_equal(one.xy, by_itself.xy)
        seen = by_itself.matte == 255
        assert np.abs(picture[seen].astype(int) - by_itself.frame[seen]).mean() < 2
    np.testing.assert_array_equal(picture[:20, 75:85], SCENE.background[:20, 75:85])


def test_the_film_is_written_with_the_poses_of_all(tmp_path):
    poses = film_together(tmp_path / "duo.mp4", cast_at(0.0, 0.0, 0.8), SCENE)
    assert len(list(VideoReader(tmp_path / "duo.mp4"))) == len(poses[0]) == len(poses[1]) == 2
    assert poses[0].xy[0, 0, 0] < 80 < poses[1].xy[0, 0, 0]
