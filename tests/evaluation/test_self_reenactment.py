"""What is held out must not reach the actor, and the truth must lie where the clone is drawn."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

import understudy
from tiny_actor import tiny_actor
from understudy.actor import Actor
from understudy.base.files import sha256_of
from understudy.consent import Consent
from understudy.errors import UsageError
from understudy.evaluation import evaluate as verb
from understudy.evaluation.contenders import contender, learnt
from understudy.evaluation.playing import in_square, played
from understudy.evaluation.results import Evaluation
from understudy.evaluation.self_reenactment import part_of, split, truth_of
from understudy.evaluation.truth import Truth, square_of
from understudy.media.reading import VideoReader, VideoWriter
from understudy.media.squares import cut
from understudy.performance import CONTENT_FILES, POSES_FILE, Performance
from understudy.recipes import performance_cloning
from understudy.recipes.parts.settings import changed
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene

TINY = {
    "size": 32, "width": 4, "depth": 3, "discriminator_width": 4, "batch": 4, "joint_sigma": 1.5, "limb_sigma": 3.0,
    "steps": 3, "ema_decay": 0.0,
}  # fmt: skip
CONSENT = Consent("made up", "")
FPS = Fraction(10)


def film(path, frames):
    with VideoWriter(path, FPS, kind="intra", crf=10) as writer:  # each frame by itself: a tail cannot change a head
        for frame in frames:
            writer.write(frame)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A clip of a made-up person, and one with the same first two thirds and something else after."""
    folder = tmp_path_factory.mktemp("clips")
    room = make_scene(1, (256, 192))
    dance = [rendered.frame for rendered in render(make_person(1), choreography(5, 2.4, FPS), room)]
    other = [
        rendered.frame for rendered in render(make_person(2), choreography(9, 0.8, FPS), make_scene(5, (256, 192)))
    ]
    return film(folder / "me.mp4", dance), film(folder / "changed.mp4", [*dance[:16], *other])


@pytest.fixture(scope="module")
def parts(clips, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return [split(clip, gap_seconds=0, cache=cache, size=64) for clip in clips]


def test_no_held_out_frame_reaches_what_is_trained_on(clips, parts, tmp_path):
    for one, two in zip(VideoReader(clips[0], end=1.6), VideoReader(clips[1], end=1.6), strict=True):
        assert np.array_equal(one, two)
    one, two = (part.training for part in parts)
    assert len(one) == len(two) == 16
    assert one.header.crop == two.header.crop
    for name in CONTENT_FILES:
        if name != POSES_FILE:  # whose header's lines come in any order
            assert sha256_of(one.path / name) == sha256_of(two.path / name), name
    assert np.array_equal(one.poses.xy, two.poses.xy)
    assert np.array_equal(one.poses.confidence, two.poses.confidence)
    assert not np.array_equal(next(parts[0].held_out.frames()), next(parts[1].held_out.frames()))
    who = contender("performance-cloning", "preview", **TINY)
    actors = [learnt(who, part, [], tmp_path / str(i), CONSENT, device="cpu") for i, part in enumerate((one, two))]
    assert all(np.array_equal(actors[0].weights[name], actors[1].weights[name]) for name in actors[0].weights)
    assert all(np.array_equal(actors[0].statistics[name], actors[1].statistics[name]) for name in actors[0].statistics)
    assert actors[0].body == actors[1].body


def test_the_two_parts_meet_only_over_the_gap(clips, tmp_path):
    parts = split(clips[0], train_share=0.5, gap_seconds=0.2, cache=tmp_path, size=64, landmarks="wholebody")
    assert parts.training.header.landmarks == parts.held_out.header.landmarks == "wholebody"
    assert len(parts.training) == 12
    assert len(parts.held_out) == 24 - 12 - 2
    assert parts.held_out.header.start == pytest.approx(14 / 10)


def test_who_learnt_no_fingers_is_not_asked_for_any(clips, parts):
    held_out = parts[0].held_out
    whole = Performance(
        held_out.path, dataclasses.replace(held_out.header, landmarks="wholebody"), held_out.poses, held_out.status
    )
    whole.poses.confidence[:] = 1
    truth = Truth(clips[0], whole, (0, 0, 64), 64)
    for recipe, fingers in (("performance-cloning", False), ("limb-warp", True)):
        played = part_of(truth, tiny_actor(recipe=recipe)).pose.confidence
        assert played[:, 91:].any() == fingers and played[:, :17].any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_share": 1.0}, "`train_share` must lie between 0 and 1, not 1"),
        ({"gap_seconds": -1}, "`gap` must be 0 seconds or more, not -1"),
        ({"train_share": 0.9}, "lasts 2.4 s, too short to train on 90% of it"),
    ],
)
def test_parts_that_make_no_sense_are_refused(clips, tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        split(clips[0], cache=tmp_path, **changes)


def test_a_performance_cannot_be_split(parts):
    with pytest.raises(UsageError, match="is not a video file: evaluation needs the video itself"):
        split(parts[0].training.path)


def middle_of(matte):
    y, x = np.nonzero(matte > 127)
    return np.array([x.mean(), y.mean()])


def test_the_truth_lies_where_the_actor_is_drawn(clips, parts, tmp_path):
    """An actor that paints just the reference's frames is the truth, but for cutting out and putting back."""
    who = contender("nearest-neighbour", "preview")
    training = parts[0].training
    actor = learnt(who, training, [], tmp_path, CONSENT, device="cpu")
    truth = truth_of(clips[0], training, actor, 64)  # asked for what it has seen
    assert square_of(actor.crop, actor.working_size) == truth.square
    true_frames, mattes = list(truth.frames()), list(truth.mattes())
    assert len(true_frames) == len(mattes) == len(truth) == 16
    assert np.abs(true_frames[3].astype(int) - list(training.frames())[3]).mean() < 3
    assert np.abs(mattes[3].astype(int) - list(training.mattes())[3]).mean() < 3
    np.testing.assert_allclose(truth.pose.xy, training.poses.xy, atol=1e-3)
    shown = [frame[..., :3] for frame in played(actor, part_of(truth, actor), truth, device="cpu")]
    assert np.abs(np.stack(shown).astype(int) - np.stack(true_frames)).mean() < 6
    assert in_square(actor, truth.square, 64).background.shape == (64, 64, 3)
    whole = list(VideoReader(clips[0]))
    held_out = truth_of(clips[0], parts[0].held_out, actor, 64)  # from frame 16 on, in the reference's square
    assert np.array_equal(np.stack(list(held_out.frames())), [cut(frame, truth.square, 64) for frame in whole[16:]])
    left, top, side = truth.square  # of an actor who learnt from another part, say
    moved = dataclasses.replace(truth, square=(left - 9, top + 5, side))
    shift = middle_of(list(moved.mattes())[3]) - middle_of(mattes[3])
    np.testing.assert_allclose(shift, np.array([9, -5]) * 64 / side, atol=0.3)
    np.testing.assert_allclose(moved.pose.xy - truth.pose.xy, np.broadcast_to(shift, truth.pose.xy.shape), atol=0.3)
    elsewhere = dataclasses.replace(truth, square=(left - 9, top + 5, side + 12))
    shown = [frame[..., :3] for frame in played(actor, part_of(elsewhere, actor), elsewhere, device="cpu")]
    true_frames = list(elsewhere.frames())
    assert np.abs(np.stack(shown).astype(int) - np.stack(true_frames)).mean() < 6


def test_poses_of_the_truth_reach_actor_and_coverage_edge_to_edge(parts, tmp_path, monkeypatch):
    """An actor that paints at half the working size is asked to play what it has seen."""
    who, training = contender("nearest-neighbour", "preview", size=32), parts[0].training
    actor = learnt(who, training, [], tmp_path, CONSENT, device="cpu")
    assert (actor.size, actor.working_size) == (32, 64)
    xy = training.poses.xy
    truth = truth_of(training.path, training, actor, 32)
    np.testing.assert_allclose(part_of(truth, actor).pose.xy, (xy + 0.5) / 2 - 0.5, atol=1e-3)
    asked = []
    monkeypatch.setattr(verb, "compare", lambda *_, **options: asked.append(options["asked"].driving))
    verb.self_reenactment_test(training.path, training, training, [(who, actor)], tmp_path)
    np.testing.assert_allclose(asked[0].xy, xy, atol=1e-3)


class Nobody:
    """A tracker that finds nobody, at once."""

    name, version = "nobody", "1"

    def __call__(self, frame):
        return None

    def close(self):
        pass


def test_evaluate_trains_plays_measures_and_goes_on_where_it_was(clips, tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    small = changed(performance_cloning.Config(features="random"), TINY)
    monkeypatch.setitem(performance_cloning.RECIPE.presets, "preview", lambda: small)
    monkeypatch.setattr(verb, "DANCE_SECONDS", 0.4)
    devices, real = [], Actor.player
    monkeypatch.setattr(Actor, "player", lambda self, device="auto": devices.append(device) or real(self, device))
    given = {"recipes": ("performance-cloning", "nearest-neighbour"), "gap": 0.0, "consent": "made up", "device": "cpu"}
    report = understudy.evaluate(clips[0], tmp_path / "report", **given)
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    found = Evaluation.load(report.parent / "results.json")
    [test] = found.tests
    assert [method.name for method in test.methods] == ["performance-cloning", "nearest-neighbour"]
    assert test.frames == 8 and test.size == 32
    for method in test.methods:
        assert (report.parent / method.clip).exists()
        assert method.measures["rmse"].regions["person"].mean > 0
        assert len(method.measures["rmse"].per_frame["person"]) == 8
    clips_of_methods = understudy.verify([report.parent / method.clip for method in test.methods]).files
    for one, method in zip(clips_of_methods, test.methods, strict=True):
        assert (
            one.verdict == "generated"
            and one.manifest.intact
            and one.metadata.endswith("/compositeWithTrainedAlgorithmicMedia")
        )
        (performer,) = one.manifest.ours["performers"]
        assert performer["recipe"] == method.name and performer["consent"]["text"] == "made up"
    (truth,) = understudy.verify([report.parent / test.truth_clip]).files
    assert truth.verdict == "unmarked"
    assert test.methods[0].training["steps"] == 3
    assert test.coverage.share_of_frames >= 0

    # In squares of 32 pixels the tracker finds nobody, which it has shown by now
    assert test.methods[1].measures["pck"].regions["person"].mean is None
    monkeypatch.setattr("understudy.tracking.blazepose.BlazePoseTracker", Nobody)
    actor = report.parent / "actors" / "performance-cloning.actor"
    made = Actor.load(actor).weights
    understudy.evaluate(clips[0], tmp_path / "report", **given)
    assert (
        found.tests[0].methods[0].training
        == Evaluation.load(report.parent / "results.json").tests[0].methods[0].training
    )
    understudy.evaluate(clips[0], tmp_path / "report", seed=1, **given)
    again = Actor.load(actor).weights
    assert any(not np.array_equal(made[name], again[name]) for name in made)

    alone = understudy.evaluate(actor=actor, driving=clips[0], output=tmp_path / "alone", device="cpu")
    assert [method.name for method in Evaluation.load(alone.parent / "results.json").tests[0].methods] == [
        "performance-cloning"
    ]
    assert Actor.load(actor).consent.text == "made up"
    assert len(devices) == 7 and set(devices) == {"cpu"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give either `reference`"),
        ({"reference": "me.mp4", "actor": "me.actor"}, "give either `reference`"),
        ({"actor": "me.actor"}, "`actor` and `driving` belong together"),
        ({"reference": "me.mp4", "driving": "dance.mp4"}, "`actor` and `driving` belong together"),
        ({"reference": "me.mp4", "max_minutes": 0}, "`max_minutes` must be above 0"),
        ({"reference": "me.mp4", "recipes": ("pix3pix",)}, "`recipe='pix3pix'`: there is no such one"),
        ({"reference": "me.mp4", "recipes": ()}, "`recipes` needs at least one of"),
        (
            {"reference": "me.mp4", "preset": "instant"},
            "`preset='instant'`: there is no such one; choose one of preview, fast, paper",
        ),
        ({"reference": "nothing.mp4"}, "nothing.mp4 is not a video file"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        understudy.evaluate(output="report", consent="made up", **arguments)
