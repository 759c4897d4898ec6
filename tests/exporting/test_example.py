"""The program that docs/exporting.md shows runs as it stands there, beside a copy of the file that draws."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import understudy
from made_up_cuts import arrays, poses
from tiny import shrunk
from tiny_actor import tiny_actor
from understudy.exporting import conditions
from understudy.poses.pose import Pose
from understudy.recipes import recipe
from understudy.recipes.parts.player import moments

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

PAGE = Path(__file__).parents[2] / "docs" / "exporting.md"


def test_the_example_paints_what_the_actor_plays(tmp_path, monkeypatch):
    one = recipe("pix2pix")
    config = shrunk(one.preset("preview"))
    weights, statistics = (arrays(contents) for contents in one.contents(config))
    actor = tiny_actor(recipe="pix2pix", config=config, weights=weights, statistics=statistics)
    understudy.export(actor, tmp_path / "painter.onnx")
    shutil.copy(conditions.__file__, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    program = {}
    exec(compile(example, PAGE.name, "exec"), program)
    assert Path(sys.modules.pop("conditions").__file__) == tmp_path / "conditions.py"
    xy, confidence = poses(3, (32, 32))
    shown = np.stack([program["painted"](*pose) for pose in zip(xy, confidence, strict=True)])
    monkeypatch.setattr("understudy.base.devices.computes_in_bfloat16", lambda device: False)
    played = np.stack(list(actor.player("cpu").play(moments(Pose(xy, confidence, (32, 32))))))
    assert shown.dtype == np.uint8 and np.abs(shown.astype(int) - played).max() <= 1
    assert np.ptp(played, axis=0).max() > 0
