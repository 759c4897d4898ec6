"""A training whose frames lie on the disk ends with the same weights as one that holds them in memory."""

from __future__ import annotations

import numpy as np
import pytest

from tiny import session_for, shrunk, tiny_performance
from understudy.base.frame_store import FrameStore, Rows
from understudy.recipes import recipe

LEARNING = {
    "performance-cloning": None,
    "everybody-dance-now": None,
    "poses-in-the-wild": None,
    "cyclegan": "frames",
    "pix2pix": None,
}
"""recipes that read frames, or other people's flow, and the variant in which they read most"""


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return [tiny_performance(folder / f"{seed}.performance", seed, frames=12) for seed in (1, 2)]


@pytest.mark.parametrize("name", LEARNING)
def test_weights_are_the_same_to_the_bit(clips, tmp_path, monkeypatch, name):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as many threads, however busy the machine is
    me, other = clips
    method = recipe(name)
    config = shrunk(method.preset("preview", LEARNING[name]))
    unpaired = [other] if method.learns_from(config) == "clips" else []
    places = {}
    for memory_gb in (1.0, 0.0):
        found = places[memory_gb] = []
        for each in ("keep", "keep_mapped"):
            plain = getattr(FrameStore, each)
            monkeypatch.setattr(
                FrameStore, each, lambda *given, _plain=plain, _found=found: _found.append(_plain(*given)) or _found[-1]
            )
        session = session_for(name, config, me, tmp_path / str(memory_gb), unpaired, device="cpu", memory_gb=memory_gb)
        places[memory_gb] = [found, method.train(session)]
        monkeypatch.undo()
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (in_memory, fits), (on_disk, spilled) = places.values()
    assert len(in_memory) == len(on_disk) >= 1 + len(unpaired)
    assert not any(isinstance(one, Rows) for one in in_memory) and all(isinstance(one, Rows) for one in on_disk)
    assert fits.weights.keys() == spilled.weights.keys()
    for weight in fits.weights:
        assert np.array_equal(fits.weights[weight], spilled.weights[weight]), weight
    assert not [file for file in (tmp_path / "0.0").rglob(".frames*")]
