"""The benchmarks of refining: what the prior is learnt from, what is compared, and where the shipped file is from."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tiny import shrunk, tiny_performance
from understudy.base.files import load_tensors
from understudy.errors import TrainingError
from understudy.recipes import recipe
from understudy.recipes.parts.refined import refiner_for

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def benchmarks():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import ceiling
        import prior
        import prior_clips
        import refining

        yield {"prior": prior, "clips": prior_clips, "refining": refining, "ceiling": ceiling}


def test_it_learns_tries_and_saves_and_goes_on_where_it_was(benchmarks, tmp_path, monkeypatch, capsys):
    prior = benchmarks["prior"]
    config = replace(shrunk(recipe("copy-then-refine").preset("instant")), knows_people=False)
    monkeypatch.setattr(prior, "config_of", lambda steps: replace(config, steps=steps))
    people = {number: tiny_performance(tmp_path / f"{number}.performance", number, frames=24) for number in (501, 503)}
    monkeypatch.setattr(prior, "made_up", lambda folder, number, seconds: people.get(number))
    saved, output = tmp_path / "prior.safetensors", tmp_path / "mine.json"
    arguments = ["--work", str(tmp_path / "work"), "--people", "2", "--held-out", "1", "--steps", "2", "--clips"]
    monkeypatch.setattr("sys.argv", ["prior.py", *arguments, "--save", str(saved), "--output", str(output)])
    prior.main()
    record = json.loads(output.read_text())
    assert record["people"] == [501], "502 was not found by the tracker"
    assert record["steps"] == 2 and record["unseen"]["503"].keys() == {"warp", "prior"}
    assert "unseen" in capsys.readouterr().out
    first = load_tensors(saved, TrainingError)[0]
    prior.main()  # again: nothing is done twice, and nothing else comes of it
    again = load_tensors(saved, TrainingError)[0]
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_a_cheap_camera_gives_one_frame_for_every_two_moments_and_the_same_for_the_same_number(benchmarks):
    clips = benchmarks["clips"]
    moments = [np.full((24, 20, 3), level, np.uint8) for level in (60, 100, 140, 180, 200)]
    first, again = (list(clips.seen_by_camera(iter(moments), np.random.default_rng(5))) for _ in range(2))
    assert len(first) == 2 and first[0].dtype == np.uint8 and first[0].shape == (24, 20, 3)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert first[0].mean() < first[1].mean()


def test_everything_that_is_compared_can_be_made(benchmarks):
    ways = benchmarks["refining"].ways_of(["ways", "learnt", "without"])
    assert len(ways) >= 8 and len({way.title for way in ways.values()}) == len(ways)
    assert all(way.config.size == 256 for way in ways.values())
    assert ways["preview"].config.steps and not ways["prior"].config.checked


def test_the_ceiling_is_the_true_person_in_the_room_of_the_clone(benchmarks):
    person, room = np.full((4, 6, 3), 200, np.uint8), np.full((4, 6, 3), 40, np.uint8)
    matte = np.zeros((4, 6), np.uint8)
    matte[1:3, 2] = 255
    matte[1, 3] = 51  # a fifth
    truth = SimpleNamespace(frames=lambda: iter([person]), mattes=lambda: iter([matte]))
    for aside in (0, 2):
        (made,) = benchmarks["ceiling"].pasted(truth, room, aside)
        assert made.dtype == np.uint8 and made.shape == (4, 6, 4)
        assert (made[1:3, 2 + aside] == (200, 200, 200, 255)).all() and (made[0, :, :3] == 40).all()
        assert made[1, 3 + aside].tolist() == [72, 72, 72, 51]


def test_the_prior_that_comes_along_is_what_the_benchmark_made():
    made = json.loads((ROOT / "benchmarks/results/prior-cpu.json").read_text())
    tensors, header = load_tensors(ROOT / "src/understudy/recipes/parts/prior.safetensors", TrainingError)
    assert header["record"] == {key: made[key] for key in ("people", "moments", "steps", "seed")}
    assert len(made["people"]) >= 60
    network = refiner_for(recipe("copy-then-refine").preset("instant"))
    assert tensors.keys() == network.state_dict().keys()
    assert np.abs(tensors["last.weight"]).max() > 0 and torch.isfinite(torch.from_numpy(tensors["last.weight"])).all()
