"""Is the tracker nearer to the truth with its ways, or with MediaPipe's? Made-up people, and mirrored pictures.

    python benchmarks/blazepose.py --output blazepose.json
    python benchmarks/blazepose.py --people 2 --clips juggler.mp4

Of made-up people the joints are known exactly: the distance of the twelve limb joints, in hundredths of the person's
height, and its mean to the right and down. A joint of BlazePose lies elsewhere in a body than one of ours (hips above
all), which is most of the distance. So that this does not hide what comes of pixels, every dance is tracked in pictures
turned by 0, 90, 180 and 270 degrees: what belongs to the body turns with it, and what comes of pixels does not.
Real clips have no truth, but a mirror: joints in a mirrored picture, mirrored back, should be the same. What is listed
is half of what they are apart, in pixels of the network's 256.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.base.progress import progress_bar
from understudy.media.reading import VideoReader
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import Rendered, render
from understudy.synthetic.scene import make_scene
from understudy.tracking import blazepose
from understudy.tracking.blazepose import BlazePoseTracker, PoseNetworks, square_of

FIRST = 80_000
"""number of the first made-up person"""
RATES = (24, 30, 60, 15)
SHAPES = ((640, 480), (360, 640))
FRAMES = 40
LIMBS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
"""of BlazePose's landmarks; the twelve joints 5 to 16 of COCO"""
MIRRORED = [12, 11, 14, 13, 16, 15, 24, 23, 26, 25, 28, 27]
CLIPS = ("juggler.mp4", "studio_squats_5fps.mp4", "lab_squats.mp4", "balance_cam1.mp4", "balance_cam4.mp4")

Frames = list[npt.NDArray[np.uint8]]


def turned(xy: npt.NDArray[np.float32], turns: int, size_hw: tuple[int, int]) -> npt.NDArray[np.float32]:
    """(N, 2) points of a picture, pixel centres at whole numbers, where it is turned clockwise that often."""
    height, width = size_hw
    for _ in range(turns):
        xy, height, width = np.stack([height - 1 - xy[:, 1], xy[:, 0]], axis=1), width, height
    return xy


def tracked(filmed: list[Rendered], turns: int, middle: float, rate: float) -> dict[str, float]:
    """How far the joints of one dance are from the truth, and how well the masks agree with it."""
    usual, blazepose.RATE = blazepose.RATE, rate
    tracker = BlazePoseTracker(middle=middle)
    away, shared = [], []
    for shown in filmed:
        frame, matte = (np.ascontiguousarray(np.rot90(one, -turns)) for one in (shown.frame, shown.matte))
        truth = turned(shown.xy[5:17], turns, (shown.frame.shape[0], shown.frame.shape[1]))
        seen = tracker(frame)
        if seen is not None and seen.mask is not None:
            away.append((seen.xy[5:17] - truth) / np.ptp(shown.xy[:17, 1]) * 100)
            mask = seen.mask.laid(matte.shape)
            shared.append(((mask > 127) & (matte > 127)).sum() / ((mask > 127) | (matte > 127)).sum())
    blazepose.RATE = usual
    each = np.stack(away)
    right, down = each.mean(axis=(0, 1))
    return {
        "distance": float(np.linalg.norm(each, axis=-1).mean()),
        "right": float(right),
        "down": float(down),
        "trembling": float(np.linalg.norm(np.diff(each, 2, axis=0), axis=-1).mean()),
        "IoU": float(np.mean(shared)),
    }


def apart(frames: Frames, middle: float) -> float:
    """Half of what joints and those of the mirrored picture are apart sideways."""
    networks, each = PoseNetworks(middle), []
    for frame in frames:
        regions = networks.detect(frame)
        body = networks.look(frame, regions[0]) if regions else None
        if body is None:
            continue
        region = square_of(*body.xy[[blazepose.HIPS, blazepose.RIM]])
        opposite = replace(region, x=frame.shape[1] - region.x, rotation=-region.rotation)
        one = networks.look(frame, region)
        other = networks.look(np.ascontiguousarray(frame[:, ::-1]), opposite)
        if one is not None and other is not None:
            sure = one.visibility[LIMBS] > 0.9
            sums = one.xy[LIMBS, 0] + other.xy[MIRRORED, 0] - frame.shape[1]
            each.append(sums[sure].mean() / 2 / region.width * 256)
    return float(np.mean(each))


def dances(people: int) -> Iterator[tuple[int, list[Rendered]]]:
    for number in range(people):
        rate, size_hw = RATES[number % len(RATES)], SHAPES[number % len(SHAPES)]
        motion = choreography(FIRST + number, FRAMES / rate, rate)
        yield rate, list(render(make_person(FIRST + number), motion, make_scene(FIRST + number, size_hw)))


def interval(differences: list[float]) -> tuple[float, float]:
    """Of their mean, 95 % by Student's t over people."""
    if len(differences) < 2 or not np.ptp(differences):
        return float(np.mean(differences)), float(np.mean(differences))
    half = stats.sem(differences) * stats.t.ppf(0.975, len(differences) - 1)
    return float(np.mean(differences) - half), float(np.mean(differences) + half)


USUAL, OURS = "MediaPipe's", "half pixels (ours)"
WAYS: dict[str, Callable[[int], tuple[float, float]]] = {
    USUAL: lambda rate: (0.0, blazepose.RATE),
    "the clip's rate": lambda rate: (0.0, float(rate)),
    OURS: lambda rate: (0.5, blazepose.RATE),
    "half pixels and the clip's rate": lambda rate: (0.5, float(rate)),
}
"""middle of a pixel, and frames a second of the filter"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--clips", nargs="*", default=CLIPS, help="names in the folder UNDERSTUDY_MEDIA")
    parser.add_argument("--output", type=Path, help="JSON file")
    options = parser.parse_args()
    of_people: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    with progress_bar("tracking made-up people", options.people, "people") as advance:
        for rate, filmed in dances(options.people):
            for name, way in WAYS.items():
                of_turns = [tracked(filmed, turns, *way(rate)) for turns in range(4)]
                of_people[name].append({key: float(np.mean([one[key] for one in of_turns])) for key in of_turns[0]})
            advance()
    rows: list[dict[str, Any]] = []
    print(f"{'made-up people':34}{'distance':>10}{'(against MediaPipe)':>34}  right    down  trembling    IoU")
    for name, found in of_people.items():
        means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
        first = of_people[USUAL]
        low, high = interval([one["distance"] - other["distance"] for one, other in zip(found, first, strict=True)])
        rows.append({"way": name, **means, "against_mediapipe": [low, high], "people": options.people})
        print(
            f"{name:34}{means['distance']:10.3f}{f'{low:+.3f} to {high:+.3f}':>34}{means['right']:+7.3f}"
            f"{means['down']:+8.3f}{means['trembling']:11.3f}{means['IoU']:7.4f}"
        )
    folder = Path(os.environ.get("UNDERSTUDY_MEDIA", "../shared/media"))
    mirrors = []
    for name in options.clips:
        with VideoReader(folder / name, long_side=1280, say_notes=False) as reader:
            frames = list(islice(reader, 0, 60, 3))
        theirs, ours = apart(frames, 0.0), apart(frames, 0.5)
        mirrors.append({"clip": name, USUAL: theirs, OURS: ours})
        print(f"mirrored {name:25} {theirs:+.3f}, with half pixels {ours:+.3f}")
    if options.output:
        record = {"machine": machine("cpu"), "first_person": FIRST, "made_up": rows, "mirrored": mirrors}
        write_json(options.output, record)


if __name__ == "__main__":
    main()
