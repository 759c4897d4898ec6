"""What was typed, read with tyro by the options of a command."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Annotated, Any

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from understudy.cli.reading import TYPED, Command, Option
from understudy.cli.wording import explained, hint


def values(asked: Command, words: Sequence[str]) -> dict[str, Any]:
    """What was typed, by parameter; exits with 2 and an explanation where that cannot be understood."""
    standing = [option.name for option in asked.options if option.standing]

    def received(*first: Any, **named: Any) -> dict[str, Any]:
        return dict(zip(standing, first, strict=True)) | named

    received.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                option.name,
                inspect.Parameter.POSITIONAL_ONLY if option.name in standing else inspect.Parameter.KEYWORD_ONLY,
                default=() if option.repeatable and option.required else option.default,
            )
            for option in asked.options
        ]
    )
    received.__annotations__ = {option.name: _annotation(option) for option in asked.options}
    config = (tyro.conf.FlagCreatePairsOff,)
    found: dict[str, Any] = tyro.cli(received, prog=f"understudy {asked.name}", args=list(words), config=config)
    return found


def _annotation(option: Option) -> Any:
    """How tyro reads an option, and what it says of it beside an error."""
    said = tyro.conf.arg(
        name=TYPED.get(option.name),
        help=explained(option),
        metavar=option.metavar or None,
        help_behavior_hint=hint(option),
    )
    if option.read is None:
        return Annotated[bool, said]
    read, alone = option.read, option.alone

    def of_words(words: list[str]) -> Any:
        if option.many:
            return tuple(map(read, words))
        if not words and alone is not None:
            return read(alone)
        if len(words) > 1:
            raise ValueError(f"{' '.join(words)!r} is more than one word")
        return read(words[0])

    word = PrimitiveConstructorSpec[Any](
        nargs="*" if option.many else 1 if alone is None else (0, 1),
        metavar=option.metavar,
        instance_from_str=of_words,
        is_instance=lambda value: True,
        str_from_instance=lambda value: [str(value)],
    )
    if option.repeatable:
        return Annotated[tuple[Annotated[object, word], ...], tyro.conf.UseAppendAction, said]
    return Annotated[object, word, said]
