"""A row of lossless pictures in one file: written one by one, any of them read at once, in constant memory both ways.

A safetensors file of two arrays: `png`, the pictures as PNG files one behind the other, and `ends`, where each ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from understudy.base.tensor_stream import close_stream, map_tensor, open_stream
from understudy.errors import UnderstudyError
from understudy.media.images import decoded_image, encoded_image

UInt8Array = npt.NDArray[np.uint8]


class PictureStream:
    """Writes pictures. Not atomic: meant for a folder that appears as a whole.

    Example:
        with PictureStream(folder / "labels.safetensors") as stream:
            for labels in maps:
                stream.append(labels)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._stream = open_stream(path)
        self._ends: list[int] = []

    def __len__(self) -> int:
        return len(self._ends)

    def append(self, picture: UInt8Array) -> None:
        """Adds an (H, W) or (H, W, 3) uint8 picture."""
        data = encoded_image(self._path.with_suffix(".png"), picture)
        self._stream.write(data)
        self._ends.append(len(data) + (self._ends[-1] if self._ends else 0))

    def close(self) -> None:
        """Writes the header; without it the file is not readable, on purpose."""
        if self._stream.closed:
            return
        ends = np.array(self._ends, np.int64)
        self._stream.write(ends.tobytes())
        length = int(ends[-1]) if len(ends) else 0
        close_stream(self._stream, {"png": (np.uint8, (length,)), "ends": (np.int64, ends.shape)})

    def __enter__(self) -> PictureStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._stream.close()


class StoredPictures:
    """The pictures of a file of `PictureStream`, decoded when they are asked for.

    Raises:
        error: the file is missing, cut off, or no such file.
    """

    def __init__(self, path: str | os.PathLike[str], error: type[UnderstudyError] = UnderstudyError) -> None:
        self._path, self._error = Path(path), error
        self._png, self._ends = (map_tensor(path, name, error) for name in ("png", "ends"))
        ends, flat = self._ends, self._png.ndim == self._ends.ndim == 1
        kinds = self._png.dtype == np.uint8 and ends.dtype == np.int64
        if not (flat and kinds) or (np.diff(ends, prepend=0) <= 0).any() or ends[-1:].sum() != self._png.size:
            raise error(f"{path} does not say where its pictures end: it is damaged")

    def __len__(self) -> int:
        return len(self._ends)

    def read(self, start: int, stop: int) -> Iterator[UInt8Array]:
        """Pictures `start` up to `stop` (not included): (H, W) or (H, W, 3) RGB, as they were written.

        Raises:
            error: one of them is damaged.
        """
        for number in range(start, stop):
            begin = int(self._ends[number - 1]) if number else 0
            data = np.asarray(self._png[begin : int(self._ends[number])], np.uint8)
            try:
                yield decoded_image(data)
            except ValueError:
                raise self._error(f"picture {number} of {self._path} is damaged") from None
