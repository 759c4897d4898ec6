"""The newest API of ComfyUI's nodes, as far as the node pack uses it.

Follows comfy_api/latest/__init__.py of ComfyUI 0.3.75. There `execution` of `ComfyAPI` is declared and not made, so
that `ComfyAPI().execution` raises AttributeError; later versions make it. The class `ComfyAPI.Execution` is there in
both.
"""

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

from PIL import Image

from . import _io as io
from . import _ui as ui
from . import _video

__all__ = ["ComfyAPI", "ComfyExtension", "Input", "InputImpl", "Types", "io", "ui"]


class ComfyAPI:
    """What nodes can ask ComfyUI for."""

    execution: "ComfyAPI.Execution"

    class Execution:
        """Of the node that runs."""

        shown: list[tuple[float, float, str | None, Any]] = []
        """value, maximum, node, picture; for the tests alone"""

        async def set_progress(
            self,
            value: float,
            max_value: float,
            node_id: str | None = None,
            preview_image: Image.Image | None = None,
            ignore_size_limit: bool = False,
        ) -> None:
            """Moves a node's bar; must be awaited in ComfyUI's own event loop."""
            if node_id is None:
                raise ValueError("node_id must be provided if not in executing context")
            self.shown.append((value, max_value, node_id, preview_image))


class ComfyExtension(ABC):
    """What a folder of nodes gives."""

    @abstractmethod
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """Its nodes."""


class Input:
    """Types of what nodes are given."""

    Video: TypeAlias = _video.VideoInput


class InputImpl:
    """How these are made."""

    VideoFromFile: TypeAlias = _video.VideoFromFile
    VideoFromComponents: TypeAlias = _video.VideoFromComponents


class Types:
    """What they are made of."""

    VideoComponents: TypeAlias = _video.VideoComponents
