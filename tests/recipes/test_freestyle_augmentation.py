from types import SimpleNamespace

import numpy as np
import pytest

from understudy.body.figure import Build
from understudy.body.labels import LABEL
from understudy.body.skeleton import Body
from understudy.body.surface_mesh import drawn, surface_mesh
from understudy.people.made_up import made_up_views
from understudy.recipes.parts.freestyle_augmentation import (
    mirrored,
    moved,
    moved_points,
    recoloured,
    recolouring,
    squeezed,
    turning,
    without_hands,
)
from understudy.recipes.parts.segments import GREY, segments_of


@pytest.fixture(scope="module")
def view():
    return made_up_views(78, 1, (256, 160))[0]


def test_twice_mirrored_is_as_it_was(view):
    again = mirrored(mirrored(view))
    for name, value in vars(view).items():
        np.testing.assert_allclose(getattr(again, name), value, atol=1e-4, err_msg=name)


def test_a_symmetric_body_in_a_mirror_has_its_own_surface():
    """The right arm of a mirrored map is where the left one was, with the coordinates of a right arm."""
    mesh = surface_mesh(Body(), Build())
    screen = (mesh.vertices[:, :2] * (150, -150) + (199.5, 290)).astype(np.float32)
    surface = drawn(mesh, screen, 10 - mesh.vertices[:, 2], (320, 400))
    flat, points = surface[..., 0], np.zeros((133, 2), np.float32)
    view = SimpleNamespace(
        frame=surface,
        labels=flat * 0,
        surface=surface,
        xy=points,
        confidence=points[:, 0],
        others=flat,
        background=surface,
    )
    other = mirrored(view).surface
    same = other[..., 0] == surface[..., 0]
    assert same.mean() > 0.99
    both = same & (surface[..., 0] > 0)
    assert np.abs(other[both].astype(int) - surface[both]).mean() < 3


def test_squeezing_changes_widths_and_leaves_heights(view):
    wide = squeezed(view.labels, 1.3)
    rows = [np.flatnonzero((labels > 0).any(axis=1)) for labels in (view.labels, wide)]
    np.testing.assert_array_equal(*rows)
    assert 1.2 < (wide > 0).sum() / (view.labels > 0).sum() < 1.4
    assert set(np.unique(wide)) <= set(np.unique(view.labels))
    assert not squeezed(np.zeros((8, 8), np.uint8), 1.3).any()


def test_pictures_and_points_turn_together():
    matrix = turning(np.random.default_rng(3), (100, 80), 20.0, 0.2)
    picture = np.zeros((100, 80), np.uint8)
    picture[38:43, 28:33] = 200
    place = moved_points(np.array([[30.0, 40.0]], np.float32), matrix)[0]
    rows, columns = np.nonzero(moved(picture, matrix))
    np.testing.assert_allclose((columns.mean(), rows.mean()), place, atol=0.6)
    still = turning(np.random.default_rng(3), (100, 80), 0.0, 0.0)
    np.testing.assert_allclose(still, np.eye(2, 3), atol=1e-6)


def test_recolouring_is_the_same_for_all_pictures_of_a_pair_and_leaves_alpha():
    table = recolouring(np.random.default_rng(1), 1.0)
    picture = np.random.default_rng(0).integers(0, 256, (9, 9, 4)).astype(np.uint8)
    picture[..., :3] = np.minimum(picture[..., :3], picture[..., 3:])
    shown = recoloured(picture, table)
    assert (shown[..., 3] == picture[..., 3]).all() and (shown[..., :3] <= shown[..., 3:]).all()
    assert (shown != picture).any()
    np.testing.assert_array_equal(recoloured(picture, recolouring(np.random.default_rng(1), 0.0)), picture)


def test_segments_hold_their_labels_alone(view):
    segments = segments_of(view.frame, view.labels)
    assert segments.shape == (5, 224, 224, 3)
    box = np.argwhere(np.isin(view.labels, [LABEL["left shoe"], LABEL["right shoe"]]))
    assert len(box) and (segments[3] != GREY).any()
    nobody = segments_of(view.frame, np.zeros_like(view.labels))
    assert (nobody == GREY).all()
    shoes = segments_of(view.frame, np.where(np.isin(view.labels, [18, 19]), view.labels, 0).astype(np.uint8))
    np.testing.assert_array_equal(shoes[3], segments[3])
    assert (shoes[[0, 1, 2, 4]] == GREY).all()


def test_without_hand_labels_hands_are_arms(view):
    shown = without_hands(view.labels)
    assert not np.isin(shown, [LABEL["left hand"], LABEL["right hand"]]).any()
    hands = view.labels == LABEL["left hand"]
    assert hands.any() and (shown[hands] == LABEL["left arm"]).all()
    rest = ~np.isin(view.labels, [LABEL["left hand"], LABEL["right hand"]])
    np.testing.assert_array_equal(shown[rest], view.labels[rest])
