"""How true the built-in surface maps are: bodies fitted to points of made-up people, whose surfaces are known exactly.

    python benchmarks/surface.py --output surface.json
    python benchmarks/surface.py --people 2 --moments 2

Points as the camera sees them, with and without a tracker's noise; people, dances and cameras that the lifter has
not learnt from. DPBS and DPIS are those of `evaluation.part_similarity`; U and V are compared where both show the same
chart. What remains with exact points is what points cannot say: twist, depth and how stout somebody is beneath a skirt.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.base.progress import progress_bar
from understudy.evaluation.part_similarity import binary_similarity, index_similarity
from understudy.poses.pose import Pose
from understudy.synthetic.dances import seen_poses
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render, surfaces
from understudy.synthetic.scene import make_scene
from understudy.tracking.body_fit import fit
from understudy.tracking.surface import girth_of, surface_maps

FIRST = 70_000
"""number of the first made-up person"""
SIZE_HW = (512, 512)
APART = 12
"""frames between two moments that are compared"""
NOISES = {"exact points": 0.0, "noise of a tracker": 0.005}
"""of the picture's height"""


def compared(number: int, moments: int, noise: float) -> list[dict[str, float]]:
    """What was measured at each moment of one person's dance."""
    person, scene = make_person(number), make_scene(number, SIZE_HW)
    motion = choreography(number, moments * APART / 30, 30)
    motion = motion[::APART]
    pose = seen_poses(person, motion, scene)
    random = np.random.default_rng(number)
    xy = pose.xy + random.normal(0, noise * SIZE_HW[0], pose.xy.shape).astype(np.float32)
    posed = fit(Pose(xy, pose.confidence, SIZE_HW), follow=False)
    mattes = [shown.matte for shown in render(person, motion, scene)]
    found = []
    girth = girth_of(posed, mattes)
    for made, true in zip(surface_maps(posed, SIZE_HW, girth), surfaces(person, motion, scene), strict=True):
        same = (made[..., 0] == true[..., 0]) & (true[..., 0] > 0)
        off = np.abs(made[same].astype(int) - true[same]) / 255
        both = (made[..., 0] > 0) & (true[..., 0] > 0)
        found.append(
            {
                "DPBS": binary_similarity(made[..., 0], true[..., 0]),
                "DPIS": index_similarity(made[..., 0], true[..., 0]),
                "same chart": float(same.sum() / max(1, both.sum())),
                "U off": float(off[:, 1].mean()) if len(off) else float("nan"),
                "V off": float(off[:, 2].mean()) if len(off) else float("nan"),
            }
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--moments", type=int, default=5)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    report: dict[str, Any] = {"machine": machine("cpu"), "people": given.people, "moments": given.moments}
    for name, noise in NOISES.items():
        rows = []
        with progress_bar(name, given.people) as advance:
            for number in range(FIRST, FIRST + given.people):
                rows += compared(number, given.moments, noise)
                advance()
        report[name] = {key: round(float(np.nanmean([row[key] for row in rows])), 3) for key in rows[0]}
        print(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in report[name].items()))
    if given.output:
        write_json(given.output, report)


if __name__ == "__main__":
    main()
