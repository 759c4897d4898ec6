"""`coverage`: which of a driver's moves the reference footage cannot support, asked before training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.base.arguments import Region, Rotation, ScaleBy, StrPath
from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.covering.measure import Coverage
    from understudy.performance import Clip

AS_LEARNT: dict[str, Any] = {"size": 512, "landmarks": "wholebody"}
AS_PERFORMED: dict[str, Any] = {"landmarks": "wholebody"}
"""options of `track` that the default recipe takes by itself, so that what is tracked here is tracked for it as well"""


def coverage(
    reference: Clip,
    driving: Clip,
    output: StrPath | None = None,
    gamma: float = 8.0,
    *,
    scale_by: ScaleBy = "body",
    reference_start: float | None = None,
    reference_end: float | None = None,
    reference_rotate: Rotation = 0,
    reference_region: Region | None = None,
    reference_poses: StrPath | None = None,
    reference_matte: StrPath = "auto",
    reference_tolerate_damage: bool = False,
    driving_start: float | None = None,
    driving_end: float | None = None,
    driving_rotate: Rotation = 0,
    driving_region: Region | None = None,
    driving_poses: StrPath | None = None,
    driving_matte: StrPath = "auto",
    driving_tolerate_damage: bool = False,
) -> Coverage:
    """Says which of the driver's poses the reference cannot support, and what to film instead.

    Run it before training: an actor can only show limbs in directions that it has seen.

    Args:
        reference: video or performance of the person. Videos are tracked first, and remembered.
        driving: video or performance of the motion.
        output: the report to write, one HTML file; left out, none is written.
        gamma: a limb farther than this from all that the reference shows is unlikely to be reproduced; pixels of a
            256 frame (the paper takes 8).
        scale_by: what brings the driver to the reference's size: "body" (the median of how much longer each limb is,
            which turning does not change) or "hips" (the mean hip widths, as in the paper).
        reference_start: as for `train`.
        reference_end: as for `train`.
        reference_rotate: as for `train`.
        reference_region: as for `train`.
        reference_poses: as for `train`.
        reference_matte: as for `train`.
        reference_tolerate_damage: as for `train`.
        driving_start: as for `perform`.
        driving_end: as for `perform`.
        driving_rotate: as for `perform`.
        driving_region: as for `perform`.
        driving_poses: as for `perform`.
        driving_matte: as for `perform`.
        driving_tolerate_damage: as for `perform`.

    Raises:
        UsageError: gamma is not above 0, or output does not end in .html.
        PoseError: one of the two never shows a whole torso.

    Example:
        found = coverage("me.mp4", "dance.mp4", "report.html")
        print(found.summary())

    Shell:
        $ understudy coverage --reference me.mp4 --driving dance.mp4 --output report.html
    """
    from understudy.covering.measure import measure
    from understudy.covering.oddities import say_oddities
    from understudy.covering.report import write_report
    from understudy.synthetic.drivers import driver_of, part_of

    if not gamma > 0:
        raise UsageError(f"`gamma` must be above 0 pixels, not {gamma:g}")
    if output is not None and Path(output).suffix.lower() not in (".html", ".htm"):
        raise UsageError(
            f"the coverage report is a web page: name it {Path(output).stem or 'report'}.html, not {output}"
        )
    filmed = part_of(
        "reference",
        reference,
        start=reference_start,
        end=reference_end,
        rotate=reference_rotate,
        region=reference_region,
        poses=reference_poses,
        matte=reference_matte,
        tolerate_damage=reference_tolerate_damage,
    )
    danced = part_of(
        "driving",
        driving,
        start=driving_start,
        end=driving_end,
        rotate=driving_rotate,
        region=driving_region,
        poses=driving_poses,
        matte=driving_matte,
        tolerate_damage=driving_tolerate_damage,
    )
    person, driver = driver_of(reference, **AS_LEARNT, **filmed), driver_of(driving, **AS_PERFORMED, **danced)
    say_oddities("reference", person)
    say_oddities("driving", driver)
    found = measure(
        person.poses,
        driver.poses,
        driver.fps,
        gamma,
        scale_by=scale_by,
        reference_name=person.header.source_name,
        driving_name=driver.header.source_name,
    )
    if output is not None:
        write_report(found, person, driver, output)
    return found
