"""Nodes: poses to and from POSE_KEYPOINT, the kind of comfyui_controlnet_aux and of packs beside it.

It is a list with a dict for every frame: "people", each with "pose_keypoints_2d" (COCO-18), "face_keypoints_2d" and
"hand_left_keypoints_2d", "hand_right_keypoints_2d" (x, y, confidence after one another, or None), and "canvas_width"
and "canvas_height". Coordinates are pixels of the canvas, or shares of it: both are read, pixels are given.

Source: `encode_poses_as_dict` in src/custom_controlnet_aux/dwpose/__init__.py of Fannovel16/comfyui_controlnet_aux.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from comfy_api.latest import Input, io

from . import kinds, places, tracking, work

MOST_FRAMES = 100_000
"""of a list of poses: an hour at 28 frames a second"""
MOST_PIXELS = 8192
"""width and height of a canvas"""


class PosesToKeypoints(io.ComfyNode):
    """A performance to POSE_KEYPOINT."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UnderstudyPosesToKeypoints",
            display_name="Performance to POSE_KEYPOINT (understudy)",
            category=kinds.CATEGORY,
            description="The poses of a tracked person, as other packs draw, edit and save them. Feet are lost.",
            inputs=[
                kinds.Performance.Input("performance", tooltip="The tracked person."),
                io.Float.Input(
                    "fps",
                    default=0.0,
                    min=0.0,
                    max=240.0,
                    step=1.0,
                    tooltip="Frames a second, picked out of the performance's; 0: every frame.",
                ),
            ],
            outputs=[
                kinds.PoseKeypoint.Output(
                    "pose_keypoint", "pose_keypoint", tooltip="A dict of OpenPose's JSON for every frame."
                )
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    async def execute(cls, performance: Path, fps: float) -> io.NodeOutput:
        def do() -> io.NodeOutput:
            return io.NodeOutput(keypoints_of(performance, fps or None))

        return await work.worked(cls.hidden.unique_id, do)


class KeypointsToPerformance(io.ComfyNode):
    """POSE_KEYPOINT to a performance."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UnderstudyKeypointsToPerformance",
            display_name="POSE_KEYPOINT to performance (understudy)",
            category=kinds.CATEGORY,
            description="Poses that another pack found or edited become a performance: with their video one to learn "
            "from, without it motion for an actor to play.",
            inputs=[
                kinds.PoseKeypoint.Input("pose_keypoint", tooltip="Poses of a whole clip, one dict a frame."),
                io.Video.Input("video", optional=True, tooltip="The video that they belong to, with as many frames."),
                io.Float.Input(
                    "fps", default=25.0, min=1.0, max=240.0, step=1.0, tooltip="Frames a second, without a video."
                ),
                io.Int.Input("size", default=tracking.USUAL_SIZE, min=64, max=1024, step=8, tooltip="As of Track."),
                io.String.Input("name", default="", optional=True, tooltip="What to call the performance."),
            ],
            outputs=[
                kinds.Performance.Output("performance", "performance", tooltip="The person of these poses."),
                io.Image.Output("sheet", "sheet", tooltip="Moments of the clip, with skeletons."),
                io.String.Output("summary", "summary", tooltip="How many frames, found and missing."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    async def execute(
        cls, pose_keypoint: Any, fps: float, size: int, video: Input.Video | None = None, name: str = ""
    ) -> io.NodeOutput:
        def do() -> io.NodeOutput:
            return tracking.shown(performance_of(pose_keypoint, fps, size, video, name))

        return await work.worked(cls.hidden.unique_id, do)


def keypoints_of(performance: Path, fps: float | None = None) -> list[dict[str, Any]]:
    """The poses of a performance in pixels of its video, as POSE_KEYPOINT."""
    import understudy

    with places.passing() as folder:
        file = understudy.convert_poses(performance, folder / "poses.json", to="comfyui", fps=fps)
        frames: list[dict[str, Any]] = json.loads(Path(file).read_text(encoding="utf-8"))
    return frames


def performance_of(keypoints: Any, fps: float, size: int, video: Input.Video | None, name: str) -> Path:
    """The performance of these poses; of several people that of who fills most of the clip.

    Raises:
        UnderstudyError: no POSE_KEYPOINT, or it does not belong to the video; as `understudy.track`.
    """
    from understudy.errors import PoseError

    written = json.dumps(_frames(keypoints), default=_as_numbers)
    with places.passing() as folder:
        poses = folder / "poses.json"
        poses.write_text(written, encoding="utf-8")
        if video is not None:
            film, matte = places.file_of(video), "auto"
        else:
            film, matte = folder / "dark.mp4", "none"
            _write_dark(film, json.loads(written), fps)
        try:
            return tracking.tracked(film, name or "poses", poses=str(poses), matte=matte, size=size)
        except PoseError as error:  # a file that is gone by then would help nobody
            raise PoseError(str(error).replace(str(poses), "POSE_KEYPOINT")) from None


def _frames(keypoints: Any) -> list[Any]:
    """As a list of frames; what is in them `understudy` checks when it reads them."""
    from understudy.errors import PoseError

    frames = [keypoints] if isinstance(keypoints, dict) else keypoints
    if not isinstance(frames, list) or not frames or not all(isinstance(frame, dict) for frame in frames):
        raise PoseError("this is no POSE_KEYPOINT: a list with a dict of OpenPose's JSON for every frame")
    if len(frames) > MOST_FRAMES:
        raise PoseError(f"these are poses of {len(frames)} frames: give at most {MOST_FRAMES}")
    return frames


def _as_numbers(value: Any) -> Any:
    """Arrays and tensors, which some packs leave in their dicts."""
    from understudy.errors import PoseError

    if hasattr(value, "tolist"):
        return value.tolist()
    raise PoseError(f"POSE_KEYPOINT holds a {type(value).__name__}, which is no number")


def _write_dark(file: Path, frames: list[Any], fps: float) -> None:
    """A black video of the poses' canvas: motion alone has no picture."""
    import av
    import numpy as np

    from understudy.errors import PoseError

    width, height = (frames[0].get(key) for key in ("canvas_width", "canvas_height"))
    for side in (width, height):
        if not isinstance(side, (int, float)) or not 16 <= side <= MOST_PIXELS:
            raise PoseError(f"`canvas_width` and `canvas_height` must be from 16 to {MOST_PIXELS}, not {side!r}")
    black = np.zeros((int(height), int(width), 3), np.uint8)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264rgb", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = int(width), int(height), "rgb24"
        for _ in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(black, format="rgb24")))
        container.mux(stream.encode())
