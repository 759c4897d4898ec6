"""The main job on two made-up people, where the right answer is known.

One person is filmed dancing (the reference), another one dances something else (the driver). Because both are made up,
the reference's person can be filmed in the driver's dance as well: that is the ground truth, which no real footage has.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.base.arguments import StrPath
from understudy.errors import Interrupted, UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from understudy.actor import Actor
    from understudy.marks.signing import Signing
    from understudy.performance import Performance

    Matte = npt.NDArray[np.uint8]

log = logging.getLogger(__name__)

REFERENCE_SEED, DRIVER_SEED = 1, 24
REFERENCE_DANCE, DRIVING_DANCE = 21, 22
REFERENCE_SECONDS, DRIVING_SECONDS = 24.0, 8.0
MINUTES = 2.0
"""of training, for the clone and for the paper beside it: with setting up, filming and tracking the whole stays within
ten minutes on two cores"""
PAPER = "performance-cloning"
"""which stands for the papers' methods: in minutes, none of the four makes more than a ghost"""
BOX_MARGIN = 8
COMPARED = ("clone", "paper", "nearest")
CONSENT = "nobody needs to agree: the person is made up"


@dataclass(frozen=True)
class DemoResult:
    """Where the results lie, and how good the clone is."""

    clone: Path
    comparison: Path
    """video: driving, pose, clone, performance cloning in the same time, ground truth"""
    sheet: Path
    clone_distance: float
    """perceptual distance from ground truth in the box around the true person, mean over frames"""
    paper_distance: float
    """the same for performance cloning, trained for as long"""
    nearest_distance: float
    """the same for the reference frame with the nearest pose"""
    clone_error: float
    """RMSE on RGB 0-255 in the same box"""
    paper_error: float
    nearest_error: float
    seconds: float

    @property
    def ratio(self) -> float:
        """The clone's perceptual distance to that of the nearest reference frame."""
        return self.clone_distance / self.nearest_distance

    def __str__(self) -> str:
        return (
            "                                      distance   ratio   RMSE\n"
            f"nearest reference frame               {self.nearest_distance:8.3f}    1.00  {self.nearest_error:5.1f}\n"
            f"performance cloning, in the same time {self.paper_distance:8.3f}    "
            f"{self.paper_distance / self.nearest_distance:.2f}  {self.paper_error:5.1f}\n"
            f"clone                                 {self.clone_distance:8.3f}    {self.ratio:.2f}  "
            f"{self.clone_error:5.1f}\n"
            "(from ground truth, in the box around the person, mean over frames: perceptual distance, and RMSE on RGB)"
        )


def demo(
    output: StrPath = "demo",
    *,
    minutes: float = MINUTES,
    seed: int = 0,
    sign_cert: StrPath | None = None,
    sign_key: StrPath | None = None,
) -> DemoResult:
    """Does all of it with two made-up people, who can be compared with the truth; takes some minutes.

    Two people are filmed and tracked, one is cloned, by the recipe that is taken where none is named and by a paper's
    (performance cloning), trained for as long, and both clones are measured.

    Args:
        output: a folder for everything; the results of an earlier demo there are replaced.
        minutes: of training, for each of the two.
        seed: of training.
        sign_cert: as for `perform`.
        sign_key: as for `perform`.

    Raises:
        UsageError: `output` is a file, or nothing can be signed with that certificate and key.
        Interrupted: Ctrl-C or SIGTERM while training.

    Shell:
        $ understudy demo --output demo
    """
    import numpy as np

    from understudy.base.files import write_json
    from understudy.covering.coverage import AS_LEARNT, AS_PERFORMED
    from understudy.marks.marking import checked_signing
    from understudy.tracking.track import tracked
    from understudy.verbs.perform import perform
    from understudy.verbs.train import train

    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"`output` {folder} is a file: name a folder")
    signing = checked_signing(sign_cert, sign_key)
    started = time.monotonic()
    mattes = _film(folder)
    reference = tracked(folder / "reference.mp4", cache=folder / "tracked", **AS_LEARNT)
    driving = tracked(folder / "driving.mp4", cache=folder / "tracked", **AS_PERFORMED)
    actor_path, paper_path = folder / "reference.actor", folder / "paper.actor"
    for path in (actor_path, paper_path):
        _forget(path)
    try:
        actor = train(reference, actor_path, max_minutes=minutes, seed=seed, consent=CONSENT)
        paper = train(
            reference,
            paper_path,
            recipe=PAPER,
            unpaired=[driving],
            max_minutes=minutes,
            seed=seed,
            consent=CONSENT,
        )
    except Interrupted as stopped:  # training speaks of resuming, which a demo does not have
        raise Interrupted("stopped; `understudy demo` begins anew", stopped.signal) from None
    for one, name in ((actor, "clone.mp4"), (paper, "paper.mp4")):
        perform(one, driving, folder / name, sign_cert=sign_cert, sign_key=sign_key)
    distances, errors = _compare(folder, [actor, paper], reference, driving, mattes, signing)
    kinds = {"distance": distances, "error": errors}
    means = {f"{name}_{kind}": float(np.mean(values[name])) for kind, values in kinds.items() for name in COMPARED}
    result = DemoResult(
        folder / "clone.mp4",
        folder / "comparison.mp4",
        folder / "contact_sheet.png",
        **means,
        seconds=time.monotonic() - started,
    )
    write_json(
        folder / "result.json",
        {
            **means,
            "ratio": result.ratio,
            "seconds": round(result.seconds, 1),
            "training": actor.record,
            **{f"{name}_distances": [round(one, 4) for one in distances[name]] for name in COMPARED},
            **{f"{name}_errors": [round(error, 2) for error in errors[name]] for name in COMPARED},
        },
    )
    return result


def _film(folder: Path) -> list[Matte]:
    """Films reference, driver and ground truth; returns where the true person is in every frame."""
    from understudy.synthetic.pair import film_pair

    mattes: list[Matte] = []
    film_pair(
        folder,
        reference_seed=REFERENCE_SEED,
        driver_seed=DRIVER_SEED,
        reference_dance=REFERENCE_DANCE,
        driving_dance=DRIVING_DANCE,
        reference_seconds=REFERENCE_SECONDS,
        driving_seconds=DRIVING_SECONDS,
        on_truth=lambda rendered: mattes.append(rendered.matte),
    )
    return mattes


def _forget(actor: Path) -> None:
    """Removes the actor of an earlier demo, which training would rather not overwrite."""
    from understudy.actor import run_folder_of

    actor.unlink(missing_ok=True)
    shutil.rmtree(run_folder_of(actor), ignore_errors=True)


def _compare(
    folder: Path,
    actors: Sequence[Actor],
    reference: Performance,
    driving: Performance,
    mattes: list[Matte],
    signing: Signing,
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Writes comparison video and contact sheet; returns distances and errors of every frame, of each of `COMPARED`."""
    import numpy as np

    from understudy.base.progress import progress_bar
    from understudy.evaluation.metrics import person_box, rmse
    from understudy.evaluation.perceptual import Perceptual
    from understudy.media.reading import VideoReader, VideoWriter, write_image
    from understudy.performing.marked_video import marking_of, performer_of
    from understudy.performing.perform import aligned_poses
    from understudy.pictures.drawing import contact_sheet, draw_pose, side_by_side
    from understudy.retargeting.nearest import nearest_frames
    from understudy.synthetic.pair import FPS

    marking = marking_of([performer_of(actor) for actor in actors], composite=True, signing=signing)
    poses = aligned_poses(actors[0], driving)  # in the reference's working pixels
    nearest = nearest_frames(poses, reference.poses).frame
    on_stage = reference.header.crop.inverse.of_pose(poses, reference.header.original_size_hw)
    filmed = list(VideoReader(folder / "reference.mp4"))
    rolls = [VideoReader(folder / name) for name in ("driving.mp4", "clone.mp4", "paper.mp4", "ground_truth.mp4")]
    shown = set(np.linspace(0, len(mattes) - 1, 9).astype(int)[1:-1])
    columns: list[list[npt.NDArray[np.uint8]]] = []
    perceptual = Perceptual()
    distances: dict[str, list[float]] = {name: [] for name in COMPARED}
    errors: dict[str, list[float]] = {name: [] for name in COMPARED}
    with (
        VideoWriter(folder / "comparison.mp4", FPS, marking=marking) as writer,
        progress_bar("comparing", len(mattes)) as advance,
    ):
        for t, (driver, clone, paper, truth) in enumerate(zip(*rolls, strict=True)):
            neighbour = filmed[nearest[t]]
            skeleton = draw_pose(np.zeros_like(truth), on_stage.xy[t], on_stage.confidence[t])
            box = person_box(mattes[t], BOX_MARGIN)
            for name, frame in zip(COMPARED, (clone, paper, neighbour), strict=True):
                distances[name].append(perceptual(frame, truth, mattes[t] > 127, {"person": box})["person"] or 0.0)
                errors[name].append(rmse(frame, truth, box))
            panels = [driver, skeleton, clone, paper, truth]
            writer.write(side_by_side(panels, ["driving", "pose", "clone", "performance cloning", "ground truth"]))
            if t in shown:
                columns.append([*panels, neighbour])
            advance()
    rows = [list(row) for row in zip(*columns, strict=True)]
    labels = [
        "driving",
        "pose",
        "clone",
        "performance cloning in the same time",
        "ground truth",
        "nearest reference frame",
    ]
    note = ", ".join(f"{name} {np.mean(distances[name]):.2f}" for name in COMPARED)
    sheet = contact_sheet(
        rows,
        labels,
        cell_hw=(256, 192),
        title="A made-up person dances another's dance",
        note=f"perceptual distance: {note}",
    )
    write_image(folder / "contact_sheet.png", sheet)
    return distances, errors
