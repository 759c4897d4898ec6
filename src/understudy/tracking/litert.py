"""Networks in .tflite files, run on the CPU by LiteRT (`ai-edge-litert`), the kept runtime of TensorFlow Lite."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from understudy.base.machine import cores

Floats = npt.NDArray[np.float32]

_NATIVE_LOG = re.compile(rb"[IWEF]\d{4} |[IWEF]0{4}|INFO: |WARNING: All log messages")


def sigmoid(logits: Floats) -> Floats:
    """Of a network's logits; by tanh, which overflows nowhere."""
    return np.asarray(0.5 + 0.5 * np.tanh(logits / 2), np.float32)


class Network:
    """One network, loaded once. Not for two threads at a time.

    Args:
        path: of the .tflite file.
        threads: of one call; None = `usual_threads()`.

    Raises:
        ValueError: the file is no network that LiteRT can run.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        with native_log_silenced():  # it tells of its delegate on file descriptor 2, and no setting keeps it from that
            from ai_edge_litert.interpreter import Interpreter

            # from memory: Windows' own build cannot open a path with letters beyond its code page
            self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=threads or usual_threads())
            self._interpreter.allocate_tensors()
        (given,) = self._interpreter.get_input_details()
        self._input = given["index"]
        made = self._interpreter.get_output_details()
        self._indices = [one["index"] for one in made]
        self.outputs = [tuple(int(length) for length in one["shape"]) for one in made]
        """their shapes, with a leading 1"""
        _, height, width, _ = given["shape"]
        self.size_wh = (int(width), int(height))
        """pixels of the picture that it takes"""

    def __call__(self, picture: Floats) -> list[Floats]:
        """(H, W, 3) RGB float32 of `size_wh`, in the range that this network wants; its outputs, float32, in order."""
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._indices]


def usual_threads() -> int:
    """Two, beside which a video is decoded: networks this small gain little from more. One where OpenMP is held to one.

    Others may run beside us then, as a test's workers do.
    """
    return 1 if os.environ.get("OMP_NUM_THREADS") == "1" else min(2, cores())


@contextmanager
def native_log_silenced() -> Iterator[None]:
    """Keeps LiteRT's C++ log lines from the user's terminal.

    They are written to file descriptor 2 before any logger can be set up. Whatever else arrives there while the block
    runs (a progress bar's line from another thread) is passed on at its end.
    """
    _flush()
    try:
        # Python has no stderr where file descriptor 2 was closed when it began: that number may be any file's since
        unseen = sys.__stderr__ is None or os.path.samestat(os.fstat(2), os.stat(os.devnull))
        terminal = None if unseen else os.dup(2)
    except OSError:
        terminal = None
    if terminal is None:  # there is nothing to keep clean, and where stderr leads nowhere perhaps no temporary file
        yield
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            caught.seek(0)
            os.write(2, b"".join(line for line in caught if not _NATIVE_LOG.match(line)))


def _flush() -> None:
    if sys.stderr is not None:  # Python has none where file descriptor 2 was closed
        sys.stderr.flush()
