"""Networks cut out of actors: files of them say what PyTorch says, and played by hand they show what players show."""

from __future__ import annotations

import json
from collections import deque

import numpy as np
import pytest
import torch

from tiny import tiny_poses
from understudy.base import openvino
from understudy.errors import UsageError
from understudy.exporting import conditions
from understudy.exporting.files import MOST_DIFFERENCE, difference, read_onnx, write_onnx, write_openvino
from understudy.recipes import every, recipe
from understudy.recipes.parts.cut import RGB
from understudy.recipes.parts.player import moments

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

SIZE, FRAMES = 32, 6
CASES = [
    ("pix2pix", None),
    ("pix2pix", "white skeleton"),
    ("performance-cloning", None),
    ("performance-cloning", "N = 3"),
    ("everybody-dance-now", None),
    ("everybody-dance-now", "FBF"),
    ("poses-in-the-wild", None),
    ("poses-in-the-wild", "w/ BG"),
    ("poses-in-the-wild", "PL-Stage1"),
    ("cyclegan", None),
    ("cyclegan", "frames"),
]
KINDS = {".onnx": read_onnx, ".xml": openvino.read}
NOTHING = {"nearest-neighbour", "limb-warp", "copy-then-refine", "freestyle-reenactment"}


@pytest.fixture(params=CASES, ids=lambda case: " ".join(filter(None, case)))
def learnt(request, learnt_small):
    return learnt_small(*request.param)


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch):
    monkeypatch.setattr("understudy.base.devices.computes_in_bfloat16", lambda device: False)


def cuts_of(learnt):
    trained = learnt.trained
    return learnt.recipe.cuts(trained.config, trained.weights, trained.statistics)


def said(cut):
    return {"made_with": "understudy 0", "recipe": "one", "use": cut.use, "synthetic": "yes"}


def test_files_say_what_pytorch_says_for_any_number_of_pictures(learnt, tmp_path):
    for cut in cuts_of(learnt):
        write_onnx(cut, said(cut), tmp_path / "one.onnx")
        write_openvino(cut, said(cut), tmp_path / "one.xml")
        for kind, read in KINDS.items():
            run = read(tmp_path / f"one{kind}")
            assert max(difference(cut, run, count) for count in (1, 3)) <= MOST_DIFFERENCE / 100  # float32 all along


def test_channels_are_named_as_many_as_there_are(learnt):
    for cut in cuts_of(learnt):
        zeros = torch.zeros(1, len(cut.given), *cut.size_hw)
        with torch.no_grad():
            assert cut.network(zeros).shape == (1, len(cut.made), *cut.size_hw)
        for names in (cut.given, cut.made):
            assert len(set(names)) == len(names)
        assert json.loads(json.dumps(cut.condition)) == cut.condition and cut.use
        assert not any(part.training for part in cut.network.modules())


def test_every_recipe_has_networks_to_export_or_says_why_not():
    assert {name for name, _ in every()} == {name for name, _ in CASES} | NOTHING
    for name in NOTHING:
        with pytest.raises(UsageError, match=r"no network to export: .*; train the same reference") as told:
            recipe(name).cuts(None, {}, {})
        assert "\n" not in str(told.value) and name in str(told.value)


# -- Played by hand, from the files alone -------------------------------------------------------------------------


class Program:
    """Somebody's program: it has the files, ONNX Runtime and a copy of conditions.py."""

    def __init__(self, cuts, folder):
        self.run, self.how = {}, {}
        for cut in cuts:
            path = folder / f"{cut.name or 'main'}.onnx"
            write_onnx(cut, said(cut), path)
            self.run[cut.name], self.how[cut.name] = read_onnx(path), json.loads(json.dumps(cut.condition))

    def __call__(self, values, name=""):
        return self.run[name](values[None].astype(np.float32))[0]

    def windows(self, xy, confidence):
        """The poses of every window, drawn and stacked; ends are repeated."""
        drawn = [conditions.drawn(self.how[""], *pose) for pose in zip(xy, confidence, strict=True)]
        last = len(drawn) - 1
        for t in range(len(drawn)):
            yield np.concatenate([drawn[min(max(t + at, 0), last)] for at in self.how[""]["poses"]])


def one_by_one(program, xy, confidence):
    for values in program.windows(xy, confidence):
        yield program(values)


def mean_of_versions(program, xy, confidence):
    windows = [program(values).reshape(-1, 3, SIZE, SIZE) for values in program.windows(xy, confidence)]
    n = len(windows[0])
    for t in range(len(windows)):
        versions = [windows[t + later][n - 1 - later] for later in range(n) if t + later < len(windows)]
        yield np.mean(versions, axis=0)


def from_the_one_before(program, xy, confidence):
    how, face = program.how[""], program.how.get("face")
    before = np.zeros((3, SIZE, SIZE), np.float32)
    for figure, *pose in zip(program.windows(xy, confidence), xy, confidence, strict=True):
        before = program(np.concatenate([figure, before]) if how["picture_before"] else figure)
        shown = before
        if face and (square := conditions.face_square(face, *pose)):
            cut = [conditions.cut_out(values, *square, face["size_hw"][0]) for values in (figure, before)]
            shown = conditions.put_back(face, before, program(np.concatenate(cut), "face"), *square)
        yield shown


def in_two_stages(program, xy, confidence):
    coarse = deque(program(values) for values in program.windows(xy, confidence))
    if "texture" not in program.run:
        yield from coarse
        return
    for t in range(len(coarse)):
        around = [coarse[min(max(t + at, 0), len(coarse) - 1)] for at in program.how["texture"]["frames"]]
        yield program(np.concatenate(around), "texture")


@pytest.mark.parametrize(
    ("name", "variant", "played"),
    [
        ("pix2pix", None, one_by_one),
        ("pix2pix", "white skeleton", one_by_one),
        ("cyclegan", None, one_by_one),
        ("performance-cloning", "N = 3", mean_of_versions),
        ("everybody-dance-now", None, from_the_one_before),
        ("everybody-dance-now", "FBF", from_the_one_before),
        ("poses-in-the-wild", "w/ BG", in_two_stages),
    ],
)
def test_a_program_with_the_files_shows_what_the_player_shows(name, variant, played, learnt_small, tmp_path):
    learnt = learnt_small(name, variant)
    program = Program(cuts_of(learnt), tmp_path)
    pose = tiny_poses(FRAMES, SIZE, 4)
    pose.confidence[2, 5:11] = 0  # arms that are lost for a moment
    expected = np.stack(list(learnt.player().play(moments(pose)))).astype(int)
    found = np.stack([conditions.picture(values) for values in played(program, pose.xy, pose.confidence)]).astype(int)
    assert found.shape == expected.shape == (FRAMES, SIZE, SIZE, len(RGB))
    apart = np.abs(found - expected)
    assert apart.mean() < 0.3 and apart.max() <= 2  # players round every version before the mean of several
    assert np.ptp(expected, axis=0).max() > 2  # who moves does not look the same all the time


def test_a_box_is_painted_from_poses_in_its_pixels(learnt_small, tmp_path):
    learnt = learnt_small("poses-in-the-wild")
    program, player, pose = Program(cuts_of(learnt), tmp_path), learnt.player(), tiny_poses(FRAMES, SIZE, 4)
    expected = torch.cat(list(player._painted(moments(pose), 8))).numpy()
    found = np.stack(list(in_two_stages(program, pose.xy, pose.confidence)))
    assert found.shape == expected.shape == (FRAMES, 4, SIZE, SIZE)
    assert np.abs(found - expected).mean() < MOST_DIFFERENCE / 10
