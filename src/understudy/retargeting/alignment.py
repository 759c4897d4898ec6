"""Alignment of a driver with the reference: one scale and one translation per video (Aberman et al. 2018, section 3.1).

The mean body centre of the driver comes to lie on the reference's, and the mean hip width takes the reference's length.
Nothing is aligned frame by frame, because that would take the jumps and steps out of the dance.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.base.arguments import NormalizeBy as NormalizeBy
from understudy.base.arguments import ScaleBy as ScaleBy
from understudy.errors import PoseError
from understudy.poses.pose import DESCRIPTOR_LIMBS, LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER, Pose
from understudy.poses.similarity import Similarity
from understudy.retargeting.measured import once

logger = logging.getLogger(__name__)

LEAST_HIP_TO_TORSO = 0.2
"""Seen from the front, hips are about 0.4 of the torso's length apart; below this mean the person stands sideways."""
MOST_DISAGREEMENT = 1.5
"""Builds differ by less than this factor; if hips and torso disagree by more, one of the two people stood sideways."""
ONE_SIDED = 0.05
"""Share of frames: somebody seen from a side in fewer is never seen from it, but for tracking errors."""
LENGTH_QUANTILE = 0.9
"""Turning towards the camera only shortens a limb, so long readings tell its length; the longest are tracker errors."""


@dataclass(frozen=True)
class BodyStatistics:
    """What one video says about where its person is and how large, in pixels of the frame that the poses refer to.

    Plain numbers only: it is stored in the actor as JSON.
    """

    centre_xy: tuple[float, float]
    """mean over time of the torso's centre (shoulders and hips)"""
    hip_width: float
    """mean over time of the distance between the hip joints"""
    torso_length: float = 0.0
    """0.9 quantile over time of the distance from mid-shoulder to mid-hip; 0 = unknown"""
    limb_lengths: tuple[float, ...] = ()
    """0.9 quantile over time of each of the 12 limbs of `pose.DESCRIPTOR_LIMBS`; 0 = that limb is never seen"""
    front_share: float = 0.5
    """share of the frames in which the person is seen from the front; 0.5 = unknown"""


@once
def body_statistics(pose: Pose) -> BodyStatistics:
    """Measures a video's body once, over the frames in which both shoulders and both hips are seen.

    Means are weighted with the least confidence of the joints involved, so that guessed joints count for little.

    Raises:
        PoseError: no frame shows both shoulders and both hips, or all joints lie on one point.
    """
    corners = [LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP]
    weight_T = pose.confidence[:, corners].min(axis=1).astype(np.float64)
    seen_T = weight_T > 0
    if not seen_T.any():
        raise PoseError(
            f"none of {len(pose)} frames shows both shoulders and both hips, which alignment needs: "
            "film the whole body, or choose the right person with `understudy track VIDEO --region X,Y,W,H "
            "--output NAME.performance`, and give that"
        )
    weight_T = weight_T[seen_T]
    xy_T42 = pose.xy[seen_T][:, corners].astype(np.float64)
    torso_T = np.linalg.norm(xy_T42[:, :2].mean(axis=1) - xy_T42[:, 2:].mean(axis=1), axis=-1)
    hips_T = np.linalg.norm(xy_T42[:, 2] - xy_T42[:, 3], axis=-1)
    centre = np.average(xy_T42.mean(axis=1), axis=0, weights=weight_T)
    torso_length = float(np.quantile(torso_T, LENGTH_QUANTILE))
    if torso_length <= 0:
        raise PoseError(
            f"shoulders and hips lie on one point in all of {len(pose)} frames: are these poses of a person?"
        )
    return BodyStatistics(
        centre_xy=(float(centre[0]), float(centre[1])),
        hip_width=float(np.average(hips_T, weights=weight_T)),
        torso_length=torso_length,
        limb_lengths=_limb_lengths(pose),
        front_share=float(np.average(_towards_left(xy_T42) > 0, weights=weight_T)),
    )


def _towards_left(xy_T42: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Pixels by which left shoulder and hip lie to the right in the picture: above 0 seen from the front.

    To the right where the clip shows the person upright; a whole clip that is turned is taken as if it were not. Single
    frames are not: who bends over until the head is below the hips shows the same sides as before.
    """
    across_T2 = xy_T42[:, 0] - xy_T42[:, 1] + xy_T42[:, 2] - xy_T42[:, 3]
    down_x, down_y = np.median(xy_T42[:, 2:].mean(axis=1) - xy_T42[:, :2].mean(axis=1), axis=0)
    sideways = abs(down_x) > abs(down_y)
    towards: npt.NDArray[np.float64]
    towards = -np.sign(down_x) * across_T2[:, 1] if sideways else np.sign(down_y or 1) * across_T2[:, 0]
    return towards


def _limb_lengths(pose: Pose) -> tuple[float, ...]:
    xy, confidence = pose.openpose18()
    lengths = []
    for start, end in DESCRIPTOR_LIMBS:
        seen = np.minimum(confidence[:, start], confidence[:, end]) > 0
        length = np.linalg.norm(xy[seen, end] - xy[seen, start], axis=-1)
        lengths.append(float(np.quantile(length, LENGTH_QUANTILE)) if len(length) else 0.0)
    return tuple(lengths)


@dataclass(frozen=True)
class Alignment(Similarity):
    """From pixels of the driving frame to pixels of the reference frame.

    Composed with another one, or inverted, it is a plain similarity, which leaves left and right as they are.
    """

    exchange_sides: bool = False
    """call the driver's left right: one of the two is only ever seen from the front, the other only from behind"""

    def of_pose(self, pose: Pose, size_hw: tuple[int, int]) -> Pose:
        """The pose in the reference frame of `size_hw`, with left and right as the reference needs them."""
        return super().of_pose(self.named(pose), size_hw)

    def named(self, pose: Pose) -> Pose:
        """The pose where it is, with left and right as the reference needs them."""
        return pose.sides_exchanged() if self.exchange_sides else pose

    def apply_to_frame(self, frame: npt.NDArray[np.uint8], size_hw: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """The picture (H, W) or (H, W, 3) in the reference frame of `size_hw`; black where the driving frame ends."""
        import cv2  # here, because aligning poses does without

        size = size_hw[1], size_hw[0]
        warped: npt.NDArray[np.uint8] = cv2.warpAffine(frame, self.matrix, size, flags=cv2.INTER_LINEAR)
        return warped


def align(
    driving: BodyStatistics, reference: BodyStatistics, scale_by: ScaleBy = "hips", *, warn: bool = True
) -> Alignment:
    """The alignment of a driver with the reference.

    Args:
        driving: statistics of the driving poses, in their own frame.
        reference: statistics of the reference's poses, in the reference frame.
        scale_by: "hips" takes the ratio of the mean hip widths, as the paper does. A mean hip width depends on how much
            each of the two turns, so where it cannot be right (one of them stands sideways most of the time) the
            ratio of the torso lengths is taken, and a warning logged. "body" takes the median over the ratios of
            the limbs' full lengths, which turning does not change.
        warn: say so when left and right are exchanged.

    Example:
        >>> driver = BodyStatistics((100, 100), hip_width=20, torso_length=50)
        >>> align(driver, BodyStatistics((128, 130), hip_width=30, torso_length=75))
        Alignment(scale=1.5, translation_xy=(-22.0, -20.0), exchange_sides=False)
    """
    if scale_by == "hips":
        scale = _hip_scale(driving, reference)
    elif scale_by == "body":
        scale = _limb_scale(driving, reference)
    else:
        raise ValueError(f'scale_by must be "hips" or "body", not {scale_by!r}')
    centred = Similarity.pinned(scale, driving.centre_xy, reference.centre_xy)
    exchange = _sees_other_side(driving, reference)
    if exchange and warn:
        sides = ("the front", "behind") if driving.front_share > 0.5 else ("behind", "the front")
        logger.warning(
            "the driver is only seen from %s and the reference only from %s: the clone is seen from %s too, in the "
            "driver's outline (his left and right are exchanged); film the reference from both sides for more",
            sides[0],
            sides[1],
            sides[1],
        )
    return Alignment(scale, centred.translation_xy, exchange)


def _sees_other_side(driving: BodyStatistics, reference: BodyStatistics) -> bool:
    """Whether no side of the driver is one that the reference shows, so that as it is nothing could be learnt from it.

    A person seen from behind has the outline of one seen from the front with left and right exchanged.
    """
    low, high = sorted((driving.front_share, reference.front_share))
    return low <= ONE_SIDED and high >= 1 - ONE_SIDED


def _hip_scale(driving: BodyStatistics, reference: BodyStatistics) -> float:
    if not (driving.torso_length and reference.torso_length):
        return _ratio(reference.hip_width, driving.hip_width, "hip widths")
    torso_scale = reference.torso_length / driving.torso_length
    for name, body in (("driver", driving), ("reference", reference)):
        if body.hip_width < LEAST_HIP_TO_TORSO * body.torso_length:
            logger.warning(
                "the %s stands sideways most of the time (mean hip width %.0f px for a torso of %.0f px): "
                "scaling by torso length instead of hip width (%.2f)",
                name,
                body.hip_width,
                body.torso_length,
                torso_scale,
            )
            return torso_scale
    hip_scale = reference.hip_width / driving.hip_width
    if not 1 / MOST_DISAGREEMENT <= hip_scale / torso_scale <= MOST_DISAGREEMENT:
        logger.warning(
            "hip widths ask for a scale of %.2f and torso lengths for %.2f, so one of the two people turns away from "
            "the camera far more: scaling by torso length",
            hip_scale,
            torso_scale,
        )
        return torso_scale
    return hip_scale


def _limb_scale(driving: BodyStatistics, reference: BodyStatistics) -> float:
    ratios = [
        theirs / own
        for own, theirs in zip(driving.limb_lengths, reference.limb_lengths, strict=False)
        if own and theirs
    ]
    return float(np.median(ratios)) if ratios else _ratio(reference.torso_length, driving.torso_length, "torso lengths")


def _ratio(reference: float, driving: float, what: str) -> float:
    if reference <= 0 or driving <= 0:
        raise PoseError(f"cannot align: the {what} are {driving:g} px (driver) and {reference:g} px (reference)")
    return reference / driving
