"""One photograph dances: P2B says what is where, B2F paints and copies it, FR mends the face; frame by frame.

Shape letters: T moments, N the side of the square that the networks see, W the columns of it: as
many as they were trained with, or all where somebody reaches farther out. S is the side of the picture that is made, N
once or `detail` times: what the networks say is then carried out with a photograph that is so much finer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.base.devices import autocast
from understudy.base.side_by_side import side_by_side
from understudy.conditioning.aligned_faces import cut_aligned, lay_back
from understudy.conditioning.limb_warps import with_made_up_points
from understudy.errors import ActorError
from understudy.networks.face_refiner import put_in
from understudy.networks.frame_generator import Box, FrameGenerator, enlarged
from understudy.networks.frame_generator import shown as carried_out
from understudy.networks.spade import settled
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.freestyle_model import network_of, wider
from understudy.recipes.parts.freestyle_networks import (
    believed,
    body_condition,
    label_shares,
    labels_of,
    pose_condition,
)
from understudy.recipes.parts.freestyle_people import sticks, surface_values
from understudy.recipes.parts.freestyle_reenactment_config import B2F, FR, P2B, Config
from understudy.recipes.parts.label_repairs import with_whole_limbs, without_spots
from understudy.recipes.parts.photograph import Along, stored_photograph
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need, pose_of
from understudy.recipes.parts.trained import Arrays
from understudy.tracking.body_fit import fit
from understudy.tracking.face import WIDE, face_labels, face_matrix
from understudy.tracking.matte import without_specks
from understudy.tracking.surface import surface_maps

Image = npt.NDArray[np.uint8]

FAINT = 0.03
"""of m: what is left of it where nobody is, and lacks where somebody is; on a room it would be a veil"""
ABOUT, CUT = 0.05, 0.025
"""of the square: beside, above and below somebody's labels, what B2F paints, and what of it is left empty again, since
next to what is left out it comes out a little otherwise"""
SPECK = 0.003
"""of somebody: smaller than any hand"""
STEP = 32
"""pixels: sides of what B2F paints are multiples of it, since every new size is prepared for"""
ROOM = 0.03
"""of the square: kept free beside hands and clothes"""


@dataclass(frozen=True, eq=False)
class Wanted:
    """How somebody is to be at a moment."""

    xy: npt.NDArray[np.float32]
    """(133, 2) pixels of the square"""
    confidence: npt.NDArray[np.float32]
    """(133,)"""
    surface: Image
    """(N, N, 3) P^D"""
    columns: slice
    """W of N, which the networks see"""

    @property
    def seen_xy(self) -> npt.NDArray[np.float32]:
        """(133, 2) pixels of the columns"""
        return self.xy - np.array([self.columns.start, 0], np.float32)


class FreestylePlayer:
    """Plays one photograph.

    Args:
        config: of the networks.
        weights: of the networks, and what `freestyle_reenactment.train` gathered of the photograph.
        device: where to compute.

    Raises:
        ActorError: the photograph in `weights` cannot be decoded, or is of another size than the config says.
    """

    latency: int | None = None
    needs: tuple[Need, ...] = ("poses",)

    def __init__(self, config: Config, weights: Arrays, device: torch.device):
        self.config, self.device = config, device
        self.photograph = stored_photograph(weights)
        if (self.photograph.size, self.photograph.detail) != (config.side, config.detail):
            raise ActorError("the actor's photograph is not as large as its networks take it: make it again")
        self.photograph.prepare()
        self.stretch, self.girth = weights["stretch"], float(weights["girth"][0])
        self.tensor = torch.from_numpy(weights["looks"].astype(np.float32)).to(device)
        self.identity = torch.from_numpy(weights["identity"].astype(np.float32)).to(device)
        self.p2b, self.fr = (played(network_of(weights, config, name, device)) for name in (P2B, FR))
        self.b2f = {
            one.size_hw[1]: cast(FrameGenerator, played(network_of(weights, one, B2F, device)))
            for one in (config, wider(config))
        }
        person = torch.from_numpy(self.photograph.labels)[None].to(device)
        self.person = label_shares(person, config.p2b_shrink)

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`: `(S, S, 4)`, cut out. Where no part of the body is seen: nobody."""
        size, side, detail = self.config.size, self.config.side, self.config.detail
        pose = Similarity.resized(1 / detail).of_pose(pose_of(moments, size), (side, side))
        posed = fit(pose, self.stretch)
        surfaces = surface_maps(posed, (side, side), self.girth)
        every = zip(posed.known, pose.xy, pose.confidence, surfaces, self.columns(pose), strict=True)
        wanted = (Wanted(*one) if known else None for known, *one in every)
        # Larger pictures take more memory, and so do more of them
        at_once = max(1, min(batch // detail**2, torch.get_num_threads()))
        yield from side_by_side(self.picture, wanted, at_once)

    def columns(self, pose: Pose) -> list[slice]:
        """The columns that the networks see at each moment: one width for the whole sequence, about the person."""
        size, width = self.config.side, self.config.size_hw[1]
        seen = pose.confidence > 0
        low = np.where(seen, pose.xy[..., 0], np.inf).min(axis=1, initial=np.inf)
        high = np.where(seen, pose.xy[..., 0], -np.inf).max(axis=1, initial=-np.inf)
        low, high = (np.where(seen.any(axis=1), edge, size / 2) for edge in (low, high))
        if len(low) and (high - low).max() > width - 2 * ROOM * size:
            width = size
        middle = (low + high) / 2
        left = np.clip(np.round(middle - width / 2), 0, size - width).astype(int)
        return [slice(start, start + width) for start in left.tolist()]

    @torch.inference_mode()
    def picture(self, wanted: Wanted | None) -> Image:
        """(S, S, 4) premultiplied: somebody in a pose; nothing of nobody."""
        size, detail = self.config.size, self.config.detail
        whole = np.zeros((size, size, 4), np.uint8)
        if wanted is not None:
            box = wanted.columns
            along = self.photograph.along(wanted.xy, wanted.confidence, wanted.surface).within((slice(None), box))
            labels = self.labels(wanted, along)
            part = self.about(labels)
            copies = None
            if self.config.copies:
                copies = self.photograph.copies(along.within(part), np.ascontiguousarray(labels[part]))
            painted = self.painted(wanted, labels, copies, part)
            cut = detail * round(CUT * self.config.side)
            for lines, edge, side in zip((painted, painted.swapaxes(0, 1)), part, labels.shape, strict=True):
                lines[: cut if edge.start > 0 else 0] = 0
                lines[len(lines) - (cut if edge.stop < side else 0) :] = 0
            top, left = detail * part[0].start, detail * (box.start + part[1].start)
            whole[top : top + painted.shape[0], left : left + painted.shape[1]] = painted
        return whole

    def about(self, labels: Image) -> Box:
        """What B2F paints about somebody in a label map (N, W): little, since its work grows with it."""
        room, grain = round(ABOUT * self.config.side), self.b2f[labels.shape[1]].grain
        rows, columns = (np.asarray(labels.any(axis=axis), np.bool_) for axis in (1, 0))
        return _about(rows, room, grain), _about(columns, room, grain)

    @torch.inference_mode()
    def labels(self, wanted: Wanted, along: Along) -> Image:
        """P^M, eq. 3: (N, W)."""
        box, shrink = wanted.columns, self.config.p2b_shrink
        size_hw = (self.config.side, box.stop - box.start)
        wide = self.person.shape[-1]
        left = (wide - size_hw[1] // shrink) // 2
        surface = surface_values(torch.from_numpy(wanted.surface[None, :, box])).to(self.device) * self.config.dense
        stick = sticks(wanted.seen_xy[None], wanted.confidence[None], size_hw, shrink).to(self.device)
        known = hint = None
        if self.config.copies:
            known = label_shares(torch.from_numpy(along.complete[None]).to(self.device), shrink)
            hint = believed(known, shrink)
        condition = pose_condition(self.person[..., left : wide - left], surface, stick, shrink, known)
        with autocast(self.device):
            shares = self.p2b(condition, hint)
        said = labels_of(shares, size_hw)[0].cpu().numpy()
        if self.config.copies:
            _, seen = with_made_up_points(wanted.xy, wanted.confidence)
            body = wanted.surface[:, box]
            said = without_spots(without_specks(with_whole_limbs(said, body, along.complete, seen), SPECK), body)
        return said

    def painted(self, wanted: Wanted, labels: Image, copies: Image | None, part: Box) -> Image:
        """What is made of a body.

        Args:
            wanted: where it is to be.
            labels: (N, W) P^M.
            copies: (K, part * S / N, 4) premultiplied.
            part: rows of N and columns of W, outside of which nobody is.

        Returns:
            (part * S / N, 4) premultiplied.
        """
        detail = self.config.detail
        body_there = torch.from_numpy(labels[part])[None].to(self.device)
        faces = face_labels(wanted.seen_xy, wanted.confidence, (labels.shape[0], labels.shape[1]))
        copied = seen = None
        if copies is not None:
            copied = seen = torch.from_numpy(copies)[None].permute(0, 1, 4, 2, 3).to(self.device) / 255
            if detail > 1:
                seen = F.avg_pool2d(copied.flatten(0, 2), detail).view(*copied.shape[:3], *labels[part].shape)
        with autocast(self.device):
            body = body_condition(body_there, torch.from_numpy(faces[part])[None].to(self.device))
            said = self.b2f[labels.shape[1]].say(self.tensor, body, seen, played=True, part=part)
        z, mask, _ = carried_out(enlarged(said, detail), copied)
        mask = ((mask - FAINT) / (1 - 2 * FAINT)).clamp(0, 1)
        if self.config.refining:
            z = self._with_face(z, mask, wanted, part)
        if not self.config.blending:
            mask = F.interpolate((body_there > 0)[:, None].float(), scale_factor=float(detail))
        picture = torch.cat([(z + 1) / 2 * mask, mask], dim=1).clamp(0, 1)
        finished: Image = (255 * picture + 0.5).to(torch.uint8)[0].permute(1, 2, 0).cpu().numpy()
        return finished

    def _with_face(self, z: Tensor, mask: Tensor, wanted: Wanted, part: Box) -> Tensor:
        """Eq. 8: z with its face refined, before grey since the background is not known here."""
        xy = wanted.seen_xy - np.array([part[1].start, part[0].start], np.float32)
        finer = np.asarray(Similarity.resized(self.config.detail).of_points(xy), np.float32)
        found = face_matrix(finer, wanted.confidence)
        if found is None:
            return z
        matrix = torch.from_numpy(found)[None].to(z.device)
        crop = cut_aligned(z * mask, matrix, WIDE)
        with autocast(self.device):
            refined = self.fr(crop, self.identity)
        return lay_back(z, put_in(refined, crop), torch.ones_like(refined.mask), matrix)


def _about(there: npt.NDArray[np.bool_], room: int, grain: int) -> slice:
    """A part of a line with all that is there and some room: a multiple of `STEP` long, from one of `grain` on."""
    found, length = np.flatnonzero(there), len(there)
    if not len(found):
        return slice(0, min(STEP, length))
    first, last = max(0, int(found[0]) - room), min(length, int(found[-1]) + 1 + room)
    long = min(length, -(-(last - first) // STEP) * STEP)
    start = min(first, length - long) // grain * grain
    return slice(start, start + long)


def played(network: nn.Module) -> nn.Module:
    """A network that is only asked from now on; channels beside each other are what processors convolve fastest."""
    return settled(network).to(memory_format=torch.channels_last)  # type: ignore[no-any-return, call-overload]
