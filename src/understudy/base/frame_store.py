"""Where a training's pictures lie: on the device, in the machine's memory, or in a file that is mapped into it.

A reference of 20 minutes at 512x512 is 28 GB. What fits stays on the device, as it does for a short clip; else batches
are brought there, out of memory or off the disk. The pictures are the same to the bit.
"""

from __future__ import annotations

import logging
import math
import mmap
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy.base.machine import available_bytes
from understudy.base.ranks import ranks_here
from understudy.errors import TrainingError

log = logging.getLogger(__name__)

GB = 10**9
SHARE = 0.5
"""of the memory that is free when a training begins, which pictures may take: the rest is for networks and others"""
LEFT_ON_DISK = 2 * GB
"""for checkpoints, previews and others"""
HELD_BYTES = 256 << 20
"""read from a map before its pages are given back: the system would do so too, but only when memory is short"""


class Rows:
    """Rows that lie elsewhere: those that are asked for are brought to the device.

    Args:
        values: (T, ...), in memory or mapped.
        device: where they are wanted.
        axes: order of a row's axes; None as they lie.
    """

    def __init__(self, values: npt.NDArray[Any], device: torch.device, axes: tuple[int, ...] | None = None) -> None:
        self._values, self._device, self._axes = values, device, axes
        self._map: mmap.mmap | None = getattr(values, "_mmap", None)
        self._read = 0

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, rows: Tensor | npt.NDArray[Any]) -> Tensor:
        """(B, ...) of (B,) numbers of rows."""
        wanted = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
        taken = np.asarray(self._values[wanted])
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._read += taken.nbytes
            if self._read > HELD_BYTES:
                self._map.madvise(mmap.MADV_DONTNEED)
                self._read = 0
        if self._axes is not None:
            taken = np.ascontiguousarray(taken.transpose(0, *(1 + axis for axis in self._axes)))
        return torch.from_numpy(taken).to(self._device)


class FrameStore:
    """Room for the pictures that one training learns from, taken in the order in which it asks.

    Args:
        folder: on whose disk what does not fit in memory lies, in files without a name: they are gone when nobody reads
            them any more, however this process ends.
        device: where pictures are wanted.
        memory_gb: 10^9 bytes, at most, of the machine's memory and of the device's each, for this process; None for
            half of what is free, shared with the other processes that train here.
    """

    def __init__(self, folder: Path, device: torch.device, memory_gb: float | None = None) -> None:
        self.folder, self.device = folder, device
        self._host = SHARE * available_bytes() / ranks_here() if memory_gb is None else memory_gb * GB
        self._on_device = self._host
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            self._on_device = min(SHARE * free, math.inf if memory_gb is None else memory_gb * GB)

    def keep(
        self, rows: Iterable[npt.NDArray[Any] | Tensor], shape: tuple[int, ...], dtype: torch.dtype, of: str
    ) -> Tensor | Rows:
        """All rows, each read once, in `shape` (T, ...); no second copy of them is made anywhere.

        Args:
            of: what they are, for what is said.

        Raises:
            TrainingError: they fit neither into memory nor on the disk.
        """
        size = math.prod(shape) * dtype.itemsize
        place = self._place(size, of)
        if place is None:
            return Rows(self._written(rows, shape, dtype, size, of), self.device)
        values = torch.empty(shape, dtype=dtype, device=place)
        for number, row in enumerate(rows):
            values[number] = torch.as_tensor(row)
        return values if place == self.device else Rows(values.numpy(), self.device)

    def keep_mapped(self, values: npt.NDArray[Any], axes: tuple[int, ...], of: str) -> Tensor | Rows:
        """What lies on the disk already, as a map: loaded if there is room, else read where it lies."""
        place = self._place(values.nbytes, of)
        if place is None:
            return Rows(values, self.device, axes)
        loaded = torch.from_numpy(np.ascontiguousarray(values.transpose(0, *(1 + axis for axis in axes))))
        return loaded.to(self.device) if place == self.device else Rows(loaded.numpy(), self.device)

    def _place(self, size: int, of: str) -> torch.device | None:
        """The device, or the machine's memory, or None for the disk; takes so much of it, and says what is unusual."""
        host = torch.device("cpu")
        if size <= self._on_device:
            self._on_device -= size
            return self.device
        if self.device.type == "cuda" and size <= self._host:
            self._host -= size
            log.info("%s: %s in the machine's memory, brought to the device batch by batch", of, _gb(size))
            return host
        left = self._host if self.device.type == "cuda" else self._on_device
        log.info(
            "%s: %s on the disk of %s, since there is room for %s in memory (`memory_gb` says for how much)",
            of, _gb(size), self.folder, _gb(left),
        )  # fmt: skip
        return None

    def _written(
        self,
        rows: Iterable[npt.NDArray[Any] | Tensor],
        shape: tuple[int, ...],
        dtype: torch.dtype,
        size: int,
        of: str,
    ) -> npt.NDArray[Any]:
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        mend = "make room, choose an `output` on another disk, give a larger `memory_gb`, or learn from a shorter part"
        if size + LEFT_ON_DISK > free:
            raise TrainingError(
                f"{of}: {_gb(size)} do not fit on the disk of {self.folder}, where {_gb(free)} are free "
                f"({_gb(LEFT_ON_DISK)} must stay so): {mend}"
            )
        kind = torch.empty(0, dtype=dtype).numpy().dtype
        with tempfile.TemporaryFile(dir=self.folder, prefix=".frames-") as file:
            try:
                for row in rows:
                    values = row.cpu().numpy() if isinstance(row, Tensor) else row
                    file.write(np.ascontiguousarray(values, kind).data)
                file.flush()
            except OSError as error:
                if error.filename is not None:  # of what is read, not of this file, which has no name
                    raise
                raise TrainingError(
                    f"{of}: cannot write {_gb(size)} to {self.folder} ({error.strerror}): {mend}"
                ) from None
            return np.memmap(file, kind, "r", shape=shape)


def on_device(device: torch.device) -> FrameStore:
    """Everything stays on the device, as far as that has room for it: nothing is written."""
    return FrameStore(Path(), device, math.inf)


def _gb(size: float) -> str:
    return f"{max(size, 0) / GB:.1f} GB" if size >= GB / 10 else f"{max(size, 0) / 1e6:.1f} MB"
