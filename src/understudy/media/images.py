"""Still pictures in and out of files, and the size that a picture's first bytes announce."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.files import atomic_file
from understudy.errors import MediaError

MAX_SIDE = 8192
"""pixels; a frame or picture with a longer side is refused before anything is decoded"""
MAX_IMAGE_BYTES = 512 * 1024 * 1024

JPEG_QUALITY = 95
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD = len(_PNG) + 25
"""bytes: the signature, and the chunk IHDR, which comes first"""
_JPEG = b"\xff\xd8\xff"
_GIF = b"GIF8"


def check_size(path: Path, height: int, width: int) -> None:
    """Refuses sizes that would fill the memory.

    Raises:
        MediaError: a side is zero or longer than 8192 pixels.
    """
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise MediaError(f"{path} has frames of {width}x{height} pixels; at most {MAX_SIDE}x{MAX_SIDE} are read")


def announced_size_hw(path: Path) -> tuple[int, int] | None:
    """(height, width) that a PNG, JPEG or GIF header announces; None for other files and damaged headers.

    Decodes nothing. Pillow's readers are called by themselves: its `Image.open` says of too large a picture only how
    many pixels it has.
    """
    with open(path, "rb") as stream:
        return _announced(stream)


def _announced(stream: BinaryIO) -> tuple[int, int] | None:
    head = stream.read(8)
    if not head.startswith((_PNG, _JPEG, _GIF)):
        return None
    if head.startswith(_GIF):  # Pillow would look at the first frame, too, and refuse a large one in its own way
        size = stream.read(2)
        return (int.from_bytes(size, "little"), int.from_bytes(head[6:8], "little")) if len(size) == 2 else None
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    kind = PngImageFile if head == _PNG else JpegImageFile
    stream.seek(0)
    try:
        picture = kind(stream)
    except (SyntaxError, ValueError):
        return None
    except OSError as error:
        if error.errno is not None:  # of reading; Pillow's own have none
            raise
        return None
    return picture.height, picture.width


def _chunks_fit(data: npt.NDArray[np.uint8]) -> bool:
    """Whether a PNG holds what its chunks announce, to the last one; True of other files.

    OpenCV makes room for a chunk before it looks whether so much is there: up to 2 GiB for a few bytes.
    """
    if data[:8].tobytes() != _PNG:
        return True
    at = len(_PNG)
    while at + 12 <= data.size:
        length, name = int.from_bytes(data[at : at + 4].tobytes(), "big"), data[at + 4 : at + 8].tobytes()
        at += length + 12
        if name == b"IEND":
            break
    return at <= data.size


def is_image(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is an existing PNG or JPEG file, by its name or by its first bytes."""
    path = Path(path)
    if not path.is_file():
        return False
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    with open(path, "rb") as stream:
        head = stream.read(8)
    return head.startswith((_PNG, _JPEG))


def composite(rgba: npt.NDArray[np.uint8], background: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """(H, W, 4) RGBA with straight alpha over a flat RGB colour: (H, W, 3) RGB uint8."""
    alpha = rgba[:, :, 3:].astype(np.uint16)
    mixed = rgba[:, :, :3] * alpha + np.array(background, np.uint16) * (255 - alpha) + 127
    return (mixed // 255).astype(np.uint8)


def at_side(picture: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """A picture (H, W, ...), usually a square, as a square (side, side, ...); itself if it is one of that side."""
    if picture.shape[:2] == (side, side):
        return picture
    way = cv2.INTER_AREA if side < len(picture) else cv2.INTER_CUBIC  # AREA repeats pixels there
    return np.asarray(cv2.resize(picture, (side, side), interpolation=way), np.uint8)


def read_image(
    path: str | os.PathLike[str], alpha_background: tuple[int, int, int] = (0, 0, 0)
) -> npt.NDArray[np.uint8]:
    """Reads a PNG or JPEG file as (H, W, 3) RGB uint8; EXIF rotation is applied, alpha is laid over a colour.

    Args:
        path: the file.
        alpha_background: RGB, 0-255, seen where the picture is transparent.

    Raises:
        MediaError: missing, not a PNG or JPEG, damaged, or a side longer than 8192 pixels.
    """
    path = Path(path)
    try:
        with open(path, "rb") as stream:
            head = stream.read(8)
        if not head.startswith((_PNG, _JPEG)):
            raise MediaError(f"{path} is not a PNG or JPEG picture: convert it to one of these")
        size_hw = announced_size_hw(path)
        if size_hw is None:
            raise MediaError(f"{path} is damaged or cut off: it cannot be decoded")
        check_size(path, *size_hw)
        if path.stat().st_size > MAX_IMAGE_BYTES:
            raise MediaError(f"{path} is larger than any picture of its size can be (512 MiB)")
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise MediaError(f"cannot read {path}: {error.strerror or error}") from None
    if not _chunks_fit(data):
        raise MediaError(f"{path} is damaged or cut off: it cannot be decoded")
    # OpenCV turns pictures by their EXIF tag only when it drops alpha, and only JPEGs carry that tag in practice.
    flags = cv2.IMREAD_UNCHANGED if head == _PNG else cv2.IMREAD_COLOR
    try:
        decoded: npt.NDArray[Any] | None = cv2.imdecode(data, flags)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise MediaError(f"{path} is damaged or cut off: it cannot be decoded")
    return _to_rgb(decoded, alpha_background)


def _to_rgb(decoded: npt.NDArray[Any], background: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    if decoded.dtype == np.uint16:
        decoded = ((decoded.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if decoded.ndim == 2:
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_GRAY2RGB), np.uint8)
    if decoded.shape[2] == 4:
        return composite(np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGBA), np.uint8), background)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def write_image(path: str | os.PathLike[str], image: npt.NDArray[np.uint8]) -> None:
    """Writes (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey uint8 as PNG (JPEG where the name ends so), atomically.

    Raises:
        MediaError: another suffix, dtype or shape.
        UnderstudyError: the folder cannot be written to.
    """
    path = Path(path)
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise MediaError(f"cannot write {path}: pictures are written as .png or .jpg")
    encoded = encoded_image(path, image)
    with atomic_file(path) as temporary:
        temporary.write_bytes(encoded)


def encoded_image(path: Path, image: npt.NDArray[np.uint8], quality: int = JPEG_QUALITY) -> bytes:
    """The bytes that `write_image` would write; `path` gives the format by its suffix and the name for errors."""
    channels = 1 if image.ndim == 2 else image.shape[-1]
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or channels not in (1, 3, 4) or not image.size:
        raise MediaError(
            f"cannot write {path}: a picture is uint8 of shape (H, W), (H, W, 3) or (H, W, 4), "
            f"not {image.dtype} of shape {image.shape}"
        )
    jpeg = path.suffix.lower() != ".png"
    if jpeg and channels == 4:
        raise MediaError(f"cannot write {path}: JPEG holds no transparency; use .png")
    if channels == 3:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)
    elif channels == 4:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA), np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if jpeg else [cv2.IMWRITE_PNG_COMPRESSION, 3]
    written, encoded = cv2.imencode(path.suffix.lower(), np.ascontiguousarray(image), options)
    if not written:
        raise MediaError(f"cannot write {path}: the picture could not be encoded")
    return bytes(encoded.tobytes())


def with_texts(png: bytes, texts: Mapping[str, str]) -> bytes:
    """The bytes of a PNG file with an iTXt chunk for each keyword (PNG, third edition, 11.3.3.4)."""
    chunks = b""
    for keyword, text in texts.items():
        data = keyword.encode() + b"\0\0\0\0\0" + text.encode()  # not compressed, no language or translated keyword
        chunks += struct.pack(">I", len(data)) + b"iTXt" + data + struct.pack(">I", zlib.crc32(b"iTXt" + data))
    return png[:_PNG_HEAD] + chunks + png[_PNG_HEAD:]


def image_array(
    image: npt.NDArray[np.uint8], suffix: str = ".png", quality: int = JPEG_QUALITY
) -> npt.NDArray[np.uint8]:
    """`encoded_image` as (N,) uint8, for pictures that are kept beside other arrays; see `decoded_image`."""
    return np.frombuffer(encoded_image(Path("picture" + suffix), image, quality), np.uint8)


def decoded_image(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What `image_array` made, as it was: (H, W), (H, W, 3) RGB or (H, W, 4) RGBA.

    Args:
        data: (N,) the bytes, of a PNG or JPEG.

    Raises:
        ValueError: they are damaged, or announce a side longer than 8192 pixels; nothing is decoded then.
    """
    size_hw = _announced(io.BytesIO(data.tobytes()))
    if size_hw is None or not 0 < min(size_hw) <= max(size_hw) <= MAX_SIDE or not _chunks_fit(data):
        raise ValueError("a picture is damaged or too large")
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        picture = None
    if picture is None or picture.dtype != np.uint8:
        raise ValueError("a picture is damaged")
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    return np.asarray(picture, np.uint8)
