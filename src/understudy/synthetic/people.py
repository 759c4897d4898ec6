"""Made-up people: a body, a face, hair and a wardrobe drawn from a seed."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.body.figure import Build, Cut, build_figure
from understudy.body.head import HAIR_STYLES, HeadShape
from understudy.body.mesh import Mesh
from understudy.body.skeleton import Body
from understudy.synthetic.wardrobe import PATTERNS, Colour, Look, paint

_SKINS: tuple[Colour, ...] = (
    *((238, 200, 176), (229, 184, 155), (216, 168, 134), (198, 145, 110)),
    *((168, 116, 82), (140, 92, 64), (112, 72, 50), (88, 56, 40)),
)
_HAIRS: tuple[Colour, ...] = (
    *((28, 22, 20), (48, 34, 26), (74, 48, 32), (110, 74, 44)),
    *((150, 110, 66), (196, 160, 104), (128, 60, 34), (130, 128, 126)),
)
_EYES: tuple[Colour, ...] = ((70, 44, 28), (92, 62, 36), (78, 104, 78), (84, 116, 148))
_BOTTOMS: tuple[Colour, ...] = (
    *((46, 62, 98), (62, 86, 128), (38, 40, 48), (60, 60, 66)),
    *((120, 104, 80), (86, 92, 66), (150, 140, 122), (96, 44, 52)),
)


@dataclass(frozen=True)
class Person:
    """Somebody made up: everything that `render` needs, whatever the motion.

    Attributes:
        seed: where the person comes from.
        body: bone lengths, metres.
        build, cut, look, hair: what is around the bones, how the clothes are cut, colours and patterns, hair style.
        head: shape of the head, for the face points.
        mesh: dressed figure in the rest pose, skinned to the skeleton.
        atlas: (1024, 1024, 3) RGB uint8 texture.
    """

    seed: int
    body: Body
    build: Build
    cut: Cut
    look: Look
    hair: str
    head: HeadShape
    mesh: Mesh
    atlas: npt.NDArray[np.uint8]


def make_person(seed: int) -> Person:
    """Makes up a person; the same seed gives the same person.

    Example:
        >>> make_person(3).body.height > 1.4
        True
    """
    stream = np.random.default_rng([seed, 0x9E0913])
    feminine = bool(stream.random() < 0.5)
    body, build = _body(stream, feminine), _build(stream, feminine)
    cut = _cut(stream, feminine)
    hair = _hair_style(stream, feminine)
    look = _look(stream, feminine)
    spread = np.clip(stream.normal(0, 1, 5), -1.5, 1.5)
    shape = HeadShape(
        width=float(1.0 + 0.035 * spread[0]),
        jaw=float((0.93 if feminine else 1.05) + 0.04 * spread[1]),
        nose=float((0.85 if feminine else 1.05) + 0.15 * spread[2]),
        eyes=float((1.22 if feminine else 1.08) + 0.08 * spread[3]),
        lips=float((1.15 if feminine else 0.9) + 0.15 * spread[4]),
    )
    mesh = build_figure(body, build, cut, shape, hair)
    return Person(seed, body, build, cut, look, hair, shape, mesh, paint(look, shape, hair, cut, seed))


def _body(stream: np.random.Generator, feminine: bool) -> Body:
    size = float(np.clip(stream.normal(0.98 if feminine else 1.025, 0.02), 0.93, 1.06))
    legs, arms, trunk = (float(factor) for factor in 1 + np.clip(stream.normal(0, 0.02, 3), -0.04, 0.04))
    average = Body()
    return Body(
        sole_to_ankle=average.sole_to_ankle * size,
        shin=average.shin * size * legs,
        thigh=average.thigh * size * legs,
        hip_half_width=average.hip_half_width * size * (1.05 if feminine else 1.0),
        torso=average.torso * size * trunk,
        neck=average.neck * size,
        head=average.head * (0.5 + 0.5 * size),
        shoulder_half_width=average.shoulder_half_width
        * size
        * float(stream.uniform(0.90, 0.96) + (0.0 if feminine else 0.10)),
        upper_arm=average.upper_arm * size * arms,
        forearm=average.forearm * size * arms,
        hand=average.hand * size,
        foot=average.foot * size,
    )


def _build(stream: np.random.Generator, feminine: bool) -> Build:
    weight = float(np.clip(stream.normal(0, 1), -1.2, 1.8))
    return Build(
        girth=1.0 + 0.07 * weight,
        waist=(0.86 if feminine else 0.98) + 0.05 * weight,
        hips=(1.04 if feminine else 0.97) + 0.03 * weight,
        muscle=float(stream.uniform(0.85, 0.95) if feminine else stream.uniform(0.98, 1.15)),
        bust=float(stream.uniform(0.012, 0.032)) if feminine else 0.0,
        belly=max(0.0, 0.022 * weight),
    )


def _cut(stream: np.random.Generator, feminine: bool) -> Cut:
    sleeve = float(stream.choice([0.0, 0.30, 0.30, 0.50, 1.0, 1.0] if feminine else [0.30, 0.30, 0.36, 1.0, 1.0]))
    hem = float(stream.choice([-0.06, 0.0, 0.14, 0.20] if feminine else [-0.08, -0.06, 0.02]))
    loose = float(stream.uniform(0.004, 0.010) if feminine else stream.uniform(0.007, 0.016))
    draw = stream.random()
    if feminine and draw < 0.38:
        length = float(stream.choice([0.38, 0.48, 0.78]))
        return Cut(sleeve, max(hem, 0.14), 0.0, 0.0, length, float(stream.uniform(0.05, 0.13)), loose)
    if draw < 0.58:
        return Cut(sleeve, hem, float(stream.uniform(0.38, 0.50)), float(stream.uniform(0.010, 0.024)), 0.0, 0.0, loose)
    return Cut(sleeve, hem, 1.0, float(stream.choice([0.003, 0.007, 0.012, 0.020])), 0.0, 0.0, loose)


def _hair_style(stream: np.random.Generator, feminine: bool) -> str:
    odds = (1, 0, 1, 2, 3, 3, 2, 0, 0) if feminine else (4, 2, 1.5, 0.2, 0.4, 0, 0.4, 1.2, 2)
    return str(stream.choice(HAIR_STYLES, p=np.array(odds) / sum(odds)))


def _vivid(stream: np.random.Generator) -> Colour:
    kind = stream.random()
    if kind < 0.22:
        return tuple(int(c) for c in np.clip(stream.choice([35, 90, 175, 232]) + stream.normal(0, 5, 3), 0, 255))  # type: ignore[return-value]
    rgb = colorsys.hsv_to_rgb(stream.random(), stream.uniform(0.45, 0.85), stream.uniform(0.40, 0.90))
    return tuple(int(255 * c) for c in rgb)  # type: ignore[return-value]


def _contrasting(stream: np.random.Generator, colour: Colour) -> Colour:
    """Another colour that can be told from `colour` at a distance."""
    while True:
        other = _vivid(stream)
        if sum(abs(a - b) for a, b in zip(colour, other, strict=True)) > 170:
            return other


def _look(stream: np.random.Generator, feminine: bool) -> Look:
    tone = int(stream.integers(len(_SKINS)))
    skin = _SKINS[tone]
    hair = _HAIRS[int(stream.integers(3 if tone > 3 else len(_HAIRS)))]
    top = _vivid(stream)
    accent = _contrasting(stream, top)
    bottom = _BOTTOMS[int(stream.integers(len(_BOTTOMS)))]
    if sum(abs(a - b) for a, b in zip(bottom, top, strict=True)) < 90:
        bottom = (44, 44, 52) if sum(top) > 260 else (150, 140, 122)
    rosy = (0.80, 0.52, 0.52) if feminine else (0.84, 0.66, 0.64)
    shoe = _vivid(stream)
    return Look(
        skin=skin,
        hair=hair,
        eyes=_EYES[int(stream.integers(2 if tone > 3 else len(_EYES)))],
        lips=tuple(int(c * f) for c, f in zip(skin, rosy, strict=True)),  # type: ignore[arg-type]
        beard=0.0 if feminine or stream.random() < 0.6 else float(stream.choice([0.25, 0.8])),
        top=top,
        accent=accent,
        pattern=str(stream.choice(PATTERNS)),
        bottom=bottom,
        denim=bottom[2] > bottom[0] + 20,
        stripe_on_leg=bool(stream.random() < 0.25),
        shoe=shoe,
        sole=(236, 234, 228) if sum(shoe) < 600 else (70, 70, 74),
        print_seed=int(stream.integers(1 << 30)),
    )
