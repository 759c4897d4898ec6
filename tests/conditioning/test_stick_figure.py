"""Stick figures against a drawing by OpenCV, and what no drawing shows: order, unseen points, colours, sizes."""

import cv2
import numpy as np
import pytest
import torch

from understudy.conditioning.stick_figure import (
    BODY_LINES,
    FACE_SEGMENTS,
    HAND_LINES,
    LINES,
    THICKNESS,
    palette,
    stick_figures,
)
from understudy.poses.pose import (
    EXCHANGED,
    LEFT_ELBOW,
    LEFT_HAND,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NECK,
    NOSE,
    OPENPOSE18_LIMBS,
    POINTS,
    RIGHT_HAND,
    RIGHT_SHOULDER,
    Pose,
)
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import landmark_paths
from understudy.synthetic.scene import make_scene

COLOURS = torch.from_numpy(palette()).float() / 127.5 - 1
FINE = 20  # the reference drawing is this many times as large, then averaged


@pytest.fixture(scope="module")
def dance():
    """(T, 133, 2) in a picture of 100 x 100 pixels, edges 0 and 100."""
    xy = landmark_paths(make_person(3), choreography(5, 4, 2), make_scene(2, (200, 200)))
    return torch.from_numpy(np.asarray(xy, np.float32) + 0.5) / 2


def placed(dance, size_hw):
    height, width = size_hw
    side = min(height, width)
    return dance * (side / 100) + torch.tensor([(width - side) / 2, (height - side) / 2]) - 0.5


def drawn_by_opencv(xy, seen, size_hw, thickness):
    """One figure `(3, H, W)`: every line drawn large by OpenCV, averaged, and laid over those before."""
    height, width = size_hw
    xy = np.concatenate([xy, xy[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(0, keepdims=True)])
    seen = np.append(seen, seen[LEFT_SHOULDER] and seen[RIGHT_SHOULDER])
    picture = np.full((height, width, 3), -1.0)
    for (first, last), colour, share in zip(LINES, COLOURS.numpy(), THICKNESS, strict=True):
        if seen[first] and seen[last]:
            large = np.zeros((height * FINE, width * FINE), np.uint8)
            ends = [tuple(int(v) for v in np.rint(((xy[end] + 0.5) * FINE - 0.5) * 16)) for end in (first, last)]
            cv2.line(large, *ends, 255, round(thickness * share * FINE), cv2.LINE_8, shift=4)
            covered = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)[..., None] / 255
            picture = picture * (1 - covered) + colour * covered
    return torch.from_numpy(picture).permute(2, 0, 1)


@pytest.mark.parametrize(
    ("size_hw", "thickness"),
    [
        pytest.param((64, 64), 1.0, id="64, fine lines"),
        pytest.param((96, 160), 2.0, id="96x160"),
        pytest.param((128, 128), 3.0, id="128"),
    ],
)
@pytest.mark.parametrize("moment", [0, 5])
def test_figures_are_what_opencv_draws(dance, size_hw, thickness, moment):
    xy = placed(dance, size_hw)[moment]
    seen = torch.ones(POINTS, dtype=torch.bool)
    ours = stick_figures(xy[None], seen[None], COLOURS, size_hw, thickness)[0]
    theirs = drawn_by_opencv(xy.numpy(), seen.numpy(), size_hw, thickness)
    difference = (ours - theirs).abs() * 127.5
    touched = theirs.amax(0) > -1
    assert difference[:, ~touched].max() <= 20  # OpenCV's ends are a little shorter
    assert difference[:, touched].mean() < 6
    assert difference.mean() < 0.5
    assert (ours.amax(0) > -1).sum() / touched.sum() == pytest.approx(1, abs=0.12)


def test_lines_are_body_feet_hands_face_in_this_order():
    assert (*BODY_LINES, *HAND_LINES, *FACE_SEGMENTS) == LINES
    assert (len(BODY_LINES), len(HAND_LINES), len(FACE_SEGMENTS)) == (17 + 6, 2 * 20, 63)
    assert len(THICKNESS) == len(LINES) == len(set(LINES))
    for lines, hand in ((HAND_LINES[:20], RIGHT_HAND), (HAND_LINES[20:], LEFT_HAND)):
        assert {point for line in lines for point in line} == set(range(hand.start, hand.stop))
    assert np.min(LINES) == 0
    assert np.max(LINES) == NECK
    # The limbs are those of the OpenPose view, whose joints are other numbers
    xy = np.random.default_rng(0).normal(size=(1, POINTS, 2)).astype(np.float32)
    joints = Pose(xy, np.ones((1, POINTS)), (9, 9)).openpose18()[0][0]
    with_neck = np.concatenate([xy[0], xy[0, [LEFT_SHOULDER, RIGHT_SHOULDER]].mean(0, keepdims=True)])
    for (first, last), (a, b) in zip(BODY_LINES, OPENPOSE18_LIMBS, strict=False):
        assert np.allclose([with_neck[first], with_neck[last]], [joints[a], joints[b]])


def test_no_two_colours_of_the_palette_are_alike_and_sides_are_far_apart():
    colours = palette()
    assert colours.shape == (len(LINES), 3)
    assert colours.dtype == np.uint8
    assert len({tuple(colour) for colour in colours.tolist()}) == len(LINES)
    assert colours.max(axis=1).min() > 150
    other = [*EXCHANGED, NECK]
    for number, (first, last) in enumerate(BODY_LINES):
        mirrored = (other[first], other[last])
        if mirrored != (first, last):
            apart = colours[number].astype(int) - colours[BODY_LINES.index(mirrored)].astype(int)
            assert np.linalg.norm(apart) > 100


def one_line(start, end, size_hw=(20, 30), thickness=2.0, line=(LEFT_ELBOW, LEFT_WRIST), colours=COLOURS):
    xy, seen = torch.zeros(1, POINTS, 2), torch.zeros(1, POINTS, dtype=torch.bool)
    xy[0, list(line)] = torch.tensor([start, end], dtype=torch.float32)
    seen[0, list(line)] = True
    return stick_figures(xy, seen, colours, size_hw, thickness)[0]


def test_a_level_line_by_hand():
    colour = COLOURS[LINES.index((LEFT_ELBOW, LEFT_WRIST))]
    picture = one_line((5.0, 10.0), (15.0, 10.0), thickness=3.0)
    assert torch.allclose(picture[:, 9:12, 5:16], colour.view(3, 1, 1).expand(3, 3, 11))
    assert (picture[:, :9] == -1).all()
    assert (picture[:, 12:] == -1).all()
    assert (picture[:, :, :3] == -1).all()
    between = one_line((5.0, 10.5), (15.0, 10.5), thickness=2.0)  # from 9.5, where row 10 begins, to 11.5
    assert torch.allclose(between[:, 10:12, 8], colour.view(3, 1).expand(3, 2))
    assert (between[:, [9, 12]] == -1).all()
    shifted = one_line((5.0, 10.25), (15.0, 10.25), thickness=1.0)[:, 9:12, 8]
    assert torch.allclose(shifted + 1, (colour[:, None] + 1) * torch.tensor([0.0, 0.75, 0.25]), atol=1e-6)


@pytest.mark.parametrize("degrees", [0, 17, 45, 70, 90, 200, 315])
@pytest.mark.parametrize("thickness", [0.25, 0.5, 1.0, 4.0])
def test_ink_is_length_times_thickness_in_every_direction(degrees, thickness):
    direction = torch.tensor([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    start = torch.tensor([30.2, 29.7]) - 20 * direction
    white = torch.ones_like(COLOURS)
    ink = (one_line(start.tolist(), (start + 40 * direction).tolist(), (60, 60), thickness, colours=white)[0] + 1) / 2
    ends = np.pi * (thickness / 2) ** 2
    assert ink.sum().item() == pytest.approx(40 * thickness + ends, rel=0.03, abs=0.3)


def test_a_line_without_length_is_a_dot():
    dot = one_line((10.0, 10.0), (10.0, 10.0), thickness=4.0, colours=torch.ones_like(COLOURS))
    assert (dot[0, 9:12, 9:12] > -1).all()
    assert ((dot[0] + 1) / 2).sum().item() == pytest.approx(np.pi * 4, rel=0.1)


def test_unseen_points_leave_their_lines_out_whatever_their_place(dance):
    xy, seen = placed(dance, (64, 64))[:1], torch.ones(1, POINTS, dtype=torch.bool)
    whole = stick_figures(xy, seen, COLOURS, (64, 64), 2.0)
    seen[0, LEFT_ELBOW] = False
    without = stick_figures(xy, seen, COLOURS, (64, 64), 2.0)
    expected = drawn_by_opencv(xy[0].numpy(), seen[0].numpy(), (64, 64), 2.0)
    assert (without[0] - expected).abs().mean() * 127.5 < 1
    assert not torch.equal(whole, without)
    for nonsense in (torch.nan, torch.inf, 1e9):
        xy[0, LEFT_ELBOW] = nonsense
        assert torch.equal(stick_figures(xy, seen, COLOURS, (64, 64), 2.0), without)


def test_the_neck_needs_both_shoulders():
    xy, seen = torch.zeros(1, POINTS, 2), torch.zeros(1, POINTS, dtype=torch.bool)
    xy[0, [NOSE, LEFT_SHOULDER, RIGHT_SHOULDER]] = torch.tensor([[10.0, 4], [5, 15], [15, 15]])
    seen[0, [NOSE, LEFT_SHOULDER]] = True
    assert (stick_figures(xy, seen, COLOURS, (20, 20), 2.0) == -1).all()
    seen[0, RIGHT_SHOULDER] = True
    assert (stick_figures(xy, seen, COLOURS, (20, 20), 2.0)[0, :, 10, 10] > -1).any()


def test_nothing_seen_and_nobody_there_are_black():
    nobody = stick_figures(torch.rand(2, POINTS, 2), torch.zeros(2, POINTS, dtype=torch.bool), COLOURS, (8, 12), 2.0)
    assert torch.equal(nobody, torch.full((2, 3, 8, 12), -1.0))
    none = stick_figures(torch.zeros(0, POINTS, 2), torch.zeros(0, POINTS, dtype=torch.bool), COLOURS, (8, 12), 2.0)
    assert none.shape == (0, 3, 8, 12)


def test_each_line_has_its_colour_of_the_palette_given():
    colours = torch.full_like(COLOURS, -1)
    colours[LINES.index((LEFT_ELBOW, LEFT_WRIST))] = torch.tensor([0.5, -0.25, 1.0])
    picture = one_line((5.0, 10.0), (15.0, 10.0), thickness=3.0, colours=colours)
    assert torch.allclose(picture[:, 10, 10], torch.tensor([0.5, -0.25, 1.0]))
    pose, seen = torch.rand(1, POINTS, 2) * 20, torch.ones(1, POINTS, dtype=torch.bool)
    picture = stick_figures(pose, seen, colours, (20, 20), 2.0)
    assert (picture[:, 1] <= -0.25).all()


def test_later_lines_are_painted_over_earlier_ones():
    limb, finger = (LEFT_ELBOW, LEFT_WRIST), HAND_LINES[4]
    xy, seen = torch.zeros(1, POINTS, 2), torch.zeros(1, POINTS, dtype=torch.bool)
    xy[0, list(limb)] = torch.tensor([[2.0, 10], [18, 10]])
    xy[0, list(finger)] = torch.tensor([[10.0, 2], [10, 18]])
    seen[0, [*limb, *finger]] = True
    picture = stick_figures(xy, seen, COLOURS, (20, 20), 4.0)[0]
    assert torch.allclose(picture[:, 10, 10], COLOURS[LINES.index(finger)])
    assert torch.allclose(picture[:, 10, 5], COLOURS[LINES.index(limb)])


def test_a_batch_equals_its_pictures_one_by_one(dance):
    xy = placed(dance, (64, 48))
    seen = torch.from_numpy(np.random.default_rng(0).random((len(xy), POINTS)) > 0.2)
    thickness = torch.linspace(0.5, 3, len(xy))
    together = stick_figures(xy, seen, COLOURS, (64, 48), thickness)
    assert together.shape == (len(xy), 3, 64, 48)
    assert together.min() >= -1 - 1e-6
    assert together.max() <= 1 + 1e-6
    assert together.is_contiguous(memory_format=torch.channels_last)
    for i in range(len(xy)):
        alone = stick_figures(xy[i : i + 1], seen[i : i + 1], COLOURS, (64, 48), float(thickness[i]))
        assert torch.allclose(together[i], alone[0], atol=1e-5)


@pytest.mark.parametrize("size", [64, 128, 256])
def test_a_figure_is_the_same_at_every_resolution(dance, size):
    seen = torch.ones(1, POINTS, dtype=torch.bool)
    picture = stick_figures(placed(dance[:1], (size, size)), seen, COLOURS, (size, size), size / 64)
    fine = stick_figures(placed(dance[:1], (512, 512)), seen, COLOURS, (512, 512), 8.0)
    shrunk = torch.nn.functional.avg_pool2d(fine, 512 // size)
    assert (picture - shrunk).abs().mean() * 127.5 < 0.8


@pytest.mark.parametrize("far", [30.0, 1e3, 1e7], ids=["beside", "far", "very far"])
def test_lines_that_leave_the_picture_are_cut_at_its_edge(far):
    colour = COLOURS[LINES.index((LEFT_ELBOW, LEFT_WRIST))]
    picture = one_line((10.0, 10.0), (10.0 + far, 10.0), thickness=3.0)
    assert torch.allclose(picture[:, 10, 10:], colour[:, None].expand(3, 20))
    assert (picture[:, 10, :8] == -1).all()
    assert (one_line((-far, -far), (-far, 20.0 + far)) == -1).all()


def test_work_is_bounded_by_the_picture_and_not_by_the_pose():
    xy, seen = torch.rand(2, POINTS, 2) * 1e7 - 5e6, torch.ones(2, POINTS, dtype=torch.bool)
    assert stick_figures(xy, seen, COLOURS, (64, 64), 4.0).shape == (2, 3, 64, 64)


def test_no_gradient_is_recorded():
    xy = (torch.rand(1, POINTS, 2) * 20).requires_grad_()
    assert not stick_figures(xy, torch.ones(1, POINTS, dtype=torch.bool), COLOURS, (20, 20), 2.0).requires_grad
