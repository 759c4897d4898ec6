"""An actor plays a driver: poses onto the reference's stage, frames from the generator, person over background.

Three things run at the same time, a few frames apart: the generator in a thread, compositing here, the encoder in the
writer's own thread. Nothing grows with the driver's length but the poses.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from understudy.actor import Actor
from understudy.base.arguments import MissingLimbs
from understudy.base.onlooker import show
from understudy.base.progress import progress_bar
from understudy.base.threads import ReadAhead
from understudy.compositing.backgrounds import REFERENCE, Background
from understudy.compositing.cutouts import faded, framed, key, paste, unpremultiplied, without_specks
from understudy.media.images import write_image
from understudy.performing.comparison import Comparison
from understudy.performing.drivers_shot import DriversShot
from understudy.performing.fitting import fitted
from understudy.performing.framing import Framing, LowerEdge, framing_at, lower_edge
from understudy.performing.label import label_for
from understudy.performing.lost_fingers import fingers_held
from understudy.performing.marked_video import performer_of, writer_for
from understudy.performing.missing_limbs import faded_out, missing_of, with_legs, without_missing
from understudy.performing.remembering import memory_of
from understudy.performing.where_filmed import ways_back
from understudy.poses.pose import BODY, FEET, LEFT_HAND, RIGHT_HAND, Pose
from understudy.poses.similarity import IDENTITY, Similarity
from understudy.recipes.parts.player import BATCH, Player, moments
from understudy.recipes.parts.remembered import Remembering
from understudy.retargeting.alignment import Alignment, BodyStatistics, align, body_statistics
from understudy.retargeting.cut_off import CutOff
from understudy.retargeting.global_normalization import ground_statistics, kept_on_ground, normalization, standing
from understudy.retargeting.proportions import fit_limbs
from understudy.retargeting.shots import as_one_shot
from understudy.retargeting.window import held, presence

if TYPE_CHECKING:
    from understudy.base.arguments import Fit
    from understudy.base.devices import Device
    from understudy.marks.signing import Signing
    from understudy.performance import Performance
    from understudy.performing.driver import Driver

Image = npt.NDArray[np.uint8]

FRAMES_AHEAD = 16
"""generated before they are composited: two batches, so that neither side waits for the other"""
UPRIGHT_LIMBS = 6
"""of `pose.DESCRIPTOR_LIMBS`, the first: trunk, thigh and shin of both sides, which make somebody's height"""
_LIMBS = np.r_[np.arange(BODY.start, FEET.stop), np.arange(LEFT_HAND.start, RIGHT_HAND.stop)]

WHOLE = Framing()
"""the reference's picture as it is"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """What the actor has to play: one entry per output frame, in pixels of the generator's frame."""

    pose: Pose
    """aligned with the reference; held over gaps"""
    window: npt.NDArray[np.int64]
    """(T, 2) whole pixels x, y by which the generator's frame is moved; 0 for an actor that paints its room along"""
    presence: npt.NDArray[np.float32]
    """(T,) in [0, 1]: how visible the performer is"""
    fps: Fraction
    ends: LowerEdge | None = None
    """where the driver's picture ends, if the performance is to end there too"""
    fading: CutOff | None = None
    """the limbs before which the performer fades out"""
    ways_back: npt.NDArray[np.float64] | None = None
    """(T, 3) from the generator's frame to the driver's picture, see `ways_back`; None if there is none"""

    def __len__(self) -> int:
        return len(self.pose)

    @property
    def in_window(self) -> Pose:
        """The poses as the generator sees them."""
        shifted = self.pose.xy - self.window[:, None].astype(np.float32)
        return Pose(shifted, self.pose.confidence, self.pose.size_hw)


def aligned_poses(actor: Actor, driving: Performance) -> Pose:
    """The driver's poses in the reference's working pixels, brought there and fitted as the actor's config says.

    Its `normalization` is "similarity", one scale and translation for the clip by `scale_by`, or "ground", one for
    every frame by where the feet are. Without feet in the picture the first stands in for the second, which is said.
    With `on_ground` the translation of "similarity" brings feet to the ground of the reference's, where both show
    them, and limbs that grew or shrank leave them there.
    Shots of different size are brought to that of the first before (`as_one_shot`).

    Raises:
        PoseError: the driver never shows a whole torso.
    """
    return _aligned(actor, driving)[1]


def _aligned(actor: Actor, driving: Performance) -> tuple[Pose, Pose]:
    """As `aligned_poses`, before limbs were fitted and after."""
    poses = as_one_shot(driving.poses)
    own = body_statistics(poses)
    size_hw = actor.working_size, actor.working_size
    placement = actor.placement
    if placement.normalization != "similarity":
        printed = placement.normalization == "ground-printed"
        grounded = _grounded(actor, driving, poses, own, size_hw, printed)
        if grounded is not None:
            return grounded
    alignment = align(own, actor.body, placement.scale_by)
    ground = ground_statistics(poses, driving.fps) if placement.on_ground else None
    if ground is None or actor.ground is None:
        pose = alignment.of_pose(poses, size_hw)
        return pose, fit_limbs(pose, alignment, own, actor.body) if placement.fit_limbs else pose
    alignment = standing(alignment, ground, actor.ground)
    pose = alignment.of_pose(poses, size_hw)
    return pose, kept_on_ground(fit_limbs(pose, alignment, own, actor.body), pose) if placement.fit_limbs else pose


def _grounded(
    actor: Actor, driving: Performance, poses: Pose, own: BodyStatistics, size_hw: tuple[int, int], printed: bool
) -> tuple[Pose, Pose] | None:
    """By Chan et al. 2019, section 8.5, made steadier or to the letter; None where it cannot be had."""
    ground = ground_statistics(poses, driving.fps, printed=printed)
    reference_ground = actor.ground_printed if printed else actor.ground
    if ground is None or reference_ground is None:
        who = (
            f"the driver {driving.header.source_name}"
            if ground is None
            else f"the actor's reference {actor.reference_name}"
        )
        older = "" if ground is None else " (or the actor is older than this: train it again)"
        log.warning(
            "%s hardly ever shows both feet and the head%s: placed by similarity, not by the ground", who, older
        )
        return None
    named = align(own, actor.body, "body").named(poses)
    placed = normalization(named, driving.fps, (own, ground), (actor.body, reference_ground), printed=printed)
    pose = placed.apply_to_pose(named, size_hw)
    if not actor.placement.fit_limbs:
        return pose, pose
    # Size is settled by now, and limbs are longest where each of the two came closest: only proportions are compared
    placed_body = body_statistics(pose)
    standing, reference_standing = (sum(body.limb_lengths[:UPRIGHT_LIMBS]) for body in (placed_body, actor.body))
    proportions = Alignment(reference_standing / standing if standing else 1.0, (0.0, 0.0))
    return pose, kept_on_ground(fit_limbs(pose, proportions, placed_body, actor.body), pose)


def part_for(actor: Actor, driving: Performance, missing_limbs: MissingLimbs | None = None) -> Part:
    """Aligns a driver with the actor and decides where and when the performer stands.

    Args:
        missing_limbs: what becomes of limbs that the driver does not show; None leaves them out. It changes nothing for
            a driver who shows all.

    Raises:
        PoseError: the driver never shows a whole torso, nor is it to be guessed.
    """
    filmed = driving
    lacking = missing_of(driving) if missing_limbs is not None else CutOff()
    if lacking:  # hips and cuts are guessed by lengths that hold for the whole clip
        driving = copy.copy(driving)
        driving.poses = as_one_shot(driving.poses)
    driving = without_missing(driving, lacking, actor.body)
    placed, pose = _aligned(actor, driving)
    if lacking and missing_limbs != "fade":
        pose = with_legs(actor, pose, lacking, driving)
    pose = actor.from_working.of_pose(pose, (actor.size, actor.size))
    found = driving.status > 0
    missing = int((~found).sum())
    if missing:
        log.warning("nobody was found in %d of %d driving frames: the performer fades out there", missing, len(driving))
    pose = fingers_held(held(pose, found), driving.fps, actor.recipe)
    return Part(
        pose,
        actor.windows(pose, driving.fps),
        presence(found, driving.fps),
        driving.fps,
        lower_edge(driving, lacking) if missing_limbs == "crop" else None,
        lacking if missing_limbs == "fade" and lacking.below else None,
        ways_back(
            actor.from_working.of_pose(placed, (actor.size, actor.size)),
            filmed.header.crop.inverse.of_pose(filmed.poses, filmed.header.original_size_hw),
        ),
    )


def placement(actor: Actor, window_xy: npt.NDArray[np.int64]) -> Similarity:
    """From pixels of the output to pixels of the generated frame moved by `window_xy`."""
    return Similarity.shifted(-window_xy[0], -window_xy[1]) @ actor.from_picture


def in_picture(actor: Actor, pose: Pose) -> Pose:
    """Poses of the generator's frame, in pixels of the reference's picture."""
    return actor.from_picture.inverse.of_pose(pose, actor.original_size_hw)


def perform_to_file(
    actor: Actor,
    driver: Driver,
    output: Path,
    *,
    background: Background = REFERENCE,
    compare: Path | None = None,
    overlay: Path | None = None,
    fit: Fit = "placed",
    missing_limbs: MissingLimbs | None = None,
    marks: bool = True,
    signing: Signing | None = None,
    label: bool = False,
    device: Device = "auto",
) -> None:
    """Plays the whole driver and writes the video, and with `compare` driving, pose and clone side by side.

    Args:
        compare: a video to write.
        overlay: a PNG file to write, the driver's skeleton before and after it was brought to the reference's place.
        fit: see `fitted`.
        missing_limbs: see `part_for`.
        marks, signing: see `writer_for`.
        label: whether it bears the word "AI", see `label_for`.
    """
    driving = driver.performance
    if background.what == "driving":
        driver.check_film()
    player = actor.player(device, len(driving))
    if "frames" in player.needs and missing_limbs is not None and missing_of(driving):
        log.warning("this actor paints over the driver's own picture: limbs missing there cannot be given back")
    part = played_part(part_for(actor, driving, missing_limbs), player)
    performer = performer_of(actor)
    with ExitStack() as stack:
        shots = ReadAhead(generated(actor, player, part, driving), FRAMES_AHEAD)
        stack.callback(shots.stop)
        if background.what == "driving":
            shown, pose = _in_shot(actor, part, driver, shots, fit)
        else:
            actor = fitted(actor, in_picture(actor, part.pose), part.presence > 0, fit, legs=part.ends is None)
            shown, pose = _in_room(actor, part, driving, shots, background)
        writer = stack.enter_context(writer_for(output, driver, [performer], background, marks=marks, signing=signing))
        comparison = None
        if compare is not None:
            beside = writer_for(compare, driver, [performer], marks=marks, signing=signing)
            comparison = stack.enter_context(Comparison(beside, driver, pose, part.presence))
        badge = label_for(pose.size_hw, [(pose, part.presence > 0)]) if label else None
        advance = stack.enter_context(progress_bar("performing", len(part)))
        for moment, frame in enumerate(shown):
            if badge is not None:
                badge.paint(frame)
            show(np.asarray, frame[..., :3])
            writer.write(unpremultiplied(frame) if background.transparent else frame)
            if comparison is not None:
                comparison.add(moment, frame)
            advance()
    if overlay is not None:  # of a video that is there
        from understudy.performing.normalization_sheet import normalization_sheet

        placed: dict[str, Pose] = {actor.placement.normalization: in_picture(actor, part.pose)}
        write_image(overlay, normalization_sheet(actor, driver, placed))


def _in_room(
    actor: Actor, part: Part, driving: Performance, shots: Iterable[Image], background: Background
) -> tuple[Iterator[Image], Pose]:
    """What is shown, frame by frame, at the reference's place, and the pose in its pixels."""
    framing = framing_of(actor, part, background)
    behind = background.frames(
        actor.original_size_hw, driving.fps, reference=actor.background, driving=driving.background
    )
    shown = (
        composed(actor, part, moment, shot, stage, framing)
        for moment, (shot, stage) in enumerate(zip(shots, behind, strict=False))
    )
    place = framing.of_spot(actor.from_picture.inverse)
    return shown, place.of_pose(part.pose, actor.original_size_hw)


def _in_shot(
    actor: Actor, part: Part, driver: Driver, shots: Iterable[Image], fit: Fit
) -> tuple[Iterator[Image], Pose]:
    """As `_in_room`, at the driver's place in his own shot."""
    if part.ways_back is None:
        raise ValueError("this part says nothing of the driver's picture")
    if fit == "whole":
        log.warning("the clone stands where the driver stood in his shot, whatever `--fit` says")
    place = DriversShot(actor, driver, part.ways_back, part.pose)
    shown = (
        place.composed(moment, cut_out(actor, part, moment, shot), part.window[moment], stage)
        for moment, (shot, stage) in enumerate(zip(shots, place.emptied(), strict=False))
    )
    return shown, place.pose


def framing_of(actor: Actor, part: Part, background: Background) -> Framing:
    """How the reference's picture is framed: at the driver's cut if that is asked for."""
    if part.ends is None:
        return Framing()
    return framing_at(part.ends, [in_picture(actor, part.pose)], actor.original_size_hw, background)


def played_part(part: Part, player: Player) -> Part:
    """The part as a player can play it: one that needs the driver's frames has one place only."""
    return replace(part, window=np.zeros_like(part.window)) if "frames" in player.needs else part


def generated(actor: Actor, player: Player, part: Part, driving: Performance) -> Generator[Image, None, None]:
    """What the actor's player paints for each moment of the part, as `ReadAhead` takes it."""
    from understudy.base.load import ThreadsByLoad

    frames = driving_frames(actor, driving) if "frames" in player.needs else None
    coming, memory = moments(part.in_window, frames), memory_of(actor, driving)
    with ThreadsByLoad() as threads:
        if memory is not None and isinstance(player, Remembering):
            shots = player.play_remembering(coming, memory)
        else:
            memory, shots = None, player.play(coming)
        for frame in shots:
            yield frame
            threads.follow()
    if memory is not None and memory.found:
        log.info("%d of %d frames were painted before, and not again", memory.found, memory.found + memory.painted)


def driving_frames(actor: Actor, driving: Performance) -> Iterator[Image]:
    """A driver's frames as players that need them were trained to see them.

    Yields:
        (S, S, 3) RGB uint8, one a driving frame: the driver over the actor's `driving_colour`, aligned with the
        reference by one similarity.

    Raises:
        PoseError: the driver never shows a whole torso.
    """
    from understudy.conditioning.clips import streamed_frames
    from understudy.conditioning.pictures import pixels

    red, green, blue = (int(level) for level in actor.statistics["driving_colour"])
    alignment = align(body_statistics(driving.poses), actor.body, actor.placement.scale_by)
    colour = red, green, blue
    for some in streamed_frames(driving, alignment, colour, actor.size, actor.working_size, BATCH):
        yield from pixels(some)


def composed(actor: Actor, part: Part, moment: int, shot: Image, stage: Image, framing: Framing = WHOLE) -> Image:
    """One output frame: what the generator painted, cut out and put over `stage`, which is drawn on and returned."""
    stage = framing.of_room(stage)
    if part.presence[moment] <= 0:
        return stage
    place = placement(actor, part.window[moment]).relative_to(framing.of_spot(IDENTITY))
    return paste(cut_out(actor, part, moment, shot), place, stage)


def cut_out(actor: Actor, part: Part, moment: int, shot: Image) -> Image:
    """The performer of one generated frame, (S, S, 4) premultiplied, as visible as the part says.

    What the generator gave as a cutout keeps its alpha, what it painted over the flat colour is keyed. Of an actor that
    paints its room along, all of the frame, with a soft border.

    Args:
        shot: (S, S, 3) over the flat colour or with the room, or (S, S, 4) premultiplied, see `Actor.generate`.
    """
    if part.presence[moment] <= 0:
        return np.zeros((*shot.shape[:2], 4), np.uint8)
    if actor.paints_room:
        return faded(framed(shot), float(part.presence[moment]))
    joints = part.pose.xy[moment, _LIMBS] - part.window[moment]
    seen = part.pose.confidence[moment, _LIMBS] > 0
    if shot.shape[2] == 4:
        cutout = without_specks(shot, joints[seen])
    else:
        cutout = key(shot, actor.statistics["flat_colour"], joints[seen])
    if part.fading is not None:
        cutout = faded_out(
            cutout, part.pose.xy[moment] - part.window[moment], part.pose.confidence[moment] > 0, part.fading
        )
    return faded(cutout, float(part.presence[moment]))
