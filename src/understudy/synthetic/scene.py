"""Scenes for made-up people: a perspective camera, light, and a painted room."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import UsageError
from understudy.poses.similarity import Similarity, edge_to_edge

Colour = tuple[float, float, float]
_STANDING = 1.68
"""Metres: the height for which cameras are set."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Attributes:
        position: (3,) metres, world axes as in `skeleton`.
        axes: (3, 3) rows: right, down, forward in world axes.
        focal: pixels.
        centre_xy: the principal point in pixels; pixel (0, 0) has its centre at (0, 0).
    """

    position: npt.NDArray[np.float32]
    axes: npt.NDArray[np.float32]
    focal: float
    centre_xy: tuple[float, float]

    def project(self, points: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """(..., 3) world points to (..., 3): x, y in pixels and depth in metres."""
        seen = (np.asarray(points, np.float32) - self.position) @ self.axes.T
        depth = np.maximum(seen[..., 2:], 0.05)
        xy = seen[..., :2] / depth * np.float32(self.focal) + np.asarray(self.centre_xy, np.float32)
        return np.concatenate([xy, depth], axis=-1)


@dataclass(frozen=True)
class Scene:
    """Where a made-up person is filmed.

    Attributes:
        size_hw: frame size in pixels.
        camera: shows a standing person with room for raised arms.
        background: (H, W, 3) RGB uint8, the room without the person.
        light: (3,) unit vector towards the main light.
        key, fill: strength of the main light and of the light from all round.
        tint: (3,) colour of the light, about 1.
    """

    size_hw: tuple[int, int]
    camera: Camera
    background: npt.NDArray[np.uint8]
    light: npt.NDArray[np.float32]
    key: float
    fill: float
    tint: npt.NDArray[np.float32]


def make_scene(seed: int, size_hw: tuple[int, int]) -> Scene:
    """Makes up a room and puts up a camera in it; the same seed gives the same scene.

    A standing person fills about 0.77 of the frame's height (less where the frame is narrower than
    that, so that outstretched arms fit), feet near the bottom, so that raised arms and hops stay in the picture.

    Args:
        seed: the scene.
        size_hw: frame size, at least 64 x 64.

    Raises:
        UsageError: a frame smaller than that.
    """
    height, width = size_hw
    if min(height, width) < 64:
        raise UsageError(f"a scene of {width}x{height} pixels is too small for a person: ask for at least 64x64")
    stream = np.random.default_rng([seed, 0x5CE4E])
    camera = _camera(stream, height, width)
    towards = np.array([stream.uniform(-0.7, 0.7), stream.uniform(0.9, 1.4), stream.uniform(0.6, 1.2)])
    warm = stream.uniform(-0.05, 0.06)
    tint = np.array([1 + warm, 1.0, 1 - warm], np.float32)
    key = float(stream.uniform(0.50, 0.68))
    background = _room(stream, camera, size_hw, tint)
    light = (towards / np.linalg.norm(towards)).astype(np.float32)
    return Scene(size_hw, camera, background, light, key, float(stream.uniform(0.50, 0.58)), tint)


def empty_scene(size_hw: tuple[int, int], colour: tuple[int, int, int]) -> Scene:
    """One colour all round, light from above and in front, and a camera there, far enough away for leaps and walks.

    A standing person fills about 0.55 of the frame's height; coming a step closer makes hardly any difference.
    """
    height, width = size_hw
    camera = _camera_at(8.0, 1.0, 0.0, 0.0, 0.55, size_hw)
    background = np.full((height, width, 3), colour, np.uint8)
    light = np.array([0.36, 0.80, 0.48], np.float32)
    return Scene(size_hw, camera, background, light, 0.68, 0.58, np.ones(3, np.float32))


def _camera(stream: np.random.Generator, height: int, width: int) -> Camera:
    distance, lens = stream.uniform(3.8, 5.2), stream.uniform(0.95, 1.25)
    round_, tilt = stream.uniform(-12, 12), stream.uniform(0.0, 3.0)
    return _camera_at(distance, lens, np.deg2rad(round_), np.deg2rad(tilt), 0.77, (height, width))


def _camera_at(
    distance: float, lens: float, round_: float, tilt: float, share: float, size_hw: tuple[int, int]
) -> Camera:
    """Metres from the performer and above the floor; radians to the performer's left, and downwards; of the height."""
    height, width = size_hw
    share = min(share, 0.97 * width / height)
    position = np.array([distance * np.sin(round_), lens, distance * np.cos(round_)])
    forward = np.array([-np.sin(round_) * np.cos(tilt), -np.sin(tilt), -np.cos(round_) * np.cos(tilt)])
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(forward, right), forward])
    focal = share * height * distance / _STANDING
    camera = Camera(position.astype(np.float32), axes.astype(np.float32), float(focal), ((width - 1) / 2, 0.0))
    feet = camera.project(np.zeros(3))[1]
    floor_at = height * (0.5 + 0.5 * share) - 0.01 * height if share < 0.7 else 0.935 * height
    return Camera(camera.position, camera.axes, camera.focal, (camera.centre_xy[0], float(floor_at - feet)))


class _Canvas:
    """A picture in the making, at twice the final size."""

    def __init__(self, camera: Camera, size_hw: tuple[int, int]) -> None:
        self.scale = 2
        self.size_hw = (size_hw[0] * 2, size_hw[1] * 2)
        self.camera = camera
        self.image = np.zeros((*self.size_hw, 3), np.float32)
        row, column = np.mgrid[: self.size_hw[0], : self.size_hw[1]].astype(np.float32)
        x = (edge_to_edge(column, shrink=2) - camera.centre_xy[0]) / camera.focal
        y = (edge_to_edge(row, shrink=2) - camera.centre_xy[1]) / camera.focal
        self.rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ camera.axes

    def meet(self, axis: int, at: float) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Where the rays of all pixels meet the plane world[axis] = at: points (H, W, 3), and whether in front."""
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = (at - self.camera.position[axis]) / self.rays[..., axis]
        ahead = (distance > 0.05) & (distance < 60)
        return self.camera.position + self.rays * np.where(ahead, distance, 1.0)[..., None], ahead

    def polygon(self, corners: npt.ArrayLike, colour: npt.ArrayLike) -> None:
        """Fills a flat polygon of world points that lies before the camera."""
        seen = self.camera.project(corners)
        pixels = np.round(Similarity.resized(2).of_points(seen[:, :2]) * 16).astype(np.int32)
        cv2.fillPoly(self.image, [pixels], [float(c) for c in np.asarray(colour)], cv2.LINE_AA, 4)

    def box(self, low: npt.ArrayLike, high: npt.ArrayLike, colour: npt.ArrayLike) -> None:
        """An upright box with shaded faces; only faces that look to the camera are drawn."""
        (x0, y0, z0), (x1, y1, z1) = np.asarray(low, float), np.asarray(high, float)
        base, eye = np.asarray(colour, np.float64), self.camera.position
        if eye[0] < x0:
            self.polygon([(x0, y0, z0), (x0, y0, z1), (x0, y1, z1), (x0, y1, z0)], base * 0.72)
        if eye[0] > x1:
            self.polygon([(x1, y0, z0), (x1, y0, z1), (x1, y1, z1), (x1, y1, z0)], base * 0.72)
        if eye[1] > y1:
            self.polygon([(x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)], base * 1.12)
        self.polygon([(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)], base * 0.92)

    def finished(self, tint: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        height, width = self.size_hw
        soft = cv2.GaussianBlur(self.image, (0, 0), 1.6)  # the room lies a little out of focus behind the person
        row, column = np.mgrid[:height, :width].astype(np.float32)
        vignette = 1 - 0.10 * ((column / width - 0.5) ** 2 + (row / height - 0.45) ** 2) * 4
        small = cv2.resize(soft * vignette[..., None] * tint, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        return np.asarray(np.clip(small, 0, 255).astype(np.uint8))


def _muted(stream: np.random.Generator, low: float, high: float, spread: float = 14) -> npt.NDArray[np.float64]:
    """A wall-like colour."""
    return np.clip(stream.uniform(low, high) + stream.normal(0, spread, 3), 20, 245)


def _room(
    stream: np.random.Generator, camera: Camera, size_hw: tuple[int, int], tint: npt.NDArray[np.float32]
) -> npt.NDArray[np.uint8]:
    canvas = _Canvas(camera, size_hw)
    back, side = -float(stream.uniform(1.1, 2.6)), float(stream.uniform(1.7, 3.2)) * float(stream.choice([-1, 1]))
    _floor(stream, canvas)
    _walls(stream, canvas, back, side)
    _furniture(stream, canvas, back, side)
    return canvas.finished(tint)


def _floor(stream: np.random.Generator, canvas: _Canvas) -> None:
    points, ahead = canvas.meet(1, 0.0)
    x, z = points[..., 0], points[..., 2]
    kind = int(stream.integers(4))
    base = _muted(stream, 95, 170, 12)
    if kind == 0:  # planks
        base = np.array([168.0, 124.0, 84.0]) * stream.uniform(0.65, 1.2)
        plank = np.floor(x / 0.14)
        shade = 1 + 0.10 * (np.modf(np.abs(np.sin(plank * 12.9898) * 43758.5))[0] - 0.5)
        grain = 1 + 0.02 * np.sin(z * 31 + plank * 17) * np.sin(x * 210)
        gap = np.abs(np.modf(np.abs(x / 0.14))[0] - 0.5) > 0.475
        value = shade * grain * np.where(gap, 0.8, 1.0)
    elif kind == 1:  # tiles
        tile = (np.floor(x / 0.45) + np.floor(z / 0.45)) % 2
        joint = (np.abs(np.modf(np.abs(x / 0.45))[0] - 0.5) > 0.485) | (
            np.abs(np.modf(np.abs(z / 0.45))[0] - 0.5) > 0.485
        )
        value = 1 - 0.07 * tile - 0.12 * joint
    elif kind == 2:  # carpet
        value = 1 + 0.03 * stream.normal(0, 1, x.shape)
    else:  # studio
        base = _muted(stream, 150, 215, 8)
        value = np.ones_like(x)
    fade = np.exp(-np.hypot(x, z + 0.3) * 0.10)
    colour = base * (value * (0.82 + 0.26 * fade))[..., None]
    canvas.image[ahead] = colour[ahead]


def _walls(stream: np.random.Generator, canvas: _Canvas, back: float, side: float) -> None:
    base = _muted(stream, 105, 225)
    points, ahead = canvas.meet(2, back)
    behind = ahead & (points[..., 1] > 0) & (points[..., 0] * np.sign(side) < abs(side))
    kind, x, y = int(stream.integers(4)), points[..., 0], points[..., 1]
    value = np.ones_like(x)
    if kind == 1:  # bricks
        course = np.floor(y / 0.085)
        along = x / 0.24 + 0.5 * (course % 2)
        mortar = (np.modf(np.abs(y / 0.085))[0] < 0.10) | (np.modf(np.abs(along + 40))[0] < 0.05)
        tone = np.modf(np.abs(np.sin(course * 7.13 + np.floor(along) * 3.77) * 4375.3))[0]
        value = np.where(mortar, 1.06, 0.90 + 0.10 * tone)
    elif kind == 2:  # panels
        value = 1 - 0.10 * (np.abs(np.modf(np.abs(x / 0.9))[0] - 0.5) > 0.49) - 0.08 * (y < 0.9)
    elif kind == 3:  # wide soft stripes
        value = 1 - 0.05 * (np.modf(np.abs(x / 0.5))[0] < 0.5)
    light = stream.uniform(-1.5, 1.5)
    glow = 0.80 + 0.28 * np.exp(-(((x - light) / 2.2) ** 2) - ((y - 1.9) / 1.6) ** 2)
    canvas.image[behind] = (base * (value * glow)[..., None])[behind]
    points, ahead = canvas.meet(0, side)
    beside = ahead & (points[..., 1] > 0) & (points[..., 2] > back)
    shade = 0.66 + 0.10 * np.exp(-((points[..., 2] - back) ** 2))
    canvas.image[beside] = (base * shade[..., None])[beside]
    far = -6.0 * np.sign(side)
    for low, high, factor in ((0.0, 0.10, 0.55), (0.085, 0.10, 0.75)):
        left, right = min(far, side), max(far, side)
        canvas.polygon([(left, low, back), (right, low, back), (right, high, back), (left, high, back)], base * factor)


def _furniture(stream: np.random.Generator, canvas: _Canvas, back: float, side: float) -> None:
    """Things on the wall and on the floor at its foot, left and right of the person."""
    on_wall = stream.choice(4, size=2, replace=False)
    for kind, middle in zip(on_wall, (-stream.uniform(0.6, 1.3), stream.uniform(0.6, 1.3)), strict=True):
        colour, z = _muted(stream, 60, 210, 40), back + 0.01
        if kind == 0:  # window
            canvas.box((middle - 0.5, 1.0, back), (middle + 0.5, 2.1, back + 0.03), (225, 222, 215))
            for column in (-0.46, 0.02):
                left = middle + column
                sky = [
                    (left, 1.04, z + 0.03),
                    (left + 0.44, 1.04, z + 0.03),
                    (left + 0.44, 2.06, z + 0.03),
                    (left, 2.06, z + 0.03),
                ]
                canvas.polygon(sky, (196, 214, 232))
        elif kind == 1:  # picture
            canvas.box((middle - 0.32, 1.25, back), (middle + 0.32, 1.75, back + 0.03), (70, 56, 44))
            canvas.box((middle - 0.28, 1.29, back), (middle + 0.28, 1.71, back + 0.035), colour)
            canvas.box((middle - 0.10, 1.29, back), (middle + 0.20, 1.50, back + 0.04), 255 - colour)
        elif kind == 2:  # shelf with books
            canvas.box((middle - 0.45, 1.28, back), (middle + 0.45, 1.32, back + 0.2), (120, 90, 62))
            left = middle - 0.42
            while left < middle + 0.36:
                wide, tall = stream.uniform(0.03, 0.07), stream.uniform(0.18, 0.28)
                canvas.box((left, 1.32, back), (left + wide, 1.32 + tall, back + 0.16), _muted(stream, 60, 200, 50))
                left += wide + 0.006
        else:  # door
            canvas.box((middle - 0.45, 0.0, back), (middle + 0.45, 2.05, back + 0.02), colour * 0.8)
            canvas.box((middle - 0.40, 0.0, back), (middle + 0.40, 2.0, back + 0.03), colour)
    for middle in (-stream.uniform(0.9, 1.6), stream.uniform(0.9, 1.6)):
        if middle * np.sign(side) > abs(side) - 0.5 or stream.random() < 0.25:
            continue
        kind, colour = int(stream.integers(3)), _muted(stream, 60, 190, 35)
        if kind == 0:  # chest of drawers
            canvas.box((middle - 0.4, 0, back), (middle + 0.4, 0.8, back + 0.42), colour)
            for drawer in (0.08, 0.32, 0.56):
                canvas.box((middle - 0.36, drawer, back), (middle + 0.36, drawer + 0.2, back + 0.425), colour * 1.1)
        elif kind == 1:  # plant
            canvas.box((middle - 0.15, 0, back + 0.1), (middle + 0.15, 0.32, back + 0.4), (168, 120, 92))
            for _ in range(26):
                tip = np.array([stream.normal(0, 0.26), stream.uniform(0.5, 1.25), stream.normal(0, 0.1)])
                foot = np.array([middle, 0.3, back + 0.25])
                across = np.array([0.035, 0.01, 0.0])
                green = np.array([58.0, 104.0, 52.0]) * stream.uniform(0.6, 1.3)
                bend = foot + tip * (0.55, 0.62, 0.5)
                canvas.polygon([foot, bend - across, foot + tip, bend + across], green)
        else:  # armchair
            canvas.box((middle - 0.42, 0.05, back), (middle + 0.42, 0.9, back + 0.25), colour * 0.9)
            canvas.box((middle - 0.42, 0.05, back + 0.2), (middle + 0.42, 0.42, back + 0.75), colour)
            for arm in (-0.42, 0.30):
                canvas.box((middle + arm, 0.05, back + 0.2), (middle + arm + 0.12, 0.6, back + 0.78), colour * 1.05)
