"""The benchmark at tiny sizes: that every stage runs, and what its JSON holds. Its numbers are not judged here."""

import json
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest

from understudy.errors import MediaError
from understudy.recipes.parts.groups import Optimisation
from understudy.recipes.performance_cloning import Config
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene

TINY = Config(
    size=32, width=4, depth=3, discriminator_width=4, features="random", optimisation=Optimisation(batch=2), steps=40
)
SKIPPED = {"av", "ai_edge_litert"}


@pytest.fixture(scope="module")
def pipeline():
    """The command, with networks of a few thousand weights and one call a measurement."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import measuring
        import pipeline
        import training_steps

        patch.setattr(pipeline, "config_of", lambda size: TINY)
        patch.setattr(measuring, "LEAST_SECONDS", 0.0)
        patch.setattr(training_steps, "alone", lambda function, *arguments, **environment: function(*arguments))
        yield pipeline


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_clip(path, make_person(1), choreography(1, 1.0, Fraction(12)), make_scene(1, (256, 192)))
    return path


@pytest.fixture(scope="module")
def measured(pipeline, clip, tmp_path_factory):
    output = tmp_path_factory.mktemp("benchmark") / "out.json"
    arguments = ["--clip", str(clip), "--frames", "10", "--sizes", "32", "--repeats", "1", "--device", "cpu"]
    assert pipeline.main([*arguments, "--output", str(output)]) == 0
    return json.loads(output.read_text())


def test_every_stage_is_measured(pipeline, measured):
    assert {row["stage"] for row in measured["rows"]} | {"compare"} == set(pipeline.STAGES)
    assert measured["skipped"] == []
    for row in measured["rows"]:
        assert 0 < row["min"] <= row["median"] <= row["max"], row
        assert row["unit"] in ("ms/frame", "images/s") and row["repeats"] == 1
    tracking = [row["case"] for row in measured["rows"] if row["stage"] == "track"]
    assert tracking == ["whole", "start of the tracker", "first pass", "second pass"]


def test_a_clock_is_read_around_the_calls_alone_and_divided_by_what_they_did(pipeline, monkeypatch):
    """A made-up clock that stands still but for the work: 3 s a call, whatever this machine is doing."""
    import measuring

    now = [100.0]
    monkeypatch.setattr(measuring, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(measuring, "LEAST_SECONDS", 10.0)  # of which a repeat of 3 s takes four calls
    calls = []

    def work():
        calls.append(now[0])
        now[0] += 3.0

    meter = measuring.Meter(repeats=2, device="cpu")
    row = meter.time("track", "whole", 12, work, 64)
    assert (row.min, row.median, row.max, row.unit, row.repeats, row.size) == (250, 250, 250, "ms/frame", 2, 64)
    assert len(calls) == 2 + 2 * 4  # two to warm up
    assert meter.rate("train", "bf16", 12, work, 64).median == 4  # images a second
    slow = meter.compare("speed", 64, ("quick", work), ("slow", lambda: (work(), work())), images=12)
    assert (slow.ratio, slow.median_a, slow.median_b) == (2, 250, 500)
    with measuring.timed_calls(sys.modules[__name__], "_pause") as seconds:
        _pause(work)
        _pause(work)
    assert seconds == {"_pause": 6}


def _pause(work):
    work()


def test_comparisons_are_ratios_of_times(measured):
    assert len(measured["comparisons"]) >= 4
    for one in measured["comparisons"]:
        assert one["ratio"] == pytest.approx(one["median_b"] / one["median_a"]), one
        assert one["min_ratio"] <= one["ratio"] <= one["max_ratio"]


def test_the_record_says_what_was_measured_and_where(measured):
    assert {"version", "time", "machine", "device", "seed", "sizes", "clip", "training_data"} <= measured.keys()
    assert {"cpu", "cores", "python", "torch_threads", "gpu", "load_before", "versions"} <= measured["machine"].keys()
    clip = measured["clip"]
    assert (
        clip["name"] == "clip.mp4"
        and clip["size_hw"] == [256, 192]
        and clip["frames"] == 10
        and not clip["played_again"]
    )
    assert [bar["met"] for bar in measured["bars"]] == [None, None]  # another clip, another size


def test_a_short_clip_is_played_again(pipeline, clip, tmp_path):
    only = ["--only", "decode", "--repeats", "1", "--device", "cpu", "--output", str(tmp_path / "out.json")]
    pipeline.main(["--clip", str(clip), "--frames", "30", *only])
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["clip"]["played_again"] and record["clip"]["frames"] == 30
    assert record["clip"]["name"] == "clip.mp4" and len(record["rows"]) == 2


def test_stages_without_their_packages_are_skipped_with_the_reason(pipeline, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(pipeline, "missing", lambda packages: [name for name in packages if name in SKIPPED])
    only = ["--only", "decode", "condition", "train", "--sizes", "32", "--repeats", "1", "--device", "cpu"]
    pipeline.main([*only, "--synthetic-tensors", "--output", str(tmp_path / "out.json")])
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["skipped"] == [{"stage": "decode", "reason": "not installed here: av"}]
    assert [row["stage"] for row in record["rows"]] == ["condition", "train", "train"]
    assert record["clip"] is None and record["training_data"] == "random tensors"
    pipeline.main(only)
    assert "skipped    train: not installed here: av, ai_edge_litert" in capsys.readouterr().out


def test_mistakes_are_named(pipeline, tmp_path, capsys):
    with pytest.raises(MediaError, match=r"none\.mp4"):
        pipeline.main(["--clip", str(tmp_path / "none.mp4"), "--only", "decode"])
    with pytest.raises(SystemExit):
        pipeline.main(["--repeats", "0"])
    assert "--repeats must be at least 1" in capsys.readouterr().err


def test_benchmark_of_normalisations(tmp_path, capsys):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import normalization

        assert normalization.main(["--pairs", "1", "--tracked", "0", "--output", str(tmp_path / "mine.json")]) == 0
    measured = json.loads((tmp_path / "mine.json").read_text())
    rows = {(row["case"], row["method"]): row for row in measured["rows"]}
    assert len(rows) == len(normalization.CASES) * 5 and "only the driver walks" in capsys.readouterr().out
    assert all(bar["met"] for bar in measured["bars"]), "feet stay within 2 % of height of where they belong"
    for case in ("driver jumps", "only the reference walks"):
        ground, printed = (rows[case, method]["ankles"] for method in ("ground", "ground as printed"))
        assert ground < printed
