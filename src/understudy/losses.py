"""Published losses, one short pure function each. Nothing here is weighted: weights are the recipe's.

Every function returns one value a sample, `(B,)`, so that the recipe decides how to reduce.
Symbols are those of Aberman et al. 2018, "Deep Video-Based Performance Cloning", unless a docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class _MeanAbsolute(torch.autograd.Function):
    """Mean absolute value of each sample, `(B, ...)` -> `(B,)` float32.

    By hand, because features at full resolution are by far the largest tensors of a training step, and what
    autograd records for `abs().mean()` passes over them more than twice as often.
    """

    @staticmethod
    def forward(ctx: Any, difference: Tensor) -> Tensor:
        dimensions = tuple(range(1, difference.ndim))
        ctx.count = difference[0].numel()
        total = torch.linalg.vector_norm(
            difference, 1, dim=dimensions, dtype=torch.promote_types(difference.dtype, torch.float32)
        )
        ctx.save_for_backward(difference.sign())
        mean: Tensor = total / ctx.count
        return mean

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        sign: Tensor = ctx.saved_tensors[0]
        share: Tensor = (gradient / ctx.count).to(sign.dtype)
        return sign * share.view(-1, *[1] * (sign.ndim - 1))


def feature_distance(features: Tensor, real_features: Tensor) -> Tensor:
    """L_vgg = |phi(G(P(x))) - phi(x)|_1, eq. 1, as a mean over the features.

    Args:
        features: `(B, C, H, W)` of the generated frames.
        real_features: the same of the real ones.

    Returns:
        `(B,)`, at least 0.
    """
    distance: Tensor = _MeanAbsolute.apply(features - real_features)  # type: ignore[no-untyped-call]
    return distance


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-(log D(real) + log(1 - D(fake))), what D minimises in eqs. 2 and 5, with D = sigmoid(logits).

    Args:
        real_logits: `(B, 1, h, w)`, one a patch.
        fake_logits: `(B', 1, h, w)` with B' = B.

    Returns:
        `(B,)` mean over patches, at least 0; 2 log 2 where D cannot tell.
    """
    real, fake = F.softplus(-real_logits.float()), F.softplus(fake_logits.float())
    return real.mean(dim=(1, 2, 3)) + fake.mean(dim=(1, 2, 3))


def generator_loss(fake_logits: Tensor) -> Tensor:
    """-log D(G(y)): the generator's part of eqs. 2 and 5, in the non-saturating form pix2pix trains with.

    The printed log(1 - D(G(y))) has the same fixed point but no gradient where D is sure.

    Returns:
        `(B,)` mean over patches, at least 0.
    """
    return F.softplus(-fake_logits.float()).mean(dim=(1, 2, 3))


def absolute_difference(pictures: Tensor, real_pictures: Tensor) -> Tensor:
    """|x - y|_1 as a mean over pixels and channels.

    L_L1 of pix2pix (Isola et al. 2017, eq. 3), the cycle consistency loss of CycleGAN (Zhu et al. 2017, eq. 2) and its
    identity loss (section 5.2).

    Args:
        pictures, real_pictures: `(B, C, H, W)`.

    Returns:
        `(B,)`, at least 0.
    """
    difference: Tensor = _MeanAbsolute.apply(pictures - real_pictures)  # type: ignore[no-untyped-call]
    return difference


def least_squares_discriminator_loss(real_values: Tensor, fake_values: Tensor) -> Tensor:
    """(D(real) - 1)^2 + D(fake)^2, what D minimises: Mao et al. 2017, eq. 9, without its halves.

    Args:
        real_values: `(B, 1, h, w)`, one a patch.
        fake_values: `(B', 1, h, w)` with B' = B.

    Returns:
        `(B,)` mean over patches, at least 0; 1/2 where D cannot tell and says so.
    """
    real, fake = (real_values.float() - 1).square(), fake_values.float().square()
    return real.mean(dim=(1, 2, 3)) + fake.mean(dim=(1, 2, 3))


def least_squares_generator_loss(fake_values: Tensor) -> Tensor:
    """(D(G(y)) - 1)^2, the generator's part of the same; Gafni et al. 2021, eq. 10.

    Returns:
        `(B,)` mean over patches, at least 0.
    """
    return (fake_values.float() - 1).square().mean(dim=(1, 2, 3))


def feature_matching(real_features: Sequence[Sequence[Tensor]], fake_features: Sequence[Sequence[Tensor]]) -> Tensor:
    """L_FM = sum_k sum_i |D_k^i(x, y) - D_k^i(x, G(x))|_1 / N_i, over scales k and layers i: Wang et al. 2018, eq. 4.

    Gafni et al. 2021, eqs. 11 and 15.

    The judgement itself, the last map of each scale, is left out: it is no feature, and the adversarial loss has it.

    Args:
        real_features: for each scale the `(B, C, h, w)` of each layer and the judgement behind them, as
            `MultiScaleDiscriminator` gives them; N_i = C h w.
        fake_features: the same for the generated frames.

    Returns:
        `(B,)` summed over scales and layers as printed, at least 0.
    """
    pairs = [
        (fake, real)
        for real_maps, fake_maps in zip(real_features, fake_features, strict=True)
        for real, fake in zip(real_maps[:-1], fake_maps[:-1], strict=True)
    ]
    return torch.stack([feature_distance(fake, real) for fake, real in pairs]).sum(dim=0)


def perceptual_distance(
    features: Sequence[Tensor], real_features: Sequence[Tensor], weights: Sequence[float] | None = None
) -> Tensor:
    """L_P = sum_i w_i |phi_i(G(x)) - phi_i(y)|_1 / M_i, over layers i of VGG-19: Wang et al. 2018, section 3.5.

    Gafni et al. 2021, eq. 16.

    Chan et al. 2019 (section 8.2) takes conv1_1, conv2_1, conv3_1, conv4_1 and conv5_1.

    Args:
        features: for each layer the `(B, C, h, w)` of the generated frames; M_i = C h w.
        real_features: the same of the real ones.
        weights: w_i, 1 as printed if left out. EfficientNet-Lite0, whose depths are no layers of VGG-19, brings its
            own, so that the sum is of the same size (`networks/perceptual.py`).

    Returns:
        `(B,)` summed over layers, at least 0.
    """
    each = [feature_distance(one, real) for one, real in zip(features, real_features, strict=True)]
    if weights is not None:
        each = [weight * one for weight, one in zip(weights, each, strict=True)]
    return torch.stack(each).sum(dim=0)


def warp(frames: Tensor, flow: Tensor) -> Tensor:
    """W(x, f): looks each pixel up where backward flow says it was in `frames`, bilinearly (eq. 4).

    Args:
        frames: `(B, C, H, W)` at time i.
        flow: `(B, 2, H, W)` in pixels (x right, y down): pixel p at time i+1 was at p + flow(p) at time i.

    Returns:
        `(B, C, H, W)` `frames` carried to time i+1; the edge pixel is repeated beyond the edge.
    """
    _, _, height, width = frames.shape
    across = torch.arange(width, device=flow.device, dtype=flow.dtype)
    down = torch.arange(height, device=flow.device, dtype=flow.dtype)
    x = (across + flow[:, 0]) * (2 / (width - 1)) - 1
    y = (down[:, None] + flow[:, 1]) * (2 / (height - 1)) - 1
    grid = torch.stack([x, y], dim=-1)
    return F.grid_sample(frames, grid, mode="bilinear", padding_mode="border", align_corners=True)


def temporal_coherence(alpha: Tensor, frame: Tensor, next_frame: Tensor, flow: Tensor) -> Tensor:
    """L_tc = |alpha(y_{i+1}) * (W(G(y_i), f_i) - G(y_{i+1}))|_1, eq. 4, as a mean over pixels.

    Args:
        alpha: `(B, 1, H, W)` of `conditioning.limbs.limb_falloff` for y_{i+1}.
        frame: `(B, 3, H, W)` G(y_i).
        next_frame: `(B, 3, H, W)` G(y_{i+1}).
        flow: `(B, 2, H, W)` of the driving video, backward, as for `warp`.

    Returns:
        `(B,)`, at least 0.
    """
    return (alpha * (warp(frame, flow) - next_frame)).abs().mean(dim=(1, 2, 3), dtype=torch.float32)


def unit_feature_distance(features: Sequence[Tensor], real_features: Sequence[Tensor]) -> Tensor:
    """Squared distance of features scaled to length 1 at every place, mean over places and depths.

    LPIPS without its learnt weights (Zhang et al. 2018, eq. 1): a strong feature does not drown the others.

    Args:
        features, real_features: one (B, C, H, W) for each depth.

    Returns:
        `(B,)`, from 0 to 4.
    """
    distances = [
        (F.normalize(made.float(), dim=1, eps=1e-6) - F.normalize(real.float(), dim=1, eps=1e-6))
        .square()
        .sum(dim=1)
        .mean(dim=(1, 2))
        for made, real in zip(features, real_features, strict=True)
    ]
    return torch.stack(distances).mean(dim=0)


def shift_tolerant_distance(pictures: Tensor, real_pictures: Tensor) -> Tensor:
    """|x - y|_1, where every place may be compared with the true picture moved by a pixel in any direction.

    The best of the nine moves is taken for each place, by the mean of the 3 x 3 pixels around it: a warped seam that
    lies a pixel beside the true one costs nothing, a blurred one does.

    Args:
        pictures, real_pictures: `(B, C, H, W)`.

    Returns:
        `(B,)` mean over places and channels, at least 0.
    """
    padded = F.pad(real_pictures, (1, 1, 1, 1), mode="replicate")
    height, width = pictures.shape[2:]
    apart = [
        F.avg_pool2d((pictures - padded[..., y : y + height, x : x + width]).abs().mean(dim=1, keepdim=True), 3, 1, 1)
        for y in range(3)
        for x in range(3)
    ]
    return torch.stack(apart).amin(dim=0).mean(dim=(1, 2, 3))


def hinge_discriminator_loss(real_values: Tensor, fake_values: Tensor) -> Tensor:
    """max(0, 1 - D(real)) + max(0, 1 + D(fake)), what D minimises: Gafni et al. 2021, eq. 14.

    Printed with the real and the generated exchanged, and as norms with a minus sign, which D would send to minus
    infinity: read as the hinge loss that SPADE, whose blocks B2F is made of, trains with (Park et al. 2019).

    Args:
        real_values: `(B, 1, h, w)`, one a patch: D(P^M, x^b).
        fake_values: `(B', 1, h, w)` with B' = B: D(P^M, z^b).

    Returns:
        `(B,)` mean over patches, at least 0; 2 where D says 0 to everything.
    """
    real, fake = F.relu(1 - real_values.float()), F.relu(1 + fake_values.float())
    return real.mean(dim=(1, 2, 3)) + fake.mean(dim=(1, 2, 3))


def hinge_generator_loss(fake_values: Tensor) -> Tensor:
    """-D(P^M, z^b): Gafni et al. 2021, eq. 13, where the norm is read as a mean over patches that keeps the sign.

    Returns:
        `(B,)`, of either sign.
    """
    return -fake_values.float().mean(dim=(1, 2, 3))


def label_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """L_CE = CE(P^M, P2B(p)): Gafni et al. 2021, eq. 12, between a map of labels and sigmoids of logits.

    A sigmoid answers each label by itself, so each has its own cross-entropy, of yes and no. They are summed over the
    labels, which makes it a pixel's, and averaged over pixels.

    Args:
        logits: `(B, C, H, W)`, before the sigmoid.
        labels: `(B, H, W)` whole numbers below C.

    Returns:
        `(B,)`, at least 0; C log 2 where all logits are 0.
    """
    logits = logits.float()
    there = logits.gather(1, labels[:, None].long())
    return (F.softplus(logits).sum(dim=1, keepdim=True) - there).mean(dim=(1, 2, 3))


def person_alone(pictures: Tensor, person: Tensor) -> Tensor:
    """z^b = z * P^D+: Gafni et al. 2021, below eq. 15; what is not the person is 0, which is grey.

    Args:
        pictures: `(B, C, H, W)`, z or x.
        person: `(B, 1, H, W)` P^D+, 1 where there is any label and 0 elsewhere.
    """
    return pictures * person.to(pictures.dtype)


def mask_distance(mask: Tensor, person: Tensor, counted: Tensor) -> Tensor:
    """L^m = |m - P^D+|_1: Gafni et al. 2021, eq. 17 without its lambda_m, as a mean over the pixels that count.

    Args:
        mask: `(B, 1, H, W)` in [0, 1].
        person: `(B, 1, H, W)` P^D+, 0 or 1.
        counted: `(B, 1, H, W)` 0 or 1: 0 where somebody else is seen.

    Returns:
        `(B,)` in [0, 1]; 0 where nothing counts.
    """
    apart = ((mask.float() - person) * counted).abs().sum(dim=(1, 2, 3))
    return apart / counted.sum(dim=(1, 2, 3)).clamp(min=1)


def face_perceptual(features: Sequence[Tensor], real_features: Sequence[Tensor]) -> Tensor:
    """L_facep = sum_j |VGGFace_j(c_I) - VGGFace_j(c)|: Gafni et al. 2021, eq. 18, each level by its mean.

    Printed with c^0, the face as FR is given it, in which FR has no part: read as what comes out.

    Args:
        features: for each size j the `(B, C, s, s)` of the generated faces; the last may be the embedding, `(B, C)`.
        real_features: the same of the faces that they are to be like.

    Returns:
        `(B,)` summed over sizes, at least 0.
    """
    return perceptual_distance(features, real_features)


def mask_regularity(mask: Tensor) -> tuple[Tensor, Tensor]:
    """|m|_1, and |dm/dx|_1 + |dm/dy|_1, as means over pixels: "mask regularization" of Gafni et al. 2019, 2021 (3.3).

    The first keeps what was there, the second keeps the mask in one piece.

    Args:
        mask: `(B, 1, H, W)` in [0, 1].

    Returns:
        Twice `(B,)`, at least 0.
    """
    mask = mask.float()
    across, down = mask.diff(dim=3).abs(), mask.diff(dim=2).abs()
    return mask.abs().mean(dim=(1, 2, 3)), across.mean(dim=(1, 2, 3)) + down.mean(dim=(1, 2, 3))
