"""Videos, pictures and manifests: how whole ones are made, how one is damaged, and what understudy does with it."""

from __future__ import annotations

import json
import os
import random
import shutil
from fractions import Fraction
from importlib import import_module
from pathlib import Path

import av
import numpy as np

import mutants

SIZE_HW = (48, 64)
"""pixels"""
FRAMES, RATE = 24, Fraction(24)
REAL_CLIP, REAL_FRAMES = "studio_squats_5fps.mp4", 5


def picture(number: int, channels: int = 3) -> np.ndarray:
    """(48, 64, 3 or 4) uint8: a square that moves over a slope."""
    height, width = SIZE_HW
    frame = np.zeros((height, width, channels), np.uint8)
    frame[..., 0] = np.linspace(0, 255, width)
    frame[..., 1] = np.linspace(0, 255, height)[:, None]
    frame[10:26, 2 * number % (width - 16) :][:, :16] = 255
    return frame


def make_videos(folder: Path) -> None:
    """Eleven containers of video, with sound where they take it, a still picture, and a cut of a real clip."""
    from understudy.media.reading import VideoWriter, write_image

    sound = folder / "sound.wav"
    _encode(sound, None, "", "pcm_s16le")
    for name, channels in (("own.mp4", 3), ("own.mov", 3), ("own.mkv", 3), ("own.webm", 4)):
        with VideoWriter(folder / name, RATE, audio_from=sound) as out:
            for number in range(FRAMES):
                out.write(picture(number, channels))
    sound.unlink()
    _encode(folder / "plain.avi", "mpeg4", "yuv420p", "mp2")
    _encode(folder / "plain.ts", "mpeg2video", "yuv420p", "mp2")
    _encode(folder / "plain.mov", "mjpeg", "yuvj420p", "pcm_s16le")
    _encode(folder / "plain.mkv", "ffv1", "yuv420p", "libopus")
    _encode(folder / "plain.gif", "gif", "rgb8", None)
    _encode(folder / "plain.apng", "apng", "rgb24", None)
    _encode(folder / "plain.avif", "libsvtav1", "yuv420p", None)
    write_image(folder / "still.png", picture(0))
    real = Path(os.environ.get("UNDERSTUDY_MEDIA", "")) / REAL_CLIP
    if real.is_file():
        _cut(real, folder / "real.mp4")


def _encode(path: Path, codec: str | None, pixel_format: str, sound: str | None) -> None:
    with av.open(str(path), "w") as container:
        video = None if codec is None else container.add_stream(codec, rate=RATE)
        track = None if sound is None else container.add_stream(sound, rate=48000)
        if track is not None:
            track.layout = "stereo"
        if video is not None:
            video.height, video.width = SIZE_HW
            video.pix_fmt = pixel_format
            for number in range(FRAMES):
                frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24").reformat(format=pixel_format)
                frame.pts, frame.time_base = number, 1 / RATE
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if track is not None:
            wave = (8000 * np.sin(np.arange(48000) / 20)).astype(np.int16)
            samples = np.repeat(wave, 2).reshape(1, -1)
            heard = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            heard.sample_rate, heard.pts = 48000, 0
            container.mux(track.encode(heard))
            container.mux(track.encode(None))


def _cut(clip: Path, path: Path) -> None:
    """The first packets as they are."""
    with av.open(str(clip)) as whole, av.open(str(path), "w") as part:
        stream = whole.streams.video[0]
        copied = part.add_stream_from_template(stream)
        for number, packet in enumerate(whole.demux(stream)):
            if number == REAL_FRAMES or packet.dts is None:
                break
            packet.stream = copied
            part.mux(packet)


def damage_file(chance: random.Random, whole: Path, folder: Path) -> Path:
    """One of the files, in header, index or packets; half of the PNG ones with checksums that fit."""
    names = sorted(path.name for path in whole.iterdir())
    rare = [name for name in names if name.startswith("real")]  # large, hence slow: one in forty
    name = chance.choice(rare if rare and chance.random() < 0.025 else [one for one in names if one not in rare])
    data = (whole / name).read_bytes()
    spans = mutants.spans_of(data)
    part = chance.choice(sorted(part for part, found in spans.items() if found))
    data = mutants.damaged(data, chance, spans[part])
    if data.startswith(b"\x89PNG") and chance.random() < 0.5:
        data = mutants.with_png_checksums(data)
    (folder / name).write_bytes(data)
    return folder / name


def use_video(path: Path, out: Path, chance: random.Random) -> list[str]:
    """Reads what is said of it, verifies it, and decodes all of it; a third become other videos."""
    from understudy.media.reading import VideoReader, VideoWriter, probe, read_image
    from understudy.verbs.verify import verify

    lines = str(verify([path], sandbox=False)).splitlines()
    if path.suffix == ".png":
        read_image(path)
        return lines
    info = probe(path)
    with VideoReader(path, tolerate_damage=chance.random() < 0.5) as frames:
        if chance.random() < 1 / 3:
            sound = path if info.has_audio else None
            with VideoWriter(out / "made.mp4", frames.fps, audio_from=sound) as made:
                for frame in frames:
                    made.write(frame)
        else:
            for _ in frames:
                pass
        return lines + frames.notes


def make_manifests(folder: Path) -> None:
    """Signed files: a video, a picture, and a video with its manifest beside it."""
    from understudy.consent import Consent
    from understudy.marks.marking import Marking
    from understudy.marks.signing import own
    from understudy.marks.statement import Performer, Statement
    from understudy.media.reading import VideoWriter

    performer = Performer("pix2pix", "ab" * 32, Consent("it is made up", "2026-01-02T03:04:05+00:00"))
    marking = Marking(Statement((performer,), True, "0.1.0"), own(folder / "key"))
    for name in ("marked.mp4", "marked.webm", "pictures"):
        with VideoWriter(
            folder / name, RATE, marking=marking, kind="transparent" if name == "pictures" else None
        ) as out:
            for number in range(2):
                out.write(picture(number, 3 if name == "marked.mp4" else 4))
    os.replace(next((folder / "pictures").iterdir()), folder / "marked.png")
    for needless in ("key", "pictures"):
        shutil.rmtree(folder / needless)


def damage_manifest(chance: random.Random, whole: Path, folder: Path) -> Path:
    """The bytes that are the manifest's, mostly: within the file, or the file beside it."""
    name = chance.choice(["marked.mp4", "marked.png", "marked.webm"])
    for path in whole.glob(name + "*"):
        shutil.copy(path, folder)
    broken = folder / name
    if name == "marked.webm":
        broken = folder / f"{name}.c2pa"
    data = broken.read_bytes()
    spans = [(at, at + 4096) for at in [data.find(b"c2pa")] if at >= 0 and chance.random() < 0.85]
    if name == "marked.png" and not spans:
        spans = [(at, end) for _, at, end in mutants.png_chunks(data)]
    data = mutants.damaged(data, chance, [(max(0, first - 64), min(last, len(data))) for first, last in spans])
    broken.write_bytes(mutants.with_png_checksums(data) if name.endswith("png") and chance.random() < 0.8 else data)
    return folder / name


def use_manifest(path: Path, out: Path, chance: random.Random) -> list[str]:
    from understudy.verbs.verify import verify

    lines = str(verify([path], sandbox=False)).splitlines()
    json.loads(str(verify([path], json=True, sandbox=False)))
    return lines


NEEDED = (
    *("av.subtitles", "c2pa", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "understudy.media.reading"),
    *("understudy.verbs.verify", "understudy.marks.manifest", "understudy.marks.xmp", "understudy.marks.finding"),
    *("understudy.marks.films", "understudy.marks.invisible", "understudy.marks.error_code"),
)
"""what would else be imported in each child"""


def ready_video() -> None:
    for name in NEEDED:
        import_module(name)
    import_module("cv2").setNumThreads(1)
