"""What of a played moment is shown as it was filmed, and when the network need not be asked."""

import numpy as np
import pytest
import torch

from understudy.networks.refiner import FLOW_UNIT, STILL, unchanged
from understudy.recipes.copy_then_refine import NETWORK, RECIPE, RefiningPlayer
from understudy.recipes.parts.dressing import Dressing
from understudy.recipes.parts.refined import as_filmed, changes_nothing, neutral, refiner_for

SIDE = 32


def moment():
    """Two sources of 32 pixels, looked up where they are, the first of them the better one by far."""
    y, x = np.indices((SIDE, SIDE), np.float32)
    half = SIDE // 2
    logits = np.stack([np.zeros((half, half), np.float32), np.full((half, half), -50, np.float32)])
    return Dressing(
        np.arange(2), np.zeros((2, SIDE, SIDE, 4), np.float32), np.stack([np.dstack([x, y])] * 2),
        np.ones((2, half, half), np.float32), logits, np.zeros((3, half, half), np.float32),
    )  # fmt: skip


def test_without_a_word_of_the_network_the_best_source_is_shown_as_it_is():
    one = moment()
    logits = torch.from_numpy(one.logits)[None]
    share, places = as_filmed(one, logits, unchanged(logits))
    np.testing.assert_allclose(share[0], 1, atol=1e-5)
    np.testing.assert_allclose(share[1], 0, atol=1e-5)
    np.testing.assert_array_equal(places, one.places)


def test_flow_is_where_it_is_looked_up_and_paint_is_not_filmed():
    """Four units to the right and two down, of half pixels of what the network sees."""
    one = moment()
    logits = torch.from_numpy(one.logits)[None]
    refinement = unchanged(logits)
    flow = refinement.flow.clone()
    flow[:, 0, 0], flow[:, 0, 1] = 4.0, 2.0
    assert np.hypot(4, 2) > 2 * STILL
    mask = torch.zeros_like(refinement.mask)
    mask[..., :, SIDE // 4 :] = 1.0
    share, places = as_filmed(one, logits, refinement._replace(flow=flow, mask=mask))
    moved = places[0, 8:24, 8:24] - one.places[0, 8:24, 8:24]
    np.testing.assert_allclose(moved, np.broadcast_to((4 * FLOW_UNIT, 2 * FLOW_UNIT), moved.shape), atol=0.02)
    np.testing.assert_allclose(share[0, :, :12], 1, atol=1e-5)
    np.testing.assert_allclose(share[0, :, -12:], 0, atol=1e-5)


@pytest.mark.parametrize("plain", [True, False])
def test_only_a_network_that_changes_nothing_is_not_asked(plain):
    config = RECIPE.preset("instant")
    weights = refiner_for(config).state_dict()
    weights["last.weight"] = weights["last.weight"] + 0.01
    arrays = {NETWORK + name: one.numpy() for name, one in (neutral(weights) if plain else weights).items()}
    assert changes_nothing(arrays[NETWORK + "last.weight"], arrays[NETWORK + "last.bias"]) is plain
    poses = {"xy": np.zeros((1, 133, 2), np.float32), "confidence": np.zeros((1, 133), np.float32)}
    player = RefiningPlayer(config, {**arrays, **poses, "moment": np.zeros(1, np.int64)}, torch.device("cpu"))
    asked = []
    player.network.register_forward_pre_hook(lambda *_: asked.append(True))
    side = config.side
    y, x = np.indices((side, side), np.float32)
    pictures = np.zeros((4, side, side, 4), np.float32)
    pictures[:, 100:140, 100:140] = 200
    half = side // 2
    parts = player.network.first.one.in_channels - (config.sources + 1) * 16 - 2 * config.sources
    whole = Dressing(
        np.arange(4), pictures, np.stack([np.dstack([x, y])] * 4), np.ones((4, half, half), np.float32),
        np.zeros((4, half, half), np.float32), np.zeros((parts, half, half), np.float32),
    )  # fmt: skip
    assert player._refined(whole) is not None and bool(asked) is not plain
