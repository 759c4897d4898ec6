"""A tracked clip on disk: person-centred frames, mattes, poses, flow, background, and where they came from.

A performance is a folder, usually called `something.performance`:

    performance.json     the header, written last, with the SHA-256 of every other file
    frames.mp4           (S, S) frames of one static crop around the person, every frame a key frame
    matte.mp4            (S, S) grey: 255 where the person is
    poses.safetensors    133 points per frame in working pixels, their confidence, and the status of every frame
    flow.safetensors     backward optical flow at a quarter of the working size, float16
    background.png       the room without the person, at the clip's own size

and, where they were asked for,

    labels.safetensors   (S, S) label maps, numbers of `body.labels.LABELS`, as PNG files
    surface.safetensors  (S, S, 3) surface maps: I of `body.surface_mesh.CHARTS`, U, V, as PNG files

Two pixel grids occur: the *original* one of the clip as it is displayed, and the *working* one of the S x S crop.
In both, whole numbers are pixel centres, and `working = scale * original + translation` (see `Crop`).
"""

from __future__ import annotations

from understudy.performance.header import (
    BACKGROUND_FILE,
    CONTENT_FILES,
    FLOW_FILE,
    FLOW_SHRINK,
    FOUND,
    FRAMES_FILE,
    HEADER_FILE,
    INTERPOLATED,
    LABELS_FILE,
    MATTE_FILE,
    MISSING,
    POSES_FILE,
    SURFACE_FILE,
    VERSION,
    Crop,
    Header,
)
from understudy.performance.reading import Clip, Performance, load_poses
from understudy.performance.writing import PerformanceWriter

__all__ = [
    "BACKGROUND_FILE",
    "CONTENT_FILES",
    "FLOW_FILE",
    "FLOW_SHRINK",
    "FOUND",
    "FRAMES_FILE",
    "HEADER_FILE",
    "INTERPOLATED",
    "LABELS_FILE",
    "MATTE_FILE",
    "MISSING",
    "POSES_FILE",
    "SURFACE_FILE",
    "VERSION",
    "Clip",
    "Crop",
    "Header",
    "Performance",
    "PerformanceWriter",
    "load_poses",
]
