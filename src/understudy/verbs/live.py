"""The verb `live`: whoever stands before a camera, or is tracked elsewhere, is danced by an actor at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from understudy.base.arguments import Device, Mend, PosesFrom, StrPath, check_choice
from understudy.errors import ActorError, UsageError

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.poses.pose import Pose
    from understudy.recipes.parts.player import Player
    from understudy.streaming.cameras import Camera
    from understudy.streaming.controls import Controls
    from understudy.streaming.pose_stream import PoseStream
    from understudy.streaming.recording import Recording
    from understudy.streaming.show import Output, Show, Summary
    from understudy.tracking.detection import Tracker

PORT = 8765
"""where live pictures are to be seen if nothing else is said"""
OSC_PORTS = {"osc": 9000, "vmc": 39539}
"""where poses are waited for; the second is the protocol's usual one"""
WEBSOCKET_PORT = 8766
LEAST_SIDE = 64
READY_SECONDS = 20.0
"""of each actor, at most, before anything is shown"""

log = logging.getLogger(__name__)


def live(
    actor: Actor | StrPath | Sequence[Actor | StrPath],
    *,
    camera: int | None = None,
    driving: StrPath | None = None,
    loop: bool = False,
    poses: PosesFrom | None = None,
    osc: int | None = None,
    websocket: int | None = None,
    output: StrPath | None = None,
    mjpeg: int | None = None,
    window: bool = False,
    virtual_camera: bool = False,
    background: StrPath | Sequence[StrPath] = (),
    mirror: bool = False,
    hold_feet: bool = True,
    mend: Mend = "auto",
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

    Keys, in the window and on the page: a the next actor, b the next background, m mirror, f freeze, c measure anew.

    Actors of the default recipe can do that (their frames are chosen by what was, not along the whole dance), and those
    of performance cloning, pix2pix, Everybody Dance Now, CycleGAN of poses, Poses in the Wild with its room, and
    nearest neighbour.

    Args:
        actor: the actor, made by `train`; of several the first one begins, and a key goes to the next.
        camera: number of the camera; 0, the first, if nothing else is given.
        driving: a video in its place, shown at its own rate, or a performance, whose poses are known and cost nothing.
        loop: begin the video or the performance again when it ends.
        poses: what sends poses, in the place of a camera. osc: our own addresses; vmc: programs for virtual characters,
            by the VMC protocol; mediapipe: landmarks as JSON by a web socket. The docs say what is understood.
        osc: port for OSC on this machine, for poses and for keys; left out, 9000 for poses as osc, 39539 as vmc, or
            none; 0 takes any that is free.
        websocket: port of the web socket on this machine; left out, 8766; 0 takes any that is free.
        output: also record the performance: .mp4, .mov or .mkv, at up to 30 frames a second, marked as all files are. A
            picture stays until the next one comes. The sound of a video that is danced to goes along, once where it
            loops; a microphone's is not recorded.
        mjpeg: port of the page in the browser; left out, 8765, or none where the pictures go elsewhere; 0 takes any
            that is free.
        window: show a window with the pictures (needs a screen, and an OpenCV with windows, see the docs).
        virtual_camera: be a camera that other programs open (needs pyvirtualcam and a device for it, see the docs).
        background: behind the performer: "reference" (where nothing is said), a colour, or a picture or video file; of
            several the first one, and a key goes to the next.
        mirror: the performer moves like a mirror image; writing on clothes stays readable.
        hold_feet: a foot that stands stays where it landed. `hold_feet=False` shows feet as they were tracked.
        mend: of actors of the default recipe, whether their network mends what was warped. auto: if it takes 12 ms a
            frame at most, which is measured at the beginning; otherwise frames are quicker without it.
        long_side: pixels, at most, of the longer side of the pictures.
        calibration: seconds for which somebody is measured.
        seconds: end by itself after so many, of performance; left out, when the video ends or never.
        label: the small word "AI" in a corner, for people to see. `label=False` leaves it out.
        marks: of the recording, as for `perform`.
        device: where to compute; "auto" takes the fastest there is.

    Returns:
        How it went: frames a second, how long pictures were behind, how many of the camera's were left out.

    Raises:
        ActorError: an actor cannot be read, or its recipe cannot be live.
        MediaError: camera or video cannot be opened, or the camera stops.
        PerformanceError: the performance cannot be read.
        UsageError: arguments that contradict each other, a port that is taken, a device that is not there.

    Example:
        live("me.actor", driving="dance.mp4", loop=True, seconds=60)

    Shell:
        $ understudy live --actor me.actor
        $ understudy live --actor me.actor --driving dance.mp4 --loop --output recorded.mp4
        $ understudy live --actor me.actor --actor ben.actor --poses vmc
    """
    from understudy.actor import Actor
    from understudy.compositing.backgrounds import Background
    from understudy.performing.label import label_for
    from understudy.recipes.parts.player import ReadyBefore
    from understudy.streaming.controls import Controls
    from understudy.streaming.mending import settle_mending
    from understudy.streaming.show import Role, Show, smaller

    if poses is not None:
        check_choice("poses", poses, get_args(PosesFrom))
    check_choice("mend", mend, get_args(Mend))
    _check_inputs(camera, driving, loop, poses, websocket)
    if long_side < LEAST_SIDE:
        raise UsageError(f"`long_side={long_side}`: at least {LEAST_SIDE} pixels are needed to see anybody")
    if not calibration >= 0 or (seconds is not None and not seconds > 0):
        raise UsageError("`calibration` is at least 0 and `seconds` above 0")
    behind = _several(background) or ["reference"]
    rooms = [Background.of(each) for each in behind]
    for given, room in zip(behind, rooms, strict=True):
        if room.transparent or room.what == "driving":
            raise UsageError(
                f"`background={str(given)!r}` cannot be had live: use reference, a colour, or an image or video file"
            )
    actors = _several(actor)
    if not actors:
        raise UsageError("`actor` needs one at least")
    if output is not None:
        from understudy.base.files import scratch_folder
        from understudy.verbs.outputs import check_video_output

        check_video_output(Path(output), False, False, [driving, *actors, *behind])
        with scratch_folder(output):  # what cannot be written there would be told when somebody dances already
            pass
    wholes = [each if isinstance(each, Actor) else Actor.load(each) for each in actors]
    for whole in wholes:
        for room in rooms:
            room.check_room(whole.paints_room)
    performers = [smaller(whole, long_side) for whole in wholes]
    roles = [Role(performer, _prompt_player(performer, device)) for performer in performers]
    controls = Controls(len(roles), len(rooms), mirror)
    with ExitStack() as stack:
        taken, dance = _camera(stack, controls, camera, driving, loop, poses, osc, websocket)
        filmed = any(room.filmed for room in rooms)
        outputs = _screens(stack, performers[0], controls, taken.fps, output is None, mjpeg, window, virtual_camera)
        show = Show(
            roles,
            taken,
            _tracker() if poses is None and dance is None else None,
            outputs,
            backgrounds=rooms,
            label=label_for(performers[0].original_size_hw, []) if label else None,
            controls=controls,
            calibration=calibration,
            feet=hold_feet,
            dance=dance,
        )
        if output is not None:
            outputs.append(stack.enter_context(_recording(Path(output), show, performers, filmed, marks)))
        for role in roles:  # which takes long, so that all that can be wrong was said before
            if isinstance(role.player, ReadyBefore):
                role.player.make_ready(READY_SECONDS)
            settle_mending(role.player, mend)
        return show.run(seconds)


def _check_inputs(
    camera: int | None, driving: StrPath | None, loop: bool, poses: PosesFrom | None, websocket: int | None
) -> None:
    given = [
        f"`{name}`" for name, one in (("camera", camera), ("driving", driving), ("poses", poses)) if one is not None
    ]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are different ways to say what comes in: give one of them")
    if loop and driving is None:
        raise UsageError("`loop` goes with `driving`: nothing else ends")
    if websocket is not None and poses != "mediapipe":
        raise UsageError("`websocket` goes with `poses='mediapipe'`")


def _several(given: Any) -> list[Any]:
    """One thing, or a sequence of them, as a list."""
    return list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]


def _tracker() -> Tracker:
    from understudy.tracking.blazepose import BlazePoseTracker

    return BlazePoseTracker()


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


def _camera(
    stack: ExitStack,
    controls: Controls,
    number: int | None,
    driving: StrPath | None,
    loop: bool,
    poses: PosesFrom | None,
    osc: int | None,
    websocket: int | None,
) -> tuple[Camera, Pose | None]:
    """What comes in, and, where it is known, all of it."""
    if poses is not None:
        return _pose_stream(stack, controls, poses, osc, websocket), None
    if osc is not None:
        _listen(stack, controls, osc, None, None)
    if driving is not None and Path(driving).is_dir():
        from understudy.streaming.tracked import TrackedDance

        dance = TrackedDance(Path(driving), loop)
        return dance, dance.poses
    from understudy.streaming.cameras import FileCamera, Webcam

    return (Webcam(number or 0) if driving is None else FileCamera(Path(driving), loop)), None


def _pose_stream(
    stack: ExitStack, controls: Controls, poses: PosesFrom, osc: int | None, websocket: int | None
) -> Camera:
    from understudy.streaming.pose_stream import PoseStream

    stream = PoseStream()
    stack.callback(stream.close)
    if poses == "mediapipe":
        from understudy.streaming.landmarks import LandmarkSocket
        from understudy.streaming.ports import ADDRESS

        landmarks = LandmarkSocket(WEBSOCKET_PORT if websocket is None else websocket, stream.put)
        stack.callback(landmarks.close)
        log.info("landmarks are waited for at ws://%s:%d/", ADDRESS, landmarks.port)
        if osc is not None:
            _listen(stack, controls, osc, None, None)
    else:
        _listen(stack, controls, OSC_PORTS[poses] if osc is None else osc, poses, stream)
    return stream


def _listen(
    stack: ExitStack, controls: Controls, port: int, poses: PosesFrom | None, stream: PoseStream | None
) -> None:
    """Keys by OSC, and poses, if they come so."""
    from understudy.streaming.osc import Message, OscSocket
    from understudy.streaming.osc_poses import OscPoses
    from understudy.streaming.ports import ADDRESS
    from understudy.streaming.vmc import VmcPoses

    own = OscPoses(stream.put if stream is not None and poses == "osc" else None, controls)
    bones = VmcPoses(stream.put) if stream is not None and poses == "vmc" else None

    def receive(messages: list[Message]) -> None:
        own(messages)
        if bones is not None:
            bones(messages)

    listening = OscSocket(port, receive)
    stack.callback(listening.close)
    log.info("%s by OSC at %s, UDP port %d", "poses and keys" if stream else "keys", ADDRESS, listening.port)


def _screens(
    stack: ExitStack,
    actor: Actor,
    controls: Controls,
    fps: Fraction,
    needed: bool,
    mjpeg: int | None,
    window: bool,
    virtual_camera: bool,
) -> list[Output]:
    """Where pictures are to be seen: what was asked for, and the page if nothing was and one is `needed`."""
    outputs: list[Output] = []
    if virtual_camera:
        from understudy.streaming.virtual_camera import VirtualCamera

        device = VirtualCamera(actor.original_size_hw, fps)
        stack.callback(device.close)
        log.info("the virtual camera is %s", device.name)
        outputs.append(device)
    if window:
        from understudy.streaming.window import Window

        shown = Window(controls)
        stack.callback(shown.close)
        outputs.append(shown)
    if mjpeg is not None or (needed and not outputs):
        from understudy.streaming.page import LivePage

        page = LivePage(PORT if mjpeg is None else mjpeg, controls)
        stack.callback(page.close)
        log.info("live at %s (Ctrl-C ends it)", page.address)
        outputs.append(page)
    return outputs


def _recording(path: Path, show: Show, actors: Sequence[Actor], filmed: bool, marks: bool) -> Recording:
    """The performance as a file, with the sound of the video that is danced to."""
    from understudy.marks.marking import Unmarked
    from understudy.media.writing import VideoWriter
    from understudy.performing.marked_video import marking_of, performer_of
    from understudy.streaming.cameras import WithSound
    from understudy.streaming.recording import Recording

    marking = marking_of([performer_of(actor) for actor in actors], filmed) if marks else Unmarked()

    def writer(rate: Fraction) -> VideoWriter:
        if not isinstance(show.camera, WithSound):
            return VideoWriter(path, rate, marking=marking)
        # beside what the pictures show, and not beside when they are shown
        start = show.camera.position(show.first_taken)
        return VideoWriter(path, rate, audio_from=show.camera.path, audio_start=start, marking=marking)

    return Recording(writer, show.camera.fps)
