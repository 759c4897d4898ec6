"""The command on real pictures: one frame of one clip dances as somebody in another one does."""

from fractions import Fraction

import av
import numpy as np
import pytest

from clips import real_clip
from understudy.cli import main as cli
from understudy.media.images import write_image
from understudy.media.reading import VideoReader, VideoWriter
from understudy.performance import Performance


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A photograph of the juggler, and four frames of somebody's squats."""
    folder = tmp_path_factory.mktemp("frames")
    with VideoReader(real_clip("juggler.mp4"), start=1.0, end=1.05) as video:
        write_image(folder / "photo.png", np.asarray(next(iter(video))))
    squats = real_clip("studio_squats_5fps.mp4")
    with VideoReader(squats, end=0.8) as video, VideoWriter(folder / "squats.mp4", Fraction(5)) as out:
        for frame in video:
            out.write(np.asarray(frame))
    return folder


def test_a_frame_of_a_clip_dances_by_the_command(place, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out.mp4"
    words = f"perform --person {place / 'photo.png'} --driving {place / 'squats.mp4'} --output {out} --compare"
    with pytest.raises(SystemExit) as left:
        cli.main([*words.split(), "--background", "#2040a0", "--consent", "the clip's licence"])
    said = capsys.readouterr().err
    assert left.value.code in (None, 0), said
    assert "by networks that have seen" in said
    with VideoReader(out) as video:
        frames = [np.asarray(frame) for frame in video]
    assert len(frames) == 4
    for frame in frames:
        room = np.abs(frame.astype(int) - (0x20, 0x40, 0xA0)).max(axis=-1) < 12
        assert 0.9 < room.mean() < 0.99  # he is a third of the picture high
    with av.open(str(out)) as video:
        assert "the clip's licence" in video.metadata["comment"]
    with VideoReader(out.with_suffix(".compare.mp4")) as video:
        assert sum(1 for _ in video) == 4
    # The networks have learnt to see faces and hands
    tracked = [Performance.load(one) for one in (tmp_path / "cache" / "performances").iterdir()]
    assert [one.header.landmarks for one in tracked] == ["wholebody"] * 2
    assert all((one.poses.confidence[:, 23:] > 0).any() for one in tracked)
