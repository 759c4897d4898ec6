import dataclasses
import json
import re
from fractions import Fraction

import numpy as np
import pytest
import torch
from tiny_poses_in_the_wild import QUICK, QUIET, RECIPE, STAGES, TINY, footage_of, generated, learnt, of_steps, stage_of

from tiny import tiny_performance, tiny_poses
from understudy.errors import TrainingError, UsageError
from understudy.networks.pix2pixhd import LocalEnhancer
from understudy.poses.pose import PARTS
from understudy.recipes import poses_in_the_wild as recipe
from understudy.recipes.parts import poses_in_the_wild_footage as footage_module
from understudy.recipes.parts.groups import Augmentation, Optimisation
from understudy.recipes.parts.poses_in_the_wild_config import RUNGS, rung
from understudy.recipes.parts.poses_in_the_wild_player import around
from understudy.retargeting.augmentation import PoseNoise
from understudy.training.estimate import Estimate
from understudy.unpaired.pool import PoseSequence


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("me") / "me.performance", 1)


@pytest.fixture(scope="module")
def dance(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("dance") / "dance.performance", 2, frames=16, missing=(5,))


# -- config ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", [recipe.paper, recipe.fast, recipe.preview])
def test_every_preset_builds_and_survives_json(preset):
    config = preset()
    assert RECIPE.read_config(json.loads(json.dumps(dataclasses.asdict(config)))) == config
    weights, statistics = recipe.contents(config)
    assert "flat_colour" in statistics
    assert {name.split("/")[0] for name in weights} == {"pose", "texture"}


def test_the_paper_preset_has_the_paper_numbers():
    config = recipe.paper()
    assert (config.box_hw, config.neighbours, config.judged) == ((512, 256), 2, 3)
    assert (config.lambda_vgg, config.lambda_fm, config.optimisation.learning_rate) == (10, 10, 2e-4)
    assert (config.augment, config.past_only, config.refine, config.unpaired) == (True, False, True, True)
    assert (config.progressive, config.residual, config.whole_frame) == (True, False, False)
    assert config.stages == STAGES
    assert (config.augmentation.amounts, config.optimisation.ema_decay) == ((0, 0, 0), 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"box_hw": (500, 256)}, "a box of 500x256 cannot be halved 5 times: use multiples of 32 from 64 up"),
        ({"box_hw": (512, 32)}, "a box of 512x32 cannot be halved 5 times: use multiples of 32 from 64 up"),
        ({"whole_frame": True}, "whole_frame paints the square picture: box_hw must be 512x512 with it"),
        (
            {"whole_frame": True, "box_hw": (512, 512), "zoom": 0.1},
            "whole_frame learns where the room is, so rotate, zoom and shift must be 0 with it",
        ),
        ({"width": 33}, "an enhancer has half of the generator's width, which must be even: not 33"),
        ({"judged": 0}, "judged must be at least 1, not 0"),
        ({"neighbours": -1}, "neighbours must be at least 0, not -1"),
        ({"batch": 0}, "batch must be at least 1, not 0"),
        ({"scales": 0}, "scales must be at least 1, not 0"),
        ({"drop": 2}, "pose drop is a probability between 0 and 1, not 2"),
        ({"shares": (1, 0, 1, 1)}, "each stage needs a share of the time above 0: not 1, 0, 1, 1"),
        ({"enhancer_alone": 2.0}, "enhancer_alone is a share between 0 and 1, not 2.0"),
        ({"ema_decay": 1.0}, "ema_decay must be at least 0 and below 1, not 1.0"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        RECIPE.read_config(changes)


def test_a_config_from_before_there_were_groups_is_read():
    flat = {
        "size": 64, "box_hw": [64, 32], "downsamplings": 3, "steps": [1, 2, 3, 4], "augment": False,
        "normalization": "ground", "scale_by": "hips", "fit_limbs": True, "drop": 0.2, "jitter": 0.03, "stretch": 0.4,
        "batch": 3, "learning_rate": 1e-3, "betas": [0.4, 0.9], "initial_deviation": 0.1, "ema_decay": 0.5,
        "rotate": 5.0, "zoom": 0.2, "shift": 0.1,
    }  # fmt: skip
    config = RECIPE.read_config(flat)
    assert (config.size, config.box_hw, config.augment, config.steps) == (64, (64, 32), False, (1, 2, 3, 4))
    assert dataclasses.astuple(config.placement) == ("ground", "hips", True, False)
    assert config.pose_noise == PoseNoise(0.2, 0.03, 0.4) and config.damage == PoseNoise()
    assert config.optimisation == Optimisation(3, 1e-3, (0.4, 0.9), 0.1, 0.5)
    assert config.augmentation == Augmentation(5, 0.2, 0.1)


def test_each_rung_of_the_ladder_adds_one_thing():
    rungs = [rung(recipe.preview(), name) for name in RUNGS]
    switches = [(one.augment, not one.past_only, one.refine, one.unpaired) for one in rungs]
    assert switches == [tuple(place > number for number in range(4)) for place in range(5)]
    assert rungs[-1] == recipe.preview()
    assert rungs == [RECIPE.varied(recipe.preview(), name) for name in RUNGS]
    with pytest.raises(UsageError, match="Poses in the Wild has no such variant; choose one of PL-Stage1, "):
        RECIPE.varied(recipe.preview(), "PL")


@pytest.mark.parametrize("preset", RECIPE.presets)
def test_the_room_can_be_painted_along_with_any_preset(preset):
    config = RECIPE.preset(preset, "w/ BG")
    assert config.box_hw == (config.size, config.size) and not config.augmentation
    assert RECIPE.paints_room(config) and not RECIPE.paints_room(RECIPE.preset(preset))
    weights, statistics = RECIPE.contents(config)
    assert "flat_colour" not in statistics
    assert weights["pose/output.1.bias"][1] == weights["texture/output.1.bias"][1] == (3,)


def test_poses_are_learnt_from_unless_a_rung_does_without():
    assert {name: RECIPE.learns_from(rung(recipe.fast(), name)) for name in RUNGS} == {
        **dict.fromkeys(RUNGS[:4]),
        RUNGS[4]: "poses",
    }


# -- windows -----------------------------------------------------------------------------------------------------


def test_every_frame_stands_with_its_neighbours_and_ends_are_repeated():
    for frames in (1, 2, 3, 7):
        for before, after in ((2, 2), (2, 0), (0, 1), (0, 0), (4, 4)):
            values = [torch.tensor(t) for t in range(frames)]
            windows = [[int(v) for v in window] for window in around(values, before, after)]
            wanted = [[min(max(t + d, 0), frames - 1) for d in range(-before, after + 1)] for t in range(frames)]
            assert windows == wanted, (frames, before, after)
    assert list(around([], 2, 2)) == []


@pytest.mark.parametrize(
    ("frames", "before", "after", "expected"),
    [
        pytest.param(3, 1, 1, [[0, 0, 1], [0, 1, 2], [1, 2, 2]], id="centred"),
        pytest.param(3, 2, 0, [[0, 0, 0], [0, 0, 1], [0, 1, 2]], id="past only"),
        pytest.param(3, 0, 0, [[0], [1], [2]], id="alone"),
        pytest.param(1, 2, 2, [[0, 0, 0, 0, 0]], id="a picture"),
        pytest.param(2, 3, 1, [[0, 0, 0, 0, 1], [0, 0, 0, 1, 1]], id="longer than the clip"),
    ],
)
def test_windows_repeat_the_ends_of_a_clip(frames, before, after, expected):
    windows = around([torch.tensor(t) for t in range(frames)], before, after)
    assert [[int(value) for value in window] for window in windows] == expected


def test_neighbours_are_stacked_over_channels_in_their_order():
    frames = torch.arange(2 * 5 * 3).view(2, 5, 3, 1, 1).float()
    x = footage_module.stacked(frames, 3)
    assert x.shape == (2, 3, 9, 1, 1)
    assert torch.equal(x[1, 2].flatten(), frames[1, 2:5].flatten())


def test_pose_and_frame_of_a_pair_belong_together(me, dance):
    footage = footage_of(me, [dance], dataclasses.replace(TINY, augment=False))
    flat = torch.tensor(footage.flat).view(1, 1, 3, 1, 1) / 127.5 - 1
    for step in range(3):
        poses, f = footage.paired((1, 2, 3), step, (2, 2), PoseNoise())
        assert poses.xy.shape == (2, 7, 133, 2) and f.shape == (2, 3, 4, 32, 32)
        drawn = poses.maps(TINY)[:, 2:5].amax(2) > 0.9
        person = (f[:, :, :3] - flat).abs().sum(2) > 0.3
        assert person[drawn].float().mean() > 0.8 > 2 * person.float().mean()
        assert f[:, :, 3][drawn].mean() > 0.4 > f[:, :, 3].mean()  # alpha, from -1 to 1


def test_damage_is_done_to_poses_and_not_to_frames(me, dance):
    footage = footage_of(me, [dance], TINY)
    poses, f = footage.paired((1, 2, 3), 0, (2, 2), PoseNoise(0.3, 0.02, 0.5))
    plain, same_f = footage.paired((1, 2, 3), 0, (2, 2), PoseNoise())
    assert torch.equal(f, same_f)
    assert (poses.xy - plain.xy).abs().mean() > 0.2
    assert not poses.kept.all() and plain.kept.all()


def test_other_peoples_poses_stand_in_the_box_like_the_references(me, dance):
    footage = footage_of(me, [dance], dataclasses.replace(TINY, augmentation=QUIET, augment=False))
    heights = []
    for poses in (footage.paired((1, 2, 3), 0, (2, 2), PoseNoise())[0], footage.unpaired((4, 5, 6), 0, (2, 2))):
        y = poses.xy[..., 1][poses.seen]
        assert y.min() > 0 and y.max() < 31
        heights.append(float(y.max() - y.min()))
    assert heights[1] == pytest.approx(heights[0], rel=0.1)


def test_half_the_size_shows_the_same(me, dance):
    footage = footage_of(me, [dance], TINY)
    poses, _ = footage.paired((1, 2, 3), 0, (2, 2), PoseNoise())
    small, halved = poses.maps(TINY, 2), torch.nn.functional.avg_pool2d(poses.maps(TINY).flatten(0, 1), 2)
    assert (small.flatten(0, 1) - halved).abs().mean() < 0.2 * halved.mean()


# -- training --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNGS)
def test_every_rung_trains_and_plays(me, dance, tmp_path, name):
    config = dataclasses.replace(rung(QUICK, name), steps=(1, 0, 1, 0))
    result = learnt(config, me, [dance], tmp_path)
    assert result.config == config
    assert tuple(result.record["stages"]) == config.stages
    assert ("pose D_w" in result.record["losses"]) == config.unpaired
    weights, statistics = recipe.contents(config)
    assert {name: (value.dtype.str, value.shape) for name, value in result.weights.items()} == weights
    assert {name: (value.dtype.str, value.shape) for name, value in result.statistics.items()} == statistics
    frames = generated(result, me.poses[:3])
    assert [(frame.shape, frame.dtype) for frame in frames] == [((32, 32, 4), np.uint8)] * 3


@pytest.mark.parametrize(
    "changes",
    [{"whole_frame": True, "augmentation": QUIET}, {"box_hw": (64, 32), "size": 48}, {"residual": True}],
    ids=["with the room", "a tall box", "residual"],
)
def test_every_shape_trains_and_plays(me, dance, tmp_path, changes):
    config = dataclasses.replace(TINY, steps=(1, 1, 1, 1), **changes)
    result = learnt(config, me, [dance], tmp_path)
    assert result.config == config
    channels = 3 if config.whole_frame else 4
    assert [frame.shape for frame in generated(result, me.poses[:2])] == [(config.size, config.size, channels)] * 2


def test_the_losses_fall(me, dance, tmp_path):
    faster = dataclasses.replace(QUICK.optimisation, learning_rate=2e-3)
    config = dataclasses.replace(QUICK, steps=(40, 0, 40, 0), optimisation=faster)
    learnt(config, me, [dance], tmp_path)
    names = {"D_p", "D_t", "D_w", "gan_p", "gan_t", "gan_w", "fm_p", "fm_t", "vgg", "alpha"}
    for stage in ("pose", "texture"):
        logged = [json.loads(line) for line in (tmp_path / stage / "losses.jsonl").read_text().splitlines()]
        assert set(logged[0]) == {"step", "seconds", *names}
        assert logged[-1]["alpha"] < 0.9 * logged[0]["alpha"] and logged[-1]["vgg"] < 0.95 * logged[0]["vgg"]


def test_each_discriminator_sees_what_the_paper_shows_it(me, dance):
    stage = stage_of(me, [dance], QUICK)
    first = {name: network.scales[0][0][0].in_channels for name, network in stage.networks.items() if "D" in name}
    assert first == {"D_p": len(PARTS) + 4, "D_t": 3 * 4, "D_w": len(PARTS) + 4}
    assert stage.networks["generator"].encoder[0][1].in_channels == 5 * len(PARTS)
    second = stage_of(me, [dance], QUICK, "texture", stage.networks["generator"])
    first = {name: network.scales[0][0][0].in_channels for name, network in second.networks.items() if "D" in name}
    assert first == {"D_p": 5 * 4 + 4, "D_t": 3 * 4, "D_w": len(PARTS) + 4}
    assert second.networks["generator"].encoder[0][1].in_channels == 5 * 4


def test_positives_of_d_w_are_undamaged_pairs_of_the_reference_drawn_for_themselves(me, dance):
    quiet = dataclasses.replace(QUICK, augmentation=QUIET)
    hurt = stage_of(me, [dance], dataclasses.replace(quiet, pose_noise=PoseNoise(0.3, 0.1, 0.5)))
    plain = stage_of(me, [dance], dataclasses.replace(quiet, augment=False))
    recorded = [hurt._recorded(step) for step in range(6)]
    assert recorded[0].shape == (2, len(PARTS) + 4, 32, 32)
    assert all(torch.equal(pair, plain._recorded(step)) for step, pair in enumerate(recorded))
    paired = [hurt._paired(recipe.PAIRED, step, PoseNoise())[1][:, 0] for step in range(6)]
    assert any(not torch.equal(a[:, -4:], b) for a, b in zip(recorded, paired, strict=True))
    for pair in recorded:
        drawn, alpha = pair[:, :-4].amax(1) > 0.9, pair[:, -1]
        assert alpha[drawn].mean() > 0.4 > alpha.mean()


@pytest.mark.parametrize("shrink", [1, 2])
def test_d_w_sees_lines_of_one_kind_in_stage_two(me, dance, shrink):
    config = dataclasses.replace(TINY, augment=False, progressive=shrink == 2)
    G_1 = recipe.generator_for(config, second=False)
    stage = stage_of(me, [dance], config, "texture", G_1)
    assert stage.shrink == shrink
    poses, _ = stage._paired(recipe.RECORDED, 0, PoseNoise())
    p = stage._condition(poses)[1][:, 0]
    assert torch.equal(p, stage._recorded(0)[:, : len(PARTS)])


def test_stage_two_leaves_stage_one_as_it_is(me, dance):
    first = stage_of(me, [dance], QUICK)
    G_1 = first.networks["generator"].eval()
    before = {name: value.clone() for name, value in G_1.state_dict().items()}
    stage_of(me, [dance], QUICK, "texture", G_1).training_step(0)
    assert all(torch.equal(value, before[name]) for name, value in G_1.state_dict().items())
    assert all(weight.grad is None for weight in G_1.parameters())


def test_a_residual_stage_two_begins_where_stage_one_ended(me, dance):
    config = dataclasses.replace(QUICK, residual=True)
    G_1 = stage_of(me, [dance], config).networks["generator"].eval()
    stage = stage_of(me, [dance], config, "texture", G_1)
    x, _, coarse = stage._condition(stage._paired(recipe.PAIRED, 0, PoseNoise())[0])
    with torch.no_grad():
        assert torch.equal(stage._frames(stage.G(x.flatten(0, 1)), coarse), coarse)


def test_the_enhancer_learns_alone_at_first_then_all_of_g(me, dance):
    generator = recipe.generator_for(TINY, second=False)
    recipe.initialise(generator, 0.02)
    assert isinstance(generator, LocalEnhancer)
    stage = stage_of(me, [dance], of_steps(TINY, 4), "pose-full", generator=generator)

    def changed(step):
        before = {name: value.clone() for name, value in generator.named_parameters()}
        stage.training_step(step)
        moved = {name for name, value in generator.named_parameters() if not torch.equal(before[name], value)}
        return any(name.startswith("global_generator") for name in moved), any(name.startswith("enc") for name in moved)

    assert changed(1) == (False, True)
    assert changed(2) == (True, True)


def test_steps_are_dearer_where_all_of_g_learns(me, dance, tmp_path, monkeypatch):
    told = []

    def expected(steps, limit, step, seconds, work):
        told.append(work)
        return Estimate(steps, limit, step, seconds, work)

    monkeypatch.setattr("understudy.training.loop.Estimate", expected)
    learnt(dataclasses.replace(of_steps(TINY, 10), refine=False), me, [dance], tmp_path)
    half, full = told
    assert half(10) == 10
    at = round(TINY.enhancer_alone * 10)
    assert 0 < at < 10 and full(at) == at and full(10) == pytest.approx(at + 1.35 * (10 - at))


def test_the_learning_rate_falls_in_the_second_half_and_is_given_back(me, dance, monkeypatch):
    stage = stage_of(me, [dance], of_steps(QUICK, 10))
    rates = []
    monkeypatch.setattr(
        recipe.Stage,
        "_step",
        lambda self, step: rates.append([o.param_groups[0]["lr"] for o in self.optimizers.values()]) or {},
    )
    for step in (0, 5, 9):
        stage.training_step(step)
    assert rates == [[2e-4] * 4, [2e-4] * 4, pytest.approx([0.2 * 2e-4] * 4)]
    assert {o.param_groups[0]["lr"] for o in stage.optimizers.values()} == {2e-4}


def test_poses_without_pictures_are_learnt_from(me, tmp_path):
    wild = PoseSequence("wild", tiny_poses(20, 64, 3), np.full(20, 2, np.uint8), Fraction(25))
    result = learnt(dataclasses.replace(QUICK, steps=(1, 0, 1, 0)), me, [wild], tmp_path)
    assert result.record["data"] == "10 runs of 3 frames of the reference, poses of 1 other clips"


def test_without_other_people_d_w_is_left_out_and_that_is_said(me, tmp_path, caplog):
    result = learnt(dataclasses.replace(QUICK, steps=(1, 0, 1, 0)), me, [], tmp_path)
    assert "no poses of other people were given: D_w, which learns from them, is left out" in caplog.text
    assert "pose D_w" not in result.record["losses"]
    assert result.record["joined_at"] is None


def test_a_rung_that_learns_from_nobody_else_says_of_whom(me, tmp_path, caplog):
    wild = PoseSequence("wild", tiny_poses(20, 64, 3), np.full(20, 2, np.uint8), Fraction(25))
    learnt(dataclasses.replace(rung(QUICK, "PL-Stage1"), steps=(1, 0, 0, 0)), me, [wild], tmp_path)
    assert "learns from the reference alone: nothing is learnt from wild" in caplog.text


def test_too_little_footage_is_said(tmp_path):
    short = tiny_performance(tmp_path / "short.performance", frames=3)
    with pytest.raises(TrainingError, match="has 1 run of 3 frames with a person in them; training needs at least 2"):
        learnt(TINY, short, [], tmp_path / "run")


def test_golden_losses(me, dance):
    """A change that should not alter numbers must reproduce these; one that should says so and why."""
    config = of_steps(QUICK, 10)
    first = stage_of(me, [dance], config)
    named = {f"pose {name}": float(v.detach()) for name, v in first.training_step(3).items()}
    second = stage_of(me, [dance], config, "texture", first.networks["generator"].eval())
    named |= {f"texture {name}": float(v.detach()) for name, v in second.training_step(3).items()}
    assert named == pytest.approx(GOLDEN, rel=0.03)


GOLDEN = {
    "pose D_p": 2.0351, "pose D_t": 2.294, "pose D_w": 2.3143, "pose gan_p": 1.9381, "pose gan_t": 2.204,
    "pose gan_w": 2.2467, "pose fm_p": 33.0185, "pose fm_t": 37.3992, "pose vgg": 12.9779, "pose alpha": 9.3619,
    "texture D_p": 2.4289, "texture D_t": 2.1048, "texture D_w": 2.5152, "texture gan_p": 2.3132,
    "texture gan_t": 1.9179, "texture gan_w": 2.3317, "texture fm_p": 29.6759, "texture fm_t": 37.1695,
    "texture vgg": 13.0831, "texture alpha": 9.3292,
}  # fmt: skip
