"""The benchmark of the child process: both ways in turns, counted right."""

import json
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import sandboxing

        yield sandboxing


def test_both_ways_are_run_in_turns_and_compared_turn_by_turn(bench, monkeypatch, tmp_path, capsys):
    asked = []

    def seconds_of(command, options, clip):
        asked.append((command, *options))
        return len(asked) + (0.0 if options else 0.25)

    monkeypatch.setattr(bench, "seconds_of", seconds_of)
    (tmp_path / "a.mp4").write_bytes(b"")
    bench.main(["--clip", str(tmp_path / "a.mp4"), "--runs", "3", "--output", str(tmp_path / "told.json")])
    child, here = ("verify",), ("verify", "--no-sandbox")
    assert asked[:8] == [child, here, here, child, child, here, here, child]
    told = json.loads((tmp_path / "told.json").read_text())
    assert [row["command"] for row in told["rows"]] == ["verify", "detect"] and told["runs"] == 3
    row = told["rows"][0]
    assert row["medians"] == {"in a child": 5.25, "in this process": 6.0}
    assert row["more"] == 1.25 and row["least_and_most_more"] == [-0.75, 1.25]
    assert "| verify | 5.25 s | 6.00 s | 1.25 s (-0.75 to 1.25) |" in capsys.readouterr().out


def test_a_command_that_fails_is_no_figure(bench, tmp_path):
    with pytest.raises(SystemExit, match="verify failed"):
        bench.seconds_of("verify", ["--no-such-option"], tmp_path / "a.mp4")
    assert bench.seconds_of("licences", [], Path("--help")) > 0
