"""Live pictures as a camera that other programs open, by pyvirtualcam."""

from __future__ import annotations

import importlib
from fractions import Fraction
from typing import Any

from understudy.errors import UsageError
from understudy.streaming.cameras import Image


class VirtualCamera:
    """One such camera.

    Args:
        size_hw: of the pictures.
        fps: told to whoever opens it.

    Raises:
        UsageError: pyvirtualcam is not installed, or there is no device for it.
    """

    from_the_start = True

    def __init__(self, size_hw: tuple[int, int], fps: Fraction) -> None:
        try:
            pyvirtualcam: Any = importlib.import_module("pyvirtualcam")
        except ImportError:
            raise UsageError("`virtual_camera` needs pyvirtualcam: `pip install 'understudy[live]'`") from None
        try:
            self._camera = pyvirtualcam.Camera(width=size_hw[1], height=size_hw[0], fps=float(fps))
        except RuntimeError as cause:
            reason = str(cause).strip().partition("\n")[0]
            raise UsageError(
                f"`virtual_camera=True`: no such device could be opened ({reason}): OBS Studio brings one for Windows "
                "and macOS, the kernel module v4l2loopback for Linux"
            ) from None
        self.name: str = self._camera.device

    def show(self, frame: Image, when: float) -> None:
        """See `Output.show`."""
        self._camera.send(frame)

    def close(self) -> None:
        self._camera.close()
