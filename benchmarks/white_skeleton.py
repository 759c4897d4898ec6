"""How far our landmarks are from those that MediaPipe's networks give, and the white skeletons drawn of the two.

    python benchmarks/white_skeleton.py lab_squats.mp4 juggler.mp4 balance_cam1.mp4 --output white_skeleton.json

Every third frame of the clips (in UNDERSTUDY_MEDIA) is tracked twice: by the tracker, whose 133 points become the 33;
and by the same network's own 33, which is what programs with MediaPipe draw. With face and hands tracked, those of
their points that MediaPipe's landmarks are named after are held against these, too.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import torch

from understudy.base.arguments import Landmarks
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.conditioning.white_skeleton import landmarks
from understudy.media.reading import VideoReader
from understudy.poses.pose import FACE
from understudy.tracking.blazepose import BlazePoseTracker, Follower, PoseNetworks

GROUPS = {
    "eyes and mouth": (1, 3, 4, 6, 9, 10),
    "knuckles": tuple(range(17, 23)),
    "all others": (0, 2, 5, 7, 8, *range(11, 17), *range(23, 33)),
}
CLOSER = {
    **dict(zip((1, 3, 9, 4, 6, 10), (42, 45, 54, 39, 36, 48), strict=True)),  # of the face's 68, from here on
    **{17 + 2 * at + side: (68, 89)[side] + point for at, point in enumerate((17, 5, 2)) for side in (0, 1)},
}
"""landmark -> the point of face or hands that it is named after, among the 133 from the face on"""
EVERY, MOST = 3, 120
"""frames between two that are looked at, and how many of a clip are"""


def compared(clip: Path, tracked: Landmarks) -> Iterator[npt.NDArray[np.floating]]:
    """For each frame, how far each of the 33 is from MediaPipe's, in trunks, `(33,)`; NaN where it is not known."""
    networks, tracker, follower = PoseNetworks(), BlazePoseTracker(tracked), None
    with VideoReader(clip) as reader:
        for frame in islice(reader, 0, EVERY * MOST, EVERY):
            found = networks.detect(frame) if follower is None else []
            follower = Follower(networks, found[0]) if found else follower
            body, ours = follower(frame) if follower else None, tracker(frame)
            if body is None or ours is None:
                follower = None
                continue
            theirs = body.xy[:33]
            places, known = landmarks(torch.from_numpy(ours.xy), torch.from_numpy(ours.confidence > 0.1))
            if tracked == "wholebody":
                for at, point in CLOSER.items():
                    places[at] = torch.from_numpy(ours.xy)[FACE.start + point]
                    known[at] = bool(ours.confidence[FACE.start + point] > 0.1)
            trunk = np.linalg.norm(theirs[[11, 12]].mean(axis=0) - theirs[[23, 24]].mean(axis=0))
            apart = np.linalg.norm(places.numpy() - theirs, axis=1) / trunk
            yield np.where(known.numpy(), apart, np.nan)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", help="names in the folder UNDERSTUDY_MEDIA")
    parser.add_argument("--output", type=Path, help="JSON file")
    asked = parser.parse_args(words)
    folder = Path(os.environ.get("UNDERSTUDY_MEDIA", "../shared/media"))
    rows: list[dict[str, Any]] = []
    for clip in asked.clips:
        for tracked in get_args(Landmarks):
            apart = np.stack(list(compared(folder / clip, tracked)))
            row: dict[str, Any] = {"clip": clip, "landmarks": tracked, "frames": len(apart)}
            for group, at in GROUPS.items():
                known = apart[:, at][np.isfinite(apart[:, at])]
                row[group] = [float(np.median(known)), float(np.quantile(known, 0.95))] if len(known) else None
            rows.append(row)
            print(row, flush=True)
    if asked.output is not None:
        write_json(asked.output, {"machine": machine("cpu"), "every": EVERY, "rows": rows})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
