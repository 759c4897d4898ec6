"""One photograph of a made-up person, played by the networks that come with the program."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from understudy.body.labels import LABEL
from understudy.errors import ActorError
from understudy.people.made_up import made_up_views
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.freestyle_reenactment import actor_arrays, as_it_comes, places_shown
from understudy.recipes.parts.freestyle_model import load_model
from understudy.recipes.parts.freestyle_player import SPECK, FreestylePlayer
from understudy.recipes.parts.freestyle_samples import photograph_of
from understudy.recipes.parts.player import moments
from understudy.synthetic import people
from understudy.tracking.matte import without_specks


@pytest.fixture(scope="module")
def views():
    return made_up_views(91, 3, (512, 320))


def player_of(photograph, config=None):
    return FreestylePlayer(config or as_it_comes(), actor_arrays(load_model(), photograph), torch.device("cpu"))


def dance(views):
    xy = np.stack([view.xy + np.array([96, 0]) for view in views]).astype(np.float32)
    return Pose(xy, np.stack([view.confidence for view in views]), (512, 512))


def test_a_person_comes_out_where_the_pose_is_and_the_same_in_any_batch(views):
    player = player_of(photograph_of(views[0]))
    pose = dance(views)
    alone, together = (np.stack(list(player.play(moments(pose), batch))) for batch in (1, 3))
    assert alone.shape == (3, 512, 512, 4) and alone.dtype == np.uint8
    assert np.abs(alone.astype(int) - together).mean() < 1
    for picture, view in zip(together, views, strict=True):
        made, true = picture[:, 96:416, 3] > 127, view.labels > 0
        assert (made & true).sum() / (made | true).sum() > 0.6
        assert (picture[..., :3] <= picture[..., 3:]).all()
        far = cv2.dilate(np.pad(view.labels, ((0, 0), (96, 96))), np.ones((121, 121))) == 0
        assert not picture[far].any()
    assert list(player.play([])) == []


def test_a_finer_photograph_gives_the_same_picture_finer(views):
    """Twice the pixels, of which the networks see the averages: people are where they were, and stripes are kept."""
    photograph, pose = photograph_of(views[0]), dance(views[1:2])
    large = cv2.resize(photograph.picture, (1024, 1024), interpolation=cv2.INTER_NEAREST)
    striped = large.copy()
    striped[::2, :, :3] = np.minimum(striped[::2, :, :3], 205) + 50
    striped[1::2, :, :3] = np.maximum(striped[1::2, :, :3], 50) - 50
    config = replace(as_it_comes(), detail=2)
    (usual,), (fine,), (stripes,) = (
        list(player_of(replace(photograph, picture=picture), how).play(moments(scaled)))
        for picture, how, scaled in (
            (photograph.picture, None, pose),
            (large, config, Similarity.resized(2).of_pose(pose, (1024, 1024))),
            (striped, config, Similarity.resized(2).of_pose(pose, (1024, 1024))),
        )
    )
    assert fine.shape == (1024, 1024, 4)
    shrunk = cv2.resize(fine, (512, 512), interpolation=cv2.INTER_AREA).astype(int)
    person = usual[..., 3] > 200
    assert np.abs(shrunk - usual)[person].mean() < 6
    across = [np.abs(np.diff(one[..., :3].astype(int), axis=0))[fine[1:, :, 3] > 250].mean() for one in (fine, stripes)]
    assert across[1] > across[0] + 20


def test_a_photograph_of_another_size_is_told(views):
    with pytest.raises(ActorError, match="not as large as its networks take it"):
        player_of(photograph_of(views[0]), replace(as_it_comes(), detail=2))


def test_who_reaches_far_out_is_seen_in_the_whole_square(views):
    player, pose = player_of(photograph_of(views[0])), dance(views)
    assert {box.stop - box.start for box in player.columns(pose)} == {320}
    pose.xy[0, 9] = (20, 200)
    pose.confidence[0, 9] = 1
    assert player.columns(pose) == [slice(0, 512)] * 3


def test_a_moment_without_anybody_is_empty(views):
    player = player_of(photograph_of(views[0]))
    nobody = Pose(np.zeros((1, 133, 2), np.float32), np.zeros((1, 133), np.float32), (512, 512))
    (picture,) = player.play(moments(nobody))
    assert not picture.any()


def of_girth(girth, monkeypatch):
    """The same dance of somebody who is as stout as that: the bones stay."""
    build = people._build
    with monkeypatch.context() as patched:
        patched.setattr(people, "_build", lambda *how: replace(build(*how), girth=girth))
        return made_up_views(97, 3, (512, 320))


def test_two_shapes_in_one_pose_give_two_outlines_and_one_shape_keeps_its_width(monkeypatch):
    """Gafni et al. 2021, section 3.1.1 and Figure 7: the body's shape is the photograph's, not the pose's."""
    thin, stout = (of_girth(girth, monkeypatch) for girth in (0.85, 1.3))
    np.testing.assert_allclose(thin[1].xy, stout[1].xy, atol=3)
    pose = dance(thin)
    true, made = (
        np.array([[(one > 127).sum() for one in shown] for shown in pictures])
        for pictures in (
            [[255 * (view.labels > 0) for view in views] for views in (thin, stout)],
            [
                [picture[..., 3] for picture in player_of(photograph_of(views[0])).play(moments(pose))]
                for views in (thin, stout)
            ],
        )
    )
    wider = true[1] / true[0]
    assert (wider > 1.1).all()
    assert (made[1] / made[0] > 1 + 0.5 * (wider - 1)).all()
    kept = made / true
    assert (np.abs(kept / kept.mean(axis=1, keepdims=True) - 1) < 0.15).all()


def test_the_frame_that_shows_most_of_somebody_is_the_photograph():
    shown, hidden = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32, 3), np.uint8)
    shown[..., 0], hidden[:4, :, 0] = 2, 2
    shown[..., 1] = hidden[..., 1] = np.arange(0, 256, 8)
    shown[..., 2] = hidden[..., 2] = np.arange(0, 256, 8)[:, None]
    assert places_shown(shown) > places_shown(hidden) > places_shown(hidden * 0) == 0


def test_the_networks_get_the_pose_in_pixels_of_the_columns_that_they_see(views, monkeypatch):
    player, pose = player_of(photograph_of(views[0])), dance(views)
    given, labels = [], FreestylePlayer.labels
    monkeypatch.setattr(
        FreestylePlayer, "labels", lambda self, wanted, along: (given.append(wanted), labels(self, wanted, along))[1]
    )
    list(player.play(moments(pose), 1))
    starts = np.array([[box.start, 0] for box in player.columns(pose)])
    assert (starts[:, 0] > 0).all()
    np.testing.assert_allclose([wanted.seen_xy for wanted in given], pose.xy - starts[:, None], atol=1e-4)


def test_what_is_left_out_beside_somebody_changes_nothing(views, monkeypatch):
    """Only what is about a person is painted; all of it gives the same picture."""
    player, pose = player_of(photograph_of(views[0])), dance(views)
    few = np.stack(list(player.play(moments(pose))))
    parts, about = [], FreestylePlayer.about
    for view in views:
        parts.append(about(player, view.labels))
        outside = np.ones(view.labels.shape, bool)
        outside[parts[-1]] = False
        assert not view.labels[outside].any()
    assert any(rows.stop - rows.start < 512 for rows, _ in parts)
    assert any(columns.stop - columns.start < 320 for _, columns in parts)
    monkeypatch.setattr(FreestylePlayer, "about", lambda self, labels: tuple(slice(0, side) for side in labels.shape))
    every = np.stack(list(player.play(moments(pose))))
    different = np.abs(few.astype(int) - every).max(axis=-1)
    assert different.max() < 30 and (different > 2).mean() < 1e-3


def test_the_part_about_somebody_stays_within_the_picture(views):
    player, labels = player_of(photograph_of(views[0])), np.zeros((512, 320), np.uint8)
    assert player.about(labels) == (slice(0, 32), slice(0, 32))
    for columns in (slice(0, 3), slice(316, 320), slice(150, 170), slice(1, 319)):
        shown = labels.copy()
        shown[100:200, columns] = 4
        rows, part = player.about(shown)
        assert 0 <= part.start <= columns.start and columns.stop <= part.stop <= 320 and part.start % 4 == 0
        assert part.stop - part.start == (320 if columns.start == 1 else 96 if columns.start == 150 else 32)
        assert rows == slice(72, 232)


def test_a_body_that_the_network_forgets_is_there(views, monkeypatch):
    player, given, labels = player_of(photograph_of(views[0])), [], FreestylePlayer.labels

    def kept(self, wanted, along):
        given.append((wanted, labels(self, wanted, along)))
        return given[-1][1]

    monkeypatch.setattr(FreestylePlayer, "labels", kept)
    monkeypatch.setattr(
        "understudy.recipes.parts.freestyle_player.labels_of",
        lambda shares, size_hw: torch.zeros(1, *size_hw, dtype=torch.uint8),
    )
    list(player.play(moments(dance(views)), 1))
    assert len(given) == 3
    for wanted, found in given:
        body = wanted.surface[:, wanted.columns, 0] > 0
        assert (found[body] > 0).mean() > 0.8 and not found[~body].any()


def test_what_floats_beside_somebody_is_left_out_unless_it_may_be_a_hand():
    labels = np.zeros((64, 64), np.uint8)
    labels[10:50, 10:40], labels[5:7, 50:53], labels[20:23, 60:63] = 5, 9, 14  # 0.5 %, and 0.75 %
    labels[60, 60] = 3
    clean = without_specks(labels, SPECK)
    assert clean[60, 60] == 0
    clean[60, 60] = 3
    assert np.array_equal(clean, labels)
    assert not without_specks(np.zeros((4, 4), np.uint8), SPECK).any()


def test_a_coat_widens_nobody_in_a_photograph(views):
    photograph = photograph_of(views[0])
    wide = cv2.dilate((photograph.labels > 0).astype(np.uint8), np.ones((25, 25)))
    picture = np.dstack([photograph.picture[..., :3], 255 * wide])
    coat, shirt = (
        actor_arrays(load_model(), replace(photograph, picture=picture, labels=wide * np.uint8(LABEL[name])))
        for name in ("coat", "upper clothes")
    )
    assert coat["girth"][0] < shirt["girth"][0]
