"""What many hours cost, on paper: the multiplication, with prices that are given."""

import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def costs(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import costs

    return costs


def test_core_hours_time_and_cost_are_multiplied_as_they_should_be(costs, tmp_path, capsys):
    machine = {"cores": 2}
    disk = {"performance": 50_000}
    lines = {"machine": machine, "lines": [{"job": "track", "ms_a_frame": 36.0}], "bytes_a_frame_on_disk": disk}
    quiet = {"tree": "this", "busy": 0, "ms_a_frame": [70.0, 74.0]}
    other = {"tree": "other", "busy": 0, "ms_a_frame": [9.0]}
    performing = {"machine": machine, "rows": [other, {**quiet, "busy": 1, "ms_a_frame": [8.0]}, quiet]}
    row = {"stage": "perform", "size": 256, "case": "driver tracked before", "median": 20.0}
    pipeline = {"machine": machine, "rows": [{**row, "size": 128, "median": 7.0}, row]}
    for name, found in (
        ("long-clips-cpu", lines), ("performing-cpu", performing), ("performing-512-cpu", performing),
        ("pipeline-cpu", pipeline),
    ):  # fmt: skip
        (tmp_path / f"{name}.json").write_text(json.dumps(found))
    costs.main(
        f"--results {tmp_path} --hours 10 --machines 5 --cores 4 --a-core-hour 2 --a-gb-month 0.1".split()
    )  # 900,000 frames of 36 ms on 2 cores are 18 core hours, 0.9 h on 20 cores
    table = capsys.readouterr().out.splitlines()
    assert table[2] == "| tracking | 36 | 18 | 0.9 h | 36 |"
    assert table[4] == "| both: default recipe, 256x256 | 108 | 54 | 2.7 h | 108 |"
    assert table[7] == "| performing: performance cloning, 256x256 | 20 | 10 | 0.5 h | 20 |"
    assert table[-1] == "| on disk: performance | 75.0 MB a minute | 45 GB | | 4 a month |"
    assert len({line.count("|") for line in table}) == 1


def test_the_table_of_the_docs_is_of_the_results_that_lie_there(costs, capsys):
    costs.main([])
    assert capsys.readouterr().out in (BENCHMARKS.parent / "docs" / "clusters.md").read_text()
