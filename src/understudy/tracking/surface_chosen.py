"""Which surface maps a user chose: one word, a network, or maps that are there already."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from understudy.errors import UsageError

NETWORKS = (".pt", ".pth", ".ts", ".torchscript")
"""how names of TorchScript files end"""


class SurfaceChoice(NamedTuple):
    """What `surface` named.

    Attributes:
        kind: "auto", "network" or "maps".
        path: of the file or folder; None with "auto".
    """

    kind: str
    path: Path | None

    @property
    def name(self) -> str:
        """What a performance says its surface maps are of: "auto", "network" or "given"."""
        return "given" if self.kind == "maps" else self.kind


def surface_chosen(surface: str) -> SurfaceChoice:
    """Reads what a user typed, and looks whether it is there and can be used.

    Args:
        surface: "auto"; a DensePose network as TorchScript (FILE.pt or FILE.torchscript); a video, a folder of PNG
            files or, of a photograph, one PNG file of I, U and V.

    Raises:
        UsageError, MediaError: none of these.

    Example:
        >>> surface_chosen("auto").kind
        'auto'
    """
    if surface == "auto":
        return SurfaceChoice("auto", None)
    from understudy.media.reading import is_video

    path = Path(surface)
    give = "give auto, a TorchScript network (FILE.pt), or a video or a folder of PNG files of I, U and V"
    if not path.exists():
        raise UsageError(f"`surface` names {path}, which is not there: {give}")
    if path.suffix.lower() in NETWORKS and path.is_file():
        from understudy.tracking.surface_networks import surface_network

        surface_network(path)
        return SurfaceChoice("network", path)
    if path.is_dir():
        from understudy.tracking.parsing_files import maps_in_order

        maps_in_order(path, "surface maps")
    elif path.suffix.lower() != ".png" and not is_video(path):
        raise UsageError(f"`surface` names {path}, which is neither a network nor surface maps: {give}")
    return SurfaceChoice("maps", path)
