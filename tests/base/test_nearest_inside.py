import numpy as np

from understudy.base.nearest import nearest_inside


def test_every_pixel_knows_the_nearest_one_of_a_mask():
    inside = np.zeros((5, 7), bool)
    inside[1, 1] = inside[3, 5] = True
    distance, number = nearest_inside(inside)
    assert distance[1, 1] == distance[3, 5] == 0
    assert number[1, 1] == number[0, 0] == number[4, 1] == 1 * 7 + 1
    assert number[3, 5] == number[4, 6] == number[0, 6] == 3 * 7 + 5
    np.testing.assert_allclose([distance[1, 3], distance[3, 3]], [2, 2])


def test_inside_each_pixel_is_its_own_nearest():
    distance, number = nearest_inside(np.ones((3, 4), bool))
    assert not distance.any()
    np.testing.assert_array_equal(number.ravel(), np.arange(12))
