"""`coverage`: which of a driver's moves the reference footage cannot support, asked before training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.covering.measure import Coverage, measure
from understudy.covering.report import write_report
from understudy.errors import UsageError
from understudy.retargeting.alignment import ScaleBy

if TYPE_CHECKING:
    from understudy.performance import Performance


def coverage(
    reference: Performance | str | os.PathLike[str],
    driving: Performance | str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    gamma: float = 8.0,
    *,
    scale_by: ScaleBy = "body",
) -> Coverage:
    """Says how much of a driver's motion a reference can be expected to reproduce, and what to film for the rest.

    Args:
        reference: performance or video of the person. Videos are tracked first (and remembered).
        driving: performance or video of the motion.
        output: where to write the report, one HTML file; None = no report.
        gamma: a limb farther than this from all that the reference shows is unlikely to be reproduced; pixels of a
            256 frame (the paper takes 8).
        scale_by: how the driver is scaled, see `alignment.align`.

    Raises:
        UsageError: gamma is not above 0, or output does not end in .html.
        PoseError: one of the two never shows a whole torso.

    Example:
        found = coverage("me.mp4", "dance.mp4", "report.html")
        print(found.summary())
    """
    if not gamma > 0:
        raise UsageError(f"--gamma must be above 0 pixels, not {gamma:g}")
    if output is not None and Path(output).suffix.lower() not in (".html", ".htm"):
        raise UsageError(
            f"the coverage report is a web page: name it {Path(output).stem or 'report'}.html, not {output}"
        )
    reference, driving = _performance(reference), _performance(driving)
    found = measure(
        reference.poses,
        driving.poses,
        driving.fps,
        gamma,
        scale_by=scale_by,
        reference_name=reference.header.source_name,
        driving_name=driving.header.source_name,
    )
    if output is not None:
        write_report(found, reference, driving, output)
    return found


def _performance(given: Performance | str | os.PathLike[str]) -> Performance:
    from understudy.performance import Performance

    if isinstance(given, Performance):
        return given
    from understudy.synthetic.drivers import driver_of

    return driver_of(given)
