"""Long work in a thread of its own: how far it is on ComfyUI's bar, and an end when its user stops it.

ComfyUI runs a workflow in one thread, under `torch.inference_mode`, in which nothing can be trained; that mode is a
thread's own. A node that waits for another thread leaves ComfyUI's to other nodes.

`comfy.utils.ProgressBar` is not used, because its update raises when the user stops the workflow: in the middle of a
training step, whose run would lose all since its last checkpoint. `set_progress` only shows.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import comfy.model_management
from comfy_api.latest import ComfyAPI
from server import PromptServer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    from understudy.base.devices import Device
    from understudy.base.onlooker import Progress

Made = TypeVar("Made")

WAITING_SECONDS = 0.2
"""between two looks whether the user has stopped what waits for its turn"""

log = logging.getLogger(__name__)

_turn = threading.Lock()
"""understudy computes on all cores, and tells its progress to one onlooker in the process: one node after another"""


async def worked(node_id: str, do: Callable[[], Made]) -> Made:
    """What `do` returns, which is called in another thread.

    Args:
        node_id: whose bar is moved.

    Raises:
        UnderstudyError: as `do`; a single line.
        InterruptProcessingException: the user stopped the workflow; what ends by saving was saved.
    """
    stop = threading.Event()
    shown = Shown(node_id, asyncio.get_running_loop())
    try:
        return await asyncio.to_thread(_in_turn, do, stop, shown)
    except asyncio.CancelledError:  # another node ended the workflow
        stop.set()
        raise


def _in_turn(do: Callable[[], Made], stop: threading.Event, shown: Shown) -> Made:
    from understudy.base.onlooker import looked_on_by
    from understudy.base.stopping import stopped_when
    from understudy.errors import Interrupted

    def asked() -> bool:
        """Once it is true it stays so: ComfyUI takes the wish back as soon as anybody has followed it."""
        if comfy.model_management.processing_interrupted():
            stop.set()
        return stop.is_set()

    while not _turn.acquire(timeout=WAITING_SECONDS):
        if asked():
            raise comfy.model_management.InterruptProcessingException
    try:
        with looked_on_by(shown), stopped_when(asked):
            return do()
    except Interrupted:
        raise comfy.model_management.InterruptProcessingException from None
    finally:
        _turn.release()


class Shown:
    """What a node's user sees of its work; an `Onlooker`."""

    def __init__(self, node_id: str, loop: asyncio.AbstractEventLoop) -> None:
        self._node_id, self._loop = node_id, loop
        self._picture: Image | None = None

    def progress(self, progress: Progress) -> None:
        """Moves the bar, and says beside it what is done."""
        self._say(said(progress))
        if not self._loop.is_closed():  # nobody waits for it, and nobody needs it when the workflow is over
            moving = self._move(float(progress.done), float(progress.total or progress.done + 1))
            asyncio.run_coroutine_threadsafe(moving, self._loop).add_done_callback(_log_failure)

    def picture(self, picture: npt.NDArray[np.uint8]) -> None:
        """(H, W, 3) RGB: kept, and shown when the bar is moved next."""
        from PIL import Image

        self._picture = Image.fromarray(picture)

    async def _move(self, done: float, total: float) -> None:
        picture, self._picture = self._picture, None
        # not `ComfyAPI().execution`, which ComfyUI 0.3.75 declares and never makes
        await ComfyAPI.Execution().set_progress(done, total, node_id=self._node_id, preview_image=picture)

    def _say(self, text: str) -> None:
        PromptServer.instance.send_progress_text(text, self._node_id)


def _log_failure(moved: Future[None]) -> None:
    """What is only shown is no reason to end the work."""
    if not moved.cancelled() and (error := moved.exception()) is not None:
        log.warning("progress cannot be shown: %s", error)


def said(progress: Progress) -> str:
    """One line: what is done, how far it is, and how long it will take."""
    of = f"/{progress.total}" if progress.total else ""
    parts = [f"{progress.label}: {progress.done}{of} {progress.unit}", f"{progress.rate:.1f} {progress.unit}/s"]
    if progress.left is not None:
        parts.append(f"{timedelta(seconds=round(progress.left))} left")
    return ", ".join([*parts, *filter(None, [progress.note])])


def device() -> Device:
    """Where ComfyUI computes, in understudy's words; what it does not know is left to it."""
    known: dict[str, Device] = {"cpu": "cpu", "cuda": "cuda", "mps": "mps"}
    return known.get(comfy.model_management.get_torch_device().type, "auto")
