"""Node: an actor plays a driver."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from comfy_api.latest import Input, InputImpl, io, ui
from comfy_execution.graph_utils import ExecutionBlocker

from . import kinds, pictures, places, tracking, work

if TYPE_CHECKING:
    from understudy.base.arguments import Label

GIVEN = ("video", "video and images", "video, images and mask")
"""what leaves the node, from what takes no memory to what takes most"""
USUAL_GIGABYTES = 4.0
DRIVERS_SIZE = 256
"""pixels of the square in which a VIDEO's person is tracked: enough for their motion"""

log = logging.getLogger(__name__)


class Perform(io.ComfyNode):
    """An actor and a driver to a video."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UnderstudyPerform",
            display_name="Perform (understudy)",
            category=kinds.CATEGORY,
            description="The actor performs the driver's motion, with the driver's sound. The video says that it was "
            "generated: a signed manifest, metadata and an invisible mark, which Save Video keeps.",
            inputs=[
                kinds.Actor.Input("actor", tooltip="Who performs."),
                kinds.Performance.Input("driving", optional=True, tooltip="Whose motion is performed."),
                io.Video.Input(
                    "driving_video",
                    optional=True,
                    tooltip="Instead of a performance: a video, which is tracked first.",
                ),
                io.String.Input(
                    "background",
                    default="reference",
                    tooltip="Behind the performer: reference (the room it was filmed in), driving (the driver's own "
                    "shot, in the driver's place), a colour (#202030), or the path of a picture or video.",
                ),
                io.Combo.Input(
                    "fit",
                    options=["placed", "whole"],
                    default="placed",
                    tooltip="placed: where the motion takes it. whole: so that all of it stays in the picture.",
                ),
                io.Combo.Input(
                    "normalization",
                    options=["as the actor does", "similarity", "ground", "ground-printed"],
                    default="as the actor does",
                    tooltip="How the driver is brought to the reference's place: one scale for the clip, or by the "
                    "feet in every frame.",
                ),
                io.Combo.Input(
                    "missing_limbs",
                    options=["stand", "crop", "fade"],
                    default="stand",
                    tooltip="What becomes of legs that the driver never shows.",
                ),
                io.Combo.Input(
                    "label",
                    options=["none", "corner"],
                    default="none",
                    tooltip='corner paints a small "AI" for people to see.',
                ),
                io.Combo.Input(
                    "give",
                    options=list(GIVEN),
                    default=GIVEN[1],
                    tooltip="What leaves the node. Images are all in memory at once: 25 MB for a frame of 1920x1080. "
                    "The mask plays everything once more, before nothing.",
                ),
                io.Float.Input(
                    "most_gigabytes",
                    default=USUAL_GIGABYTES,
                    min=0.1,
                    max=1024.0,
                    step=0.5,
                    tooltip="Images and mask that would take more memory are refused, before anything is played.",
                ),
            ],
            outputs=[
                io.Image.Output("images", "images", tooltip="The frames of the video."),
                io.Mask.Output("mask", "mask", tooltip="1 where the performer is."),
                io.Video.Output("video", "video", tooltip="With the driver's sound and rate, and the marks."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, background: str | None = None, **_: Any) -> Any:
        """Of a picture or video behind, whether it changed."""
        kept = background if background and _is_path(background) else ""
        return places.state_of(places.found_at(kept)) if kept else ""

    @classmethod
    async def execute(
        cls,
        actor: Path,
        background: str,
        fit: str,
        normalization: str,
        missing_limbs: str,
        label: Label,
        give: str,
        most_gigabytes: float,
        driving: Path | None = None,
        driving_video: Input.Video | None = None,
    ) -> io.NodeOutput:
        options = {
            "background": places.found_at(background) if _is_path(background) else background.strip(),
            "fit": fit,
            "normalization": None if normalization == "as the actor does" else normalization,
            "missing_limbs": missing_limbs,
            "device": work.device(),
        }

        def do() -> io.NodeOutput:
            return performed(actor, _driver(driving, driving_video), give, most_gigabytes, label, options)

        return await work.worked(cls.hidden.unique_id, do)


class MarkedVideo(InputImpl.VideoFromFile):
    """A video that says how it was made, as nodes hand it on.

    ComfyUI saves a video's streams in a new file, with the workflow in its metadata, and a manifest that is signed for
    all of a file does not survive that. This one is copied, byte by byte, if it is wanted as it is.

    Source: `VideoFromFile.save_to` in comfy_api/latest/_input_impl/video_types.py of ComfyUI 0.3.75.
    """

    def save_to(
        self, path: Any, format: Any = "auto", codec: Any = "auto", metadata: dict[str, Any] | None = None, **more: Any
    ) -> None:
        """Copies the file; another format or codec is made as ComfyUI does, and keeps the invisible mark alone."""
        lies = self.get_stream_source()
        asked = {getattr(word, "value", word) for word in (format, codec)}
        changes = {name: value for name, value in more.items() if value is not None}
        if asked <= {"auto", "mp4", "h264"} and not changes and isinstance(lies, str):
            _copied(Path(lies), path)
            return
        log.warning("saved anew, so that of the marks only the invisible one is left: save as auto or mp4 to keep all")
        super().save_to(path, format=format, codec=codec, metadata=metadata, **more)


def performed(
    actor: Path, driving: Path, give: str, most_gigabytes: float, label: Label, options: dict[str, Any]
) -> io.NodeOutput:
    """Plays, and gives what was asked for.

    Raises:
        UnderstudyError: as `understudy.perform`; `UsageError` for more frames than were allowed.
    """
    import understudy

    channels = {GIVEN[0]: 0, GIVEN[1]: 3, GIVEN[2]: 4}[give]
    _check_memory(actor, driving, options["background"] == "driving", channels, most_gigabytes)
    file = places.passing_folder() / "performance.mp4"
    understudy.perform(actor, driving, file, label=label, **options)
    images: Any = ExecutionBlocker("the images were not asked for: choose `give` of Perform")
    mask: Any = ExecutionBlocker("the mask was not asked for: choose `give` of Perform")
    if channels >= 3:
        images = pictures.images_of(file)
    if channels >= 4:
        mask = masked(actor, driving, images.shape[1:3], options)
    return io.NodeOutput(images, mask, MarkedVideo(str(file)), ui=ui.PreviewVideo([pictures.saved(file)]))


def masked(actor: Path, driving: Path, size_hw: tuple[int, int], options: dict[str, Any]) -> torch.Tensor:
    """(N, H, W) where the performer is: played once more, before nothing.

    Raises:
        UsageError: in the driver's own shot, or an actor that paints its room along.
    """
    import understudy
    from understudy.errors import UsageError

    if options["background"] == "driving":
        raise UsageError("there is no mask in the driver's own shot: choose another `background`, or no mask in `give`")
    with places.passing() as folder:
        pixels = understudy.perform(actor, driving, folder / "cut", **{**options, "background": "transparent"})
        return pictures.mask_of(Path(pixels), size_hw)


def _driver(driving: Path | None, video: Input.Video | None) -> Path:
    from understudy.errors import UsageError

    if driving is not None and video is None:
        return driving
    if driving is None and video is not None:
        return tracking.tracked(places.file_of(video), landmarks="wholebody", size=DRIVERS_SIZE)
    raise UsageError("connect whose motion is performed, as `driving` or as `driving_video`: one of the two")


def _check_memory(actor: Path, driving: Path, in_drivers_shot: bool, channels: int, most: float) -> None:
    import understudy
    from understudy.errors import UsageError

    if not channels:
        return
    header = understudy.Performance.load(driving).header
    size_hw = header.original_size_hw if in_drivers_shot else understudy.Actor.load(actor).original_size_hw
    needed = pictures.gigabytes_of(header.frames, size_hw, channels)
    if needed > most:
        raise UsageError(
            f"{header.frames} frames of {size_hw[1]}x{size_hw[0]} would take {needed:.1f} GB of memory, more than the "
            f"{most:g} of `most_gigabytes`: raise it, choose less in `give`, or track a shorter part of the driver"
        )


def _is_path(background: str) -> bool:
    """Whether a file is meant: it has a suffix, as no colour and no word has."""
    return bool(Path(background.strip()).suffix)


def _copied(file: Path, place: Any) -> None:
    """To a path, or into a stream."""
    if isinstance(place, (str, os.PathLike)):
        places.copied_whole(file, Path(place))
        return
    place.write(file.read_bytes())
