"""The verb `live`: whoever stands before a camera is danced by an actor at once."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.base.arguments import Device, StrPath
from understudy.errors import ActorError, UsageError

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.compositing.backgrounds import Background
    from understudy.recipes.parts.player import Player
    from understudy.streaming.cameras import Camera
    from understudy.streaming.show import Output, Summary

PORT = 8765
"""where live pictures are to be seen if nothing else is said"""
LEAST_SIDE = 64

log = logging.getLogger(__name__)


def live(
    actor: Actor | StrPath,
    *,
    camera: int | None = None,
    driving: StrPath | None = None,
    loop: bool = False,
    output: StrPath | None = None,
    mjpeg: int | None = None,
    virtual_camera: bool = False,
    background: StrPath = "reference",
    mirror: bool = False,
    long_side: int = 960,
    calibration: float = 3.0,
    seconds: float | None = None,
    label: bool = True,
    marks: bool = True,
    device: Device = "auto",
) -> Summary:
    """An actor dances along with whoever stands before a camera, as it happens.

    The pictures are to be seen in a browser on this machine at http://127.0.0.1:8765/, which OBS and stage programs
    read, too, unless they go elsewhere. Whoever stands there is measured first: for three seconds all of the body must
    be seen. Where a picture takes too long, the camera's next ones are left out, so that nothing is ever late. Ctrl-C
    ends it.

    Actors of the default recipe can do that (their frames are chosen by what was, not along the whole dance), and those
    of performance cloning, pix2pix, Everybody Dance Now, CycleGAN of poses, Poses in the Wild with its room, and
    nearest neighbour.

    Args:
        actor: the actor, made by `train`.
        camera: number of the camera; 0, the first, if no video is given either.
        driving: a video in its place, shown at its own rate.
        loop: begin the video again when it ends.
        output: also record the performance: .mp4, .mov or .mkv, at up to 30 frames a second, marked as all files are. A
            picture stays until the next one comes.
        mjpeg: port of the page in the browser; left out, 8765, or none where the pictures go elsewhere; 0 takes any
            that is free.
        virtual_camera: be a camera that other programs open (needs pyvirtualcam and a device for it, see the docs).
        background: behind the performer: "reference", a colour, or a picture or video file.
        mirror: the performer moves like a mirror image; writing on clothes stays readable.
        long_side: pixels, at most, of the longer side of the pictures.
        calibration: seconds for which somebody is measured.
        seconds: end by itself after so many, of performance; left out, when the video ends or never.
        label: the small word "AI" in a corner, for people to see. `label=False` leaves it out.
        marks: of the recording, as for `perform`.
        device: where to compute; "auto" takes the fastest there is.

    Returns:
        How it went: frames a second, how long pictures were behind, how many of the camera's were left out.

    Raises:
        ActorError: the actor cannot be read, or its recipe cannot be live.
        MediaError: camera or video cannot be opened, or the camera stops.
        UsageError: arguments that contradict each other, a port that is taken, a device that is not there.

    Example:
        live("me.actor", driving="dance.mp4", loop=True, seconds=60)

    Shell:
        $ understudy live --actor me.actor
        $ understudy live --actor me.actor --driving dance.mp4 --loop --output recorded.mp4
    """
    from understudy.actor import Actor
    from understudy.compositing.backgrounds import Background
    from understudy.performing.label import label_for
    from understudy.streaming.show import Show, smaller
    from understudy.tracking.blazepose import BlazePoseTracker

    if camera is not None and driving is not None:
        raise UsageError("`camera` and `driving` are two ways to say what comes in: give one of them")
    if loop and driving is None:
        raise UsageError("`loop` goes with `driving`: a camera does not end")
    if long_side < LEAST_SIDE:
        raise UsageError(f"`long_side={long_side}`: at least {LEAST_SIDE} pixels are needed to see anybody")
    if not calibration >= 0 or (seconds is not None and not seconds > 0):
        raise UsageError("`calibration` is at least 0 and `seconds` above 0")
    behind = Background.of(background)
    if behind.transparent or behind.what == "driving":
        raise UsageError(
            f"`background={str(background)!r}` cannot be had live: use reference, a colour, or an image or video file"
        )
    if output is not None:
        from understudy.verbs.outputs import check_video_output

        check_video_output(Path(output), False, False, [driving, actor, background])
    whole = actor if isinstance(actor, Actor) else Actor.load(actor)
    behind.check_room(whole.paints_room)
    performer = smaller(whole, long_side)
    player = _prompt_player(performer, device)
    taken = _camera(camera, driving, loop)
    badge = label_for(performer.original_size_hw, []) if label else None
    with ExitStack() as stack:
        outputs = _outputs(stack, performer, behind, taken.fps, output, mjpeg, virtual_camera, marks)
        show = Show(
            performer,
            player,
            taken,
            BlazePoseTracker(),
            outputs,
            background=behind,
            label=badge,
            mirror=mirror,
            calibration=calibration,
        )
        return show.run(seconds)


def _prompt_player(actor: Actor, device: Device) -> Player:
    player = actor.prompt_player(device)
    if "frames" in player.needs:
        raise ActorError("this actor paints over the driver's own pictures and cannot be live: train one of poses")
    if player.latency is None:
        raise ActorError(
            f"an actor of {actor.recipe} plays a dance as a whole and cannot be live: make one of the default recipe "
            "with `preset='instant'`"
        )
    return player


def _camera(number: int | None, driving: StrPath | None, loop: bool) -> Camera:
    from understudy.streaming.cameras import FileCamera, Webcam

    return Webcam(number or 0) if driving is None else FileCamera(Path(driving), loop)


def _outputs(
    stack: ExitStack,
    actor: Actor,
    background: Background,
    fps: Fraction,
    output: StrPath | None,
    mjpeg: int | None,
    virtual_camera: bool,
    marks: bool,
) -> list[Output]:
    outputs: list[Output] = []
    if virtual_camera:
        from understudy.streaming.virtual_camera import VirtualCamera

        device = VirtualCamera(actor.original_size_hw, fps)
        stack.callback(device.close)
        log.info("the virtual camera is %s", device.name)
        outputs.append(device)
    if mjpeg is not None or not (outputs or output):
        from understudy.streaming.page import LivePage

        page = LivePage(PORT if mjpeg is None else mjpeg)
        stack.callback(page.close)
        log.info("live at %s (Ctrl-C ends it)", page.address)
        outputs.append(page)
    if output is not None:
        from understudy.marks.marking import Unmarked
        from understudy.media.writing import VideoWriter
        from understudy.performing.marked_video import marking_of, performer_of
        from understudy.streaming.recording import Recording

        marking = marking_of([performer_of(actor)], background.filmed) if marks else Unmarked()
        path = Path(output)
        recording = Recording(lambda rate: VideoWriter(path, rate, marking=marking), fps)
        outputs.append(stack.enter_context(recording))
    return outputs
