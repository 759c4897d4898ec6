"""What a tracker says: a mask keeps its own pixels, and is read once wherever it is laid."""

import numpy as np

from understudy.tracking.detection import Mask


def test_a_mask_lies_where_its_matrix_says():
    values = np.zeros((8, 8), np.uint8)
    values[2, 5] = 200
    laid = Mask(values, np.array([[1.0, 0, 10], [0, 1, 20]])).laid((40, 50))
    assert laid.shape == (40, 50) and laid[22, 15] == 200 and np.count_nonzero(laid) == 1


def test_onward_comes_after_its_own_matrix():
    values = np.full((8, 8), 255, np.uint8)
    turned = Mask(values, np.array([[0.0, -1, 30], [1, 0, 4]]))  # its columns run down, its rows to the left
    frame = turned.laid((40, 40))
    assert np.array_equal(np.argwhere(frame)[[0, -1]], [[4, 23], [11, 30]])
    onward = np.array([[2.0, 0, -20], [0, 2, 6]])
    there = np.argwhere(turned.laid((60, 60), onward) == 255)
    assert there.min(axis=0).tolist() == [14, 26] and there.max(axis=0).tolist() == [28, 40]


def test_without_a_matrix_it_is_the_frames_own():
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(Mask(values).laid((3, 4)), values)
