"""Bodies laid into poses of made-up people, whose bones and surfaces are known exactly."""

import cv2
import numpy as np
import pytest
import torch

from understudy.body.labels import LABEL
from understudy.body.posing import average_bones, placed, relative, rotations_of, six_of, with_fingers
from understudy.body.skeleton import Body, forward_kinematics, rest_positions
from understudy.body.surface_mesh import CHARTS
from understudy.poses.pose import Pose
from understudy.synthetic.dances import seen_poses
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render, surfaces
from understudy.synthetic.scene import make_scene
from understudy.tracking.body_fit import fit
from understudy.tracking.surface import girth_of, surface_maps

SIZE = (256, 192)
COATED = ("front", "back", "thigh", "upper arm")


@pytest.fixture(scope="module")
def dance():
    return make_person(71), choreography(71, 3.0, 10), make_scene(71, SIZE)


@pytest.fixture(scope="module")
def posed(dance):
    return fit(seen_poses(*dance))


def turned_of(motion):
    world, _ = forward_kinematics(motion.rotations, motion.grip, rest_positions(Body()))
    return torch.from_numpy(world)


def test_kinematics_in_pytorch_are_those_of_the_made_up_people():
    motion = choreography(5, 1.0, 5)
    world, place = forward_kinematics(motion.rotations, motion.grip, rest_positions(Body()))
    joints, points = placed(average_bones(), torch.from_numpy(world), torch.ones(1, 9))
    np.testing.assert_allclose(joints, place - place[:, :1], atol=1e-5)
    assert points.shape == (5, 133, 3)
    every = with_fingers(torch.from_numpy(world)[:, :21], torch.from_numpy(motion.grip))
    np.testing.assert_allclose(every, world, atol=1e-5)
    np.testing.assert_allclose(relative(torch.from_numpy(world)[:, :21]), motion.rotations, atol=1e-5)


def test_six_numbers_are_a_rotation_again():
    turned = turned_of(choreography(5, 1.0, 5))
    np.testing.assert_allclose(rotations_of(six_of(turned)), turned, atol=1e-5)


def test_a_fitted_body_falls_onto_the_points_and_lies_as_the_true_one(dance, posed):
    _, motion, scene = dance
    camera = torch.from_numpy(scene.camera.axes * np.array([[1.0], [-1.0], [-1.0]], np.float32))
    truth = camera @ turned_of(motion)[:, :21]
    trace = (truth * torch.from_numpy(posed.turned)).sum(dim=(-1, -2))
    degrees = torch.rad2deg(torch.arccos(((trace - 1) / 2).clamp(-1, 1)))
    assert degrees[:, 0].median() < 12 and degrees.median() < 12
    assert posed.known.all() and len(posed) == len(motion)


def test_its_surface_is_the_true_one_nearly_everywhere(dance, posed):
    """Of the pixels that show somebody in both, charts agree; and so do V within them."""
    agree, off, overlap = [], [], []
    for guessed, true in zip(surface_maps(posed, SIZE), surfaces(*dance), strict=True):
        both = (guessed[..., 0] > 0) & (true[..., 0] > 0)
        overlap.append(both.sum() / ((guessed[..., 0] > 0) | (true[..., 0] > 0)).sum())
        same = both & (guessed[..., 0] == true[..., 0])
        agree.append(same.sum() / both.sum())
        off.append(np.abs(guessed[..., 2].astype(int) - true[..., 2])[same].mean() / 255)
    assert np.mean(overlap) > 0.8 and np.mean(agree) > 0.8 and np.mean(off) < 0.08


def test_lengths_that_are_known_are_kept(dance, posed):
    again = fit(seen_poses(*dance), stretch=posed.stretch)
    np.testing.assert_array_equal(again.stretch, posed.stretch)
    assert 0.8 < posed.body.height / make_person(71).body.height < 1.2


def test_a_moment_without_anybody_shows_nothing():
    nobody = fit(Pose(np.zeros((2, 133, 2), np.float32), np.zeros((2, 133), np.float32), SIZE))
    assert not nobody.known.any()
    assert not any(shown.any() for shown in surface_maps(nobody, SIZE))
    assert len(fit(Pose(np.zeros((0, 133, 2), np.float32), np.zeros((0, 133), np.float32), SIZE))) == 0


def test_girth_is_read_where_the_mattes_show_somebody():
    person, motion, scene = make_person(71), choreography(3, 0.6, 5), make_scene(3, SIZE)
    posed = fit(seen_poses(person, motion, scene))
    for girth in (0.9, 1.2):
        drawn = [np.where(one[..., 0] > 0, np.uint8(255), np.uint8(0)) for one in surface_maps(posed, SIZE, girth)]
        assert girth_of(posed, drawn) == girth
        legs = [CHARTS.index(name) for name in CHARTS if any(word in name for word in ("thigh", "shin", "foot"))]
        cut = [np.where(np.isin(one[..., 0], legs), np.uint8(0), whole)
               for one, whole in zip(surface_maps(posed, SIZE, girth), drawn, strict=True)]  # fmt: skip
        assert girth_of(posed, cut) == pytest.approx(girth, abs=0.06)
    for nothing in (0, 255):
        assert girth_of(posed, [np.full(SIZE, nothing, np.uint8)] * len(drawn)) == 1


def test_a_skirt_makes_nobody_stout():
    person, motion, scene = make_person(71), choreography(3, 0.6, 5), make_scene(3, SIZE)
    posed = fit(seen_poses(person, motion, scene))
    skirted = []
    for one in surface_maps(posed, SIZE, 1.0):
        legs = np.isin(one[..., 0], [number for number, name in enumerate(CHARTS) if "thigh" in name]).astype(np.uint8)
        skirted.append(np.where((one[..., 0] > 0) | (cv2.dilate(legs, np.ones((15, 15))) > 0), 255, 0).astype(np.uint8))
    assert girth_of(posed, skirted) <= 1.1


def test_a_wide_coat_makes_nobody_stout_where_labels_tell_it():
    person, motion, scene = make_person(71), choreography(3, 0.6, 5), make_scene(3, SIZE)
    posed = fit(seen_poses(person, motion, scene))
    hidden = [number for number, name in enumerate(CHARTS) if any(part in name for part in COATED)]
    mattes, labels = [], []
    for one in surface_maps(posed, SIZE, 1.0):
        coat = cv2.dilate(np.isin(one[..., 0], hidden).astype(np.uint8), np.ones((13, 13)))
        labels.append(np.where(coat > 0, np.uint8(LABEL["coat"]), np.uint8(0)))
        mattes.append(np.where((one[..., 0] > 0) | (coat > 0), np.uint8(255), np.uint8(0)))
    assert girth_of(posed, mattes) >= 1.3
    assert girth_of(posed, mattes, labels) <= 1.1


def test_the_stouter_of_two_is_found_stouter():
    """The matte says how stout somebody is, whoever it is."""
    by_build = sorted((make_person(seed) for seed in range(30, 40)), key=lambda person: person.build.girth)
    found = []
    for person in (by_build[0], by_build[-1]):
        motion, scene = choreography(3, 0.6, 5), make_scene(3, SIZE)
        mattes = [shown.matte for shown in render(person, motion, scene)]
        found.append(girth_of(fit(seen_poses(person, motion, scene)), mattes))
    assert found[0] < found[1]
