from fractions import Fraction

import numpy as np

from understudy.synthetic import pair
from understudy.synthetic.motion import choreography


def test_dances_are_centred_on_the_floor():
    dance = pair.centred(choreography(5, 4, Fraction(10)))
    assert np.abs(dance.path[:, [0, 2]].mean(axis=0)).max() < 1e-6
    assert np.array_equal(dance.path[:, 1], choreography(5, 4, Fraction(10)).path[:, 1])
