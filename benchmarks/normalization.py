"""How well a driver is brought to the reference's place: where the clone's ankles are, and where they should be.

    python benchmarks/normalization.py --output mine.json

Made-up people, so that the truth is known: the reference's person is filmed by the reference's camera in the driver's
very dance. The driver has another build and another camera that shows him half the size and elsewhere in the picture.
Both dance in place, come closer and go away (as if the floor carried them), or jump; "only" one of them does or both.

`exact` places the true joints of people, `tracked` what the default tracker finds in rendered clips; errors are against
the true joints in both. All are means over frames and pairs, in % of the person's height in the picture.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.errors import UnderstudyError
from understudy.performing.perform import aligned_poses
from understudy.poses.pose import BODY, LEFT_ANKLE, RIGHT_ANKLE, Pose
from understudy.poses.similarity import IDENTITY, Similarity
from understudy.recipes.parts.groups import Placement
from understudy.retargeting.alignment import NormalizeBy, body_statistics
from understudy.retargeting.global_normalization import ground_position, ground_statistics
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import Motion, choreography
from understudy.synthetic.pair import centred
from understudy.synthetic.people import Person, make_person
from understudy.synthetic.render import landmark_paths
from understudy.synthetic.scene import Scene, make_scene

VERSION = 1
"""of the JSON's layout"""
FPS, SIZE_HW = Fraction(15), (512, 384)
REFERENCE_SECONDS, DRIVING_SECONDS = 14, 12
WALK, WALK_AT = 0.7, -0.5
"""leg lengths: how far somebody walks to and fro, and about where, so that the feet stay in the picture"""
JUMP, JUMP_SECONDS, JUMP_EVERY = 0.35, 0.55, 2.2
"""leg lengths high, seconds long, seconds apart"""
BAR = 2.0
"""% of height: the most that ankles may be off where driver and reference move alike"""


@dataclass(frozen=True)
class Case:
    """What the two do."""

    name: str
    reference_walks: bool = False
    driver_walks: bool = False
    reference_jumps: bool = False
    driver_jumps: bool = False

    @property
    def alike(self) -> bool:
        """Whether both use the floor alike, which section 8.5 takes for granted."""
        return self.reference_walks == self.driver_walks


CASES = (
    Case("both in place"),
    Case("both walk", True, True),
    Case("driver jumps", driver_jumps=True),
    Case("both walk and jump", True, True, True, True),
    Case("only the driver walks", driver_walks=True),
    Case("only the reference walks", reference_walks=True),
)


@dataclass(frozen=True)
class Row:
    """One line of the table; errors in % of the person's height in the picture."""

    case: str
    poses: str
    """"exact" or "tracked" """
    method: str
    ankles: float
    ankles_worst: float
    """of the pairs"""
    ankles_vertical: float
    body: float
    """mean over the 17 body joints"""
    off_floor: float
    """how far the feet stand beyond the ground on which the reference was seen"""
    pairs: int


@dataclass(frozen=True)
class Shot:
    """Somebody's joints in a picture, and in pixels of which."""

    pose: Pose
    crop: Similarity = IDENTITY
    """from pixels of the picture to those of the pose"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    rows: list[Row] = []
    _print_header()
    for case in CASES:
        for poses, count in (("exact", options.pairs), ("tracked", options.tracked)):
            measured = [_measure(case, pair, poses == "tracked") for pair in range(count)]
            for method in measured[0] if measured else ():
                row = _row(case, poses, method, [one[method] for one in measured])
                rows.append(row)
                print(_line(row), flush=True)
    bars = _bars(rows)
    for bar in bars:
        print(f"bar  {bar['bar']}: {'met' if bar['met'] else 'NOT met'} ({bar['measured']:.2f})")
    if options.output:
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        record = {"version": VERSION, "time": when, "machine": machine("cpu"), "unit": "% of height", "bars": bars}
        write_json(options.output, record | {"rows": [dataclasses.asdict(row) for row in rows]})
        print(f"written to {options.output}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=8, help="pairs of people with exact poses")
    parser.add_argument("--tracked", type=int, default=2, help="pairs of people that are rendered and tracked; slow")
    parser.add_argument("--output", type=Path, help="JSON to write")
    options = parser.parse_args(arguments)
    if options.pairs < 1 or options.tracked < 0:
        parser.error("--pairs must be at least 1, and --tracked at least 0")
    return options


# -- what is filmed ----------------------------------------------------------------------------------------------


def facing(scene: Scene, zoom: float = 1.0, shift_xy: tuple[float, float] = (0.0, 0.0)) -> Scene:
    """The scene with its camera straight before the dancer: seen at another angle the same dance has no one truth."""
    camera = scene.camera
    turn = -np.arctan2(camera.position[0], camera.position[2])
    c, s = np.cos(turn), np.sin(turn)
    turned = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], np.float32)
    centre = camera.centre_xy[0] + shift_xy[0], camera.centre_xy[1] * zoom + shift_xy[1]
    moved = dataclasses.replace(
        camera,
        position=turned @ camera.position,
        axes=camera.axes @ turned.T,
        focal=zoom * camera.focal,
        centre_xy=centre,
    )
    return dataclasses.replace(scene, camera=moved)


def dance(seed: int, seconds: int, at: float, walks: bool, jumps: bool, period: float) -> Motion:
    """A choreography at a place in depth (leg lengths towards the camera), carried to and fro, with jumps."""
    motion = centred(choreography(seed, seconds, FPS))
    times = np.arange(len(motion)) / float(FPS)
    path = motion.path.copy()
    path[:, 2] += at + walks * WALK * np.sin(2 * np.pi * times / period)
    in_air = np.clip((times % JUMP_EVERY) / JUMP_SECONDS, 0, 1)
    path[:, 1] += jumps * JUMP * 4 * in_air * (1 - in_air)
    return dataclasses.replace(motion, path=path)


def _measure(case: Case, pair: int, track: bool) -> dict[str, tuple[float, ...]]:
    """By method: ankles, ankles vertical, body, off floor."""
    (reference, room), (driver, other_room) = _cast(10 + pair), _cast(40 + pair)
    room, other_room = facing(room), facing(other_room, zoom=0.5, shift_xy=(50.0, 60.0))
    at = WALK_AT if case.reference_walks else 0.0
    rehearsal = dance(100 + pair, REFERENCE_SECONDS, at, case.reference_walks, case.reference_jumps, 7.0)
    performed = dance(200 + pair, DRIVING_SECONDS, at, case.driver_walks, case.driver_jumps, 6.0)
    shoot = _tracked if track else _exact
    shots = shoot(reference, rehearsal, room), shoot(driver, performed, other_room)
    truth = _exact(reference, performed, room).pose
    top, bottom = room.camera.project([[0, reference.body.height, 0], [0, 0, 0]])[:, 1]
    seen = _exact(reference, rehearsal, room).pose
    ground = ground_position(seen, FPS)
    return {
        method: _errors(pose, truth, float(bottom - top), float(ground.min()), float(ground.max()))
        for method, pose in _placed(*shots).items()
    }


@lru_cache(maxsize=64)  # dressing people and painting rooms takes longer than all the rest
def _cast(seed: int) -> tuple[Person, Scene]:
    return make_person(seed), make_scene(seed, SIZE_HW)


def _exact(person: Person, motion: Motion, scene: Scene) -> Shot:
    xy = landmark_paths(person, motion, scene)
    return Shot(Pose(xy, np.ones(xy.shape[:2], np.float32), scene.size_hw))


def _tracked(person: Person, motion: Motion, scene: Scene) -> Shot:
    from understudy.tracking.track import track

    with tempfile.TemporaryDirectory(prefix="understudy-normalization-") as folder:
        write_clip(Path(folder) / "clip.mp4", person, motion, scene)
        performance = track(Path(folder) / "clip.mp4", Path(folder) / "clip.performance", matte="none")
        return Shot(performance.poses, performance.header.crop)


# -- how it is placed, and how well ------------------------------------------------------------------------------


def _placed(reference: Shot, driving: Shot) -> dict[str, Pose]:
    """The driver's poses in pixels of the reference's picture, by each method."""
    of_reference = {
        "body": body_statistics(reference.pose),
        "ground": ground_statistics(reference.pose, FPS),
        "ground_printed": ground_statistics(reference.pose, FPS, printed=True),
        "working_size": 256,
        "reference_name": "the reference",
    }
    clip: Any = SimpleNamespace(poses=driving.pose, fps=FPS, path="the driver")

    def placed(way: NormalizeBy, limbs: bool = False) -> Pose:
        actor: Any = SimpleNamespace(placement=Placement(way, "body", limbs), **of_reference)
        return aligned_poses(actor, clip)

    working = {
        "similarity": placed("similarity"),
        "ground": placed("ground"),
        "similarity + limbs": placed("similarity", limbs=True),
        "ground + limbs": placed("ground", limbs=True),
        "ground as printed": placed("ground-printed"),
    }
    return {name: reference.crop.inverse.of_pose(pose, SIZE_HW) for name, pose in working.items()}


def _errors(pose: Pose, truth: Pose, height: float, far: float, close: float) -> tuple[float, ...]:
    frames = min(len(pose), len(truth))
    off = (pose.xy[:frames] - truth.xy[:frames])[pose.found[:frames]]
    ankles = off[:, [LEFT_ANKLE, RIGHT_ANKLE]]
    ground = ground_position(Pose(pose.xy, pose.confidence, (10_000, 10_000)), FPS)
    beyond = np.maximum(np.maximum(ground - close, far - ground), 0)
    values = (
        np.linalg.norm(ankles, axis=-1),
        np.abs(ankles[..., 1]),
        np.linalg.norm(off[:, BODY], axis=-1),
        beyond,
    )
    return tuple(100 * float(value.mean()) / height for value in values)


def _row(case: Case, poses: str, method: str, errors: list[tuple[float, ...]]) -> Row:
    ankles, vertical, body, off_floor = np.mean(errors, axis=0).tolist()
    return Row(case.name, poses, method, ankles, max(one[0] for one in errors), vertical, body, off_floor, len(errors))


def _bars(rows: Sequence[Row]) -> list[dict[str, Any]]:
    alike = {case.name for case in CASES if case.alike}
    bars = []
    for poses in ("exact", "tracked"):
        measured = [row.ankles for row in rows if (row.poses, row.method) == (poses, "ground") and row.case in alike]
        if measured:
            what = (
                f"ground, {poses} poses, both on the floor alike: ankles at most {BAR:g} % of height off in every case"
            )
            bars.append({"bar": what, "measured": max(measured), "met": max(measured) <= BAR})
    return bars


def _print_header() -> None:
    print(f"{'':24} {'':8} {'':18} {'ankles':>7} {'worst':>7} {'up/down':>7} {'body':>7} {'off floor':>9}")


def _line(row: Row) -> str:
    numbers = f"{row.ankles:7.2f} {row.ankles_worst:7.2f} {row.ankles_vertical:7.2f} {row.body:7.2f}"
    return f"{row.case:24} {row.poses:8} {row.method:18} {numbers} {row.off_floor:9.2f}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
