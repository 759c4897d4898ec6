"""Numbers of a config by name: found, changed, read from text and from files, refused in one line."""

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Literal

import pytest

from understudy.errors import UsageError
from understudy.recipes.parts.groups import Augmentation, Optimisation, Placement
from understudy.recipes.parts.settings import Number, assignments, changed, numbers, read, stored, wanted
from understudy.retargeting.augmentation import PoseNoise


@dataclass(frozen=True)
class Edge:
    """A group that has a name in common with another one."""

    width: float = 2.0
    """pixels: of the rim"""
    softness: float = 0.5


@dataclass(frozen=True)
class Config:
    """Numbers of every kind."""

    size: int = 64
    """pixels: side of the
    square picture"""
    features: Literal["auto", "vgg19", "random"] = "auto"
    placement: Placement = Placement()
    optimisation: Optimisation = Optimisation(batch=2)
    augmentation: Augmentation = Augmentation()
    pose_noise: PoseNoise = PoseNoise()
    edge: Edge = Edge()
    seam: Edge = Edge(width=1.0)
    steps: int | None = None
    """training steps"""
    shares: tuple[float, ...] = (0.5, 0.5)
    box_hw: tuple[int, int] = (64, 32)
    layers: tuple[str, ...] = ("relu1_1",)
    face: bool = True
    least: float = 0.0
    most: float = 1.0

    def __post_init__(self) -> None:
        for name in ("shares", "box_hw", "layers"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.least > self.most:
            raise ValueError(f"least {self.least} is above most {self.most}")


NAMES = [
    "size", "features", "placement.normalization", "placement.scale_by", "placement.fit_limbs", "placement.on_ground",
    "optimisation.batch",
    "optimisation.learning_rate", "optimisation.betas", "optimisation.initial_deviation", "optimisation.ema_decay",
    "augmentation.rotate", "augmentation.zoom", "augmentation.shift", "pose_noise.drop", "pose_noise.jitter",
    "pose_noise.stretch", "edge.width", "edge.softness", "seam.width", "seam.softness", "steps", "shares", "box_hw",
    "layers", "face", "least", "most",
]  # fmt: skip


# -- what there is ---------------------------------------------------------------------------------------------


def test_all_numbers_are_named_in_the_order_of_the_file_with_their_values_and_texts():
    found = {number.name: number for number in numbers(Config())}
    assert list(found) == NAMES
    assert found["size"] == Number("size", int, 64, "pixels: side of the square picture")
    assert found["optimisation.batch"].value == 2 and found["optimisation.batch"].text.endswith("a step")
    assert found["placement.scale_by"].kind == Literal["hips", "body"]
    assert found["edge.softness"].text == "" and found["edge.width"].text == "pixels: of the rim"
    assert (found["edge.width"].value, found["seam.width"].value) == (2.0, 1.0)


def test_of_a_class_they_are_its_defaults_and_of_an_instance_its_own():
    assert list(numbers(Config)) == list(numbers(Config()))
    other = changed(Config(), {"size": 8, "zoom": 0.5})
    assert [number.name for number, plain in zip(numbers(other), numbers(Config), strict=True) if number != plain] == [
        "size",
        "augmentation.zoom",
    ]


# -- changing --------------------------------------------------------------------------------------------------


def test_a_number_is_changed_by_its_path_or_by_its_last_word():
    by_path = changed(Config(), {"augmentation.rotate": 5.0, "size": 32})
    assert by_path == changed(Config(), {"rotate": 5.0, "size": 32})
    assert by_path == replace(Config(), augmentation=Augmentation(rotate=5.0), size=32)
    assert changed(Config(), {}) == Config()


def test_several_of_one_group_are_changed_together_and_others_stay():
    before = changed(Config(), {"rotate": 1.0})
    after = changed(before, {"zoom": 0.1, "augmentation.shift": 0.2, "batch": 4})
    assert after.augmentation == Augmentation(1.0, 0.1, 0.2) and after.optimisation == Optimisation(batch=4)
    assert before.augmentation == Augmentation(1.0) and before.optimisation.batch == 2


def test_text_is_read_and_anything_else_is_taken_as_it_is():
    given = {"rotate": "5", "steps": "none", "face": "no", "box_hw": (16, 8), "shares": "0.25,0.75"}
    after = changed(Config(steps=3), given)
    assert (after.augmentation.rotate, after.steps, after.face) == (5.0, None, False)
    assert (after.box_hw, after.shares) == ((16, 8), (0.25, 0.75))


def test_only_the_outcome_has_to_make_sense():
    """Each of the two alone would contradict the other's default."""
    assert changed(Config(), {"least": 5.0, "most": 6.0}).most == 6.0
    assert changed(Config(least=-5.0, most=-4.0), {"most": "9", "least": "8"}).least == 8.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rotat": 5}, "`settings` rotat: there is no such number; did you mean augmentation.rotate?"),
        (
            {"augmentation.rotat": 5},
            "`settings` augmentation.rotat: there is no such number; did you mean augmentation.rotate?",
        ),
        ({"augment.rotate": 5}, "did you mean augmentation.rotate?"),
        ({"learning-rate": 5}, "did you mean optimisation.learning_rate?"),
        ({"sise": 5}, "did you mean size?"),
        (
            {"deviation": 5},
            "deviation: there is no such number; did you mean optimisation.initial_deviation?",
        ),
        ({"qqqq": 5}, "`settings` qqqq: there is no such number; `understudy recipes NAME` lists all"),
        ({"width": 5}, "`settings` width: that may be edge.width or seam.width: write one of these"),
        ({"placement": 5}, "`settings` placement: there is no such number"),
        ({"least": 5}, "`settings` least=5: least 5 is above most 1.0"),
        ({"least": "5", "size": "7"}, "`settings` least=5, size=7: least 5.0 is above most 1.0"),
        ({"rotate": -1.0}, "`settings` rotate=-1.0: rotate must be at least 0, not -1.0"),
        ({"rotate": None}, "`settings` rotate=None: "),
        ({"size": "huge"}, "`settings` size=huge: it must be a whole number"),
        ({"size": "4.5"}, "`settings` size=4.5: it must be a whole number"),
        ({"rotate": "nan"}, "`settings` augmentation.rotate=nan: it must be a number"),
        ({"zoom": "inf"}, "`settings` augmentation.zoom=inf: it must be a number"),
        ({"size": "9007199254740993"}, "`settings` size=9007199254740993: it must be a whole number"),  # 2**53 + 1
        ({"zoom": "-1e16"}, "`settings` augmentation.zoom=-1e16: it must be a number"),
        ({"face": "maybe"}, "`settings` face=maybe: it must be true or false"),
        ({"features": "vgg16"}, "`settings` features=vgg16: it must be auto or vgg19 or random"),
        ({"steps": "many"}, "`settings` steps=many: it must be a whole number or none"),
        ({"box_hw": "64"}, "`settings` box_hw=64: it must be 2 whole numbers with commas between them"),
        ({"betas": "0.5,b"}, "`settings` optimisation.betas=0.5,b: it must be 2 numbers with commas between them"),
        ({"shares": "1,a"}, "`settings` shares=1,a: it must be numbers with commas between them"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_in_one_line(changes, message):
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        changed(Config(), changes)
    assert "\n" not in str(caught.value)


# -- reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("size", "128", 128),
        ("size", "-3", -3),
        ("size", "9007199254740992", 2**53),
        ("rotate", "1e1", 10.0),
        ("rotate", "7", 7.0),
        ("features", "random", "random"),
        ("features", "imagenet", "vgg19"),
        ("normalization", "ground-printed", "ground-printed"),
        ("face", "TRUE", True),
        ("face", "on", True),
        ("face", "1", True),
        ("face", "off", False),
        ("face", "0", False),
        ("steps", "None", None),
        ("steps", "12", 12),
        ("box_hw", "64, 32", (64, 32)),
        ("box_hw", "(64,32)", (64, 32)),
        ("betas", "0.1,0.2", (0.1, 0.2)),
        ("shares", "1", (1.0,)),
        ("shares", "0.2,0.3,0.5", (0.2, 0.3, 0.5)),
        ("layers", "relu1_1,relu2_1", ("relu1_1", "relu2_1")),
    ],
)
def test_text_of_every_type_is_read(name, text, value):
    number = next(one for one in numbers(Config) if one.name.rpartition(".")[2] == name)
    found = read(number, text)
    assert found == value and type(found) is type(value)
    if isinstance(value, tuple):
        assert [type(one) for one in found] == [type(one) for one in value]


@pytest.mark.parametrize("number", list(numbers(Config)), ids=lambda number: number.name)
def test_every_type_has_words(number):
    words = wanted(number.kind)
    assert words and "typing" not in words and "<" not in words


def test_former_words_are_read_from_files_and_by_name():
    assert stored(Config, {"features": "imagenet", "layers": ["imagenet"]}) == Config(
        features="vgg19", layers=("imagenet",)
    )
    assert changed(Config(), {"features": "imagenet"}) == Config(features="vgg19")


def test_assignments_are_parted_at_the_first_sign():
    assert assignments(["rotate=5", " layers = a=b "]) == {"rotate": "5", "layers": "a=b"}
    assert assignments([]) == {}


@pytest.mark.parametrize("word", ["rotate", "=5", " =5"])
def test_assignments_need_a_name_and_a_sign(word):
    with pytest.raises(UsageError, match=r"write NAME=VALUE, for example optimisation\.batch=4"):
        assignments([word])


# -- from a file -----------------------------------------------------------------------------------------------

UNUSUAL = {
    "size": 32, "rotate": 5.0, "batch": 4, "betas": (0.1, 0.2), "drop": 0.3, "stretch": 0.1, "fit_limbs": True,
    "box_hw": (8, 4), "edge.width": 9.0, "steps": 7,
}  # fmt: skip


def through_json(values):
    return json.loads(json.dumps(values))


def test_what_json_held_is_the_same_config_again():
    for config in (Config(), changed(Config(), UNUSUAL)):
        assert stored(Config, through_json(asdict(config))) == config


def test_flat_numbers_of_before_there_were_groups_find_their_places():
    older = {
        "size": 32, "normalization": "ground", "fit_limbs": True, "batch": 4, "betas": [0.1, 0.2], "rotate": 5.0,
        "pose_drop": 0.3, "pose_jitter": 0.02, "pose_stretch": 0.1, "box_hw": [8, 4],
    }  # fmt: skip
    assert stored(Config, through_json(older)) == replace(
        Config(),
        size=32,
        placement=Placement(normalization="ground", fit_limbs=True),
        optimisation=Optimisation(batch=4, betas=(0.1, 0.2)),
        augmentation=Augmentation(rotate=5.0),
        pose_noise=PoseNoise(0.3, 0.02, 0.1),
        box_hw=(8, 4),
    )


def test_a_number_that_a_file_lacks_is_the_default():
    assert stored(Config, {}) == Config()
    assert stored(Config, {"augmentation": {"zoom": 0.5}}).augmentation == Augmentation(zoom=0.5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colour": 3}, "`settings` colour: there is no such number"),
        ({"augmentation": {"colour": 3}}, "`settings` augmentation.colour: there is no such number"),
        ({"width": 3}, "that may be edge.width or seam.width"),
        ({"rotate": -3}, "rotate must be at least 0, not -3"),
        ({"least": 3}, "least 3 is above most 1.0"),
        ({"size": 64.5}, "size is 64.5: it must be a whole number"),
        ({"size": 10**30}, "it must be a whole number"),
        ({"size": True}, "size is True"),
        ({"rotate": float("nan")}, "rotate is nan: it must be a number"),
        ({"features": ["vgg19"]}, "features is ['vgg19']"),
        ({"box_hw": [8]}, "box_hw is [8]: it must be 2 whole numbers"),
        ({"box_hw": 8}, "box_hw is 8"),
    ],
)
def test_a_file_of_something_else_is_a_value_error(values, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        stored(Config, values)
