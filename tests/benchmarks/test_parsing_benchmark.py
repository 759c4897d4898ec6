"""The benchmark of parsing: its figures on labels whose errors are known, and the command itself at a tiny size."""

import json
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def parsing():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import parsing

        yield parsing


def test_exact_labels_score_one_and_a_wrong_label_what_it_covers(parsing, monkeypatch) -> None:
    films = {3: parsing.film(3, 1, 96)}
    exact = films[3][0].labels

    class Told:
        def __init__(self, labels):
            self.labels = labels

        def __call__(self, *arguments):
            return self.labels

        def close(self):
            pass

    monkeypatch.setattr(parsing, "_parser", lambda *arguments: Told(exact))
    row = parsing.measured(films, "told", "exact", 96, None)
    assert row["mean"] == row["right"] == 1
    assert row["frames"] == 1
    wrong = np.where(exact == 5, 13, exact)  # the upper clothes are called a face
    monkeypatch.setattr(parsing, "_parser", lambda *arguments: Told(wrong))
    row = parsing.measured(films, "told", "exact", 96, None)
    face, top = (exact == 13).sum(), (exact == 5).sum()
    assert row["labels"]["upper clothes"] == 0
    assert row["labels"]["face"] == pytest.approx(face / (face + top))
    assert row["right"] == pytest.approx(1 - top / (exact > 0).sum())
    of_skin = row["by skin"]["darkest third"]
    assert of_skin == {"right": row["right"], "skin right": 1.0}  # whose clothes are wrong, and nobody else


def test_people_are_told_apart_by_the_brightness_of_their_skin(parsing, monkeypatch) -> None:
    monkeypatch.setattr(parsing, "_parser", lambda *arguments: parsing.BuiltInParser())
    films = {seed: parsing.film(seed, 1, 96) for seed in (3, 4, 5)}
    by_skin = parsing.measured(films, "auto", "exact", 96, None)["by skin"]
    darkest = min(films, key=parsing.brightness)
    alone = parsing.measured({darkest: films[darkest]}, "auto", "exact", 96, None)
    assert by_skin["darkest third"]["right"] == pytest.approx(alone["right"])


def test_the_command_writes_its_table(parsing, tmp_path, capsys) -> None:
    output = tmp_path / "mine.json"
    options = ["--people", "3", "--moments", "1", "--size", "128", "--parsing", "auto", "auto, clip"]
    assert parsing.main([*options, "--output", str(output), "--sheets", str(tmp_path / "sheets")]) == 0
    content = json.loads(output.read_text())
    ways = [(row["parsing"], row["poses"]) for row in content["rows"]]
    assert ways == [("auto", "exact"), ("auto", "noisy"), ("auto, clip", "exact"), ("auto, clip", "noisy")]
    assert all(0.4 < row["mean"] <= 1 for row in content["rows"])
    assert len(list((tmp_path / "sheets").iterdir())) == 4
    assert "upper clothes" in capsys.readouterr().out
