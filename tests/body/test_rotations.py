"""Rotations between frames: ends, halves, the short way round."""

import numpy as np
import pytest

from understudy.body.rotations import frame_from, from_vector, mean_rotation, resampled_rotations, to_vector


def about_z(*degrees):
    return from_vector(np.radians([[0.0, 0.0, angle] for angle in degrees]))


@pytest.mark.parametrize(
    ("time", "angle"), [(0, 0), (0.5, 20), (1, 40), (1.25, 50), (2, 80), (2.5, 80), (-1, 0)], ids=str
)
def test_rotations_are_resampled_between_their_neighbours_and_held_beyond_the_ends(time, angle):
    (found,) = resampled_rotations(about_z(0, 40, 80), np.array([float(time)]))
    np.testing.assert_allclose(found, about_z(angle)[0], atol=1e-9)


def test_the_short_way_is_taken():
    (found,) = resampled_rotations(about_z(170, -170), np.array([0.5]))
    np.testing.assert_allclose(found, about_z(180)[0], atol=1e-9)


def test_vectors_there_and_back():
    vectors = np.random.default_rng(0).normal(0, 1, (50, 3))
    vectors /= np.maximum(1, np.linalg.norm(vectors, axis=1, keepdims=True) / 3)
    np.testing.assert_allclose(to_vector(from_vector(vectors)), vectors, atol=1e-7)
    np.testing.assert_allclose(np.abs(to_vector(about_z(180))[0]), (0, 0, np.pi), atol=1e-7)


def test_the_mean_of_turns_to_both_sides_is_none():
    np.testing.assert_allclose(mean_rotation(about_z(-30, 30, 10, -10)), np.eye(3), atol=1e-9)


@pytest.mark.parametrize("axes", ["xy", "yx", "yz", "zy", "xz", "zx"])
def test_frames_are_right_handed_with_their_main_axis_along(axes):
    along, towards = np.array([[1.0, 2.0, 0.5]]), np.array([[0.0, 1.0, 3.0]])
    (frame,) = frame_from(axes[0], along, axes[1], towards)
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(frame) == pytest.approx(1)
    np.testing.assert_allclose(frame[:, "xyz".index(axes[0])], along[0] / np.linalg.norm(along), atol=1e-9)
    assert frame[:, "xyz".index(axes[1])] @ towards[0] > 0
