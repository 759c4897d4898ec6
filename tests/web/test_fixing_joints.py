"""What the joint fixer asks for, checked on this side: places in the picture, joints and frames that there are."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("gradio", reason="needs the extra understudy[studio]")

from understudy.errors import UsageError
from understudy.poses.edits import Move
from understudy.web import fix_tab

MOVE = {"act": "move", "frame": 3, "point": 9}


@pytest.mark.parametrize(
    ("x", "y", "there"),
    [
        (5.5, 6, (5.5, 6.0)),
        (0, 0, (0.0, 0.0)),
        (63, 31, (63.0, 31.0)),
        (-0.1, 31.5, (0.0, 31.0)),
        (1e9, -1e9, (63.0, 0.0)),
    ],
)
def test_a_joint_stays_in_the_picture(x: float, y: float, there: tuple[float, float]) -> None:
    assert fix_tab._edit(MOVE | {"x": x, "y": y}, (32, 64)) == Move(3, 9, *there)


@pytest.mark.parametrize("x", [float("nan"), float("inf"), "5", True, None, [1], 10**400, {}])
def test_what_is_no_place_moves_nothing(x: Any) -> None:
    for place in ({"x": x, "y": 1}, {"x": 1, "y": x}):
        with pytest.raises(UsageError, match="this is no correction that there is"):
            fix_tab._edit(MOVE | place, (32, 64))
