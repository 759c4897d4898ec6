"""Adding a recipe is one file: a toy is put into the folder, and all that works with recipes works with it."""

import importlib
import json
import sys
from fractions import Fraction

import numpy as np
import pytest

import understudy
from tiny import tiny_performance
from understudy import recipes
from understudy.actor import Actor
from understudy.cli import main as cli
from understudy.consent import Consent
from understudy.errors import UsageError
from understudy.evaluation import evaluate as evaluating
from understudy.evaluation.contenders import contender, learnt, timed
from understudy.evaluation.results import Evaluation
from understudy.media.reading import VideoReader
from understudy.recipes.parts.recipe import ENDLESS
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene
from understudy.verbs import recipes as listing

TOY = '''
"""The mean picture of the reference, whatever the pose: a bar that nobody misses. No paper's method."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from understudy.conditioning.clips import flat_colour, read_clip
from understudy.conditioning.pictures import pixels
from understudy.recipes.parts.groups import Optimisation, Placement
from understudy.recipes.parts.player import BATCH, batches
from understudy.recipes.parts.recipe import ENDLESS, Recipe
from understudy.recipes.parts.trained import Trained, arrays_of, restored
from understudy.training.step import descend


@dataclass(frozen=True)
class Config:
    """What the toy has numbers for."""

    size: int = 64
    """pixels: side S of the square picture"""
    placement: Placement = Placement()
    optimisation: Optimisation = Optimisation(batch=4, learning_rate=0.1)
    steps: int = 300
    """training steps"""
    dimmed: float = 0.0
    """share of the light that is taken from the picture; beyond what is taught"""

    def __post_init__(self) -> None:
        if not 0 <= self.dimmed <= 1:
            raise ValueError(f"dimmed is a share between 0 and 1, not {self.dimmed}")


def small() -> Config:
    return Config(size=32, steps=60)


class Picture(nn.Module):
    def __init__(self, size: int):
        super().__init__()
        self.picture = nn.Parameter(torch.zeros(1, 3, size, size))

    def forward(self, count):
        return self.picture.expand(count, -1, -1, -1)


class Toy:
    shown = "picture"

    def __init__(self, session, clip):
        self.session, self.clip = session, clip
        session.begin()
        network = Picture(session.config.size)
        self.mean, self.optimizer = session.fitted(network)
        self.networks, self.optimizers = {"picture": network}, {"picture": self.optimizer}

    def training_step(self, step):
        config = self.session.config
        drawn = self.session.chance.draw(1, step, config.optimisation.batch, len(self.clip.windows))
        as_filmed = self.clip.to_picture.expand(len(drawn), 2, 3)
        frames = self.clip.frames_at(self.clip.windows[drawn], as_filmed, config.size)
        goal = {"squares": (self.mean(len(drawn)) - frames).square().mean()}
        descend(self.session.fabric, self.optimizer, goal)
        return goal

    def preview(self, generator, folder, step):
        np.save(folder / f"{step}.npy", next(pixels(generator(1))))


def train(session):
    config, colour = session.config, flat_colour(session.reference)
    side = session.reference.header.size_hw[0]
    clip = read_clip(session.reference, None, colour, 1, 0.1, config.size, side, session.device, at_least=4)
    outcome = session.run(Toy(session, clip), config.steps)
    return Trained(config, outcome.weights, {"flat_colour": np.array(colour, np.uint8)}, session.record)


def contents(config):
    return arrays_of(Picture(config.size)), {"flat_colour": ("|u1", (3,))}


class ToyPlayer:
    latency, needs = 0, ("poses",)

    def __init__(self, config, network):
        self.config, self.network = config, network

    @torch.no_grad()
    def play(self, moments, batch=BATCH):
        for some in batches(moments, batch):
            yield from pixels((self.network(len(some)) + 1) * (1 - self.config.dimmed) - 1)


def player(config, weights, statistics, device="auto", frames=0):
    return ToyPlayer(config, restored(Picture(config.size), weights, torch.device("cpu")))


RECIPE = Recipe(
    title="Mean picture",
    paper="",
    config=Config,
    presets={"preview": small, "fast": Config, "paper": Config},
    train=train,
    contents=contents,
    player=player,
    variants={"in the dark": lambda config: replace(config, dimmed=1.0)},
    without_limit=lambda config: replace(config, steps=ENDLESS),
)
'''


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The file, in a folder that stands before that of the recipes; not another line is changed."""
    folder, package = tmp_path_factory.mktemp("recipes"), list(recipes.__path__)
    (folder / "toy_mean.py").write_text(TOY, encoding="utf-8")
    recipes.__path__[:] = [str(folder), *package]
    importlib.invalidate_caches()
    yield "toy-mean"
    recipes.__path__[:] = package
    sys.modules.pop("understudy.recipes.toy_mean", None)
    if hasattr(recipes, "toy_mean"):
        del recipes.toy_mean


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("me") / "me.performance", 1)


@pytest.fixture(scope="module")
def actor(toy, me, tmp_path_factory):
    path = tmp_path_factory.mktemp("actor") / "me.actor"
    understudy.train(me, path, recipe=toy, settings=["steps=80"], consent="I am the drawing", device="cpu")
    return path


def told(capsys, *words):
    try:
        cli.main(list(words))
    except SystemExit as left:
        assert not left.code
    return " ".join(capsys.readouterr().out.split())


def test_it_is_found(toy):
    assert toy in recipes.names() and toy in dict(recipes.every())
    assert recipes.recipe(toy).title == "Mean picture"
    assert recipes.name_of(recipes.recipe(toy).preset("preview")) == toy


def test_without_its_file_there_is_no_such_recipe(toy):
    path = list(recipes.__path__)
    try:
        recipes.__path__[:] = path[1:]
        with pytest.raises(UsageError, match="there is no such one"):
            recipes.recipe(toy)
    finally:
        recipes.__path__[:] = path


def test_its_numbers_are_listed(toy):
    listed = " ".join(str(listing.list_recipes(toy)).split())
    assert "presets: preview, fast, paper" in listed and "variants: in the dark" in listed
    assert "dimmed = 0.0 (a number) share of the light that is taken from the picture" in listed
    assert "steps = 300; preview: 60 (a whole number) training steps" in listed


def test_the_command_line_knows_it(toy, capsys):
    assert f"{toy} Mean picture" in told(capsys, "recipes")
    assert "dimmed = 0.0" in told(capsys, "recipes", toy)
    for verb in ("train", "clone", "evaluate"):
        assert toy in told(capsys, verb, "--help"), verb


def test_it_trains(actor, me):
    made = Actor.load(actor)
    assert (made.recipe, made.size, made.record["steps"]) == ("toy-mean", 32, 80)
    assert made.config.steps == 80 and made.record["losses"]["squares"] < 0.2
    run = actor.with_name("me.actor.run")
    assert sorted(path.name for path in (run / "previews").iterdir()) == ["80.npy"]
    assert json.loads((run / "run.json").read_text())["settings"]["recipe"] == "toy-mean"


def test_its_variants_and_its_own_checks_are_reached(toy, me, tmp_path):
    arguments = {"recipe": toy, "consent": "I am the drawing", "device": "cpu", "max_steps": 2}
    dark = understudy.train(me, tmp_path / "dark.actor", variant="in the dark", **arguments)
    assert dark.config.dimmed == 1.0
    with pytest.raises(UsageError, match="dimmed is a share between 0 and 1, not 7"):
        understudy.train(me, tmp_path / "no.actor", settings=["dimmed=7"], **arguments)
    with pytest.raises(UsageError, match=r"did you mean dimmed\?"):
        understudy.train(me, tmp_path / "no.actor", settings=["dimed=0"], **arguments)


def test_it_goes_on_where_it_was(actor, toy, me, tmp_path):
    arguments = {"recipe": toy, "settings": ["steps=80"], "consent": "I am the drawing", "device": "cpu"}
    understudy.train(me, tmp_path / "me.actor", max_steps=30, **arguments)
    again = understudy.train(me, tmp_path / "me.actor", resume=True, **arguments)
    np.testing.assert_array_equal(again.weights["picture"], Actor.load(actor).weights["picture"])


def test_it_performs(actor, me, tmp_path):
    understudy.perform(actor, me, tmp_path / "out.mkv", background="#000000", device="cpu")
    frames = list(VideoReader(tmp_path / "out.mkv"))
    mean = np.mean([frame * (matte[..., None] / 255) for frame, matte in zip(me.frames(), me.mattes(), strict=True)], 0)
    assert len(frames) == len(me) and frames[3].shape == (48, 40, 3)
    seen = frames[3][:32, :32].astype(float).mean(-1)
    assert np.corrcoef(seen.ravel(), mean.mean(-1).ravel())[0, 1] > 0.8


def test_it_is_looked_into(actor, tmp_path):
    found = understudy.inspect(actor, tmp_path / "sheet.png")
    assert "toy-mean" in str(found) and found.sheet.stat().st_size > 1000


def test_it_is_compared_like_any_other(toy, me, tmp_path):
    who = contender(toy, "preview", steps=5)
    assert (who.title, who.config.steps, who.unpaired, who.learns) == ("Mean picture", 5, False, True)
    assert timed(who).config.steps == ENDLESS
    made = learnt(who, me, [], tmp_path, Consent("made up", ""), device="cpu")
    assert made.record["asked"]["recipe"] == toy
    path, before = tmp_path / "toy-mean.actor", (tmp_path / "toy-mean.actor").stat().st_mtime_ns
    learnt(who, me, [], tmp_path, Consent("made up", ""), device="cpu")
    assert path.stat().st_mtime_ns == before, "it was trained before"


def test_it_stands_in_a_report(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(evaluating, "DANCE_SECONDS", 0.4)
    video = tmp_path / "me.mp4"
    write_clip(video, make_person(1), choreography(3, 1.5, Fraction(12)), make_scene(1, (256, 192)))
    page = understudy.evaluate(
        video, tmp_path / "report", recipes=(toy, "nearest-neighbour"), gap=0.0, consent="made up", device="cpu"
    )
    (test,) = Evaluation.load(page.parent / "results.json").tests
    assert [method.title for method in test.methods] == ["Mean picture", "Nearest neighbour"]
    assert test.methods[0].measures["rmse"].regions["person"].mean > 0
    assert "Mean picture" in page.read_text(encoding="utf-8")
