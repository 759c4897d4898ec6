"""A photograph's maps: taken from the reference where it holds some that can be used, and worked out otherwise."""

import logging
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from understudy.body.labels import LABEL
from understudy.body.landmarks import landmark_anchors
from understudy.performance import Performance
from understudy.poses.pose import Pose
from understudy.recipes.freestyle_reenactment import enlarged, measured, read
from understudy.retargeting.alignment import body_statistics
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene
from understudy.tracking.body_fit import fit
from understudy.tracking.track import track

HANDS = [LABEL["left hand"], LABEL["right hand"]]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photograph")
    shown = next(render(make_person(3), choreography(3, 1, 30)[:1], make_scene(3, (400, 300))))
    Image.fromarray(shown.frame).save(folder / "me.png")
    return track(folder / "me.png", folder / "me.performance", size=128, parsing="auto", surface="auto")


def of_side(side, detail=1, hands=True):
    return SimpleNamespace(side=side, detail=detail, size=detail * side, hands=hands)


def saying(reference, **changes):
    return Performance(reference.path, replace(reference.header, **changes), reference.poses, reference.status)


def test_maps_that_are_there_are_taken_as_they_are(reference):
    config = of_side(256)
    photograph, _ = read(reference, config)
    np.testing.assert_array_equal(photograph.labels[::2, ::2], next(reference.labels()))
    np.testing.assert_array_equal(photograph.surface[1::2, 1::2], next(reference.surface()))
    assert photograph.labels.any() and photograph.surface.any()


def test_they_are_what_would_be_worked_out_at_the_same_size(reference):
    config = of_side(128)
    taken, _ = read(reference, config)
    made, _ = read(saying(reference, parsing="", surface=""), config)
    np.testing.assert_array_equal(taken.labels, made.labels)
    np.testing.assert_array_equal(taken.surface, made.surface)


def test_coordinates_of_another_mesh_are_not_used(reference, caplog):
    config = of_side(256)
    with caplog.at_level(logging.WARNING):
        brought, _ = read(saying(reference, surface="network"), config)
    assert "surface maps of me.performance are not used" in caplog.text
    made, _ = read(saying(reference, surface=""), config)
    np.testing.assert_array_equal(brought.surface, made.surface)
    assert not np.array_equal(brought.surface, enlarged(next(reference.surface()), 256))


def test_hands_are_left_out_of_stored_maps_too(reference):
    assert np.isin(next(reference.labels()), HANDS).any()
    photograph, _ = read(reference, of_side(128, hands=False))
    assert photograph.labels.any() and not np.isin(photograph.labels, HANDS).any()


def test_a_finer_picture_belongs_to_the_same_maps(reference):
    small, _ = read(reference, of_side(64))
    fine, _ = read(reference, of_side(64, detail=2))
    assert fine.picture.shape == (128, 128, 4) and fine.labels.shape == (64, 64) and fine.detail == 2
    np.testing.assert_array_equal(fine.small, small.picture)
    np.testing.assert_allclose(fine.xy, small.xy, atol=1e-4)
    np.testing.assert_array_equal(fine.surface, small.surface)


def test_limbs_are_as_long_as_the_bodys_whatever_they_point_at():
    """Drivers get the lengths of the reference's limbs, and in one picture some of them point at the camera."""
    person, scene = make_person(6), make_scene(6, (512, 512))
    rest = 200 * landmark_anchors(person.body, person.head).points[:, :2]

    def proportions(body):
        lengths = np.array(body.limb_lengths)
        return lengths / lengths.sum()

    true = proportions(body_statistics(Pose(rest[None].astype(np.float32), np.ones((1, 133), np.float32), (512, 512))))
    off, shortened = [], []
    for shown in render(person, choreography(6, 8, 2), scene):
        pose = Pose(shown.xy[None], np.clip(shown.confidence, 0, 1)[None], (512, 512))
        of_body = measured(pose, fit(pose, follow=False), 1.0)
        off.append(np.abs(proportions(of_body) / true - 1).max())
        shortened.append(np.abs(proportions(body_statistics(pose)) / true - 1).max())
        assert of_body.centre_xy == body_statistics(pose).centre_xy
        larger = measured(pose, fit(pose, follow=False), 2.0)  # working pixels are half as large
        for name in ("hip_width", "torso_length", "limb_lengths"):
            np.testing.assert_allclose(getattr(larger, name), 2 * np.array(getattr(of_body, name)), rtol=1e-5)
    assert np.median(off) < 0.5 * np.median(shortened)
