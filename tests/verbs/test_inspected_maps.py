"""`inspect` shows label maps and surface maps where a performance has them, and says what they come from."""

from fractions import Fraction

import numpy as np
import pytest

from tiny import tiny_performance, tiny_poses
from understudy.media.images import read_image
from understudy.performance import Crop, PerformanceWriter
from understudy.pictures.maps import COLOURS
from understudy.verbs.inspect import inspect

SIZE = 64


def with_maps(path, parsing, surface):
    with PerformanceWriter(path, Fraction(25)) as writer:
        for _ in range(4):
            writer.add(
                np.full((SIZE, SIZE, 3), 90, np.uint8), np.full((SIZE, SIZE), 255, np.uint8), np.zeros((16, 16, 2))
            )
        for _ in range(4):
            if parsing:
                writer.add_labels(np.full((SIZE, SIZE), 9, np.uint8))
            if surface:
                writer.add_surface(np.full((SIZE, SIZE, 3), 2, np.uint8))
        return writer.finish(
            poses=tiny_poses(4, SIZE, 0), status=np.full(4, 2, np.uint8), background=np.zeros((60, 40, 3), np.uint8),
            source_name="me.mp4", source_sha256="ab" * 32, crop=Crop(1.0, (0.0, 0.0)), tracker="drawn",
            tracker_version="1", landmarks="body", matte="none", smoothed=False, parsing=parsing, surface=surface,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("parsing", "surface", "rows"), [("lip", "given", 6), ("auto", "", 5), ("", "network", 5), ("", "", 4)]
)
def test_a_row_for_each_kind_that_is_there(tmp_path, parsing, surface, rows):
    with_maps(tmp_path / "me.performance", parsing, surface)
    found = inspect(tmp_path / "me.performance", tmp_path / "sheet.png")
    told = dict(line.split(None, 1) for line in found.lines)
    assert (told.get("parsing", ""), told.get("surface", "")) == (parsing, surface)
    tiny_performance(tmp_path / "plain.performance", frames=4, size=SIZE)
    inspect(tmp_path / "plain.performance", tmp_path / "plain.png")
    sheet, plain = read_image(tmp_path / "sheet.png"), read_image(tmp_path / "plain.png")
    more = (sheet.shape[0] - plain.shape[0]) / 164
    assert abs(more - (rows - 4)) < 0.1 and abs(sheet.shape[1] - plain.shape[1]) < 8
    shown = (sheet == COLOURS["pants"]).all(axis=-1).mean()
    assert (shown > 0.05) == bool(parsing)
