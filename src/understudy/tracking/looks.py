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

from understudy.tracking.body_regions import Regions

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

MATERIALS = ("hair", "skin", "upper", "lower", "socks", "shoes")
HAIR, SKIN, UPPER, LOWER, SOCKS, SHOES = range(6)

_BINS = (16, 32, 32)
"""of lightness, and of the two colour axes of CIE Lab from 64 to 191, which hold all but lamps"""
_ROUNDS = 3
_FLOOR = 1e-5
"""density of a colour that a material never showed: stains, shadows, a print"""
_STEPS = 40
"""places along a limb at which a sleeve or a trouser leg may end"""
MUCH_SKIN = 4.0
"""squared Mahalanobis distance in Lab within which a colour is the skin's"""
_USUAL_SKIN = ((165.0, 144.0, 148.0), (55.0, 7.0, 9.0))
"""mean and deviation in 8-bit Lab of skin nobody has shown yet: people's skins differ in lightness above all"""
BARE = 0.75
"""Bhattacharyya coefficient of the colours of skin and of a chest or feet, from which these are bare"""
BARE_HUE = 6.0
"""8-bit distance in hue from the skin, below which a chest or feet in a brighter light are bare, too"""
BALD = 8.0
"""8-bit distance in hue between crown and face, below which a crown that is lit, too, has no hair"""
PATTERN = 0.12
"""units: smaller pieces in a colour of skin are a pattern of the cloth"""
OFF_LEGS = 0.05
"""units off a leg, beyond the widest trousers"""
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
        skirt: share of the lower clothes that hangs beside or between the legs; nan where none are seen.
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
    red, yellow = ((np.clip(lab[..., axis], 64, 191).astype(np.int32) - 64) >> 2 for axis in (1, 2))
    return np.asarray((lab[..., 0].astype(np.int32) >> 4) * 1024 + red * 32 + yellow, np.int32)


def bare(name: str, regions: Regions, looks: Looks | None) -> Floats:
    """(H, W) how likely a part of the body is skin in every pixel that shows it, before its colour is looked at."""
    along = regions.parts[name].along
    if name == "head":
        face = cv2.blur(regions.face, (3, 3)).astype(np.float32) / np.float32(255)
        core = cv2.blur(regions.core, (3, 3)).astype(np.float32) / np.float32(255)
        above = _step(-regions.chin_below, 0.05)
        beside = (0.25 if regions.face.any() else 0.15) * above + 0.5 * (1 - above)
        return np.asarray((1 - face) * beside + (face - core) * 0.9 + core * 0.985, np.float32)
    if name == "neck":
        return np.full(along.shape, 0.62, np.float32)
    if name == "trunk":
        chest = 0.06 + 0.16 * np.exp(-np.maximum(along, 0) / np.float32(0.12))
        if looks is None:
            return np.asarray(chest, np.float32)
        naked = 0.9 * (1 - looks.worn[UPPER]) * (1 - _step(along - np.float32(looks.waist), 0.05))
        return np.asarray(np.maximum(chest, naked), np.float32)
    if name.endswith("arm"):
        return np.full(along.shape, 0.5, np.float32) if looks is None else _covered(along, looks.sleeve)
    if name.endswith("hand"):
        return np.full(along.shape, 0.97 if name in regions.hands_known else 0.8, np.float32)
    if name.endswith("leg"):
        return 0.05 + 0.35 * _step(along - 0.3, 0.05) if looks is None else 0.9 * _covered(along, looks.hem)
    return np.full(along.shape, 0.08, np.float32)


def _covered(along: Floats, end: float) -> Floats:
    return np.asarray(0.06 + 0.88 * _step(along - np.float32(end), 0.03), np.float32)


def prior(regions: Regions, looks: Looks | None) -> Floats:
    """(6, H, W) how likely each material is in every pixel before its colour is looked at; adds up to 1."""
    waist = WAIST if looks is None else looks.waist
    chances = np.full((6, *regions.face.shape), 1e-3, np.float32)
    for name, weight in regions.weights().items():
        along, skin = regions.parts[name].along, bare(name, regions, looks)
        rest = weight * (1 - skin)
        chances[SKIN] += weight * skin
        if name in ("head", "neck"):
            above = _step(-regions.chin_below - np.float32(0.08), 0.05)
            chances[HAIR] += rest * (0.35 + 0.65 * above)
            chances[UPPER] += rest * (0.65 - 0.65 * above)
        elif name == "trunk":
            below = _step(along - np.float32(waist), 0.05 if looks else 0.12)
            hair = 0.02 + 0.12 * np.exp(-np.maximum(along, 0) / np.float32(0.12))
            chances[UPPER] += rest * (1 - below) * (1 - hair)
            chances[LOWER] += rest * below * (1 - hair)
            chances[HAIR] += rest * hair
        elif name.endswith(("arm", "hand")):
            chances[UPPER] += rest
        elif name.endswith("leg"):
            ankle, foot = 0.25 * _step(along - 0.75, 0.05), 0.02 + 0.2 * _step(along - np.float32(0.9), 0.03)
            chances[SOCKS] += rest * ankle
            chances[SHOES] += rest * foot
            chances[LOWER] += rest * (1 - ankle - foot)
        else:
            chances[SHOES] += rest * 0.9
            chances[SOCKS] += rest * 0.05
            chances[LOWER] += rest * 0.05
    limbs = [part.outside for name, part in regions.parts.items() if name != "trunk"]
    far = np.minimum(np.min(limbs, axis=0), regions.parts["trunk"].outside + np.float32(0.06))
    # flesh does not stand off the bones, cloth and hair do
    chances[SKIN] *= np.exp(-np.maximum(far, 0) / np.float32(0.06))
    feet = [part.outside for name, part in regions.parts.items() if name.endswith("foot")]
    if feet:
        chances[SHOES] *= np.exp(-np.maximum(np.min(feet, axis=0), 0) / np.float32(0.06))
    chances[HAIR] += 0.1 * np.exp(-np.maximum(regions.parts["head"].outside, 0) / np.float32(0.2))
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
    seeds, worn, shades = _seeds(lab, inside, regions)
    colours = np.stack([_density(bins, seed) for seed in seeds])
    colours[SKIN] = 0.6 * colours[SKIN] + 0.4 * shades
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
            looks = Looks(np.where(kept, 0.5 * learnt + 0.5 * colours, looks.colours), worn, waist, sleeve, hem, 0)
    skirt = _flared(chances[LOWER], regions, inside)
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
    worn = np.median([one.worn for one in several], axis=0)
    return Looks(
        np.asarray(colours, np.float32),
        np.asarray(worn, np.float32),
        waist,
        sleeve,
        hem,
        float(np.median(skirts)) if skirts else float("nan"),
    )


def _step(value: Floats, width: float) -> Floats:
    """0 far below 0 and 1 far above it."""
    return np.asarray(0.5 + 0.5 * np.tanh(value / np.float32(width)), np.float32)


def _density(bins: npt.NDArray[np.int32], weight: Floats) -> Floats:
    counts = np.bincount(bins.ravel(), weight.ravel(), minlength=int(np.prod(_BINS))).reshape(_BINS)
    smooth = gaussian_filter(counts, (1.0, 0.8, 0.8), mode="constant").ravel()
    total = smooth.sum()
    share = smooth / total if total > 0 else np.full(smooth.size, 1 / smooth.size)
    return np.asarray((share + _FLOOR) / (1 + _FLOOR * smooth.size), np.float32)


def _seeds(lab: Floats, inside: npt.NDArray[np.bool_], regions: Regions) -> tuple[list[Floats], Floats, Floats]:
    """Pixels that show each material for sure or nearly so, how surely each is worn, and `_shades` of the skin."""
    parts, empty = regions.parts, np.zeros(inside.shape, bool)
    face = (regions.face > 0) & (regions.features == 0) & inside
    hands = empty.copy()
    for name in regions.hands_known:
        hands |= (parts[name].outside < 0) & inside
    if face.sum() + hands.sum() < 20:
        hands = _bare_limbs(lab, inside, regions)
    skin, mean, spread = _skin_seeds(lab, face, hands)
    distance = (((lab - mean) / spread) ** 2).sum(axis=-1)
    away = distance > MUCH_SKIN * 1.5
    hair = (parts["head"].outside < 0) & inside & (regions.face == 0) & (regions.chin_below < -0.3)
    known = skin.sum() > 20
    crown = hair & (regions.chin_below < -0.42)
    bald = bool(known and face.any() and crown.sum() > 20) and _lit_skin(lab[crown], lab[face], BALD)
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
    dressed, shod = (
        not known or not (_alike(lab[one], lab[skin]) > BARE or _lit_skin(lab[one], lab[skin], BARE_HUE))
        for one in (upper, shoes)
    )
    upper, lower = (
        _without_skin(one, away, regions.unit) if of else one for one, of in ((upper, dressed), (lower, known))
    )
    masks = [hair, skin, upper, lower, socks, shoes]
    worn = np.array([not bald, True, dressed, lower.any(), False, shoes.any() and shod], np.float32)
    ankles = int(socks.sum())
    if ankles > 12:
        of_lower = lab[lower].mean(axis=0) if lower.any() else np.full(3, -99.0)
        other = socks & away & (np.abs(lab - of_lower).sum(axis=-1) > 60)
        masks[SOCKS] = other
        worn[SOCKS] = float(np.clip(other.sum() / ankles * 2 - 0.8, 0, 1))
    return [mask.astype(np.float32) for mask in masks], worn, _shades(mean, spread)


def _shades(mean: Floats, spread: Floats) -> Floats:
    """(16384,) density of a skin's colours over the bins, in brighter light and in shadow than where it was seen."""
    lightness, red, yellow = np.meshgrid(*(np.arange(count) for count in _BINS), indexing="ij")
    centres = np.stack([lightness * 16 + 7.5, red * 4 + 65.5, yellow * 4 + 65.5], axis=-1).reshape(-1, 3)
    wide = np.maximum(spread, np.array([30, 5, 5], np.float32))
    density = np.exp(-0.5 * (((centres - mean) / wide) ** 2).sum(axis=1))
    return np.asarray(density / density.sum(), np.float32)


def _bare_limbs(lab: Floats, inside: npt.NDArray[np.bool_], regions: Regions) -> npt.NDArray[np.bool_]:
    """Forearms and shins of a colour that skin may have: what is known of it where neither face nor hands are seen."""
    usual, deviation = (np.array(values, np.float32) for values in _USUAL_SKIN)
    near = (((lab - usual) / deviation) ** 2).sum(axis=-1) < 2 * MUCH_SKIN
    limbs = np.zeros(inside.shape, bool)
    for name, part in regions.parts.items():
        if name.endswith(("arm", "leg")):
            limbs |= (part.outside < -0.02) & (part.along > 0.6) & (part.along < 0.9)
    limbs &= near & inside
    return limbs


def _without_skin(seeds: npt.NDArray[np.bool_], away: npt.NDArray[np.bool_], unit: float) -> npt.NDArray[np.bool_]:
    """Seeds of cloth without what a neckline or a hand before it shows, unless most of the cloth looks like skin.

    A pattern in a colour of skin stays: its pieces are small.
    """
    width = max(3, round(PATTERN * unit))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    large = cv2.morphologyEx((seeds & ~away).astype(np.uint8), cv2.MORPH_OPEN, disc)
    cloth: npt.NDArray[np.bool_] = seeds & (large == 0)
    return cloth if cloth.sum() > 0.5 * seeds.sum() else seeds


def _lit_skin(colours: Floats, skin: Floats, hue: float) -> bool:
    """Whether colours (N, 3) are a skin's (M, 3) in the same light or a brighter one, within `hue` of its own."""
    if min(len(colours), len(skin)) < 8:
        return False
    these, those = (np.median(one, axis=0) for one in (colours, skin))
    return bool(these[0] > those[0] and np.hypot(*(these - those)[1:]) < hue)


def _alike(first: Floats, second: Floats) -> float:
    """Bhattacharyya coefficient of two normal distributions of colours (N, 3): 1 where they are the same."""
    if min(len(first), len(second)) < 8:
        return 0.0
    means, spreads = zip(*((one.mean(axis=0), np.cov(one.T) + np.eye(3) * 4) for one in (first, second)), strict=True)
    between = (spreads[0] + spreads[1]) / 2
    apart = means[0] - means[1]
    distance = apart @ np.linalg.solve(between, apart) / 8
    distance += 0.5 * np.log(np.linalg.det(between) / np.sqrt(np.linalg.det(spreads[0]) * np.linalg.det(spreads[1])))
    return float(np.exp(-distance))


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


def _flared(lower: Floats, regions: Regions, inside: npt.NDArray[np.bool_]) -> float:
    """Share of the lower clothes that lies off trunk and legs, beside or between them; nan where no legs are seen."""
    legs = [regions.parts[name].outside for name in ("left leg", "right leg") if name in regions.parts]
    cloth = inside & (lower > 0.5)
    if not legs or cloth.sum() < 20:
        return float("nan")
    off = (np.min(legs, axis=0) > OFF_LEGS) & (regions.parts["trunk"].outside > OFF_LEGS / 2)
    return float((cloth & off).sum() / cloth.sum())
