"""Who is who when two people cross: made-up pairs with exact poses, in different clothes and in the same.

    python benchmarks/crossings.py --output crossings.json
    python benchmarks/crossings.py --pairs 1 --seconds 2

Two dance at once, one behind the other: they cross once, cross twice, or meet and turn back. They are followed as for
`perform --assign`, and what is found is held against the truth: frames that show the other one instead, how much of the
clip each was found in, and how far joints are off.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.errors import PoseError
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene
from understudy.synthetic.together import film_together, moved
from understudy.tracking.passes import Footage
from understudy.tracking.several import follow_everybody

Floats = npt.NDArray[np.float64]

SIZE_HW, FPS = (480, 720), Fraction(24)
WIDE, DEEP = 1.1, 0.45
"""leg lengths from the middle at which both begin, and before or behind it"""
LIMBS = slice(5, 17)
TOGETHER = 0.5
"""trunk lengths between the joints of both from which on one may be told from the other"""

WAYS: dict[str, Callable[[Floats], Floats]] = {
    "cross once": lambda share: -WIDE + 2 * WIDE * np.clip((share - 0.2) / 0.6, 0, 1),
    "cross twice": lambda share: -WIDE * np.cos(2 * np.pi * share),
    "meet and turn back": lambda share: -WIDE + 0.9 * WIDE * np.sin(np.pi * share),
}


def filmed(folder: Path, way: str, seed: int, alike: bool, seconds: float) -> tuple[Path, list[Pose]]:
    """A clip of one pair, and the exact poses of who begins at the left and at the right."""
    x = WAYS[way](np.linspace(0, 1, round(seconds * FPS)))
    depth = np.full_like(x, DEEP)
    people = make_person(10 + 2 * seed), make_person(10 + 2 * seed + (0 if alike else 1))
    dances = choreography(3 + 2 * seed, seconds, FPS), choreography(4 + 2 * seed, seconds, FPS)
    cast = [
        (people[0], moved(dances[0], np.stack([x, depth], axis=1))),
        (people[1], moved(dances[1], np.stack([-x, -depth], axis=1))),
    ]
    path = folder / f"{way} {seed} {alike}.mp4"
    return path, film_together(path, cast, make_scene(3 + seed, SIZE_HW))


def measured(path: Path, truth: Sequence[Pose]) -> list[dict[str, Any]]:
    """For each of the two: share of frames found, frames that are the other's, joint errors in trunk lengths."""
    clip = Footage(path, None, None, False, False)
    try:
        found = [one.poses for one in follow_everybody(clip, clip.reader())]
    except PoseError:
        found = []
    if len(found) != len(truth):
        return [{"people_found": len(found)}]
    trunk = float(np.linalg.norm(truth[0].xy[:, p.LEFT_SHOULDER] - truth[0].xy[:, p.LEFT_HIP], axis=1).mean())

    def apart(one: Pose, other: Pose) -> Floats:
        return np.asarray(np.linalg.norm(one.xy[:, LIMBS] - other.xy[:, LIMBS], axis=2), np.float64) / trunk

    told = np.median(apart(*truth), axis=1) > TOGETHER
    rows = []
    for own, poses in enumerate(found):
        right, wrong = apart(poses, truth[own]), apart(poses, truth[1 - own])
        others = (np.median(wrong, axis=1) < np.median(right, axis=1)) & told & poses.found
        errors = right[poses.found]
        rows.append(
            {
                "people_found": len(found),
                "frames": len(poses),
                "found": float(poses.found.mean()),
                "others": int(others.sum()),
                "error_median": float(np.median(errors)),
                "error_90": float(np.quantile(np.median(errors, axis=1), 0.9)),
            }
        )
    return rows


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3, help="of people, for each way")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each clip")
    parser.add_argument("--output", type=Path, help="JSON file")
    asked = parser.parse_args(words)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for way in WAYS:
            for alike in (False, True):
                for seed in range(asked.pairs):
                    for person, row in enumerate(measured(*filmed(Path(folder), way, seed, alike, asked.seconds))):
                        rows.append({"way": way, "alike": alike, "pair": seed, "person": person, **row})
                        print(rows[-1], flush=True)
    print(table(rows))
    if asked.output is not None:
        write_json(asked.output, {"machine": machine("cpu"), "seconds": asked.seconds, "rows": rows})
    return 0


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows of each way and clothing together, as Markdown."""
    lines = [
        "| | clothes | clips | both found | frames of the other | found in | joint error, median | of 90 % of frames |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for way in WAYS:
        for alike in (False, True):
            mine = [row for row in rows if row["way"] == way and row["alike"] == alike]
            whole = [row for row in mine if "frames" in row]
            clips = len({row["pair"] for row in mine})
            line = [way, "the same" if alike else "different", clips, len({row["pair"] for row in whole})]
            if whole:
                frames = sum(row["frames"] for row in whole)
                line += [f"{sum(row['others'] for row in whole)} of {frames}"]
                line += [
                    f"{100 * float(np.mean([row[name] for row in whole])):.0f} %"
                    for name in ("found", "error_median", "error_90")
                ]
            lines.append("| " + " | ".join(map(str, line)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
