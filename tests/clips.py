"""Makers of small clips for the tests: each frame carries its number as a pattern that survives lossy coding."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.filter
import av.stream
import numpy as np
import pytest

SIZE_HW = (48, 64)
BT2020 = 9
"""the number of its matrix"""
MEDIA = Path(os.environ.get("UNDERSTUDY_MEDIA", Path(__file__).resolve().parents[2] / "shared" / "media"))


def real_clip(name: str) -> Path:
    """A real clip; the test is skipped where the folder is absent."""
    path = MEDIA / name
    if not path.is_file():
        pytest.skip(f"needs the real clip {name}; set UNDERSTUDY_MEDIA to the folder that holds it")
    return path


def numbered(number: int, size_hw: tuple[int, int] = SIZE_HW) -> np.ndarray:
    """RGB frame with eight vertical bars, dark or bright: the bits of `number`, lowest at the left."""
    height, width = size_hw
    bits = [(number >> bit) & 1 for bit in range(8)]
    bars = np.array(bits, np.uint8)[np.arange(width) * 8 // width] * 190 + 30
    return np.repeat(np.broadcast_to(bars, (height, width))[:, :, None], 3, axis=2).copy()


def number_of(frame: np.ndarray) -> int:
    """The number that `numbered` wrote into a frame of any size."""
    height, width = frame.shape[:2]
    centres = (np.arange(8) * 2 + 1) * width // 16
    return int(sum(int(frame[height // 2, x, 1] > 125) << bit for bit, x in enumerate(centres)))


def numbers_of(frames: Iterable[np.ndarray]) -> list[int]:
    return [number_of(frame) for frame in frames]


def tone(seconds: float, rate: int = 48000) -> np.ndarray:
    """(samples, 2) int16 stereo tone that rises steadily from 200 Hz, so that every shift in time shows."""
    time = np.arange(round(seconds * rate)) / rate
    wave = np.sin(2 * np.pi * (200 * time + 500 * time**2)) * 12000
    return np.stack([wave, wave], axis=1).astype(np.int16)


def write_clip(
    path: Path,
    frames: Sequence[np.ndarray] | int = 30,
    rate: Fraction | int = 30,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    options: dict[str, str] | None = None,
    muxer_options: dict[str, str] | None = None,
    rotation: int = 0,
    aspect: Fraction | None = None,
    colour: tuple[int, int, int, int] | None = None,
    audio: str | None = None,
    audio_seconds: float | None = None,
    metadata: dict[str, str] | None = None,
    array_format: str | None = None,
) -> Path:
    """Writes frames (or that many numbered ones) with PyAV itself, not with the code under test.

    Args:
        times: time stamp of each frame in units of `time_base`; default: evenly spaced.
        colour: matrix, range, primaries, curve, as FFmpeg numbers them; the matrix is applied, the rest only said.
        rotation: degrees anticlockwise in the display matrix.
        audio: an audio codec.
    """
    pictures = [numbered(k) for k in range(frames)] if isinstance(frames, int) else frames
    rate = Fraction(rate)
    base = time_base or 1 / rate
    with av.open(str(path), "w", options=muxer_options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = base
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        if colour is not None:
            context = stream.codec_context
            context.colorspace, context.color_range, context.color_primaries, context.color_trc = colour
        sound = container.add_stream(audio, rate=48000) if audio else None
        if sound is not None:
            sound.layout = "stereo"
        for number, picture in enumerate(pictures):
            layout = array_format or {3: "rgb24", 4: "rgba"}[picture.shape[2]]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=layout)
            if colour is not None and colour[0] == BT2020:
                frame = _as_bt2020(frame, pixel_format)
            else:
                frame = frame.reformat(format=pixel_format, dst_colorspace=colour[0] if colour else None)
            if colour is not None:
                frame.color_trc, frame.color_primaries = colour[3], colour[2]
            frame.pts = times[number] if times is not None else number
            frame.time_base = base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            seconds = audio_seconds or float(len(pictures) / rate)
            samples = tone(seconds).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            frame.sample_rate, frame.pts = 48000, 0
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return path


def _as_bt2020(frame: av.VideoFrame, pixel_format: str) -> av.VideoFrame:
    """With the matrix of BT.2020, which PyAV's reformatter knows from 18 on only."""
    graph = av.filter.Graph()
    steps = [
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)),
        graph.add("scale", "out_color_matrix=bt2020"),
        graph.add("format", pixel_format),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*steps)
    graph.configure()
    graph.push(frame)
    made = graph.pull()
    assert isinstance(made, av.VideoFrame)
    return made


def write_sound(path: Path, seconds: float = 1.0, codec: str = "aac", cover: np.ndarray | None = None) -> Path:
    """A file with sound and nothing else, or with a cover picture too, which MP4 takes."""
    with av.open(str(path), "w", format=None if cover is None else "mp4") as container:
        stream = container.add_stream(codec, rate=48000)
        stream.layout = "stereo"
        if cover is not None:
            picture = container.add_stream("png", rate=1)
            picture.height, picture.width = cover.shape[:2]
            picture.pix_fmt = "rgb24"
            picture.disposition = av.stream.Disposition.attached_pic
            container.mux(picture.encode(av.VideoFrame.from_ndarray(cover, format="rgb24")))
            container.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray(tone(seconds).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut(path: Path, share: float) -> Path:
    """Keeps the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def cut_in_packet(path: Path, packet: int) -> Path:
    """Ends a file in the middle of a video packet."""
    position, size = _packet_places(path)[packet]
    path.write_bytes(path.read_bytes()[: position + size // 2])
    return path


def cut_behind_packet(path: Path, packet: int) -> Path:
    """Ends a file with a whole video packet."""
    position, size = _packet_places(path)[packet]
    path.write_bytes(path.read_bytes()[: position + size])
    return path


def _packet_places(path: Path) -> list[tuple[int, int]]:
    with av.open(str(path)) as container:
        return [(item.pos, item.size) for item in container.demux(container.streams.video[0]) if item.size]


def damage(path: Path, packet: int, seed: int = 0, bits: int = 12) -> Path:
    """Flips bits inside one video packet."""
    position, size = _packet_places(path)[packet]
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    for offset in random.integers(min(10, size - 1), size, bits):
        data[position + int(offset)] ^= 1 << int(random.integers(8))
    path.write_bytes(data)
    return path


def hdr_frame(colour: tuple[int, int, int], curve: int, size: int = 64) -> np.ndarray:
    """(size, size, 3) uint16 RGB of one BT.709 colour as BT.2020 in PQ (16) or HLG (18), white at 203 cd/m2."""
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    light = to_2020 @ (np.array(colour) / 255) ** 2.4 * 203
    if curve == 16:
        power = (light / 10000) ** 0.1593017578125
        signal = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    else:
        luminance = light @ (0.2627, 0.6780, 0.0593)
        scene = light / 1000 * (luminance / 1000) ** (1 / 1.2 - 1)
        log = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        signal = np.where(scene <= 1 / 12, np.sqrt(3 * scene), log)
    return np.broadcast_to(np.round(signal * 65535).astype(np.uint16), (size, size, 3)).copy()


def write_gif(path: Path, frames: int = 12, hundredths: int = 10) -> Path:
    """A GIF of which the left half is transparent and the right half is red."""
    picture = np.zeros((*SIZE_HW, 4), np.uint8)
    picture[:, SIZE_HW[1] // 2 :] = (255, 0, 0, 255)
    palette = np.zeros((256, 4), np.uint8)
    palette[1] = (255, 0, 0, 255)
    indices = (picture[:, :, 3] > 0).astype(np.uint8)
    body = b"".join(_gif_frame(indices, hundredths) for _ in range(frames))
    height, width = SIZE_HW
    table = bytes((0, 0, 0, 255, 0, 0))
    path.write_bytes(b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + table + body + b"\x3b")
    return path


def _gif_frame(indices: np.ndarray, hundredths: int) -> bytes:
    """One frame without compression: 1-bit indices as 3-bit codes, the table cleared before it grows."""
    codes: list[int] = []
    for count, value in enumerate(indices.ravel()):
        if count % 2 == 0:
            codes.append(4)
        codes.append(int(value))
    codes.append(5)
    bits = "".join(format(code, "03b")[::-1] for code in codes)
    bits += "0" * (-len(bits) % 8)
    data = bytes(int(bits[place : place + 8][::-1], 2) for place in range(0, len(bits), 8))
    blocks = b"".join(bytes((len(data[k : k + 255]),)) + data[k : k + 255] for k in range(0, len(data), 255))
    height, width = indices.shape
    control = b"\x21\xf9\x04" + struct.pack("<BHBB", 0b1001, hundredths, 0, 0)
    return control + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02" + blocks + b"\x00"


def write_huge_gif(path: Path, side: int = 16000) -> Path:
    """35 bytes that announce a picture of side x side pixels."""
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6)
    path.write_bytes(head + b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x4c\x01\x00\x3b")
    return path


def audio_packets(path: Path) -> list[bytes]:
    """The bytes of every audio packet."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def decoded_sound(path: Path) -> tuple[np.ndarray, float]:
    """(samples,) float32 of the first channel at 48 kHz, and the time of the first sample in seconds."""
    pieces: list[np.ndarray] = []
    start: float | None = None
    resampler = av.AudioResampler("fltp", "stereo", 48000)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            start = frame.time if start is None else start
            pieces.extend(piece.to_ndarray()[0] for piece in resampler.resample(frame))
    return np.concatenate(pieces), start or 0.0
