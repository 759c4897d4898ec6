"""Numbers of a config by name: what there is, one changed, all read from a file.

A config is a frozen dataclass, some of whose fields are groups (frozen dataclasses again). A name is a path with dots,
`augmentation.rotate`; its last word alone will do where no other name ends in it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from understudy.base.arguments import word_of_today
from understudy.base.stored import brief
from understudy.errors import UsageError

C = TypeVar("C")

FORMER_NAMES = {"pose_drop": "drop", "pose_jitter": "jitter", "pose_stretch": "stretch"}
"""of actors made before configs had groups"""
MOST = 2**53
"""no number of a config is larger"""
LIKE = 0.5
"""how alike two names must be, of 1, for one to be suggested for the other"""


@dataclass(frozen=True)
class Number:
    """One number of a config; some are words, switches or several numbers."""

    name: str
    """path with dots"""
    kind: Any
    """its type"""
    value: Any
    text: str
    """what it is, with its unit and its source"""


def numbers(config: Any) -> Iterator[Number]:
    """All numbers of a config (or of a class of which every field has a default), in the order of the file."""
    for name, kind, value, text in _flat(config):
        yield Number(name, kind, value, text)


def changed(config: C, changes: Mapping[str, Any]) -> C:
    """The config with some of its numbers changed, all at once, so that only the outcome has to make sense.

    Args:
        config: an instance of a config.
        changes: by name. Text is read as the number's type; anything else is taken as it is.

    Raises:
        UsageError: no such name, a text that cannot be read, or numbers that contradict each other.
    """
    known = {number.name: number for number in numbers(config)}
    values = {}
    for given, value in changes.items():
        number = known[_whole_name(given, list(known))]
        values[number.name] = read(number, value) if isinstance(value, str) else value
    try:
        return _with(config, values)
    except (ValueError, TypeError) as error:
        said = ", ".join(f"{name}={value}" for name, value in changes.items())
        raise UsageError(f"`settings` {said}: {error}") from None


def assignments(words: Sequence[str]) -> dict[str, str]:
    """`["rotate=5"]` -> `{"rotate": "5"}`.

    Raises:
        UsageError: one without an equals sign.
    """
    parted = [word.partition("=") for word in words]
    for name, sign, _ in parted:
        if not sign or not name.strip():
            raise UsageError(f"`settings` {name}: write NAME=VALUE, for example optimisation.batch=4")
    return {name.strip(): value.strip() for name, _, value in parted}


def stored(kind: type[C], values: Mapping[str, Any]) -> C:
    """A config from the JSON of an actor: as `dataclasses.asdict` gives it, or flat as before there were groups.

    Raises:
        ValueError, TypeError: it is not one of this kind.
    """
    flat: dict[str, Any] = {}
    plain = kind()
    kinds = {number.name: number.kind for number in numbers(plain)}
    known = list(kinds)
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": one for inner, one in value.items()}
        else:
            flat[name] = value
    resolved = {}
    for name, value in flat.items():
        try:
            whole_name = _whole_name(FORMER_NAMES.get(name, name), known)
        except UsageError as error:
            raise ValueError(str(error)) from None
        resolved[whole_name] = word_of_today(name, value)
        if not _is(kinds[whole_name], resolved[whole_name]):
            raise ValueError(f"{whole_name} is {brief(value)}: it must be {wanted(kinds[whole_name])}")
    return _with(plain, resolved)


def _is(kind: Any, value: Any) -> bool:
    """Whether a value from JSON is of a number's type: whole numbers do for others, lists for several."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return isinstance(value, bool | int | float | str) and value in inside
    if origin in (Union, UnionType):
        return any(_is(one, value) for one in inside)
    if origin is tuple:
        several = isinstance(value, list | tuple)
        each = [inside[0]] * len(value) if several and inside[-1] is Ellipsis else list(inside)
        return several and len(each) == len(value) and all(map(_is, each, value))
    if kind is float:
        return not isinstance(value, bool) and isinstance(value, int | float) and abs(value) <= MOST
    if kind is int:
        return not isinstance(value, bool) and isinstance(value, int) and abs(value) <= MOST
    return isinstance(value, kind)


def read(number: Number, text: str) -> Any:
    """The value that a text says.

    Raises:
        UsageError: it is not of the number's type.
    """
    try:
        return _read(number.kind, word_of_today(number.name, text))
    except ValueError:
        raise UsageError(f"`settings` {number.name}={text}: it must be {wanted(number.kind)}") from None


def wanted(kind: Any) -> str:
    """A type in words: "a whole number", "hips or body"."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(str(one) for one in inside)
    if origin in (Union, UnionType):
        return " or ".join(wanted(one) for one in inside)
    if origin is tuple:
        if len(inside) == 2 and inside[1] is Ellipsis:
            return f"{_PLURAL.get(inside[0], 'values')} with commas between them"
        return f"{len(inside)} {_PLURAL.get(inside[0], 'values')} with commas between them"
    return _WORDS.get(kind, getattr(kind, "__name__", str(kind)))


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word", NoneType: "none"}
_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_PLURAL = {int: "whole numbers", float: "numbers", str: "words"}


def _read(kind: Any, text: str) -> Any:
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        named = {str(one): one for one in inside}
        return named[text] if text in named else _no()
    if origin in (Union, UnionType):
        for one in sorted(inside, key=lambda each: each is not NoneType):
            try:
                return _read(one, text)
            except ValueError:
                continue
        _no()
    if origin is tuple:
        parts = [part for part in text.strip("()[] ").split(",") if part.strip()]
        each = [inside[0]] * len(parts) if len(inside) == 2 and inside[1] is Ellipsis else list(inside)
        if len(each) != len(parts):
            _no()
        return tuple(_read(one, part.strip()) for one, part in zip(each, parts, strict=True))
    if kind is bool:
        return _SWITCH[text.lower()] if text.lower() in _SWITCH else _no()
    if kind is NoneType:
        return None if text.lower() == "none" else _no()
    value = kind(text)
    return value if kind not in (int, float) or abs(value) <= MOST else _no()  # NaN is not, either


def _no() -> Any:
    raise ValueError


def _whole_name(given: str, known: Sequence[str]) -> str:
    if given in known:
        return given
    ending = [name for name in known if name.rpartition(".")[2] == given]
    if len(ending) == 1:
        return ending[0]
    if ending:
        raise UsageError(f"`settings` {given}: that may be {' or '.join(ending)}: write one of these")
    lasts = {name.rpartition(".")[2]: name for name in known}
    near = get_close_matches(given, [*known, *lasts], 1, LIKE)
    meant = f"did you mean {lasts.get(near[0], near[0])}?" if near else "`understudy recipes NAME` lists all"
    raise UsageError(f"`settings` {given}: there is no such number; {meant}")


def _with(config: C, values: Mapping[str, Any]) -> C:
    own: dict[str, Any] = {}
    for name, value in values.items():
        group, dot, inner = name.partition(".")
        if dot:
            own.setdefault(group, {})[inner] = value
        else:
            own[group] = value
    for name, value in own.items():
        if isinstance(value, dict):
            own[name] = replace(getattr(config, name), **value)
    return replace(config, **own)  # type: ignore[type-var]


def _flat(config: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any, str]]:
    instance = config() if isinstance(config, type) else config
    kind = type(instance)
    hints, texts = get_type_hints(kind), _texts(kind)  # type: ignore[arg-type]
    for field in fields(kind):
        value = getattr(instance, field.name)
        if is_dataclass(value):
            yield from _flat(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, hints[field.name], value, texts.get(field.name, "")


@cache
def _texts(kind: Any) -> dict[str, str]:
    """The string under each field: the language drops it, so it is read from the source."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    texts = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            said = getattr(below.value, "value", None)
            if isinstance(said, str):
                texts[field.target.id] = " ".join(said.split())
    return texts
