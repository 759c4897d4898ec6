"""Long work in a thread of its own: how far it is on ComfyUI's bar, and an end when its user stops it.

ComfyUI runs a workflow in one thread, under `torch.inference_mode`, in which nothing can be trained; that mode is a
thread's own. A node that waits for another thread leaves ComfyUI's to other nodes.

`comfy.utils.ProgressBar` is not used, because its update raises when the user stops the workflow: in the middle of a
training step, whose run would lose all since its last checkpoint. `set_progress` only shows.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import comfy.model_management
from comfy_api.latest import ComfyAPI
from server import PromptServer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    from understudy.base.onlooker import Progress

Made = TypeVar("Made")

WAITING_SECONDS = 0.2
"""between two looks whether the user has stopped what waits for its turn"""

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
        self._in_loop(self._move, float(progress.done), float(progress.total or progress.done + 1))

    def picture(self, picture: npt.NDArray[np.uint8]) -> None:
        """(H, W, 3) RGB: kept, and shown when the bar is moved next."""
        from PIL import Image

        self._picture = Image.fromarray(picture)

    async def _move(self, done: float, total: float) -> None:
        picture, self._picture = self._picture, None
        await ComfyAPI().execution.set_progress(done, total, node_id=self._node_id, preview_image=picture)

    def _say(self, text: str) -> None:
        PromptServer.instance.send_progress_text(text, self._node_id)

    def _in_loop(self, call: Callable[..., Any], *given: Any) -> None:
        """From another thread; nobody waits for it, and nobody needs it when the workflow is over."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(call(*given), self._loop)


def said(progress: Progress) -> str:
    """One line: what is done, how far it is, and how long it will take."""
    of = f"/{progress.total}" if progress.total else ""
    parts = [f"{progress.label}: {progress.done}{of} {progress.unit}", f"{progress.rate:.1f} {progress.unit}/s"]
    if progress.left is not None:
        parts.append(f"{timedelta(seconds=round(progress.left))} left")
    return ", ".join([*parts, *filter(None, [progress.note])])


def device() -> str:
    """Where ComfyUI computes, in understudy's words; what it does not know is left to it."""
    kind = comfy.model_management.get_torch_device().type
    return kind if kind in ("cpu", "cuda", "mps") else "auto"
