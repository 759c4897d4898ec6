"""The benchmark of long clips: the line through the lengths, a looped clip, and that every job runs."""

from pathlib import Path

import numpy as np
import pytest

from clips import write_clip
from understudy.media.reading import VideoReader, probe


@pytest.fixture(scope="module")
def long_clips():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import long_clips

        yield long_clips


def test_a_line_says_what_a_frame_costs_and_what_is_paid_once(long_clips):
    rows = [{"frames": n, "seconds": 3 + 0.02 * n, "peak_memory_mib": 400 + n / 512} for n in (100, 200, 400, 800)]
    found = long_clips.line("track", rows)
    assert (found["ms_a_frame"], found["kib_a_frame"]) == pytest.approx((20, 2))
    assert found["once"] == {"seconds": 3.0, "memory_mib": 400}
    assert found["hour_minutes"] == pytest.approx((3 + 2160) / 60, abs=0.06)


def test_a_looped_clip_goes_back_and_forth(long_clips, tmp_path):
    levels = [np.full((64, 96, 3), level, np.uint8) for level in (20, 90, 160)]
    source, target = write_clip(tmp_path / "three.mp4", levels), tmp_path / "long.mp4"
    long_clips.looped(source, target, (128, 96), 7)
    assert (probe(target).size_hw, probe(target).fps) == ((96, 128), probe(source).fps)
    with VideoReader(target) as reader:
        shown = [int(frame.mean()) for frame in reader]
    assert np.allclose(shown, [20, 90, 160, 90, 20, 90, 160], atol=6)
