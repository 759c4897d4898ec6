"""Painted textures of made-up people: cloth patterns, prints, seams and folds, shoes, skin and the face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.body import figure, head
from understudy.body.mesh import Chart, around

Colour = tuple[int, int, int]
Image = npt.NDArray[np.uint8]

PATTERNS = ("plain", "stripes", "pinstripes", "check", "dots", "block", "print", "number", "yoke")


@dataclass(frozen=True)
class Look:
    """Colours (RGB) and patterns of a person."""

    skin: Colour
    hair: Colour
    eyes: Colour
    lips: Colour
    beard: float
    top: Colour
    accent: Colour
    pattern: str
    bottom: Colour
    denim: bool
    stripe_on_leg: bool
    shoe: Colour
    sole: Colour
    print_seed: int


def paint(look: Look, shape: head.HeadShape, style: str, cut: figure.Cut, seed: int) -> Image:
    """The texture atlas (1024, 1024, 3) RGB uint8 of a person; charts as in `figure`."""
    stream = np.random.default_rng([seed, 0x7E87])
    atlas = np.full((figure.ATLAS_SIZE, figure.ATLAS_SIZE, 3), 128, np.float32)
    atlas[figure.HEAD.slices] = _head(look, shape, style, stream)
    atlas[figure.HAIR.slices] = _hair(look.hair, figure.HAIR, stream)
    for chart in (figure.SKIN, figure.ARM_SKIN, figure.LEG_SKIN):
        atlas[chart.slices] = _flat(look.skin, chart) * _mottle(chart, stream, 0.025, 12)
    torso = _cloth(look, figure.TORSO)
    _collar_and_hem(torso, look, cut)
    atlas[figure.TORSO.slices] = torso * _folds(figure.TORSO, stream, 0.10)
    for chart in (figure.LEFT_SLEEVE, figure.RIGHT_SLEEVE):
        sleeve = _sleeve(look, chart, cut)
        atlas[chart.slices] = sleeve * _folds(chart, stream, 0.12)
    for chart in (figure.PELVIS, figure.LEFT_LEG, figure.RIGHT_LEG, figure.SKIRT):
        atlas[chart.slices] = _bottom(look, chart, stream)
    atlas[figure.SHOE.slices] = _shoe(look)
    return np.clip(atlas, 0, 255).astype(np.uint8)


def _flat(colour: Colour, chart: Chart) -> npt.NDArray[np.float32]:
    return np.full((chart.height, chart.width, 3), colour, np.float32)


def _noise(chart: Chart, stream: np.random.Generator, cells_hw: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Smooth noise (H, W, 1) in about [-1, 1] that wraps round in u."""
    small = stream.normal(0, 0.6, cells_hw).astype(np.float32)
    small = np.concatenate([small[:, -2:], small, small[:, :2]], axis=1)
    wide = cv2.resize(
        small, (chart.width * (cells_hw[1] + 4) // cells_hw[1], chart.height), interpolation=cv2.INTER_CUBIC
    )
    skip = (wide.shape[1] - chart.width) // 2
    return np.asarray(wide[:, skip : skip + chart.width, None])


def _mottle(chart: Chart, stream: np.random.Generator, amount: float, cells: int) -> npt.NDArray[np.float32]:
    return np.asarray(1 + amount * _noise(chart, stream, (cells, cells)))


def _folds(chart: Chart, stream: np.random.Generator, amount: float) -> npt.NDArray[np.float32]:
    """Soft creases: a factor (H, W, 1) about 1."""
    wide = _noise(chart, stream, (9, 6))
    fine = _noise(chart, stream, (16, 22))
    return np.asarray(1 + amount * (np.tanh(1.5 * wide) * 0.55 + 0.45 * np.tanh(fine)))


def _grid(chart: Chart) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Column and row numbers (H, W)."""
    row, column = np.mgrid[: chart.height, : chart.width].astype(np.float32)
    return column, row


def _mix(under: npt.NDArray[np.float32], over: npt.ArrayLike, amount: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """`over` on `under` by `amount` (H, W) in [0, 1]."""
    amount = amount.astype(np.float32)[..., None]
    return np.asarray(under * (1 - amount) + np.asarray(over, np.float32) * amount)


def _band(value: npt.NDArray[np.float32], period: float, share: float) -> npt.NDArray[np.float32]:
    """Soft-edged stripes: 1 in `share` of every `period`, 0 elsewhere."""
    distance = np.abs((value / period) % 1.0 - 0.5) * period
    return np.asarray(np.clip(share * period / 2 - distance + 0.5, 0, 1))


def _cloth(look: Look, chart: Chart) -> npt.NDArray[np.float32]:
    """Trunk of the top with its pattern; u = 0.5 is the middle of the chest."""
    cloth = _flat(look.top, chart)
    column, row = _grid(chart)
    accent = look.accent
    if look.pattern == "stripes":
        return _mix(cloth, accent, _band(row, 42, 0.45))
    if look.pattern == "pinstripes":
        return _mix(cloth, accent, _band(column, chart.width / 20, 0.22))
    if look.pattern == "check":
        cloth = _mix(cloth, accent, 0.5 * _band(column, chart.width / 12, 0.45))
        return _mix(cloth, accent, 0.5 * _band(row, 42, 0.45))
    if look.pattern == "dots":
        shift = 18.3 * ((row // 36) % 2)
        distance = np.hypot((column + shift) % (chart.width / 14) - chart.width / 28, row % 36 - 18)
        return _mix(cloth, accent, np.clip(8.5 - distance, 0, 1))
    if look.pattern == "block":
        return _mix(cloth, accent, np.clip(row - 0.55 * chart.height, 0, 1))
    if look.pattern == "yoke":
        return _mix(cloth, accent, np.clip(0.36 * chart.height - row, 0, 1))
    if look.pattern in ("print", "number"):
        _chest_print(cloth, look, look.pattern)
    return cloth


def _chest_print(cloth: npt.NDArray[np.float32], look: Look, kind: str) -> None:
    """A figure on the chest and a number or bar on the back, drawn in place."""
    stream = np.random.default_rng([look.print_seed, 0x9217])
    height, width = cloth.shape[:2]
    centre, colour = (width // 2, int(0.33 * height)), tuple(float(c) for c in look.accent)
    if kind == "number":
        text = str(stream.integers(2, 99))
        for where, size in ((centre, 2.2), ((0, centre[1]), 3.0), ((width, centre[1]), 3.0)):
            (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, size, 8)
            place = (where[0] - wide // 2, where[1] + tall // 2)
            _print(cloth, text, place, size, colour, 9)
        return
    choice = stream.integers(4)
    if choice == 0:
        cv2.circle(cloth, centre, 40, colour, -1, cv2.LINE_AA)
        cv2.circle(cloth, centre, 22, tuple(float(c) for c in look.top), -1, cv2.LINE_AA)
    elif choice == 1:
        angle = np.arange(10) * np.pi / 5 - np.pi / 2
        radius = np.where(np.arange(10) % 2 == 0, 48, 20)
        star = np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], 1)
        cv2.fillPoly(cloth, [star.astype(np.int32)], colour, cv2.LINE_AA)
    elif choice == 2:
        for offset in (-26, 0, 26):
            cv2.line(
                cloth,
                (centre[0] - 44, centre[1] + offset),
                (centre[0] + 44, centre[1] + offset - 14),
                colour,
                10,
                cv2.LINE_AA,
            )
    else:
        cv2.rectangle(
            cloth, (centre[0] - 42, centre[1] - 26), (centre[0] + 42, centre[1] + 26), colour, -1, cv2.LINE_AA
        )
        text = "DANCE"[: stream.integers(3, 6)]
        _print(cloth, text, (centre[0] - 36, centre[1] + 10), 0.8, tuple(float(c) for c in look.top), 2)
    for side in (0, width):
        cv2.rectangle(cloth, (side - 40, centre[1] - 30), (side + 40, centre[1] - 14), colour, -1, cv2.LINE_AA)


def _print(
    cloth: npt.NDArray[np.float32], text: str, at: tuple[int, int], size: float, colour: tuple[float, ...], thick: int
) -> None:
    """Letters in place, as a stencil, since OpenCV 5 writes on bytes alone."""
    stencil = np.zeros(cloth.shape[:2], np.uint8)
    cv2.putText(stencil, text, at, cv2.FONT_HERSHEY_DUPLEX, size, (255,), thick, cv2.LINE_8)
    cloth[stencil > 0] = colour


def _collar_and_hem(torso: npt.NDArray[np.float32], look: Look, cut: figure.Cut) -> None:
    """Neck band and hem of the top, in place."""
    trim = np.array(look.accent if look.pattern != "plain" else [0.75 * c for c in look.top], np.float32)
    height = len(torso)
    torso[: int(0.03 * height)] = trim
    hem = int(figure.trunk_v(cut.hem) * (height - 3)) + 1
    torso[hem - 7 : hem - 5] *= 0.78
    torso[hem:] *= 0.9


def _sleeve(look: Look, chart: Chart, cut: figure.Cut) -> npt.NDArray[np.float32]:
    column, row = _grid(chart)
    colour = look.accent if look.pattern == "yoke" else look.top
    sleeve = _flat(colour, chart)
    if look.pattern == "stripes":
        sleeve = _mix(sleeve, look.accent, _band(row, 26, 0.45))
    elif look.pattern == "check":
        sleeve = _mix(sleeve, look.accent, 0.5 * _band(column, chart.width / 5, 0.45))
        sleeve = _mix(sleeve, look.accent, 0.5 * _band(row, 26, 0.45))
    elif look.pattern == "dots":
        distance = np.hypot(column % 32 - 16, row % 24 - 12)
        sleeve = _mix(sleeve, look.accent, np.clip(6.5 - distance, 0, 1))
    elif look.pattern == "pinstripes":
        sleeve = _mix(sleeve, look.accent, _band(column, chart.width / 8, 0.22))
    end = int((cut.sleeve + 0.14) / 1.14 * (chart.height - 3))
    if look.pattern in ("block", "number", "print") and cut.sleeve > 0.1:
        sleeve[max(end - 12, 0) :] = look.accent
    sleeve[max(end - 4, 0) : max(end - 2, 0)] *= 0.78
    return sleeve


def _bottom(look: Look, chart: Chart, stream: np.random.Generator) -> npt.NDArray[np.float32]:
    cloth = _flat(look.bottom, chart)
    column, row = _grid(chart)
    if look.denim:
        worn = np.exp(-(((column / chart.width - 0.5) / 0.16) ** 2))
        cloth = _mix(cloth, [min(255, c * 1.35 + 12) for c in look.bottom], 0.45 * worn)
        cloth = cloth * (1 + 0.035 * stream.normal(0, 1, (chart.height, chart.width, 1)).astype(np.float32))
    if look.stripe_on_leg and chart in (figure.LEFT_LEG, figure.RIGHT_LEG):
        outside = 0.75 if chart is figure.LEFT_LEG else 0.25
        cloth = _mix(cloth, look.accent, np.clip(0.035 * chart.width - np.abs(column - outside * chart.width), 0, 1))
    if chart in (figure.LEFT_LEG, figure.RIGHT_LEG):
        knee = np.exp(-(((row / chart.height - 0.52) / 0.05) ** 2)) * (1 + np.sin(row * 0.55 + column * 0.05)) / 2
        cloth = cloth * (1 - 0.13 * knee[..., None])
    if chart is figure.SKIRT and look.pattern in ("stripes", "check"):
        cloth = _mix(cloth, look.accent, 0.7 * np.clip(6 - np.abs(row - 0.9 * chart.height), 0, 1))
    if chart is figure.PELVIS:
        cloth[: int(0.12 * chart.height)] *= 0.8
        cloth = _mix(cloth, [0.7 * c for c in look.bottom], np.clip(1.5 - np.abs(column - chart.width / 2), 0, 1))
    return cloth * _folds(chart, stream, 0.10)


def _shoe(look: Look) -> npt.NDArray[np.float32]:
    """v runs from heel to toe, u from the sole over the right side and the top back to the sole."""
    chart = figure.SHOE
    shoe = _flat(look.shoe, chart)
    column, row = _grid(chart)
    from_top = np.abs(column / chart.width - 0.5)
    along = row / chart.height
    shoe = _mix(shoe, [0.82 * c for c in look.shoe], ((along > 0.83) | (along < 0.12)).astype(np.float32))
    laces = _band(row, 8, 0.5) * ((along > 0.42) & (along < 0.68) & (from_top < 0.09))
    shoe = _mix(shoe, look.sole, laces)
    shoe = _mix(shoe, [0.45 * c for c in look.shoe], ((along > 0.16) & (along < 0.34) & (from_top < 0.13)) * 0.8)
    swoosh = np.clip(3.5 - np.abs(row - 60 + 120 * (from_top - 0.2)), 0, 1) * ((from_top > 0.13) & (from_top < 0.26))
    shoe = _mix(shoe, look.sole, swoosh)
    return _mix(shoe, look.sole, np.clip((from_top - 0.29) * chart.width, 0, 1))


def _hair(colour: Colour, chart: Chart, stream: np.random.Generator) -> npt.NDArray[np.float32]:
    strands = stream.normal(0, 1, (4, chart.width, 1)).astype(np.float32)
    strands = cv2.resize(cv2.GaussianBlur(strands, (0, 0), 0.8), (chart.width, chart.height))[..., None]
    return np.asarray(_flat(colour, chart) * (1 + 0.16 * strands))


def _head(look: Look, shape: head.HeadShape, style: str, stream: np.random.Generator) -> npt.NDArray[np.float32]:
    """Face, scalp and neck-side skin; drawn at twice the size and shrunk, so that thin features stay smooth."""
    chart = figure.HEAD
    twice = Chart(0, 0, 2 * chart.width, 2 * chart.height)
    face = _flat(look.skin, twice) * _mottle(twice, stream, 0.02, 10)
    v, u = np.mgrid[: twice.height, : twice.width].astype(np.float32)
    t = 1 - v / twice.height * 1.03
    angle = np.interp(u[0] / twice.width, np.linspace(0, 1, 361), around(360, 0.55))
    x = np.sin(angle - np.pi)[None] * 0.31 + 0 * t
    front = (np.cos(angle - np.pi) > 0)[None]
    skin = np.array(look.skin, np.float32)

    def glow(cx: float, ct: float, sx: float, st: float) -> npt.NDArray[np.float32]:
        return np.asarray(np.exp(-(((np.abs(x) - cx) / sx) ** 2) - ((t - ct) / st) ** 2) * front, np.float32)

    face = _mix(face, skin * (1.0, 0.80, 0.78), 0.45 * glow(0.17, 0.33, 0.07, 0.07))
    face = _mix(face, skin * 0.78, 0.40 * glow(0.13, 0.535, 0.075, 0.030))
    face = _mix(face, np.minimum(skin * 1.10 + 6, 255), 0.6 * glow(0.0, 0.42, 0.022, 0.08))
    face = _mix(face, skin * 0.66, 0.7 * glow(0.0, 0.300, 0.060, 0.014) + 0.45 * glow(0.055, 0.335, 0.014, 0.03))
    face = _mix(face, skin * 0.78, 0.5 * glow(0.0, 0.135, 0.07, 0.018))
    if look.beard > 0:
        jaw = np.clip((0.30 - t + 0.35 * np.clip(np.abs(x) - 0.10, 0, 1)) / 0.05, 0, 1) * front
        lip = 1 - np.clip(1.6 * glow(0.0, 0.198, 0.10, 0.035), 0, 1)
        face = _mix(face, look.hair, np.clip(look.beard * jaw * lip, 0, 1))
        face = _mix(face, look.hair, np.clip(look.beard * 1.2 * glow(0.045, 0.265, 0.055, 0.018), 0, 1))
    _features(face, look, shape, twice)
    scalp = t > head.hairline(angle)[None] - 0.01
    if style != "bald":
        face = _mix(face, [0.8 * c for c in look.hair], cv2.GaussianBlur(scalp.astype(np.float32), (0, 0), 2.5))
    return np.asarray(cv2.resize(face, (chart.width, chart.height), interpolation=cv2.INTER_AREA))


def _features(face: npt.NDArray[np.float32], look: Look, shape: head.HeadShape, chart: Chart) -> None:
    """Eyes, brows, nostrils and mouth, in place."""

    def pixels(points: npt.ArrayLike) -> npt.NDArray[np.int32]:
        xt = np.asarray(points, np.float64).reshape(-1, 2)
        u = head.chart_u(head.face_angle(xt[:, 0], xt[:, 1])) * (chart.width - 3) + 1
        v = head.chart_v(xt[:, 1]) * (chart.height - 3) + 1
        return np.asarray(np.round(np.stack([u, v], axis=1) * 16), np.int32)

    def fill(points: npt.ArrayLike, colour: npt.ArrayLike) -> None:
        cv2.fillPoly(face, [pixels(points)], [float(c) for c in np.asarray(colour)], cv2.LINE_AA, 4)

    def stroke(points: npt.ArrayLike, colour: npt.ArrayLike, width: int) -> None:
        cv2.polylines(face, [pixels(points)], False, [float(c) for c in np.asarray(colour)], width, cv2.LINE_AA, 4)

    def disc(x: float, t: float, radius: float) -> npt.NDArray[np.float64]:
        turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        return np.stack([x + radius * np.cos(turn), t + radius * np.sin(turn)], axis=1)

    skin, dark = np.array(look.skin, float), np.array(look.hair, float) * 0.6
    for side in (-1.0, 1.0):
        outline = head.eye_outline(shape) * (side, 1)
        fill(outline, (240, 238, 232))
        middle = 0.136 * side
        top = 0.495 + 0.030 * shape.eyes
        fill(np.clip(disc(middle, 0.496, 0.027), (-9, 0.46), (9, top)), look.eyes)
        fill(disc(middle, 0.496, 0.013), (18, 14, 12))
        fill(disc(middle + 0.008, 0.505, 0.006), (250, 250, 250))
        stroke(outline[:4], np.minimum(dark, 60), 4)
        stroke(outline[[3, 4, 5, 0]], skin * 0.6, 2)
        stroke(outline[:4] + np.array([0, 0.022]), skin * 0.72, 2)
        brow = np.array(
            [(0.225, 0.570), (0.18, 0.602), (0.12, 0.606), (0.055, 0.585), (0.055, 0.568), (0.12, 0.585), (0.18, 0.585)]
        )
        fill(brow * (side, 1), 0.5 * skin * 0.4 + 0.6 * dark)
        fill(disc(0.032 * side, 0.312, 0.011), skin * 0.38)
    mouth = head.mouth_outline(shape)
    fill(mouth[:12], look.lips)
    fill(mouth[[0, 1, 2, 3, 4, 5, 6, 16, 15, 14, 13]], np.array(look.lips, float) * 0.85)
    stroke(mouth[12:17], np.array(look.lips, float) * 0.42, 3)
