"""The main job on real footage: one man filmed by two cameras, from file to file."""

import os
from pathlib import Path

import numpy as np
import pytest

import understudy
from understudy.media.reading import VideoReader, probe

MEDIA = Path(os.environ.get("UNDERSTUDY_MEDIA", Path(__file__).parents[3] / "shared" / "media"))


@pytest.mark.skipif(not (MEDIA / "balance_cam3.mp4").exists(), reason=f"no real clips in {MEDIA} (UNDERSTUDY_MEDIA)")
def test_a_real_man_is_cloned_to_a_finished_video(tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    reference, driving = MEDIA / "balance_cam3.mp4", MEDIA / "balance_cam1.mp4"
    output = understudy.clone(
        reference, driving, tmp_path / "out.mp4", max_minutes=0.1, consent="published for research under BSD-3-Clause"
    )
    made, asked = probe(output), probe(driving)
    assert made.size_hw == probe(reference).size_hw
    assert made.fps == asked.fps
    frames = list(VideoReader(output, long_side=480))
    assert abs(len(frames) - asked.frames) <= 1
    actor = understudy.Actor.load(tmp_path / "out.actor")
    assert actor.consent.text.startswith("published")
    # The room is the reference's own, and somebody moves in it
    assert np.abs(frames[0].astype(int) - frames[60]).max() > 60
