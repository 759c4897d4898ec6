"""What `inspect` says of networks for photographs: who was learnt from, and what they make of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import Pose

if TYPE_CHECKING:
    from understudy.recipes.parts.freestyle_model import FreestyleModel

Image = npt.NDArray[np.uint8]

SHOWN = (70_001, 70_002)
"""numbers of made-up people that the networks have not learnt from, see `freestyle_gathering.FIRST_MADE_UP`"""
CELL = 320
"""pixels: height of a picture in the sheet"""


def model_facts(model: FreestyleModel) -> list[tuple[str, str]]:
    """Name and value of each fact."""
    record: dict[str, Any] = dict(model.record)
    stages = dict(record.get("stages", {}))
    minutes = float(record.get("seconds", 0)) / 60
    count = sum(array.size for array in model.weights.values())
    consent = record.get("consent")
    return [
        ("networks for", "photographs: `understudy perform --person PHOTO --model FILE`"),
        ("have seen", str(record.get("seen", "nobody knows what"))),
        ("trained", f"{record.get('steps', '?')} steps in {minutes:.0f} minutes on {record.get('device', '?')}"),
        ("steps of each", ", ".join(f"{name} {steps}" for name, steps in stages.items()) or "?"),
        ("frames", f"{model.config.size_hw[1]}x{model.config.size_hw[0]} pixels"),
        ("weights", f"{count / 1e6:.1f} million"),
        ("consent", f"{consent['text']} ({consent['time']})" if consent else "nobody real was asked"),
    ]


def model_sheet(model: FreestyleModel) -> Image:
    """Made-up people: the photograph, another pose as it was filmed, and that pose made of the photograph."""
    import torch

    from understudy.people.made_up import made_up_views
    from understudy.performing.comparison import over_grey
    from understudy.pictures.drawing import contact_sheet
    from understudy.recipes.freestyle_reenactment import actor_arrays
    from understudy.recipes.parts.freestyle_player import FreestylePlayer
    from understudy.recipes.parts.freestyle_samples import offset, photograph_of
    from understudy.recipes.parts.player import moments

    size_hw = model.config.size_hw
    x, y = offset(size_hw, model.config.side)
    rows = []
    for number in SHOWN:
        photographed, filmed = made_up_views(number, 2, size_hw)
        player = FreestylePlayer(model.config, actor_arrays(model, photograph_of(photographed)), torch.device("cpu"))
        xy = (filmed.xy + np.array([x, y], np.float32))[None]
        pose = Pose(xy, filmed.confidence[None], (model.config.side, model.config.side))
        (made,) = player.play(moments(pose))
        shown = over_grey(made[y : y + size_hw[0], x : x + size_hw[1]])
        rows.append([photographed.frame, filmed.frame, shown])
    cell_hw = CELL, round(CELL * size_hw[1] / size_hw[0])
    names = ["photograph", "as filmed", "made of it"]
    return np.asarray(contact_sheet(rows, [f"person {number}" for number in SHOWN], names, cell_hw=cell_hw), np.uint8)
