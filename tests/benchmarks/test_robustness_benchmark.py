"""The benchmarks of robustness and of the ladder: their arithmetic from made-up errors, and a small run of one."""

import dataclasses
import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.consent import Consent
from understudy.errors import UsageError
from understudy.evaluation.contenders import contender, learnt
from understudy.evaluation.results import Evaluation, Measure, Method, Summary, Test
from understudy.evaluation.self_reenactment import split
from understudy.recipes import recipe as recipe_of
from understudy.recipes.parts.settings import changed
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.pair import Pair
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene

FRAMES = 60


@pytest.fixture(scope="module", autouse=True)
def benchmarks():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        yield


@pytest.fixture(scope="module")
def tables(benchmarks):
    import robustness_tables

    return robustness_tables


def played(tables, recipe, damage, dose, rmse, person="person-1"):
    errors = {"rmse": [rmse] * FRAMES, "temporal": [None, *[rmse / 10] * (FRAMES - 1)]}
    return tables.Played(person, recipe, recipe.title(), damage, dose, "25", errors, "clip.mp4")


@pytest.fixture(scope="module")
def made_up(tables):
    """Ours goes from 10 to 12 and 14, theirs from 8 to 11 and 16; a second person has 2 more throughout."""
    errors = {"ours": (10, 12, 14), "theirs": (8, 11, 16)}
    at = [("", 0.0), ("dropped", 0.1), ("jittered", 0.05)]
    return [
        played(tables, recipe, *where, rmse + 2 * person, f"person-{person}")
        for person in (0, 1)
        for recipe, three in errors.items()
        for where, rmse in zip(at, three, strict=True)
    ]


def row(rows, recipe, damage):
    return next(one for one in rows if (one.recipe, one.damage) == (recipe, damage))


def test_degradation_is_what_damage_adds(tables, made_up):
    rows = tables.rows_of(made_up, "ours")
    assert len(rows) == 8
    theirs = row(rows, "theirs", "jittered")
    assert theirs.error["rmse"].mean == 17 and theirs.degradation["rmse"].mean == 8
    assert theirs.degradation["temporal"].mean == pytest.approx(0.8)
    assert theirs.times["rmse"].mean == pytest.approx(17 / 9)
    assert theirs.beyond["rmse"].mean == 4 and theirs.beyond["rmse"].low == 4
    assert theirs.people == {
        "person-0": {"rmse": 16, "temporal": pytest.approx(1.6)},
        "person-1": {"rmse": 18, "temporal": pytest.approx(1.8)},
    }
    ours = row(rows, "ours", tables.ALL)
    assert ours.degradation["rmse"].mean == 3 and ours.beyond == {}
    assert row(rows, "theirs", tables.ALL).beyond["rmse"].mean == 5.5 - 3
    assert row(rows, "ours", "").degradation["rmse"].mean == 0


def test_tables_plot_and_record_show_all_of_it(tables, made_up, tmp_path):
    rows = tables.rows_of(made_up, "ours")
    shown = tables.tables(rows, "ours")
    assert "| Theirs | 9.0 | 12.0, +3.0 (+3.0 to +3.0) |" in shown
    assert "| Joints misplaced | 0.05 | +4.0 (+4.0 to +4.0) |" in shown and "less that of Ours" in shown
    assert "less that of" not in tables.tables(tables.rows_of(made_up, "somebody else"), "somebody else")
    tables.plot(rows, tmp_path / "plot.png")
    assert cv2.imread(str(tmp_path / "plot.png")).std() > 10
    record = json.dumps(tables.record(rows))
    assert "clip.mp4" not in record


def test_a_recipe_that_there_is_not_is_refused(capsys, tmp_path):
    import robustness

    with pytest.raises(SystemExit):
        robustness.main(["--recipes", "pix2pix", "poses-on-the-moon", "--work", str(tmp_path)])
    assert "--recipes poses-on-the-moon: there is no such recipe; choose from copy-then-refine, cyclegan," in (
        capsys.readouterr().err
    )


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    from fidelity import Footage

    folder = tmp_path_factory.mktemp("footage")
    video = folder / "reference.mp4"
    write_clip(video, make_person(1), choreography(3, 2.0, Fraction(12)), make_scene(1, (256, 192)))
    parts = split(video, gap_seconds=0, cache=folder, size=64)
    return Footage("person-1", Pair(video, video, video), parts, parts.held_out, parts.held_out)


def test_every_dose_is_played_once_and_then_kept(footage, tmp_path, monkeypatch):
    import robustness
    from fidelity import Bench

    bench = Bench(tmp_path, "preview", 1.0, 0, "cpu", {})
    who = contender("nearest-neighbour", "preview")
    actor = learnt(who, footage.parts.training, [], tmp_path, Consent("made up", ""), device="cpu")
    first = list(robustness.play(bench, footage, 1, [(who, actor)], "short"))
    assert [(one.damage, one.dose) for one in first] == [
        ("", 0.0), ("dropped", 0.2), ("jittered", 0.05), ("swapped", 0.25), ("stretched", 0.2),
    ]  # fmt: skip
    assert all(len(one.errors["rmse"]) == 8 and (tmp_path / one.clip).exists() for one in first)
    robustness.frames_sheet(bench, robustness.truth_for(footage, [(who, actor)]), 1, first, tmp_path / "sheet.png")
    assert cv2.imread(str(tmp_path / "sheet.png")).std() > 10
    monkeypatch.setattr(robustness, "_errors", None)  # would fail if anything were played again
    assert list(robustness.play(bench, footage, 1, [(who, actor)], "short")) == first
    other = dataclasses.replace(actor, record={**actor.record, "steps": 7})
    with pytest.raises(TypeError):
        list(robustness.play(bench, footage, 1, [(who, other)], "short"))


def test_an_actor_trained_before_its_config_had_a_field_is_taken(footage, tmp_path):
    who, clip = contender("nearest-neighbour", "preview"), footage.parts.training
    actor = learnt(who, clip, [], tmp_path, Consent("made up", ""), device="cpu")
    asked = actor.record["asked"]
    placement = {"scale_by": "body", "fit_limbs": True}  # before the normalisation was a number, and with it flat
    lacking = asked["config"] | {"placement": placement}
    flat = {name: value for name, value in asked["config"].items() if name != "placement"} | placement
    for older, taken in ((lacking, True), (flat, True), (flat | {"frames": 7}, False), (flat | {"dreams": 7}, False)):
        record = {**actor.record, "asked": {**asked, "config": older}, "mark": "older"}
        dataclasses.replace(actor, record=record).save(tmp_path / "nearest-neighbour.actor")
        again = learnt(who, clip, [], tmp_path, Consent("made up", ""), device="cpu")
        assert (again.record.get("mark") == "older") is taken


def test_damage_is_done_to_the_poses_alone_and_alike(footage):
    import robustness

    clip = footage.parts.held_out
    one, again = (robustness.damaged(clip, robustness.DAMAGES[1], 0.1, (0, 1)) for _ in range(2))
    assert np.array_equal(one.poses.xy, again.poses.xy) and not np.array_equal(one.poses.xy, clip.poses.xy)
    assert (one.path, one.header) == (clip.path, clip.header) and np.array_equal(one.status, clip.status)
    other = robustness.damaged(clip, robustness.DAMAGES[1], 0.1, (0, 2))
    assert not np.array_equal(one.poses.xy, other.poses.xy)


def test_time_becomes_steps_of_every_stage_once(footage, tmp_path, monkeypatch):
    import pacing
    from fidelity import Bench

    asked = []

    def short_training(bench, footage, who, names, minutes):
        asked.append(minutes)
        return {"pose": 21, "texture": 4}

    monkeypatch.setattr(pacing, "_short_training", short_training)
    bench = Bench(tmp_path, "preview", 3.0, 0, "cpu", {})
    who = contender("poses-in-the-wild", "preview")
    assert pacing.paced(bench, footage, who).config.steps == (84, 0, 16, 0)
    assert pacing.paced(bench, footage, who).config.steps == (84, 0, 16, 0) and asked == [0.75]
    older = json.loads((tmp_path / "pace.json").read_text())
    config = older[who.name]["of"]["config"]
    for group in ("placement", "augmentation", "optimisation"):  # flat, as it was before there were groups
        config |= config.pop(group)
    config |= {f"pose_{name}": value for name, value in config.pop("pose_noise").items()} | {"steps": [0, 0, 0, 0]}
    (tmp_path / "pace.json").write_text(json.dumps(older))
    assert pacing.paced(bench, footage, who).config.steps == (84, 0, 16, 0) and len(asked) == 1
    longer = dataclasses.replace(bench, minutes=6.0)
    assert pacing.paced(longer, footage, who).config.steps == (168, 0, 32, 0) and len(asked) == 2
    trial = dataclasses.replace(bench, steps={who.name: 2})
    assert pacing.paced(trial, footage, who).config.steps == (2, 0, 2, 0)
    monkeypatch.setattr(pacing, "_short_training", lambda *_: {"pose": 3})
    with pytest.raises(UsageError, match=r"Poses in the Wild: 0\.75 minutes are too short for a step of texture"):
        pacing.paced(dataclasses.replace(bench, work=tmp_path / "other"), footage, who)


def measured(ssim):
    def measure(value):
        return Measure("", True, {r: Summary(value, None, None) for r in ("frame", "person")},
                       {r: [value] * FRAMES for r in ("frame", "person")})  # fmt: skip

    return {"ssim": measure(ssim), "rmse": measure(20.0), "temporal": measure(1.5), "fid": measure(None),
            "lpips": measure(None)}  # fmt: skip


def made_test(name, methods):
    entries = [
        Method(method, title, f"clips/{method}.mp4", measured(ssim), {"steps": 5}, 1.0, 1)
        for method, title, ssim in methods
    ]
    return Test(name, "", "25", FRAMES, 32, "clips/truth.mp4", "", entries, None)


def test_the_ladder_shows_what_each_rung_changes_beside_the_papers_numbers(benchmarks):
    import wild_tables

    rungs = [(title.lower(), title, 0.5 + number / 10) for number, title in enumerate(wild_tables.PAPER_LADDER)]
    shown = wild_tables.ladder_table("self-reenactment", wild_tables.ladder_rows([made_test("one", rungs)] * 2))
    assert "| PL-Stage1-DA | 0.6000 | +0.1000 (+0.1000 to +0.1000) | 1.500 | +0.000" in shown
    assert "| 5, 5 | 0.9633 | 7.12 |" in shown and "its own data set" in shown


def test_the_rungs_are_the_recipes_own(benchmarks):
    import wild
    import wild_tables

    found = wild.rungs("preview")
    assert [who.title for who in found] == list(wild_tables.PAPER_LADDER)
    its_own = recipe_of("poses-in-the-wild")
    assert all(who.config == its_own.preset("preview", who.title) for who in found)
    assert [who.unpaired for who in found] == [False, False, False, False, True]
    assert found[-1].config == contender("poses-in-the-wild", "preview").config, "the last is the recipe itself"
    assert found[-1].name == "poses-in-the-wild" and len({who.name for who in found}) == 5


@pytest.mark.parametrize("preset", ["preview", "paper"])
def test_recipes_are_learnt_with_the_room_and_without(benchmarks, preset):
    import wild

    for recipe in ("everybody-dance-now", "poses-in-the-wild"):
        room, alone = wild.ways_of(recipe, preset)
        assert room.config.whole_frame and not alone.config.whole_frame and room.name != alone.name


def test_foreground_first_is_shown_in_the_form_of_table_1(benchmarks):
    import wild_tables as wt

    ways = [
        (wt.name_of("poses-in-the-wild", way), f"Poses in the Wild, {way}", 0.9)
        for way in (wt.ROOM, wt.SEGMENTED, wt.ALONE)
    ]
    shown = wt.foreground_table(wt.foreground_rows([made_test("one", ways), made_test("two", [ways[0], ways[2]])]))
    assert "| Poses in the Wild, segmented afterwards (1 of 2 people) | 0.900" in shown, "nobody was found in the other"
    assert "| Poses in the Wild, foreground first | 0.900 (0.900 to 0.900) |" in shown
    assert shown.splitlines()[-1].endswith("| 0.976 | 0.015 |") and "| 0.948 | 0.027 |" in shown


def test_studies_are_made_from_the_ladders_clips_once(benchmarks, tmp_path, monkeypatch):
    import wild
    from fidelity import Bench

    bench = Bench(tmp_path, "preview", 1.0, 0, "cpu", {})
    with pytest.raises(UsageError, match="there are no clips to judge; run --only ladder first"):
        wild.studies(bench, [1])
    test = made_test("t", [("pl-stage1", "PL-Stage1", 0.5), ("poses-in-the-wild", "PL-UL-Stage2", 0.6)])
    Evaluation("t", "", "", {}, {}, [test]).save(tmp_path / "tests" / "self-reenactment of person-1, ladder.json")
    (tmp_path / "clips").mkdir(exist_ok=True)
    for number, name in enumerate(("truth", "pl-stage1", "poses-in-the-wild")):
        write_clip(
            tmp_path / "clips" / f"{name}.mp4", make_person(1), choreography(number, 0.25, Fraction(12)),
            make_scene(1, (64, 64)),
        )  # fmt: skip
    pages = wild.studies(bench, [1])
    assert [page.parents[1].name for page in pages] == ["study-pairs", "study-single"]
    key = json.loads((tmp_path / "study-pairs" / "study.json").read_text())
    asked = [set(item["methods"]) for item in key["items"] if not item["expected"]]
    assert {"PL-UL-Stage2", "truth"} in asked and {"PL-UL-Stage2", "PL-Stage1"} in asked
    assert wild.studies(bench, [1]) == []


def test_what_was_trained_again_is_tested_again(benchmarks, tmp_path):
    from types import SimpleNamespace

    from fidelity import Bench

    bench = Bench(tmp_path, "preview", 1.0, 0, "cpu", {})
    made = []

    def make():
        made.append(1)
        return made_test("t", [("one", "One", 0.5), ("one, again", "One, cut out", 0.6)])

    same = [(None, SimpleNamespace(record={"steps": 5, "asked": {"seed": 0}}))]
    for actors, times in ((same, 1), (same, 1), ([(None, SimpleNamespace(record={"steps": 6}))], 2)):
        assert bench.once("t", make, actors).methods[0].title == "One"
        assert len(made) == times


def test_recipes_can_be_learnt_from_damaged_poses_too(benchmarks):
    import robustness

    names = ["everybody-dance-now+damage", "everybody-dance-now", "PL-Stage1", "pix2pix"]
    hurt, plain, rung, other = robustness.contenders(names, "preview")
    assert (hurt.name, hurt.recipe) == ("everybody-dance-now-damage", "everybody-dance-now")
    assert changed(hurt.config, {"drop": 0.0, "jitter": 0.0, "stretch": 0.0}) == plain.config
    assert bool(hurt.config.pose_noise) and not plain.config.pose_noise
    assert (rung.title, other.name) == ("PL-Stage1", "pix2pix")
