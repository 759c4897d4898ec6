"""What a node shows on ComfyUI's page.

Follows comfy_api/latest/_ui.py of ComfyUI 0.3.75.
"""

from typing import Any

from ._io import FolderType


class SavedResult(dict[str, str]):
    """A file, as the page asks the server for it."""

    def __init__(self, filename: str, subfolder: str, type: FolderType) -> None:
        super().__init__(filename=filename, subfolder=subfolder, type=type.value)


class PreviewVideo:
    """Videos that were saved."""

    def __init__(self, values: list[SavedResult]) -> None:
        self.values = values

    def as_dict(self) -> dict[str, Any]:
        """As it is sent."""
        return {"images": self.values, "animated": (True,)}


class PreviewText:
    """Text."""

    def __init__(self, value: str) -> None:
        self.value = value

    def as_dict(self) -> dict[str, Any]:
        """As it is sent."""
        return {"text": (self.value,)}
