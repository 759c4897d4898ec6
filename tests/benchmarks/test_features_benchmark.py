"""The benchmark of features: what it counts as equal time, and its table."""

from pathlib import Path

import pytest

from evaluation.made_up_results import evaluation
from tiny import tiny_performance
from understudy.evaluation.self_reenactment import Split
from understudy.recipes import performance_cloning
from understudy.recipes.parts.groups import Optimisation


@pytest.fixture(scope="module")
def features():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import features

        yield features


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("performance-cloning", 150),
        ("everybody-dance-now", (180, 0, 60)),
        ("poses-in-the-wild", (100, 0, 30, 0)),
    ],
)
def test_every_stage_gets_its_share_of_the_steps(features, name, steps):
    who = features.shortened(features.with_features(name, "lite0"), 0.1)
    assert (who.name, who.config.features, who.config.steps) == (f"{name}-lite0", "lite0", steps)


def test_of_the_rounds_the_quickest_counts(features):
    rounds = [[(10, 0.2), (10, 0.5)], [(10, 0.3), (10, 0.4)]]
    assert features.by_step(rounds) == [(10, [0.2, 0.3]), (10, [0.5, 0.4])]


def test_whole_previews_are_timed_without_being_trained(features, tmp_path, monkeypatch):
    def tiny(name, features_of):
        config = performance_cloning.Config(
            size=32, width=4, depth=3, discriminator_width=4, steps=1000, optimisation=Optimisation(batch=2),
            features=features_of,
        )  # fmt: skip
        return contender(name, config)

    def contender(name, config):
        return features.Contender(name, name, name, "preview", config)

    monkeypatch.setattr(features, "with_features", tiny)
    me, dance = (tiny_performance(tmp_path / f"{seed}.performance", seed) for seed in (1, 2))
    found = features.costs("performance-cloning", Split(me, me), [dance], 0)
    assert set(found) == {"random", "lite0"} and all(0 < seconds < 1000 for seconds in found.values())


def test_the_table_shows_the_measures_that_there_are(features):
    test = evaluation().tests[0]
    lines = features.table(test).splitlines()
    assert len(lines) == 5 + len(test.methods)
    assert "rmse" in lines[3] and "sharpness" not in lines[3]
