"""One test: several actors play the same driver, and each is held against the truth."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from understudy.actor import Actor
from understudy.base.devices import Device
from understudy.evaluation.contenders import Contender
from understudy.evaluation.measuring import measure_clip
from understudy.evaluation.playing import CLIP_CRF, Recorder, played
from understudy.evaluation.prediction import coverage_of
from understudy.evaluation.results import Method, Test
from understudy.evaluation.true_clip import TruthMeasures
from understudy.evaluation.truth import Truth
from understudy.media.reading import VideoWriter
from understudy.performance import Performance
from understudy.performing.marked_video import marking_of, performer_of
from understudy.performing.perform import Part, aligned_poses
from understudy.poses.pose import Pose

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Player:
    """An actor and what it is asked to play."""

    who: Contender
    actor: Actor
    part: Part
    driving: Performance | None = None
    """needed by actors that translate frames"""


@dataclass(frozen=True)
class Asked:
    """What coverage is measured on."""

    reference: Performance
    driving: Pose
    """aligned with the reference, in its working pixels"""


def asked_of(actor: Actor, reference: Performance, driving: Performance) -> Asked:
    """Coverage's inputs for a driver that has to be aligned."""
    return Asked(reference, aligned_poses(actor, driving))


def compare(
    name: str,
    explanation: str,
    players: Sequence[Player],
    truth: Truth,
    folder: Path,
    *,
    asked: Asked | None = None,
    driving: Performance | None = None,
    track_output: bool = True,
    device: Device = "auto",
) -> Test:
    """Plays every actor, keeps the clips in `folder/clips/NAME/`, and measures them.

    Args:
        name, explanation: see `results.Test`.
        truth: has as many frames as every player's part.
        driving: shown beside the truth; None where driver and truth are one.
    """
    clips = folder / "clips" / name
    clips.mkdir(parents=True, exist_ok=True)
    _write(truth.frames(), clips / "truth.mp4", truth)
    if driving is not None:
        _write(driving.frames(), clips / "driving.mp4", truth)
    methods: list[Method] = []
    limb_errors: dict[str, npt.NDArray[np.float32]] = {}
    with TruthMeasures(truth, track_output=track_output) as prepared:
        for player in players:
            log.info("%s: playing and measuring %s", name, player.who.title)
            clip = clips / f"{player.who.name}.mp4"
            frames = played(player.actor, player.part, truth, driving=player.driving, device=device)
            marking = marking_of([performer_of(player.actor)], composite=True)
            recorder = Recorder(frames, clip, truth.fps, marking)
            measured = measure_clip(recorder, prepared, track_output=track_output)
            limb_errors[player.who.name] = measured.limb_errors
            record = player.actor.record
            methods.append(
                Method(
                    name=player.who.name,
                    title=player.who.title,
                    clip=str(clip.relative_to(folder)),
                    measures=measured.measures,
                    training={key: value for key, value in record.items() if key != "asked"},
                    milliseconds_a_frame=recorder.milliseconds_a_frame,
                    peak_memory_mib=record.get("peak_memory_mib"),
                )
            )
    coverage = None
    if asked is not None:
        errors = {method.name: method.measures["rmse"].per_frame["person"] for method in methods}
        coverage = coverage_of(asked.reference.poses, asked.driving, truth.fps, errors, limb_errors)
    return Test(
        name=name,
        explanation=explanation,
        fps=str(truth.fps),
        frames=len(truth),
        size=truth.size,
        truth_clip=str((clips / "truth.mp4").relative_to(folder)),
        driving_clip="" if driving is None else str((clips / "driving.mp4").relative_to(folder)),
        methods=methods,
        coverage=coverage,
    )


def _write(frames: Iterable[npt.NDArray[np.uint8]], path: Path, truth: Truth) -> None:
    with VideoWriter(path, truth.fps, crf=CLIP_CRF) as writer:
        for frame in frames:
            writer.write(frame)
