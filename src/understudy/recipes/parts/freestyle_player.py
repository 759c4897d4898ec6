"""One photograph dances: P2B says what is where, B2F paints and copies it, FR mends the face; frame by frame.

Shape letters: T moments, B of them at a time, N the side of the square that the networks see, W the columns of it: as
many as they were trained with, or all where somebody reaches farther out. S is the side of the picture that is made, N
once or `detail` times: what the networks say is then carried out with a photograph that is so much finer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.base.devices import autocast
from understudy.conditioning.aligned_faces import cut_aligned, lay_back
from understudy.errors import ActorError
from understudy.networks.face_refiner import put_in
from understudy.networks.frame_generator import Said, enlarged, shown
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.freestyle_model import network_of, wider
from understudy.recipes.parts.freestyle_networks import believed, body_condition, labels_of, pose_condition
from understudy.recipes.parts.freestyle_people import sticks, surface_values
from understudy.recipes.parts.freestyle_reenactment_config import B2F, FR, P2B, Config
from understudy.recipes.parts.photograph import Along, stored_photograph
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need, batches, pose_of
from understudy.recipes.parts.trained import Arrays
from understudy.tracking.body_fit import PosedBody, fit
from understudy.tracking.face import WIDE, face_labels, face_matrix
from understudy.tracking.surface import surface_maps

Image = npt.NDArray[np.uint8]

WORKERS = 2
"""threads that look copies up, each for another moment"""
FAINT = 0.03
"""of m: what is left of it where nobody is, and lacks where somebody is; on a room it would be a veil"""
ROOM = 0.03
"""of the square: kept free beside hands and clothes"""


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
        self._workers = ThreadPoolExecutor(WORKERS, "copies")
        self.stretch, self.girth = weights["stretch"], float(weights["girth"][0])
        self.tensor = torch.from_numpy(weights["looks"].astype(np.float32)).to(device)
        self.identity = torch.from_numpy(weights["identity"].astype(np.float32)).to(device)
        self.p2b, self.fr = (network_of(weights, config, name, device) for name in (P2B, FR))
        self.b2f = {one.size_hw[1]: network_of(weights, one, B2F, device) for one in (config, wider(config))}

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`: `(S, S, 4)`, cut out. Where no part of the body is seen: nobody."""
        size, side, detail = self.config.size, self.config.side, self.config.detail
        pose = Similarity.resized(1 / detail).of_pose(pose_of(moments, size), (side, side))
        posed = fit(pose, self.stretch)
        columns = self.columns(pose)
        surfaces = surface_maps(posed, (side, side), self.girth)
        for some in batches(range(len(pose)), max(1, batch // detail**2)):  # as much memory as it takes at detail 1
            maps = [next(surfaces) for _ in some]
            made = self.painted(pose, posed, maps, some, columns)
            for moment, picture in zip(some, made, strict=True):
                whole = np.zeros((size, size, 4), np.uint8)
                if posed.known[moment]:
                    whole[:, detail * columns[moment].start : detail * columns[moment].stop] = picture
                yield whole

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
    def painted(
        self, pose: Pose, posed: PosedBody, maps: list[Image], some: list[int], columns: list[slice]
    ) -> list[Image]:
        """B pictures (S, W * S / N, 4) premultiplied."""
        size, detail, photograph = self.config.side, self.config.detail, self.photograph
        along = list(self._workers.map(photograph.along, pose.xy[some], pose.confidence[some], maps))
        boxes = [columns[moment] for moment in some]
        width = boxes[0].stop - boxes[0].start
        xy = np.stack([pose.xy[moment] - (box.start, 0) for moment, box in zip(some, boxes, strict=True)]).astype(
            np.float32
        )
        confidence = pose.confidence[some]
        labels = self._labels(xy, confidence, maps, along, boxes)
        faces = np.stack([face_labels(one, seen, (size, width)) for one, seen in zip(xy, confidence, strict=True)])
        copied = None
        if self.config.copies:
            parts = (one.within((slice(None), box)) for one, box in zip(along, boxes, strict=True))
            copies = list(self._workers.map(photograph.copies, parts, labels))
            copied = torch.from_numpy(np.stack(copies)).permute(0, 1, 4, 2, 3).to(self.device) / 255
        body = body_condition(torch.from_numpy(labels).to(self.device), torch.from_numpy(faces).to(self.device))
        seen = copied
        if copied is not None and detail > 1:
            seen = F.avg_pool2d(copied.flatten(1, 2), detail).view(*copied.shape[:3], size, width)
        with autocast(self.device):
            said: Said = self.b2f[width].say(self.tensor, body, seen, played=True)  # type: ignore[operator]
        z, mask, _ = shown(enlarged(said, detail), copied)
        mask = ((mask - FAINT) / (1 - 2 * FAINT)).clamp(0, 1)
        if self.config.refining:
            finer = np.asarray(Similarity.resized(detail).of_points(xy), np.float32)
            z = self._with_faces(z, mask, finer, confidence)
        if not self.config.blending:
            body_there = (torch.from_numpy(labels).to(self.device) > 0)[:, None].float()
            mask = F.interpolate(body_there, scale_factor=float(detail))
        picture = torch.cat([(z + 1) / 2 * mask, mask], dim=1).clamp(0, 1)
        return list((255 * picture + 0.5).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy())

    def _labels(
        self, xy: npt.NDArray[np.float32], confidence: npt.NDArray[np.float32], maps: list[Image], along: list[Along],
        boxes: list[slice],
    ) -> Image:  # fmt: skip
        """P^M, eq. 3: (B, N, W)."""
        size, width = self.config.side, boxes[0].stop - boxes[0].start
        person = self.photograph.labels[:, (size - width) // 2 : (size - width) // 2 + width]
        surface = surface_values(
            torch.from_numpy(np.stack([one[:, box] for one, box in zip(maps, boxes, strict=True)]))
        )
        stick = sticks(xy, confidence, (size, width))
        copied = np.stack([one.complete[:, box] for one, box in zip(along, boxes, strict=True)])
        condition = pose_condition(
            torch.from_numpy(np.ascontiguousarray(person))[None].to(self.device),
            (surface if self.config.dense else 0 * surface).to(self.device),
            stick.to(self.device),
            self.config.p2b_shrink,
            torch.from_numpy(copied).to(self.device) if self.config.copies else None,
        )
        hint = (
            believed(torch.from_numpy(copied), self.config.p2b_shrink).to(self.device) if self.config.copies else None
        )
        with autocast(self.device):
            shares = self.p2b(condition, hint)
        found: Image = labels_of(shares, (size, width)).cpu().numpy()
        return found

    def _with_faces(
        self, z: Tensor, mask: Tensor, xy: npt.NDArray[np.float32], confidence: npt.NDArray[np.float32]
    ) -> Tensor:
        """Eq. 8: z with its faces refined, before grey since the background is not known here."""
        found = [face_matrix(one, seen) for one, seen in zip(xy, confidence, strict=True)]
        seen = [number for number, one in enumerate(found) if one is not None]
        if not seen:
            return z
        matrices = torch.from_numpy(np.stack([one for one in found if one is not None])).to(z.device)
        crops = cut_aligned(z[seen] * mask[seen], matrices, WIDE)
        with autocast(self.device):
            refined = self.fr(crops, self.identity)
        mended, z = put_in(refined, crops), z.clone()
        z[seen] = lay_back(z[seen], mended, torch.ones_like(refined.mask), matrices)
        return z
