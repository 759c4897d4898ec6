"""Single-Shot Freestyle Dance Reenactment (Gafni, Ashual, Wolf 2021): one photograph of anybody dances, at once.

    p^M* = HP(I)                           (1)   `tracking/parsing.py`
    P^D, P^S = DP(v), OP(v)                (2)   `tracking/surface.py`, `conditioning/stick_figure.py`
    P^M = P2B(p^M*, P^S, P^D)              (3)   `networks/label_generator.py`
    t_1 ... t_5 = l(I, p^M*)               (4)   `parts/segments.py`
    e_z = [VGGFace2(t_1), VGG(t_2 ... 5)]  (5)   `parts/freestyle_networks.py`
    (z, m) = B2F(P^M, e_z)                 (6)   `networks/frame_generator.py`
    f^0 = z m + b (1 - m)                  (7)   `compositing/cutouts.py`, where any background is
    f = FR(f^0, t_1)                       (8)   `networks/face_refiner.py`, with its mask (19)

    losses of P2B                          (9) to (12)    `parts/freestyle_training.py: PoseToBody`, `losses.py`
    losses of B2F                          (13) to (18)   `parts/freestyle_training.py: BodyToFrame`, `losses.py`
    losses of FR                           (18)           `parts/freestyle_training.py: FaceRefinement`, `losses.py`

The three networks are learnt from many people by `train_freestyle` (`parts/freestyle_training.py`, where the losses and
"Where we differ from the paper" are). Here somebody's photograph is read: its labels, its surface, and the embedding,
which is computed once a person. What the driver is at each moment follows from the poses, as they were brought to the
photograph's place: P^D is a body of this person's measures laid into them, so it knows nothing of the driver's shape.

Beyond the paper: what the photograph shows is copied (`parts/photograph.py`) where the networks say so.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from understudy.base.devices import Device, ready_device
from understudy.body.surface_mesh import CHART
from understudy.conditioning.clips import flat_colour
from understudy.conditioning.pictures import as_values
from understudy.errors import TrainingError
from understudy.media.images import at_side
from understudy.performance import FOUND
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.cut import nothing_to_cut
from understudy.recipes.parts.freestyle_augmentation import without_hands
from understudy.recipes.parts.freestyle_model import (
    FreestyleModel,
    face_extractor,
    load_model,
    network_of,
    part_extractor,
    specification,
)
from understudy.recipes.parts.freestyle_networks import embedding, face_vector
from understudy.recipes.parts.freestyle_player import FreestylePlayer
from understudy.recipes.parts.freestyle_reenactment_config import B2F, Config, fast, paper, preview
from understudy.recipes.parts.photograph import PHOTOGRAPH, Photograph, frames_of, stored
from understudy.recipes.parts.recipe import Recipe
from understudy.recipes.parts.segments import segments_of
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained, nothing_trained
from understudy.retargeting.alignment import BodyStatistics, body_statistics
from understudy.tracking.body_fit import PosedBody, fit, unfolded
from understudy.tracking.face import aligned, face_matrix
from understudy.tracking.parsing import BuiltInParser
from understudy.tracking.surface import girth_of, surface_maps

if TYPE_CHECKING:
    from understudy.performance import Performance
    from understudy.training.session import Session

log = logging.getLogger(__name__)

LOOKED_AT = 40
"""frames of a clip, of which the best is taken for the photograph"""
FACING = (CHART["front"], CHART["head, left half"], CHART["head, right half"])
NETWORK_PRESETS = {"preview": preview, "fast": fast, "paper": paper}
"""of `train_freestyle`"""
NETWORK_VARIANTS = {
    "painted": lambda config: replace(config, copies=0, lambda_copy=0.0),
    "no squeeze": lambda config: replace(config, squeeze=0.0),
    "no hand labels": lambda config: replace(config, hands=False),
    "no DensePose": lambda config: replace(config, dense=False),
    "no DensePose, no hand labels": lambda config: replace(config, dense=False, hands=False),
    "no face loss": lambda config: replace(config, lambda_face=0.0),
}
"""of `train_freestyle`: without copying, and Figures 6b, 5d, 6d, 6e and 5e"""
STATISTICS: ArraySpec = {"flat_colour": ("|u1", (3,))}


def train(session: Session) -> Trained:
    """Reads the photograph: the frame of the reference that shows most of the person's front.

    Raises:
        TrainingError: nobody is in any frame, or there are no networks of the config's sizes.
    """
    started, config = time.monotonic(), session.config
    model = load_model(config.model)
    if networks(model.config) != networks(config):
        which = f"{config.model} holds" if config.model else "the networks that come with the program are"
        raise TrainingError(
            f"{which} others than this preset's: train them with `understudy train-freestyle --output NAME.freestyle`, "
            "and set model=NAME.freestyle"
        )
    log.warning("%s", seen_by(model))
    photograph, body = read(session.reference, config)
    record = nothing_trained(session.seed, started) | {"model": dict(model.record)}
    statistics = {"flat_colour": np.array(flat_colour(session.reference), np.uint8)}
    return Trained(config, actor_arrays(model, photograph), statistics, record, body)


def networks(config: Config) -> dict[str, Any]:
    """What two configs must have alike for the same weights."""
    return {name: shape for name, (_, shape) in specification(config).items()}


def as_it_comes() -> Config:
    """The networks that come with the program. FR has learnt too little to better a face, so it is left out."""
    return replace(fast(), refining=False)


def seen_by(model: FreestyleModel) -> str:
    """A line that says what the networks have seen."""
    seen = model.record.get("seen", "nobody knows what")
    return f"one photograph: what it does not show is guessed, by networks that have seen {seen}"


def actor_arrays(model: FreestyleModel, photograph: Photograph) -> dict[str, Any]:
    """All that an actor holds: networks, photograph, the body's measures, and what the networks remember of it."""
    size = photograph.size
    pose = Pose(photograph.xy[None], photograph.confidence[None], (size, size))
    _, measures = body_in(pose, photograph.small[..., 3], photograph.labels)
    return {**model.weights, **stored(photograph), **measures, **looked_at(model, photograph)}


def body_in(pose: Pose, matte: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> tuple[PosedBody, dict[str, Any]]:
    """The body laid into one pose, and its measures: lengths of bones, and how stout it is by matte and labels."""
    posed = fit(pose, follow=False)
    return posed, {"stretch": posed.stretch, "girth": np.array([girth_of(posed, [matte], [labels])], np.float32)}


def read(reference: Performance, config: Config) -> tuple[Photograph, BodyStatistics | None]:
    """The photograph of a reference, and what `measured` says of where the body in it is.

    Of a clip the latter is None: its poses say it better.

    Label maps that the reference holds are taken as they are, and so are built-in surface maps. Those of a network or a
    user have coordinates of another mesh, and are not used.

    Raises:
        TrainingError: nobody is in any frame.
    """
    chosen, size = best_frame(reference), config.side
    (frame,), (matte,), finer = frames_of(reference, np.array([chosen]), config.size)
    picture = np.dstack([frame, matte])
    small, pose = at_side(picture, size), Similarity.resized(1 / config.detail).of_pose(finer, (size, size))
    if reference.has_labels:
        labels = enlarged(next(reference.labels(chosen, chosen + 1)), size)
    else:
        labels = BuiltInParser()(small[..., :3], small[..., 3], pose.xy[0], pose.confidence[0])
    if not config.hands:
        labels = without_hands(labels)
    posed, measures = body_in(pose, small[..., 3], labels)
    if reference.header.surface == "auto":
        surface = enlarged(next(reference.surface(chosen, chosen + 1)), size)
    else:
        if reference.has_surface:
            log.warning("%s", not_ours(reference))
        surface = next(surface_maps(posed, (size, size), float(measures["girth"][0])))
    working = reference.header.size_hw[0] / size
    placing = measured(reference.poses, posed, working) if len(reference) == 1 else None
    return Photograph(picture, labels, surface, pose.xy[0], pose.confidence[0]), placing


def measured(poses: Pose, posed: PosedBody, ratio: float) -> BodyStatistics:
    """Where the person of one picture is, with limbs as long as the fitted body's: the picture shows them shortened.

    Args:
        poses: one, in working pixels.
        posed: the body laid into it.
        ratio: working pixels over the pixels of `posed`.
    """
    seen, whole = body_statistics(poses), body_statistics(unfolded(posed))
    return replace(
        seen,
        hip_width=ratio * whole.hip_width,
        torso_length=ratio * whole.torso_length,
        limb_lengths=tuple(ratio * length for length in whole.limb_lengths),
    )


def best_frame(reference: Performance) -> int:
    """Of the frames in which somebody was found, the one that shows most places of the body.

    Raises:
        TrainingError: there is none.
    """
    found = np.flatnonzero(reference.status == FOUND)
    if not len(found):
        raise TrainingError(f"{reference.header.source_name} shows nobody: give a picture of a person")
    if len(found) == 1:
        return int(found[0])
    looked_at = found[np.linspace(0, len(found) - 1, min(LOOKED_AT, len(found))).astype(int)]
    poses = reference.poses
    posed = fit(Pose(poses.xy[looked_at], poses.confidence[looked_at], poses.size_hw), follow=False)
    shown = [places_shown(surface) for surface in surface_maps(posed, reference.header.size_hw)]
    return int(looked_at[int(np.argmax(shown))])


def places_shown(surface: np.ndarray[Any, Any]) -> int:
    """How many places of a body, 16 x 16 to a chart, a surface map shows; front and head count double."""
    chart, u, v = (surface[..., channel].astype(np.int64) for channel in range(3))
    places = np.unique(((chart * 16 + u // 16) * 16 + v // 16)[chart > 0])
    return len(places) + int(np.isin(places // 256, FACING).sum())


def enlarged(numbers: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """(size, size, ...) of a map, whose values may not be mixed."""
    return np.asarray(cv2.resize(numbers, (size, size), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def not_ours(reference: Performance) -> str:
    """A line that says why a surface that was brought along is not used."""
    return (
        f"the surface maps of {reference.path.name} are not used: their coordinates are another mesh's, "
        "and those of the poses to be shown are of ours"
    )


@torch.inference_mode()
def looked_at(model: FreestyleModel, photograph: Photograph) -> dict[str, Any]:
    """What the networks remember of a photograph, once a person: B2F's tensor of e_z, and FR's face."""
    config = model.config
    face, parts = face_extractor(config), part_extractor(config)
    picture = photograph.small[..., :3]
    segments = as_values(torch.from_numpy(segments_of(picture, photograph.labels))).permute(0, 3, 1, 2)
    b2f = network_of(model.weights, config, B2F, torch.device("cpu"))
    matrix = face_matrix(photograph.xy, photograph.confidence)
    crop = (
        segments[:1]
        if matrix is None
        else as_values(torch.from_numpy(aligned(picture, matrix)))[None].permute(0, 3, 1, 2)
    )
    looks: torch.Tensor = b2f.tensor(embedding(face, parts, segments[None]))  # type: ignore[operator]
    return {"looks": looks.numpy(), "identity": face_vector(face, crop).numpy()}


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    own: ArraySpec = {
        "stretch": ("<f4", (9,)),
        "girth": ("<f4", (1,)),
        "looks": ("<f4", (1, config.b2f_first, 4, 4)),
        "identity": ("<f4", (1, config.face_embedding)),
    }
    return {**specification(config), **PHOTOGRAPH, **own}, STATISTICS


def player(
    config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0
) -> FreestylePlayer:
    """Plays a `Trained`."""
    return FreestylePlayer(config, weights, ready_device(device))


RECIPE = Recipe(
    title="Single-shot freestyle dance reenactment",
    paper="Gafni, Ashual, Wolf: Single-Shot Freestyle Dance Reenactment, 2021",
    config=Config,
    presets={"instant": as_it_comes, "preview": as_it_comes, "fast": as_it_comes, "paper": paper},
    train=train,
    contents=contents,
    player=player,
    cuts=nothing_to_cut(
        "freestyle-reenactment makes labels, a body's surface and copies of one picture before it paints"
    ),
    variants={
        "with FR": lambda config: replace(config, refining=True),
        "no blending mask": lambda config: replace(config, blending=False),
    },
    landmarks="wholebody",
    learns=False,
)
