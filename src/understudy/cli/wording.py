"""What docstrings and errors say in Python's words, said in those of the shell; and how help is laid out."""

from __future__ import annotations

import re
import shutil
import textwrap

from understudy.cli.reading import COMMANDS, TYPED, Command, Option, command, option_names

DESCRIPTION = """Film a person for two minutes, and a trained actor of that person performs any dance.

The whole way, in one command:
$ understudy clone --reference me.mp4 --driving dance.mp4 --output out.mp4

The reference is the person, the driving video is the motion. One actor is one person: train it once, then let it
perform as many driving videos as you like:
$ understudy train --reference me.mp4 --output me.actor
$ understudy perform --actor me.actor --driving dance.mp4 --output out.mp4

No video at hand? `understudy demo --output demo` does it all with made-up people."""
LAST = "`understudy COMMAND --help` explains one of them; `understudy --version` says which version this is."
WIDEST = 120


def in_shell_words(text: str) -> str:
    """Parameters in backticks as options: `seed` is --seed, `device='cpu'` --device cpu, and `resume=True` --resume.

    Everything else in backticks stays as it is.
    """

    def option(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name not in option_names():
            return found[0]
        typed = TYPED.get(name, name).replace("_", "-")
        if value in (None, "True"):
            return f"--{typed}"
        if value == "False":
            return f"--no-{typed}"
        return f"--{typed} " + re.sub(r"^(['\"])([^'\" ]*\w[^'\" ]*)\1$", r"\2", value)

    return re.sub(r"`(\w+)(?:=([^`]*))?`", option, text)


def overview() -> str:
    """What the program is for, and its commands."""
    indent = 2 + max(map(len, COMMANDS)) + 2
    listed = [
        _filled(command(name).description.partition("\n")[0], f"  {name:<{indent - 2}}", " " * indent)
        for name in COMMANDS
    ]
    return "\n\n".join([_laid_out(DESCRIPTION), "\n".join(["Commands:", *listed]), _filled(LAST)])


def help_of(asked: Command) -> str:
    """All about one command: what it does, how it is called, and every option."""
    first = [option for option in asked.options if option.standing]
    usage = " ".join(
        [
            f"usage: understudy {asked.name}",
            *(option.metavar if option.required else f"[{option.metavar}]" for option in first),
            "[options]",
        ]
    )
    examples = "\n".join(["For example:", *(f"$ {line}" for line in asked.examples)])
    options = "\n".join(["Options:", *map(_option, asked.options)])
    return "\n\n".join([usage, _laid_out(_in_help_words(asked.description)), _laid_out(examples), options])


def explained(option: Option) -> str:
    """What help says of an option, but for its default."""
    return _in_help_words(option.help)


def hint(option: Option) -> str:
    """Whether an option must be given, and what it is otherwise, where that is more than nothing."""
    if option.required:
        return "(required, repeatable)" if option.repeatable else "(required)"
    if option.read is None or option.default in (None, ()):
        return ""
    return f"(default: {option.default:g})" if isinstance(option.default, float) else f"(default: {option.default})"


def _option(option: Option) -> str:
    typed = [] if option.standing else [option.typed]
    typed += [option.metavar] if option.metavar else []
    typed += ["..."] if option.many else []
    return f"  {' '.join(typed)}\n" + _filled(f"{explained(option)} {hint(option)}", " " * 6, " " * 6)


def _in_help_words(text: str) -> str:
    """As a docstring has it, but options for parameters, commands for functions, and no quotes around single words."""

    def called(found: re.Match[str]) -> str:
        see, name = found.groups()
        return f"{see or ''}`understudy {name}{' --help' if see else ''}`" if name in COMMANDS else found[0]

    return re.sub(r"(see )?`(\w+)`", called, re.sub(r'"([^"\s]+)"', r"\1", in_shell_words(text)))


def _laid_out(text: str) -> str:
    """Paragraphs as wide as the terminal; lines that begin with $ as commands to be copied."""
    blocks = []
    for block in text.split("\n\n"):
        lines = block.split("\n")
        prose = " ".join(line for line in lines if not line.startswith("$"))
        commands = [_pasteable(line[2:]) for line in lines if line.startswith("$")]
        blocks.append("\n".join([_filled(prose), *commands]))
    return "\n\n".join(blocks)


def _pasteable(line: str) -> str:
    """A command over as many lines as it needs, broken before options only."""
    lines = [""]
    for part in re.split(r" (?=--)", line):
        if lines[-1] and len(lines[-1]) + len(part) + 5 > _width():
            lines.append("")
        lines[-1] = f"{lines[-1]} {part}".strip()
    return "  " + " \\\n      ".join(lines)


def _filled(text: str, first: str = "", then: str = "") -> str:
    return textwrap.fill(
        text,
        _width(),
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width() -> int:
    return min(WIDEST, shutil.get_terminal_size().columns)
