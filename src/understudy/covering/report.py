"""The coverage report: one HTML file that opens from disk and asks nothing of the network."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.covering.measure import Coverage
from understudy.covering.plots import limb_strips, time_line
from understudy.covering.shot_words import clock
from understudy.pictures.pages import picture_uri, plot_uri, render, write_page
from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES, DESCRIPTOR_LIMBS, Pose
from understudy.poses.similarity import edge_to_edge
from understudy.retargeting.pose_metrics import UNIT_FRAME

if TYPE_CHECKING:
    from understudy.performance import Performance

PICTURE = 360
"""pixels along the longer side of the frames shown"""
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
    page = render(
        "coverage.html",
        found=found,
        verdict=_verdict(found),
        unit=UNIT_FRAME,
        time_line=plot_uri(time_line(found.distance, found.limb_distance, found.gamma, found.fps)),
        limb_strips=plot_uri(limb_strips(found.limb_distance, found.gamma, found.fps)),
        worst=_worst(found, reference, driving),
        limbs=_limb_rows(found),
        never_filmed=[DESCRIPTOR_LIMB_NAMES[limb] for limb in found.never_filmed],
        clock=clock,
        infinity=float("inf"),
    )
    write_page(output, page)


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
    aligned = found.alignment.of_pose(driving.poses, reference.poses.size_hw)
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
                "driving": picture_uri(_with_limbs(driving_frame, aligned, worst.frame, worst.uncovered)),
                "reference": picture_uri(
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
    points = np.round(edge_to_edge(xy[0], scale)).astype(int)
    drawn = [limb for limb, ends in enumerate(DESCRIPTOR_LIMBS) if confidence[0, list(ends)].min() > 0]
    for limb in sorted(drawn, key=lambda limb: limb in highlighted):
        start, end = (tuple(map(int, points[joint])) for joint in DESCRIPTOR_LIMBS[limb])
        rim, line, colour = (11, 6, (255, 140, 0)) if limb in highlighted else (4, 2, (255, 255, 255))
        cv2.line(picture, start, end, (0, 0, 0), rim, cv2.LINE_AA)
        cv2.line(picture, start, end, colour, line, cv2.LINE_AA)
    marked: UInt8Array = picture
    return marked
