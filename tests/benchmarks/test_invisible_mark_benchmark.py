"""The benchmark of the invisible mark: what it does to videos, and how it counts."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from understudy.media.reading import VideoReader, VideoWriter


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import invisible_mark

        yield invisible_mark


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    file = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(file, Fraction(12)) as writer:
        for level in range(24):
            writer.write(np.full((120, 200, 3), 100 + level, np.uint8))
    return file


@pytest.mark.parametrize(
    ("name", "size_hw", "fps", "level"),
    [
        ("10 % cropped, crf 28", (108, 180), 12, 100), ("to 30 fps, crf 28", (120, 200), 30, 100),
        ("brightness and contrast -15 %, crf 28", (120, 200), 12, (-28 * 0.85 + 128) * 0.85),
        ("brightness and contrast +15 %, crf 28", (120, 200), 12, (-28 * 1.15 + 128) * 1.15),
        ("480p, crf 28", (120, 200), 12, 100), ("re-encoded twice as by messengers", (120, 200), 12, 100),
    ],
)  # fmt: skip
def test_treatments_do_what_they_are_called(bench, clip, tmp_path, name, size_hw, fps, level):
    bench.TREATMENTS[name](clip, tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as frames:
        shown = list(frames)
        assert (frames.size_hw, frames.fps, len(shown)) == (size_hw, fps, 2 * fps)
    assert shown[0].mean() == pytest.approx(level, abs=2.5)
    assert [one.name for one in tmp_path.iterdir()] == ["out.mp4"]


def test_a_wrong_identity_is_no_find(bench):
    seen = [
        bench.Seen("a", True, "sent", True, True, 20.0), bench.Seen("b", True, "sent", True, False, 7.0),
        bench.Seen("c", False, "sent", False, False, None), bench.Seen("a", True, "cut", True, True, 9.0),
    ]  # fmt: skip
    clips = [
        {"bytes_marked": 3, "bytes_unmarked": 2, "psnr_db": 50.0},
        {"bytes_marked": 2, "bytes_unmarked": 2, "psnr_db": 48.0},
    ]
    told = bench.summary(seen, clips, [{"found": True}, {"found": False}])
    assert told["treatments"]["sent"] == {"clips": 3, "found": 1, "share": 1 / 3, "weakest": 7.0}
    assert told["treatments"]["cut"]["share"] == 1 and told["wrong_identity"] == 1
    assert (told["unmarked_clips"], told["found_in_unmarked"]) == (2, 1)
    assert told["psnr_db"] == {"least": 48.0, "median": 49.0} and told["size_ratio"] == {"median": 1.25, "most": 1.5}
