import numpy as np
import pytest
import torch

from understudy.conditioning.face_crops import BORDER, PER_NECK, PER_SPREAD, PER_TRUNK, cut, face_boxes, put_back
from understudy.poses.pose import (
    LEFT_EAR,
    LEFT_EYE,
    LEFT_HIP,
    LEFT_SHOULDER,
    NOSE,
    POINTS,
    RIGHT_EAR,
    RIGHT_EYE,
    RIGHT_HIP,
    RIGHT_SHOULDER,
)
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import landmark_paths
from understudy.synthetic.scene import make_scene

STANDING = {
    NOSE: (100, 60), LEFT_EYE: (104, 56), RIGHT_EYE: (96, 56), LEFT_EAR: (110, 58), RIGHT_EAR: (90, 58),
    LEFT_SHOULDER: (120, 100), RIGHT_SHOULDER: (80, 100), LEFT_HIP: (110, 170), RIGHT_HIP: (90, 170),
}  # fmt: skip


def pose(points):
    xy, seen = torch.full((1, POINTS, 2), 1e4), torch.zeros(1, POINTS, dtype=torch.bool)
    for point, place in points.items():
        xy[0, point], seen[0, point] = torch.tensor(place, dtype=torch.float32), True
    return xy, seen


def of(*points):
    return {point: STANDING[point] for point in points}


@pytest.mark.parametrize(
    ("points", "side"),
    [
        pytest.param(STANDING, max(PER_SPREAD * 20, PER_NECK * 40, PER_TRUNK * 70), id="everything"),
        pytest.param(of(NOSE, LEFT_EAR, RIGHT_EAR), PER_SPREAD * 20, id="head alone"),
        pytest.param(of(NOSE, LEFT_SHOULDER, RIGHT_SHOULDER), PER_NECK * 40, id="from the neck"),
        pytest.param(
            of(NOSE, LEFT_SHOULDER, RIGHT_SHOULDER) | {NOSE: (100, 98), LEFT_HIP: (110, 170), RIGHT_HIP: (90, 170)},
            PER_TRUNK * 70,
            id="head bent towards the camera",
        ),
        pytest.param(of(NOSE, LEFT_EAR, LEFT_SHOULDER), PER_SPREAD * np.hypot(10, 2), id="profile"),
    ],
)
def test_the_square_is_about_the_nose_and_as_large_as_its_largest_estimate(points, side):
    centres, sides, usable = face_boxes(*pose(points))
    assert usable.tolist() == [True]
    assert centres.tolist() == [list(points[NOSE])]
    assert sides.tolist() == pytest.approx([side], rel=1e-5)


@pytest.mark.parametrize(
    "points",
    [
        pytest.param({point: STANDING[point] for point in STANDING if point != NOSE}, id="no nose"),
        pytest.param(of(NOSE), id="nothing but the nose"),
        pytest.param(of(NOSE, LEFT_SHOULDER), id="no size to be had"),
        pytest.param(of(NOSE) | {LEFT_EYE: (101, 60)}, id="smaller than is of use"),
        pytest.param({}, id="nobody"),
    ],
)
def test_without_a_face_nothing_is_usable_and_all_numbers_are_sane(points):
    centres, sides, usable = face_boxes(*pose(points))
    assert usable.tolist() == [False]
    assert centres.tolist() == [[0.0, 0.0]]
    assert sides.tolist() == [8.0]


def test_the_square_goes_with_the_person():
    xy, seen = pose(STANDING)
    _, sides, _ = face_boxes(xy, seen)
    centres, larger, _ = face_boxes(xy * 2.5 + 7, seen)
    assert larger.item() == pytest.approx(2.5 * sides.item(), rel=1e-5)
    assert centres[0].tolist() == pytest.approx([257, 157])


def test_the_side_is_steady_while_somebody_dances_and_that_of_the_paper_at_the_paper_size():
    means, scene = [], make_scene(0, (512, 512))
    for seed in range(3):
        motion = choreography(seed, 12, 2)
        xy = torch.from_numpy(np.asarray(landmark_paths(make_person(seed), motion, scene), np.float32))
        _, sides, usable = face_boxes(xy, torch.ones(xy.shape[:2], dtype=torch.bool))
        height = (xy[:, [15, 16]].mean(1) - xy[:, NOSE]).norm(dim=-1).quantile(0.9)
        sides = sides * (330 / height)  # from nose to ankles, of somebody who fills a picture of 512
        assert usable.all()
        assert sides.std() < 0.12 * sides.mean()
        assert sides.min() > 0.65 * sides.mean()
        assert sides.max() < 1.35 * sides.mean()
        means.append(sides.mean().item())
    assert np.mean(means) == pytest.approx(128, abs=15)


def places(centre=(20.5, 15.5), side=16.0, count=1):
    return torch.tensor([centre] * count), torch.full((count,), side)


def test_cut_takes_pixels_as_they_are_where_they_coincide():
    frames = torch.rand(2, 3, 40, 50)
    assert torch.allclose(cut(frames, *places(count=2), 16), frames[:, :, 8:24, 13:29], atol=1e-5)


def test_cut_resamples():
    ramp = torch.arange(50.0).expand(1, 2, 40, 50)
    finer = cut(ramp, *places(), 32)
    assert torch.allclose(finer[0, 0, 5], 20.5 + (torch.arange(32) - 15.5) / 2, atol=1e-4)
    coarser = cut(ramp, *places(), 8)
    assert torch.allclose(coarser[0, 0, 5], 20.5 + (torch.arange(8) - 3.5) * 2, atol=1e-4)


def test_cut_repeats_the_edge_beyond_the_frame():
    frames = torch.rand(1, 3, 40, 50)
    patch = cut(frames, *places(centre=(-0.5, 15.5)), 16)
    assert torch.allclose(patch[..., :8], frames[:, :, 8:24, :1].expand(1, 3, 16, 8), atol=1e-5)
    assert torch.allclose(patch[..., 8:], frames[:, :, 8:24, :8], atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_cut_and_put_back_with_nothing_added_is_the_identity(dtype):
    frames = torch.rand(3, 3, 40, 50).to(dtype)
    centres, sides = torch.rand(3, 2) * 60 - 5, torch.rand(3) * 40 + 8
    usable = torch.tensor([True, False, True])
    patches = cut(frames, centres, sides, 24)
    assert patches.dtype == dtype
    assert torch.equal(put_back(frames, torch.zeros_like(patches), centres, sides, usable), frames)


def test_half_precision_frames_are_cut_at_the_same_place():
    frames = torch.rand(1, 3, 256, 256).bfloat16()
    where = places(centre=(201.3, 77.7), side=61.7)
    assert torch.allclose(cut(frames, *where, 64).float(), cut(frames.float(), *where, 64), atol=0.005)


def test_a_residual_arrives_where_it_was_cut_for():
    frames, wanted = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    where = places(centre=(30.5, 33.5), side=32.0)
    added = put_back(frames, cut(wanted - frames, *where, 32), *where, torch.tensor([True]))
    middle = (slice(None), slice(None), slice(26, 42), slice(23, 39))
    assert torch.allclose(added[middle], wanted[middle], atol=1e-5)
    outside = torch.ones(64, 64, dtype=torch.bool)
    outside[18:50, 15:47] = False
    assert torch.equal(added[..., outside], frames[..., outside])


@pytest.mark.parametrize("side", [16.0, 45.3, 90.0], ids=["small", "between", "beyond the frame"])
@pytest.mark.parametrize("centre", [(31.5, 31.5), (20.2, 40.9), (2.0, 60.0)], ids=["middle", "between", "corner"])
def test_there_is_no_seam(centre, side):
    where = places(centre, side)
    added = put_back(torch.zeros(1, 1, 64, 64), torch.ones(1, 1, 32, 32), *where, torch.tensor([True]))[0, 0]
    x, y = round(centre[0]), round(centre[1])
    assert added[y, x] == 1
    steepest = 1.5 / (BORDER * side)  # of the smooth step
    for axis in (0, 1):
        assert added.diff(dim=axis).abs().max() <= steepest * 1.01
    left = centre[0] - side / 2
    if left > 0:  # the first pixel inside has next to nothing
        assert added[:, int(np.ceil(left))].max() < 3 * (1 / (BORDER * side)) ** 2
    assert added.min() >= 0
    assert added.max() <= 1


def test_frames_without_a_face_are_left_alone_and_others_by_their_share():
    frames, residuals = torch.rand(3, 3, 40, 50), torch.randn(3, 3, 16, 16)
    where = places(count=3)
    back = put_back(frames, residuals, *where, torch.tensor([False, True, True]))
    assert torch.equal(back[0], frames[0])
    assert not torch.equal(back[1], frames[1])
    faded = put_back(frames, residuals, *where, torch.tensor([0.0, 1.0, 0.5]))
    assert torch.equal(faded[:2], back[:2])
    assert torch.allclose(faded[2] - frames[2], (back[2] - frames[2]) / 2, atol=1e-6)


def test_gradients_reach_frames_and_residuals():
    frames, residuals = torch.rand(1, 3, 40, 50, requires_grad=True), torch.rand(1, 3, 16, 16, requires_grad=True)
    put_back(frames, residuals, *places(), torch.tensor([True])).sum().backward()
    assert torch.equal(frames.grad, torch.ones_like(frames))
    assert (residuals.grad[..., 3:-3, 3:-3] > 0).all()
    frames.grad = None
    cut(frames, *places(), 16).sum().backward()
    assert frames.grad.sum().item() == pytest.approx(3 * 16 * 16, rel=1e-4)
