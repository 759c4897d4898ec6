"""The benchmark's tables and sentences, from made-up verdicts; and the detector that comes with the program."""

from fnmatch import fnmatch
from pathlib import Path

import pytest

from understudy.forensics.detector import Detector

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import detector

        yield detector


def row(right, recipe="", motion=""):
    return {"right": right, "recipe": recipe, "motion": motion, "generated": bool(recipe), "person": "p"}


ROWS = [
    *(row(right) for right in (True, True, True, False)),
    *(row(right, "pix2pix", "same") for right in (True, False)),
    *(row(True, "limb-warp", "other") for _ in range(3)),
]


def test_accuracies_count_real_and_generated_alike(benchmark):
    assert benchmark.table_5(ROWS) == {
        "real": 0.75, "same": 0.5, "balanced, same": 0.625, "other": 1.0, "balanced, other": 0.875,
    }  # fmt: skip
    assert benchmark.table_5([row(True)])["balanced, same"] is None


def content(benchmark):
    return {
        "videos": benchmark.table_5(ROWS),
        "pairs": benchmark.table_5(ROWS),
        "shown": 2.0,
        "recipes": {"pix2pix": 0.5, "limb-warp": 1.0},
        "unknown": [{"recipe": "pix2pix", "clones": 0.25, "pairs of clones": 0.2, "real": 1.0}],
        "swapped": [
            {"detector": "one", "real clips": "good", "clones": "poor", "right, real": 1.0, "right, clones": 0.9}
        ],
        "media": [
            {"clip": "a.mp4", "generated": False, "recipe": "", "probability": 0.9, "verdict": "generated"},
            {"clip": "b.mp4", "generated": False, "recipe": "", "probability": 0.1, "verdict": "real"},
            {"clip": "c.mp4", "generated": True, "recipe": "pix2pix", "probability": 0.5, "verdict": "unsure"},
        ],
    }


def test_tables_hold_every_number(benchmark):
    printed = benchmark.printed(content(benchmark))
    for line in (
        "| videos: accuracy | 62.5 % | 87.5 % |",
        "| pix2pix | 50.0 % | 25.0 % |",
        "| limb-warp | 100.0 % | n/a |",
        "| one | good | poor | 100.0 % | 90.0 % |",
        "| a.mp4 | a camera | 90.0 % | generated |",
    ):
        assert line in printed


def test_the_sentences_name_what_speaks_against_trust(benchmark):
    said = "\n".join(benchmark.sentences(content(benchmark), 4))
    assert "on 4 made-up people it was not trained on" in said and "75.0 % of real clips" in said
    assert "25.0 % (pix2pix)" in said
    assert "of 2 clips of real people, 1 were called generated (false alarms)" in said
    assert "of 1 clones of a real man, 0 were called generated" in said


def test_groups_of_one_person_are_refused(benchmark, capsys):
    with pytest.raises(SystemExit):
        benchmark.main(["--test", "1"])
    assert "every group needs two people" in capsys.readouterr().err


def test_the_detector_that_comes_along_says_what_it_is():
    detector = Detector.load()
    assert detector.config.size == 128 and detector.calibration.clips > 10
    assert "made-up people" in detector.record["trained_on"]
    assert len(detector.record["trust"]) >= 4


def test_the_detector_that_comes_along_is_packed_and_small():
    file = ROOT / "src/understudy/forensics/detector.safetensors"
    assert file.stat().st_size < 500_000
    patterns = (ROOT / "pyproject.toml").read_text().split("[tool.setuptools.package-data]")[1].splitlines()[1]
    assert any(fnmatch("forensics/detector.safetensors", word) for word in patterns.split('"'))
