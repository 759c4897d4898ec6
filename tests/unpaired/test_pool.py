"""A pool of poses: what is drawn, how evenly, in whose pixels, and how much memory it holds."""

import json
import logging
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tiny import tiny_performance, tiny_poses
from understudy.errors import PoseError
from understudy.poses.pose import (
    BODY,
    FACE,
    LEFT_EAR,
    LEFT_HAND,
    LEFT_HIP,
    LEFT_SHOULDER,
    NOSE,
    RIGHT_HIP,
    RIGHT_SHOULDER,
    Pose,
)
from understudy.poses.similarity import Similarity
from understudy.retargeting.alignment import align, body_statistics
from understudy.retargeting.proportions import fit_limbs
from understudy.synthetic.dances import dance_poses
from understudy.unpaired.pool import KEPT, PosePool, PoseSequence

BODY_OF_REFERENCE = body_statistics(tiny_poses(40, 128, 0))


def sequence(name, frames=20, size=64, seed=1, missing=()):
    status = np.full(frames, 2, np.uint8)
    status[list(missing)] = 0
    return PoseSequence(name, tiny_poses(frames, size, seed), status, Fraction(25))


def pool_of(sequences, consecutive=3, seen_above=0.1):
    return PosePool.of(sequences, BODY_OF_REFERENCE, consecutive, seen_above)


def marked(number, frames, missing=()):
    """A standing figure whose nose tells the frame, and whose ear tells the clip."""
    one = sequence(f"clip {number}", frames, missing=missing)
    xy = np.repeat(one.poses.xy[:1], frames, axis=0)
    xy[:, NOSE, 0] += np.arange(frames) / 4
    xy[:, LEFT_EAR, 0] += 4 * number
    return PoseSequence(one.name, Pose(xy, one.poses.confidence, one.poses.size_hw), one.status, one.fps)


def read_back(xy):
    """Numbers of clips (B,) and of frames (B, N) that `marked` wrote into windows."""
    figure = marked(0, 1).poses
    scale = align(body_statistics(figure), BODY_OF_REFERENCE, "body").scale
    nose, ear = (
        (xy[:, :, point, 0] - xy[:, :, LEFT_SHOULDER, 0]) / scale
        - (figure.xy[0, point, 0] - figure.xy[0, LEFT_SHOULDER, 0])
        for point in (NOSE, LEFT_EAR)
    )
    np.testing.assert_allclose(np.diff(nose, axis=1), 1 / 4, atol=0.1)
    return np.rint(ear[:, 0] / 4).astype(int), np.rint(nose * 4).astype(int)


def test_draws_have_the_promised_form():
    pool = pool_of([sequence("a"), sequence("b", seed=2)], consecutive=5)
    xy, seen = pool.draw(np.random.default_rng(0), 7)
    assert (xy.shape, xy.dtype) == ((7, 5, 133, 2), np.float32)
    assert (seen.shape, seen.dtype) == ((7, 5, 133), np.bool_)
    assert (pool.names, len(pool), pool.windows) == (("a", "b"), 2, 2 * 16)
    assert not xy[~seen].any()


def test_the_same_generator_draws_the_same():
    pool = pool_of([sequence("a"), sequence("b", 30, seed=2), sequence("c", 9, seed=3)])
    draws = [pool.draw(np.random.default_rng([4, 2]), 6) for _ in range(2)]
    np.testing.assert_array_equal(draws[0][0], draws[1][0])
    np.testing.assert_array_equal(draws[0][1], draws[1][1])
    other = pool.draw(np.random.default_rng([4, 3]), 6)
    assert not np.array_equal(draws[0][0], other[0])


def test_a_long_clip_is_drawn_as_often_as_a_short_one_and_each_window_alike():
    pool = pool_of([marked(0, 200), marked(1, 20), marked(2, 4)])
    assert pool.windows == 198 + 18 + 2
    clips, frames = read_back(pool.draw(np.random.default_rng(0), 6000)[0])
    counts = np.bincount(clips)
    assert len(counts) == 3 and np.abs(counts - 2000).max() < 4 * np.sqrt(6000 * 2 / 9), counts  # four deviations
    for clip, windows in ((1, 18), (2, 2)):
        each = np.bincount(frames[clips == clip, 0])
        expected = counts[clip] / windows
        assert len(each) == windows and np.abs(each - expected).max() < 4 * np.sqrt(expected), each
    assert len(np.unique(frames[clips == 0, 0])) == 198


def test_windows_are_frames_on_end_with_a_person():
    clip = marked(0, 30, missing=(7, 8, 20))
    clip.poses.confidence[25, BODY] = 0.05  # only guessed at, and so nobody is there
    pool = pool_of([clip])
    assert pool.windows == 5 + 9 + 2 + 2
    _, frames = read_back(pool.draw(np.random.default_rng(0), 400)[0])
    assert set(frames[:, 0]) == {0, 1, 2, 3, 4, *range(9, 18), 21, 22, 26, 27}
    np.testing.assert_array_equal(frames, frames[:, :1] + np.arange(3))


def test_frames_filled_in_between_found_ones_count():
    clip = sequence("a", 10)
    clip.status[4] = 1
    assert pool_of([clip]).windows == 8


@pytest.mark.parametrize("size", [16, 64, 1920])
def test_every_clip_has_the_references_size_and_place(size):
    clip = sequence("a", 60, size, seed=5)
    shifted = Similarity.shifted(300, -40).of_pose(clip.poses, (4000, 4000))
    pool = pool_of([PoseSequence("a", shifted, clip.status, clip.fps)])
    xy, seen = pool.draw(np.random.default_rng(0), 300)
    shoulders, hips = (xy[:, :, pair].mean(axis=2) for pair in ((LEFT_SHOULDER, RIGHT_SHOULDER), (LEFT_HIP, RIGHT_HIP)))
    torso = np.linalg.norm(shoulders - hips, axis=-1)
    assert np.quantile(torso, 0.9) == pytest.approx(BODY_OF_REFERENCE.torso_length, rel=0.01)
    centre = ((shoulders + hips) / 2).mean(axis=(0, 1))
    np.testing.assert_allclose(centre, BODY_OF_REFERENCE.centre_xy, atol=0.02 * BODY_OF_REFERENCE.torso_length)
    assert seen[..., BODY].all()


def test_what_is_stored_is_what_alignment_gives():
    dance = dance_poses(0)
    confidence = dance.confidence.copy()
    confidence[:, LEFT_HAND.start + 3] = 0.1  # not above what counts as seen
    clip = PoseSequence("dance", Pose(dance.xy, confidence, dance.size_hw), np.full(360, 2, np.uint8), Fraction(30))
    pool = pool_of([clip], consecutive=360)
    xy, seen = pool.draw(np.random.default_rng(0), 1)
    wanted = align(body_statistics(clip.poses), BODY_OF_REFERENCE, "body").of_pose(clip.poses, (128, 128))
    assert not seen[..., FACE].any()
    np.testing.assert_array_equal(seen[0][:, KEPT], confidence[:, KEPT] > 0.1)
    assert not seen[..., LEFT_HAND.start + 3].any() and seen[..., LEFT_HAND].any()
    off = np.abs(xy[0] - wanted.xy)[seen[0]]
    assert off.max() <= 0.51 * BODY_OF_REFERENCE.torso_length / 1024


def test_limbs_may_be_given_the_references_lengths():
    dance = dance_poses(1)
    clip = PoseSequence("dance", dance, np.full(360, 2, np.uint8), Fraction(30))
    own = body_statistics(dance)
    alignment = align(own, BODY_OF_REFERENCE, "body")
    aligned = alignment.of_pose(dance, (128, 128))
    fitted = fit_limbs(aligned, alignment, own, BODY_OF_REFERENCE)
    for fit, wanted in ((False, aligned), (True, fitted)):
        pool = PosePool.of([clip], BODY_OF_REFERENCE, 360, 0.1, fit=fit)
        xy, seen = pool.draw(np.random.default_rng(0), 1)
        assert np.abs(xy[0] - wanted.xy)[seen[0]].max() <= 0.51 * BODY_OF_REFERENCE.torso_length / 1024
    assert np.abs(fitted.xy - aligned.xy)[:, BODY].max() > 3


def test_a_point_far_beyond_the_picture_is_not_seen():
    clip = sequence("a")
    clip.poses.xy[3, 9] = (50_000.0, 0.0)
    xy, seen = pool_of([clip], consecutive=20).draw(np.random.default_rng(0), 1)
    assert not seen[0, 3, 9] and seen[0, 2, 9] and not xy[0, 3, 9].any()


def test_people_seen_from_the_other_side_only_are_turned_and_counted_in_one_line(caplog):
    turned = [PoseSequence(f"{i}", sequence("", seed=i).poses.sides_exchanged(), np.full(20, 2, np.uint8), Fraction(25))
              for i in range(3)]  # fmt: skip
    pool = pool_of([sequence("front", seed=9), *turned])
    assert [record.message for record in caplog.records] == [
        "3 of 4 clips only show people from the side that the reference never shows: their left and right are exchanged"
    ]
    xy, _ = pool.draw(np.random.default_rng(0), 50)
    assert (xy[..., LEFT_SHOULDER, 0] > xy[..., RIGHT_SHOULDER, 0]).all()


def test_a_pool_holds_four_bytes_a_point_and_a_number_a_window():
    clips = [sequence(f"{i}", 315, seed=i) for i in range(4)]
    pool = pool_of(clips, consecutive=9)
    frames, windows = 4 * 315, 4 * 307
    assert len(KEPT) == 65 and KEPT.tolist() == [*range(23), *range(91, 133)]
    assert pool.nbytes == frames * 65 * 2 * 2 + windows * 4 + 5 * 8
    assert pool.nbytes / frames * 315_000 < 100 * 2**20


def test_clips_without_a_window_are_left_out(caplog):
    faceless = tiny_poses(20, 64, 4)
    faceless.confidence[:, 5:13] = 0
    clips = [
        sequence("short", 4),
        sequence("gaps", 20, missing=range(0, 20, 3)),
        PoseSequence("torso hidden", faceless, np.full(20, 2, np.uint8), Fraction(25)),
        sequence("good", 20),
    ]
    assert pool_of(clips, consecutive=5).names == ("good",)
    said = [record.message for record in caplog.records]
    assert said[0] == "short is left out: it has no 5 frames on end with a person"
    assert said[1] == "gaps is left out: it has no 5 frames on end with a person"
    assert said[2].startswith("torso hidden is left out: none of 20 frames shows both shoulders and both hips")
    with pytest.raises(PoseError, match="none of 3 clips of poses shows a person in 5 frames on end: give others with"):
        pool_of(clips[:3], consecutive=5)
    with pytest.raises(PoseError, match="none of 0 clips"):
        pool_of([])


def test_performances_may_stand_among_sequences(tmp_path):
    performance = tiny_performance(tmp_path / "me.performance", 3, frames=14, missing=(2,))
    pool = pool_of([performance, sequence("a", 8)])
    assert pool.names == ("me.performance", "a") and pool.windows == 9 + 6
    same = PoseSequence.of(performance)
    assert (len(same), same.fps, same.poses) == (14, Fraction(25), performance.poses)


def test_the_fingerprint_tells_what_draws_depend_on():
    clips = [sequence("a"), sequence("b", seed=2)]
    same = pool_of(clips).fingerprint()
    assert same == pool_of([sequence("other name"), sequence("b", seed=2)]).fingerprint()
    others = (pool_of(clips[::-1]), pool_of(clips[:1]), pool_of(clips, consecutive=4))
    moved = PosePool.of(clips, body_statistics(tiny_poses(40, 256, 0)), 3, 0.1)
    assert len({same, moved.fingerprint(), *(one.fingerprint() for one in others)}) == 5


def test_statuses_must_belong_to_the_poses():
    with pytest.raises(ValueError, match=r"20 poses need as many statuses, not \(3,\)"):
        PoseSequence("a", tiny_poses(20, 64, 0), np.zeros(3, np.uint8), Fraction(25))


def test_nothing_but_bad_news_is_logged(caplog):
    with caplog.at_level(logging.INFO):
        pool_of([sequence("a")])
    assert not caplog.records


def test_the_benchmark_measures_all_of_it(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import measuring
    import pose_pool

    monkeypatch.setattr(measuring, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(pose_pool, "DANCES", 1)
    output = tmp_path / "mine.json"
    assert pose_pool.main(["--clips", "3", "--frames", "20", "--repeats", "1", "--output", str(output)]) == 0
    record = json.loads(output.read_text())
    held = {(row["stage"], row["unit"]): row["median"] for row in record["rows"]}
    assert held["pool", "MiB"] * 2**20 == pytest.approx(3 * (20 * 65 * 4 + 12 * 4) + 4 * 8)
    assert {unit for _, unit in held} == {"s", "MiB", "us"} and len(record["bars"]) == 2
    assert "bar  loads in 30 s or less: met" in capsys.readouterr().out
