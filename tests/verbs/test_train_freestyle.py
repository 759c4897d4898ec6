"""Networks for photographs: people are gathered once, the three are trained in turn, and all of it goes on."""

import json

import numpy as np
import pytest

from understudy import inspect, train_freestyle
from understudy.actor import Actor
from understudy.errors import ActorError, ConsentError, TrainingError, UsageError
from understudy.media.images import read_image
from understudy.recipes.parts.freestyle_model import load_model

SMALL = (
    "b2f_widths=6,6,6,6,6", "b2f_first=4", "b2f_hidden=4", "p2b_width=4", "p2b_blocks=1", "fr_widths=4,6,8",
    "discriminator_width=4", "batch=2", "steps=2,2,2", "features=random", "vgg_layers=relu1_1,",
)  # fmt: skip


def trained(path, **asked):
    return load_model(
        train_freestyle(path, people="made-up:1", preset="preview", settings=SMALL, device="cpu", **asked)
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A model whose training was not broken."""
    path = tmp_path_factory.mktemp("whole") / "my.freestyle"
    trained(path)
    return path


def test_a_model_says_what_it_has_seen(whole):
    model = load_model(whole)
    assert model.record["seen"] == "1 made-up people and no real ones"
    assert model.record["stages"] == {"p2b": 2, "b2f": 2, "fr": 2}
    assert {name.split("/")[0] for name in model.weights} == {"p2b", "b2f", "fr"}
    assert all(np.isfinite(value).all() for value in model.weights.values())


def test_a_model_is_inspected(whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = inspect(whole)
    assert "1 made-up people and no real ones" in str(found) and "b2f 2, fr 2, p2b 2" in str(found)
    assert "nobody real was asked" in str(found) and found.sheet.name == "my.freestyle.png"
    assert np.ptp(read_image(found.sheet)) > 100
    with pytest.raises(ActorError, match=r"is a model of train-freestyle, not an actor: .*--person PHOTO --model"):
        Actor.load(whole)


def test_a_training_that_was_stopped_goes_on_and_ends_the_same(tmp_path, whole):
    path = tmp_path / "my.freestyle"
    trained(path, max_steps=3)
    people = next((tmp_path / "my.freestyle.run" / "people").glob("*.safetensors"))
    made = people.stat().st_mtime_ns
    resumed = trained(path, resume=True)
    assert people.stat().st_mtime_ns == made
    for name, value in load_model(whole).weights.items():
        np.testing.assert_array_equal(resumed.weights[name], value, err_msg=name)


def test_only_the_face_learns_from_another_network(whole):
    folders = whole.with_name("my.freestyle.run")
    built_on = {
        name: json.loads((folders / name / "run.json").read_text())["settings"]["builds_on"]
        for name in ("p2b", "b2f", "fr")
    }
    assert built_on == {"p2b": {}, "b2f": {}, "fr": {"b2f": 2}}


def test_nothing_that_was_trained_is_lost_by_a_slip(whole):
    with pytest.raises(UsageError, match="is there: train it further"):
        train_freestyle(whole, people="made-up:1")
    with pytest.raises(UsageError, match="give one of them"):
        train_freestyle(whole, resume=True, overwrite=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"people": "made-up"}, "give made-up:COUNT"),
        ({"people": "made-up:0"}, "nobody to learn from"),
        ({"variant": "blue"}, "blue"),
        ({"settings": ["blue=1"]}, "blue"),
        ({"video_data": ["nowhere"]}, "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, asked, said):
    with pytest.raises(UsageError, match=said):
        train_freestyle(tmp_path / "my.freestyle", **{"people": "made-up:0", **asked})


def test_what_a_preset_lacks_is_told_before_people_are_made(tmp_path):
    with pytest.raises(TrainingError, match=r"vggface2:FILE, which gives 2048, or face_embedding=320"):
        train_freestyle(tmp_path / "my.freestyle", people="made-up:2000", preset="paper")
    assert not (tmp_path / "my.freestyle.run").exists()


def test_people_in_clips_are_asked(tmp_path):
    with pytest.raises(ConsentError, match=r"me\.mp4"):
        train_freestyle(tmp_path / "my.freestyle", people="made-up:0", reference=["me.mp4"])


def test_a_damaged_model_is_one_line(tmp_path, whole):
    (tmp_path / "cut.freestyle").write_bytes(whole.read_bytes()[:5000])
    (tmp_path / "text.freestyle").write_text("hello")
    for name in ("cut", "text", "missing"):
        with pytest.raises(TrainingError, match=name):
            load_model(tmp_path / f"{name}.freestyle")
