"""Rehearsal: blocks that never see themselves, pairs that follow each other, and crops that keep things together."""

from dataclasses import replace

import numpy as np
import pytest

from tiny import shrunk, tiny_performance
from understudy.conditioning.limb_warps import PARTS
from understudy.recipes import recipe
from understudy.recipes.parts.kept_frames import keep_frames
from understudy.recipes.parts.rehearsal import Rehearsal, blocks_of, rehearsed
from understudy.recipes.parts.rehearsal_tensors import MIRRORED, crop, tensors

CONFIG = shrunk(recipe("copy-then-refine").preset("preview"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    me = tiny_performance(tmp_path_factory.mktemp("rehearsal") / "me.performance", 1, frames=24)
    return keep_frames(me, CONFIG.size, 100)


def test_no_block_is_dressed_in_frames_that_were_filmed_within_the_gap_of_it():
    filmed_at = np.array([0, 1, 2, 9, 10, 11, 30, 31, 32, 33])
    for own, others in blocks_of(filmed_at, 3, gap=6, least=1):
        assert min(abs(filmed_at[own][:, None] - filmed_at[others]).ravel()) > 6
    assert sorted(np.concatenate([own for own, _ in blocks_of(filmed_at, 3, 6, 1)])) == list(range(10))


def test_blocks_that_have_too_little_to_be_dressed_in_are_left_out():
    assert blocks_of(np.arange(20), 4, gap=50, least=1) == []
    assert [len(own) for own, _ in blocks_of(np.array([0, 1, 2, 3, 100, 101]), 2, gap=5, least=2)] == [3]


def test_the_truth_is_the_frame_itself_and_the_sources_are_others(kept):
    blocks = rehearsed(CONFIG, kept, 4, 24, paired=True)
    assert len(blocks) == 4 and all(len(block) % 2 == 0 and len(block) >= 4 for block in blocks)
    for block in blocks:
        assert (block.truth[..., 3] > 0).any(axis=(1, 2)).all()
        assert (block.sources.max(axis=(1, 2, 3, 4)) > 100).all()
        assert (block.logits.max(axis=1) == 0).all(), "of the best one"


def test_moments_alone_fill_both_places_of_a_pair(kept):
    (block, *_) = rehearsed(CONFIG, kept, 4, 8, paired=False)
    assert np.array_equal(block.truth[0::2], block.truth[1::2])
    (block, *_) = rehearsed(CONFIG, kept, 4, 8, paired=True)
    assert not np.array_equal(block.truth[0::2], block.truth[1::2])


def test_a_short_reference_gives_fewer_sources_again(kept):
    few = {name: kept[name][:6] if name in ("xy", "confidence", "moment") else kept[name] for name in kept}
    blocks = rehearsed(replace(CONFIG, gap=0), few, 2, 4, paired=False)
    assert blocks == [], "3 others are fewer than 4 sources"


def whole(moments=2, side=32):
    """A picture that is red to the left and blue to the right, everywhere alike."""
    some = Rehearsal.empty(moments, 3, side)
    for picture in (some.sources, some.truth[:, None]):
        picture[..., : side // 2, 0], picture[..., side // 2 :, 2] = 200, 200
        picture[..., 3] = 255
    some.filmed[..., : side // 4] = 255
    some.logits[:, 1:] = -3
    some.pose[:, MIRRORED[2], :, : side // 4] = 255
    return some


def test_a_crop_is_cut_mirrored_and_coloured_alike_in_all_that_it_holds():
    pair = whole()
    for seed in range(12):
        sources, filmed, logits, pose, truth = crop(pair, 16, np.random.default_rng(seed))
        assert sources.shape == (2, 3, 4, 16, 16) and truth.shape == (2, 4, 16, 16)
        assert filmed.shape == logits.shape == (2, 3, 8, 8) and pose.shape == (2, len(PARTS), 8, 8)
        for source in range(3):
            np.testing.assert_array_equal(sources[:, source], truth)
        left = truth[:, 0, ::2, ::2] > 0 if (truth[:, 0] > 0).any() else None
        lit = pose.max(axis=1) > 0
        np.testing.assert_array_equal(lit, filmed[:, 0] > 0)
        if left is not None and (filmed[:, 0] > 0).any() and (filmed[:, 0] == 0).any():
            part = int(pose.max(axis=(0, 2, 3)).argmax())
            assert part in (2, MIRRORED[2])
        assert (logits[:, 0] == 0).all() and (logits[:, 1:] == -3).all(), "the nearest stays the first"


def test_something_strange_is_stuck_to_one_source_alone_and_never_to_the_truth():
    pair = whole(side=64)
    stuck = set()
    for seed in range(8):
        sources, *_, truth = crop(pair, 64, np.random.default_rng(seed), strange=1.0)
        assert ((truth == truth[:1]).all()) and sources.min() >= 0 and sources.max() <= 1
        assert (sources[:, :, :3] <= sources[:, :, 3:] + 1e-5).all(), "premultiplied"
        clean, *_ = crop(pair, 64, np.random.default_rng(seed), strange=0.0)
        altered = np.flatnonzero([len(np.unique(one)) > 8 for one in sources[0]])
        assert len(altered) == 1 and clean.shape == sources.shape
        stuck.add(int(altered[0]))
    assert len(stuck) > 1


def test_a_mirror_exchanges_right_and_left_and_twice_is_nothing():
    names = [part.name for part in PARTS]
    assert [names[MIRRORED[place]] for place in range(len(names))] != names
    assert [MIRRORED[MIRRORED[place]] for place in range(len(names))] == list(range(len(names)))
    assert names[MIRRORED[names.index("trunk")]] == "trunk"
    assert names[MIRRORED[names.index("left shin")]] == "right shin"


def test_tensors_of_a_rehearsal_are_premultiplied():
    some = whole()
    some.truth[..., 3] = 128
    *_, truth = tensors(some)
    assert truth.max() == pytest.approx(128 / 255)
    assert float(truth[0, 0, 0, 0]) == pytest.approx(200 / 255 * 128 / 255, abs=1e-6)
