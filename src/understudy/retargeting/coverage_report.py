"""The coverage report: one HTML file that opens from disk and asks nothing of the network."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.files import atomic_file
from understudy.pose import DESCRIPTOR_LIMB_NAMES, DESCRIPTOR_LIMBS, Pose
from understudy.retargeting.coverage import UNIT_FRAME, Coverage
from understudy.retargeting.shot_words import clock

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from understudy.performance import Performance

PICTURE = 360
"""pixels along the longer side of the frames shown"""
MOST_COLUMNS = 600
"""of the plots: a longer video is shown by the worst value of each stretch"""
PLOT_WIDTH = 4.8
"""inches: at this width the lettering is still legible on a phone"""
FEW, SOME = 0.05, 0.3
"""shares of the driver's frames up to which the verdict is "covers" and "covers most of" """

UInt8Array = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]


def write_report(found: Coverage, reference: Performance, driving: Performance, output: str | os.PathLike[str]) -> None:
    """Writes the report at `output`, whole or not at all.

    Args:
        found: what `coverage` measured between the two.
        reference: for the pictures of its frames.
        driving: as `reference`.
        output: the HTML file; an older one is replaced.

    Raises:
        UnderstudyError: the file cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("understudy"), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("coverage.html").render(
        found=found,
        verdict=_verdict(found),
        unit=UNIT_FRAME,
        time_line=_png(_time_line(found)),
        limb_strips=_png(_limb_strips(found)),
        worst=_worst(found, reference, driving),
        limbs=_limb_rows(found),
        never_filmed=[DESCRIPTOR_LIMB_NAMES[limb] for limb in found.never_filmed],
        clock=clock,
        infinity=float("inf"),
    )
    with atomic_file(output) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _verdict(found: Coverage) -> str:
    share = found.share_of_frames
    if share <= FEW:
        return "The reference covers this driver."
    if share <= SOME:
        return "The reference covers most of this driver."
    return "The reference does not cover this driver: film more."


def _limb_rows(found: Coverage) -> list[dict[str, Any]]:
    rows = []
    for limb, (name, share) in enumerate(found.share_per_limb.items()):
        distance = found.limb_distance[:, limb]
        finite = distance[np.isfinite(distance)]
        rows.append(
            {
                "name": name,
                "share": share,
                "shown": float((~np.isnan(distance)).mean()),
                "median": float(np.median(finite)) if len(finite) else None,
                "high": float(np.quantile(finite, 0.95)) if len(finite) else None,
            }
        )
    return rows


def _worst(found: Coverage, reference: Performance, driving: Performance) -> list[dict[str, Any]]:
    aligned = found.alignment.apply_to_pose(driving.poses, reference.poses.size_hw)
    entries = []
    for worst in found.worst:
        driving_frame = next(driving.frames(worst.frame, worst.frame + 1))
        reference_frame = next(reference.frames(worst.reference_frame, worst.reference_frame + 1))
        driving_frame = found.alignment.apply_to_frame(driving_frame, reference.poses.size_hw)
        entries.append(
            {
                "at": worst,
                "limbs": [
                    (DESCRIPTOR_LIMB_NAMES[limb], float(found.limb_distance[worst.frame, limb]))
                    for limb in worst.uncovered
                ],
                "driving": _jpeg(_with_limbs(driving_frame, aligned, worst.frame, worst.uncovered)),
                "reference": _jpeg(
                    _with_limbs(reference_frame, reference.poses, worst.reference_frame, worst.uncovered)
                ),
                "reference_clock": clock(float(worst.reference_frame / reference.fps)),
            }
        )
    return entries


def _with_limbs(frame: UInt8Array, pose: Pose, index: int, highlighted: Collection[int]) -> UInt8Array:
    """The frame, enlarged, with the 12 limbs: thin white, the highlighted ones thick orange with a black rim."""
    scale = PICTURE / max(frame.shape[:2])
    picture = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    xy, confidence = pose[index : index + 1].openpose18()
    points = np.round((xy[0] + 0.5) * scale - 0.5).astype(int)
    drawn = [limb for limb, ends in enumerate(DESCRIPTOR_LIMBS) if confidence[0, list(ends)].min() > 0]
    for limb in sorted(drawn, key=lambda limb: limb in highlighted):
        start, end = (tuple(map(int, points[joint])) for joint in DESCRIPTOR_LIMBS[limb])
        rim, line, colour = (11, 6, (255, 140, 0)) if limb in highlighted else (4, 2, (255, 255, 255))
        cv2.line(picture, start, end, (0, 0, 0), rim, cv2.LINE_AA)
        cv2.line(picture, start, end, colour, line, cv2.LINE_AA)
    marked: UInt8Array = picture
    return marked


def _jpeg(picture: UInt8Array) -> str:
    encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()


def _png(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=220, bbox_inches="tight", pad_inches=0.03)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _stretches(frames: int) -> npt.NDArray[np.intp]:
    """First frame of each column of the plots."""
    columns = min(frames, MOST_COLUMNS)
    return (np.arange(columns) * frames) // columns


def _time_line(found: Coverage) -> Figure:
    from matplotlib.figure import Figure

    first = _stretches(len(found.distance))
    seconds = first / float(found.fps)
    mean = np.fmax.reduceat(found.distance, first)
    limbs = np.where(np.isfinite(found.limb_distance), found.limb_distance, np.nan)
    farthest = np.fmax.reduceat(np.fmax.reduce(limbs, axis=1), first)
    figure = Figure(figsize=(PLOT_WIDTH, 2.3))
    axes = figure.add_subplot()
    axes.plot(seconds, farthest, color="0.6", linewidth=1, label="farthest limb")
    axes.plot(seconds, mean, color="black", linewidth=1.6, label="mean of the limbs (eq. 8)")
    axes.axhline(found.gamma, color="black", linewidth=1, linestyle=(0, (4, 3)), label=f"gamma = {found.gamma:g}")
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    axes.set_xlabel("seconds of the driver", fontsize=9)
    axes.set_ylabel(f"pixels of {UNIT_FRAME}", fontsize=9)
    axes.legend(fontsize=8, frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1)
    _plain(axes)
    return figure


def _limb_strips(found: Coverage) -> Figure:
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    frames = len(found.distance)
    first = _stretches(frames)
    seen = np.logical_or.reduceat(~np.isnan(found.limb_distance), first, axis=0)
    beyond = np.logical_or.reduceat(found.uncovered, first, axis=0)
    figure = Figure(figsize=(PLOT_WIDTH, 2.9))
    axes = figure.add_subplot()
    axes.imshow(
        (seen.astype(int) + beyond).T,  # 0 not seen, 1 covered, 2 beyond gamma
        cmap=ListedColormap(["white", "0.85", "0.05"]),
        vmin=0,
        vmax=2,
        aspect="auto",
        interpolation="nearest",
        extent=(0, frames / float(found.fps), len(DESCRIPTOR_LIMB_NAMES) - 0.5, -0.5),
    )
    axes.set_yticks(range(len(DESCRIPTOR_LIMB_NAMES)), DESCRIPTOR_LIMB_NAMES, fontsize=8)
    for row in range(1, len(DESCRIPTOR_LIMB_NAMES)):
        axes.axhline(row - 0.5, color="white", linewidth=2)
    axes.set_xlabel("seconds of the driver", fontsize=9)
    _plain(axes)
    axes.tick_params(axis="y", length=0)
    return figure


def _plain(axes: Any) -> None:
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
