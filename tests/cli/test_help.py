"""Help is read from the functions: it explains everything, comes at once, and fits any terminal."""

from __future__ import annotations

import inspect
import re
import shlex
import subprocess
import sys

import pytest

import understudy
from understudy import recipes
from understudy.cli import main as cli
from understudy.cli.parsing import values
from understudy.cli.reading import COMMANDS, OTHERWISE, POSITIONAL, PYTHON_ONLY, VERBS, command
from understudy.cli.wording import explained, in_shell_words

PAGES = ["", *COMMANDS]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """The help of a command, or of all, on a terminal so wide."""

    def shown(name: str, columns: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as left:
            cli.main([*([name] if name else []), "--help"])
        assert not left.value.code
        return capsys.readouterr().out

    return shown


@pytest.mark.parametrize("name", PAGES)
def test_every_line_fits_and_no_word_is_split(page, name: str) -> None:  # type: ignore[no-untyped-def]
    words = {}
    for columns in (80, 100, 120):
        text = page(name, columns)
        assert max(map(len, text.splitlines())) <= columns
        words[columns] = [word for word in text.split() if word != "\\"]
    # whatever the width, the words are the same: none ends at the end of a line and goes on in the next
    assert words[80] == words[100] == words[120]
    for option in command(name).options if name else ():
        assert f"{option.metavar} {'... ' if option.many else ''}{explained(option)}" in " ".join(words[80])


def test_overview_names_every_command(page, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    text = page("")
    for words in ([], ["-h"]):
        with pytest.raises(SystemExit):
            cli.main(words)
        assert capsys.readouterr().out == text
    for name in COMMANDS:
        first = inspect.getdoc(getattr(understudy, VERBS.get(name, name))).splitlines()[0]  # type: ignore[union-attr]
        assert f"{name} {first}" in " ".join(text.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_every_option_with_its_default(page, name: str) -> None:  # type: ignore[no-untyped-def]
    text = " ".join(page(name).split())
    for function in filter(None, (name, OTHERWISE.get(name))):
        for parameter in inspect.signature(getattr(understudy, VERBS.get(function, function))).parameters.values():
            shown = {"settings": "--set NAME=VALUE", "runtime": "--for generic|openvino|figment"}.get(
                parameter.name, "--" + parameter.name.replace("_", "-")
            )
            if parameter.default is True:
                shown = "--no-" + parameter.name.replace("_", "-")
            if parameter.name in PYTHON_ONLY:
                assert shown not in text
                continue
            assert (parameter.name.upper() if parameter.name in POSITIONAL.get(name, ()) else shown) in text
            if isinstance(parameter.default, str | int) and not isinstance(parameter.default, bool):
                assert f"(default: {parameter.default})" in text
    assert "`" not in re.sub(r"`understudy [^`]*`", "", text), "a Python name is left"
    assert '"' not in re.sub(r'"[^"]* [^"]*"', "", text), "a Python string is left"


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_can_be_typed(page, name: str) -> None:  # type: ignore[no-untyped-def]
    lines = page(name).split("For example:\n")[1].split("\n\n")[0].replace("\\\n", "").splitlines()
    assert lines
    for line in lines:
        words = shlex.split(line)
        assert words[:2] == ["understudy", name]
        assert values(command(name), words[2:]).keys() == {option.name for option in command(name).options}


def test_the_recipes_are_those_in_the_folder(page) -> None:  # type: ignore[no-untyped-def]
    for name in ("train", "clone", "evaluate"):
        assert f"One of {', '.join(recipes.names())}." in " ".join(page(name).split())
    assert recipes.names() == tuple(sorted(recipes.names())) and "parts" not in recipes.names()
    assert {"performance-cloning", "limb-warp"} < set(recipes.names())


def test_a_clone_is_explained_in_the_words_of_train(page) -> None:  # type: ignore[no-untyped-def]
    clone, train = (" ".join(page(name).split()) for name in ("clone", "train"))
    assert "nothing is trained. preview: minutes on a CPU" in train
    assert "nothing is trained. preview: minutes on a CPU" in clone
    assert "left out, copy-then-refine." in train and "left out, copy-then-refine." in clone
    assert "left out, as the recipe does; the actor keeps it. --variant" in clone


def test_help_needs_no_heavy_imports() -> None:
    code = (
        "import sys, understudy.cli.main\n"
        f"for name in {PAGES!r}:\n"
        "    try: understudy.cli.main.main([*([name] if name else []), '--help'])\n"
        "    except SystemExit as left: assert not left.code\n"
        "print([m for m in ('torch', 'cv2', 'av', 'mediapipe', 'numpy', 'matplotlib', 'tyro') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_package_can_be_run() -> None:
    done = subprocess.run([sys.executable, "-m", "understudy", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"understudy {understudy.__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["verify", "a.mp4"], []], ids=["help", "command", "none"])
def test_without_docstrings_there_are_no_commands_and_one_line_says_so(words) -> None:
    run = [sys.executable, "-OO", "-m", "understudy"]
    done = subprocess.run([*run, *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: Python leaves out docstrings (-OO, or PYTHONOPTIMIZE=2)")
    assert done.stderr.count("\n") == 1
    told = subprocess.run([*run, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout == f"understudy {understudy.__version__}\n"


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("`max_minutes` must be above 0, not -1", "--max-minutes must be above 0, not -1"),
        ("go on with `resume=True`", "go on with --resume"),
        ("`smooth=False` keeps it", "--no-smooth keeps it"),
        ("`device='tpu'`: not available", "--device tpu: not available"),
        ('use `tracker="mediapipe"`', "use --tracker mediapipe"),
        ('add `consent="..."`', 'add --consent "..."'),
        ("`background='my room.png'` is", "--background 'my room.png' is"),
        ("`region` 1,2,3,4 is not inside", "--region 1,2,3,4 is not inside"),
        ("run `understudy track VIDEO --start 5`", "run `understudy track VIDEO --start 5`"),
        ("the seed is `nothing` known", "the seed is `nothing` known"),
        ("the `video`", "the `video`"),  # stands without an option
    ],
)
def test_errors_name_options_where_functions_name_parameters(said: str, typed: str) -> None:
    assert in_shell_words(said) == typed
