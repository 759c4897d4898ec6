"""How far a driver's limbs are from the reference's, drawn over time."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from understudy.pictures.pages import PLOT_WIDTH, plain, stretches
from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES
from understudy.retargeting.pose_metrics import UNIT_FRAME

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float32]


def time_line(distance: FloatArray, limb_distance: FloatArray, gamma: float, fps: Fraction) -> Figure:
    """The mean of the limbs and the farthest one.

    Args:
        distance: (T,) pose-to-sequence distance (eq. 8), pixels of the unit frame; NaN where nobody is seen.
        limb_distance: (T, 12) of each limb; NaN where it is not seen, infinite where the reference never shows it.
        gamma: beyond it a limb is unlikely to be reproduced.
        fps: frames per second of the driver.
    """
    from matplotlib.figure import Figure

    first = stretches(len(distance))
    seconds = first / float(fps)
    limbs = np.where(np.isfinite(limb_distance), limb_distance, np.nan)
    figure = Figure(figsize=(PLOT_WIDTH, 2.3))
    axes = figure.add_subplot()
    farthest = np.fmax.reduceat(np.fmax.reduce(limbs, axis=1), first)
    axes.plot(seconds, farthest, color="0.6", linewidth=1, label="farthest limb")
    mean = np.fmax.reduceat(distance, first)
    axes.plot(seconds, mean, color="black", linewidth=1.6, label="mean of the limbs (eq. 8)")
    axes.axhline(gamma, color="black", linewidth=1, linestyle=(0, (4, 3)), label=f"gamma = {gamma:g}")
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    axes.set_xlabel("seconds of the driver", fontsize=9)
    axes.set_ylabel(f"pixels of {UNIT_FRAME}", fontsize=9)
    axes.legend(fontsize=8, frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1)
    plain(axes)
    return figure


def limb_strips(limb_distance: FloatArray, gamma: float, fps: Fraction) -> Figure:
    """For each limb when it is beyond gamma (black), covered (grey) or not seen (white); arguments as `time_line`."""
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    frames = len(limb_distance)
    first = stretches(frames)
    seen = np.logical_or.reduceat(~np.isnan(limb_distance), first, axis=0)
    beyond = np.logical_or.reduceat(limb_distance > gamma, first, axis=0)
    figure = Figure(figsize=(PLOT_WIDTH, 2.9))
    axes = figure.add_subplot()
    axes.imshow(
        (seen.astype(int) + beyond).T,  # 0 not seen, 1 covered, 2 beyond gamma
        cmap=ListedColormap(["white", "0.85", "0.05"]),
        vmin=0,
        vmax=2,
        aspect="auto",
        interpolation="nearest",
        extent=(0, frames / float(fps), len(DESCRIPTOR_LIMB_NAMES) - 0.5, -0.5),
    )
    axes.set_yticks(range(len(DESCRIPTOR_LIMB_NAMES)), DESCRIPTOR_LIMB_NAMES, fontsize=8)
    for row in range(1, len(DESCRIPTOR_LIMB_NAMES)):
        axes.axhline(row - 0.5, color="white", linewidth=2)
    axes.set_xlabel("seconds of the driver", fontsize=9)
    plain(axes)
    axes.tick_params(axis="y", length=0)
    return figure
