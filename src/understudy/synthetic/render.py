"""Films a made-up person: frames with exact poses, part labels, matte and flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.body.landmarks import landmark_anchors
from understudy.body.raster import Samples, interpolated, rasterise
from understudy.body.skeleton import Floats, blended, bone_transforms, forward_kinematics, lowest_sole, rest_positions
from understudy.body.surface_mesh import carried, drawn, surface_mesh
from understudy.poses.similarity import Similarity
from understudy.synthetic.landmarks import landmark_confidence
from understudy.synthetic.motion import Motion
from understudy.synthetic.people import Person
from understudy.synthetic.scene import Scene

_CHUNK = 128


@dataclass(frozen=True)
class Rendered:
    """One filmed frame with its truth.

    Attributes:
        frame: (H, W, 3) RGB uint8.
        xy: (133, 2) float32 pixels, COCO-WholeBody order; exact also where a point is hidden.
        confidence: (133,) float32: 1 seen; 0.4 a joint of body or feet hidden behind another limb or the trunk;
            0 outside the frame, and 0 for face and hand points that are hidden or turned away.
        parts: (H, W) uint8 label in `mesh.PARTS`; not 0 exactly where the matte is at least 128.
        labels: (H, W) uint8 label in `body.labels.LABELS`, 0 where `parts` is.
        matte: (H, W) uint8 share of the pixel that the person covers.
        flow: (H, W, 2) float32 backward flow in pixels: the surface seen at x lay at x + flow(x) in the frame
            before, also where something else hid it there. 0 outside the labelled person, and in the first frame.
    """

    frame: npt.NDArray[np.uint8]
    xy: Floats
    confidence: Floats
    parts: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    matte: npt.NDArray[np.uint8]
    flow: Floats


def render(person: Person, motion: Motion, scene: Scene) -> Iterator[Rendered]:
    """Films `person` doing `motion` in `scene`, frame by frame, in constant memory.

    The path is in leg lengths, so that it fits any person; the lowest sole is put on the floor (or where the motion
    says that it is in the air).

    Example:
        >>> from understudy.synthetic.motion import choreography
        >>> from understudy.synthetic.people import make_person
        >>> from understudy.synthetic.scene import make_scene
        >>> film = render(make_person(1), choreography(1, 0.1, 30), make_scene(1, (128, 96)))
        >>> next(film).frame.shape
        (128, 96, 3)
    """
    studio = _Studio(person, scene)
    rest = rest_positions(person.body)
    for start in range(0, len(motion), _CHUNK):
        part = motion[start : start + _CHUNK]
        world, position = _placed(person, part, rest)
        for turn, place in zip(world, position, strict=True):
            yield studio.film(turn, place)


def surfaces(person: Person, motion: Motion, scene: Scene) -> Iterator[npt.NDArray[np.uint8]]:
    """The exact surface maps of what `render` films: (H, W, 3), of the body beneath the clothes."""
    mesh, rest = surface_mesh(person.body, person.build), rest_positions(person.body)
    world, position = _placed(person, motion, rest)
    for turn, place in zip(world, position, strict=True):
        seen = scene.camera.project(carried(mesh, bone_transforms(turn, place, rest)))
        yield drawn(mesh, seen[:, :2], seen[:, 2], scene.size_hw)


def landmark_paths(person: Person, motion: Motion, scene: Scene) -> Floats:
    """(T, 133, 2) the points' exact places without drawing anything (as in `render`)."""
    anchors, rest = landmark_anchors(person.body, person.head), rest_positions(person.body)
    world, position = _placed(person, motion, rest)
    offset = np.einsum("tpab,pb->tpa", world[:, anchors.joints], anchors.points - rest[anchors.joints])
    return np.asarray(scene.camera.project(position[:, anchors.joints] + offset)[..., :2], np.float32)


def _placed(person: Person, motion: Motion, rest: Floats) -> tuple[Floats, Floats]:
    """World rotations and positions of the joints, as `forward_kinematics` has them, along the motion's path."""
    world, position = forward_kinematics(motion.rotations, motion.grip, rest)
    return world, position + _root_shift(person, motion, world, position)[:, None]


def _root_shift(person: Person, motion: Motion, world: Floats, position: Floats) -> Floats:
    """(T, 3) metres from the pelvis at its rest place to the path, feet on the floor."""
    shift = motion.path * person.body.leg
    shift[:, 1] -= lowest_sole(world, position, person.body)
    return np.asarray(shift, np.float32)


class _Studio:
    """What stays the same from frame to frame, and the vertices of the frame before."""

    def __init__(self, person: Person, scene: Scene) -> None:
        self.person, self.scene = person, scene
        mesh = person.mesh
        self.rest = rest_positions(person.body)
        self.homogeneous = np.concatenate([mesh.vertices, np.ones((len(mesh.vertices), 1), np.float32)], axis=1)
        self.before: Floats | None = None
        self.anchors = landmark_anchors(person.body, person.head)
        self.atlas = cv2.cvtColor(person.atlas, cv2.COLOR_RGB2RGBA)

    def film(self, world: Floats, position: Floats) -> Rendered:
        height, width = self.scene.size_hw
        mesh, camera = self.person.mesh, self.scene.camera
        bones = bone_transforms(world, position, self.rest)
        transforms = blended(mesh.weights, bones)
        vertices = np.einsum("vab,vb->va", transforms, self.homogeneous)
        normals = np.einsum("vab,vb->va", transforms[..., :3], mesh.normals)
        screen = camera.project(vertices)
        facing = _facing(screen, mesh.triangles)
        triangles = mesh.triangles[facing]
        corners = screen[triangles]
        # samples lie a quarter of a pixel from the pixel's centre: pixel x holds samples 2x and 2x + 1
        doubled = Similarity.resized(2).of_points(corners[..., :2])
        samples = rasterise(doubled, corners[..., 2], (2 * height, 2 * width))
        shaded = np.concatenate([mesh.uv, self._light(vertices, normals)], axis=1)[triangles]
        frame, matte = self._shadowed(vertices), np.zeros((height, width), np.uint8)
        self._draw(frame, matte, samples, doubled, shaded)
        seen = _at_pixels(samples, matte)
        parts, labels = (
            np.where(seen >= 0, numbers[facing][seen], 0).astype(np.uint8) for numbers in (mesh.parts, mesh.worn)
        )
        flow = np.zeros((height, width, 2), np.float32)
        if self.before is not None:
            _fill_flow(flow, seen, corners[..., :2], self.before[triangles])
        self.before = np.ascontiguousarray(screen[:, :2])
        points = camera.project(self.anchors.placed(bones))
        depth = _depth(seen, corners)
        confidence = landmark_confidence(self.anchors, points, self.anchors.turned(world), depth, camera)
        return Rendered(frame, points[:, :2].astype(np.float32), confidence, parts, labels, matte, flow)

    def _light(self, vertices: Floats, normals: Floats) -> Floats:
        """(V, 1) brightness: wrapped key light, hemisphere fill, a soft highlight on skin and hair, dark undersides."""
        scene, mesh = self.scene, self.person.mesh
        key = np.clip(normals @ scene.light * np.float32(0.8) + np.float32(0.2), 0, 1)
        sky = np.float32(0.5) * normals[:, 1] + np.float32(0.5)
        towards = scene.camera.position - vertices.mean(axis=0)
        half = scene.light + towards / np.linalg.norm(towards)
        shine = np.clip(normals @ (half / np.linalg.norm(half)).astype(np.float32), 0, 1) ** 12
        fill = np.float32(scene.fill) * (np.float32(0.72) + np.float32(0.28) * sky)
        return np.asarray(fill + np.float32(scene.key) * key + np.float32(0.16) * mesh.gloss * shine, np.float32)[
            :, None
        ]

    def _draw(
        self,
        frame: npt.NDArray[np.uint8],
        matte: npt.NDArray[np.uint8],
        samples: Samples,
        corners: Floats,
        shaded: Floats,
    ) -> None:
        """Puts the person into frame and matte: texture at every sample, filtered down to pixels, times the light."""
        if len(samples.places) == 0:
            return
        rows, columns = samples.rows_and_columns()
        maps = np.full((3, *samples.size_hw), -9.0, np.float32)  # off the atlas: transparent
        maps[2] = 0.0
        for flat, values in zip(
            maps.reshape(3, -1), interpolated(corners, shaded, samples.triangles, columns, rows), strict=True
        ):
            flat[samples.places] = values
        layer = cv2.remap(self.atlas, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        layer = cv2.GaussianBlur(layer, (3, 3), 0.6, borderType=cv2.BORDER_CONSTANT)
        light = cv2.GaussianBlur(maps[2], (3, 3), 0.6, borderType=cv2.BORDER_CONSTANT)
        half = (layer.shape[1] // 2, layer.shape[0] // 2)
        small, light = (cv2.resize(image, half, interpolation=cv2.INTER_AREA) for image in (layer, light))
        top, left, bottom, right = (edge // 2 for edge in samples.box)
        alpha = small[..., 3]
        matte[top:bottom, left:right] = alpha
        covered = alpha.astype(np.float32)
        # `small` is premultiplied and so is `light`: its mean over the covered samples is light / covered
        factor = (light * np.float32(255) / np.maximum(covered, 1))[..., None] * self.scene.tint
        window = frame[top:bottom, left:right]
        behind = window * (np.float32(1) - covered * np.float32(1 / 255))[..., None]
        window[:] = np.minimum(behind + small[..., :3] * factor + np.float32(0.5), np.float32(255))

    def _shadowed(self, vertices: Floats) -> npt.NDArray[np.uint8]:
        """The background with the person's soft shadow on the floor."""
        frame: npt.NDArray[np.uint8] = self.scene.background.copy()
        height, width = self.scene.size_hw
        shrink = max(1, height // 128)
        small = np.zeros((height // shrink + 1, width // shrink + 1), np.uint8)
        light = self.scene.light
        points = vertices[::3]
        fallen = points - light * (points[:, 1:2] / light[1])
        seen = np.round(self.scene.camera.project(fallen)[:, :2] / shrink).astype(np.int32)
        feet = points[points[:, 1] < 0.12] * np.array([1, 0, 1], np.float32)
        contact = np.round(self.scene.camera.project(feet)[:, :2] / shrink).astype(np.int32)
        inside = np.all((seen >= 0) & (seen < (small.shape[1], small.shape[0])), axis=1)
        small[seen[inside, 1], seen[inside, 0]] = 255
        small = cv2.dilate(small, np.ones((2, 3), np.uint8))
        small = cv2.GaussianBlur(small, (0, 0), 2.2) // 3
        if len(contact) > 2:
            dark = np.zeros_like(small)
            inside = np.all((contact >= 0) & (contact < (small.shape[1], small.shape[0])), axis=1)
            dark[contact[inside, 1], contact[inside, 0]] = 255
            small = cv2.add(small, cv2.GaussianBlur(dark, (0, 0), 0.9) // 2)
        rows = np.flatnonzero(small.max(axis=1) > 2)
        if len(rows) == 0:
            return frame
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        full = cv2.resize(
            small[top:bottom], (small.shape[1] * shrink, (bottom - top) * shrink), interpolation=cv2.INTER_LINEAR
        )
        window = frame[top * shrink : bottom * shrink]
        keep = (255 - full[: len(window), :width]).astype(np.uint16)[..., None]
        window[:] = (window * keep // 255).astype(np.uint8)
        return frame


def _facing(screen: Floats, triangles: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
    """Numbers of the triangles that look to the camera (image y runs down, so these turn clockwise there)."""
    a, b, c = (screen[triangles[:, corner], :2] for corner in range(3))
    first, second = b - a, c - a
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return np.flatnonzero(area < -1e-3)


def _at_pixels(samples: Samples, matte: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """(H, W) a triangle seen in each pixel that is mostly person, else -1."""
    seen = np.full(matte.shape, -1, np.int32)
    if len(samples.places) == 0:
        return seen
    at_samples = np.full(samples.size_hw, -1, np.int32)
    at_samples.reshape(-1)[samples.places] = samples.triangles
    quarters = [at_samples[row::2, column::2] for row in (0, 1) for column in (0, 1)]
    top, left, bottom, right = (edge // 2 for edge in samples.box)
    window = seen[top:bottom, left:right]
    for quarter in quarters:
        np.copyto(window, quarter, where=window < 0)
    window[matte[top:bottom, left:right] < 128] = -1
    return seen


def _fill_flow(flow: Floats, seen: npt.NDArray[np.int32], now: Floats, before: Floats) -> None:
    """Writes where each seen point of the surface lay in the frame before, less where it lies now."""
    places = np.flatnonzero(seen.reshape(-1) >= 0)
    triangles = seen.reshape(-1).take(places).astype(np.intp)
    rows, columns = np.divmod(places.astype(np.int32), np.int32(seen.shape[1]))
    moved = interpolated(now, before - now, triangles, columns.astype(np.float32), rows.astype(np.float32))
    for axis in (0, 1):
        flow.reshape(-1, 2)[places, axis] = moved[axis]


def _depth(seen: npt.NDArray[np.int32], corners: Floats) -> Floats:
    """(H, W) metres to the surface seen, infinite on the background."""
    depth = np.append(corners[..., 2].mean(axis=1), np.float32(np.inf))
    return np.asarray(depth[seen], np.float32)  # -1 picks the last
