"""Recordings joined end to end are read as one, while packets that got lost stay damage."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import clips
from understudy.errors import MediaError
from understudy.media.reading import VideoReader
from understudy.media.writing import VideoWriter


def _joined(folder: Path, suffix: str, codec: str, counts: list[int], **options: object) -> Path:
    """What `cat` makes of recordings that all begin at time 0; frames are numbered through."""
    path = folder / f"joined{suffix}"
    data, first = b"", 0
    for number, count in enumerate(counts):
        pictures = [clips.numbered(first + k) for k in range(count)]
        part = clips.write_clip(folder / f"part{number}{suffix}", pictures, 25, codec=codec, **options)
        data += part.read_bytes()
        first += count
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        (".ts", "libx264", {"bf": "3"}),
        (".ts", "libx264", {"bf": "0"}),
        (".ts", "mpeg2video", {"bf": "2"}),
        (".mpg", "mpeg2video", {"bf": "2"}),
    ],
    ids=["h264 with B", "h264", "mpeg2", "program stream"],
)
@pytest.mark.parametrize("audio", [None, "mp2"])
def test_joined_recordings_are_one_film(
    tmp_path: Path, suffix: str, codec: str, options: dict[str, str], audio: str | None
) -> None:
    path = _joined(tmp_path, suffix, codec, [31, 22, 40], options=options, audio=audio)
    reader = VideoReader(path, strict=True)
    assert clips.numbers_of(reader) == list(range(93))
    assert (reader.info.frames, reader.info.duration) == (93, Fraction(93, 25))
    assert reader.notes == []
    assert clips.numbers_of(VideoReader(path, start=1.6, end=2.4)) == list(range(40, 60))


def test_a_lost_packet_at_no_join_is_damage(tmp_path: Path) -> None:
    path = _joined(tmp_path, ".ts", "libx264", [60, 30], options={"bf": "0"})
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    path.write_bytes(data[: places[20]] + data[places[20] + 188 :])
    with pytest.raises(MediaError, match=r"is damaged near 0\.[678]"):
        list(VideoReader(path))
    reader = VideoReader(path, tolerate_damage=True)
    assert len(list(reader)) == 90
    assert "damaged frames were concealed" in reader.notes[0]


@pytest.mark.parametrize("start", [0.0, 1.6])
def test_joined_sound_stays_in_step(tmp_path: Path, start: float) -> None:
    path = _joined(tmp_path, ".ts", "libx264", [30, 50], options={"bf": "3"}, audio="mp2")
    out = tmp_path / "out.mp4"
    frames = VideoReader(path, start=start)
    with VideoWriter(out, frames.fps, audio_from=path, audio_start=start) as writer:
        for frame in frames:
            writer.write(frame)
    sound, begins = clips.decoded_sound(out)
    sound = sound[round((2.0 - start - begins) * 48000) :][:24000]  # 0.8 s after the second part's beginning
    expected = clips.tone(2.0)[:, 0] / 32768
    lags = range(-4800, 4801, 24)
    errors = [np.abs(sound - expected[38400 + lag :][:24000]).mean() for lag in lags]
    assert abs(lags[int(np.argmin(errors))]) <= 1920


def test_a_stream_that_pauses_is_no_join(tmp_path: Path) -> None:
    """Twelve seconds without a frame while the sound goes on."""
    times = [*range(10), *range(310, 320)]
    path = clips.write_clip(
        tmp_path / "a.ts", 20, 25, times=times, time_base=Fraction(1, 25), audio="mp2", audio_seconds=13
    )
    reader = VideoReader(path, strict=True)
    assert reader.info.frames == 320
    assert clips.numbers_of(reader)[::40] == [0, 9, 9, 9, 10, 10, 10, 10]


def test_a_part_whose_clock_is_hours_ahead_follows_at_once(tmp_path: Path) -> None:
    first = clips.write_clip(tmp_path / "a.ts", 20, 25)
    times = [180_000 + k for k in range(20)]
    pictures = [clips.numbered(20 + k) for k in range(20)]
    second = clips.write_clip(tmp_path / "b.ts", pictures, 25, times=times, time_base=Fraction(1, 25))
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    assert clips.numbers_of(VideoReader(path, strict=True)) == list(range(40))
