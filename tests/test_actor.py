"""The actor file: what goes in comes out, and nothing else is accepted."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny_actor import tiny_actor
from understudy.actor import VERSION, Actor
from understudy.base.files import load_tensors, save_tensors
from understudy.errors import ActorError


def test_round_trip(tmp_path: Path) -> None:
    actor = tiny_actor()
    actor.save(tmp_path / "new" / "me.actor")
    loaded = Actor.load(tmp_path / "new" / "me.actor")
    for field in fields(Actor):
        ours, theirs = getattr(actor, field.name), getattr(loaded, field.name)
        if field.name in ("weights", "statistics"):
            assert ours.keys() == theirs.keys()
            for name in ours:
                np.testing.assert_array_equal(ours[name], theirs[name])
        elif field.name == "background":
            np.testing.assert_array_equal(ours, theirs)
        else:
            assert ours == theirs, field.name
    assert loaded.size == 32


def _header(name: str, value: Any) -> Any:
    def change(tensors: dict[str, Any], header: dict[str, Any]) -> None:
        target = header
        *path, last = name.split(".")
        for part in path:
            target = target[part]
        if value is KeyError:
            del target[last]
        else:
            target[last] = value

    return change


def _drop_weight(tensors: dict[str, Any], header: dict[str, Any]) -> None:
    del tensors[next(name for name in tensors if name.startswith("weights/"))]


def _add_weight(tensors: dict[str, Any], header: dict[str, Any]) -> None:
    tensors["weights/other"] = np.zeros(3, np.float32)


def _first_weight(convert: Any) -> Any:
    def change(tensors: dict[str, Any], header: dict[str, Any]) -> None:
        name = next(name for name in sorted(tensors) if name.startswith("weights/") and tensors[name].ndim == 4)
        tensors[name] = convert(tensors[name])

    return change


def _cut_background(tensors: dict[str, Any], header: dict[str, Any]) -> None:
    tensors["background_png"] = tensors["background_png"][:60]


def _nan(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flat[0] = np.nan
    return array


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_header("version", VERSION + 1), "update it with `pip install --upgrade understudy`"),
        (_header("version", 0), "old layout 0"),
        (_header("version", "x"), "layout x"),
        (_header("kind", "performance"), "not an actor"),
        (_header("recipe", "magic"), "recipe='magic'`: there is no such one"),
        (_header("config.size", "huge"), "cannot be used"),
        (_header("config.colour", 3), "colour: there is no such number"),
        (_header("config.augmentation.colour", 3), "augmentation.colour: there is no such number"),
        (_header("config.optimisation.batch", 3), "batch must be even"),
        (_header("config.depth", 2), "not those of its recipe"),
        (_header("config.width", 8), "its recipe needs <f4 (8, 36"),
        (_header("body.hip_width", 0), "hip_width is 0"),
        (_header("crop", KeyError), "'crop' is missing"),
        (_header("fps", "1/0"), "cannot be used"),
        (_header("fps", "1e-9999999"), "'1e-9999999' is no rate"),
        (_header("config.size", float("inf")), "size is inf: it must be a whole number"),
        (_header("config.size", 100_000), "no whole number from 1 to 8192"),
        (_header("body.limb_lengths", [float("nan")]), "nan is no number"),
        (_header("record.losses", {"vgg": "much"}), "'much' is no number"),
        (_header("record.seconds", [1]), "[1] is no number"),
        (_header("original_size_hw", [480, 400]), "its background is 40x48, not 400x480"),
        (_drop_weight, "weights are not those of its recipe"),
        (_add_weight, "weights are not those of its recipe: other"),
        (_first_weight(lambda w: w.astype(np.float64)), "its recipe needs <f4"),
        (_first_weight(lambda w: w[:1]), "its recipe needs"),
        (_first_weight(_nan), "not numbers"),
        (_cut_background, "a picture is damaged"),
    ],
)
def test_what_is_not_right_is_refused_in_one_line(tmp_path: Path, change: Any, message: str) -> None:
    path = tmp_path / "me.actor"
    tiny_actor().save(path)
    tensors, header = load_tensors(path, ActorError)
    change(tensors, header)
    save_tensors(path, tensors, header)
    with pytest.raises(ActorError) as caught:
        Actor.load(path)
    assert message in str(caught.value) and "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "empty"])
def test_damaged_files_are_noticed(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "me.actor"
    tiny_actor().save(path)
    data = bytearray(path.read_bytes())
    data[-50] ^= 1
    path.write_bytes({"cut": data[:-300], "flip": data, "text": b"hello, this is text", "empty": b""}[damage])
    with pytest.raises(ActorError, match=r"damaged|not a safetensors file"):
        Actor.load(path)


def test_missing_actors_say_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ActorError, match=r"there is no actor .*train one with"):
        Actor.load(tmp_path / "me.actor")
    (tmp_path / "me.actor.run").mkdir()
    with pytest.raises(ActorError, match=r"not trained yet.*`resume=True`"):
        Actor.load(tmp_path / "me.actor")
    with pytest.raises(ActorError, match="is a folder, not an actor"):
        Actor.load(tmp_path)
