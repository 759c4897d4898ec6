"""Live pictures in a window of this screen, with keys; by OpenCV, if it was built with windows."""

from __future__ import annotations

import cv2

from understudy.errors import UsageError
from understudy.streaming.cameras import Image
from understudy.streaming.controls import KEYS, Controls

TITLE = "understudy live"
ENDS = {27, ord("q")}
"""Escape, and q"""


class Window:
    """A window, whose keys do what the controls' do; it is shown and closed by the thread that made it.

    Args:
        controls: what its keys press.

    Raises:
        UsageError: this OpenCV has no windows, or there is no screen.
    """

    from_the_start = True

    def __init__(self, controls: Controls) -> None:
        self.controls = controls
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error:
            raise UsageError(
                "`window=True`: OpenCV opens no window here: it needs a screen, and `opencv-python` in the place of "
                "`opencv-python-headless` (docs/installing.md); the page in the browser has the same keys"
            ) from None

    def show(self, frame: Image, when: float) -> None:
        """See `Output.show`."""
        cv2.imshow(TITLE, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        typed = cv2.waitKey(1) & 0xFF
        if typed in ENDS or cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            self.controls.ended = True
        elif typed < 128:
            self.controls.press(KEYS.get(chr(typed).lower(), ""))

    def close(self) -> None:
        cv2.destroyWindow(TITLE)
