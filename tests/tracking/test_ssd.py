"""Boxes about anchors, by hand."""

import numpy as np
import pytest

from understudy.tracking.ssd import anchors, decoded


def test_anchors_row_by_row():
    made = anchors(((2, 2), (1, 1)))
    np.testing.assert_allclose(
        made,
        [(0.25, 0.25)] * 2 + [(0.75, 0.25)] * 2 + [(0.25, 0.75)] * 2 + [(0.75, 0.75)] * 2 + [(0.5, 0.5)],
    )
    assert len(anchors(((28, 2), (14, 2), (7, 6)))) == 2254 and len(anchors(((16, 2), (8, 6)))) == 896


def test_boxes_of_one_thing_are_averaged_by_their_scores():
    middles = np.array([(0.5, 0.5), (0.5, 0.5), (0.1, 0.1), (0.9, 0.9)], np.float32)
    #                 x  y  width height  point
    boxes = np.array(
        [(0, 0, 40, 40, 10, 0), (4, 0, 40, 40, 14, 0), (0, 0, 10, 10, 0, 0), (0, 0, 9, 9, 0, 0)], np.float32
    )
    logits = np.array([[2.0], [1.0], [3.0], [-0.1]], np.float32)
    first, second = decoded(boxes, logits, middles, 100)
    assert first.score == pytest.approx(1 / (1 + np.exp(-3))) and first.box.tolist() == pytest.approx(
        (0.05, 0.05, 0.15, 0.15)
    )
    sure, less = 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-1))
    shift = 0.04 * less / (sure + less)
    assert second.score == pytest.approx(sure)
    assert second.box.tolist() == pytest.approx((0.3 + shift, 0.3, 0.7 + shift, 0.7), abs=1e-5)
    assert second.points[0].tolist() == pytest.approx((0.6 + shift, 0.5), abs=1e-5)


def test_nothing_found_is_an_empty_list():
    assert (
        decoded(np.zeros((1, 16), np.float32), np.array([[-50.0]], np.float32), np.zeros((1, 2), np.float32), 9) == []
    )
    flat = decoded(np.zeros((1, 6), np.float32), np.array([[1e4]], np.float32), np.zeros((1, 2), np.float32), 9)
    assert len(flat) == 1 and flat[0].score == 1, "a box without an area ends the search as any other"
