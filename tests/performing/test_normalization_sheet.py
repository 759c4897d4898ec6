"""How an actor's normalisation is kept, chosen and used, and the overlay that shows what it does."""

import logging
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tiny import tiny_performance, tiny_poses
from tiny_actor import drawing_actor, tiny_actor
from understudy.actor import Actor
from understudy.base.files import load_tensors, save_tensors
from understudy.errors import ActorError, Interrupted, UsageError
from understudy.media.reading import read_image
from understudy.performance import Performance
from understudy.performing.driver import Driver
from understudy.performing.normalization_sheet import FILMED, FLOOR, PLACED, normalization_sheet
from understudy.performing.perform import aligned_poses, in_picture, part_for
from understudy.poses.pose import LEFT_ANKLE, RIGHT_ANKLE, Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.settings import changed
from understudy.retargeting.alignment import BodyStatistics, body_statistics
from understudy.retargeting.global_normalization import GroundStatistics, ground_statistics, normalization
from understudy.verbs.clone import clone
from understudy.verbs.inspect import inspect
from understudy.verbs.perform import perform
from understudy.verbs.train import train

FPS = Fraction(25)
ANKLES = [LEFT_ANKLE, RIGHT_ANKLE]


def nearing(frames: int = 100, size: int = 256) -> Pose:
    """Somebody who comes closer: from half the size at the picture's middle to full size at its bottom."""
    pose = tiny_poses(frames, size, seed=1)
    share = np.linspace(0.5, 1, frames)[:, None, None]
    horizon = np.array([size / 2, size * 0.3])
    return Pose((horizon + share * (pose.xy - horizon)).astype(np.float32), pose.confidence, pose.size_hw)


def actor_of(pose: Pose, **changes: Any) -> Actor:
    ground = ground_statistics(pose, FPS)
    return drawing_actor(**({"body": body_statistics(pose), "ground": ground, "working_size": 256} | changes))


def clip_of(pose: Pose) -> Any:
    return SimpleNamespace(poses=pose, fps=FPS, header=SimpleNamespace(source_name="dance.mp4"))


def test_the_ground_is_kept_in_the_actor(tmp_path: Path) -> None:
    printed = GroundStatistics(31.0, 26.5, 21.0, 19.0)
    for ground in (GroundStatistics(30.0, 25.5, 20.0, 18.0), None):
        tiny_actor(ground=ground, ground_printed=printed).save(tmp_path / "me.actor")
        loaded = Actor.load(tmp_path / "me.actor")
        assert (loaded.ground, loaded.ground_printed) == (ground, printed)


@pytest.mark.parametrize(
    ("ground", "message"),
    [
        pytest.param(None, None, id="older than this"),
        pytest.param(
            {"close": 20, "far": 30, "close_height": 9, "far_height": 8},
            "close and far are 20.0 and 30.0",
            id="swapped",
        ),
        pytest.param({"close": 30, "far": 20, "close_height": 0, "far_height": 8}, "close_height is 0", id="no height"),
        pytest.param({"close": 30, "far": 20}, "'close_height' is missing", id="half"),
    ],
)
def test_actors_from_before_still_load_and_damaged_ones_do_not(tmp_path: Path, ground: Any, message: str) -> None:
    tiny_actor().save(tmp_path / "me.actor")
    tensors, header = load_tensors(tmp_path / "me.actor", ActorError)
    del header["config"]["placement"]["normalization"], header["ground"]
    save_tensors(tmp_path / "me.actor", tensors, header | ({} if ground is None else {"ground": ground}))
    if message is None:
        assert Actor.load(tmp_path / "me.actor").ground is None
    else:
        with pytest.raises(ActorError, match=f"{message}.*train it again"):
            Actor.load(tmp_path / "me.actor")


@pytest.mark.parametrize("fit_limbs", [False, True], ids=["as they are", "fitted limbs"])
def test_half_the_size_and_elsewhere_stands_on_the_references_floor(fit_limbs: bool) -> None:
    pose = nearing()
    driving = clip_of(Similarity(0.5, (40, 10)).of_pose(pose, (256, 256)))
    actor = actor_of(pose)
    fitting = replace(actor, config=changed(actor.config, {"fit_limbs": fit_limbs}))
    placed = aligned_poses(fitting.normalizing_by("ground"), driving)
    np.testing.assert_allclose(placed.xy[:, ANKLES], pose.xy[:, ANKLES], atol=3)
    assert np.abs((placed.xy - pose.xy)[pose.confidence > 0]).mean() < 2


def test_similarity_is_what_actors_use_unless_told(caplog: pytest.LogCaptureFixture) -> None:
    pose, still = nearing(), tiny_poses(60, 256, seed=2)
    actor = actor_of(pose)
    assert actor.placement.normalization == "similarity" and actor.normalizing_by(None) is actor
    similar, grounded = (aligned_poses(actor.normalizing_by(way), clip_of(still)) for way in ("similarity", "ground"))
    np.testing.assert_array_equal(aligned_poses(actor, clip_of(still)).xy, similar.xy)
    assert np.abs(similar.xy - grounded.xy).max() > 2
    assert not caplog.text


@pytest.mark.parametrize("lacking", ["driver", "reference"])
def test_without_feet_similarity_stands_in_and_one_note_says_so(lacking: str, caplog: pytest.LogCaptureFixture) -> None:
    pose = nearing()
    actor = actor_of(pose)
    if lacking == "driver":
        pose = Pose(pose.xy, np.where(np.isin(np.arange(133), ANKLES), 0, pose.confidence), pose.size_hw)
    else:
        actor = replace(actor, ground=None)
    placed = aligned_poses(actor.normalizing_by("ground"), clip_of(pose))
    np.testing.assert_array_equal(placed.xy, aligned_poses(actor, clip_of(pose)).xy)
    (note,) = caplog.messages
    named = "the driver dance.mp4" if lacking == "driver" else "the actor's reference me.mp4"
    assert note.startswith(f"{named} hardly ever shows both feet and the head")
    assert ("train it again" in note) is (lacking == "reference")


def test_the_formulas_as_printed_are_used_when_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    pose, driving = nearing(), tiny_poses(60, 256, seed=2)
    mine, its = (ground_statistics(one, FPS, printed=True) for one in (pose, driving))
    actor = actor_of(pose, ground_printed=mine).normalizing_by("ground-printed")
    bodies = body_statistics(driving), actor.body
    exact = normalization(driving, FPS, (bodies[0], its), (bodies[1], mine), printed=True)
    placed = aligned_poses(actor, clip_of(driving))
    np.testing.assert_array_equal(placed.xy, exact.apply_to_pose(driving, (256, 256)).xy)
    assert np.abs(placed.xy - aligned_poses(actor.normalizing_by("ground"), clip_of(driving)).xy).max() > 2
    assert not caplog.text
    older = replace(actor, ground_printed=None)
    similar = aligned_poses(actor.normalizing_by("similarity"), clip_of(driving))
    np.testing.assert_array_equal(aligned_poses(older, clip_of(driving)).xy, similar.xy)
    assert "(or the actor is older than this: train it again)" in caplog.text


# -- the overlay -------------------------------------------------------------------------------------------------


@pytest.fixture
def dance(tmp_path: Path) -> Performance:
    return tiny_performance(tmp_path / "dance.performance", 1, frames=12)


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """(N, 2) rows and columns of the pixels that have about this colour."""
    return np.argwhere(np.abs(picture.astype(int) - colour).max(axis=2) < 30)


def test_overlay_shows_both_skeletons_where_they_are(dance: Performance) -> None:
    # The driver's picture is 48 x 40 as the reference's, so raw he stands where he was filmed; placed, lower and aside
    own = body_statistics(dance.poses)
    lower = BodyStatistics(
        (own.centre_xy[0] + 14, own.centre_xy[1] + 10), own.hip_width, own.torso_length, own.limb_lengths
    )
    room = np.zeros((48, 40, 3), np.uint8)
    actor = drawing_actor(body=lower, background=room, ground=GroundStatistics(38.0, 36.0, 20.0, 20.0))
    sheet = normalization_sheet(actor, Driver(dance), {"similarity": in_picture(actor, part_for(actor, dance).pose)})
    filmed, placed = coloured(sheet, FILMED), coloured(sheet, PLACED)
    assert len(filmed) > 300 and len(placed) > 300 and len(coloured(sheet, FLOOR)) > 100
    pixels = 320 / 48  # of a cell, for each of the picture
    assert placed[:, 0].max() - filmed[:, 0].max() == pytest.approx(10 * pixels, abs=1.5 * pixels)


def test_comparison_comes_with_the_overlay(tmp_path: Path, dance: Performance) -> None:
    tiny_actor(ground=GroundStatistics(28.0, 26.0, 20.0, 19.0)).save(tmp_path / "me.actor")
    perform(tmp_path / "me.actor", dance, tmp_path / "out.mp4", compare=True, normalization="ground")
    assert len(coloured(read_image(tmp_path / "out.normalization.png"), PLACED)) > 300
    perform(tmp_path / "me.actor", dance, tmp_path / "plain.mp4")
    assert not (tmp_path / "plain.normalization.png").exists()


def test_of_a_video_that_was_stopped_there_is_no_overlay(tmp_path, dance, monkeypatch) -> None:
    def stopped(*_):
        raise Interrupted("stopped", 2)

    tiny_actor(ground=GroundStatistics(28.0, 26.0, 20.0, 19.0)).save(tmp_path / "me.actor")
    monkeypatch.setattr("understudy.performing.perform.composed", stopped)
    with pytest.raises(Interrupted):
        perform(tmp_path / "me.actor", dance, tmp_path / "out" / "out.mp4", compare=True, normalization="ground")
    assert not list(tmp_path.glob("out/*"))


def test_inspect_shows_every_normalisation_for_a_driver(tmp_path: Path, dance: Performance) -> None:
    tiny_actor(ground=GroundStatistics(28.0, 26.0, 20.0, 19.0)).save(tmp_path / "me.actor")
    found = inspect(tmp_path / "me.actor", tmp_path / "one.png", driving=dance)
    assert "normalization  similarity" in str(found)
    height = read_image(found.sheet).shape[0]
    assert 2 * 320 < height < 3 * 320
    with pytest.raises(UsageError, match=r"`driving` shows how an actor places a driver, and .* is no actor"):
        inspect(dance.path, tmp_path / "two.png", driving=dance)


def test_a_driver_nobody_is_in_has_an_overlay_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen_once = tiny_performance(tmp_path / "gap.performance", 1, frames=12, missing=tuple(range(11)))
    actor = tiny_actor()
    with caplog.at_level(logging.ERROR):
        sheet = normalization_sheet(actor, Driver(seen_once), {"similarity": in_picture(actor, seen_once.poses)})
    assert sheet.dtype == np.uint8 and sheet.ndim == 3


def test_unknown_normalisations_are_refused_before_any_work(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    for verb in (
        lambda: perform("no.actor", "no.mp4", output, normalization="magic"),  # type: ignore[arg-type]
        lambda: train("no.mp4", tmp_path / "me.actor", normalization="magic"),  # type: ignore[arg-type]
        lambda: clone("no.mp4", "no.mp4", output, normalization="magic"),  # type: ignore[arg-type]
    ):
        with pytest.raises(UsageError, match="`normalization='magic'`: there is no such one"):
            verb()
