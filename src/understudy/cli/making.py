"""Commands that make something: one for each step from a video to a clone, and what to look at on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from understudy.cli.options import (
    AblationName,
    Actors,
    Background,
    Box,
    DeviceName,
    Matte,
    Minutes,
    NormalizationName,
    OptionalPath,
    Paths,
    PoseFormatName,
    Preset,
    Rate,
    RecipeName,
    Seconds,
    Smooth,
    Steps,
    Text,
    say_result,
)

# Only what `--help` needs is imported up here: help must come at once, and PyTorch alone takes seconds.


def track(
    video: Positional[Path],
    /,
    *,
    output: Path,
    tracker: Literal["mediapipe", "rtmlib"] = "mediapipe",
    landmarks: Literal["body", "wholebody"] = "body",
    poses: OptionalPath = None,
    region: Box = None,
    start: Seconds = None,
    end: Seconds = None,
    matte: Matte = "auto",
    smooth: Smooth = True,
    strict: bool = False,
    tolerate_damage: bool = False,
) -> None:
    """Find the person in every frame of a video; writes a performance.

    The other commands do this by themselves when they are given a video. Track one yourself to choose the part,
    the person or the tracker, or to look at the result (`understudy inspect`) before training.

    For example:
      understudy track me.mp4 --output me.performance
      understudy track party.mp4 --output anna.performance --region 900,100,500,900 --start 5 --end 65

    Args:
        video: The video.
        output: The performance to write, a folder.
        tracker: mediapipe works at once; rtmlib is better, needs the extra understudy[rtmpose], and fetches its
            weights once.
        landmarks: body (with feet), or wholebody: face and hands too, slower.
        poses: Poses you already have, instead of a tracker: a folder or JSON file of OpenPose, or a JSON file of
            COCO-WholeBody.
        region: Where the person is when there are several, in pixels: left, top, width, height.
        start: Seconds into the video.
        end: Seconds into the video.
        matte: How the person is cut out: auto (a network), green (filmed before a green or blue screen), none, or
            a video that is white where the person is.
        smooth: Keep the jitter of the tracker.
        strict: Stop when the video is cut off, instead of using what is there.
        tolerate_damage: Go on over damaged parts of the video, and count them.
    """
    from understudy.tracking.track import track as verb

    performance = verb(
        video,
        output,
        tracker=tracker,
        landmarks=landmarks,
        poses=poses,
        region=region,
        start=start,
        end=end,
        matte=matte,
        smooth=smooth,
        strict=strict,
        tolerate_damage=tolerate_damage,
    )
    header = performance.header
    say_result("performance", output, f"{header.frames} frames, the person found in {header.found}")


def poses(
    given: Positional[Path],
    output: Positional[Path],
    /,
    *,
    to: PoseFormatName = None,
    fps: Rate = None,
    size: Text = None,
    person: str = "largest",
) -> None:
    """Convert poses between OpenPose, ComfyUI and COCO-WholeBody, also out of a performance or a BVH file.

    For example:
      understudy poses me.performance me.json
      understudy poses openpose_frames dance.coco.json --size 1280x720
      understudy poses dance.bvh dance.json --size 512x768 --fps 16

    Args:
        given: A folder of OpenPose JSON, a JSON file of OpenPose, ComfyUI or COCO-WholeBody, a performance, or motion
            capture as BVH.
        output: A name without suffix for a folder of OpenPose files, NAME.json for ComfyUI, NAME.coco.json for
            COCO-WholeBody.
        to: The format, where the name is not to say it; openpose18 has COCO's 18 joints instead of BODY_25.
        fps: Frames a second of the result, out of a performance or BVH; left out, every frame comes along.
        size: WIDTHxHEIGHT of the frames in pixels where files do not say it, or of the picture for BVH (768x768).
        person: Who, where files show several: largest, or the place in every frame's list, from 0.
    """
    from understudy.verbs.poses import convert_poses

    say_result("poses", convert_poses(given, output, to=to, fps=fps, size=size, person=person))


def train(
    *,
    reference: Path,
    output: Path,
    unpaired: Paths = (),
    recipe: RecipeName = None,
    preset: Preset = "preview",
    resume: bool = False,
    max_minutes: Minutes = None,
    max_steps: Steps = None,
    seed: int = 0,
    normalization: NormalizationName = None,
    ablation: AblationName = None,
    consent: Text = None,
    device: DeviceName = "auto",
) -> None:
    """Learn a person from a video; writes an actor.

    Previews, losses and checkpoints appear in the folder OUTPUT.run while it trains. Ctrl-C saves and stops;
    the same command with --resume goes on. A trained actor is never overwritten without --resume.

    For example:
      understudy train --reference me.mp4 --output me.actor --preset preview --max-minutes 10
      understudy train --reference me.mp4 --output me.actor --unpaired dance.mp4 --consent "It is me"

    Args:
        reference: Video or performance of the person.
        output: The actor to write, one file.
        unpaired: Videos or performances whose motion is learnt from too, best the dances it will perform. The recipe
            poses-in-the-wild also takes poses alone: OpenPose or COCO-WholeBody JSON, folders full of any of these,
            and the word choreography, or choreography:COUNT, for made-up dances.
        recipe: The method.
        preset: instant: 256x256 within seconds, warped frames instead of training. preview: 128x128, minutes on a
            CPU. fast: 256x256. paper: 256x256, the published schedule.
        resume: Go on with an interrupted run of this output, or start one.
        max_minutes: Stop after this much training, all parts of a resumed run together.
        max_steps: Stop after this many training steps.
        seed: Of everything random.
        normalization: How the actor brings drivers to the reference's place: similarity (one scale and place for the
            clip) or ground (for every frame by the feet, for dancers who come closer and go away).
        ablation: For research, with poses-in-the-wild: without what this rung of the paper's ladder leaves out.
        consent: Who agreed to be learnt, and to what. Stored in the actor. Asked for when left out.
        device: Where to compute.
    """
    from understudy.verbs.clone import train as verb

    verb(
        reference,
        output,
        unpaired=unpaired,
        recipe=recipe,
        preset=preset,
        resume=resume,
        max_minutes=max_minutes,
        max_steps=max_steps,
        seed=seed,
        normalization=normalization,
        ablation=ablation,
        consent=consent,
        device=device,
    )
    say_result("actor", output, f"perform with: understudy perform --actor {output} --driving VIDEO --output out.mp4")


def perform(
    *,
    actor: Actors,
    driving: Path,
    output: Path,
    layout: Literal["side-by-side", "stage"] = "side-by-side",
    background: Background = "reference",
    normalization: NormalizationName = None,
    compare: bool = False,
    device: DeviceName = "auto",
) -> None:
    """Let an actor, or several in step, play the motion of a video; writes a video.

    The result has the size of the reference, the rate and the sound of the driving video. An existing output is
    replaced. With several --actor all of them dance the same in one video, loaded one after another.

    For example:
      understudy perform --actor me.actor --driving dance.mp4 --output out.mp4 --compare
      understudy perform --actor me.actor --driving dance.mp4 --output out.webm --background transparent
      understudy perform --actor me.actor --actor you.actor --driving dance.mp4 --output both.mp4 --layout stage

    Args:
        actor: The actor, made by train; several from left to right, also the same one twice.
        driving: Video or performance of the motion.
        output: The video to write: .mp4, .mov or .mkv. Transparent ones: .webm, .mov, or a name without suffix for
            a folder of PNG files.
        layout: Of several actors: side-by-side, each in a picture of its own, or stage, all in one picture, their feet
            on one ground; whose feet are lower is nearer.
        background: Behind the performer: the reference's room (on a stage the first actor's), the driver's room, a
            colour (green, #202030 or 32,32,48), a picture, a video, or nothing (transparent).
        normalization: How the driver is brought to the reference's place, see `understudy train --help`.
        compare: Also write NAME.compare.mp4, driving, pose and clone side by side, and NAME.normalization.png, the
            driver's skeleton as filmed and where it was brought to. Of several actors NAME.compare.mp4 alone, the
            driver beside them all.
        device: Where to compute.
    """
    from understudy.verbs.clone import perform as verb

    verb(
        actor,
        driving,
        output,
        layout=layout,
        background=background,
        normalization=normalization,
        compare=compare,
        device=device,
    )
    _video_result(output, compare, overlay=len(actor) == 1)


def clone(
    *,
    reference: Path,
    driving: Path,
    output: Path,
    unpaired: Paths = (),
    recipe: RecipeName = None,
    preset: Preset = "preview",
    max_minutes: Minutes = None,
    compare: bool = False,
    background: Background = "reference",
    resume: bool = False,
    seed: int = 0,
    normalization: NormalizationName = None,
    consent: Text = None,
    device: DeviceName = "auto",
) -> None:
    """The whole way from two videos to a third: track both, train an actor, perform.

    The actor stays beside the output and can perform other videos without training again.

    For example:
      understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4 --preset instant
      understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4 --max-minutes 60 --compare

    Args:
        reference: Video or performance of the person whose looks are learnt.
        driving: Video or performance of the motion.
        output: The video to write, see `understudy perform --help`.
        unpaired: What is learnt from besides the driver's motion, see `understudy train --help`.
        recipe: The method.
        preset: instant: 256x256 within seconds, warped frames instead of training. preview: 128x128, minutes on a
            CPU. fast: 256x256. paper: 256x256, the published schedule.
        max_minutes: Stop after this much training, all parts of a resumed run together.
        compare: Also write NAME.compare.mp4, driving, pose and clone side by side, and NAME.normalization.png, the
            driver's skeleton as filmed and where it was brought to.
        background: Behind the performer, see `understudy perform --help`.
        resume: Go on with an interrupted run of this output, or start one.
        seed: Of everything random.
        normalization: How the actor brings drivers to the reference's place: similarity (one scale and place for the
            clip) or ground (for every frame by the feet, for dancers who come closer and go away).
        consent: Who agreed to be learnt, and to what. Stored in the actor. Asked for when left out.
        device: Where to compute.
    """
    from understudy.verbs.clone import clone as verb

    verb(
        reference,
        driving,
        output,
        unpaired=unpaired,
        recipe=recipe,
        preset=preset,
        max_minutes=max_minutes,
        compare=compare,
        background=background,
        resume=resume,
        seed=seed,
        normalization=normalization,
        consent=consent,
        device=device,
    )
    _video_result(output, compare)


def coverage(*, reference: Path, driving: Path, output: OptionalPath = None) -> None:
    """Say which of the driver's poses the reference cannot support, and what to film instead.

    Run it before training: an actor can only show limbs in directions that it has seen.

    For example:
      understudy coverage --reference me.mp4 --driving dance.mp4 --output report.html

    Args:
        reference: Video or performance of the person.
        driving: Video or performance of the motion.
        output: A report to write, one HTML file.
    """
    from understudy.covering.coverage import coverage as verb

    print(verb(reference, driving, output).summary())
    if output is not None:
        say_result("report", output)


def inspect(thing: Positional[Path], /, *, output: OptionalPath = None, driving: OptionalPath = None) -> None:
    """Show what is in a video, a performance or an actor: numbers and a contact sheet.

    For example:
      understudy inspect me.performance
      understudy inspect me.actor --output sheet.png

    Args:
        thing: The file or folder.
        output: The contact sheet, a PNG file; left out, it is THING.png in this folder.
        driving: Of an actor: show instead how a video's or performance's skeletons are brought to its place.
    """
    from understudy.verbs.inspect import inspect as verb

    found = verb(thing, output, driving=driving)
    print(found)
    say_result("contact sheet", found.sheet)


def demo(*, output: Path = Path("demo")) -> None:
    """Do all of it with two made-up people, who can be compared with the truth; takes some minutes.

    For example:
      understudy demo --output demo

    Args:
        output: A folder for the results.
    """
    from understudy.verbs.demo import demo as verb

    result = verb(output)
    print(result)
    say_result("clone", result.clone)
    say_result("comparison", result.comparison)
    say_result("contact sheet", result.sheet)
    print("\nWith your own videos: understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4")


def _video_result(output: Path, compare: bool, overlay: bool = True) -> None:
    say_result("video" if output.suffix else "pictures", output)
    if compare:
        from understudy.verbs.outputs import comparison_path, normalization_path

        say_result("comparison", comparison_path(output))
        if overlay:
            say_result("normalisation", normalization_path(output))
