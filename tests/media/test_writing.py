"""The writer: colours, sizes, sound, transparency, exact own clips; whole files or none."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import clips
from understudy.errors import MediaError, UsageError
from understudy.media.reading import VideoReader, VideoWriter, probe, read_image

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255), (255, 255, 255),
           (0, 0, 0), (128, 128, 128), (30, 200, 100)]  # fmt: skip


def write(path: Path, frames: list[np.ndarray], fps: Fraction | int = 30, **options) -> Path:
    with VideoWriter(path, Fraction(fps), **options) as writer:
        for frame in frames:
            writer.write(frame)
    assert writer.frames == len(frames)
    return path


def numbered(count: int) -> list[np.ndarray]:
    return [clips.numbered(k) for k in range(count)]


def colour_chart(height: int = 64) -> np.ndarray:
    return np.concatenate([np.full((height, 32, 3), colour, np.uint8) for colour in COLOURS], axis=1)


def top_boxes(path: Path) -> list[bytes]:
    data, position, kinds = path.read_bytes(), 0, []
    while position < len(data):
        kinds.append(data[position + 4 : position + 8])
        position += int.from_bytes(data[position : position + 4], "big")
    return kinds


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm"])
@pytest.mark.parametrize("fps", [Fraction(30000, 1001), Fraction(25)], ids=str)
def test_frames_and_rate_come_back(tmp_path: Path, name: str, fps: Fraction) -> None:
    path = write(tmp_path / name, numbered(33), fps)
    reader = VideoReader(path, strict=True)
    assert reader.fps == fps
    assert clips.numbers_of(reader) == list(range(33))
    assert os.listdir(tmp_path) == [name]


def test_opaque_is_bt709_in_tags_and_pixels(tmp_path: Path) -> None:
    path = write(tmp_path / "colours.mp4", [colour_chart()] * 3)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        tags = (context.colorspace, context.color_primaries, context.color_trc, context.color_range)
        assert tags == (1, 1, 1, 1)
        planes = next(container.decode(stream)).to_ndarray()
    luma = planes[32, np.arange(10) * 32 + 16].astype(float)
    expected = 16 + 219 / 255 * (np.array(COLOURS) @ (0.2126, 0.7152, 0.0722))
    assert np.abs(luma - expected).max() < 1.5
    frame = next(iter(VideoReader(path)))
    assert np.abs(frame[32, np.arange(10) * 32 + 16].astype(int) - COLOURS).max() <= 3


def test_faststart_puts_the_index_first(tmp_path: Path) -> None:
    kinds = top_boxes(write(tmp_path / "a.mp4", numbered(20)))
    assert kinds.index(b"moov") < kinds.index(b"mdat")


@pytest.mark.parametrize("size_hw", [(47, 64), (48, 63), (47, 63), (1, 1)], ids=str)
def test_odd_sizes_gain_one_repeated_pixel(tmp_path: Path, size_hw: tuple[int, int]) -> None:
    height, width = size_hw
    frame = np.full((height, width, 3), 200, np.uint8)
    path = write(tmp_path / "odd.mp4", [frame] * 2)
    shown = next(iter(VideoReader(path)))
    assert shown.shape == (height + height % 2, width + width % 2, 3)
    assert np.abs(shown.astype(int) - 200).max() <= 2


@pytest.mark.parametrize("size_hw", [(48, 64), (47, 63), (1, 3)], ids=str)
def test_intra_keeps_grey_exactly(tmp_path: Path, size_hw: tuple[int, int]) -> None:
    frames = list(np.random.default_rng(0).integers(0, 256, (5, *size_hw), np.uint8))
    path = write(tmp_path / "matte.mp4", frames, kind="intra")
    for shown, frame in zip(VideoReader(path, strict=True), frames, strict=True):
        assert shown.shape == (*size_hw, 3)
        assert np.array_equal(shown, np.repeat(frame[:, :, None], 3, axis=2))


def test_intra_keeps_colours_closely_at_odd_sizes(tmp_path: Path) -> None:
    ramp = np.stack(np.meshgrid(np.linspace(0, 255, 61), np.linspace(0, 255, 75)), axis=2)
    frame = np.concatenate([ramp, 255 - ramp[:, :, :1]], axis=2).astype(np.uint8)
    path = write(tmp_path / "own.mp4", [frame] * 4, kind="intra")
    with av.open(str(path)) as container:
        assert all(packet.is_keyframe for packet in container.demux(video=0) if packet.size)
    [*shown] = VideoReader(path)
    assert np.abs(np.stack(shown).astype(int) - frame).mean() < 1.0
    chart = write(tmp_path / "chart.mp4", [colour_chart(31)] * 2, kind="intra")
    assert np.abs(next(iter(VideoReader(chart))).astype(int) - colour_chart(31)).mean() < 1.0


@pytest.mark.parametrize("index", [0, 1, 17, 59])
def test_intra_seeks_exactly(tmp_path: Path, index: int) -> None:
    path = write(tmp_path / "own.mp4", numbered(60), Fraction(30000, 1001), kind="intra")
    start = index * 1001 / 30000
    assert clips.number_of(next(iter(VideoReader(path, start=start)))) == index


def ghost(step: int) -> np.ndarray:
    frame = np.zeros((61, 83, 4), np.uint8)
    frame[:, :, :3] = (200, 40, 90)
    frame[:, 20 + step : 40 + step, 3] = 255
    frame[:, 40 + step : 60 + step, 3] = 128
    return frame


@pytest.mark.parametrize("name", ["a.webm", "a.mov", "folder"])
def test_transparency_is_kept(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, [ghost(k) for k in range(6)], 25, kind="transparent")
    if name == "folder":
        assert sorted(os.listdir(path)) == [f"{k:06d}.png" for k in range(1, 7)]
        shown = [read_image(path / f"{k:06d}.png", (0, 255, 0)) for k in range(1, 7)]
    else:
        reader = VideoReader(path, alpha_background=(0, 255, 0))
        assert reader.fps == 25 and "yuva" in reader.info.pixel_format
        shown = list(reader)
    assert len(shown) == 6
    expected = {5: (0, 255, 0), 30: (200, 40, 90), 52: (100, 147, 45)}
    for x, colour in expected.items():
        assert np.abs(shown[2][30, x].astype(int) - colour).max() <= 6


def test_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path / "out", numbered(5))
    write(tmp_path / "out", numbered(3))
    assert sorted(os.listdir(tmp_path / "out")) == ["000001.png", "000002.png", "000003.png"]
    assert np.array_equal(read_image(tmp_path / "out" / "000002.png"), clips.numbered(1))


def driver(tmp_path: Path, name: str, audio: str, frames: int = 60, **options) -> Path:
    return clips.write_clip(tmp_path / name, frames, 30, audio=audio, **options)


@pytest.mark.parametrize(
    ("source", "codec", "output"),
    [
        ("d.mp4", "aac", "o.mp4"),
        ("d.mkv", "aac", "o.mov"),
        ("d.mp4", "aac", "o.m4v"),
        ("d.webm", "libopus", "o.webm"),
        ("d.mp4", "mp3", "o.mkv"),
    ],
)
def test_sound_is_copied_bit_by_bit(tmp_path: Path, source: str, codec: str, output: str) -> None:
    video = "libvpx-vp9" if source.endswith("webm") else "libx264"
    codec = {"mp3": "libmp3lame"}.get(codec, codec)
    path = driver(tmp_path, source, codec, codec=video, options={"cpu-used": "8"} if video != "libx264" else None)
    result = write(tmp_path / output, numbered(60), audio_from=path)
    copied, original = clips.audio_packets(result), clips.audio_packets(path)
    place = original.index(copied[0])
    assert place <= 1
    assert copied == original[place : place + len(copied)]
    assert len(copied) >= len(original) - 3
    before, start_before = clips.decoded_sound(path)
    after, start_after = clips.decoded_sound(result)
    assert _delay(before, after) + (start_after - start_before) * 48000 == pytest.approx(0, abs=60)


def _delay(before: np.ndarray, after: np.ndarray) -> int:
    """Samples by which `after` lags: where a stretch of `before` fits best in it."""
    length = min(len(before), len(after))
    begin, reach = length // 2, 3000
    piece = before[begin : begin + 8192]
    searched = after[begin - reach : begin + 8192 + reach]
    return int(np.argmax(np.correlate(searched, piece, "valid"))) - reach


@pytest.mark.parametrize(
    ("source", "codec", "output", "expected"),
    [
        ("d.mkv", "pcm_s16le", "o.mp4", "aac"),
        ("d.mkv", "libopus", "o.mp4", "aac"),
        ("d.mp4", "aac", "o.webm", "opus"),
    ],
)
def test_sound_is_encoded_anew_where_it_cannot_be_copied(
    tmp_path: Path, source: str, codec: str, output: str, expected: str
) -> None:
    path = driver(tmp_path, source, codec)
    result = write(tmp_path / output, numbered(60), audio_from=path)
    with av.open(str(result)) as container:
        assert container.streams.audio[0].codec_context.name == expected
        assert container.streams.audio[0].codec_context.channels == 2
    before, _ = clips.decoded_sound(path)
    after, start = clips.decoded_sound(result)
    assert len(after) / 48000 == pytest.approx(2.0, abs=1 / 30)
    assert _delay(before, after) + start * 48000 == pytest.approx(0, abs=100)


def test_damaged_sound_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = driver(tmp_path, "d.mp4", "aac")
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size]
    data = bytearray(path.read_bytes())
    for position, size in packets[20:23]:
        data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    result = write(tmp_path / "o.webm", numbered(60), audio_from=path)
    assert "d.mp4: 3 damaged pieces of sound were left out" in caplog.text
    after, _ = clips.decoded_sound(result)
    assert len(after) / 48000 == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("output", ["o.mp4", "o.mkv", "o.webm"])
@pytest.mark.parametrize("start", [0.0, 0.5, 1.4])
def test_sound_is_cut_to_the_video(tmp_path: Path, output: str, start: float) -> None:
    path = driver(tmp_path, "d.mp4", "aac", frames=90)
    result = write(tmp_path / output, numbered(30), audio_from=path, audio_start=start)
    with av.open(str(result)) as container:
        ends, begins = {}, {}
        for packet in container.demux():
            if packet.size:
                kind = packet.stream.type
                ends[kind] = max(ends.get(kind, 0.0), float((packet.pts + packet.duration) * packet.time_base))
                begins.setdefault(kind, float(packet.pts * packet.time_base))
    assert ends["video"] == pytest.approx(1.0, abs=0.002)
    assert ends["audio"] == pytest.approx(1.0, abs=1 / 30)
    assert -0.05 < begins["audio"] < 0.03
    assert abs(probe(result).duration - 1) <= Fraction(1, 30)
    before, first = clips.decoded_sound(path)
    after, begin = clips.decoded_sound(result)
    shift = round((start - first) * 48000)
    assert _delay(before[shift:], after) + begin * 48000 == pytest.approx(0, abs=100)


def test_sound_keeps_its_place_beside_a_video_that_starts_late(tmp_path: Path) -> None:
    late = clips.write_clip(
        tmp_path / "late.mkv", 30, times=list(range(500, 1500, 33))[:30], time_base=Fraction(1, 1000), audio="aac",
        audio_seconds=2.0,
    )  # fmt: skip
    result = write(tmp_path / "o.mp4", numbered(20), audio_from=late)
    before, first = clips.decoded_sound(late)
    after, begin = clips.decoded_sound(result)
    with av.open(str(late)) as container:
        video_start = next(container.decode(video=0)).time
    shift = round((video_start - first) * 48000)
    assert _delay(before[shift:], after) + begin * 48000 == pytest.approx(0, abs=100)


def test_a_gap_in_the_sound_stays_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "gap.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30)
        video.height, video.width = clips.SIZE_HW
        sound = container.add_stream("pcm_s16le", rate=48000)
        sound.layout = "stereo"
        for number in range(90):
            container.mux(video.encode(av.VideoFrame.from_ndarray(clips.numbered(number))))
        container.mux(video.encode(None))
        samples = clips.tone(3.0)
        for begin in (0, 96000):  # nothing between 1 s and 2 s
            part = samples[begin : begin + 48000].reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="stereo")
            frame.sample_rate, frame.pts = 48000, begin
            container.mux(sound.encode(frame))
    result = write(tmp_path / "o.mp4", numbered(90), audio_from=path)
    after, start = clips.decoded_sound(result)
    assert _delay(samples[96000:, 0].astype(float), after[96000:]) + start * 48000 == pytest.approx(0, abs=100)
    assert np.abs(after[52000:92000]).max() < 0.01


def test_sound_file_goes_along(tmp_path: Path) -> None:
    song = clips.write_sound(tmp_path / "song.mp3", 2.0, codec="libmp3lame")
    assert probe(write(tmp_path / "o.mp4", numbered(30), audio_from=song)).has_audio


def test_silent_driver_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    silent = clips.write_clip(tmp_path / "silent.mp4", 10)
    result = write(tmp_path / "o.mp4", numbered(10), audio_from=silent)
    assert not probe(result).has_audio
    assert "silent.mp4 has no sound" in caplog.text
    write(tmp_path / "folder", numbered(2), audio_from=silent)
    assert "is left out" in caplog.text


def test_sound_in_an_unknown_encoding_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = clips.write_clip(tmp_path / "a.mov", 6, audio="pcm_s16le")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"sowt", b"zzzz"))
    assert b"sowt" in content and not probe(path).has_audio
    with VideoWriter(tmp_path / "out.mp4", Fraction(30), audio_from=path) as out:
        out.write(clips.numbered(0))
    assert "sound in an encoding that is not known here" in caplog.text
    assert not probe(tmp_path / "out.mp4").has_audio


def test_sound_that_ends_before_the_start_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = driver(tmp_path, "d.mp4", "aac", frames=30)
    result = write(tmp_path / "o.mp4", numbered(10), audio_from=path, audio_start=7.0)
    assert not probe(result).has_audio
    assert "d.mp4 has no sound after 7 s" in caplog.text


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "folder"])
def test_an_error_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuntimeError, match="elsewhere"), VideoWriter(tmp_path / name, Fraction(30)) as writer:
        for frame in numbered(10):
            writer.write(frame)
        raise RuntimeError("elsewhere")
    assert os.listdir(tmp_path) == []


def test_an_error_keeps_the_older_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", numbered(5))
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt), VideoWriter(path, Fraction(30)) as writer:
        writer.write(clips.numbered(0))
        raise KeyboardInterrupt
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.mp4"]


def test_the_name_appears_only_at_the_end(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", Fraction(30)) as writer:
        for frame in numbered(20):
            writer.write(frame)
        assert not (tmp_path / "a.mp4").exists()
    assert (tmp_path / "a.mp4").exists()


def test_an_encoder_error_surfaces(tmp_path: Path) -> None:
    with (
        pytest.raises(MediaError, match=r"cannot write .*a\.webm: \w"),
        VideoWriter(tmp_path / "a.webm", Fraction(30), crf=99) as writer,  # VP9 knows qualities up to 63
    ):
        for frame in numbered(50):
            writer.write(frame)
    assert os.listdir(tmp_path) == []


def test_sound_that_cannot_be_written_is_not_said_to_be_unreadable(tmp_path: Path) -> None:
    class Full:
        def mux(self, packet: object) -> None:
            raise OSError(28, "No space left on device")

    clip = clips.write_clip(tmp_path / "dance.mp4", 30, audio="aac")
    with (
        pytest.raises(MediaError, match=r"cannot write .*out\.mp4: No space left on device"),
        VideoWriter(tmp_path / "out.mp4", Fraction(30), audio_from=clip) as writer,
    ):
        for number, frame in enumerate(numbered(20)):
            writer.write(frame)
            if number == 0:
                writer._output.audio._output = Full()  # type: ignore[union-attr]
    assert os.listdir(tmp_path) == ["dance.mp4"]


def test_no_frames_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no frames were written"), VideoWriter(tmp_path / "a.mp4", Fraction(30)):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "kind", "frames", "words"),
    [
        (
            "a.mp4",
            None,
            [np.zeros((8, 8, 4), np.uint8)],
            r"opaque frames are uint8 with 3 channels, not uint8 of shape",
        ),
        ("a.mp4", None, [np.zeros((8, 8, 3), np.float32)], "not float32 of shape"),
        ("a.mp4", "intra", [np.zeros((8, 8, 2), np.uint8)], "1 or 3 channels"),
        ("a.mp4", None, [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)], "frame 2 is uint8 of shape"),
        ("a.mp4", None, [np.zeros((2, 9000, 3), np.uint8)], "at most 8192x8192"),
        ("a.webm", None, [np.zeros((8, 8), np.uint8)], "3 or 4 channels"),
    ],
)
def test_wrong_frames_are_named(
    tmp_path: Path, name: str, kind: str | None, frames: list[np.ndarray], words: str
) -> None:
    with pytest.raises(MediaError, match=words):
        write(tmp_path / name, frames, kind=kind)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "kind", "fps", "words"),
    [
        ("a.gif", None, 30, "opaque video is written as .mp4"),
        ("a.mp4", "transparent", 30, "transparent video is written as .webm, .mov, a folder"),
        ("a.webm", "intra", 30, "intra video is written as"),
        ("a.mp4", "shiny", 30, "unknown kind of video 'shiny'"),
        ("a.mp4", None, 0, "must be above 0"),
    ],
)
def test_wrong_arguments_are_named(tmp_path: Path, name: str, kind: str | None, fps: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        VideoWriter(tmp_path / name, Fraction(fps), kind=kind)


def test_sound_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"none\.mp4 is not there"):
        write(tmp_path / "a.mp4", numbered(2), audio_from=tmp_path / "none.mp4")
    assert os.listdir(tmp_path) == []


def test_repeatable_files_are_the_same_bytes_whatever_memory_held_before(tmp_path: Path) -> None:
    """Without it some of these files differ, since what is decoded in between leaves its traces in memory."""
    path, seen = tmp_path / "again.mp4", set()
    for _ in range(20):
        for size_hw in ((48, 148), (48, 64)):
            noise = np.random.default_rng(0)
            with VideoWriter(path, Fraction(10), repeatable=True) as writer:
                for _ in range(12):
                    writer.write(noise.integers(0, 256, (*size_hw, 3), np.uint8))
            seen.add((size_hw, path.read_bytes()))
            list(VideoReader(path))
    assert len(seen) == 2


def test_frames_may_be_changed_after_writing(tmp_path: Path) -> None:
    frame = np.zeros(clips.numbered(0).shape, np.uint8)
    with VideoWriter(tmp_path / "a.mp4", Fraction(30)) as writer:
        for k in range(20):
            frame[:] = clips.numbered(k)
            writer.write(frame)
    assert clips.numbers_of(VideoReader(tmp_path / "a.mp4")) == list(range(20))


def test_real_sound_is_copied(tmp_path: Path) -> None:
    path = clips.real_clip("outdoor_two_people.mp4")
    frames = [frame for frame in VideoReader(path, end=1.0, long_side=128)]
    result = write(tmp_path / "o.mp4", frames, 30, audio_from=path)
    copied = clips.audio_packets(result)
    original = clips.audio_packets(path)
    assert len(copied) > 40 and copied == original[: len(copied)]
