"""The main job on two made-up people, where the right answer is known.

One person is filmed dancing (the reference), another one dances something else (the driver). Because both are made up,
the reference's person can be filmed in the driver's dance as well: that is the ground truth, which no real footage has.
"""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.base.arguments import StrPath
from understudy.errors import Interrupted, UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from understudy.actor import Actor
    from understudy.performance import Performance

log = logging.getLogger(__name__)

REFERENCE_SEED, DRIVER_SEED = 1, 24
REFERENCE_DANCE, DRIVING_DANCE = 21, 22
REFERENCE_SECONDS, DRIVING_SECONDS = 24.0, 8.0
MINUTES = 4.5
"""of training: with setting up, filming and tracking the whole stays within ten minutes on two cores"""
BOX_MARGIN = 8
COMPARED = ("clone", "instant", "nearest")
CONSENT = "nobody needs to agree: the person is made up"

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class DemoResult:
    """Where the results lie, and how good the clone is."""

    clone: Path
    comparison: Path
    """video: driving, pose, clone, instant clone, ground truth"""
    sheet: Path
    clone_error: float
    """RMSE on RGB 0-255 against ground truth in the box around the true person, mean over frames"""
    instant_error: float
    """the same for the clone that took no training, of preset `instant`"""
    nearest_error: float
    """the same for the reference frame with the nearest pose"""
    seconds: float

    @property
    def ratio(self) -> float:
        return self.clone_error / self.nearest_error

    def __str__(self) -> str:
        return (
            "                          error   ratio\n"
            f"nearest reference frame   {self.nearest_error:5.1f}    1.00\n"
            f"instant clone, untrained  {self.instant_error:5.1f}    {self.instant_error / self.nearest_error:.2f}\n"
            f"clone                     {self.clone_error:5.1f}    {self.ratio:.2f}\n"
            "(RMSE on RGB 0-255 against ground truth, in the box around the person, mean over frames)"
        )


def demo(output: StrPath = "demo", *, minutes: float = MINUTES, seed: int = 0) -> DemoResult:
    """Does all of it with two made-up people, who can be compared with the truth; takes some minutes.

    Two people are filmed and tracked, one is cloned at once ("instant") and after training ("preview"), and both
    clones are measured.

    Args:
        output: a folder for everything; the results of an earlier demo there are replaced.
        minutes: of training.
        seed: of training.

    Raises:
        UsageError: `output` is a file.
        Interrupted: Ctrl-C or SIGTERM while training.

    Shell:
        $ understudy demo --output demo
    """
    import numpy as np

    from understudy.base.files import write_json
    from understudy.tracking.track import tracked
    from understudy.verbs.perform import perform
    from understudy.verbs.train import train

    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"`output` {folder} is a file: name a folder")
    started = time.monotonic()
    boxes = _film(folder)
    reference = tracked(folder / "reference.mp4", cache=folder / "tracked")
    driving = tracked(folder / "driving.mp4", cache=folder / "tracked")
    actor_path, instant_path = folder / "reference.actor", folder / "instant.actor"
    for path in (actor_path, instant_path):
        _forget(path)
    try:
        instant = train(reference, instant_path, preset="instant", consent=CONSENT)
        perform(instant, driving, folder / "instant.mp4")
        actor = train(
            reference,
            actor_path,
            unpaired=[driving],
            preset="preview",
            max_minutes=minutes,
            seed=seed,
            consent=CONSENT,
        )
    except Interrupted as stopped:  # training speaks of resuming, which a demo does not have
        raise Interrupted("stopped; `understudy demo` begins anew", stopped.signal) from None
    perform(actor, driving, folder / "clone.mp4")
    errors = _compare(folder, actor, reference, driving, boxes)
    clone_error, instant_error, nearest_error = (float(np.mean(errors[name])) for name in COMPARED)
    result = DemoResult(
        folder / "clone.mp4",
        folder / "comparison.mp4",
        folder / "contact_sheet.png",
        clone_error,
        instant_error,
        nearest_error,
        time.monotonic() - started,
    )
    write_json(
        folder / "result.json",
        {
            "clone_error": result.clone_error,
            "instant_error": result.instant_error,
            "nearest_error": result.nearest_error,
            "ratio": result.ratio,
            "seconds": round(result.seconds, 1),
            "training": actor.record,
            **{f"{name}_errors": [round(error, 2) for error in errors[name]] for name in COMPARED},
        },
    )
    return result


def _film(folder: Path) -> list[Box]:
    """Films reference, driver and ground truth; returns the box around the true person in every frame."""
    from understudy.evaluation.metrics import person_box
    from understudy.synthetic.pair import film_pair

    boxes: list[Box] = []
    film_pair(
        folder,
        reference_seed=REFERENCE_SEED,
        driver_seed=DRIVER_SEED,
        reference_dance=REFERENCE_DANCE,
        driving_dance=DRIVING_DANCE,
        reference_seconds=REFERENCE_SECONDS,
        driving_seconds=DRIVING_SECONDS,
        on_truth=lambda rendered: boxes.append(person_box(rendered.matte, BOX_MARGIN)),
    )
    return boxes


def _forget(actor: Path) -> None:
    """Removes the actor of an earlier demo, which training would rather not overwrite."""
    from understudy.actor import run_folder_of

    actor.unlink(missing_ok=True)
    shutil.rmtree(run_folder_of(actor), ignore_errors=True)


def _compare(
    folder: Path, actor: Actor, reference: Performance, driving: Performance, boxes: list[Box]
) -> dict[str, list[float]]:
    """Writes the comparison video and the contact sheet; returns the errors of every frame, for each of `COMPARED`."""
    import numpy as np

    from understudy.base.progress import progress_bar
    from understudy.evaluation.metrics import rmse
    from understudy.media.reading import VideoReader, VideoWriter, write_image
    from understudy.performing.perform import aligned_poses
    from understudy.pictures.drawing import contact_sheet, draw_pose, side_by_side
    from understudy.retargeting.nearest import nearest_frames
    from understudy.synthetic.pair import FPS

    poses = aligned_poses(actor, driving)  # in the reference's working pixels
    nearest = nearest_frames(poses, reference.poses).frame
    on_stage = reference.header.crop.inverse.of_pose(poses, reference.header.original_size_hw)
    filmed = list(VideoReader(folder / "reference.mp4"))
    rolls = [VideoReader(folder / name) for name in ("driving.mp4", "clone.mp4", "instant.mp4", "ground_truth.mp4")]
    shown = set(np.linspace(0, len(boxes) - 1, 9).astype(int)[1:-1])
    columns: list[list[npt.NDArray[np.uint8]]] = []
    errors: dict[str, list[float]] = {name: [] for name in COMPARED}
    with (
        VideoWriter(folder / "comparison.mp4", FPS) as writer,
        progress_bar("comparing", len(boxes)) as advance,
    ):
        for t, (driver, clone, instant, truth) in enumerate(zip(*rolls, strict=True)):
            neighbour = filmed[nearest[t]]
            skeleton = draw_pose(np.zeros_like(truth), on_stage.xy[t], on_stage.confidence[t])
            for name, frame in zip(COMPARED, (clone, instant, neighbour), strict=True):
                errors[name].append(rmse(frame, truth, boxes[t]))
            panels = [driver, skeleton, clone, instant, truth]
            writer.write(side_by_side(panels, ["driving", "pose", "clone", "instant clone", "ground truth"]))
            if t in shown:
                columns.append([*panels, neighbour])
            advance()
    rows = [list(row) for row in zip(*columns, strict=True)]
    labels = [
        "driving",
        "pose",
        "clone",
        "instant clone, without training",
        "ground truth",
        "nearest reference frame",
    ]
    note = ", ".join(f"{name} {np.mean(errors[name]):.1f}" for name in COMPARED)
    sheet = contact_sheet(
        rows, labels, cell_hw=(256, 192), title="A made-up person dances another's dance", note=f"error: {note}"
    )
    write_image(folder / "contact_sheet.png", sheet)
    return errors
