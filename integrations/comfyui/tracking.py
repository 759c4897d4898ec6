"""Nodes: a person followed through a video, and one who was followed before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comfy_api.latest import Input, io

from . import kinds, pictures, places, work

LANDMARKS = ("wholebody", "body")
MATTES = ("auto", "green", "none")
ROTATIONS = ("0", "90", "180", "270")
USUAL_SIZE = 512
"""pixels of the tracked square: as many as the default recipe's `instant` and `preview` make"""


class Track(io.ComfyNode):
    """A video to a performance."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UnderstudyTrack",
            display_name="Track person (understudy)",
            category=kinds.CATEGORY,
            description="Finds the person in every frame of a video: joints, outline, motion and the empty room. What "
            "was tracked stays in output/understudy/performances and is not tracked again.",
            inputs=[
                io.Video.Input("video", optional=True, tooltip="The video, from Load Video or any other node."),
                io.String.Input(
                    "path",
                    default="",
                    optional=True,
                    tooltip="Instead of a video from a node: the path of a video or photograph, whole or from "
                    "ComfyUI's input or output folder on.",
                ),
                io.String.Input(
                    "name", default="", optional=True, tooltip="What to call the performance; empty: as its video."
                ),
                io.Combo.Input(
                    "landmarks",
                    options=list(LANDMARKS),
                    default=LANDMARKS[0],
                    tooltip="wholebody follows face and fingers too, at half the speed; the default recipe wants them.",
                ),
                io.Int.Input(
                    "size",
                    default=USUAL_SIZE,
                    min=64,
                    max=1024,
                    step=8,
                    tooltip="Pixels of the square that is cut out around the person. 512 for whose looks are learnt; "
                    "256 is enough for whose motion is played.",
                ),
                io.Combo.Input(
                    "matte",
                    options=list(MATTES),
                    default=MATTES[0],
                    tooltip="How the person is cut out: by a network, by a green or blue screen, or not at all.",
                ),
                io.Float.Input("start", default=0.0, min=0.0, step=0.1, tooltip="Seconds into the video."),
                io.Float.Input("end", default=0.0, min=0.0, step=0.1, tooltip="Seconds into the video; 0: to its end."),
                io.Combo.Input(
                    "rotate",
                    options=list(ROTATIONS),
                    default=ROTATIONS[0],
                    tooltip="Degrees clockwise by which the picture is turned first.",
                ),
                io.String.Input(
                    "region",
                    default="",
                    optional=True,
                    tooltip="Where the person is when there are several: left, top, width, height in pixels.",
                ),
            ],
            outputs=[
                kinds.Performance.Output("performance", "performance", tooltip="The tracked person."),
                io.Image.Output("sheet", "sheet", tooltip="Moments of the clip, with skeletons and outlines."),
                io.String.Output("summary", "summary", tooltip="How many frames, found, filled in and missing."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, path: str | None = None, **_: Any) -> Any:
        return places.state_of(places.found_at(path)) if path else ""

    @classmethod
    async def execute(
        cls,
        landmarks: str,
        size: int,
        matte: str,
        start: float,
        end: float,
        rotate: str,
        video: Input.Video | None = None,
        path: str = "",
        name: str = "",
        region: str = "",
    ) -> io.NodeOutput:
        options = {
            "landmarks": landmarks,
            "size": size,
            "matte": matte,
            "start": start or None,
            "end": end or None,
            "rotate": int(rotate),
            "region": _region(region),
        }

        def do() -> io.NodeOutput:
            return shown(tracked(film_of(video, path), name, **options))

        return await work.worked(cls.hidden.unique_id, do)


class LoadPerformance(io.ComfyNode):
    """A performance that lies on the disk."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UnderstudyLoadPerformance",
            display_name="Load performance (understudy)",
            category=kinds.CATEGORY,
            description="A person who was tracked before, also by the command line.",
            inputs=[
                io.Combo.Input(
                    "performance_name",
                    options=places.there("performances", ".performance"),
                    tooltip="Those in output/understudy/performances and in ComfyUI's input folder.",
                ),
                io.String.Input("path", default="", optional=True, tooltip="Instead of the list: its path."),
            ],
            outputs=[kinds.Performance.Output("performance", "performance", tooltip="The tracked person.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, performance_name: str | None = None, path: str | None = None) -> Any:
        return places.state_of(places.chosen("performances", performance_name, path))

    @classmethod
    async def execute(cls, performance_name: str, path: str = "") -> io.NodeOutput:
        def do() -> io.NodeOutput:
            import understudy

            return io.NodeOutput(
                understudy.Performance.load(places.chosen("performances", performance_name, path)).path
            )

        return await work.worked(cls.hidden.unique_id, do)


def film_of(video: Input.Video | None, path: str) -> Path:
    """The file of what was given as one or the other.

    Raises:
        UsageError: both, neither, or nothing is there.
    """
    from understudy.errors import UsageError

    if (video is None) == (not path.strip()):
        raise UsageError("connect a `video`, or give its `path`: one of the two")
    return places.found_at(path) if video is None else places.file_of(video)


def tracked(film: Path, name: str = "", **options: Any) -> Path:
    """The performance of a film, which is tracked if that was not done with the same options.

    Args:
        **options: those of `understudy.track`; a file of poses counts by what is in it.

    Raises:
        UnderstudyError: as `understudy.track`.
    """
    import understudy
    from understudy.base.files import sha256_of
    from understudy.tracking.cache import TRACKING_VERSION

    described = {**options, "poses": sha256_of(options["poses"])} if options.get("poses") else options
    facts = (sha256_of(film), described, TRACKING_VERSION)
    output = places.made("performances") / f"{places.new_name(name, film.stem, *facts)}.performance"
    if output.exists():
        try:
            return understudy.Performance.load(output).path
        except understudy.UnderstudyError:
            pass  # damaged: `track` replaces a performance, and nothing else
    return understudy.track(film, output, **options).path


def shown(performance: Path) -> io.NodeOutput:
    """A performance, and what is to be seen of it."""
    sheet, text = pictures.inspected(performance)
    return io.NodeOutput(
        performance, pictures.image_of(sheet), text, ui={"images": [pictures.saved(sheet)], "text": (text,)}
    )


def _region(typed: str) -> tuple[int, ...] | None:
    from understudy.errors import UsageError

    if not typed.strip():
        return None
    numbers = [part.strip() for part in typed.split(",")]
    if len(numbers) != 4 or not all(part.isdecimal() for part in numbers):
        raise UsageError(f"`region` {typed!r}: give left, top, width, height in pixels, for example 900,100,500,900")
    return tuple(int(part) for part in numbers)
