"""Types of command-line options: how their values are read, and how help names them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from tyro.conf import UseAppendAction, arg
from tyro.constructors import PrimitiveConstructorSpec


def region(text: str) -> tuple[int, int, int, int]:
    """Reads X,Y,W,H."""
    left, top, width, height = (int(part) for part in text.split(","))
    return left, top, width, height


def _optional(kind: Callable[[str], Any], metavar: str, what: str) -> PrimitiveConstructorSpec[Any]:
    """An option that is None unless given, and says in words what was wrong with what was typed."""

    def parse(words: list[str]) -> Any:
        try:
            return kind(words[0])
        except ValueError:
            raise ValueError(f"{words[0]!r} is not {what}") from None

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=parse,
        is_instance=lambda value: True,
        str_from_instance=lambda value: ["none" if value is None else str(value)],
    )


Seconds = Annotated[float | None, _optional(float, "SECONDS", "a number of seconds")]
Minutes = Annotated[float | None, _optional(float, "MINUTES", "a number of minutes")]
Rate = Annotated[float | None, _optional(float, "FPS", "a number of frames a second")]
Steps = Annotated[int | None, _optional(int, "STEPS", "a whole number of steps")]
Text = Annotated[str | None, _optional(str, "TEXT", "a text")]
OptionalPath = Annotated[Path | None, _optional(Path, "PATH", "a path")]
Box = Annotated[tuple[int, int, int, int] | None, _optional(region, "X,Y,W,H", "four whole numbers X,Y,W,H")]
Paths = Annotated[tuple[Path, ...], arg(help_behavior_hint="(default: none)")]
Actors = Annotated[tuple[Path, ...], UseAppendAction, arg(metavar="ACTOR", help_behavior_hint="(required, repeatable)")]
Texts = Annotated[tuple[str, ...], arg(metavar="[TEXT [TEXT ...]]", help_behavior_hint="(default: none)")]
Background = Annotated[str, arg(metavar="reference|driving|COLOUR|IMAGE|VIDEO|transparent")]
PoseFormatName = Annotated[
    Literal["openpose", "openpose18", "comfyui", "coco"] | None,
    arg(metavar="openpose|openpose18|comfyui|coco", help_behavior_hint="(default: by the output's name)"),
]
Smooth = Annotated[bool, arg(help_behavior_hint="(default: smoothed)")]
Matte = Annotated[str, arg(metavar="auto|green|none|VIDEO")]
Recipe = Literal[
    "performance-cloning",
    "everybody-dance-now",
    "poses-in-the-wild",
    "pix2pix",
    "cyclegan",
    "nearest-neighbour",
    "limb-warp",
]
ALL_RECIPES: tuple[str, ...] = get_args(Recipe)
"""`actor.RECIPES`, whose module takes long to import"""
RecipeName = Annotated[
    Recipe | None,
    arg(
        metavar="|".join(ALL_RECIPES),
        help_behavior_hint="(default: performance-cloning; limb-warp for the preset instant)",
    ),
]
NormalizationName = Annotated[
    Literal["similarity", "ground"] | None,
    arg(metavar="similarity|ground", help_behavior_hint="(default: as the recipe or the actor has it)"),
]
AblationName = Annotated[
    str | None, _optional(str, "PL-Stage1|PL-Stage1-DA|PL-Stage1-DA-F|PL-Stage2|PL-UL-Stage2", "a rung")
]
Preset = Literal["instant", "preview", "fast", "paper"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]


def say_result(what: str, path: Path, more: str = "") -> None:
    """Where something lies that a command has made."""
    print(f"{what}: {path}" + (f" ({more})" if more else ""))
