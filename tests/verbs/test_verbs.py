"""train, perform and clone as functions: what lies where afterwards, and what is never overwritten."""

import json
import logging
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny import shrunk, tiny_performance
from tiny_actor import CONFIG
from understudy.actor import Actor
from understudy.base.files import locked
from understudy.covering.coverage import coverage
from understudy.errors import ConsentError, Interrupted, TrainingError, UsageError
from understudy.media.reading import probe
from understudy.performance import Crop, Performance
from understudy.performing.driver import Driver
from understudy.poses.pose import LEFT_HAND, Pose
from understudy.recipes import copy_then_refine, performance_cloning
from understudy.retargeting.alignment import body_statistics
from understudy.training.run_folder import fingerprint
from understudy.verbs.clone import clone
from understudy.verbs.perform import perform
from understudy.verbs.train import train


@pytest.fixture(autouse=True)
def small_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    # not checked, so that what was trained is what the actor holds, however little it was
    default = replace(shrunk(copy_then_refine.preview()), steps=4, checked=False)
    monkeypatch.setitem(copy_then_refine.RECIPE.presets, "preview", lambda: default)
    monkeypatch.setitem(performance_cloning.RECIPE.presets, "preview", lambda: CONFIG)


@pytest.fixture
def me(tmp_path: Path) -> Performance:
    return tiny_performance(tmp_path / "me.performance", 1)


@pytest.fixture
def dance(tmp_path: Path) -> Performance:
    return tiny_performance(tmp_path / "dance.performance", 2)


def test_train_writes_an_actor_that_knows_where_it_comes_from(tmp_path: Path, me: Performance) -> None:
    output = tmp_path / "new" / "me.actor"
    actor = train(me.path, output, preset="preview", seed=3, consent="I am it", device="cpu")
    assert sorted(path.name for path in output.parent.iterdir()) == ["me.actor", "me.actor.run"]
    loaded = Actor.load(output)
    assert loaded.recipe == "copy-then-refine"
    assert (loaded.record["steps"], loaded.record["preset"], loaded.record["seed"]) == (4, "preview", 3)
    assert loaded.consent == actor.consent and loaded.consent.text == "I am it"
    assert (loaded.reference_name, loaded.reference_sha256) == ("tiny1.mp4", f"{1:064x}")
    assert (loaded.crop, loaded.working_size, loaded.original_size_hw) == (me.header.crop, 32, (48, 40))
    assert loaded.body == body_statistics(me.poses) and loaded.fps == me.fps
    np.testing.assert_array_equal(loaded.background, me.background())


def test_a_stopped_training_goes_on_only_when_told(tmp_path: Path, me: Performance) -> None:
    output = tmp_path / "me.actor"
    first = train(me, output, preset="preview", max_steps=2, consent="I am it", device="cpu")
    assert first.record["steps"] == 2
    with pytest.raises(UsageError, match=r"me\.actor exists: train it further with `resume=True`"):
        train(me, output, preset="preview", consent="I am it", device="cpu")
    more = train(me, output, preset="preview", resume=True, device="cpu")  # consent was given when the run began
    assert (more.record["steps"], more.consent) == (4, first.consent)
    whole = train(me, tmp_path / "whole.actor", preset="preview", consent="I am it", device="cpu")
    for name, weights in whole.weights.items():
        np.testing.assert_array_equal(weights, more.weights[name])


def test_an_interrupted_training_is_not_thrown_away(
    tmp_path: Path, me: Performance, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "me.actor"
    step = copy_then_refine.CopyThenRefine.training_step

    def interrupted(self, number):
        if number == 1:
            signal.raise_signal(signal.SIGTERM)
        return step(self, number)

    with monkeypatch.context() as patch:
        patch.setattr(copy_then_refine.CopyThenRefine, "training_step", interrupted)
        with pytest.raises(Interrupted, match="go on with `resume=True`"):
            train(me, output, preset="preview", consent="I am it", device="cpu")
    assert not output.exists()
    with pytest.raises(UsageError, match=r"go on with `resume=True`, or begin anew with `overwrite=True`"):
        train(me, output, preset="preview", consent="I am it", device="cpu")
    assert train(me, output, preset="preview", resume=True, device="cpu").record["steps"] == 4


def test_a_training_of_the_former_default_is_told_how_to_go_on(tmp_path: Path) -> None:
    me = tiny_performance(tmp_path / "me.performance", 1, frames=32)
    output, asked = tmp_path / "me.actor", {"preset": "preview", "device": "cpu"}
    train(me, output, recipe="performance-cloning", max_steps=2, consent="I am it", **asked)
    with pytest.raises(UsageError, match="begun with another recipe: go on with `recipe='performance-cloning'`"):
        train(me, output, resume=True, **asked)
    assert Actor.load(output).recipe == "performance-cloning"
    assert train(me, output, recipe="performance-cloning", resume=True, **asked).record["steps"] == 4


def test_a_second_training_of_the_same_output_changes_nothing(tmp_path: Path, me: Performance) -> None:
    run_folder = tmp_path / "me.actor.run"
    with locked(run_folder), pytest.raises(TrainingError, match="another run is writing to"):
        train(me, tmp_path / "me.actor", consent="I am it", device="cpu")
    assert [path.name for path in run_folder.iterdir()] == [".lock"]


def test_an_actor_that_appeared_while_tracking_is_kept(
    tmp_path: Path, me: Performance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(clip: Performance, **_: object) -> Performance:
        (tmp_path / "me.actor").write_bytes(b"of another process")
        return clip

    monkeypatch.setattr("understudy.tracking.track.tracked", slowly)
    with pytest.raises(UsageError, match=r"me\.actor exists"):
        train(me, tmp_path / "me.actor", consent="I am it", device="cpu")
    assert (tmp_path / "me.actor").read_bytes() == b"of another process"


def test_comparisons_overwrite_nothing_that_is_given(tmp_path: Path, me: Performance) -> None:
    given = tmp_path / "out.compare.mp4"
    given.write_bytes(b"a video")
    with pytest.raises(UsageError, match=r"`compare` would overwrite .*out\.compare\.mp4, which is given"):
        clone(me, given, tmp_path / "out.mp4", compare=True, consent="I am it", device="cpu")
    with pytest.raises(UsageError, match="`compare` would overwrite"):
        perform(tmp_path / "me.actor", given, tmp_path / "out.mp4", compare=True)
    (tmp_path / "folder.compare.mp4").mkdir()
    with pytest.raises(UsageError, match=r"folder\.compare\.mp4 is a folder"):
        perform(tmp_path / "me.actor", me, tmp_path / "folder.mp4", compare=True)
    assert given.read_bytes() == b"a video"


def test_performing_checks_the_device_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`device='tpu'`: not available"):
        perform(tmp_path / "no.actor", tmp_path / "no.mp4", tmp_path / "out.mp4", device="tpu")


def test_an_interrupted_demo_does_not_speak_of_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from understudy.verbs import demo

    def interrupted(*_: object, **__: object) -> None:
        raise Interrupted("stopped at step 3; saved, go on with `resume=True`", signal.SIGINT)

    monkeypatch.setattr(demo, "_film", lambda folder: [])
    monkeypatch.setattr("understudy.tracking.track.tracked", lambda *_, **__: None)
    monkeypatch.setattr("understudy.verbs.train.train", interrupted)
    with pytest.raises(Interrupted, match="stopped; `understudy demo` begins anew"):
        demo.demo(tmp_path)


def test_resume_starts_when_there_is_nothing_to_go_on_with(tmp_path: Path, me: Performance) -> None:
    with pytest.raises(ConsentError):
        train(me, tmp_path / "me.actor", preset="preview", resume=True, device="cpu")
    assert not (tmp_path / "me.actor.run").exists()
    actor = train(me, tmp_path / "me.actor", preset="preview", resume=True, consent="I am it", device="cpu")
    assert actor.record["steps"] == 4


@pytest.mark.parametrize("recipe", [None, "performance-cloning"])
def test_clone_goes_the_whole_way_and_keeps_the_actor(
    tmp_path: Path, me: Performance, dance: Performance, caplog: pytest.LogCaptureFixture, recipe: str | None
) -> None:
    output = tmp_path / "out" / "clone.mp4"
    asked = {"recipe": recipe, "preset": "preview", "device": "cpu"}
    with caplog.at_level(logging.INFO, "understudy"):
        written = clone(me, dance.path, output, consent="I am it", compare=True, **asked)
    assert written == output
    assert Actor.load(output.with_name("clone.actor")).recipe == (recipe or "copy-then-refine")
    names = ["clone.actor", "clone.actor.run", "clone.compare.mp4", "clone.mp4", "clone.normalization.png"]
    assert sorted(path.name for path in output.parent.iterdir()) == names
    assert "of the driving frames show limbs as the reference never does" in caplog.text
    assert f"actor: {tmp_path / 'out' / 'clone.actor'}" in caplog.text
    settings = json.loads((tmp_path / "out" / "clone.actor.run" / "run.json").read_text())["settings"]
    assert settings.get("unpaired") == ([fingerprint(dance)] if recipe else None)
    assert "learns from the reference alone" not in caplog.text, "nobody asked for the driver to be learnt from"
    assert probe(output).frames == len(dance)

    with pytest.raises(UsageError, match=r"render with it \(`understudy perform --actor .*clone\.actor"):
        clone(me, dance, output, consent="I am it", **asked)
    clone(me, dance, output, resume=True, **asked)  # the run is complete: only renders again
    perform(output.with_name("clone.actor"), dance, output, background="black", device="cpu")
    assert probe(output).size_hw == (48, 40)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recipe": "magic"}, "`recipe='magic'`: there is no such one"),
        ({"preset": "best"}, "`preset='best'`: there is no such one; choose one of instant, preview, fast, paper"),
        (
            {"preset": "instant", "recipe": "performance-cloning"},
            "`preset='instant'`: Performance cloning has no such preset; choose one of preview, fast, paper",
        ),
        ({"max_minutes": -1.0}, "`max_minutes` must be above 0, not -1"),
        ({"max_minutes": float("nan")}, "`max_minutes` must be above 0, not nan"),
        ({"device": "tpu"}, "`device='tpu'`: not available"),
    ],
)
def test_arguments_that_make_no_sense(
    tmp_path: Path, me: Performance, dance: Performance, arguments: dict, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        clone(me, dance, tmp_path / "out.mp4", **{"preset": "preview", "consent": "I am it", **arguments})
    assert not list(tmp_path.glob("out*"))


def test_instant_trains_nothing_and_may_be_made_again_or_replaced(
    tmp_path: Path, me: Performance, dance: Performance
) -> None:
    output = tmp_path / "out.mp4"
    clone(me, dance, output, preset="instant", consent="I am it", device="cpu")
    actor = Actor.load(tmp_path / "out.actor")
    assert (actor.recipe, actor.size) == ("copy-then-refine", 512)
    assert (actor.record["steps"], actor.record["preset"]) == (0, "instant")
    assert actor.consent.text == "I am it"
    assert probe(output).frames == len(dance)
    with pytest.raises(ConsentError):
        clone(me, dance, output, preset="instant", device="cpu")
    clone(me, dance, output, preset="instant", recipe="limb-warp", consent="I am it", device="cpu")
    assert Actor.load(tmp_path / "out.actor").recipe == "limb-warp"
    clone(me, dance, output, preset="preview", consent="I am it", device="cpu")  # satisfied: now it is trained
    with pytest.raises(UsageError, match=r"out\.actor exists"):
        clone(me, dance, output, preset="instant", consent="I am it", device="cpu")


def test_a_reference_tracked_smaller_than_the_actor_is_said_to_be_soft(
    tmp_path: Path, me: Performance, caplog: pytest.LogCaptureFixture
) -> None:
    """The tiny one's picture is as large as its frames, so that it is told of a larger one."""
    larger = Performance(me.path, replace(me.header, crop=Crop(0.25, (0.0, 0.0))), me.poses, me.status)
    for reference, size, soft in ((larger, 64, True), (larger, 32, False), (me, 64, False)):
        caplog.clear()
        config = replace(shrunk(copy_then_refine.instant()), size=size, side=32, crop=32)
        output = tmp_path / f"{size}-{soft}.actor"
        train(reference, output, config=config, consent="I am it", device="cpu")
        said = f"the reference was tracked at 32 pixels, of which {size} are made here" in caplog.text
        assert said is soft and ("--size 64" in caplog.text) is soft


def test_a_driver_that_is_not_learnt_from_is_tracked_at_the_usual_size(
    tmp_path: Path, me: Performance, dance: Performance, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    usual = Driver.of
    monkeypatch.setattr(Driver, "of", lambda driving, **options: asked.append(options) or usual(driving))
    large = replace(shrunk(copy_then_refine.instant()), size=512, side=32, crop=32)
    clone(me, dance, tmp_path / "out.mp4", config=large, consent="I am it", device="cpu")
    assert asked and all("size" not in options for options in asked)
    assert all(options["landmarks"] == "wholebody" for options in asked)


def test_what_coverage_tracks_is_tracked_for_the_default_recipe_as_well(
    tmp_path: Path, me: Performance, dance: Performance, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = {tmp_path / "me.mp4": me, tmp_path / "dance.mp4": dance}
    for film in films:
        film.touch()
    asked: list[tuple[Path, dict[str, Any]]] = []

    def tracked(clip: Path, cache: Path | None = None, **options: Any) -> Performance:
        asked.append((clip, options))
        return films[clip]

    monkeypatch.setattr("understudy.tracking.track.tracked", tracked)
    coverage(*films)
    monkeypatch.setattr(Driver, "of", lambda clip, **options: Driver(tracked(clip, **options)))  # nothing to be heard
    looked_at, asked = asked, []
    with monkeypatch.context() as stop:
        stop.setattr("understudy.verbs.clone.carried_out", lambda *_, **__: pytest.fail("that is enough"))
        with pytest.raises(pytest.fail.Exception, match="enough"):
            clone(*films, tmp_path / "out.mp4", preset="instant", consent="I am it", device="cpu")
    assert len(looked_at) == 2 and looked_at == asked


def test_a_reference_without_fingers_is_told_how_to_get_them(
    tmp_path: Path, me: Performance, caplog: pytest.LogCaptureFixture
) -> None:
    """By recipes that play hands, and once: together with its size where that is too small as well."""
    caplog.set_level("INFO")
    near, far = me.header.crop, Crop(0.25, (0.0, 0.0))
    bare = Pose(me.poses.xy, me.poses.confidence.copy(), me.poses.size_hw)
    bare.confidence[:, LEFT_HAND.start :] = 0
    fingers = Pose(me.poses.xy, np.ones_like(bare.confidence), me.poses.size_hw)
    again = "again with `--size 64 --landmarks wholebody`, and give that"
    for number, (landmarks, crop, poses, told) in enumerate((
        ("body", far, bare, again),
        ("wholebody", far, bare, again),  # else what it has would be lost
        ("body", near, bare, "tracked without fingers: `track` it with `--landmarks wholebody`"),
        ("body", near, fingers, ""),  # given, say
        ("wholebody", near, bare, ""),  # none were found
    )):  # fmt: skip
        caplog.clear()
        config = replace(shrunk(copy_then_refine.instant()), size=64, side=32, crop=32)
        reference = Performance(me.path, replace(me.header, crop=crop, landmarks=landmarks), poses, me.status)
        train(reference, tmp_path / f"{number}.actor", config=config, consent="I am it", device="cpu")
        assert (told in caplog.text) if told else ("landmarks" not in caplog.text)
    caplog.clear()
    body = Performance(me.path, replace(me.header, landmarks="body"), me.poses, me.status)
    train(body, tmp_path / "pc.actor", config=CONFIG, max_steps=1, unpaired=[me], consent="I am it", device="cpu")
    assert "landmarks" not in caplog.text
