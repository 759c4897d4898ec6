"""The fake detector's benchmark: who is left out, how tables count; and the detector that comes with the program."""

import dataclasses
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from understudy import recipes
from understudy.errors import UsageError
from understudy.forensics.calibration import Calibration
from understudy.forensics.detector import Detector
from understudy.forensics.detector_data import Footage
from understudy.forensics.texture_network import COUNT
from understudy.forensics.texture_training import Sample

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import detector
        import detector_clips
        import detector_folds
        import detector_paper
        import detector_people
        import detector_report

        yield SimpleNamespace(
            main=detector,
            clips=detector_clips,
            folds=detector_folds,
            paper=detector_paper,
            people=detector_people,
            report=detector_report,
        )


def sample(person="p", recipe="", shift=0.0, seed=0, seconds=2.0, pairs=12):
    numbers = np.random.default_rng(seed).normal(0, 1, (pairs, COUNT)).astype(np.float32)
    numbers[:, 0] += shift
    return Sample(bool(recipe), person, recipe, seconds, numbers)


def verdict(benchmark, probability, recipe="", person="p", place="here", real=True, crf=20, mean=0.0):
    part = benchmark.folds.Part(sample(person, recipe, pairs=1), real, place, "", crf)
    return benchmark.folds.Verdict(part, mean, probability=probability)


# -- Who is left out -----------------------------------------------------------------------------------------------


def test_whole_places_are_left_out_of_training_and_of_calibration(benchmark, monkeypatch):
    folds = benchmark.folds
    parts = [
        folds.Part(sample(f"p{k}", recipe, 4.0 * bool(recipe), 9 * k + len(recipe)), True, f"place {k // 2}", "", 20)
        for k in range(6)
        for recipe in ("", "drawn", "painted")
    ]
    learnt, calibrated = [], []
    weighed, fitted = folds.weighed, folds.fitted_calibration
    monkeypatch.setattr(
        folds,
        "weighed",
        lambda samples, penalty: learnt.append({one.person for one in samples}) or weighed(samples, penalty),
    )
    monkeypatch.setattr(
        folds,
        "fitted_calibration",
        lambda clips: calibrated.append({one.person for one in clips}) or fitted(clips),
    )
    verdicts = folds.left_out(parts, 1e-2)
    assert [one.part for one in verdicts] == parts
    others = [{f"p{k}" for k in range(6)} - {f"p{2 * place}", f"p{2 * place + 1}"} for place in range(3)]
    assert learnt == others and calibrated == others
    assert np.mean([one.right for one in verdicts]) > 0.8
    assert all(one.strangeness > 0 for one in verdicts)

    learnt.clear()
    unknown = folds.left_out(
        parts,
        1e-2,
        judges=lambda part: part.sample.recipe == "painted",
        learns_from=lambda part: part.sample.recipe != "painted",
        calibrates=lambda part: part.sample.recipe != "painted",
        place_of=lambda part: part.sample.person,
    )
    assert [one.part.sample.recipe for one in unknown] == ["painted"] * 6
    assert learnt == [{f"p{k}" for k in range(6)} - {f"p{one}"} for one in range(6)]


def everybody(benchmark):
    """Two of each three places who exist, three who are made up, and clones put elsewhere."""
    part = benchmark.folds.Part
    parts = [
        part(sample(f"p{k}", recipe, 4.0 * bool(recipe), 9 * k + len(recipe)), k < 6, f"place {k // 2}", "same", 20)
        for k in range(9)
        for recipe in ("", "limb-warp", "pix2pix")
    ]
    elsewhere = benchmark.clips.ELSEWHERE
    return parts + [
        part(sample(f"p{k}", "limb-warp", 4.0, k), True, f"place {k // 2}", elsewhere, 20) for k in range(6)
    ]


@pytest.fixture
def learnt(benchmark, monkeypatch):
    """What each detector learnt from, in turn: (person, recipe, whether it was put elsewhere)."""
    found, parts = [], everybody(benchmark)
    of_sample = {id(part.sample): part for part in parts}
    weighed = benchmark.folds.weighed

    def spied(samples, penalty):
        given = [of_sample[id(one)] for one in samples]
        found.append({(one.sample.person, one.sample.recipe, one.motion == benchmark.clips.ELSEWHERE) for one in given})
        return weighed(samples, penalty)

    monkeypatch.setattr(benchmark.folds, "weighed", spied)
    monkeypatch.setattr(benchmark.main, "weighed", spied)
    return SimpleNamespace(parts=parts, of=found)


OPTIONS = SimpleNamespace(recipes=("limb-warp", "pix2pix"), penalty=1e-2, device="cpu", only_made_up=False)


def test_a_method_that_is_not_known_is_not_learnt_from(benchmark, learnt):
    rows = benchmark.main.of_unknown_methods(learnt.parts, OPTIONS)
    assert [(row["recipe"], row["parts"], row["filmed"]["parts"]) for row in rows] == [
        ("limb-warp", 6, 6),
        ("pix2pix", 6, 6),
    ]
    assert all(row["reliability"] for row in rows)
    first, second = learnt.of[:3], learnt.of[3:]
    assert len(second) == 3
    for detectors, unknown in ((first, "limb-warp"), (second, "pix2pix")):
        for place, given in enumerate(detectors):
            assert {recipe for _, recipe, _ in given} == {"", "limb-warp", "pix2pix"} - {unknown}
            assert not {f"p{2 * place}", f"p{2 * place + 1}"} & {person for person, _, _ in given}
            assert not any(elsewhere for _, _, elsewhere in given)


def test_other_material_is_what_it_is_called(benchmark, learnt):
    parts = [dataclasses.replace(part, marked=part.sample.recipe == "pix2pix") for part in learnt.parts]
    rows = benchmark.main.of_other_material(parts, OPTIONS)
    same_place, exist, made = learnt.of[:6], learnt.of[6:9], learnt.of[9:]
    made, marked_too = made[:3], made[3:]
    assert [row["filmed"]["parts"] for row in rows] == [6, 6, 6, 6] and len(made) == len(marked_too) == 3
    assert [row["generated"]["parts"] for row in rows] == [6, 6, 6, 6]  # of the unmarked ones alone
    assert [row["marked clones"]["parts"] for row in rows] == [6, 6, 6, 6]
    assert [row["unmarked clones"]["parts"] for row in rows] == [6, 6, 6, 6]
    for given in (*same_place, *exist, *made):
        assert {recipe for _, recipe, _ in given} == {"", "limb-warp"}
    assert all({recipe for _, recipe, _ in given} == {"", "limb-warp", "pix2pix"} for given in marked_too)
    assert [{p for p, _, _ in given} for given in same_place] == [
        {f"p{k}" for k in range(9)} - {f"p{one}"} for one in range(6)
    ]
    for place, given in enumerate(exist):
        assert {p for p, _, _ in given} == {f"p{k}" for k in range(6)} - {f"p{2 * place}", f"p{2 * place + 1}"}
    assert all({p for p, _, _ in given} == {"p6", "p7", "p8"} for given in made)
    assert not any(elsewhere for given in learnt.of for _, _, elsewhere in given)


def test_whole_clips_are_judged_by_detectors_that_have_seen_nobody_there(benchmark, learnt, monkeypatch, tmp_path):
    (tmp_path / "film.mp4").touch()
    monkeypatch.setattr(benchmark.main, "MEDIA", tmp_path)
    asked = []
    monkeypatch.setattr(
        benchmark.main,
        "detect",
        lambda path, **options: (
            asked.append(path.name) or SimpleNamespace(probability=0.25, verdict="unsure", unknowable="it is short")
        ),
    )
    take = benchmark.people.Take(tmp_path / "film.mp4")
    people = [benchmark.people.Subject("p2", (take,), take, take, "place 1", real=True)]
    (row,) = benchmark.main.as_users_ask(learnt.parts, people, OPTIONS)
    assert row == {"clip": "film.mp4", "probability": 0.25, "verdict": "unsure", "unknowable": "it is short"}
    assert asked == ["film.mp4"]
    assert not any({"p2", "p3"} & {person for person, _, _ in given} for given in learnt.of)
    assert not any(elsewhere for given in learnt.of for _, _, elsewhere in given)


def test_a_work_folder_of_other_statistics_is_not_used(benchmark, tmp_path, monkeypatch):
    options = SimpleNamespace(work=tmp_path, steps=1, seconds=2.0, shown=1.0, seed=0)
    benchmark.main.check_work(options)
    benchmark.main.check_work(options)
    monkeypatch.setattr(benchmark.main, "LARGEST", 100)
    with pytest.raises(UsageError, match="choose another --work"):
        benchmark.main.check_work(options)


def test_what_has_learnt_nothing_says_nothing(benchmark):
    folds = benchmark.folds
    parts = [
        folds.Part(sample(f"p{k}", recipe, shift * (1 if k else -1), k), True, f"place {k}", "", 20)
        for k in range(2)
        for recipe, shift in (("", -9.0), ("drawn", 9.0))
    ]
    assert {one.probability for one in folds.left_out(parts, 1e-2)} == {0.5}


def test_films_are_judged_in_parts_as_long_as_clones(benchmark):
    in_parts = benchmark.folds.in_parts
    film = sample(seconds=5.0, pairs=11)
    parts = in_parts(film, 2.0)
    assert [len(one.statistics) for one in parts] == [6, 5] and {one.seconds for one in parts} == {2.5}
    np.testing.assert_array_equal(np.concatenate([one.statistics for one in parts]), film.statistics)
    for whole in (sample(recipe="drawn", seconds=9.0), sample(seconds=3.0), sample(seconds=90.0, pairs=3)):
        assert in_parts(whole, 2.0) == [whole]


# -- How the tables count ------------------------------------------------------------------------------------------


def test_people_and_kinds_count_alike(benchmark):
    verdicts = [
        *(verdict(benchmark, 0.9, person="often") for _ in range(8)),  # filmed, called generated
        verdict(benchmark, 0.1, person="seldom", place="there"),
        *(verdict(benchmark, 0.6, "drawn", "often") for _ in range(3)),
        verdict(benchmark, 0.95, "drawn", "seldom", "there"),
    ]
    found = benchmark.folds.accuracy(verdicts)
    assert found["filmed"]["right"] == 0.5 and found["generated"]["right"] == 1.0 and found["right"] == 0.75
    assert found["filmed"]["generated"] == 0.5 and found["filmed"]["real"] == 0.5
    assert found["generated"]["unsure"] == 0.5 and found["generated"]["parts"] == 4
    assert found["generated"]["strange"] == 0.0
    strange = [dataclasses.replace(one, strange=True) for one in verdicts]
    assert benchmark.folds.shares(strange)["unsure"] == 1.0 and not benchmark.folds.reliability(strange)
    assert found["places"] == 2 and found["interval"] == [0.5, 1.0]
    weights = benchmark.folds.weights_of(verdicts)
    assert weights[:8].sum() == weights[8] == weights[9:12].sum() == weights[12] == pytest.approx(0.25)
    assert benchmark.folds.shares([]) == {"parts": 0}


def test_the_area_under_the_curve_by_hand(benchmark):
    verdicts = [verdict(benchmark, 0.5, mean=mean) for mean in (0.0, 2.0)]
    verdicts += [verdict(benchmark, 0.5, "drawn", mean=mean) for mean in (1.0, 2.0)]
    assert benchmark.folds.area(verdicts) == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    assert benchmark.folds.area(verdicts[:2]) is None


def test_how_sure_and_how_often_right(benchmark):
    verdicts = [
        verdict(benchmark, 0.1, person="a"),
        verdict(benchmark, 0.88, person="b"),
        verdict(benchmark, 0.9, "drawn", "a"),
        verdict(benchmark, 0.6, "drawn", "b"),
    ]
    rows = benchmark.folds.reliability(verdicts)
    assert [(row["said"], row["from"]) for row in rows] == [
        ("either", 0.5), ("either", 0.85), ("generated", 0.5), ("generated", 0.85), ("real", 0.85),
    ]  # fmt: skip
    assert [row["right"] for row in rows] == pytest.approx([1.0, 2 / 3, 1.0, 0.5, 1.0])
    assert {(row["places"], *row["interval"]) for row in rows if row["right"] == 1.0} == {(1, 1.0, 1.0)}
    low, high = rows[:2]
    assert (low["from"], low["parts"], low["sure"], low["right"]) == (0.5, 1, 0.6, 1.0)
    assert (high["from"], high["to"], high["parts"]) == (0.85, 0.95, 3)
    assert high["sure"] == pytest.approx(np.mean([0.9, 0.88, 0.9])) and high["right"] == pytest.approx(2 / 3)
    assert low["share of all"] + high["share of all"] == pytest.approx(1)


def test_qualities_are_told_apart(benchmark):
    verdicts = [verdict(benchmark, 0.1, crf=crf) for crf in (16, 22, 30)] + [verdict(benchmark, 0.1, "drawn", crf=36)]
    rows = benchmark.folds.by_quality(verdicts)
    assert [row["crf"] for row in rows] == [[16, 22], [30, 36]]
    assert rows[0]["filmed"]["parts"] == 2 and rows[1]["generated"]["right"] == 0.0


# -- Who there is --------------------------------------------------------------------------------------------------


def test_everybody_dances_a_part_that_was_not_learnt_from(benchmark):
    people = benchmark.people.real_people(Path("media"))
    assert len({one.name for one in people}) == len(people) == 13 and len({one.place for one in people}) == 6
    short = {"man on a beam", "woman walking in a lab"}
    for one in people:
        assert one.real and one.films
        if one.name not in short:
            assert one.learnt_from.path == one.moves.path and one.learnt_from.end == one.moves.start
            assert one.moves.end - one.moves.start >= 1
    assert {one.films[0].path.name for one in people} >= {"juggler.mp4", "one_by_one.mp4", "lab_squats.mp4"}


def test_methods_come_in_turn(benchmark):
    in_turn = benchmark.clips.in_turn
    recipes = ("copy-then-refine", "pix2pix", "limb-warp", "performance-cloning", "everybody-dance-now")
    assert in_turn(recipes, 0, 1) == ["copy-then-refine", "limb-warp", "pix2pix"]
    assert in_turn(recipes, 1, 2) == ["copy-then-refine", "limb-warp", "everybody-dance-now", "pix2pix"]
    assert in_turn(recipes, 5, 0) == ["copy-then-refine", "limb-warp"]
    assert set(in_turn(recipes, 0, 99)) == set(recipes)


def test_every_recipe_is_wanted(benchmark):
    assert set(benchmark.main.WANTED) == set(recipes.names())


def test_stages_share_the_steps(benchmark):
    assert benchmark.clips.shares_of("everybody-dance-now", 200, 30) == (170, 0, 30)
    assert benchmark.clips.shares_of("poses-in-the-wild", 200, 30) == (170, 0, 30, 0)


# -- What is said --------------------------------------------------------------------------------------------------


def content(benchmark):
    group = benchmark.folds.accuracy(
        [verdict(benchmark, 0.1), verdict(benchmark, 0.9, person="q"), verdict(benchmark, 0.9, "pix2pix")]
    )
    row = {"said": "either", "from": 0.85, "to": 0.95, "parts": 3, "sure": 0.9, "right": 0.875, "interval": [0.5, 1.0]}
    half = {"parts": 4, "people": 2, "right": 0.5, "generated": 0.25, "unsure": 0.5, "real": 0.25, "strange": 0.0}
    group |= {"unmarked clones": half, "marked clones": {**half, "right": 0.75, "real": 0.0}}
    return {
        "settings": {"shown": "2.0"},
        "groups": {"people who exist": group},
        "recipes": {"people who exist": {"pix2pix": half, "limb-warp": {"parts": 0}}},
        "reliability": {"people who exist": [row]},
        "quality": [{"crf": [16, 22], **group}],
        "unknown": [{"recipe": "pix2pix", **half, "right": 0.25}],
        "material": [{"learnt from": "nobody", **group}],
        "media": [
            {"clip": "a.mp4", "probability": 0.91, "verdict": "generated"},
            {"clip": "b.mp4", "probability": None, "verdict": "nobody"},
        ],
    }


def test_tables_hold_every_number(benchmark):
    printed = benchmark.report.printed(content(benchmark))
    for line in (
        "| people who exist | 75 % | 75 % to 75 % | 50 % | 100 % | 50 % | 75 % | 0.500 |",
        "| pix2pix | 50 % of 4 | 25 % of 4 |",
        "| limb-warp | n/a | n/a |",
        "| people who exist | either | 85 % to 95 % (mean 90 %) | 3 | 88 % | 50 % to 100 % |",
        "| crf 16 to 22 | 75 % | 50 % | 100 % |",
        "| nobody | 75 % | 50 % | 100 % | 50 % | 75 % |",
        "| a.mp4 | 91 % | generated |",
        "| b.mp4 | n/a | nobody |",
    ):
        assert line in printed


def test_the_sentences_name_what_speaks_against_trust(benchmark):
    said = "\n".join(benchmark.report.sentences(content(benchmark)))
    assert "people who exist (2 at 1 places that it had not seen" in said
    assert "right about 50 % of what was filmed and 100 % of the clones" in said
    assert "80 % sure or more, and wrong, about 50 % and 0 %; not that sure about 0 % and 0 %" in said
    assert (
        "with an invisible mark 75 % were found, and 0 % called real, 80 % sure; of those without 50 % and 25 %" in said
    )
    assert "of 3 answers (either) that were 85 % to 95 % sure 88 % were right" in said
    assert "25 % (pix2pix)" in said and "as few as 25 % may be found, or none" in said
    assert "called up to 25 % real, 80 % sure" in said


@pytest.mark.parametrize(("odds", "right"), [((9.0, -1.0), True), ((-9.0, 1.0), False)])
def test_the_papers_network_decides_by_the_product(benchmark, monkeypatch, odds, right):
    monkeypatch.setattr(benchmark.paper, "judged_pairs", lambda *given: (np.array(odds), np.zeros(2)))
    squares = np.zeros((2, 2, 144, 144, 3), np.uint8), np.zeros((2, 144, 144), np.uint8)
    footage = Footage(*squares, True, "p", "pix2pix", "same", 2.0)
    subject = benchmark.people.real_people(Path("media"))[0]
    found = benchmark.paper.verdict_of(None, footage, benchmark.clips.Clip(subject.films[0], subject, "pix2pix"), None)
    assert found.right == right and found.part.place == "gymnasium" and found.mean == np.mean(odds)


def test_one_person_is_not_enough(benchmark, capsys):
    with pytest.raises(SystemExit):
        benchmark.main.main(["--made-up", "1"])
    assert "two people are needed" in capsys.readouterr().err


def test_the_detector_that_comes_along_says_what_it_is():
    detector = Detector.load()
    assert detector.config.size == 192 and detector.calibration.people >= 10
    assert detector.calibration != Calibration() and detector.calibration.strangest > 1
    assert "people who exist" in detector.record["trained_on"]
    assert len(detector.record["trust"]) >= 4


def test_the_detector_that_comes_along_is_packed_and_small():
    file = ROOT / "src/understudy/forensics/detector.safetensors"
    assert file.stat().st_size < 20_000
    patterns = (ROOT / "pyproject.toml").read_text().split("[tool.setuptools.package-data]")[1].splitlines()[1]
    assert any(fnmatch("forensics/detector.safetensors", word) for word in patterns.split('"'))


def test_one_version_of_a_clone_bears_an_invisible_mark(benchmark, monkeypatch, tmp_path):
    clips, asked = benchmark.clips, []
    monkeypatch.setattr(clips, "treated", lambda path, output, treatment, **how: asked.append(how["change"]))
    monkeypatch.setattr(clips, "probe", lambda path: SimpleNamespace(size_hw=(144, 192)))
    subject = benchmark.people.real_people(Path("media"))[0]
    clone = clips.Clip(subject.films[0], subject, "pix2pix", "same")
    assert {False: tuple(clips.QUALITIES), True: (clips.ANY, clips.MARKED)} == benchmark.main.VERSIONS
    for version in (*clips.QUALITIES, clips.ANY):
        clips.encoded_again(clone, version, clips.file_of(clone, version, tmp_path), 0)
    assert asked == [None] * 4
    for seed in (0, 0):
        clips.encoded_again(clone, clips.MARKED, clips.file_of(clone, clips.MARKED, tmp_path), seed)
    luma = np.full((144, 192), 120, np.uint8)
    first, again = (change(luma, 1.0) for change in asked[4:])
    assert np.abs(first).max() > 0.5 and (first == again).all()
