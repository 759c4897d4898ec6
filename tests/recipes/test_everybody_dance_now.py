import dataclasses
import json
import re

import cv2
import numpy as np
import pytest
import torch

from tiny import tiny_performance
from understudy.actor import Actor
from understudy.base.files import load_tensors
from understudy.conditioning.face_crops import face_boxes
from understudy.consent import Consent
from understudy.errors import Interrupted, TrainingError, UsageError
from understudy.media.reading import VideoReader
from understudy.networks.pix2pixhd import LocalEnhancer
from understudy.networks.vgg import VGG19Features
from understudy.poses.pose import NOSE, Pose
from understudy.recipes import everybody_dance_now as recipe
from understudy.recipes.parts import everybody_dance_now_faces as faces
from understudy.training import loop as training
from understudy.training import stages as staging
from understudy.verbs.clone import clone, perform, train
from understudy.verbs.inspect import inspect
from unplugged import saving_every_step, unplugged_behind

TINY = recipe.Config(
    size=32, whole_frame=False, line=1 / 16, width=4, downsamplings=2, blocks=1, enhancer_blocks=1,
    discriminator_width=4, scales=2, features="random", vgg_layers=("relu1_1", "relu2_1"), face_size=32, face_width=4,
    face_downsamplings=1, face_blocks=1, batch=2, steps=(3, 4, 3), enhancer_alone=0.5, rotate=10, zoom=0.1, shift=0.05,
    ema_decay=0.9,
)  # fmt: skip
STAGES = ("global", "local", "face")


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("me") / "me.performance", 1)


@pytest.fixture(scope="module")
def dance(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("dance") / "dance.performance", 2, missing=(5,))


@pytest.fixture(scope="module")
def trained(me, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return recipe.train(me, [], folder, TINY, device="cpu"), folder


def studio_of(performance, config, folder=None):
    fabric = training.launch("cpu")
    footage = recipe.Footage(performance, config, 0, fabric.device)
    phi = VGG19Features(config.vgg_layers, config.features)
    return recipe.Studio(config, footage, phi, None, fabric, 0)


def main_trainee(performance, config, stage="global"):
    studio = studio_of(performance, config)
    torch.manual_seed(0)
    generator = recipe.generator_for(config) if stage == "local" else recipe.global_generator_for(config)
    recipe.initialise(generator, config.initial_deviation)
    size = config.size if stage == "local" else config.size // 2**config.local_enhancers
    return recipe.PoseToVideo(studio, stage, generator, size)


def generated(trained, pose, **options):
    return list(recipe.generate(trained.config, trained.weights, trained.statistics, pose, device="cpu", **options))


# -- config ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", [recipe.paper, recipe.fast, recipe.preview])
def test_every_preset_builds_and_survives_json(preset):
    config = preset()
    assert recipe.Config(**json.loads(json.dumps(dataclasses.asdict(config)))) == config
    weights, statistics = recipe.contents(config)
    assert ("flat_colour" in statistics) != config.whole_frame
    assert any(name.startswith("face/") for name in weights)


def test_the_paper_preset_has_the_paper_numbers():
    config = recipe.paper()
    assert (config.size, config.whole_frame, config.temporal_smoothing, config.face) == (512, True, True, True)
    assert (config.normalization, config.fit_limbs) == ("ground", False)
    assert (config.lambda_fm, config.lambda_p[:2], config.scales, config.face_size) == (10, (5, 10), 3, 128)
    assert config.vgg_layers == tuple(f"relu{block}_1" for block in range(1, 6))
    assert (config.epochs, config.steps, config.stages) == ((5, 30, 5), None, STAGES)
    assert (config.learning_rate, config.betas) == (2e-4, (0.5, 0.999))
    assert (config.rotate, config.zoom, config.shift, config.ema_decay) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"local_enhancers": 2}, "local_enhancers must be 0 or 1, not 2"),
        ({"size": 100}, "size 100 cannot be halved 5 times: use a multiple of 32 from 64 up"),
        ({"size": 32}, "size 32 cannot be halved 5 times: use a multiple of 32 from 64 up"),
        ({"width": 33}, "an enhancer has half of G's width, which must be even: not 33"),
        ({"face_size": 40}, "face_size 40 cannot be halved 4 times: use a multiple of 16 from 32 up"),
        ({"rotate": 5.0}, "whole_frame learns where the room is, so rotate, zoom and shift must be 0 with it"),
        ({"normalization": "feet"}, "normalization must be similarity or ground, not feet"),
        ({"batch": 0}, "batch must be at least 1, not 0"),
        ({"shares": (1, 0, 1)}, "each stage needs a share of the time above 0: not 1, 0, 1"),
        ({"enhancer_alone": 2.0}, "enhancer_alone is a share between 0 and 1, not 2.0"),
        ({"ema_decay": 1.0}, "ema_decay must be at least 0 and below 1, not 1.0"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        recipe.Config(**changes)


def test_stages_that_are_left_out_need_nothing():
    config = dataclasses.replace(TINY, local_enhancers=0, face=False, shares=(1, 0, 0), width=5, face_size=33)
    assert config.stages == ("global",)


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
    still = {"rotate": 0, "zoom": 0, "shift": 0} if whole_frame else {}
    config = dataclasses.replace(
        TINY, temporal_smoothing=smoothing, face=face, whole_frame=whole_frame, local_enhancers=enhancers,
        steps=(1, 1, 1), **still,
    )  # fmt: skip
    result = recipe.train(me, [], tmp_path, config, device="cpu")
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
    config = dataclasses.replace(TINY, local_enhancers=0, steps=(30, 0, 30), learning_rate=2e-3)
    recipe.train(me, [], tmp_path, config, device="cpu")
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
    x, y = trainee.studio.footage.pairs((1, 2), 0, 16)
    n = 2 if smoothing else 1
    assert x.shape == y.shape == (2, n, 3, 16, 16)
    assert trainee.networks["D"].scales[0][0][0].in_channels == n * (3 + 3)
    assert recipe._stack(x, y).shape == (2, n * 6, 16, 16)
    assert trainee.networks["generator"].encoder[0][1].in_channels == 3 * n


def test_the_second_frame_of_a_window_is_made_from_the_first(me):
    trainee = main_trainee(me, TINY)
    x, _ = trainee.studio.footage.pairs((1, 2), 0, 16)
    G = trainee.networks["generator"]
    with torch.no_grad():
        first, second = trainee._window(x).unbind(1)
        alone = G(torch.cat([x[:, 0], torch.zeros_like(x[:, 0])], 1))
        onwards = G(torch.cat([x[:, 1], alone], 1))
    assert torch.allclose(first, alone, atol=0.05) and torch.allclose(second, onwards, atol=0.05)


def test_stick_figure_and_frame_of_a_pair_belong_together(me):
    footage = studio_of(me, TINY).footage
    flat = torch.tensor(footage.flat).view(1, 1, 3, 1, 1) / 127.5 - 1
    for step in range(3):
        x, y = footage.pairs((1, 2), step, 32)
        drawn = x.amax(2) > 0.9
        person = (y - flat).abs().sum(2) > 0.3
        assert person[drawn].float().mean() > 0.8 > 2 * person.float().mean()


def test_damage_is_done_to_stick_figures_and_not_to_frames(me):
    noise = dataclasses.replace(TINY, pose_drop=0.3, pose_jitter=0.05, pose_stretch=0.3)
    plain, damaged = studio_of(me, TINY).footage, studio_of(me, noise).footage
    for step in range(2):
        (x, y), (damaged_x, same_y) = plain.pairs((1, 2), step, 32), damaged.pairs((1, 2), step, 32)
        assert torch.equal(y, same_y)
        assert (x - damaged_x).abs().mean() > 0.01
        assert torch.equal(damaged_x, damaged.pairs((1, 2), step, 32)[0])
    assert all(torch.equal(a, b) for a, b in zip(plain.clip.all_joints(), damaged.clip.all_joints(), strict=True))


def test_the_whole_frame_is_as_filmed(me):
    config = dataclasses.replace(TINY, whole_frame=True, rotate=0, zoom=0, shift=0)
    footage = studio_of(me, config).footage
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


def test_the_local_stage_begins_with_what_the_global_stage_learnt(me, tmp_path):
    config = dataclasses.replace(TINY, face=False, steps=(2, 1, 0), enhancer_alone=1.0)
    result = recipe.train(me, [], tmp_path, config, device="cpu")
    before, _ = load_tensors(tmp_path / "global/checkpoints/step-00000002.safetensors", TrainingError)
    learnt = {name: value for name, value in result.weights.items() if name.startswith("main/global_generator.")}
    assert len(learnt) > 10
    for name, value in learnt.items():
        assert np.array_equal(value, before["average/" + name.removeprefix("main/global_generator.")])


def test_driving_clips_change_nothing_and_that_is_said(trained, me, dance, tmp_path, caplog):
    config = dataclasses.replace(TINY, local_enhancers=0, face=False, steps=(1, 0, 0))
    one, two = (recipe.train(me, others, tmp_path / str(len(others)), config, device="cpu") for others in ([], [dance]))
    said = "everybody-dance-now learns from the reference alone: nothing is learnt from dance.performance"
    assert said in caplog.text
    assert all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights)


def test_too_little_footage_is_said(tmp_path):
    short = tiny_performance(tmp_path / "short.performance", frames=2)
    with pytest.raises(TrainingError, match="has 1 runs of 2 frames with a person in them; training needs at least 2"):
        recipe.train(short, [], tmp_path / "run", TINY, device="cpu")


# -- stages ----------------------------------------------------------------------------------------------------


def last_checkpoints(folder):
    newest = {stage: sorted((folder / stage / "checkpoints").iterdir())[-1] for stage in STAGES}
    return {stage: load_tensors(path, TrainingError)[0] for stage, path in newest.items()}


@pytest.mark.parametrize("stage", STAGES)
def test_killed_in_any_stage_and_resumed_gives_the_weights_of_an_unbroken_run(
    trained, me, tmp_path, monkeypatch, stage
):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        saving_every_step(patch, unplugged_behind(stage, 1))
        recipe.train(me, [], tmp_path, TINY, device="cpu")
    with monkeypatch.context() as patch:
        saved = saving_every_step(patch)
        result = recipe.train(me, [], tmp_path, TINY, device="cpu", resume=True)
    every = [(one, step + 1) for one, steps in zip(STAGES, TINY.steps, strict=True) for step in range(steps)]
    assert list(dict.fromkeys(saved)) == every[every.index((stage, 1)) + 1 :]  # what was done is not done again
    assert all(np.array_equal(result.weights[name], trained[0].weights[name]) for name in result.weights)
    one, two = last_checkpoints(trained[1]), last_checkpoints(tmp_path)
    for stage in STAGES:
        assert one[stage].keys() == two[stage].keys()
        assert all(np.array_equal(one[stage][name], two[stage][name]) for name in one[stage])


@pytest.mark.parametrize(
    ("max_steps", "reached", "size", "face", "missing"),
    [(2, {"global": 2}, 16, False, "local, face"), (5, {"global": 3, "local": 2}, 32, False, "face"),
     (8, {"global": 3, "local": 4, "face": 1}, 32, True, None)],
)  # fmt: skip
def test_steps_count_over_all_stages_and_the_actor_plays_what_was_reached(
    me, trained, tmp_path, caplog, max_steps, reached, size, face, missing
):
    result = recipe.train(me, [], tmp_path, TINY, device="cpu", max_steps=max_steps)
    assert result.record["stages"] == reached
    assert (result.config.size, result.config.face) == (size, face)
    assert ("the actor is without the stages that were not reached: " in caplog.text) == (missing is not None)
    assert missing is None or f"not reached: {missing}" in caplog.text
    assert generated(result, me.poses[:1])[0].shape == (size, size, 3)
    whole = recipe.train(me, [], tmp_path, TINY, device="cpu", resume=True)
    assert all(np.array_equal(whole.weights[name], trained[0].weights[name]) for name in whole.weights)


def test_nothing_left_to_do_is_said_once(trained, me, caplog):
    result = recipe.train(me, [], trained[1], TINY, device="cpu", resume=True)
    assert caplog.text.count("nothing left to do") == 1
    assert all(np.array_equal(result.weights[name], trained[0].weights[name]) for name in result.weights)


def test_a_stage_begins_anew_when_what_it_builds_on_is_trained_further(me, tmp_path, caplog):
    config = dataclasses.replace(TINY, local_enhancers=0, steps=(4, 0, 2))
    fabric, settings = training.launch("cpu"), {"recipe": "test"}

    def both(global_steps, resume):
        stages = staging.Stages(
            tmp_path, {"global": 1, "face": 1}, fabric=fabric, settings=settings, seed=0, ema_decay=0, resume=resume
        )
        stages.run("global", main_trainee(me, dataclasses.replace(config, face=False)), global_steps)
        return stages.run("face", main_trainee(me, config), 2)

    both(2, False)
    assert both(2, True).steps == 2 and "begins anew" not in caplog.text
    assert both(3, True).steps == 2
    assert "stage face begins anew: what it builds on has been trained further" in caplog.text


def test_a_new_run_forgets_the_stages_of_an_old_one(me, tmp_path):
    recipe.train(me, [], tmp_path, TINY, device="cpu")
    recipe.train(me, [], tmp_path, TINY, device="cpu", max_steps=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["global"]


def test_time_is_shared_by_the_stages(me, tmp_path, monkeypatch):
    asked = {}

    def run(trainee, folder, *, max_minutes, **_):
        asked[folder.name] = max_minutes
        used = {"global": 60.0, "local": 30.0}.get(folder.name, 1.0)
        weights = {name: value.numpy() for name, value in trainee.networks[trainee.shown].state_dict().items()}
        return training.Outcome(weights, 1, used, {})

    monkeypatch.setattr(training, "run", run)
    config = dataclasses.replace(TINY, shares=(0.2, 0.6, 0.2))
    recipe.train(me, [], tmp_path, config, device="cpu", max_minutes=10)
    # of 10 minutes a fifth; of the 9 that are left three quarters; then all of the rest
    assert asked == pytest.approx({"global": 2.0, "local": 6.75, "face": 8.5})


def test_other_settings_are_refused(trained, me):
    with pytest.raises(TrainingError, match=re.escape("config.lambda_fm was 10.0, is 3.0")):
        recipe.train(me, [], trained[1], dataclasses.replace(TINY, lambda_fm=3.0), device="cpu", resume=True)


# -- generation ------------------------------------------------------------------------------------------------


def arms_up(pose, frame):
    xy = pose.xy.copy()
    xy[frame] = xy[frame, :, ::-1]
    return Pose(xy, pose.confidence, pose.size_hw)


def drifting(config, G):
    """G with weights large enough that what goes in can be seen in what comes out."""
    torch.manual_seed(1)
    recipe.initialise(G, 0.3)
    return {f"main/{name}": value.numpy() for name, value in G.state_dict().items()}


@pytest.mark.parametrize(("smoothing", "followed"), [(True, True), (False, False)])
def test_a_frame_depends_on_the_one_before_only_when_smoothing(trained, dance, smoothing, followed):
    config = dataclasses.replace(TINY, temporal_smoothing=smoothing, face=False)
    parts = (config, drifting(config, recipe.generator_for(config)), trained[0].statistics)
    one = list(recipe.generate(*parts, dance.poses[:3], device="cpu"))
    two = list(recipe.generate(*parts, arms_up(dance.poses[:3], 0), device="cpu"))
    assert not np.array_equal(one[0], two[0])
    assert (not np.array_equal(one[1], two[1])) == followed


@pytest.mark.parametrize("smoothing", [True, False])
def test_generation_gives_one_frame_a_pose_whatever_the_batch(trained, dance, smoothing):
    config = dataclasses.replace(TINY, temporal_smoothing=smoothing, face=False)
    parts = (config, drifting(config, recipe.generator_for(config)), trained[0].statistics)
    frames, one_by_one = (list(recipe.generate(*parts, dance.poses, device="cpu", batch=batch)) for batch in (5, 1))
    assert len(frames) == len(one_by_one) == 12
    assert np.abs(np.subtract(frames, one_by_one, dtype=np.int64)).mean() < 4


def test_the_face_stage_changes_the_face_alone(trained, dance):
    result = trained[0]
    pose = dance.poses[:4]
    unseen = pose.confidence.copy()
    unseen[1, NOSE] = 0
    pose = Pose(pose.xy, unseen, pose.size_hw)
    with_face = generated(result, pose)
    without = list(
        recipe.generate(
            dataclasses.replace(result.config, face=False), result.weights, result.statistics, pose, device="cpu"
        )
    )
    centres, sides, usable = face_boxes(torch.from_numpy(pose.xy), torch.from_numpy(pose.confidence > 0))
    assert usable.tolist() == [True, False, True, True]
    for frame, plain, (x, y), side, there in zip(with_face, without, centres, sides, usable, strict=True):
        changed = np.argwhere((frame != plain).any(2))
        assert (len(changed) > 0) == bool(there)
        assert (np.abs(changed - [float(y), float(x)]) <= float(side) / 2).all()


def test_no_nose_no_face_stage(me, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(faces, "face_boxes", lambda xy, seen: (*face_boxes(xy, seen)[:2], torch.zeros(len(xy)) > 0))
    config = dataclasses.replace(TINY, local_enhancers=0, steps=(1, 0, 1))
    result = recipe.train(me, [], tmp_path, config, device="cpu")
    assert "the face stage is left out: 0 frames show a face, and it needs 2" in caplog.text
    assert not result.config.face and not any(name.startswith("face/") for name in result.weights)


def test_the_face_stage_learns_from_faces_as_the_frozen_generator_paints_them(me):
    config = dataclasses.replace(TINY, local_enhancers=0)
    studio = studio_of(me, config)
    G = recipe.generator_for(config)
    recipe.initialise(G, 0.3)
    painted = list(recipe.paint(G.eval(), config, studio.footage.colours, *studio.footage.clip.all_joints()))
    patches = faces.Patches(studio.footage, painted, config.face_size)
    x, coarse, y = patches[np.arange(len(patches))]
    assert len(patches) == 12 and x.shape == coarse.shape == y.shape == (12, 3, 32, 32)
    centres, sides, _ = face_boxes(*studio.footage.clip.all_joints())
    frames = torch.cat([frames for _, frames in painted])
    assert torch.allclose(coarse, faces.cut(frames, centres, sides, 32), atol=1 / 127)


def test_golden_losses(me):
    """A change that should not alter numbers must reproduce these; one that should says so and why."""
    named = {}
    for stage in ("global", "local"):
        trainee = main_trainee(me, TINY, stage)
        named |= {f"{stage} {name}": float(v.detach()) for name, v in trainee.training_step(3).items()}
    studio = trainee.studio
    painted = recipe.paint(
        trainee.networks["generator"].eval(), TINY, studio.footage.colours, *studio.footage.clip.all_joints()
    )
    torch.manual_seed(0)
    trainee = faces.FaceGAN(studio, faces.Patches(studio.footage, painted, TINY.face_size))
    named |= {f"face {name}": float(v.detach()) for name, v in trainee.training_step(3).items()}
    assert named == pytest.approx(GOLDEN, rel=0.03)


GOLDEN = {
    "global D": 2.3854, "global gan": 2.2803, "global fm": 19.6796, "global p": 12.3414, "local D": 2.2191,
    "local gan": 2.1024, "local fm": 14.787, "local p": 26.3744, "face D_f": 1.3966, "face gan": 0.765,
    "face p": 14.6783,
}  # fmt: skip


def test_interrupted_is_told_by_the_stage(me, tmp_path, monkeypatch):
    class Stopped:
        signal = 2

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(training, "stop_signals", Stopped)
    with pytest.raises(Interrupted, match="stopped at step 0; saved, go on with --resume"):
        recipe.train(me, [], tmp_path, TINY, device="cpu")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["global"]


# -- the verbs -------------------------------------------------------------------------------------------------


def test_an_actor_that_paints_its_room_from_training_to_video(me, dance, tmp_path, monkeypatch):
    config = dataclasses.replace(
        TINY, whole_frame=True, rotate=0, zoom=0, shift=0, local_enhancers=0, face=False, steps=(2, 0, 0)
    )
    monkeypatch.setattr(recipe, "preview", lambda: config)
    output = tmp_path / "me.actor"
    train(me, output, recipe="everybody-dance-now", consent="I am it", device="cpu", max_steps=1)
    with pytest.raises(UsageError, match="exists: train it further with --resume"):
        train(me, output, recipe="everybody-dance-now", consent="I am it", device="cpu")
    actor = train(me, output, recipe="everybody-dance-now", resume=True, device="cpu")
    assert actor.paints_room and actor.record["steps"] == 2

    perform(output, dance, tmp_path / "out.mkv", compare=True, device="cpu")
    with VideoReader(tmp_path / "out.mkv") as reader:
        frames = list(reader)
    # where the square was filmed there is what G paints, around it the room as it was
    assert len(frames) == 12 and np.abs(frames[0][40:, 36:].astype(int) - 60).max() <= 2
    assert np.abs(frames[0][4:28, 4:28].astype(int) - 60).mean() > 5

    with pytest.raises(UsageError, match="--background must be reference"):
        perform(output, dance, tmp_path / "other.mp4", background="driving", device="cpu")
    with pytest.raises(UsageError, match="--background must be reference"):
        clone(me, dance, tmp_path / "clone.mp4", recipe="everybody-dance-now", background="green", consent="I am it")
    lines = str(inspect(output, tmp_path / "sheet.png"))
    assert "the reference's room along with the person" in lines and "everybody-dance-now" in lines


def test_a_painted_room_stays_where_it_is_when_the_driver_leaves_it(trained, me):
    actor = Actor.of(trained[0], me, "everybody-dance-now", "preview", Consent("I am it", ""))
    away = Pose(me.poses.xy + np.float32(20), me.poses.confidence, me.poses.size_hw)
    assert actor.windows(away, me.fps).any()
    fixed = dataclasses.replace(actor, config={**actor.config, "whole_frame": True})
    assert not fixed.windows(away, me.fps).any()
