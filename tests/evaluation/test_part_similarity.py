import math

import numpy as np

from understudy.evaluation.part_similarity import binary_similarity, index_similarity, mean_intersection_over_union

ONE = np.array([[0, 1, 1, 2], [0, 1, 1, 2]], np.uint8)
OTHER = np.array([[0, 0, 1, 1], [0, 0, 1, 3]], np.uint8)


def test_a_map_is_like_itself():
    assert binary_similarity(ONE, ONE) == 1 and index_similarity(ONE, ONE) == 1


def test_by_hand():
    """Somebody in 6 and in 4 pixels, 4 of them the same; label 1 in 4 and 3, 2 of them the same; 2 and 3 never both."""
    assert binary_similarity(ONE, OTHER) == 4 / 6
    assert math.isclose(index_similarity(ONE, OTHER), (2 / 5 + 0 + 0) / 3)


def test_where_nobody_is_nothing_can_be_said():
    nobody = np.zeros((2, 2), np.uint8)
    assert math.isnan(binary_similarity(nobody, nobody)) and math.isnan(index_similarity(nobody, nobody))
    assert binary_similarity(nobody, nobody + 1) == 0 == index_similarity(nobody, nobody + 1)


def test_over_many_maps_pixels_count_together():
    found = mean_intersection_over_union([(ONE, OTHER), (OTHER, OTHER)], 5)
    np.testing.assert_allclose(found[:4], [(2 + 4) / (4 + 4), (2 + 3) / (5 + 3), 0, 1 / 2])
    assert math.isnan(found[4])
