"""HTML pages that are one file: they open from disk and ask nothing of the network."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.files import atomic_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOT_WIDTH = 4.8
"""inches: at this width the lettering of a plot is still legible on a phone"""
MOST_COLUMNS = 600
"""of a plot over time: a longer video is shown by one value of each stretch"""


def render(template: str, **values: Any) -> str:
    """Fills a template of this package; every value is escaped, and a missing one is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("understudy.pictures"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def write_page(output: str | os.PathLike[str], page: str) -> None:
    """Writes the page, whole or not at all.

    Raises:
        UnderstudyError: the file cannot be written.
    """
    with atomic_file(output) as temporary:
        temporary.write_text(page, encoding="utf-8")


def file_uri(path: Path, kind: str) -> str:
    """A file as a data address; `kind` is its media type, such as "video/mp4"."""
    return _uri(path.read_bytes(), kind)


def picture_uri(picture: npt.NDArray[np.uint8], quality: int = 85, suffix: str = ".jpg") -> str:
    """(H, W, 3) RGB as the address of a JPEG (".jpg") or, smaller by a third and as widely known, a ".webp"."""
    setting = cv2.IMWRITE_WEBP_QUALITY if suffix == ".webp" else cv2.IMWRITE_JPEG_QUALITY
    encoded = cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [setting, quality])[1]
    return _uri(encoded.tobytes(), "image/webp" if suffix == ".webp" else "image/jpeg")


def plot_uri(figure: Figure) -> str:
    """A plot as the address of a PNG, sharp on a phone and on paper."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=220, bbox_inches="tight", pad_inches=0.03)
    return _uri(buffer.getvalue(), "image/png")


def plain(axes: Any) -> None:
    """Small figures at the axes, and no frame around the plot."""
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def stretches(frames: int) -> npt.NDArray[np.intp]:
    """First frame of each column of a plot over time."""
    columns = min(frames, MOST_COLUMNS)
    return (np.arange(columns) * frames) // columns


def _uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
