"""The drawing in NumPy that users may copy is that of the recipes, to the last digits of float32."""

from __future__ import annotations

import ast

import numpy as np
import pytest
import torch

from made_up_cuts import made_up, poses
from understudy.conditioning import face_crops
from understudy.conditioning.limb_maps import limb_maps
from understudy.conditioning.pictures import as_levels
from understudy.conditioning.white_skeleton import white_skeletons
from understudy.exporting import conditions
from understudy.poses.pose import Pose
from understudy.recipes.parts.cyclegan_domains import stick_figures
from understudy.recipes.parts.everybody_dance_now_footage import colours_of, figures
from understudy.recipes.parts.heatmaps import PoseMaps

COUNT = 6
CLOSE = 2e-5
"""in values from -1 to 1: float32 in one drawing, float64 in the other"""


def by_numpy(cut, xy, confidence):
    return np.stack([conditions.drawn(cut.condition, *pose) for pose in zip(xy, confidence, strict=True)])


def of_18(xy, confidence, config):
    joints, sure = Pose(xy, confidence, (config.size, config.size)).openpose18()
    return torch.from_numpy(joints).float(), torch.from_numpy(sure > config.seen_above)


def heat_maps(config, statistics, xy, confidence):
    joints, seen = of_18(xy, confidence, config)
    maps = PoseMaps.stored(config.size, config.joint_sigma, statistics, torch.device("cpu"))
    return maps(joints[:, None], seen[:, None])


def white_skeleton(config, statistics, xy, confidence):
    seen = torch.from_numpy(confidence > config.seen_above)
    return white_skeletons(torch.from_numpy(xy), seen, config.size)


def stick_figure(config, statistics, xy, confidence):
    colours = colours_of(statistics["palette"], torch.device("cpu"))
    seen = torch.from_numpy(confidence > config.seen_above)
    return figures(config, colours, torch.from_numpy(xy), seen, config.size)


def soft_lines(config, statistics, xy, confidence):
    return stick_figures(*of_18(xy, confidence, config), config.size, config.limb_sigma)


def part_maps(config, statistics, xy, confidence):
    seen = torch.from_numpy(confidence > config.seen_above)
    return limb_maps(torch.from_numpy(xy), seen, config.box_hw, config.line * config.box_hw[0])


@pytest.mark.parametrize(
    ("name", "by_pytorch", "changes"),
    [
        ("pix2pix", heat_maps, {}),
        ("pix2pix", white_skeleton, {"condition": "white skeleton", "size": 96}),
        ("performance-cloning", heat_maps, {"joint_sigma": 3.0}),
        ("everybody-dance-now", stick_figure, {"size": 64, "line": 1 / 16}),
        ("everybody-dance-now", stick_figure, {"size": 64, "line": 1 / 200}),
        ("cyclegan", soft_lines, {"limb_sigma": 1.5}),
        ("poses-in-the-wild", part_maps, {"size": 64, "box_hw": (64, 32), "line": 1 / 20}),
    ],
)
def test_it_is_the_drawing_that_the_recipe_learnt_from(name, by_pytorch, changes):
    (cut, *_), config, statistics = made_up(name, **changes)
    xy, confidence = poses(COUNT, cut.size_hw)
    expected = by_pytorch(config, statistics, xy, confidence).numpy()
    found = by_numpy(cut, xy, confidence)
    assert found.dtype == np.float32 and found.shape == expected.shape
    assert np.ptp(expected) > 0.5  # something is drawn
    apart = np.abs(found - expected)
    scale = max(1.0, np.abs(expected).max())  # heat maps go far beyond 1
    assert apart.mean() <= CLOSE * scale and apart.max() <= 100 * CLOSE * scale


def test_what_is_not_seen_is_not_drawn():
    (cut, *_), config, _ = made_up("everybody-dance-now")
    xy, _ = poses(2, cut.size_hw)  # the last is one dot, perhaps outside
    nothing = conditions.drawn(cut.condition, xy[0], np.full(133, config.seen_above))
    assert (nothing == -1).all() and (conditions.drawn(cut.condition, xy[0], np.ones(133)) > -1).any()


def test_faces_are_where_the_recipe_finds_them():
    (_, face), config, _ = made_up("everybody-dance-now")
    xy, confidence = poses(40, (128, 128))
    seen = torch.from_numpy(confidence > config.seen_above)
    centres, sides, usable = face_crops.face_boxes(torch.from_numpy(xy), seen)
    squares = [conditions.face_square(face.condition, *pose) for pose in zip(xy, confidence, strict=True)]
    assert [square is not None for square in squares] == usable.tolist()
    assert 5 < usable.sum() < 40
    for square, centre, side in zip(squares, centres, sides, strict=True):
        if square is not None:
            assert square[0] == pytest.approx(centre.numpy()) and square[1] == pytest.approx(float(side))


@pytest.mark.parametrize(("centre", "side"), [((30.0, 22.5), 21.0), ((3.0, 60.0), 40.0), ((63.0, 1.0), 9.5)])
def test_faces_are_cut_out_and_put_back_as_the_recipe_does(centre, side):
    (_, face), _, _ = made_up("everybody-dance-now")
    rng = np.random.default_rng(1)
    picture = rng.uniform(-1, 1, (3, 64, 64)).astype(np.float32)
    residual = rng.uniform(-1, 1, (3, 32, 32)).astype(np.float32)
    where = torch.tensor([centre]), torch.tensor([side])
    frames, added = torch.from_numpy(picture)[None], torch.from_numpy(residual)[None]
    (cut,) = face_crops.cut(frames, *where, 32).numpy()
    assert np.abs(conditions.cut_out(picture, np.array(centre), side, 32) - cut).max() < 1e-4
    (whole,) = face_crops.put_back(frames, added, *where, torch.tensor([1.0])).numpy()
    assert np.abs(whole - picture).max() > 0.3
    found = conditions.put_back(face.condition, picture, residual, np.array(centre), side)
    assert np.abs(found - whole).max() < 1e-4


def test_pictures_are_levels_as_everywhere():
    values = np.linspace(-1.2, 1.2, 3 * 4 * 5, dtype=np.float32).reshape(3, 4, 5)
    expected = as_levels(torch.from_numpy(values)).permute(1, 2, 0).numpy()
    assert np.array_equal(conditions.picture(values), expected)


def test_the_file_can_be_copied_it_needs_numpy_alone():
    with open(conditions.__file__, encoding="utf-8") as stream:
        tree = ast.parse(stream.read())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    assert imported == {"__future__", "collections", "typing", "numpy"}
