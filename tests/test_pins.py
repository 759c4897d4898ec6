"""The files of hashes: they agree with the pins, lack nothing that is asked for, and name no server."""

import re
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def joined(file):
    """The requirements of a file, one a line, without comments."""
    text = re.sub(r"\\\n", " ", (ROOT / file).read_text())
    return [line.partition(" #")[0].strip() for line in text.splitlines() if line and not line.startswith("#")]


def pins_of(file, environment=None):
    """name: version, of all or of what a machine would take."""
    pins = {}
    for line in joined(file):
        one = Requirement(line.partition("--hash")[0].strip())
        if environment is not None and one.marker is not None and not one.marker.evaluate(environment):
            continue
        assert environment is None or one.name not in pins, f"{one.name} is pinned twice"
        pins[one.name] = str(one.specifier).removeprefix("==")
    return pins


@pytest.fixture(params=[(python, system) for python in PYTHONS for system in SYSTEMS], ids="-".join)
def machine(request):
    python, system = request.param
    told = {"python_version": python, "python_full_version": f"{python}.1", "platform_machine": "x86_64"}
    return default_environment() | told | {"platform_system": system, "sys_platform": SYSTEMS[system], "extra": ""}


def test_versions_are_those_of_the_pins(machine):
    pinned = pins_of("constraints.txt", machine)
    hashed = pins_of("requirements/hashed.txt", machine)
    assert hashed.items() <= pinned.items()
    assert not pins_of("requirements/cuda.txt", machine).keys() & pinned.keys()


def test_all_that_is_asked_for_is_there(machine):
    hashed = pins_of("requirements/hashed.txt", machine)
    for line in PROJECT["dependencies"]:
        asked = Requirement(line)
        assert asked.specifier.contains(hashed[canonicalize_name(asked.name)]), line


def test_what_those_need_in_turn_is_there_too():
    """By what the packages that are installed here say of themselves."""
    hashed, looked_at = pins_of("requirements/hashed.txt", default_environment()), 0
    besides = pins_of("requirements/cuda.txt", default_environment())
    for name in hashed:
        try:
            needed = [Requirement(line) for line in requires(name) or []]
        except PackageNotFoundError:
            continue
        looked_at += 1
        for one in needed:
            if one.marker is None or one.marker.evaluate({"extra": ""}):
                assert canonicalize_name(one.name) in hashed | besides, f"{name} needs {one}"
    assert looked_at > 40


@pytest.mark.parametrize("file", ["requirements/hashed.txt", "requirements/cuda.txt"])
def test_every_version_has_hashes_and_no_server_is_named(file):
    lines = joined(file)
    assert len(lines) > 20
    for line in lines:
        assert re.search(r"==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line
        assert not re.search(r"://|@|(^|\s)--(?!hash=sha256:)", line), line


def test_extras_are_pinned_as_well():
    pinned = pins_of("constraints.txt")
    for extra in ("cluster", "dev", "docs", "export", "openvino", "pins"):
        for line in PROJECT["optional-dependencies"][extra]:
            asked = Requirement(line)
            assert asked.specifier.contains(pinned[canonicalize_name(asked.name)]), line
