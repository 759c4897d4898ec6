"""What one function is asked reaches the one that does it: clone to train and perform, evaluate to every training."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tiny import tiny_performance
from tiny_actor import DrawingActor, drawing_actor, tiny_actor
from understudy.actor import Actor
from understudy.compositing.backgrounds import Background
from understudy.consent import Consent
from understudy.covering.coverage import coverage
from understudy.errors import UsageError
from understudy.evaluation import contenders
from understudy.evaluation import evaluate as evaluation
from understudy.performance import Performance
from understudy.performing.driver import Driver
from understudy.recipes import pix2pix
from understudy.recipes.parts.groups import Placement
from understudy.recipes.parts.player import Player
from understudy.recipes.parts.recipe import Recipe
from understudy.recipes.parts.trained import Trained
from understudy.synthetic.drivers import part_of
from understudy.tracking.track import track
from understudy.training.session import Session
from understudy.verbs import checks
from understudy.verbs.clone import clone
from understudy.verbs.evaluate import evaluate
from understudy.verbs.perform import perform
from understudy.verbs.train import train


@dataclass(frozen=True)
class Config:
    size: int = 320
    made_by: str = ""
    remark: str = ""
    whole_frame: bool = False
    placement: Placement = Placement()


@pytest.fixture
def me(tmp_path: Path) -> Path:
    return tiny_performance(tmp_path / "me.performance", 1).path


@pytest.fixture
def dance(tmp_path: Path) -> Path:
    return tiny_performance(tmp_path / "dance.performance", 2).path


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a recipe's `train` is given; it makes an actor at once."""
    given: dict[str, Any] = {}

    def recipe_train(session: Session) -> Trained:
        names = ("reference", "unpaired", "folder", "config", "resume", "max_minutes", "max_steps", "seed")
        given.update({name: getattr(session, name) for name in names}, device=str(session.device))
        given["memory_gb"] = session.memory_gb
        actor = tiny_actor()
        return Trained(session.config, actor.weights, actor.statistics, {"steps": 1})

    presets = {preset: lambda preset=preset: Config(made_by=preset) for preset in ("preview", "fast", "paper")}
    fake = replace(
        pix2pix.RECIPE,
        config=Config,
        presets=presets,
        train=recipe_train,
        variants={"half": lambda config: replace(config, made_by=f"{config.made_by} half")},
        learns_from=lambda config: "clips",
        paints_room=lambda config: config.whole_frame,
        without_limit=lambda config: config,
    )

    def recipe(name: str) -> Recipe:
        given["recipe"] = name
        return fake

    monkeypatch.setattr("understudy.recipes.recipe", recipe)
    monkeypatch.setattr(contenders, "recipe", recipe)
    return given


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `perform_to_file` is given, instead of being run."""
    given: dict[str, Any] = {}

    def perform_to_file(actor: Actor, driver: Driver, output: Path, **options: Any) -> None:
        given.update(options, actor=actor, driver=driver, output=output)

    monkeypatch.setattr("understudy.performing.perform.perform_to_file", perform_to_file)
    return given


@pytest.fixture
def asked_to_track(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What is tracked, and how; the clips are performances and stand for videos."""
    from understudy.tracking import track

    real, asked = track.tracked, []

    def tracked(clip: Any, **options: Any) -> Performance:
        if not isinstance(clip, Performance):
            asked.append((Path(clip).name, {name: given for name, given in options.items() if given is not None}))
        return real(clip)

    monkeypatch.setattr(track, "tracked", tracked)
    return asked


TRAINING = {
    "recipe": "pix2pix", "preset": "fast", "resume": True, "max_minutes": 2.5, "max_steps": 7,
    "memory_gb": 1.5, "seed": 5,
    "normalization": "ground", "variant": "half", "settings": ["remark=here"], "consent": "It is me", "device": "cpu",
}  # fmt: skip


def check_training(given: dict[str, Any], actor: Actor, output: Path, unpaired: list[str]) -> None:
    assert {name: given[name] for name in ("recipe", "resume", "max_minutes", "max_steps", "seed", "device")} == {
        name: TRAINING[name] for name in ("recipe", "resume", "max_minutes", "max_steps", "seed", "device")
    }
    assert given["memory_gb"] == TRAINING["memory_gb"]
    assert given["config"] == Config(made_by="fast half", remark="here")
    assert given["reference"].path.name == "me.performance"
    assert [one.path.name for one in given["unpaired"]] == unpaired
    assert given["folder"] == output.with_name(output.name + ".run")
    assert actor.placement.normalization == "ground"
    assert (actor.recipe, actor.record["preset"], actor.consent.text) == ("pix2pix", "fast", "It is me")


def test_train_hands_on_all_it_is_asked(
    tmp_path: Path, me: Path, dance: Path, trained: dict[str, Any], asked_to_track: list[Any]
) -> None:
    output = tmp_path / "me.actor"
    actor = train(me, output, unpaired=[dance], **TRAINING)
    check_training(trained, actor, output, ["dance.performance"])
    assert output.is_file()
    assert asked_to_track == [("me.performance", {"size": 320}), ("dance.performance", {"size": 320})]


def test_clone_hands_on_all_that_it_shares_with_train_and_perform(
    tmp_path: Path,
    me: Path,
    dance: Path,
    trained: dict[str, Any],
    performed: dict[str, Any],
    asked_to_track: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    questions = []
    monkeypatch.setattr(
        "understudy.consent.obtain_consent",
        lambda consent, name: questions.append((consent, name)) or Consent(consent, "now"),
    )
    more = tiny_performance(tmp_path / "more.performance", 3).path
    output = tmp_path / "out.mkv"
    shown = {"background": "#102030", "compare": True, "fit": "whole", "missing_limbs": "crop"}
    assert clone(me, dance, output, unpaired=[more], **shown, **TRAINING) == output
    check_training(trained, performed["actor"], tmp_path / "out.actor", ["dance.performance", "more.performance"])
    assert questions == [("It is me", "me.performance")]  # once
    assert performed == performed | {
        "output": output, "background": Background((16, 32, 48)), "compare": tmp_path / "out.compare.mp4",
        "overlay": tmp_path / "out.normalization.png", "fit": "whole", "missing_limbs": "crop",
        "device": "cpu",
    }  # fmt: skip
    assert performed["driver"].performance.path == dance
    assert asked_to_track == [
        (name, {"size": 320}) for name in ("me.performance", "dance.performance", "more.performance")
    ]


def test_the_table_of_what_clone_shares_is_whole() -> None:
    shared = inspect.signature(train).parameters.keys() - {"reference", "output", "unpaired", "config"}
    shared -= {f"reference_{name}" for name in PART}
    assert TRAINING.keys() == shared - {"overwrite"}  # which goes without `resume`, see test_overwriting.py
    assert shared < inspect.signature(clone).parameters.keys()
    own = inspect.signature(clone).parameters.keys() - inspect.signature(train).parameters.keys()
    of_the_driver = {"driving", *(f"driving_{name}" for name in PART)}
    assert (
        own
        == {"background", "compare", "fit", "missing_limbs", "marks", "sign_cert", "sign_key", "label"} | of_the_driver
        < inspect.signature(perform).parameters.keys()
    )


PART = {
    "start": 1.0, "end": 2.5, "rotate": 180, "region": (1, 2, 30, 40), "poses": "poses.json", "matte": "green",
    "tolerate_damage": True,
}  # fmt: skip


@pytest.mark.parametrize("role", ["reference", "driving"])
@pytest.mark.parametrize("name", PART)
def test_how_a_clip_is_read_reaches_its_tracking_alone(
    tmp_path: Path, trained: dict[str, Any], performed: dict[str, Any], monkeypatch: Any, role: str, name: str
) -> None:
    clips = {"reference": tmp_path / "me.mp4", "driving": tmp_path / "dance.mp4"}
    tracked = tiny_performance(tmp_path / "any.performance", 1)
    asked: dict[str, dict[str, Any]] = {}

    def tracking(clip: Any, cache: Any = None, **how: Any) -> Performance:
        if not isinstance(clip, Performance):
            asked[str(clip)] = how
        return tracked

    monkeypatch.setattr("understudy.tracking.track.tracked", tracking)
    monkeypatch.setattr("understudy.media.reading.probe", lambda path: SimpleNamespace(has_audio=False))
    chosen = {f"{role}_{name}": PART[name]}

    def expected(of: str, **others: Any) -> dict[str, Any]:
        return others | ({name: PART[name]} if of == role else {})

    options = {"recipe": "pix2pix", "consent": "It is me", "device": "cpu"}
    clone(clips["reference"], clips["driving"], tmp_path / "out.mp4", **options, **chosen)
    assert asked == {str(path): expected(of, size=320) for of, path in clips.items()}
    asked.clear()
    if role == "reference":
        train(clips["reference"], tmp_path / "again.actor", **options, **chosen)
        assert asked == {str(clips["reference"]): expected("reference", size=320)}
    else:
        for actors in (tiny_actor(), [tiny_actor(), tiny_actor()]):
            perform(actors, clips["driving"], tmp_path / "out.mp4", **chosen)
            assert asked == {str(clips["driving"]): expected("driving", landmarks="body")}
            asked.clear()
    asked.clear()
    coverage(clips["reference"], clips["driving"], **chosen)
    fingers = {"landmarks": "wholebody"}
    usual = {"reference": {"size": 512, **fingers}, "driving": fingers}
    assert asked == {str(path): expected(of, **usual[of]) for of, path in clips.items()}


@pytest.mark.parametrize("name", PART)
def test_defaults_are_those_of_track(name: str) -> None:
    default = inspect.signature(track).parameters[name].default
    for verb in (clone, train, perform, coverage):
        mine = inspect.signature(verb).parameters
        mine = [mine[f"{role}_{name}"].default for role in ("reference", "driving") if f"{role}_{name}" in mine]
        assert mine and set(mine) == {default}
    assert part_of("driving", "dance.mp4", **{name: default}) == {}


@pytest.mark.parametrize("name", PART)
def test_what_is_tracked_already_is_not_read_in_another_way(tmp_path: Path, dance: Path, name: str) -> None:
    bvh = tmp_path / "walk.bvh"
    bvh.write_text("HIERARCHY\n")
    loaded = Performance.load(dance)
    for clip, why in (
        (dance, "dance.performance is a performance"), (loaded, "is tracked already"), (bvh, "is motion alone")
    ):  # fmt: skip
        with pytest.raises(UsageError, match=f"`driving_{name}` is for a video, .*{why}: leave it out"):
            perform(tiny_actor(), clip, tmp_path / "out.mp4", **{f"driving_{name}": PART[name]})


@pytest.mark.parametrize("verb", [clone, train, perform, coverage])
def test_pictures_are_turned_by_quarters(tmp_path: Path, me: Path, dance: Path, verb: Any) -> None:
    given = {"reference": "me.mp4", "driving": "dance.mp4", "actor": tiny_actor(), "output": tmp_path / "out.mp4"}
    names = inspect.signature(verb).parameters
    if verb is coverage:
        given["output"] = tmp_path / "out.html"
    role = "driving" if "driving" in names else "reference"
    with pytest.raises(UsageError, match=f"`{role}_rotate=45`: pictures are turned by 90, 180 or 270 degrees"):
        verb(**{name: given[name] for name in given if name in names}, **{f"{role}_rotate": 45})


@pytest.mark.parametrize("name", TRAINING)
def test_defaults_are_those_of_train(name: str) -> None:
    defaults = [inspect.signature(verb).parameters[name].default for verb in (train, clone)]
    assert defaults[0] == defaults[1] and defaults[0] != TRAINING[name]


BAD = {
    "recipe": "magic", "preset": "best", "max_minutes": 0.0, "max_steps": 0, "memory_gb": -1.0,
    "seed": -1, "normalization": "magic",
    "variant": "half", "settings": ["magic=1"], "consent": "",
    "device": "tpu", "fit": "big", "unpaired": ["choreography:3"], "background": "purpleish",
    "missing_limbs": "hop",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_clone_looks_at_everything_before_it_tracks(
    tmp_path: Path, me: Path, dance: Path, asked_to_track: list[Any], name: str
) -> None:
    with pytest.raises(Exception, match="consent|`" + name):
        clone(me, dance, tmp_path / "out.mp4", **{"consent": "It is me", name: BAD[name]})
    assert not asked_to_track
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dance.performance", "me.performance"]


def test_a_room_that_is_learnt_along_is_known_before_anybody_is_asked(
    tmp_path: Path, me: Path, dance: Path, asked_to_track: list[Any], trained: dict[str, Any], monkeypatch: Any
) -> None:
    monkeypatch.setattr(checks, "_recipe_and_config", lambda *_: ("pix2pix", Config(whole_frame=True)))
    monkeypatch.setattr("understudy.consent.obtain_consent", lambda *_: pytest.fail("asked"))
    with pytest.raises(UsageError, match="`background` must be reference"):
        clone(me, dance, tmp_path / "out.mp4", background="black")
    assert not asked_to_track


class Watched(DrawingActor):
    """Says how it was asked to play."""

    played: list[tuple[str, str, int]] = []

    def player(self, device: str = "auto", frames: int = 0) -> Player:
        self.played.append((self.placement.normalization, device, frames))
        return super().player(device)


@pytest.mark.parametrize("cast", [1, 2])
@pytest.mark.parametrize("layout", ["side-by-side", "stage"])
def test_perform_hands_on_normalization_device_and_how_much_there_is_to_play(
    tmp_path: Path, dance: Path, cast: int, layout: Any
) -> None:
    actors = [Watched(**vars(drawing_actor(reference_name=f"{number}.mp4"))) for number in range(cast)]
    Watched.played.clear()
    perform(actors, dance, tmp_path / "out.mp4", layout=layout, normalization="ground", device="cpu")
    frames = len(Performance.load(dance))
    assert Watched.played == [("ground", "cpu", frames)] * cast
    perform(actors, dance, tmp_path / "out.mp4", layout=layout)
    assert Watched.played[cast:] == [("similarity", "auto", frames)] * cast


def test_perform_hands_on_everything_else(tmp_path: Path, dance: Path, performed: dict[str, Any]) -> None:
    actor = tiny_actor()
    output = tmp_path / "out.webm"
    perform(
        actor, dance, output, background="transparent", compare=True, fit="whole", missing_limbs="fade", marks=False,
        label="corner", device="cpu",
    )  # fmt: skip
    assert performed == {
        "actor": actor, "driver": performed["driver"], "output": output, "background": Background("transparent"),
        "compare": tmp_path / "out.compare.mp4", "overlay": tmp_path / "out.normalization.png", "fit": "whole",
        "missing_limbs": "fade", "marks": False, "signing": None, "label": True, "device": "cpu",
    }  # fmt: skip
    assert performed["driver"].performance.path == dance
    perform(actor, dance, output, background="transparent")
    assert [performed[name] for name in ("compare", "overlay", "fit", "device")] == [None, None, "placed", "auto"]
    assert [performed[name] for name in ("missing_limbs", "marks", "label")] == ["stand", True, False]


def test_several_get_layout_background_and_comparison(tmp_path: Path, dance: Path, monkeypatch: Any) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(
        "understudy.performing.ensemble.perform_together",
        lambda cast, driver, output, **options: given.update(options, cast=cast, driver=driver, output=output),
    )
    output = tmp_path / "out.webm"
    shown = {"background": "transparent", "compare": True, "fit": "whole", "missing_limbs": "crop", "marks": False}
    perform([tiny_actor(), tiny_actor()], dance, output, layout="stage", label="corner", **shown)
    assert len(given.pop("cast")) == 2 and given.pop("driver").performance.path == dance
    assert given == {
        "output": output, "layout": "stage", "background": Background("transparent"),
        "compare": tmp_path / "out.compare.mp4", "fit": "whole", "missing_limbs": "crop", "marks": False,
        "signing": None, "label": True, "device": "auto",
    }  # fmt: skip


# -- evaluate ----------------------------------------------------------------------------------------------------


class Stopped(Exception):
    """Where there is nothing more to see."""


def test_evaluate_hands_on_how_to_split_and_how_to_train(
    tmp_path: Path, me: Path, dance: Path, trained: dict[str, Any], monkeypatch: Any
) -> None:
    parts = SimpleNamespace(training=Performance.load(me), held_out=Performance.load(dance))
    split = []
    monkeypatch.setattr(evaluation, "split", lambda video, **options: split.append((video, options)) or parts)
    devices = []
    monkeypatch.setattr(
        contenders, "choose_device", lambda device: devices.append(device) or SimpleNamespace(type="cpu")
    )

    def compared(*_: Any, device: str, **__: Any) -> None:
        devices.append(device)
        raise Stopped

    monkeypatch.setattr(evaluation, "truth_of", lambda *_: SimpleNamespace(size=32, pose=parts.held_out.poses))
    monkeypatch.setattr(evaluation, "part_of", lambda *_: None)
    monkeypatch.setattr(evaluation, "compare", compared)
    other = tiny_performance(tmp_path / "other.performance", 5).path
    with pytest.raises(Stopped):
        evaluate(
            "me.mp4", tmp_path / "report", recipes=["performance-cloning"], preset="fast", max_minutes=1.5,
            unpaired=[other], train_share=0.75, gap=0.25, seed=5, consent="It is me", device="cpu", rotate=90,
        )  # fmt: skip
    asked = {"train_share": 0.75, "gap_seconds": 0.25, "size": 320, "rotate": 90, "landmarks": "body"}
    assert split == [(Path("me.mp4"), asked)]
    assert devices == ["cpu", "cpu"]
    assert trained == trained | {
        "recipe": "performance-cloning", "config": Config(made_by="fast"), "seed": 5, "max_minutes": 1.5,
        "max_steps": None, "device": "cpu", "resume": False, "reference": parts.training,
    }  # fmt: skip
    assert [one.path for one in trained["unpaired"]] == [other]


def test_evaluating_an_actor_hands_on_turn_and_device(tmp_path: Path, dance: Path, monkeypatch: Any) -> None:
    video = tmp_path / "held_out.mp4"
    video.write_bytes(b"")
    asked = []
    monkeypatch.setattr(evaluation, "tracked", lambda clip, **how: asked.append(how) or Performance.load(dance))
    monkeypatch.setattr(evaluation, "truth_of", lambda *_: None)
    monkeypatch.setattr(evaluation, "part_of", lambda *_: None)
    devices = []

    def compared(*_: Any, device: str, **__: Any) -> None:
        devices.append(device)
        raise Stopped

    monkeypatch.setattr(evaluation, "compare", compared)
    with pytest.raises(Stopped):
        evaluate(actor=tiny_actor(), driving=video, output=tmp_path / "report", device="cpu", rotate=180)
    assert (asked, devices) == ([{"rotate": 180, "landmarks": "body"}], ["cpu"])


@pytest.mark.parametrize(
    ("recipes", "landmarks"),
    [
        (["limb-warp"], "wholebody"),
        (["performance-cloning"], "body"),
        (["performance-cloning", "limb-warp"], "wholebody"),
        (["performance-cloning", "performance-cloning"], "body"),
    ],
)
def test_drivers_are_tracked_with_fingers_for_actors_that_play_them(
    tmp_path: Path, dance: Path, monkeypatch: Any, recipes: list[str], landmarks: str
) -> None:
    asked = []

    def of(clip: Any, **options: Any) -> Driver:
        asked.append(options)
        raise Stopped

    monkeypatch.setattr(Driver, "of", of)
    actors = [tiny_actor(recipe=name) for name in recipes]
    monkeypatch.setattr(
        "understudy.performing.members.members", lambda given, *_: [SimpleNamespace(outline=one) for one in given]
    )
    with pytest.raises(Stopped):
        perform(actors, dance, tmp_path / "out.mp4")
    assert [one["landmarks"] for one in asked] == [landmarks]


def test_evaluations_track_fingers_if_anybody_plays_them_and_show_them_to_nobody_else(
    tmp_path: Path, me: Path, dance: Path, monkeypatch: Any
) -> None:
    found = Performance.load(me)
    whole = Performance(found.path, replace(found.header, landmarks="wholebody"), found.poses, found.status)
    whole.poses.confidence[:] = 1
    asked = []
    parts = SimpleNamespace(training=whole, held_out=Performance.load(dance))
    monkeypatch.setattr(evaluation, "split", lambda video, **options: asked.append(options["landmarks"]) or parts)
    learnt_from = {}

    def learnt(who: Any, reference: Performance, *_: Any, **__: Any) -> None:
        learnt_from[who.recipe] = reference.poses.confidence[:, 23:].any()
        if len(learnt_from) == 2:
            raise Stopped

    monkeypatch.setattr(evaluation, "learnt", learnt)
    with pytest.raises(Stopped):
        evaluate(
            "me.mp4", tmp_path / "report", recipes=["performance-cloning", "limb-warp"], unpaired=[dance],
            consent="It is me", device="cpu",
        )  # fmt: skip
    assert asked == ["wholebody"]
    assert learnt_from == {"performance-cloning": False, "limb-warp": True}


def test_who_plays_fingers_is_evaluated_by_them(tmp_path: Path, dance: Path, monkeypatch: Any) -> None:
    video = tmp_path / "held_out.mp4"
    video.write_bytes(b"")
    asked = []

    def tracked(clip: Any, **how: Any) -> None:
        asked.append(how["landmarks"])
        raise Stopped

    monkeypatch.setattr(evaluation, "tracked", tracked)
    with pytest.raises(Stopped):
        evaluate(actor=tiny_actor(recipe="limb-warp"), driving=video, output=tmp_path / "report", device="cpu")
    assert asked == ["wholebody"]
