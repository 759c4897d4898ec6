"""The benchmark of edges: its figures on cutouts whose errors are known, and the command itself at a tiny size."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tiny_actor import cutting_actor, tiny_actor
from understudy.actor import Actor
from understudy.errors import UsageError


@pytest.fixture(scope="module")
def edges():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import edges

        yield edges


COLOUR = np.array([180, 90, 60])


def disc(radius: float, soft: float = 1.0, rim: tuple[int, int, int] | None = None) -> np.ndarray:
    """A premultiplied cutout; with `rim`, half-opaque pixels have that colour."""
    y, x = np.mgrid[:128, :128]
    alpha = np.clip((radius - np.hypot(x - 64, y - 64)) / soft + 0.5, 0, 1)[..., None]
    colour = np.where(alpha < 0.99, COLOUR if rim is None else rim, COLOUR)
    return np.rint(np.concatenate([colour * alpha, 255 * alpha], -1)).astype(np.uint8)


def figures(edges, cutout: np.ndarray, exact: np.ndarray, parts: np.ndarray | None = None) -> dict[str, float]:
    background = np.full((128, 128, 3), 20, np.uint8)
    difference = edges.over(cutout, background) - edges.over(exact, background)
    labels = np.zeros((128, 128), np.uint8) if parts is None else parts
    return dict(zip(edges.MEASURES, edges.errors(cutout, exact, difference, labels), strict=True))


def test_an_exact_cutout_has_no_errors(edges) -> None:
    found = figures(edges, disc(40), disc(40))
    assert found["alpha"] == found["halo"] == found["cut"] == found["colour"] == 0
    assert found["fringe"] < 3 and found["softness"] == pytest.approx(1, rel=0.25)


def test_too_wide_is_halo_and_too_narrow_is_cut(edges) -> None:
    wide, narrow = figures(edges, disc(41), disc(40)), figures(edges, disc(39), disc(40))
    assert wide["cut"] < 0.5 and narrow["halo"] < 0.5
    assert wide["halo"] == pytest.approx(255 / 6, rel=0.12) and narrow["cut"] == pytest.approx(255 / 6, rel=0.12)
    assert wide["alpha"] == pytest.approx(wide["halo"] + wide["cut"])
    assert wide["colour"] > 8


def test_a_coloured_rim_is_fringe_wherever_the_cutout_is(edges) -> None:
    green = disc(40, soft=3, rim=(0, 220, 0))
    moved = np.roll(green, 7, axis=1)
    assert figures(edges, green, disc(40, soft=3))["fringe"] > 100
    assert figures(edges, moved, disc(40, soft=3))["fringe"] == figures(edges, green, disc(40, soft=3))["fringe"]
    assert figures(edges, disc(40, soft=3), disc(40, soft=3))["fringe"] < 6


@pytest.mark.parametrize("soft", [2.0, 4.0, 8.0])
def test_softness_is_the_width_of_a_ramp(edges, soft: float) -> None:
    assert figures(edges, disc(40, soft), disc(40))["softness"] == pytest.approx(soft, rel=0.1)


def test_what_is_missing_of_hair_and_hands_is_said(edges) -> None:
    parts = np.zeros((128, 128), np.uint8)
    parts[30:40, 50:70] = edges.PART["hair"]
    parts[70:80, 50:70] = edges.PART["left hand"]
    cutout = disc(40)
    cutout[70:75] = 0
    found = figures(edges, cutout, disc(40), parts)
    assert found["hair"] == 0 and found["hands"] == pytest.approx(50)
    assert np.isnan(figures(edges, cutout, disc(40))["hair"])


def test_photographs_have_edges_and_grain_at_all_places(edges) -> None:
    picture = edges.photograph(3, (120, 160))
    assert picture.shape == (120, 160, 3) and picture.std() > 30
    assert (picture == edges.photograph(3, (120, 160))).all() and (picture != edges.photograph(4, (120, 160))).any()
    detail = np.abs(cv2.Laplacian(picture.astype(np.float32), -1)).mean(-1)
    assert detail.reshape(4, 30, 4, 40).mean((1, 3)).min() > 3


def test_actors_of_nobody_filmed_are_refused(edges) -> None:
    with pytest.raises(UsageError, match=r"me\.actor: it was learnt in no room of --people 1 2 at 384x512"):
        edges._person_of(Path("me.actor"), tiny_actor(), [1, 2])

    class InItsRoom(Actor):
        paints_room = True

    room = InItsRoom(**vars(tiny_actor()))
    with pytest.raises(UsageError, match="paints its room along"):
        edges._person_of(Path("me.actor"), room, [1])


def test_the_command_at_a_tiny_size(edges, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(edges, "FPS", Fraction(10))
    monkeypatch.setattr(edges, "SIZE_HW", (192, 144))
    actor = cutting_actor(
        original_size_hw=(192, 144), background=edges.make_scene(1, (192, 144)).background, crop=edges.Crop(0.2, (1, 0))
    )
    monkeypatch.setattr(edges.Actor, "load", lambda path: actor)
    arguments = ["--people", "1", "--seconds", "0.5", "--size", "128", "--poses", "exact", "--actors", "some/me.actor"]
    assert edges.main([*arguments, "--sheets", str(tmp_path / "sheets"), "--output", str(tmp_path / "mine.json")]) == 0
    record = json.loads((tmp_path / "mine.json").read_text())
    rows = {row["way"]: row for row in record["rows"]}
    assert list(rows) == ["exact", "network's alpha", "keyed", "tracker's matte", "cleaned matte", "me"]
    assert rows["exact"]["alpha"] <= rows["keyed"]["alpha"] < rows["me"]["alpha"]
    assert rows["cleaned matte"]["fringe"] < rows["tracker's matte"]["fringe"]
    assert all(row["person"] == 1 and row["frames"] == 5 for row in rows.values())
    assert len(list((tmp_path / "sheets").iterdir())) == 3
    assert "tracker's matte" in capsys.readouterr().out


def test_mistakes_are_named(edges, capsys) -> None:
    with pytest.raises(SystemExit):
        edges.main(["--size", "100"])
    assert "--size a multiple of 8" in capsys.readouterr().err
