"""Global pose normalisation (Chan et al. 2019, section 8.5): a scale and a place for every frame, read off the ankles.

Somebody who comes closer to the camera grows in the picture, and his ankles sink in it. So the ankles' height tells how
far away he is, and between the closest and the farthest position of two people everything is taken as linear: the
driver's ankles go where the reference's would be, and he is scaled to the height the reference has there.

What is printed measures positions by the mean of both ankles and ends by single frames. A jump or a kick lifts that
mean and so passes for a step back, and one bent knee in the closest frame makes everybody a giant. By default the
same formulas are therefore fed with steadier numbers: see `ground_position` and `ground_statistics`. `printed=True`
takes section 8.5 to the letter; `benchmarks/normalization.py` measures both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import LEFT_ANKLE, LEFT_EAR, NOSE, RIGHT_ANKLE, RIGHT_EAR, Pose
from understudy.retargeting.alignment import MOST_DISAGREEMENT, Alignment, BodyStatistics
from understudy.retargeting.measured import once

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ALPHA = 0.7
"""eq. 9, as printed"""
SEEN_ABOVE = 0.1
"""confidence above which an ankle or the head counts as seen"""
LEAST_SEEN = 0.1
"""share of the frames that must show ankles and head; a clip with fewer says nothing about the floor"""
STEADY_SECONDS = 0.2
"""over which the median is taken against single wrong frames"""
LIFT_SECONDS = 1.0
"""feet that leave the floor for less than this jump, kick or step; for longer, they climb or the person walked away"""
SMOOTH_SECONDS = 0.4
"""over which the ground's course is averaged"""
END_SHARE = 0.1
"""of the frames that may lie beyond the close position, and beyond the far one"""
NEAR_END_SHARE = 1 / 3
"""of the frames, those next to an end, from which the height there is read"""
HEIGHT_QUANTILE = 0.9
"""of the heights near an end: bending and lifted feet only make a person shorter"""
MOST_STRETCH = 2.0
"""a driver's way on the floor is lengthened by at most this factor more than his body: who stands still, sways"""
BEYOND = 0.5
"""how far beyond the reference's close and far positions the ankles may go, as a share of the way between them"""


@dataclass(frozen=True)
class GroundStatistics:
    """Where on the floor the person of one video moves, and how tall there: pixels of the frame of the poses.

    Plain numbers only: it is stored in the actor as JSON.
    """

    close: float
    """y of the ankles where the person is closest to the camera (s_close, t_close)"""
    far: float
    """y of the ankles where the person is farthest from it (s_far, t_far); at most `close`"""
    close_height: float
    """from ankles to nose, at the close position"""
    far_height: float
    """from ankles to nose, at the far position"""


def standing(alignment: Alignment, driving: GroundStatistics, reference: GroundStatistics) -> Alignment:
    """The same alignment, moved up or down until the middles of both ways on the floor lie on each other."""
    here, there = ((ground.close + ground.far) / 2 for ground in (driving, reference))
    return replace(alignment, translation_xy=(alignment.translation_xy[0], there - alignment.scale * here))


def standing_alone(
    alignment: Alignment,
    driving: tuple[BodyStatistics, GroundStatistics],
    reference: tuple[BodyStatistics, GroundStatistics],
) -> Alignment:
    """An alignment by how somebody stands upright for some moments, without anything of the dance.

    The scale makes them as tall, from ankles to nose, as the reference is in the middle of its way on the floor; their
    feet come to stand there, and the middle of the body where the reference's was on average. Somebody whose height
    says something else than the limbs by a factor of `MOST_DISAGREEMENT` did not stand upright: then the limbs decide.

    Args:
        alignment: by the limbs, see `align`.
        driving: of the poses in which somebody stood.
        reference: of all of the reference.
    """
    (own_body, own), (their_body, theirs) = driving, reference
    scale = (theirs.close_height + theirs.far_height) / (own.close_height + own.far_height)
    if not 1 / MOST_DISAGREEMENT <= scale / alignment.scale <= MOST_DISAGREEMENT:
        scale = alignment.scale
    x = their_body.centre_xy[0] - scale * own_body.centre_xy[0]
    return standing(replace(alignment, scale=scale, translation_xy=(x, 0.0)), own, theirs)


@once
def ground_statistics(pose: Pose, fps: Fraction, *, printed: bool = False) -> GroundStatistics | None:
    """Measures a video once; None if it shows both ankles and the head in fewer than a tenth of its frames.

    As printed: close is the largest mean of both ankles' y (after eq. 8); far is by eq. 9 among the frames above the
    median, out to alpha = 0.7 times as far from it as close is. (The equation takes a "max" over that set. Read as the
    largest y it would give the median itself, so it is read as the farthest, which is what the text around it says.)
    The heights are those of these two frames.

    By default: close and far are the 0.9 and 0.1 quantile of `ground_position`, so that neither one wrong frame nor a
    second group of positions below the median decides; heights are the 0.9 quantile over the closest and farthest third
    of the frames.
    """
    height, known = _heights(pose)
    seen = _ankles_seen(pose)
    if not len(pose) or min(seen.mean(), known.mean()) < LEAST_SEEN:
        return None
    position = ground_position(pose, fps, printed=printed)
    if printed:
        close, far = _printed_ends(position[seen])
        at_close, at_far = (height[known][np.abs(position[known] - end).argmin()] for end in (close, far))
    else:
        far, close = np.quantile(position[seen], (END_SHARE, 1 - END_SHARE))
        count = max(1, round(NEAR_END_SHARE * int(known.sum())))
        from_far = height[known][np.argsort(position[known], kind="stable")]
        at_far, at_close = (np.quantile(part, HEIGHT_QUANTILE) for part in (from_far[:count], from_far[-count:]))
    if min(at_close, at_far) <= 0:
        return None
    return GroundStatistics(float(close), float(far), float(at_close), float(at_far))


def ground_position(pose: Pose, fps: Fraction, *, printed: bool = False) -> Floats:
    """(T,) the y that says how far from the camera the person stands; more is closer.

    As printed: the mean of both ankles' y. By default, where the floor is under the person: the lower ankle's y, from
    which rises that last less than a second (jumps, kicks, steps) are taken out by a morphological closing, smoothed.
    Frames that do not show both ankles inside the picture take it from their neighbours in time, linearly.
    """
    seen = _ankles_seen(pose)
    if not seen.any():
        return np.zeros(len(pose))
    both = pose.xy[:, [LEFT_ANKLE, RIGHT_ANKLE], 1].astype(np.float64)
    measured = both.mean(axis=1) if printed else both.max(axis=1)
    frames = np.arange(len(pose))
    position: Floats = np.interp(frames, frames[seen], measured[seen])
    if printed:
        return position
    position = np.median(_windows(position, STEADY_SECONDS, fps), axis=1)
    position = _closed(position, LIFT_SECONDS, fps)
    smooth: Floats = _windows(position, SMOOTH_SECONDS, fps).mean(axis=1)
    return smooth


@dataclass(frozen=True, eq=False)
class Normalization:
    """What section 8.5 says for every frame of a driver; all in pixels.

    The ankles' y is the axis of the scale: a point that lies `d` above the driver's position comes to lie `scale * d`
    above `translation`. The paper says nothing of x; here the scale's centre is the mean body centre, which comes to
    lie on the reference's, as in `alignment`.
    """

    position: Floats
    """(T,) y in the driver's frame"""
    translation: Floats
    """(T,) eq. 7: the y in the reference's frame that this position goes to"""
    scale: Floats
    """(T,) eq. 8"""
    driving_x: float
    """mean body centre of the driver"""
    reference_x: float
    """mean body centre of the reference"""

    def apply_to_pose(self, pose: Pose, size_hw: tuple[int, int]) -> Pose:
        """The T poses in the reference's frame, whose size is `size_hw`. The confidence stays."""
        scale = self.scale[:, None]
        x = self.reference_x + scale * (pose.xy[..., 0] - self.driving_x)
        y = self.translation[:, None] + scale * (pose.xy[..., 1] - self.position[:, None])
        return Pose(np.stack([x, y], axis=-1).astype(np.float32), pose.confidence, size_hw)


def normalization(
    pose: Pose,
    fps: Fraction,
    driving: tuple[BodyStatistics, GroundStatistics],
    reference: tuple[BodyStatistics, GroundStatistics],
    *,
    printed: bool = False,
) -> Normalization:
    """How a driver's poses become the reference's.

    As printed, positions beyond the driver's far one go on linearly, and a driver whose close and far are the same
    stands at the reference's close position. By default, ankles go no farther beyond the reference's ends than half of
    the way between them, sizes not at all; and a driver who moves in depth much less than the reference is not sent
    over the reference's whole way (see MOST_STRETCH) but stays near its middle.

    Args:
        pose: the driver's poses, in his own frame.
        fps: of the driver.
        driving, reference: statistics of both, from the same kind of formula as `printed` says.
    """
    (own_body, own), (their_body, theirs) = driving, reference
    position = ground_position(pose, fps, printed=printed)
    at_close, at_far = theirs.close_height / own.close_height, theirs.far_height / own.far_height  # c_close, c_far
    way = own.close - own.far
    if printed:
        share = (position - own.far) / way if way > 0 else np.ones(len(pose))
        share_of_size = share
    else:
        way = max(way, (theirs.close - theirs.far) / (MOST_STRETCH * (at_close + at_far) / 2))
        from_middle = (position - (own.close + own.far) / 2) / way if way > 0 else np.zeros(len(pose))
        share = np.clip(0.5 + from_middle, -BEYOND, 1 + BEYOND)
        share_of_size = np.clip(share, 0, 1)
    return Normalization(
        position=position,
        translation=theirs.far + share * (theirs.close - theirs.far),  # eq. 7
        scale=at_far + share_of_size * (at_close - at_far),  # eq. 8
        driving_x=own_body.centre_xy[0],
        reference_x=their_body.centre_xy[0],
    )


def kept_on_ground(changed: Pose, pose: Pose) -> Pose:
    """Moves poses whose legs were changed up or down, so that the lower ankle is at the height it had before.

    Frames that do not show both ankles move as their neighbours in time do.
    """
    seen = _ankles_seen(pose, anywhere=True)
    if not seen.any():
        return changed
    lower, before = (p.xy[:, [LEFT_ANKLE, RIGHT_ANKLE], 1].max(axis=1) for p in (changed, pose))
    frames = np.arange(len(pose))
    xy = changed.xy.copy()
    xy[..., 1] += np.interp(frames, frames[seen], (before - lower)[seen]).astype(np.float32)[:, None]
    return Pose(xy, changed.confidence, changed.size_hw)


def _printed_ends(position: Floats) -> tuple[float, float]:
    """s_close and s_far."""
    close, median = float(position.max()), float(np.median(position))
    cluster = position[(position < median) & (np.abs(position - median) < ALPHA * (close - median))]  # eq. 9
    return close, float(cluster.min()) if len(cluster) else close


def _ankles_seen(pose: Pose, anywhere: bool = False) -> Bools:
    """(T,) both ankles are seen, inside the picture: what a tracker says of feet beyond its edge is a guess."""
    ankles = [LEFT_ANKLE, RIGHT_ANKLE]
    seen = np.asarray((pose.confidence[:, ankles] > SEEN_ABOVE).all(axis=1), np.bool_)
    if anywhere:
        return seen
    height, width = pose.size_hw
    xy = pose.xy[:, ankles]
    inside = ((xy >= -0.5) & (xy <= (width - 0.5, height - 0.5))).all(axis=(1, 2))
    return seen & inside


def _heights(pose: Pose) -> tuple[Floats, Bools]:
    """(T,) from the middle of the ankles to the nose, or the middle of the ears from behind; (T,) where both show."""
    ears = [LEFT_EAR, RIGHT_EAR]
    nose_seen = pose.confidence[:, NOSE] > SEEN_ABOVE
    head = np.where(nose_seen[:, None], pose.xy[:, NOSE], pose.xy[:, ears].mean(axis=1))
    head_seen = nose_seen | (pose.confidence[:, ears] > SEEN_ABOVE).all(axis=1)
    feet = pose.xy[:, [LEFT_ANKLE, RIGHT_ANKLE]].mean(axis=1)
    return np.linalg.norm((head - feet).astype(np.float64), axis=1), head_seen & _ankles_seen(pose)


def _windows(values: Floats, seconds: float, fps: Fraction) -> Floats:
    """(T, odd number of frames) the values around each; beyond the ends the last value holds."""
    reach = round(seconds * float(fps) / 2)
    return np.lib.stride_tricks.sliding_window_view(np.pad(values, reach, mode="edge"), 2 * reach + 1)


def _closed(values: Floats, seconds: float, fps: Fraction) -> Floats:
    """(T,) morphological closing: dips shorter than this are filled, all else stays as it is."""
    reach = round(seconds * float(fps) / 2)
    around = np.pad(values, 2 * reach, mode="edge")
    for extreme in (np.max, np.min):
        around = extreme(np.lib.stride_tricks.sliding_window_view(around, 2 * reach + 1), axis=1)
    return around
