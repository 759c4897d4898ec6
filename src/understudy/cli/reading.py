"""Commands, read from the public functions: a signature says the options, its docstring the help."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import understudy

Reader: TypeAlias = Callable[[str], Any]

COMMANDS = (
    "clone",
    "track",
    "train",
    "perform",
    "studio",
    "live",
    "batch",
    "export",
    "train-freestyle",
    "coverage",
    "fix",
    "evaluate",
    "study",
    "detect",
    "verify",
    "poses",
    "inspect",
    "recipes",
    "weights",
    "licences",
    "forget",
    "demo",
)
"""each is called as the public function that it calls"""
OTHERWISE = {"study": "study_results", "perform": "reenact"}
"""what a command calls instead, when the first parameter of that is given"""
VERBS = {"poses": "convert_poses", "recipes": "list_recipes", "train-freestyle": "train_freestyle"}
"""public functions that are not called as their command is"""
TYPED = {"settings": "set", "runtime": "for"}
"""options that are not called as their parameter is"""
PYTHON_ONLY = ("config",)
"""parameters that only a Python program can give"""
POSITIONAL = {
    "batch": ("jobs",),
    "studio": ("folder",),
    "track": ("video",),
    "fix": ("performance",),
    "detect": ("video",),
    "verify": ("files",),
    "forget": ("actor",),
    "inspect": ("thing",),
    "poses": ("given", "output"),
    "recipes": ("name",),
    "weights": ("action", "title"),
}
"""parameters whose value stands without an option before it, by command"""
ALONE = {"parsing": "auto", "surface": "auto"}
"""options that may come without a word, and what they are then"""
REPEATABLE = ("settings", "assign")
"""options that may come several times, with one word each, beside those that take one or several things"""
ON_DISK = dict.fromkeys(("Actor", "Clip", "Detector", "Performance", "StrPath", "Unpaired"), Path)
"""what is typed for things that a Python program may have loaded already"""


def _region(text: str) -> tuple[int, ...]:
    left, top, width, height = (int(part) for part in text.split(","))
    return left, top, width, height


def _spot(text: str) -> tuple[float, ...]:
    x, y = (float(part) for part in text.split(","))
    return x, y


def _assigned(text: str) -> tuple[str, Path]:
    side, equals, actor = text.partition("=")
    if not (side and equals and actor):
        raise ValueError(text)
    return side, Path(actor)


BY_TYPE: dict[Any, tuple[Reader, str, str]] = {
    int: (int, "INT", "a whole number"),
    float: (float, "NUMBER", "a number"),
    str: (str, "TEXT", "a text"),
    Path: (Path, "PATH", "a path"),
}
"""how a word is read, what help calls it, and what a word that cannot be read is not"""
BY_NAME: dict[str, tuple[Reader, str, str]] = {
    **dict.fromkeys(("max_minutes", "minutes"), (float, "MINUTES", "a number of minutes")),
    **dict.fromkeys(("start", "end", "gap", "seconds"), (float, "SECONDS", "a number of seconds")),
    **dict.fromkeys(("recipe", "recipes"), (str, "NAME", "a name")),
    **dict.fromkeys(("sign_cert", "sign_key"), (Path, "FILE", "a path")),
    "memory_gb": (float, "GB", "a number of gigabytes"),
    "max_steps": (int, "STEPS", "a whole number of steps"),
    "variant": (str, "VARIANT", "a variant"),
    "fps": (float, "FPS", "a number of frames a second"),
    "settings": (str, "NAME=VALUE", "a number and its value"),
    **dict.fromkeys(("actor", "actors"), (Path, "ACTOR", "a path")),
    **dict.fromkeys(("frame", "from_frame", "to_frame"), (int, "FRAME", "a whole number")),
    **dict.fromkeys(("move", "delete", "interpolate"), (str, "POINT", "a point")),
    "to": (_spot, "X,Y", "two numbers X,Y"),
    "assign": (_assigned, "SIDE=ACTOR", "a side and an actor, as left=me.actor"),
    "model": (Path, "MODEL", "a path"),
    "background": (str, "reference|inpainted|driving|COLOUR|IMAGE|VIDEO|transparent", "a background"),
    "matte": (str, "auto|green|none|VIDEO", "a matte"),
    "parsing": (str, "auto|lip:FILE|atr:FILE|selfie|selfie:FILE|FOLDER", "a parser"),
    "surface": (str, "auto|FILE.pt|VIDEO|FOLDER", "a surface"),
    "inpainter": (str, "patches|smooth|lama:FILE|migan:FILE", "an inpainter"),
    "region": (_region, "X,Y,W,H", "four whole numbers X,Y,W,H"),
}


@dataclass(frozen=True)
class Option:
    """One parameter, as it is typed."""

    name: str
    help: str
    default: Any
    """`inspect.Parameter.empty` if it must be given"""
    read: Reader | None
    """of one word; None of a switch"""
    metavar: str
    many: bool = False
    """takes any number of words"""
    repeatable: bool = False
    """may come several times, with one word each"""
    standing: bool = False
    """the value stands by itself"""
    alone: str | None = None
    """the value where the option is typed without one; None if it needs one"""

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    @property
    def typed(self) -> str:
        """--max-minutes; --no-smooth of what is on unless switched off."""
        return f"--{'no-' if self.default is True else ''}{TYPED.get(self.name, self.name).replace('_', '-')}"


@dataclass(frozen=True)
class Command:
    """What `understudy NAME` understands and says of itself, in the words of the functions' docstrings."""

    name: str
    description: str
    examples: tuple[str, ...]
    options: tuple[Option, ...]


def command(name: str) -> Command:
    """Reads the function of a command as it is now; if there are two, the second's parameters join the first's."""
    verbs = [getattr(understudy, verb) for verb in (VERBS.get(name, name), OTHERWISE.get(name)) if verb]
    standing = POSITIONAL.get(name, ())
    documents = [_Document(verb) for verb in verbs]
    description = documents[0].description
    options = {option.name: option for option in _options(verbs[0], documents[0], standing)}
    both: set[str] = set()
    for verb, document in zip(verbs[1:], documents[1:], strict=True):
        given = f"With `{next(iter(document.arguments))}`: "
        description += f"\n\n{given}{document.summary[0].lower()}{document.summary[1:]}"
        for option in _options(verb, document, standing):
            first = options.get(option.name)
            if first is None or first.help == option.help:
                options.setdefault(option.name, option)
                both |= {option.name} if first and option.required else set()
            else:
                options[option.name] = replace(first, help=f"{first.help} {given}{option.help}")
        # what one of the two must be given, the other does without: who lacks it, says so
        for key, one in options.items():
            if one.required and key not in both:
                options[key] = replace(one, default=() if one.many or one.repeatable else None)
    examples = tuple(line for document in documents for line in document.examples)
    return Command(name, description, examples, tuple(options.values()))


@cache
def option_names() -> frozenset[str]:
    """The parameters of all commands, but for those whose value stands without an option."""
    return frozenset(option.name for name in COMMANDS for option in command(name).options if not option.standing)


class _Document:
    """A docstring, taken apart."""

    def __init__(self, verb: Callable[..., Any]) -> None:
        parts = re.split(r"^(Args|Returns|Raises|Example|Shell):\n", inspect.getdoc(verb) or "", flags=re.MULTILINE)
        sections = dict(zip(parts[1::2], parts[2::2], strict=True))
        self.description = parts[0].strip()
        self.summary = self.description.partition("\n")[0]
        entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", sections.get("Args", ""), re.MULTILINE)
        self.arguments = {name: " ".join(text.split()) for name, text in entries}
        self.examples = re.findall(r"^    \$ (.*)$", sections.get("Shell", ""), re.MULTILINE)

    def of(self, name: str) -> str:
        """What is said of a parameter; "as for `train`" is what `train` says of it, "as `end` for `track`" of `end`."""
        said = self.arguments[name]
        elsewhere = re.search(r"\bas (?:`(\w+)` )?for `(\w+)`", said)
        if elsewhere is None:
            return said
        there = _Document(getattr(understudy, elsewhere[2])).of(elsewhere[1] or name)
        return said[: elsewhere.start()] + there.rstrip(".") + said[elsewhere.end() :]


def _options(verb: Callable[..., Any], document: _Document, standing: Sequence[str]) -> list[Option]:
    parameters = {name: one for name, one in inspect.signature(verb).parameters.items() if name not in PYTHON_ONLY}
    annotations = SimpleNamespace(__annotations__={name: one.annotation for name, one in parameters.items()})
    hints = get_type_hints(annotations, vars(inspect.getmodule(inspect.unwrap(verb))), ON_DISK)
    return [
        _option(name, hints[name], one.default, document.of(name), name in standing) for name, one in parameters.items()
    ]


def _option(name: str, hint: Any, default: Any, said: str, standing: bool) -> Option:
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    several = [kind for kind in kinds if get_origin(kind) in (Sequence, Mapping)]
    kind = get_args(several[0])[0] if several else kinds[0]
    if kind is bool:
        return Option(name, said, default, None, "")
    if get_origin(kind) is Literal:
        words = tuple(map(str, get_args(kind)))
        read, metavar, what = _one_of(get_args(kind)), "|".join(words), f"one of {', '.join(words)}"
    else:
        read, metavar, what = BY_NAME.get(re.sub("^(reference|driving)_", "", name)) or BY_TYPE[kind]
    if standing:
        metavar = name.upper()
    if name in ALONE:
        metavar = f"[{metavar}]"
    if metavar == "NAME":
        from understudy.recipes import names

        said += f" One of {', '.join(names())}."
    repeatable = bool(several) and (len(kinds) > 1 or name in REPEATABLE)
    many = bool(several) and not repeatable
    default = () if repeatable and default is None else default
    return Option(name, said, default, _saying(read, what), metavar, many, repeatable, standing, ALONE.get(name))


def _one_of(choices: tuple[Any, ...]) -> Reader:
    return lambda word: choices[tuple(map(str, choices)).index(word)]


def _saying(read: Reader, what: str) -> Reader:
    """Says in words what was wrong with what was typed."""

    def checked(word: str) -> Any:
        try:
            return read(word)
        except ValueError:
            raise ValueError(f"{word!r} is not {what}") from None

    return checked
