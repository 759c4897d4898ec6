"""understudy in ComfyUI: film a person, train an actor of them, and let it perform any dance.

A folder for ComfyUI's `custom_nodes`; ComfyUI asks `comfy_entrypoint` what is in it. Nothing of understudy is imported
before a node is used.
"""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .acting import LoadActor, Train
from .covering import Coverage
from .performing import Perform
from .posing import KeypointsToPerformance, PosesToKeypoints
from .tracking import LoadPerformance, Track


class UnderstudyExtension(ComfyExtension):
    """What is in this folder."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The nodes, in the order of the work."""
        return [Track, LoadPerformance, Coverage, Train, LoadActor, Perform, PosesToKeypoints, KeypointsToPerformance]


async def comfy_entrypoint() -> UnderstudyExtension:
    """What ComfyUI calls when it has loaded this folder."""
    return UnderstudyExtension()
