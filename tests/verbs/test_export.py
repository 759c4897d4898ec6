"""`export`: whole files that say what they are, nothing lost, and one line for whatever stands in the way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import understudy
from figment import as_figment_draws
from made_up_cuts import arrays
from tiny import shrunk, tiny_performance
from tiny_actor import CONFIG, tiny_actor
from understudy.base import openvino
from understudy.cli import main as cli
from understudy.conditioning.white_skeleton import landmarks
from understudy.consent import Consent
from understudy.errors import UnderstudyError, UsageError
from understudy.exporting import files, ranges
from understudy.exporting.conditions import picture
from understudy.poses.pose import Pose
from understudy.recipes import recipe
from understudy.recipes.parts.player import moments
from understudy.verbs import export as verb

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")


def actor_of(name, **changes):
    """A very small actor of a recipe, with random weights."""
    one = recipe(name)
    config = shrunk(one.preset("preview"))
    weights, statistics = (arrays(contents) for contents in one.contents(config))
    return tiny_actor(recipe=name, config=config, weights=weights, statistics=statistics, **changes)


def left(folder: Path):
    return sorted(file.name for file in folder.iterdir())


def props_of(path: Path):
    return {one.key: one.value for one in onnx.load(str(path)).metadata_props}


def infos_of(path: Path):
    import xml.etree.ElementTree as tree

    return {one.tag: one.get("value") for one in tree.parse(path).getroot().find("rt_info/understudy")}


# -- what is written ------------------------------------------------------------------------------------------------


def test_an_onnx_file_is_all_that_is_written(tmp_path):
    (made,) = understudy.export(tiny_actor(), tmp_path / "me.onnx")
    assert left(tmp_path) == ["me.onnx"] and made.path == tmp_path / "me.onnx"
    assert made.about.startswith("input Bx36x32x32, output Bx6x32x32: pictures of the person")
    assert made.difference < files.MOST_DIFFERENCE
    model = onnx.load(str(made.path))
    assert [one.version for one in model.opset_import if not one.domain] == [files.OPSET] == [17]
    session = onnxruntime.InferenceSession(str(made.path), providers=["CPUExecutionProvider"])
    (given,), (said,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("input", "tensor(float)", ["batch", 36, 32, 32])
    assert (said.name, said.type, said.shape[0], said.shape[1]) == ("output", "tensor(float)", "batch", 6)


def test_openvino_gets_two_files_that_belong_together(tmp_path):
    (made,) = understudy.export(tiny_actor(), tmp_path / "me.xml", runtime="openvino")
    assert left(tmp_path) == ["me.bin", "me.xml"]
    numbers = sum(value.size for value in tiny_actor().weights.values())
    assert (tmp_path / "me.bin").stat().st_size > 3 * numbers  # 4 bytes each, not 2, but for equal ones kept once
    pictures = openvino.read(made.path)(np.zeros((2, 36, 32, 32), np.float32))
    assert pictures.shape == (2, 6, 32, 32) and np.abs(pictures).max() <= 1


@pytest.mark.parametrize(
    ("name", "second"), [("everybody-dance-now", "me.face.onnx"), ("poses-in-the-wild", "me.texture.onnx")]
)
def test_a_second_network_is_a_second_file(tmp_path, name, second):
    made = understudy.export(actor_of(name), tmp_path / "me.onnx")
    assert [one.path.name for one in made] == ["me.onnx", second]
    assert left(tmp_path) == sorted(["me.onnx", second])
    assert props_of(tmp_path / second)["network"] == second.split(".")[1]


@pytest.mark.parametrize(("name", "runtime", "said"), [
    ("me.onnx", "generic", props_of), ("me.xml", "openvino", infos_of),
])  # fmt: skip
def test_a_file_says_what_it_is_and_whom_it_shows(tmp_path, name, runtime, said):
    actor = actor_of("pix2pix", consent=Consent('I am "Ana" <ana> \x07', "2026-01-02T03:04:05+00:00"))
    understudy.export(actor, tmp_path / name, runtime=runtime)
    told = said(tmp_path / name)
    assert told["made_with"] == f"understudy {understudy.__version__}"
    assert (told["recipe"], told["network"], told["size"]) == ("pix2pix", "main", "32x32")
    assert "[-1, 1]" in told["values"] and "red, green, blue" in told["values"]
    assert json.loads(told["input_channels"])[:2] == ["pose +0: nose", "pose +0: neck"]
    assert json.loads(told["output_channels"]) == ["red", "green", "blue"]
    assert json.loads(told["condition"])["kind"] == "heat maps"
    assert "synthetic" in told["synthetic"] and "mark them" in told["synthetic"]
    assert told["consent"] == 'I am "Ana" <ana> \ufffd (2026-01-02T03:04:05+00:00)'


@pytest.mark.parametrize(("name", "runtime"), [("me.onnx", "generic"), ("me.xml", "openvino")])
def test_no_path_and_no_name_of_a_file_is_in_what_is_written(tmp_path, name, runtime):
    understudy.export(tiny_actor(reference_name="secret-name.mp4"), tmp_path / name, runtime=runtime)
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        for word in (str(tmp_path), str(Path(understudy.__file__).parent), "/site-packages", "secret-name", ".part"):
            assert word.encode() not in content, (file.name, word)


def test_the_same_actor_makes_the_same_file(tmp_path):
    for name in ("one.onnx", "two.onnx"):
        understudy.export(tiny_actor(), tmp_path / name)
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


# -- Figment --------------------------------------------------------------------------------------------------------


def of_skeletons(size=64):
    """An actor of pix2pix's variant, with random weights, and its config."""
    one = recipe("pix2pix")
    config = replace(shrunk(one.preset("preview", "white skeleton")), size=size)
    weights, statistics = (arrays(contents) for contents in one.contents(config))
    statistics["standing"] = np.array([0.9, 0.75, 0.5], np.float32)
    return tiny_actor(recipe="pix2pix", config=config, weights=weights, statistics=statistics, working_size=size)


def test_the_variant_paints_pictures_of_figments_size():
    config = recipe("pix2pix").preset("preview", "white skeleton")
    assert (config.size, config.condition) == (512, "white skeleton")
    assert config.size >> config.depth == 128 >> recipe("pix2pix").preset("preview").depth


def test_figments_node_is_given_one_picture_and_its_other_nodes_their_numbers(tmp_path):
    (made,) = understudy.export(of_skeletons(), tmp_path / "me.onnx", runtime="figment")
    assert left(tmp_path) == ["me.onnx"] and made.at_once == 1
    assert made.about.startswith("input 1x3x64x64, output 1x3x64x64: in Figment, a square picture to Detect Pose")
    told = props_of(tmp_path / "me.onnx")
    assert "reference floor 0.9, reference height 0.75, reference x 0.5, width 64, height 64" in told["use"]
    assert json.loads(told["input_channels"]) == ["red", "green", "blue"]
    session = onnxruntime.InferenceSession(str(made.path), providers=["CPUExecutionProvider"])
    (given,), (said,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("input", "tensor(float)", [1, 3, 64, 64])
    assert (said.name, said.type, said.shape) == ("output", "tensor(float)", [1, 3, 64, 64])


def test_the_skeleton_that_figment_draws_gives_the_picture_that_the_actor_plays(tmp_path, monkeypatch):
    monkeypatch.setattr("understudy.base.devices.computes_in_bfloat16", lambda device: False)
    actor = of_skeletons()
    understudy.export(actor, tmp_path / "me.onnx", runtime="figment")
    session = onnxruntime.InferenceSession(str(tmp_path / "me.onnx"), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(2)
    xy = rng.uniform(8, 56, (2, 133, 2)).astype(np.float32)
    played = list(actor.player("cpu").play(moments(Pose(xy, np.ones((2, 133), np.float32), (64, 64)))))
    places, _ = landmarks(torch.from_numpy(xy), torch.ones(2, 133, dtype=torch.bool))
    shown = []
    for place in places.numpy():
        drawn = as_figment_draws(place + 0.5, 64)[None].repeat(3, 0).astype(np.float32) * 2 - 1
        shown.append(picture(session.run(["output"], {"input": drawn[None]})[0][0]))
    apart = [[np.abs(one.astype(int) - other).mean() for other in played] for one in shown]
    assert max(apart[0][0], apart[1][1]) < 0.4 * min(apart[0][1], apart[1][0])


def test_an_actor_of_skeletons_runs_anywhere_else_too(tmp_path):
    (made,) = understudy.export(of_skeletons(), tmp_path / "me.onnx")
    assert made.about.startswith("input Bx3x64x64") and "Figment" not in made.about


# -- 8-bit integers -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dance(tmp_path_factory):
    """A performance of 60 frames, longer than what ranges are learnt from, as that of `tiny_actor`."""
    return tiny_performance(tmp_path_factory.mktemp("dance") / "dance.performance", 2, frames=60)


@pytest.mark.parametrize(
    ("name", "more"),
    [("everybody-dance-now", (".face",)), ("poses-in-the-wild", (".texture",)), ("cyclegan", ())],
)  # fmt: skip
def test_every_network_becomes_one_of_integers_by_what_it_is_given_in_a_dance(tmp_path, monkeypatch, name, more, dance):
    monkeypatch.setattr(files, "MOST_OF_INTEGERS", 1.0)  # of weights that nobody trained
    for number, few in (("FEWEST", 1), ("RUNS", 2), ("LONG", 3)):
        monkeypatch.setattr(ranges, number, few)
    understudy.export(actor_of(name), tmp_path / "whole.xml", runtime="openvino")
    made = understudy.export(actor_of(name), tmp_path / "me.xml", runtime="openvino", int8=dance)
    assert [one.path.name for one in made] == ["me.xml", *(f"me{each}.xml" for each in more)]
    for one, each in zip(made, ("", *more), strict=True):
        assert one.int8 and 0 < one.difference < 1 and "8-bit integers, " in one.about
        text = one.path.read_text()
        assert (
            'type="FakeQuantize"' in text and 'type="FakeQuantize"' not in (tmp_path / f"whole{each}.xml").read_text()
        )
        assert infos_of(one.path)["weights"] == "8-bit integers"
        small, large = (tmp_path / f"{stem}{each}.bin" for stem in ("me", "whole"))
        assert small.stat().st_size < large.stat().st_size


def test_integers_come_close_where_weights_are_trained(tmp_path, dance):
    with_few = understudy.export(tiny_actor(), tmp_path / "me.xml", runtime="openvino", int8=dance)
    assert with_few[0].difference < files.MOST_OF_INTEGERS
    with (
        pytest.raises(
            UnderstudyError, match=r"in 8-bit integers the network 'main' is .* from what it makes otherwise"
        ),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(files, "MOST_OF_INTEGERS", 1e-9)
        understudy.export(tiny_actor(), tmp_path / "me.xml", runtime="openvino", int8=dance, overwrite=True)
    assert left(tmp_path) == ["me.bin", "me.xml"]


def test_what_is_looked_at_of_a_dance_are_stretches_of_it():
    assert ranges._stretches(100, 1000)[:9] == [*range(8), 18]
    assert len(ranges._stretches(100, 1000)) == 48 and ranges._stretches(100, 1000)[-1] == 99
    assert ranges._stretches(100, ranges.MOST_BYTES)[:4] == [0, 1, 20, 21]
    assert ranges._stretches(20, 1000) == list(range(20))


def test_what_goes_in_is_kept_of_these_moments_and_of_no_others(monkeypatch, dance):
    actor = actor_of("pix2pix")
    cuts = recipe("pix2pix").cuts(actor.config, actor.weights, actor.statistics)
    (given,) = ranges.inputs_of(actor, cuts, dance)
    assert len(given) == 48 and given[0].shape == (1, 18, 32, 32)
    for number, few in (("RUNS", 2), ("LONG", 3)):
        monkeypatch.setattr(ranges, number, few)
    (fewer,) = ranges.inputs_of(actor, cuts, dance)
    assert len(fewer) == 6 and all(np.array_equal(*pair) for pair in zip(fewer[:3], given[:3], strict=True))
    assert np.array_equal(fewer[-1], given[-1])


def test_a_network_that_is_hardly_asked_has_no_ranges(tmp_path, monkeypatch, dance):
    monkeypatch.setattr(ranges, "FEWEST", 61)
    with pytest.raises(
        UsageError, match=r"`int8`: in this dance the network 'main' is given \d+ pictures, and its ranges"
    ):
        understudy.export(tiny_actor(), tmp_path / "me.xml", runtime="openvino", int8=dance)
    assert left(tmp_path) == []


# -- what is refused ------------------------------------------------------------------------------------------------


def test_what_is_there_is_replaced_only_if_that_is_said(tmp_path):
    face = tmp_path / "me.face.onnx"
    face.write_text("mine")
    with pytest.raises(UsageError, match=r"me\.face\.onnx exists: replace it with `overwrite=True`"):
        understudy.export(actor_of("everybody-dance-now"), tmp_path / "me.onnx")
    assert left(tmp_path) == ["me.face.onnx"] and face.read_text() == "mine"
    understudy.export(actor_of("everybody-dance-now"), tmp_path / "me.onnx", overwrite=True)
    assert left(tmp_path) == ["me.face.onnx", "me.onnx"] and props_of(face)["network"] == "face"


def test_the_actor_itself_is_never_replaced(tmp_path):
    path = tmp_path / "me.onnx"  # of an odd name
    tiny_actor().save(path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="would overwrite the actor"):
        understudy.export(path, path, overwrite=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("output", "asked", "told"),
    [
        ("me.pt", {}, "cannot write a network as .*me.pt: name it me.onnx"),
        ("me", {"runtime": "openvino"}, "cannot write a network as .*me: name it me.xml"),
        ("me.xml", {}, "name it me.onnx, or give `runtime='openvino'`"),
        ("me.onnx", {"runtime": "openvino"}, "name it me.xml, or give `runtime='generic'`"),
        ("me.onnx", {"runtime": "figment"}, "this actor learnt from heat maps, so what came out would be no person"),
        ("me.onnx", {"runtime": "tensorrt"}, "choose one of generic, openvino, figment"),
        ("folder.onnx", {}, "is a folder"),
        ("me.onnx", {"int8": "me.performance"}, "`int8` is for `runtime='openvino'`: name the file me.xml"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line_before_anything_is_done(tmp_path, output, asked, told):
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(UsageError, match=told) as error:
        understudy.export(tiny_actor(), tmp_path / output, **asked)
    assert "\n" not in str(error.value) and left(tmp_path) == ["folder.onnx"]


@pytest.mark.parametrize(
    ("output", "asked", "lacks"),
    [("me.onnx", {}, "onnx and onnxruntime"), ("me.xml", {"runtime": "openvino"}, "openvino")],
)
def test_a_package_that_is_not_there_is_named_with_the_extra_that_has_it(tmp_path, monkeypatch, output, asked, lacks):
    monkeypatch.setattr(verb, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=f'needs {lacks}, not installed here: pip install "understudy\\[export\\]"'):
        understudy.export(tiny_actor(), tmp_path / output, **asked)
    assert left(tmp_path) == []


def test_integers_need_a_package_more(tmp_path, monkeypatch):
    monkeypatch.setattr(verb, "find_spec", lambda name: None if name == "nncf" else object())
    with pytest.raises(UsageError, match=r'needs nncf, not installed here: pip install "understudy\[int8\]"'):
        understudy.export(tiny_actor(), tmp_path / "me.xml", runtime="openvino", int8="me.performance")


@pytest.mark.parametrize(("output", "runtime"), [("me.onnx", "generic"), ("me.xml", "openvino")])
def test_a_file_that_says_something_else_than_pytorch_is_not_kept(tmp_path, monkeypatch, output, runtime):
    usual = files.difference
    monkeypatch.setattr(files, "difference", lambda cut, run: usual(cut, lambda array: run(array) + 0.01))
    (tmp_path / output).write_text("older")
    with pytest.raises(UnderstudyError, match=r"is 0\.01 from what PyTorch makes, and 0\.00392 is allowed"):
        understudy.export(tiny_actor(), tmp_path / output, runtime=runtime, overwrite=True)
    assert left(tmp_path) == [output] and (tmp_path / output).read_text() == "older"


def test_what_openvino_cannot_take_is_one_line(tmp_path, monkeypatch):
    def cannot(*_):
        raise RuntimeError("no such layer\nat all")

    monkeypatch.setattr(openvino, "Converted", cannot)
    with pytest.raises(UnderstudyError, match=r"cannot take the network \(no such layer\): export it as \.onnx"):
        understudy.export(tiny_actor(), tmp_path / "me.xml", runtime="openvino")
    assert left(tmp_path) == []


def test_the_command_line_says_what_it_wrote_and_exits_with_2_where_it_cannot(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tiny_actor(config=CONFIG).save("me.actor")
    for words, code in (
        ("--actor me.actor --output me.onnx", 0),
        ("--actor me.actor --output me.onnx", 2),
        ("--actor me.actor --output me.xml --for figment", 2),
        ("--actor nobody.actor --output nobody.onnx", 2),
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main(["export", *words.split()])
        assert (ended.value.code or 0) == code
    said = capsys.readouterr()
    assert "network: me.onnx (input Bx36x32x32, output Bx6x32x32: " in said.out and "synthetic" in said.out
    lines = said.err.splitlines()
    assert [line.startswith("error: ") for line in lines] == [True] * 3
    assert "--overwrite" in lines[0] and "--for figment" in lines[1] and "give --for openvino" in lines[1]
    assert left(tmp_path) == ["me.actor", "me.onnx"]
