"""Photographs as people have them: turned by their EXIF tag, in any common format, depth and colour space."""

from __future__ import annotations

import importlib
import logging
import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.errors import MediaError
from understudy.media.images import MAX_IMAGE_BYTES, check_size, composite

log = logging.getLogger(__name__)

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff"))
"""of photographs, in small letters; GIF is not among them: it is read as a video"""
GREY = (128, 128, 128)
"""what is seen where a picture is transparent: nobody is dressed in it from head to foot"""
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"heif")


def is_photograph(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is an existing still picture, by its first bytes, or where they say nothing by its name."""
    path = Path(path)
    if not path.is_file():
        return False
    try:
        with open(path, "rb") as stream:
            head = stream.read(16)
    except OSError:
        return path.suffix.lower() in SUFFIXES
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\x00", b"MM\x00*")):
        return path.suffix.lower() != ".apng"
    if head.startswith(b"RIFF"):
        return head[8:12] == b"WEBP"
    if head[4:8] == b"ftyp":
        return _is_heif(head) or head[8:12] == b"avif"
    return path.suffix.lower() in SUFFIXES


def read_photograph(path: str | os.PathLike[str]) -> npt.NDArray[np.uint8]:
    """A photograph as it is to be seen: (H, W, 3) RGB uint8 in sRGB.

    It is turned by its EXIF tag; an embedded colour profile (of phones, say) is converted; transparency is laid over
    grey; 16 bits, grey, palettes and CMYK are converted; of an animated one the first picture is taken, which is said.

    Raises:
        MediaError: missing, no picture, damaged or cut off, a side longer than 8192 pixels, or HEIC without the package
            pillow-heif.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    path = Path(path)
    try:
        if path.stat().st_size > MAX_IMAGE_BYTES:
            raise MediaError(f"{path} is larger than any picture of its size can be (512 MiB)")
        with open(path, "rb") as stream:
            head = stream.read(16)
    except OSError as error:
        raise MediaError(f"cannot read {path}: {error.strerror or error}") from None
    if _is_heif(head):
        _use_heif(path)
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # our own check names the size
    try:
        with Image.open(path) as picture:
            check_size(path, picture.height, picture.width)
            if getattr(picture, "n_frames", 1) > 1:
                log.warning("%s is animated: its first picture is taken", path.name)
                picture.seek(0)
            profile = picture.info.get("icc_profile")
            turned = ImageOps.exif_transpose(picture)
            return _to_rgb(turned, profile)
    except UnidentifiedImageError:
        raise MediaError(f"{path} is no picture of a kind that is read here, or it is damaged: convert it") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MediaError(f"{path} is damaged or cut off: it cannot be decoded ({reason})") from None
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _to_rgb(picture: Any, profile: bytes | None) -> npt.NDArray[np.uint8]:
    if picture.mode.startswith("I;16"):
        deep = np.asarray(picture.convert("I"), np.uint32)
        grey = ((deep + 128) // 257).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.mode in ("I", "F"):
        deep = np.asarray(picture, np.float64)
        scale = 257.0 if deep.max(initial=0) > 255 else 1.0
        grey = np.clip(deep / scale + 0.5, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    transparent = "A" in picture.getbands() or "transparency" in picture.info
    if transparent:
        colours = _in_srgb(picture.convert("RGBA"), profile)
        return composite(np.asarray(colours, np.uint8), GREY)
    return np.array(_in_srgb(picture, profile).convert("RGB"), np.uint8)


def _in_srgb(picture: Any, profile: bytes | None) -> Any:
    """The picture with its profile applied; as it is where it has none, or one that cannot be understood."""
    if profile:
        from PIL import ImageCms

        # such a profile is ignored by other programs too
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            mode = "RGBA" if picture.mode == "RGBA" else "RGB"
            given = ImageCms.ImageCmsProfile(BytesIO(profile))
            return ImageCms.profileToProfile(picture, given, ImageCms.createProfile("sRGB"), outputMode=mode)
    return picture


def _is_heif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF


def _use_heif(path: Path) -> None:
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        raise MediaError(
            f"{path} is HEIC, which needs a package of its own: pip install pillow-heif, or convert it to JPEG"
        ) from None
