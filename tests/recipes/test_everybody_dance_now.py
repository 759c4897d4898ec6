import dataclasses
import json
import re

import cv2
import numpy as np
import pytest
import torch

from recipes.tiny_everybody_dance_now import STAGES, STILL, TINY, footage_of, generated, learnt, main_trainee
from tiny import tiny_performance
from understudy.base.files import load_tensors
from understudy.conditioning.face_crops import face_boxes
from understudy.errors import TrainingError, UsageError
from understudy.networks.pix2pixhd import LocalEnhancer
from understudy.recipes import everybody_dance_now as recipe
from understudy.recipes.parts import everybody_dance_now_faces as faces
from understudy.recipes.parts.groups import Augmentation, Optimisation, Placement
from understudy.retargeting.augmentation import PoseNoise
from understudy.training.chance import Chance
from understudy.training.estimate import Estimate


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("me") / "me.performance", 1)


@pytest.fixture(scope="module")
def dance(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("dance") / "dance.performance", 2, missing=(5,))


@pytest.fixture(scope="module")
def trained(me, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return learnt(me, folder), folder


# -- config ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", [recipe.paper, recipe.fast, recipe.preview])
def test_every_preset_builds_and_survives_json(preset):
    config = preset()
    assert recipe.RECIPE.read_config(json.loads(json.dumps(dataclasses.asdict(config)))) == config
    weights, statistics = recipe.contents(config)
    assert ("flat_colour" in statistics) != config.whole_frame
    assert any(name.startswith("face/") for name in weights)


def test_the_paper_preset_has_the_paper_numbers():
    config = recipe.paper()
    assert (config.size, config.whole_frame, config.temporal_smoothing, config.face) == (512, True, True, True)
    assert (config.placement.normalization, config.placement.fit_limbs) == ("ground", False)
    assert (config.lambda_fm, config.lambda_p[:2], config.scales, config.face_size) == (10, (5, 10), 3, 128)
    assert config.vgg_layers == tuple(f"relu{block}_1" for block in range(1, 6))
    assert (config.epochs, config.steps, config.stages) == ((5, 30, 5), None, STAGES)
    assert config.optimisation == Optimisation(
        batch=1, learning_rate=2e-4, betas=(0.5, 0.999), initial_deviation=0.02, ema_decay=0
    )
    assert config.augmentation.amounts == (0, 0, 0) and not config.pose_noise


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"local_enhancers": 2}, "local_enhancers must be 0 or 1, not 2"),
        ({"size": 100}, "size 100 cannot be halved 5 times: use a multiple of 32 from 64 up"),
        ({"size": 32}, "size 32 cannot be halved 5 times: use a multiple of 32 from 64 up"),
        ({"width": 33}, "an enhancer has half of G's width, which must be even: not 33"),
        ({"face_size": 40}, "face_size 40 cannot be halved 4 times: use a multiple of 16 from 32 up"),
        (
            {"augmentation": Augmentation(rotate=5.0)},
            "whole_frame learns where the room is, so rotate, zoom and shift must be 0 with it",
        ),
        ({"shares": (1, 0, 1)}, "each stage needs a share of the time above 0: not 1, 0, 1"),
        ({"steps": (9, 9, 0)}, "each stage needs at least one step: not 9, 9, 0"),
        ({"epochs": (5, 0, 5)}, "each stage needs at least one epoch: not 5, 0, 5"),
        ({"enhancer_alone": 2.0}, "enhancer_alone is a share between 0 and 1, not 2.0"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        recipe.Config(**changes)


@pytest.mark.parametrize(
    ("group", "changes", "message"),
    [
        (Placement, {"normalization": "feet"}, "normalization must be similarity, ground or ground-printed, not feet"),
        (Optimisation, {"batch": 0}, "batch must be at least 1, not 0"),
        (Optimisation, {"ema_decay": 1.0}, "ema_decay must be at least 0 and below 1, not 1.0"),
        (PoseNoise, {"drop": 2.0}, "pose drop is a probability between 0 and 1, not 2.0"),
    ],
)
def test_its_groups_refuse_what_is_out_of_range(group, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        group(**changes)


def test_stages_that_are_left_out_need_nothing():
    config = dataclasses.replace(
        TINY, local_enhancers=0, face=False, shares=(1, 0, 0), steps=(1, 0, 0), width=5, face_size=33
    )
    assert config.stages == ("global",)


VARIANTS = {  # temporal smoothing, face, normalization
    "FBF": (False, False, "ground"),
    "FBF+TS": (True, False, "ground"),
    "FBF+TS+FG": (True, True, "ground"),
    "ground-printed": (True, True, "ground-printed"),
}


@pytest.mark.parametrize("preset", recipe.RECIPE.presets)
@pytest.mark.parametrize(("variant", "expected"), VARIANTS.items(), ids=VARIANTS)
def test_every_ablation_of_the_paper_is_a_variant_of_every_preset(preset, variant, expected):
    assert recipe.RECIPE.variants.keys() == VARIANTS.keys()
    plain, varied = recipe.RECIPE.preset(preset), recipe.RECIPE.preset(preset, variant)
    assert (varied.temporal_smoothing, varied.face, varied.placement.normalization) == expected
    kept = {"temporal_smoothing": True, "face": True, "placement": plain.placement}
    assert dataclasses.replace(varied, **kept) == plain
    assert (varied == plain) == (variant == "FBF+TS+FG")
    again = recipe.RECIPE.varied(recipe.RECIPE.varied(plain, "FBF"), "FBF+TS+FG")
    assert again == plain  # what FBF has no use for, shares and steps of the face stage, is still there


def test_a_variant_that_its_config_has_no_time_for_is_refused():
    config = dataclasses.replace(TINY, face=False, shares=(1, 1, 0))
    with pytest.raises(UsageError, match=re.escape("FBF+TS+FG'`: each stage needs a share of the time above 0")):
        recipe.RECIPE.varied(config, "FBF+TS+FG")


def test_configs_of_actors_made_before_there_were_groups_are_read():
    flat = {
        "size": 64, "local_enhancers": 0, "normalization": "similarity", "fit_limbs": True, "batch": 3, "rotate": 4,
        "whole_frame": False, "pose_drop": 0.1, "pose_jitter": 0.02, "pose_stretch": 0.3, "betas": [0.4, 0.9],
        "initial_deviation": 0.1, "steps": [1, 0, 1],
    }  # fmt: skip
    assert recipe.RECIPE.read_config(flat) == recipe.Config(
        size=64, whole_frame=False, local_enhancers=0, steps=(1, 0, 1), augmentation=Augmentation(rotate=4),
        placement=Placement(normalization="similarity", fit_limbs=True), pose_noise=PoseNoise(0.1, 0.02, 0.3),
        optimisation=Optimisation(batch=3, betas=(0.4, 0.9), initial_deviation=0.1),
    )  # fmt: skip


def test_the_room_is_painted_when_the_whole_frame_is():
    assert recipe.RECIPE.paints_room(recipe.paper()) and not recipe.RECIPE.paints_room(recipe.fast())
    assert recipe.RECIPE.learns_from(recipe.paper()) is None


# -- training --------------------------------------------------------------------------------------------------


ABLATION = {  # smoothing, face, whole frame, enhancers
    "FBF": (False, False, True, 1),
    "FBF+TS": (True, False, True, 1),
    "FBF+TS+FG": (True, True, True, 1),
    "FBF+FG": (False, True, True, 1),
    "FBF cut out, no enhancer": (False, False, False, 0),
    "FBF+TS cut out, no enhancer": (True, False, False, 0),
    "FBF+TS+FG cut out, no enhancer": (True, True, False, 0),
}


@pytest.mark.parametrize(("smoothing", "face", "whole_frame", "enhancers"), ABLATION.values(), ids=ABLATION)
def test_every_config_of_the_ablation_trains_and_plays(me, tmp_path, smoothing, face, whole_frame, enhancers):
    config = dataclasses.replace(
        TINY, temporal_smoothing=smoothing, face=face, whole_frame=whole_frame, local_enhancers=enhancers,
        steps=(1, 1, 1), augmentation=STILL if whole_frame else TINY.augmentation,
    )  # fmt: skip
    result = learnt(me, tmp_path, config)
    assert result.config == config
    assert tuple(result.record["stages"]) == config.stages
    weights, statistics = recipe.contents(config)
    assert {name: (value.dtype.str, value.shape) for name, value in result.weights.items()} == weights
    assert {name: (value.dtype.str, value.shape) for name, value in result.statistics.items()} == statistics
    frames = generated(result, me.poses[:3])
    assert [frame.shape for frame in frames] == [(32, 32, 3)] * 3
    assert frames[0].dtype == np.uint8


def test_a_run_writes_a_folder_for_each_stage(trained):
    _, folder = trained
    assert sorted(p.name for p in folder.iterdir()) == ["face", "global", "local"]
    for stage, steps in zip(STAGES, TINY.steps, strict=True):
        inside = sorted(str(p.relative_to(folder / stage)) for p in (folder / stage).rglob("*") if p.is_file())
        pictures = [f"previews/step-{steps:07d}.png"]
        clip = [f"previews/step-{steps:07d}.mp4"] if stage != "face" else []
        checkpoint = f"checkpoints/step-{steps:08d}.safetensors"
        assert inside == [checkpoint, "losses.jsonl", *clip, *pictures, "run.json"]
    sizes = [cv2.imread(str(folder / stage / "previews" / "step-0000003.png")).shape for stage in ("global", "face")]
    assert sizes[0][1] > 6 * 16


def test_the_losses_fall(me, tmp_path):
    optimisation = dataclasses.replace(TINY.optimisation, learning_rate=2e-3)
    learnt(me, tmp_path, dataclasses.replace(TINY, local_enhancers=0, steps=(30, 0, 30), optimisation=optimisation))
    for stage, names in (("global", {"D", "gan", "fm", "p"}), ("face", {"D_f", "gan", "p"})):
        logged = [json.loads(line) for line in (tmp_path / stage / "losses.jsonl").read_text().splitlines()]
        assert set(logged[0]) == {"step", "seconds", *names}
        assert logged[-1]["p"] < 0.9 * logged[0]["p"]


def test_the_record_says_how_it_was_made(trained):
    record = trained[0].record
    assert (record["steps"], record["stages"]) == (10, {"global": 3, "local": 4, "face": 3})
    assert (record["features"], record["device"], record["joined_at"]) == ("random", "cpu", None)
    assert {"global D", "local p", "face gan"} <= record["losses"].keys()
    json.dumps(record)


@pytest.mark.parametrize("smoothing", [True, False])
def test_discriminators_see_pairs_of_frames_or_one(me, smoothing):
    trainee = main_trainee(me, dataclasses.replace(TINY, temporal_smoothing=smoothing))
    x, y = trainee.footage.pairs((1, 2), 0, 16)
    n = 2 if smoothing else 1
    assert x.shape == y.shape == (2, n, 3, 16, 16)
    assert trainee.networks["D"].scales[0][0][0].in_channels == n * (3 + 3)
    assert recipe._stack(x, y).shape == (2, n * 6, 16, 16)
    assert trainee.networks["generator"].encoder[0][1].in_channels == 3 * n


def test_the_second_frame_of_a_window_is_made_from_the_first(me):
    trainee = main_trainee(me, TINY)
    x, _ = trainee.footage.pairs((1, 2), 0, 16)
    G = trainee.networks["generator"]
    with torch.no_grad():
        first, second = trainee._window(x).unbind(1)
        alone = G(torch.cat([x[:, 0], torch.zeros_like(x[:, 0])], 1))
        onwards = G(torch.cat([x[:, 1], alone], 1))
    assert torch.allclose(first, alone, atol=0.05) and torch.allclose(second, onwards, atol=0.05)


def test_stick_figure_and_frame_of_a_pair_belong_together(me):
    footage = footage_of(me, TINY)
    flat = torch.tensor(footage.flat).view(1, 1, 3, 1, 1) / 127.5 - 1
    for step in range(3):
        x, y = footage.pairs((1, 2), step, 32)
        drawn = x.amax(2) > 0.9
        person = (y - flat).abs().sum(2) > 0.3
        assert person[drawn].float().mean() > 0.8 > 2 * person.float().mean()


def test_damage_is_done_to_stick_figures_and_not_to_frames(me):
    noise = dataclasses.replace(TINY, pose_noise=PoseNoise(drop=0.3, jitter=0.05, stretch=0.3))
    plain, damaged = footage_of(me, TINY), footage_of(me, noise)
    for step in range(2):
        (x, y), (damaged_x, same_y) = plain.pairs((1, 2), step, 32), damaged.pairs((1, 2), step, 32)
        assert torch.equal(y, same_y)
        assert (x - damaged_x).abs().mean() > 0.01
        assert torch.equal(damaged_x, damaged.pairs((1, 2), step, 32)[0])
    assert all(torch.equal(a, b) for a, b in zip(plain.clip.all_joints(), damaged.clip.all_joints(), strict=True))


def test_the_whole_frame_is_as_filmed(me):
    footage = footage_of(me, dataclasses.replace(TINY, whole_frame=True, augmentation=STILL))
    _, y = footage.pairs((1, 2), 0, 32)
    filmed = np.stack(list(me.frames())).astype(np.float32) / 127.5 - 1
    errors = np.abs(filmed - y[0, 0].permute(1, 2, 0).numpy()).mean((1, 2, 3))
    assert errors.min() < 1e-3


def test_the_enhancer_learns_alone_at_first_then_all_of_g(me):
    trainee = main_trainee(me, TINY, "local")
    generator = trainee.networks["generator"]
    assert isinstance(generator, LocalEnhancer) and trainee.joins_at == 2

    def changed(step):
        before = {name: value.clone() for name, value in generator.named_parameters()}
        trainee.training_step(step)
        moved = {name for name, value in generator.named_parameters() if not torch.equal(before[name], value)}
        return any(name.startswith("global_generator") for name in moved), any(name.startswith("enc") for name in moved)

    assert changed(0) == (False, True)
    assert changed(2) == (True, True)


def test_steps_of_the_local_stage_are_dearer_where_all_of_g_learns(me, tmp_path, monkeypatch):
    trainee, told = main_trainee(me, TINY, "local"), []
    assert trainee.work(trainee.joins_at) == trainee.joins_at == 2
    assert trainee.work(8) == pytest.approx(2 + 1.45 * 6)
    assert main_trainee(me, TINY, "global").work(8) == 8

    def expected(steps, limit, step, seconds, work):
        told.append(work)
        return Estimate(steps, limit, step, seconds, work)

    monkeypatch.setattr("understudy.training.loop.Estimate", expected)
    learnt(me, tmp_path, dataclasses.replace(TINY, face=False, steps=(1, 10, 0)))
    assert told[0] is None and told[1](10) == pytest.approx(5 + 1.45 * 5)


def test_stages_learn_at_their_own_size_and_share_no_random_numbers(me, tmp_path, monkeypatch):
    sizes, drawn, choices = set(), [], set()
    own_pairs, own_generator, own_draw = recipe.Footage.pairs, Chance.generator, Chance.draw

    def pairs(footage, streams, step, size):
        sizes.add((streams, size))
        return own_pairs(footage, streams, step, size)

    def generator(chance, *where):
        drawn.append(where)
        return own_generator(chance, *where)

    def draw(chance, stream, *where):
        choices.add(stream)
        return own_draw(chance, stream, *where)

    monkeypatch.setattr(recipe.Footage, "pairs", pairs)
    monkeypatch.setattr(Chance, "generator", generator)
    monkeypatch.setattr(Chance, "draw", draw)
    learnt(me, tmp_path)
    assert {size for _, size in sizes} == {16, 32} and len(sizes) == len(dict(sizes)) == 2
    assert len(set(drawn)) == len(drawn) == 2 * sum(TINY.steps[:2])  # similarities, and damage beside them
    assert len(choices) == len(TINY.stages) and not choices & {where[0] for where in drawn}


def test_the_local_stage_begins_with_what_the_global_stage_learnt(me, tmp_path):
    config = dataclasses.replace(TINY, face=False, steps=(2, 1, 0), enhancer_alone=1.0)
    result = learnt(me, tmp_path, config)
    before, _ = load_tensors(tmp_path / "global/checkpoints/step-00000002.safetensors", TrainingError)
    inner = {name: value for name, value in result.weights.items() if name.startswith("main/global_generator.")}
    assert len(inner) > 10
    for name, value in inner.items():
        assert np.array_equal(value, before["average/" + name.removeprefix("main/global_generator.")])


def test_driving_clips_change_nothing_and_that_is_said(trained, me, dance, tmp_path, caplog):
    config = dataclasses.replace(TINY, local_enhancers=0, face=False, steps=(1, 0, 0))
    one, two = (learnt(me, tmp_path / str(len(others)), config, others) for others in ([], [dance]))
    said = "Everybody Dance Now learns from the reference alone: nothing is learnt from dance.performance"
    assert said in caplog.text
    assert all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights)


def test_too_little_footage_is_said(tmp_path):
    short = tiny_performance(tmp_path / "short.performance", frames=2)
    with pytest.raises(TrainingError, match="has 1 run of 2 frames with a person in them; training needs at least 2"):
        learnt(short, tmp_path / "run")


def test_no_nose_no_face_stage(me, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(faces, "face_boxes", lambda xy, seen: (*face_boxes(xy, seen)[:2], torch.zeros(len(xy)) > 0))
    config = dataclasses.replace(TINY, local_enhancers=0, steps=(1, 0, 1))
    result = learnt(me, tmp_path, config)
    assert "the face stage is left out: 0 frames show a face, and it needs 2" in caplog.text
    assert not result.config.face and not any(name.startswith("face/") for name in result.weights)


def test_the_face_stage_learns_from_faces_as_the_frozen_generator_paints_them(me):
    config = dataclasses.replace(TINY, local_enhancers=0)
    footage = footage_of(me, config)
    G = recipe.generator_for(config)
    recipe.initialise(G, 0.3)
    painted = list(recipe.paint(G.eval(), config, footage.colours, *footage.clip.all_joints()))
    patches = faces.Patches(footage, painted, config.face_size)
    x, coarse, y = patches[np.arange(len(patches))]
    assert len(patches) == 12 and x.shape == coarse.shape == y.shape == (12, 3, 32, 32)
    centres, sides, _ = face_boxes(*footage.clip.all_joints())
    frames = torch.cat([frames for _, frames in painted])
    assert torch.allclose(coarse, faces.cut(frames, centres, sides, 32), atol=1 / 127)


def test_golden_losses(me):
    """A change that should not alter numbers must reproduce these; one that should says so and why."""
    named = {}
    for stage in ("global", "local"):
        trainee = main_trainee(me, TINY, stage)
        named |= {f"{stage} {name}": float(v.detach()) for name, v in trainee.training_step(3).items()}
    generator, footage = trainee.networks["generator"].eval(), trainee.footage
    painted = recipe.paint(generator, TINY, footage.colours, *footage.clip.all_joints())
    torch.manual_seed(0)
    trainee = faces.FaceGAN(trainee.session, trainee.phi, faces.Patches(footage, painted, TINY.face_size))
    named |= {f"face {name}": float(v.detach()) for name, v in trainee.training_step(3).items()}
    assert named == pytest.approx(GOLDEN, rel=0.03)


GOLDEN = {
    "global D": 2.3854, "global gan": 2.2803, "global fm": 19.6796, "global p": 12.3414, "local D": 2.2191,
    "local gan": 2.1024, "local fm": 14.787, "local p": 26.3744, "face D_f": 1.3966, "face gan": 0.765,
    "face p": 14.6783,
}  # fmt: skip
