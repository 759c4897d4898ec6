"""What `inspect` says of a video, a performance or an actor: lines of numbers, and a contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Rotation
from understudy.base.things import pasted
from understudy.poses.pose import (
    DESCRIPTOR_LIMB_NAMES,
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NOSE,
    POINTS,
    RIGHT_ANKLE,
    RIGHT_ELBOW,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    Pose,
)
from understudy.texts import shortened, shown

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.performance import Performance
    from understudy.performance.edit_list import EditList
    from understudy.retargeting.alignment import BodyStatistics

Image = npt.NDArray[np.uint8]

MOMENTS = 8
"""columns of a contact sheet, evenly spread over the clip"""
CELL = 160
"""pixels: height of a picture in a contact sheet"""
BEHIND = (200, 60, 160)
"""RGB behind who was cut out: neither skin nor a screen's green or blue, so that what is left of a room shows"""


def table(rows: list[tuple[str, str]]) -> list[str]:
    """One line per fact: `name  value`. Values may be what a file says of itself."""
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {shortened(shown(value))}" for name, value in rows]


def _size(size_hw: tuple[int, int]) -> str:
    return f"{size_hw[1]}x{size_hw[0]}"


# -- video -----------------------------------------------------------------------------------------------------


def video_lines(path: Path, rotate: Rotation = 0) -> list[str]:
    from understudy.media.reading import probe

    info = probe(path, rotate)
    turn = f"--rotate {rotate} " if rotate else ""
    return table(
        [
            ("video", path.name),
            ("size", f"{_size(info.size_hw)} pixels" + (f", turned by {info.rotation}°" if info.rotation else "")),
            ("length", f"{float(info.duration):.2f} s, {info.frames} frames at {_rate(info.fps)}"),
            ("codec", f"{info.codec}, {info.pixel_format}"),
            ("sound", "yes" if info.has_audio else "no"),
            ("next", f"understudy track {pasted(path.name)} {turn}--output {pasted(path.stem + '.performance')}"),
        ]
    )


def _rate(fps: object) -> str:
    exact = str(fps)
    return f"{exact} frames/s" if "/" not in exact else f"{float(fps):.3f} frames/s ({exact})"  # type: ignore[arg-type]


def video_sheet(path: Path, rotate: Rotation = 0) -> Image:
    from understudy.media.reading import VideoReader

    pictures, labels = [], []
    with VideoReader(path, long_side=2 * CELL, tolerate_damage=True, rotate=rotate) as reader:
        wanted = set(_moments(max(1, reader.expected_frames)))
        for index, frame in enumerate(reader):
            if index in wanted:
                pictures.append(frame)
                labels.append(f"{float(index / reader.fps):.2f} s")
            if index >= max(wanted):
                break
    return _sheet([pictures], [path.name], labels, cell_hw=_cell(pictures[0].shape))


def _sheet(rows: list[list[Image]], row_labels: list[str], column_labels: list[str], cell_hw: tuple[int, int]) -> Image:
    from understudy.pictures.drawing import contact_sheet

    return np.asarray(contact_sheet(rows, row_labels, column_labels, cell_hw=cell_hw), np.uint8)


def _moments(frames: int) -> list[int]:
    return sorted({int(index) for index in np.linspace(0, frames - 1, min(MOMENTS, frames))})


def _cell(shape: tuple[int, ...], height: int = CELL) -> tuple[int, int]:
    return height, max(height // 2, round(height * shape[1] / shape[0]))


# -- performance -----------------------------------------------------------------------------------------------


def performance_lines(performance: Performance) -> list[str]:
    """One line per fact: `name  value`."""
    from understudy.retargeting.alignment import body_statistics

    header = performance.header
    body = body_statistics(performance.poses)
    tracker = f"{header.tracker} {header.tracker_version}".strip()
    filled = f"{header.interpolated} interpolated, {header.missing} missing"
    cut = "" if header.start is None and header.end is None else f", cut from {header.start or 0:g} s"
    cut += "" if header.end is None else f" to {header.end:g} s"
    cut += f", turned by {header.rotate}°" if header.rotate else ""
    return table(
        [
            ("performance of", f"{header.source_name} (sha256 {header.source_sha256[:12]}...)"),
            (
                "length",
                f"{float(header.frames / header.fps):.2f} s, {header.frames} frames at {_rate(header.fps)}{cut}",
            ),
            ("original size", f"{_size(header.original_size_hw)} pixels"),
            ("working size", f"{_size(header.size_hw)} pixels, {header.crop.scale:.3f} working pixels per pixel"),
            ("tracker", f"{tracker}, {header.landmarks}{', smoothed' if header.smoothed else ''}"),
            ("person", f"found in {header.found} of {header.frames} frames; {filled}"),
            *(("slips", str(slip)) for slip in header.slips),
            *_corrections(header.fixes),
            ("body", f"torso {body.torso_length:.0f} and hips {body.hip_width:.0f} working pixels"),
            ("matte", header.matte),
            *((("parsing", header.parsing),) if performance.has_labels else ()),
            *((("surface", header.surface),) if performance.has_surface else ()),
            ("background", f"{header.inpainted:.1%} of it was never seen, and is made up"),
        ]
    )


def _corrections(fixes: EditList) -> list[tuple[str, str]]:
    """A line for corrections made by hand, if there are any."""
    if not fixes.edits:
        return []
    undone = f", {len(fixes.undone)} more undone" if fixes.undone else ""
    return [("corrected", f"{len(fixes.made)} time{'' if len(fixes.made) == 1 else 's'} by hand{undone}")]


def performance_sheet(performance: Performance) -> Image:
    """Frames, their poses, mattes, what these cut out, and maps, if any, at moments spread over the clip."""
    from understudy.media.images import composite
    from understudy.pictures.drawing import draw_pose
    from understudy.pictures.maps import labels_in_colour, surface_in_colour

    frames, drawn, mattes, cut_out, labels = [], [], [], [], []
    parsed, surfaces = [], []
    for index in _moments(len(performance)):
        frame, matte = next(performance.frames(index, index + 1)), next(performance.mattes(index, index + 1))
        frames.append(frame)
        drawn.append(
            draw_pose((frame // 2).astype(np.uint8), performance.poses.xy[index], performance.poses.confidence[index])
        )
        mattes.append(cv2.cvtColor(matte, cv2.COLOR_GRAY2RGB))
        cut_out.append(composite(np.dstack([frame, matte]), BEHIND))
        if performance.has_labels:
            parsed.append(labels_in_colour(next(performance.labels(index, index + 1)), frame))
        if performance.has_surface:
            surfaces.append(surface_in_colour(next(performance.surface(index, index + 1)), frame))
        state = ("missing", "interpolated", "found")[int(performance.status[index])]
        labels.append(f"{float(index / performance.fps):.2f} s {state}")
    rows = {"frame": frames, "pose": drawn, "matte": mattes, "cut out": cut_out, "labels": parsed, "surface": surfaces}
    rows = {name: pictures for name, pictures in rows.items() if pictures}
    return _sheet(list(rows.values()), list(rows), labels, cell_hw=(CELL, CELL))


# -- actor -----------------------------------------------------------------------------------------------------


def actor_lines(actor: Actor) -> list[str]:
    """One line per fact: `name  value`."""
    record = actor.record
    parameters = sum(array.size for array in actor.weights.values())
    minutes = float(record.get("seconds", 0)) / 60
    losses = ", ".join(f"{name} {float(value):.3g}" for name, value in dict(record.get("losses", {})).items())
    return table(
        [
            ("actor of", f"{actor.reference_name} (sha256 {actor.reference_sha256[:12]}...)"),
            ("recipe", f"{actor.recipe}, preset {record.get('preset', 'custom')}, {actor.size}x{actor.size} pixels"),
            ("trained", f"{record.get('steps', '?')} steps in {minutes:.1f} minutes on {record.get('device', '?')}"),
            ("normalization", actor.placement.normalization),
            ("features", str(record.get("features", "?"))),
            ("last losses", losses or "none"),
            ("generator", f"{parameters / 1e6:.1f} million weights"),
            ("performs at", f"{_size(actor.original_size_hw)} pixels; the reference had {_rate(actor.fps)}"),
            ("paints", _painted(actor)),
            ("consent", f"{actor.consent.text} ({actor.consent.time})"),
            ("made with", f"understudy {actor.made_with}"),
        ]
    )


def _painted(actor: Actor) -> str:
    if actor.paints_room:
        return "the reference's room along with the person"
    if "flat_colour" not in actor.statistics:
        return "the person with the alpha of what is shown of it"
    return f"the person over the flat colour {', '.join(str(int(level)) for level in actor.statistics['flat_colour'])}"


def actor_sheet(actor: Actor) -> Image:
    """The empty room, and the actor in made-up poses of its own proportions."""
    from understudy.performing.comparison import over_grey
    from understudy.performing.perform import Part, composed
    from understudy.pictures.drawing import draw_pose
    from understudy.recipes.parts.player import moments

    names = list(POSTURES)
    pose = Pose.concatenate([posture(actor.body, name, actor.working_size) for name in names])
    pose = actor.from_working.of_pose(pose, (actor.size, actor.size))
    window = np.concatenate([actor.windows(pose[index : index + 1], actor.fps) for index in range(len(pose))])
    part = Part(pose, window, np.ones(len(pose), np.float32), actor.fps)
    shots, stages, drawn = [], [], []
    # Each posture is given three times in a row: recipes that look at consecutive poses then see a person at rest
    seen = part.in_window
    repeated = Pose.concatenate([seen[index : index + 1] for index in range(len(pose)) for _ in range(3)])
    for index, shot in enumerate(list(actor.player().play(moments(repeated)))[2::3]):
        shots.append(over_grey(shot))
        stages.append(composed(actor, part, index, shot, actor.background.copy()))
        blank = np.zeros((actor.size, actor.size, 3), np.uint8)
        drawn.append(draw_pose(blank, seen.xy[index], seen.confidence[index]))
    rows = [drawn, shots, stages]
    return _sheet(rows, ["pose", "generated", "on stage"], names, cell_hw=_cell(stages[0].shape, 2 * CELL))


POSTURES: dict[str, tuple[float, float, float, float]] = {
    # degrees from hanging straight down, outwards: upper arms, forearms, thighs, shins
    "at rest": (12, 8, 4, 2),
    "arms out": (88, 92, 6, 2),
    "arms up": (165, 175, 4, 2),
    "hands on hips": (45, -50, 8, 2),
    "star": (125, 125, 28, 24),
}
_TRUNK_TO_HEAD = 0.45
"""nose above the shoulders, as a share of the torso"""


def posture(body: BodyStatistics, name: str, size: int) -> Pose:
    """One frame of a person of these proportions who faces the camera, in the (size, size) frame that `body` is of."""
    upper, fore, thigh, shin = POSTURES[name]
    torso = body.torso_length or 2.4 * body.hip_width
    lengths = dict(zip(DESCRIPTOR_LIMB_NAMES, body.limb_lengths, strict=False))

    def length(limb: str, share: float) -> float:
        known = [value for key, value in lengths.items() if key.endswith(limb) and value > 0]
        return float(np.mean(known)) if known else share * torso

    xy = np.zeros((1, POINTS, 2), np.float32)
    confidence = np.zeros((1, POINTS), np.float32)

    def put(point: int, x: float, y: float) -> None:
        xy[0, point], confidence[0, point] = (x, y), 1

    centre_x, centre_y = body.centre_xy
    shoulders_y, hips_y = centre_y - torso / 2, centre_y + torso / 2
    put(NOSE, centre_x, shoulders_y - _TRUNK_TO_HEAD * torso)
    for offset, point in zip((-0.06, 0.06, -0.14, 0.14), (2, 1, 4, 3), strict=True):  # eyes and ears, right ones left
        put(point, centre_x + offset * torso, shoulders_y - (_TRUNK_TO_HEAD + 0.05) * torso)
    for side, points in ((-1, _RIGHT), (1, _LEFT)):  # the person's right is on the left of the picture
        x, y = centre_x + side * length("shoulder", 0.36), shoulders_y
        put(points[0], x, y)
        for point, limb, share, angle in ((1, "upper arm", 0.58, upper), (2, "forearm", 0.5, fore)):
            x, y = _onwards(x, y, side, angle, length(limb, share))
            put(points[point], x, y)
        x, y = centre_x + side * body.hip_width / 2, hips_y
        put(points[3], x, y)
        for point, limb, share, angle in ((4, "thigh", 0.85, thigh), (5, "shin", 0.85, shin)):
            x, y = _onwards(x, y, side, angle, length(limb, share))
            put(points[point], x, y)
    return Pose(xy, confidence, (size, size))


_RIGHT = (RIGHT_SHOULDER, RIGHT_ELBOW, RIGHT_WRIST, RIGHT_HIP, RIGHT_KNEE, RIGHT_ANKLE)
_LEFT = (LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST, LEFT_HIP, LEFT_KNEE, LEFT_ANKLE)


def _onwards(x: float, y: float, side: int, degrees: float, length: float) -> tuple[float, float]:
    """From a joint on along a limb; 0 degrees hangs down, 90 points away from the body."""
    angle = np.radians(degrees)
    return x + side * float(np.sin(angle)) * length, y + float(np.cos(angle)) * length
