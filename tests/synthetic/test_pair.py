from fractions import Fraction

import numpy as np

from understudy.media.reading import VideoReader
from understudy.synthetic import pair
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene


def test_dances_are_centred_on_the_floor():
    dance = pair.centred(choreography(5, 4, Fraction(10)))
    assert np.abs(dance.path[:, [0, 2]].mean(axis=0)).max() < 1e-6
    assert np.array_equal(dance.path[:, 1], choreography(5, 4, Fraction(10)).path[:, 1])


def test_the_truth_is_the_references_person_in_her_own_room_doing_the_drivers_dance(tmp_path, monkeypatch):
    monkeypatch.setattr(pair, "SIZE_HW", (160, 120))
    truth = []
    made = pair.film_pair(
        tmp_path, reference_seed=1, driver_seed=2, reference_dance=3, driving_dance=4, reference_seconds=0.04,
        driving_seconds=0.08, on_truth=truth.append,
    )  # fmt: skip
    films = [list(VideoReader(path)) for path in (made.reference, made.driving, made.ground_truth)]
    assert [len(film) for film in films] == [1, 2, 2] and len(truth) == 2
    reference, driving, ground_truth = (film[0].astype(int) for film in films)
    for film, seed in ((reference, 1), (driving, 2), (ground_truth, 1)):
        room = make_scene(seed, pair.SIZE_HW).background.astype(int)
        assert np.abs(film - room)[:12].mean() < 6  # over everybody's head
    dance = pair.centred(choreography(4, 0.08, pair.FPS))
    expected = next(render(make_person(1), dance, make_scene(1, pair.SIZE_HW)))
    np.testing.assert_allclose(truth[0].xy, expected.xy, atol=1e-3)
