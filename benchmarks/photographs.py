"""A sheet of photographs that dance: a row for each person, the photograph first, then moments of every driver.

    python benchmarks/photographs.py --person me.jpg --person dance.mp4@1.5 --driving one.mp4 two.mp4 --output sheet.png

No number stands for it: it is to be looked at. A person is a photograph, VIDEO@SECONDS, one frame of a video, or
made-up:NUMBER.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import numpy.typing as npt

from understudy.body.surface_mesh import CHART
from understudy.media.images import write_image
from understudy.media.photographs import read_photograph
from understudy.media.reading import VideoReader
from understudy.people.made_up import made_up_views
from understudy.tracking.track import tracked
from understudy.verbs.reenact import reenact

Image = npt.NDArray[np.uint8]

VIEWS, MADE_UP_HW = 6, (960, 720)
"""of somebody made up, of which the one that shows most of the front is taken"""
HIGH = 480
"""pixels: of a row"""
WIDE = 0.62
"""of the height: of what is shown about the person"""


def photograph(person: str, folder: Path) -> Path:
    """The file of a photograph; of a frame of a video, and of somebody made up, one is written."""
    if person.startswith("made-up:"):
        path = folder / f"{person.replace(':', '-')}.png"
        views = made_up_views(int(person.partition(":")[2]), VIEWS, MADE_UP_HW)
        write_image(path, max(views, key=lambda view: int((view.surface[..., 0] == CHART["front"]).sum())).frame)
        return path
    video, _, seconds = person.rpartition("@")
    if not video:
        return Path(person)
    path = folder / f"{Path(video).stem}-{seconds}.png"
    with VideoReader(video, start=float(seconds)) as frames:
        write_image(path, np.asarray(next(iter(frames))))
    return path


def about(person: Path) -> tuple[float, float]:
    """First and last column of a photograph about the person, in shares of its width."""
    found = tracked(person, size=1024, landmarks="wholebody")
    height, width = found.header.original_size_hw
    seen = found.header.crop.back(found.poses.xy[0][found.poses.confidence[0] > 0])
    wide = min(1.0, WIDE * height / width)
    left = float(np.clip((seen[:, 0].min() + seen[:, 0].max()) / 2 / width - wide / 2, 0, 1 - wide))
    return left, left + wide


def shown(frame: Image, columns: tuple[float, float]) -> Image:
    """(HIGH, w, 3): what is about the person."""
    first, last = (round(edge * frame.shape[1]) for edge in columns)
    part = frame[:, first:last]
    size = max(1, round(part.shape[1] * HIGH / part.shape[0])), HIGH
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)


def row_of(person: Path, drivers: Sequence[Path], moments: int, model: str | None, folder: Path) -> Image:
    """One person: the photograph, and `moments` moments of each driver, evenly spread."""
    columns = about(person)
    panels = [shown(read_photograph(person), columns)]
    for driver in drivers:
        out = folder / "out.mp4"
        reenact(person, driver, out, model=model, consent="asked for by whoever runs this")
        with VideoReader(out) as video:
            frames = [np.asarray(frame, np.uint8) for frame in video]
        for place in np.linspace(0, len(frames) - 1, moments + 2)[1:-1].round().astype(int):
            panels.append(shown(frames[place], columns))
        out.unlink()
    return np.hstack(panels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--person", action="append", required=True)
    parser.add_argument("--driving", nargs="+", type=Path, required=True)
    parser.add_argument("--moments", type=int, default=2)
    parser.add_argument("--model", help="as of `understudy perform`")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    with TemporaryDirectory() as name:
        people = [photograph(one, Path(name)) for one in given.person]
        rows = [row_of(one, given.driving, given.moments, given.model, Path(name)) for one in people]
    widest = max(row.shape[1] for row in rows)
    write_image(given.output, np.vstack([np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0))) for row in rows]))


if __name__ == "__main__":
    main()
