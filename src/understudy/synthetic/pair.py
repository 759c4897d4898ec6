"""Two made-up people: one filmed dancing (the reference), one dancing something else, and what a clone should show.

Because both are made up, the reference's person can be filmed in the driver's dance as well: ground truth across
identities, which no real footage has.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from understudy.base.progress import progress_bar
from understudy.media.reading import VideoWriter
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import Motion, choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import Rendered, render
from understudy.synthetic.scene import make_scene

FPS = Fraction(25)
SIZE_HW = (512, 384)


@dataclass(frozen=True)
class Pair:
    """Three videos, and the seeds they are made from."""

    reference: Path
    driving: Path
    ground_truth: Path
    """the reference's person in the driver's dance, in the reference's room"""


def film_pair(
    folder: Path,
    *,
    reference_seed: int,
    driver_seed: int,
    reference_dance: int,
    driving_dance: int,
    reference_seconds: float,
    driving_seconds: float,
    on_truth: Callable[[Rendered], None] = lambda rendered: None,
) -> Pair:
    """Films reference.mp4, driving.mp4 and ground_truth.mp4 into a folder.

    Args:
        reference_seed, driver_seed: of people and of their rooms.
        reference_dance, driving_dance: seeds of choreographies.
        on_truth: called with every frame of the ground truth.
    """
    person, driver = make_person(reference_seed), make_person(driver_seed)
    room, other_room = make_scene(reference_seed, SIZE_HW), make_scene(driver_seed, SIZE_HW)
    dance = centred(choreography(driving_dance, driving_seconds, FPS))
    rehearsal = centred(choreography(reference_dance, reference_seconds, FPS))
    pair = Pair(folder / "reference.mp4", folder / "driving.mp4", folder / "ground_truth.mp4")
    write_clip(pair.reference, person, rehearsal, room)
    write_clip(pair.driving, driver, dance, other_room)
    with (
        VideoWriter(pair.ground_truth, FPS) as writer,
        progress_bar("filming ground_truth.mp4", len(dance)) as advance,
    ):
        for rendered in render(person, dance, room):
            writer.write(rendered.frame)
            on_truth(rendered)
            advance()
    return pair


def centred(motion: Motion) -> Motion:
    """The motion with its mean place in the middle of the floor.

    Where on the floor a driver dances is lost by design: alignment puts his mean place on the reference's (Aberman et
    al. 2018, section 3.1). The ground truth must stand where a clone is asked to stand, so every dance is centred.
    """
    path = motion.path.copy()
    path[:, [0, 2]] -= path[:, [0, 2]].mean(axis=0)
    return dataclasses.replace(motion, path=path)
