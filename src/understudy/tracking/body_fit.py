"""A body of our own laid into poses: bones turned in space so that their points fall on those that were tracked.

Begun where the lifter says, and not left far from it where the points leave it open; one set of bone lengths for the
whole clip; turned alike from moment to moment. Seen without perspective, at a scale of its own in every moment.
Shape letters: T moments, J joints of `JOINTS`, P points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy.body.head import HeadShape
from understudy.body.landmarks import landmark_anchors
from understudy.body.posing import (
    LENGTHS,
    Bones,
    average_bones,
    placed,
    rotations_of,
    six_of,
    stretched,
    without_fingers,
)
from understudy.body.skeleton import INDEX, Body, rest_positions
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.tracking.lifter import lifter, looked_at

FITTED: tuple[int, ...] = (
    *range(p.LEFT_BIG_TOE),
    *(p.LEFT_BIG_TOE, p.LEFT_HEEL, p.RIGHT_BIG_TOE, p.RIGHT_HEEL),
    *(p.FACE.start + point for point in (8, 27, 30, 36, 45, 48, 54)),
    *(hand.start + point for hand in (p.LEFT_HAND, p.RIGHT_HAND) for point in (5, 9, 17)),
)
"""points that are laid on those of the pose"""

MEASURED = 96
"""moments from which bone lengths are taken"""
AT_ONCE = 512
"""moments fitted together"""
STEPS, LEARNING_RATE = 60, 0.03
TOLERANCE = 0.03
"""metres by which a point may lie off before it counts less, since trackers err now and then by much more"""
STAY, CALM, ORDINARY = 0.15, 0.3, 4.0
"""weights: of staying near the lifter's guess, of turning alike from moment to moment, of usual lengths"""


@dataclass(frozen=True, eq=False)
class PosedBody:
    """A body in the poses of a clip.

    Attributes:
        turned: (T, J, 3, 3) rotations from the rest pose, camera frame as in `body.posing`.
        grip: (T, 2) how far the left and right hand are closed, 0 to 1.
        scale: (T,) pixels a metre.
        pelvis: (T, 2) pixels, where the pelvis is seen.
        stretch: (len(LENGTHS),) bone lengths over the average ones.
        known: (T,) bool: enough points were seen to say anything.
        size_hw: of the picture.
    """

    turned: npt.NDArray[np.float32]
    grip: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    pelvis: npt.NDArray[np.float32]
    stretch: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]
    size_hw: tuple[int, int]

    def __len__(self) -> int:
        return len(self.turned)

    @cached_property
    def body(self) -> Body:
        """The measures of it."""
        return stretched(Body(), torch.from_numpy(self.stretch))


LEAST_POINTS = 6
"""of the body, below which a moment shows nobody"""


def fit(pose: Pose, stretch: npt.NDArray[np.float32] | None = None, *, follow: bool = True) -> PosedBody:
    """Lays a body into every moment of a clip.

    Args:
        pose: 133 points in pixels.
        stretch: bone lengths that are known already, as a `PosedBody` has them; None measures them here.
        follow: whether the moments follow each other in time.

    Raises:
        PoseError: the lifter's file is damaged.
    """
    xy, confidence = torch.from_numpy(pose.xy).float(), torch.from_numpy(pose.confidence).float()
    count = len(xy)
    known = ((confidence[:, : p.LEFT_BIG_TOE] > 0).sum(dim=1) >= LEAST_POINTS).numpy()
    if stretch is None and not follow and 0 < count <= MEASURED:  # lengths come along
        parts = [_fitted(xy, confidence, None)]
        lengths = parts[0][4]
    else:
        lengths = _measured(xy, confidence, known) if stretch is None else torch.from_numpy(stretch)
        spans = [slice(first, first + AT_ONCE) for first in range(0, max(1, count), AT_ONCE)]
        parts = [_fitted(xy[span], confidence[span], lengths, follow=follow) for span in spans]
    turned, grip, scale, pelvis = (torch.cat([part[value] for part in parts]).numpy() for value in range(4))
    return PosedBody(turned, grip, scale, pelvis, lengths.numpy(), known, pose.size_hw)


def unfolded(posed: PosedBody) -> Pose:
    """The body of a clip's first moment in its rest pose, seen from the front: limbs hide none of their length.

    Returns:
        One pose of 133 points, in pixels, the pelvis where it was.
    """
    points = landmark_anchors(posed.body, HeadShape()).points
    from_pelvis = points[:, :2] - rest_positions(posed.body)[INDEX["pelvis"], :2]
    xy = from_pelvis * np.array([1, -1]) * posed.scale[0] + posed.pelvis[0]
    return Pose(xy[None].astype(np.float32), np.ones((1, len(xy)), np.float32), posed.size_hw)


def _measured(xy: Tensor, confidence: Tensor, known: npt.NDArray[np.bool_]) -> Tensor:
    """(len(LENGTHS),) from moments spread over the clip."""
    some = np.flatnonzero(known)
    if not len(some):
        return torch.ones(len(LENGTHS))
    some = some[np.linspace(0, len(some) - 1, min(MEASURED, len(some))).astype(int)]
    return _fitted(xy[some], confidence[some], None)[4]


@lru_cache(maxsize=1)
def _bones() -> Bones:
    return without_fingers(average_bones(), FITTED)


def _fitted(
    xy: Tensor, confidence: Tensor, lengths: Tensor | None, *, follow: bool = False
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Rotations, grip, scale, pelvis, lengths of moments that follow each other, or (lengths None) of any moments."""
    with torch.inference_mode():
        guessed, grip = lifter()(looked_at(xy, confidence))
    guessed, grip = guessed.clone(), grip.clone()
    fixed = lengths is not None
    wanted = xy[:, FITTED] * torch.tensor([1.0, -1.0])
    weight = confidence[:, FITTED]
    six = six_of(guessed).requires_grad_()
    stretch = (torch.zeros(1, len(LENGTHS)) if lengths is None else lengths.log()[None]).requires_grad_(not fixed)
    with torch.no_grad():
        size = _best_scale(placed(_bones(), guessed, stretch.exp())[1], wanted, weight)[0].log()
    size.requires_grad_()
    learnt = [six, size] if fixed else [six, size, stretch]
    optimizer = torch.optim.Adam(learnt, LEARNING_RATE, betas=(0.8, 0.95))
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        turned = rotations_of(six)
        points = placed(_bones(), turned, stretch.exp())[1][..., :2]
        metres, middle = _laid(points, wanted, weight, size.exp())
        off = (metres - points).norm(dim=-1) / TOLERANCE
        # growing like a square up to the tolerance, like a line beyond
        points_off = (weight * ((1 + off.square()).sqrt() - 1)).sum() / weight.sum().clamp(min=1)
        left = (turned - guessed).square().sum(dim=(-1, -2)).mean()
        loss = points_off + STAY * left + ORDINARY * stretch.square().mean()
        if len(xy) > 1 and follow:
            loss = loss + CALM * (turned[1:] - turned[:-1]).square().sum(dim=(-1, -2)).mean()
            loss = loss + CALM * 30 * (size[1:] - size[:-1]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()
    with torch.no_grad():
        turned = rotations_of(six)
        points = placed(_bones(), turned, stretch.exp())[1][..., :2]
        _, middle = _laid(points, wanted, weight, size.exp())
        return (
            turned.detach(),
            grip,
            size.exp().detach(),
            middle[:, 0] * torch.tensor([1.0, -1.0]),
            stretch.exp()[0].detach(),
        )


def _laid(points: Tensor, wanted: Tensor, weight: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Tracked points in metres, moved to lie on the body's as a whole; and the pelvis in pixels, (T, 1, 2)."""
    total = weight.sum(dim=1, keepdim=True).clamp(min=1e-6)[..., None]
    metres = wanted / scale[:, None, None]
    shift = ((metres - points) * weight[..., None]).sum(dim=1, keepdim=True) / total
    return metres - shift, shift * scale[:, None, None]


def _best_scale(points: Tensor, wanted: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """(T,) pixels a metre by least squares, and the weights' sum."""
    points = points[..., :2]
    total = weight.sum(dim=1, keepdim=True).clamp(min=1e-6)[..., None]
    own, seen = (values - (values * weight[..., None]).sum(dim=1, keepdim=True) / total for values in (points, wanted))
    inner = (own * seen * weight[..., None]).sum(dim=(1, 2))
    square = (own.square() * weight[..., None]).sum(dim=(1, 2)).clamp(min=1e-6)
    return (inner / square).clamp(min=1e-2), total[:, 0, 0]
