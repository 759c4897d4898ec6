"""`licences`: every requirement has its row, and weights what is known of their data."""

import re
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

import understudy
from understudy.base.weights import ALL
from understudy.verbs import licences as module

ROOT = Path(__file__).parents[2]


def test_every_requirement_is_listed_with_version_and_licence():
    found = {module._name(one.name): one for one in understudy.licences().packages}
    required = (ROOT / "pyproject.toml").read_text().split("dependencies = [")[1].split("\n]")[0]
    for name in re.findall(r'^  "([A-Za-z0-9-]+)', required, re.M):
        if name.startswith("opencv"):  # another of its four packages may be there
            continue
        one = found[module._name(name)]
        assert one.version == version(name) and one.licence
    assert found["sympy"].licence.startswith("BSD"), "requirements of requirements too"
    assert found["understudy"].licence == "Apache-2.0"
    assert "pytest" not in found, "not what only its developers need"


def test_weights_of_our_own_are_those_that_are_there():
    own = {name for name, _ in module.OWN}
    assert own == {path.name for path in (ROOT / "src").rglob("*.safetensors")}
    listed = {one.name for one in understudy.licences().weights}
    assert own < listed and "EfficientNet-Lite2 (ImageNet)" in listed


def test_what_is_known_of_data_is_said_and_stands_in_the_docs():
    text = " ".join((ROOT / "docs" / "licences.md").read_text().split())
    for one in ALL:
        if "ImageNet" in one.title:
            assert "non-commercial research" in one.data
        if one.data:
            assert one.data.split(",")[0] in text, one.title
    said = str(understudy.licences())
    assert "EfficientNet-Lite0 (ImageNet): Apache-2.0; trained on ImageNet, whose own terms" in said


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"license_expression": "MIT", "license": "other"}, "MIT"),
        ({"license": "BSD 3-Clause"}, "BSD 3-Clause"),
        ({"license": "Copyright\nmany lines", "classifier": ["License :: OSI Approved :: MIT License"]}, "MIT License"),
        ({"license": "UNKNOWN", "classifier": ["Topic :: A"]}, "not declared: see the files of the package"),
    ],
)
def test_packages_declare_in_several_ways(declared, expected):
    assert module._licence(SimpleNamespace(metadata=SimpleNamespace(json=declared))) == expected


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("torch>=2.4", "torch"),
        ("backports.strenum ; python_version < '3.11'", "backports-strenum"),
        ("a_b[c]==1", "a-b"),
    ],
)
def test_names_are_read_out_of_requirements(line, name):
    assert module._name(line) == name
