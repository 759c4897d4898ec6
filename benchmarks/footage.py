"""The clip that is measured on: named, real or made up, cut or played again to the number of frames asked for."""

from __future__ import annotations

import os
from fractions import Fraction
from functools import cached_property
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

from understudy.media.reading import VideoReader, VideoWriter, probe
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene

CLIP_SIZE_HW = (1920, 1080)
MADE_UP_FRAMES, MADE_UP_FPS = 60, Fraction(25)
DEFAULT_FRAMES = 300
"""enough for what a clip costs once, starting the tracker and the background, to matter as little as it does in use"""


class Footage:
    """What has to be made is made when first asked for, in `folder`.

    Args:
        named: the clip to take; None for a real one, or a made-up person.
        frames: how many are measured; None for all of a named clip.
        seed: of the made-up person.
    """

    def __init__(self, folder: Path, named: Path | None, frames: int | None, seed: int) -> None:
        self._folder, self._named, self._frames, self._seed = folder, named, frames, seed

    @cached_property
    def filmed(self) -> Path:
        """The clip that was named; else a real one of 1080x1920 in UNDERSTUDY_MEDIA; else a made-up person."""
        return self._named or _real_clip() or self._made_up_clip()

    @cached_property
    def frames(self) -> int:
        """How many frames are measured: as many as were asked for, else all of the clip that was named."""
        return self._frames or (probe(self.filmed).frames if self._named else DEFAULT_FRAMES)

    @cached_property
    def clip(self) -> Path:
        """`filmed`, played again and again in another file when it has too few frames."""
        info = probe(self.filmed)
        if info.frames >= self.frames:
            return self.filmed
        path = self._folder / f"{self.filmed.stem}_again.mp4"
        again = chain.from_iterable(repeat(VideoReader(self.filmed)))
        with VideoWriter(path, info.fps) as writer:
            for frame in islice(again, self.frames):
                writer.write(frame)
        return path

    @property
    def end(self) -> float | None:
        """Where the measured part ends, in seconds; None where that is the end of the clip."""
        info = probe(self.clip)
        return None if info.frames == self.frames else float(self.frames / info.fps)

    def described(self) -> dict[str, Any]:
        """The clip as the JSON names it."""
        info = probe(self.clip)
        return {
            "name": self.filmed.name,
            "made_up": self.filmed.parent == self._folder,
            "played_again": self.clip != self.filmed,
            "size_hw": info.size_hw,
            "fps": str(info.fps),
            "codec": info.codec,
            "frames": self.frames,
        }

    def _made_up_clip(self) -> Path:
        path = self._folder / "made_up.mp4"
        motion = choreography(self._seed, float(MADE_UP_FRAMES / MADE_UP_FPS), MADE_UP_FPS)
        write_clip(path, make_person(self._seed), motion, make_scene(self._seed, CLIP_SIZE_HW))
        return path


def _real_clip() -> Path | None:
    beside = Path(__file__).resolve().parents[2] / "shared" / "media"
    folder = Path(os.environ.get("UNDERSTUDY_MEDIA", beside))
    return next((path for path in sorted(folder.glob("*.mp4")) if probe(path).size_hw == CLIP_SIZE_HW), None)
