"""The benchmark of long clips: the line through the lengths, a looped clip, and that every job runs."""

from fractions import Fraction
from pathlib import Path

import av
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


def test_a_tone_lasts_as_long_as_the_pictures_and_what_is_late_is_seen(long_clips, tmp_path):
    import hours

    source = write_clip(tmp_path / "three.mp4", 3, Fraction(2000, 1001))
    target, late = tmp_path / "long.mp4", tmp_path / "late.mp4"
    long_clips.looped(source, target, (64, 48), 41, tone=True)
    video, audio, frames = hours._ends(target)
    assert frames == 41 and video == 40 * Fraction(1001, 2000)
    assert 0 <= video + Fraction(1001, 2000) - audio <= Fraction(2 * 1024, long_clips.SAMPLES)  # a packet or two
    with av.open(str(target)) as given, av.open(str(late), "w") as made:
        streams = {one: made.add_stream_from_template(one) for one in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                shift = round(Fraction(1, 10) / packet.time_base) if packet.stream.type == "audio" else 0
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = streams[packet.stream]
                made.mux(packet)
    assert abs(float(hours._apart(late) - hours._apart(target)) - 0.1) < 0.001
