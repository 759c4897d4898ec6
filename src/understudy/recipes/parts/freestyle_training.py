"""Single-Shot Freestyle Dance Reenactment (Gafni, Ashual, Wolf 2021): how its three networks learn, from anybody.

Equation and section numbers are the paper's. Each network is trained for itself, by what real pictures show and not by
what the network before it makes of them: P2B a pose to a body in labels, B2F that body to a frame, FR its face.

Where each equation is:
- (1), (2), (4): what is found in pictures, the labels, the poses and the five segments, comes in the batches of
  `freestyle_batches.py`.
- (3): `LabelGenerator.forward`. (5): `freestyle_networks.embedding`. (6): `FrameGenerator.forward`. (7): `blended`.
- (8), (19): `FaceRefiner.forward` and `put_in`.
- (9): `PoseToBody.training_step`. (10): `losses.least_squares_generator_loss`. (12): `losses.label_cross_entropy`.
- (11), (15): `losses.feature_matching`. (13), (14): `losses.hinge_generator_loss`, `losses.hinge_discriminator_loss`.
- (16): `losses.perceptual_distance`, asked through `networks/perceptual.py`. (17): `losses.mask_distance`.
- (18): `losses.face_perceptual`.

Where we differ from the paper, in `paper()` too:
- Eq. 14 has the real and the generated exchanged, and with eq. 13 norms with a minus sign: read as the hinge losses of
  SPADE. The sum of B2F's losses is not printed: they are added, each with weight 1 but for lambda_m.
- The cross-entropy of eq. 12 is of each label for itself, since a sigmoid stands before it, and summed over labels.
- Feature matching, eqs. 11 and 15, leaves out the last layer of each discriminator, its judgement, as pix2pixHD does.
- The discriminators' losses are printed for B2F alone. P2B's and FR's are least squares; P2B's D sees labels alone, as
  eq. 10 has it, B2F's D the labels of the face too, FR's D nothing but the face.
- Of SPADE's code there is the generator for 512 pixels without its block at 4x4 and without spectral normalisation,
  which the paper does not mention. The maps are averaged to each size, where that code takes single pixels.
- "512x320" does not come of 4x4 doubled seven times: the columns beside the middle are cut off at 16x16.
- x and o of eq. 16 are x^b and z^b, since all losses are to see the person alone. Eq. 16 compares VGG-19 behind five
  ReLUs; where its ImageNet weights cannot be had, EfficientNet-Lite0 (`networks/perceptual.py`).
- Eq. 18 is printed with what FR is given, in which FR has no part: it is asked of what FR makes, blended. In B2F the
  face is compared with the same face of the true frame, so that low levels see the same expression; in FR, as printed,
  with the face in the photograph, which is aligned alike.
- Each of the five embeddings is brought to a mean square of 1 before they are joined.
- Of FR "the same as [15]" is said, which prints no widths: halvings, doublings and weights are ours, and so is that
  its reconstruction is the mean distance of the crop, and of the blended crop, from the true face.
- Where somebody else is seen, B2F's mask may be anything (section 3.2 masks such places, the mask's loss it does not
  name).
- First weights are drawn from N(0, 0.02), and G is updated before D on the same samples (ours).
- HP, DP and OP of eqs. 1 and 2 are a parser, a body and a tracker that need no weights of others (`tracking/`); P^D is
  not DensePose's of the driver, but a body of the photographed person's measures laid into the driver's poses, which
  are brought to the photograph's place first (`Config.placement`). What is behind somebody is made up of the rest of
  the picture, not by networks. Where no VGGFace2 network is given, EfficientNet-Lite0 reads faces, too.
- All three networks learn from all people there are; the paper's P2B from VIP alone, its B2F from MHPv2 and CIHP. Of
  one person up to six pairs are drawn, once, not fifteen each epoch, and of a made-up person or a clip the view that
  shows most of the front is read three times in five. Who is seen once is paired with himself, in P2B as well.
- Label maps of the photograph and of the frame are turned and zoomed each for itself, by up to 10 degrees and 15 %;
  B2F's samples are mirrored and put in another light, and not cut at random. None of these numbers is printed.
- When frames are played, FR sees its crop before grey: what background a video gets is not known there.

Beyond the paper, and off in `paper()`: copying texture (`copies`), with a plain distance on the person that teaches it
(`lambda_copy`); P2B at a fraction of the size, with smaller kernels; B2F's last doubling out of channels; labels read
once a block; D and eq. 16 look at a part of the frame (`looked_at`); average weights. Where it is copied, what P2B says
is mended when it is played (`label_repairs.py`).

Shape letters: B samples, H x W the frame, K copies, S the side of a face and of a segment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import autocast
from understudy.body.labels import LABELS
from understudy.conditioning.face_crops import cut
from understudy.conditioning.pictures import as_values, pixels
from understudy.networks.face_refiner import put_in
from understudy.networks.frame_generator import blended
from understudy.networks.unet import initialise
from understudy.recipes.parts.freestyle_batches import B2FBatch, Batches, FRBatch, P2BBatch, Pretrained
from understudy.recipes.parts.freestyle_networks import (
    b2f_for,
    believed,
    body_condition,
    embedding,
    face_vector,
    fr_for,
    judges_for,
    label_shares,
    labels_of,
    one_hot,
    p2b_for,
    pose_condition,
    smaller_labels,
)
from understudy.recipes.parts.freestyle_reenactment_config import B2F, FR, P2B, Config
from understudy.training import loop as training
from understudy.training.session import Session
from understudy.training.step import descend, frozen

WINDOWS = 11
"""stream of random numbers: where D and eq. 16 look"""
BatchKind = TypeVar("BatchKind")


# -- P2B -----------------------------------------------------------------------------------------------------------


class PoseToBody:
    """P2B and its D on the device; `training_step` is one step of eq. 9."""

    shown = "generator"

    def __init__(self, session: Session, batches: Batches):
        self.config: Config = session.config
        self.session, self.batches = session, batches
        generator, judge = p2b_for(self.config), judges_for(self.config)[0]
        self.G, self.optimize_G = _fitted(session, generator, P2B)
        self.G.mark_forward_method("logits")
        self.D, self.optimize_D = _fitted(session, judge, P2B)
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D": judge}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"generator": self.optimize_G, "D": self.optimize_D}

    def training_step(self, step: int) -> dict[str, Tensor]:
        config, fabric = self.config, self.session.fabric
        batch = _on(self.batches.p2b(step), self.session.device)
        labels = smaller_labels(batch.labels, config.p2b_shrink)  # (B, h, w)
        real = one_hot(labels, len(LABELS))
        logits = self.G.logits(*_condition(batch, config.p2b_shrink)).float()
        fake = torch.sigmoid(logits)
        real_maps = self.D(real)

        # G: eq. 9 = sum_k (L_LS + lambda_D L_FM) + lambda_CE L_CE, k the two sizes at which D looks
        with frozen(self.D):
            fake_maps = self.D(fake)
            gan = [losses.least_squares_generator_loss(maps[-1]).mean() for maps in fake_maps]
            goal = {
                "gan": torch.stack(gan).sum(),
                "fm": config.lambda_d * losses.feature_matching(_fixed(real_maps), fake_maps).mean(),
                "ce": config.lambda_ce * losses.label_cross_entropy(logits, labels).mean(),
            }
            descend(fabric, self.optimize_G, goal)

        # D: tell labels of real pictures from P2B's, by least squares
        judged = [
            losses.least_squares_discriminator_loss(true[-1], made[-1]).mean()
            for true, made in zip(real_maps, self.D(fake.detach()), strict=True)
        ]
        named = {"D": torch.stack(judged).sum()}
        descend(fabric, self.optimize_D, named)
        return named | goal

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        """Writes `step-<n>.png`: bodies as photographed, the wanted poses, the true labels and P2B's."""
        batch = _on(self.batches.p2b(0), self.session.device)
        with autocast(self.session.device):
            made = generator(*_condition(batch, self.config.p2b_shrink))
        size_hw = (batch.labels.shape[1], batch.labels.shape[2])
        rows = {"photograph's labels": coloured(batch.person_labels), "pose": F.interpolate(batch.stick, size=size_hw)}
        rows |= {"true labels": coloured(batch.labels), "generated": coloured(labels_of(made, size_hw))}
        _write(rows, folder, step)


def _condition(batch: P2BBatch, shrink: int) -> tuple[Tensor, Tensor | None]:
    copied = None if batch.copied_labels is None else label_shares(batch.copied_labels, shrink)
    condition = pose_condition(label_shares(batch.person_labels, shrink), batch.surface, batch.stick, shrink, copied)
    return condition, None if copied is None else believed(copied, shrink)


# -- B2F -----------------------------------------------------------------------------------------------------------


class BodyToFrame:
    """B2F and its D on the device; `training_step` is one step of the sum of eqs. 13 and 15 to 18."""

    shown = "generator"

    def __init__(self, session: Session, batches: Batches, pretrained: Pretrained):
        self.config: Config = session.config
        self.session, self.batches, self.pretrained = session, batches, pretrained
        generator, judge = b2f_for(self.config), judges_for(self.config)[1]
        self.G, self.optimize_G = _fitted(session, generator, B2F)
        self.D, self.optimize_D = _fitted(session, judge, B2F)
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D": judge}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"generator": self.optimize_G, "D": self.optimize_D}

    def training_step(self, step: int) -> dict[str, Tensor]:
        config, fabric = self.config, self.session.fabric
        batch = _on(self.batches.b2f(step), self.session.device)
        body = body_condition(batch.labels, batch.face_labels)  # P^M: (B, 27, H, W)
        person = (batch.labels > 0)[:, None].float()  # P^D+
        made = self.G(self._looks(batch), body, batch.copied)
        z, x = losses.person_alone(made.z, person), losses.person_alone(batch.frame, person)  # z^b, x^b
        seen_z, seen_x, seen_body = self._looked_at(step, person, z, x, body)
        real_maps = self.D(torch.cat([seen_body, seen_x], 1))

        # G: eqs. 13, 15, 16, 17 and 18
        with frozen(self.D):
            fake_maps = self.D(torch.cat([seen_body, seen_z], 1))
            gan = [losses.hinge_generator_loss(maps[-1]).mean() for maps in fake_maps]
            goal = {
                "gan": torch.stack(gan).sum(),
                "fm": config.lambda_fm * losses.feature_matching(_fixed(real_maps), fake_maps).mean(),
                "vgg": config.lambda_vgg * self.pretrained.phi.distance(seen_z, seen_x).mean(),
                "mask": config.lambda_m * losses.mask_distance(made.mask, person, 1 - batch.others).mean(),
                "face": config.lambda_face * self._faces_apart(z, x, batch.face_box).mean(),
            }
            if config.lambda_copy:
                goal["copy"] = config.lambda_copy * losses.absolute_difference(z, x).mean()
            descend(fabric, self.optimize_G, goal)

        # D: tell (P^M, x^b) from (P^M, z^b), eq. 14
        judged = [
            losses.hinge_discriminator_loss(true[-1], fake[-1]).mean()
            for true, fake in zip(real_maps, self.D(torch.cat([seen_body, seen_z.detach()], 1)), strict=True)
        ]
        named = {"D": torch.stack(judged).sum()}
        descend(fabric, self.optimize_D, named)
        return named | goal

    def _looked_at(self, step: int, person: Tensor, *pictures: Tensor) -> list[Tensor]:
        """Each picture `(B, C, H, W)` cut to a window of the config's size, about some place of the person."""
        share, (height, width) = self.config.looked_at, self.config.size_hw
        if share == 1:
            return list(pictures)
        random = self.session.chance.generator(WINDOWS, step)
        window = [max(32, round(share * side / 16) * 16) for side in (height, width)]
        boxes = []
        for one in person[:, 0].cpu().numpy():
            places = np.argwhere(one > 0)
            place = places[random.integers(len(places))] if len(places) else np.array([height, width]) // 2
            rows, columns = (
                _span(int(at - size * random.uniform(0.25, 0.75)), size, side)
                for at, size, side in zip(place, window, (height, width), strict=True)
            )
            boxes.append((slice(None), rows, columns))
        return [torch.stack([one[box] for one, box in zip(picture, boxes, strict=True)]) for picture in pictures]

    @torch.no_grad()
    def _looks(self, batch: B2FBatch) -> Tensor:
        """e_z `(B, E)`."""
        with self.session.fabric.autocast():
            return embedding(self.pretrained.face, self.pretrained.parts, batch.segments)

    def _faces_apart(self, z: Tensor, x: Tensor, face_box: Tensor) -> Tensor:
        """Eq. 18 at the place of each face, `(B,)`; 0 where none is seen."""
        seen = (face_box[:, 2:] > face_box[:, :2]).all(dim=1)
        apart = z.new_zeros(len(z), dtype=torch.float32)
        if not seen.any():
            return apart
        first, last = face_box[seen, :2].float(), face_box[seen, 2:].float()
        square = ((first + last) / 2, (last - first).amax(dim=1), self.config.face_size)
        levels = self.pretrained.face_levels
        with self.session.fabric.autocast():
            with torch.no_grad():
                wanted = levels(cut(x[seen], *square))
            found = losses.face_perceptual(levels(cut(z[seen], *square)), wanted)
        return apart.masked_scatter(seen, found.float())

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        """Writes `step-<n>.png`: labels, true frames, z, m, how much was painted, and what is blended."""
        batch = _on(self.batches.b2f(0), self.session.device)
        with autocast(self.session.device):
            made = generator(self._looks(batch), body_condition(batch.labels, batch.face_labels), batch.copied)
        rows = {"labels": coloured(batch.labels), "true": batch.frame, "generated": made.z, "mask": _grey(made.mask)}
        if batch.copied is not None:
            rows["painted"] = _grey(made.painted)
        _write(rows | {"blended": blended(made, batch.background)}, folder, step)


# -- FR ------------------------------------------------------------------------------------------------------------


class FaceRefinement:
    """FR and its D on the device; `training_step` is one step of section 3.3."""

    shown = "generator"

    def __init__(self, session: Session, batches: Batches, pretrained: Pretrained):
        self.config: Config = session.config
        self.session, self.batches, self.pretrained = session, batches, pretrained
        generator, judge = fr_for(self.config), judges_for(self.config)[2]
        self.G, self.optimize_G = _fitted(session, generator, FR)
        self.D, self.optimize_D = _fitted(session, judge, FR)
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D": judge}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"generator": self.optimize_G, "D": self.optimize_D}

    def training_step(self, step: int) -> dict[str, Tensor]:
        config, fabric = self.config, self.session.fabric
        batch = _on(self.batches.fr(step), self.session.device)
        refined = self.G(batch.made, self._identity(batch))
        shown = put_in(refined, batch.made)
        (real_maps,) = self.D(batch.truth)

        # G: eq. 18, reconstruction of c and of what is blended, a small and even mask, and to pass for real
        with frozen(self.D):
            (fake_maps,) = self.D(shown)
            levels = self.pretrained.face_levels
            with fabric.autocast():
                with torch.no_grad():
                    wanted = levels(batch.reference)
                identity = losses.face_perceptual(levels(shown), wanted)
            apart = [losses.absolute_difference(one, batch.truth) for one in (refined.crop, shown)]
            size, variation = losses.mask_regularity(refined.mask)
            each = {
                "gan": losses.least_squares_generator_loss(fake_maps[-1]),
                "face": config.lambda_face * identity,
                "r": config.lambda_r * torch.stack(apart).sum(0),
                "mask": config.lambda_mask * size,
                "variation": config.lambda_variation * variation,
            }
            goal = {name: (batch.seen * loss).mean() for name, loss in each.items()}
            descend(fabric, self.optimize_G, goal)

        # D: tell true faces from refined ones, by least squares
        (fake_maps,) = self.D(shown.detach())
        judged = losses.least_squares_discriminator_loss(real_maps[-1], fake_maps[-1])
        named = {"D": (batch.seen * judged).mean()}
        descend(fabric, self.optimize_D, named)
        return named | goal

    @torch.no_grad()
    def _identity(self, batch: FRBatch) -> Tensor:
        """VGGFace(c_I)."""
        with self.session.fabric.autocast():
            return face_vector(self.pretrained.face, batch.reference)

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        """Writes `step-<n>.png`: faces in photographs, as painted, c, m^c, refined, and the true ones."""
        batch = _on(self.batches.fr(0), self.session.device)
        with autocast(self.session.device):
            refined = generator(batch.made, self._identity(batch))
        rows = {"photograph": batch.reference, "painted": batch.made, "generated": refined.crop}
        rows |= {"mask": _grey(refined.mask), "refined": put_in(refined, batch.made), "true": batch.truth}
        _write(rows, folder, step)


# -- All three alike -----------------------------------------------------------------------------------------------


def trainee_of(session: Session, name: str, batches: Batches, pretrained: Pretrained) -> training.Trainee:
    """One of the three, "p2b", "b2f" or "fr", with first weights that the session's seed gives."""
    session.begin()
    if name == P2B:
        return PoseToBody(session, batches)
    return (BodyToFrame if name == B2F else FaceRefinement)(session, batches, pretrained)


def _fitted(session: Session, network: nn.Module, name: str) -> tuple[Any, torch.optim.Optimizer]:
    """A network with first weights, and its optimizer at that network's rate, as a training step uses them."""
    config: Config = session.config
    numbers = config.optimisation
    initialise(network, numbers.initial_deviation)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    adam = torch.optim.Adam(network.parameters(), config.rate_of(name), numbers.betas, fused=True)
    wrapped, optimizer = session.fabric.setup(network, adam)
    return wrapped, optimizer


def _span(first: int, size: int, side: int) -> slice:
    """`size` of `side` pixels, from `first` on as far as that can be."""
    first = min(max(0, first), side - size)
    return slice(first, first + size)


def _fixed(maps: list[list[Tensor]]) -> list[list[Tensor]]:
    return [[features.detach() for features in scale] for scale in maps]


def _on(batch: BatchKind, device: torch.device) -> BatchKind:
    tensors = {field.name: getattr(batch, field.name) for field in fields(batch)}  # type: ignore[arg-type]
    there = {name: None if one is None else one.to(device) for name, one in tensors.items()}
    return replace(batch, **there)  # type: ignore[type-var]


def coloured(labels: Tensor) -> Tensor:
    """Label maps `(B, H, W)` as pictures `(B, 3, H, W)` in [-1, 1], a colour a label, background black."""
    palette = np.random.default_rng(len(LABELS)).integers(60, 255, (len(LABELS), 3)).astype(np.uint8)
    palette[0] = 0
    colours = as_values(torch.from_numpy(palette)).to(labels.device)
    return colours[labels.long()].permute(0, 3, 1, 2)


def _grey(values: Tensor) -> Tensor:
    return (2 * values - 1).expand(-1, 3, -1, -1)


def _write(rows: Mapping[str, Tensor], folder: Path, step: int) -> None:
    from understudy.recipes.parts.previews import COLUMNS, write_rows

    write_rows({name: list(pixels(values[:COLUMNS])) for name, values in rows.items()}, folder, step)
