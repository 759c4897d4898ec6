"""What a person wears, learnt from one picture or a clip: colours of six materials, and where each ends on the body.

Colours and places are learnt in turns, as GrabCut does with two (Rother et al. 2004, "GrabCut: Interactive foreground
extraction using iterated graph cuts"): a material's colours are those of the pixels that are probably of it, and a
sleeve ends where the colours along the arms change from cloth to skin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from understudy.tracking.body_regions import ACROSS, Regions

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

MATERIALS = ("hair", "skin", "upper", "lower", "socks", "shoes")
HAIR, SKIN, UPPER, LOWER, SOCKS, SHOES = range(6)

_BINS = (16, 32, 32)
"""of lightness and the two colour axes of CIE Lab"""
_ROUNDS = 3
_FLOOR = 1e-5
"""density of a colour that a material never showed: stains, shadows, a print"""
_STEPS = 40
"""places along a limb at which a sleeve or a trouser leg may end"""
MUCH_SKIN = 4.0
"""squared Mahalanobis distance in Lab within which a colour is the skin's"""
_USUAL_SKIN = ((165.0, 144.0, 148.0), (55.0, 7.0, 9.0))
"""mean and deviation in 8-bit Lab of skin nobody has shown yet: people's skins differ in lightness above all"""
WAIST, SLEEVE, HEM = 0.95, 0.6, 1.0
"""where they are if the picture does not tell"""


@dataclass(frozen=True, eq=False)
class Looks:
    """What one person wears.

    Attributes:
        colours: (6, 16384) float32 density of each of `MATERIALS` over the bins of Lab; rows add up to 1.
        worn: (6,) float32 in [0, 1], how surely there is any of it: no socks, no hair.
        waist: place along the trunk (0 shoulders, 1 hips) where the lower clothes begin.
        sleeve: place along the arm where cloth ends, 0 shoulder, 0.5 elbow, 1 wrist.
        hem: place along the leg where cloth ends, 0 hip, 0.5 knee, 1 ankle.
        skirt: share of the pixels between the legs, above the hem, that are cloth; nan where nothing can be said.
    """

    colours: Floats
    worn: Floats
    waist: float
    sleeve: float
    hem: float
    skirt: float


def colour_bins(frame: UInt8Array) -> npt.NDArray[np.int32]:
    """(H, W) number of the bin in which each pixel's colour falls; `frame` is (H, W, 3) RGB."""
    lab = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB)
    return np.asarray(
        (lab[..., 0].astype(np.int32) >> 4) * 1024 + (lab[..., 1].astype(np.int32) >> 3) * 32 + (lab[..., 2] >> 3),
        np.int32,
    )


def prior(regions: Regions, looks: Looks | None) -> Floats:
    """(6, H, W) how likely each material is in every pixel before its colour is looked at; adds up to 1."""
    weights = regions.weights()
    waist, sleeve, hem = (WAIST, None, None) if looks is None else (looks.waist, looks.sleeve, looks.hem)
    shape = regions.face.shape
    chances = np.full((6, *shape), 1e-3, np.float32)
    for name, weight in weights.items():
        along = regions.parts[name].along
        if name == "head":
            _add_head(chances, weight, regions)
        elif name == "neck":
            _add(chances, weight, {SKIN: 0.62, HAIR: 0.18, UPPER: 0.2})
        elif name == "trunk":
            below = _step(along - np.float32(waist), 0.05 if looks else 0.12)
            neckline = np.exp(-np.maximum(along, 0) / np.float32(0.12))
            _add(chances, weight, {UPPER: 0.9 * (1 - below), LOWER: 0.9 * below, SKIN: 0.04 + 0.16 * neckline})
            _add(chances, weight, {HAIR: 0.02 + 0.12 * neckline})
        elif name.endswith("arm"):
            bare = np.float32(0.5) if sleeve is None else _step(along - np.float32(sleeve), 0.03)
            _add(chances, weight, {SKIN: 0.06 + 0.88 * bare, UPPER: 0.94 - 0.88 * bare})
        elif name.endswith("hand"):
            known = name in regions.hands_known
            _add(chances, weight, {SKIN: 0.97 if known else 0.8, UPPER: 0.03 if known else 0.2})
        elif name.endswith("leg"):
            bare = 0.45 * _step(along - 0.3, 0.05) if hem is None else _step(along - np.float32(hem), 0.03)
            foot = _step(along - np.float32(0.9), 0.03)
            _add(chances, weight, {SKIN: 0.05 + 0.78 * bare, LOWER: 0.9 - 0.85 * bare})
            _add(chances, weight, {SOCKS: 0.16 * _step(along - 0.75, 0.05), SHOES: 0.02 + 0.15 * foot})
        else:
            _add(chances, weight, {SHOES: 0.85, SKIN: 0.06, SOCKS: 0.05, LOWER: 0.04})
    far = np.min([part.outside for part in regions.parts.values()], axis=0)
    limbs = [part.outside for name, part in regions.parts.items() if name not in ("trunk", "head", "neck")]
    bare_far = np.minimum(np.min(limbs, axis=0) if limbs else far, regions.parts["neck"].outside)
    bare_far = np.minimum(bare_far, regions.parts["head"].outside)
    # flesh does not stand off the bones, cloth and hair do
    chances[SKIN] *= np.exp(-np.maximum(np.minimum(bare_far, far + 0.06), 0) / np.float32(0.06))
    hanging = np.exp(-np.maximum(regions.parts["head"].outside, 0) / np.float32(0.2))
    chances[HAIR] += 0.1 * hanging * (far > -ACROSS)
    if looks is not None:
        chances *= (0.02 + 0.98 * looks.worn)[:, None, None]
    return np.asarray(chances / chances.sum(axis=0), np.float32)


def learn_looks(frame: UInt8Array, person: UInt8Array, regions: Regions) -> Looks:
    """Learns what is worn from one picture.

    Args:
        frame: (H, W, 3) RGB; 256 pixels of height are enough.
        person: (H, W), not 0 where the person is.
        regions: of the same picture.
    """
    inside = person > 0
    bins, lab = colour_bins(frame), cv2.cvtColor(frame, cv2.COLOR_RGB2LAB).astype(np.float32)
    seeds, worn = _seeds(lab, inside, regions)
    colours = np.stack([_density(bins, seed) for seed in seeds])
    looks = Looks(colours, worn, WAIST, SLEEVE, HEM, float("nan"))
    weights = regions.weights()
    for number in range(_ROUNDS):
        likely = looks.colours[:, bins]
        sleeve = _change(likely[UPPER], likely[SKIN], ("left arm", "right arm"), weights, regions, inside, SLEEVE)
        hem = _change(
            likely[LOWER],
            np.maximum(likely[SKIN], likely[SOCKS] * worn[SOCKS]),
            ("left leg", "right leg"),
            weights,
            regions,
            inside,
            HEM,
        )
        waist = _waist(likely, weights, regions, inside)
        looks = Looks(looks.colours, worn, waist, sleeve, hem, float("nan"))
        chances = prior(regions, looks) * likely
        chances /= chances.sum(axis=0)
        chances *= inside
        if number < _ROUNDS - 1:
            learnt = np.stack([_density(bins, one) for one in np.square(chances)])
            kept = (chances.sum(axis=(1, 2)) > 20)[:, None]
            looks = Looks(np.where(kept, 0.7 * learnt + 0.3 * colours, looks.colours), worn, waist, sleeve, hem, 0)
    skirt = _between_legs(chances[LOWER], regions, inside, hem)
    return Looks(looks.colours, worn, waist, sleeve, hem, skirt)


def looks_of_clip(several: Sequence[Looks]) -> Looks:
    """What several pictures of one person in the same clothes say together.

    Raises:
        ValueError: none are given.
    """
    if not several:
        raise ValueError("looks of a clip need at least one picture's")
    weights = np.stack([one.worn for one in several])[..., None] + np.float32(1e-3)
    colours = (np.stack([one.colours for one in several]) * weights).sum(axis=0) / weights.sum(axis=0)
    waist, sleeve, hem = (
        float(np.median([getattr(one, name) for one in several])) for name in ("waist", "sleeve", "hem")
    )
    skirts = [one.skirt for one in several if not np.isnan(one.skirt)]
    worn = np.mean([one.worn for one in several], axis=0)
    return Looks(
        np.asarray(colours, np.float32),
        np.asarray(worn, np.float32),
        waist,
        sleeve,
        hem,
        float(np.median(skirts)) if skirts else float("nan"),
    )


def _add(chances: Floats, weight: Floats, shares: dict[int, Floats | float]) -> None:
    for material, share in shares.items():
        chances[material] += weight * np.asarray(share, np.float32)


def _add_head(chances: Floats, weight: Floats, regions: Regions) -> None:
    face = cv2.blur(regions.face, (3, 3)).astype(np.float32) / np.float32(255)
    seen = bool(regions.face.any())
    above = _step(-regions.chin_below, 0.05)
    skin_beside = 0.25 if seen else 0.12
    _add(chances, weight, {SKIN: face * 0.94 + (1 - face) * (skin_beside * above + 0.5 * (1 - above))})
    _add(chances, weight, {HAIR: face * 0.06 + (1 - face) * ((1 - skin_beside) * above + 0.3 * (1 - above))})
    _add(chances, weight, {UPPER: (1 - face) * 0.2 * (1 - above)})


def _step(value: Floats, width: float) -> Floats:
    """0 far below 0 and 1 far above it."""
    return np.asarray(0.5 + 0.5 * np.tanh(value / np.float32(width)), np.float32)


def _density(bins: npt.NDArray[np.int32], weight: Floats) -> Floats:
    counts = np.bincount(bins.ravel(), weight.ravel(), minlength=int(np.prod(_BINS))).reshape(_BINS)
    smooth = gaussian_filter(counts, (1.0, 0.8, 0.8), mode="constant").ravel()
    total = smooth.sum()
    share = smooth / total if total > 0 else np.full(smooth.size, 1 / smooth.size)
    return np.asarray((share + _FLOOR) / (1 + _FLOOR * smooth.size), np.float32)


def _seeds(lab: Floats, inside: npt.NDArray[np.bool_], regions: Regions) -> tuple[list[Floats], Floats]:
    """Pixels that show each material for sure or nearly so, and how surely each is worn."""
    parts, empty = regions.parts, np.zeros(inside.shape, bool)
    face = (regions.face > 0) & (regions.features == 0) & inside
    hands = empty.copy()
    for name in regions.hands_known:
        hands |= (parts[name].outside < 0) & inside
    skin, mean, spread = _skin_seeds(lab, face, hands)
    distance = (((lab - mean) / spread) ** 2).sum(axis=-1)
    away = distance > MUCH_SKIN * 1.5
    head = (parts["head"].outside < 0) & inside & (regions.face == 0) & (regions.chin_below < -0.25)
    hair = head & away
    bald = head.sum() > 20 and hair.sum() < 0.15 * head.sum()
    if not regions.face.any():
        hair = head
    trunk = parts["trunk"]
    limbs = np.min(
        [part.outside for name, part in parts.items() if name.endswith(("arm", "hand"))]
        or [np.ones(inside.shape, np.float32)],
        axis=0,
    )
    middle = (trunk.outside < -0.14) & inside & (limbs > 0) & (parts["head"].outside > 0.03)
    upper = middle & (trunk.along > 0.2) & (trunk.along < 0.75)
    if upper.sum() < 20:
        upper = (trunk.outside < 0) & inside & (trunk.along > 0.1) & (trunk.along < 0.8)
    legs = [parts[name] for name in ("left leg", "right leg") if name in parts]
    lower = empty.copy()
    for leg in legs:
        lower |= (leg.outside < 0) & (leg.along < 0.14) & (leg.along > 0.02) & (limbs > 0) & inside
    shoes, socks = empty.copy(), empty.copy()
    for side in ("left", "right"):
        if f"{side} foot" in parts:
            shoes |= (parts[f"{side} foot"].outside < -0.01) & inside
        if f"{side} leg" in parts:
            leg = parts[f"{side} leg"]
            socks |= (leg.outside < 0) & (leg.along > 0.88) & (leg.along < 0.97) & inside
    masks = [hair, skin, upper, lower, socks, shoes]
    worn = np.array([not bald, True, True, lower.any(), False, shoes.any()], np.float32)
    ankles = int(socks.sum())
    if ankles > 12:
        of_lower = lab[lower].mean(axis=0) if lower.any() else np.full(3, -99.0)
        other = socks & away & (np.abs(lab - of_lower).sum(axis=-1) > 60)
        masks[SOCKS] = other
        worn[SOCKS] = float(np.clip(other.sum() / ankles * 2 - 0.8, 0, 1))
    return [mask.astype(np.float32) for mask in masks], worn


def _skin_seeds(
    lab: Floats, face: npt.NDArray[np.bool_], hands: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
    """Skin of face and hands without outliers (a fringe, glasses, what a hand holds), its mean and deviation in Lab."""
    usual, deviation = (np.array(values, np.float32) for values in _USUAL_SKIN)
    seeds = face | hands if face.sum() < 40 else face
    if seeds.sum() < 20:
        return seeds, usual, deviation
    colours = lab[seeds]
    mean = np.median(colours, axis=0)
    spread = np.maximum(1.5 * np.median(np.abs(colours - mean), axis=0), np.array([14, 4, 4], np.float32))
    near = (((lab - mean) / spread) ** 2).sum(axis=-1) < 2 * MUCH_SKIN
    return (face | hands) & near, np.asarray(mean, np.float32), np.asarray(spread * 1.4, np.float32)


def _change(
    before: Floats,
    after: Floats,
    names: tuple[str, str],
    weights: dict[str, Floats],
    regions: Regions,
    inside: npt.NDArray[np.bool_],
    usual: float,
) -> float:
    """Where along both limbs the colours change from the likelier under `before` to the likelier under `after`."""
    gain = np.zeros(_STEPS)
    for name in names:
        if name in regions.parts:
            along = regions.parts[name].along
            core = inside & (regions.parts[name].outside < 0) & (weights[name] > 0.4) & (along < 0.97)
            ratio = np.clip(np.log(before[core]) - np.log(after[core]), -3, 3)
            step = np.minimum((along[core] * _STEPS).astype(int), _STEPS - 1)
            # by the mean at each place, so that wide parts of the limb do not outvote narrow ones
            sums, counts = np.bincount(step, ratio, _STEPS), np.bincount(step, minlength=_STEPS)
            gain += sums / np.maximum(counts, 3) * (counts > 0)
    if not gain.any():
        return usual
    return float(np.argmax(np.concatenate([[0.0], np.cumsum(gain)])) / _STEPS)


def _waist(likely: Floats, weights: dict[str, Floats], regions: Regions, inside: npt.NDArray[np.bool_]) -> float:
    """Where down the trunk, and on over the hips, upper clothes give way to lower ones."""
    trunk = regions.parts["trunk"]
    if not any(name in regions.parts for name in ("left leg", "right leg")):
        return WAIST
    held = weights["trunk"] + sum((weights[name] for name in ("left leg", "right leg") if name in weights), 0)
    core = inside & (held > 0.5) & (trunk.along > 0.4) & (trunk.along < 1.5)
    if core.sum() < 30:
        return WAIST
    ratio = np.clip(np.log(likely[UPPER][core]) - np.log(likely[LOWER][core]), -3, 3)
    step = ((trunk.along[core] - 0.4) / 1.1 * _STEPS).astype(int)
    sums, counts = np.bincount(step, ratio, _STEPS), np.bincount(step, minlength=_STEPS)
    place = 0.4 + 1.1 * (np.arange(_STEPS + 1) / _STEPS)
    gain = np.concatenate([[0.0], np.cumsum(sums / np.maximum(counts, 5))]) - 3.0 * np.abs(place - WAIST)
    return float(place[np.argmax(gain)])


def _between_legs(lower: Floats, regions: Regions, inside: npt.NDArray[np.bool_], hem: float) -> float:
    """Share of the space between two spread thighs that is cloth, down to the hem; nan where they are not spread."""
    if "left leg" not in regions.parts or "right leg" not in regions.parts or not hem > 0.1:
        return float("nan")
    left, right = regions.parts["left leg"], regions.parts["right leg"]
    down = np.minimum(left.along, right.along)
    # on the line where both legs are equally near, off both of them
    gap = (np.abs(left.outside - right.outside) < 0.06) & (left.outside > 0.03) & (down > 0.12) & (down < hem - 0.08)
    if gap.sum() < 12:
        return float("nan")
    return float((lower[gap] > 0.5).mean())
