"""How views of people are varied while freestyle reenactment learns: turned, mirrored, squeezed, recoloured.

Body shape is not to be read off the pose (Gafni et al. 2021, section 3.1.1): label maps alone are squeezed and
stretched, the person's and the wanted one alike, while the pose stays. All chance comes from the generator given.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from understudy.body.labels import LABEL, LABELS, MIRRORED
from understudy.body.surface_mesh import CHART, CHARTS
from understudy.people.view import View
from understudy.poses.pose import EXCHANGED

Image = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float32]

_MIRRORED_LABELS = np.array(MIRRORED, np.uint8)
_HANDLESS = np.array([LABEL[name.replace("hand", "arm")] for name in LABELS], np.uint8)
_MIRRORED_CHARTS = np.array(
    [CHARTS.index(name.replace("left", "\0").replace("right", "left").replace("\0", "right")) for name in CHARTS],
    np.uint8,
)
_ACROSS = (CHART["front"], CHART["back"])
"""charts whose U runs from one side of the body to the other, not round a limb of one side"""


def mirrored(view: View) -> View:
    """The view in a mirror: whose left is now the right."""
    width = view.labels.shape[1]
    surface = view.surface[:, ::-1].copy()
    across = np.isin(surface[..., 0], _ACROSS)
    surface[..., 1] = np.where(across, 255 - surface[..., 1], surface[..., 1])
    surface[..., 0] = _MIRRORED_CHARTS[surface[..., 0]]
    xy = view.xy[list(EXCHANGED)] * np.array([-1, 1], np.float32) + np.array([width - 1, 0], np.float32)
    return View(
        frame=np.ascontiguousarray(view.frame[:, ::-1]),
        labels=mirrored_labels(view.labels),
        surface=surface,
        xy=xy,
        confidence=view.confidence[list(EXCHANGED)],
        others=np.ascontiguousarray(view.others[:, ::-1]),
        background=np.ascontiguousarray(view.background[:, ::-1]),
    )


def mirrored_labels(labels: Image) -> Image:
    """A label map in a mirror."""
    return np.asarray(_MIRRORED_LABELS[labels[:, ::-1]], np.uint8)


def without_hands(labels: Image) -> Image:
    """A label map in which hands are arms, as the data sets have it (Figures 5d and 6e)."""
    return _HANDLESS[labels]


def squeezed(labels: Image, share: float) -> Image:
    """A label map with the person's widths times `share`, about his own middle."""
    if not labels.any():
        return labels
    left, _, width, _ = cv2.boundingRect(labels)
    middle = left + (width - 1) / 2
    matrix = np.array([[share, 0, middle - share * middle], [0, 1, 0]], np.float32)
    size = (labels.shape[1], labels.shape[0])
    return np.asarray(cv2.warpAffine(labels, matrix, size, flags=cv2.INTER_NEAREST), np.uint8)


def turning(random: np.random.Generator, size_hw: tuple[int, int], degrees: float, zoom: float) -> Matrix:
    """A random rotation and scale about the picture's middle, (2, 3): `degrees` at most, scale 1/(1+zoom) to 1+zoom."""
    angle = np.deg2rad(random.uniform(-degrees, degrees))
    scale = (1 + zoom) ** random.uniform(-1, 1)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    x, y = (size_hw[1] - 1) / 2, (size_hw[0] - 1) / 2
    return np.array([[cosine, -sine, x - cosine * x + sine * y], [sine, cosine, y - sine * x - cosine * y]], np.float32)


def moved(picture: Image, matrix: Matrix, *, smooth: bool = False) -> Image:
    """A picture under a (2, 3) matrix; labels and surface maps are not smoothed, nothing lies beyond them."""
    flags = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    border = cv2.BORDER_REPLICATE if smooth else cv2.BORDER_CONSTANT
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=border), np.uint8)


def moved_points(xy: Matrix, matrix: Matrix) -> Matrix:
    """(133, 2) points under it."""
    return np.asarray(xy @ matrix[:, :2].T + matrix[:, 2], np.float32)


def recolouring(random: np.random.Generator, odds: float) -> Image:
    """A table (3, 256) of levels, one for each channel: the same light, or with `odds` any light and contrast."""
    levels = np.arange(256, dtype=np.float32) / 255
    if random.random() >= odds:
        return np.tile(np.arange(256, dtype=np.uint8), (3, 1))
    gain, gamma = random.uniform(0.6, 1.25, 3), 2 ** random.uniform(-0.7, 0.7, 3)
    table = np.clip(255 * gain[:, None] * levels ** gamma[:, None], 0, 255)
    return np.asarray(table, np.uint8)


def recoloured(picture: Image, table: Image) -> Image:
    """RGB, or premultiplied RGBA whose alpha stays (and bounds its colours), by a table of `recolouring`."""
    shown: Image = picture.copy()
    for channel in range(3):
        shown[..., channel] = table[channel][picture[..., channel]]
    if picture.shape[-1] == 4:
        shown[..., :3] = np.minimum(shown[..., :3], shown[..., 3:])
    return shown


def in_other_light(view: View, table: Image) -> View:
    """A view whose person and room are recoloured."""
    return replace(view, frame=recoloured(view.frame, table), background=recoloured(view.background, table))
