"""The folder is the list, and every RECIPE in it says what the house may ask, and says it truly."""

import ast
import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tiny import tiny_performance
from understudy import recipes
from understudy.errors import UsageError
from understudy.performance import Performance
from understudy.recipes import as_tracked_for, every, landmarks_for, name_of, names, pix2pix, recipe
from understudy.recipes.parts.recipe import ENDLESS, Recipe
from understudy.recipes.parts.settings import changed, numbers, wanted

NAMES = names()
ALL = pytest.mark.parametrize("name", NAMES)
FOLDER = Path(recipes.__file__).parent
PRESETS = [(name, preset) for name, one in every() for preset in one.presets]
VARIANTS = [(name, variant) for name, one in every() for variant in one.variants]


def values(config):
    return {number.name: number.value for number in numbers(config)}


# -- the list --------------------------------------------------------------------------------------------------


def test_the_folder_is_the_list():
    files = {file.stem.replace("_", "-") for file in FOLDER.glob("*.py")} - {"--init--"}
    assert set(NAMES) == files and list(NAMES) == sorted(NAMES)
    assert [name for name, _ in every()] == list(NAMES)


def test_listing_names_imports_no_recipe():
    code = (
        "import sys; from understudy.recipes import names; assert len(names()) > 5; "
        "print([name for name in sys.modules if name == 'torch' or name.startswith('understudy.recipes.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@ALL
def test_every_file_ends_with_its_recipe(name):
    source = (FOLDER / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    last = ast.parse(source).body[-1]
    assert isinstance(last, ast.Assign) and ast.unparse(last).startswith("RECIPE = Recipe(")
    assert isinstance(recipe(name), Recipe)


def test_what_is_no_recipe_is_said_with_those_that_are():
    with pytest.raises(UsageError, match=re.escape(f"there is no such one; choose one of {', '.join(NAMES)}")):
        recipe("magic")
    with pytest.raises(UsageError, match="parts"):
        recipe("parts")


@ALL
def test_a_config_is_known_by_its_recipe(name):
    assert name_of(recipe(name).config()) == name


def test_fingers_are_tracked_where_any_of_the_recipes_plays_by_them():
    with_fingers = {name for name, one in every() if one.landmarks == "wholebody"}
    assert with_fingers == {"copy-then-refine", "limb-warp", "freestyle-reenactment"}
    assert landmarks_for(["pix2pix", "cyclegan"]) == landmarks_for([]) == "body"
    assert landmarks_for(["pix2pix", "limb-warp"]) == landmarks_for(["copy-then-refine"]) == "wholebody"


def test_a_recipe_that_was_not_taught_fingers_is_shown_none(tmp_path):
    """Of what was tracked for it and others together; what was tracked for it, or by its user, it gets as it is."""
    made = tiny_performance(tmp_path / "all.performance", 1)
    whole, body = (dataclasses.replace(made.header, landmarks=kind) for kind in ("wholebody", "body"))
    tracked = Performance(made.path, whole, made.poses, made.status)
    tracked.poses.confidence[:] = 1
    shown = as_tracked_for("everybody-dance-now", tracked)
    assert (shown.poses.confidence[:, :23] == 1).all() and not shown.poses.confidence[:, 23:].any()
    assert (tracked.poses.confidence == 1).all()
    assert as_tracked_for("limb-warp", tracked) is tracked
    given = Performance(tracked.path, body, tracked.poses, tracked.status)
    assert as_tracked_for("everybody-dance-now", given) is given is as_tracked_for("limb-warp", given)


def test_a_config_of_no_recipe_is_refused():
    with pytest.raises(UsageError, match="config` dict: it is of no recipe; take one that a recipe's presets return"):
        name_of({"size": 32})


# -- what a recipe says ----------------------------------------------------------------------------------------


@ALL
def test_a_recipe_has_what_the_house_asks_of_all(name):
    one = recipe(name)
    assert one.title and {"preview", "fast", "paper"} <= one.presets.keys()
    assert one.presets.keys() <= {"instant", "preview", "fast", "paper"}
    assert dataclasses.is_dataclass(one.config) and one.config.__dataclass_params__.frozen
    assert one.config() == one.preset("paper"), "defaults are the paper's numbers"
    trains = one.learns or name == "freestyle-reenactment"  # whose networks learn beforehand, from anybody
    assert hasattr(one.config(), "placement") and hasattr(one.config(), "optimisation") == trains
    assert set(one.needs) <= {"poses", "parsing", "surface"} and one.needs


def test_titles_are_told_apart():
    titles = [one.title for _, one in every()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_presets_give_configs_that_survive_json(name, preset):
    one = recipe(name)
    config = one.preset(preset)
    assert type(config) is one.config and config.size > 0
    stored = json.loads(json.dumps(dataclasses.asdict(config)))
    assert one.read_config(stored) == config
    flat = {}
    for key, value in stored.items():
        flat |= value if isinstance(value, dict) else {key: value}
    assert one.read_config(flat) == config, "as actors held it before there were groups"


@ALL
def test_every_number_has_a_text_a_type_in_words_and_a_last_word_of_its_own(name):
    found = list(numbers(recipe(name).config))
    assert [number.name for number in found if not number.text] == []
    assert all(wanted(number.kind) for number in found)
    lasts = [number.name.rpartition(".")[2] for number in found]
    assert len(set(lasts)) == len(lasts)


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_every_number_can_be_set_to_what_it_is_by_its_text(name, preset):
    config = recipe(name).preset(preset)
    for number, last in ((number, number.name.rpartition(".")[2]) for number in numbers(config)):
        given = number.value
        text = ",".join(map(str, given)) if isinstance(given, tuple) else str(given)
        assert changed(config, {number.name: text}) == changed(config, {last: text}) == config


@ALL
def test_unknown_presets_and_variants_are_said_with_those_there_are(name):
    one = recipe(name)
    with pytest.raises(
        UsageError, match=rf"preset='huge'`: {re.escape(one.title)} has .*; choose one of .*preview, fast, paper"
    ):
        one.preset("huge")
    have = re.escape(f"choose one of {', '.join(one.variants)}") if one.variants else "it has none"
    with pytest.raises(UsageError, match=f"variant='magic'`: .* has no such variant; {have}"):
        one.preset("preview", "magic")


# -- variants --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_a_variant_makes_another_config_of_every_preset(name, variant):
    one = recipe(name)
    for preset in one.presets:
        plain, varied = one.preset(preset), one.preset(preset, variant)
        assert type(varied) is one.config
        assert one.read_config(json.loads(json.dumps(dataclasses.asdict(varied)))) == varied
        assert one.varied(varied, variant) == varied, "twice is once"
        if varied == plain:  # the complete method: then no other variant is
            others = [other for other in one.variants if other != variant and one.varied(plain, other) == plain]
            assert others == []


@ALL
def test_variants_of_a_recipe_are_told_apart(name):
    one = recipe(name)
    for preset in one.presets:
        configs = [one.preset(preset, variant) for variant in one.variants]
        assert all(configs.count(config) == 1 for config in configs)


@pytest.mark.parametrize(
    ("name", "variant", "changes"),
    [
        ("performance-cloning", "paired only", {"lambda_s": 0.0}),
        ("performance-cloning", "no D_p", {"lambda_gan": 0.0}),
        ("performance-cloning", "L1", {"lambda_vgg": 0.0, "lambda_rgb": 100.0}),
        ("performance-cloning", "L1, no D_p", {"lambda_gan": 0.0, "lambda_vgg": 0.0, "lambda_rgb": 100.0}),
        ("performance-cloning", "N = 1", {"consecutive": 1}),
        ("performance-cloning", "N = 2", {}),
        ("performance-cloning", "N = 3", {"consecutive": 3}),
        ("everybody-dance-now", "FBF", {"temporal_smoothing": False, "face": False}),
        ("everybody-dance-now", "FBF+TS", {"face": False}),
        ("everybody-dance-now", "FBF+TS+FG", {}),
        ("everybody-dance-now", "ground-printed", {"placement.normalization": "ground-printed"}),
        ("poses-in-the-wild", "PL-Stage1", {"augment": False, "past_only": True, "refine": False, "unpaired": False}),
        ("poses-in-the-wild", "PL-Stage1-DA", {"past_only": True, "refine": False, "unpaired": False}),
        ("poses-in-the-wild", "PL-Stage1-DA-F", {"refine": False, "unpaired": False}),
        ("poses-in-the-wild", "PL-Stage2", {"unpaired": False}),
        ("poses-in-the-wild", "PL-UL-Stage2", {}),
        ("cyclegan", "frames", {"condition": "frames"}),
        ("cyclegan", "no identity", {"lambda_identity": 0.0}),
        ("cyclegan", "no history", {"history": 0}),
        ("nearest-neighbour", "by limbs", {"metric": "limbs"}),
    ],
)
def test_what_the_ablations_of_the_papers_leave_out(name, variant, changes):
    one = recipe(name)
    for preset in ("preview", "paper"):
        plain, varied = values(one.preset(preset)), values(one.preset(preset, variant))
        assert {number: value for number, value in varied.items() if value != plain[number]} == changes


@pytest.mark.parametrize(
    ("name", "rungs"),
    [
        ("everybody-dance-now", ("FBF", "FBF+TS", "FBF+TS+FG")),
        ("poses-in-the-wild", ("PL-Stage1", "PL-Stage1-DA", "PL-Stage1-DA-F", "PL-Stage2", "PL-UL-Stage2")),
        ("performance-cloning", ("N = 1", "N = 2", "N = 3")),
    ],
)
def test_a_rung_is_the_same_from_wherever_it_is_reached(name, rungs):
    one = recipe(name)
    for begun in rungs:
        from_there = [one.varied(one.preset("paper", begun), rung) for rung in rungs]
        assert from_there == [one.preset("paper", rung) for rung in rungs]


def test_a_variant_that_makes_no_sense_with_a_config_is_said():
    impossible = dataclasses.replace(
        pix2pix.RECIPE, variants={"odd": lambda config: dataclasses.replace(config, size=100)}
    )
    with pytest.raises(UsageError, match=r"odd.*: size 100 cannot be halved 8 times"):
        impossible.preset("paper", "odd")


# -- what it is given, and what it leaves ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "variant", "learns_from"),
    [
        ("performance-cloning", None, "clips"),
        ("performance-cloning", "paired only", None),
        ("poses-in-the-wild", None, "poses"),
        ("poses-in-the-wild", "PL-Stage2", None),
        ("cyclegan", None, None),
        ("cyclegan", "frames", "clips"),
        ("everybody-dance-now", None, None),
        ("pix2pix", None, None),
        ("nearest-neighbour", None, None),
        ("limb-warp", None, None),
        ("copy-then-refine", None, None),
    ],
)
def test_what_it_learns_from_besides_the_reference(name, variant, learns_from):
    one = recipe(name)
    assert one.learns_from(one.preset("preview", variant)) == learns_from


@ALL
def test_rooms_are_painted_where_the_whole_frame_is_learnt(name):
    one = recipe(name)
    for config in [make() for make in one.presets.values()]:
        assert one.paints_room(config) is bool(getattr(config, "whole_frame", False))
    if "w/ BG" in one.variants:
        assert one.paints_room(one.preset("preview", "w/ BG"))


@ALL
def test_without_a_limit_only_steps_are_other(name):
    one = recipe(name)
    config = one.preset("preview")
    endless = one.without_limit(config)
    assert endless == config or endless == dataclasses.replace(config, steps=ENDLESS)


def test_a_small_method_may_train_as_long_as_the_clock_says():
    assert pix2pix.RECIPE.without_limit(pix2pix.preview()).steps == ENDLESS


@ALL
def test_contents_are_what_training_leaves(learnt_small, name):
    learnt = learnt_small(name)
    one, trained = learnt.recipe, learnt.trained
    assert type(trained.config) is one.config
    for arrays, expected in zip((trained.weights, trained.statistics), one.contents(trained.config), strict=True):
        assert arrays.keys() == expected.keys()
        for array_name, (dtype, shape) in expected.items():
            array = arrays[array_name]
            assert array.dtype.str == dtype
            assert [given for given, said in zip(array.shape, shape, strict=True) if said not in (None, given)] == []


@ALL
def test_the_record_is_what_reports_show(learnt_small, name):
    record = learnt_small(name).trained.record
    assert {"steps", "seconds", "device", "seed", "losses"} <= record.keys()
    assert json.loads(json.dumps(record)) == record
    assert (record["steps"] > 0) == recipe(name).learns and record["seed"] == 0
