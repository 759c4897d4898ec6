"""Promises about the sources themselves."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "understudy"
SOURCES = sorted(PACKAGE.rglob("*.py"))


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_that_runs_code_from_files_is_used(path):
    tree = ast.parse(path.read_text())
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
    }
    assert not imported & {"pickle", "dill", "joblib", "shelve", "marshal", "yaml"}
    for name, node in calls(tree):
        assert name not in {"eval", "exec", "torch.load", "yaml.load", "os.system", "np.load", "numpy.load"}, name
        assert not any(k.arg == "shell" and getattr(k.value, "value", None) for k in node.keywords), "shell=True"


NETWORK = {
    *("urllib", "http", "socket", "ssl", "ftplib", "smtplib", "xmlrpc", "requests", "httpx", "aiohttp", "urllib3"),
    *("huggingface_hub", "websockets", "webbrowser", "ray", "fsspec"),
}
REACHING_OUT = {
    "base/weights.py": {"http", "urllib"},
    "base/wheels.py": {"subprocess"},
    "base/children.py": {"subprocess"},
    "base/sandbox.py": {"subprocess"},
    "jobs/cluster.py": {"ray", "socket"},
    "jobs/stores.py": {"fsspec"},
    "jobs/workers.py": {"subprocess"},
    "streaming/osc.py": {"socket"},
    "streaming/page.py": {"http"},
    "web/runner.py": {"subprocess"},
    "web/server.py": {"socket"},
    "web/studio.py": {"webbrowser"},
}
"""who may: weights by a table with sizes and SHA-256; their wheels, by pip at one version; our own child processes; a
cluster and storage that a user names; pages and poses for and from this machine alone, and a browser"""


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_who_may_reach_the_network_or_start_programs_is_written_down(path):
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    where = path.relative_to(PACKAGE).as_posix()
    assert imported & (NETWORK | {"subprocess"}) == REACHING_OUT.get(where, set())


def test_what_is_fetched_is_of_one_version_and_known_by_its_hash():
    from understudy.base import weights

    by_us = [one for one in weights.ALL if one.fetched_by == "understudy"]
    assert len(by_us) > 8
    for one in by_us:
        assert re.fullmatch("[0-9a-f]{64}", one.sha256) and one.size > 0, one.title
        assert not one.address or one.address.startswith("https://"), one.title
        assert one.wheel is None or re.fullmatch(r"[\w-]+==[\w.]+", one.wheel.requirement), one.title


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_errors_are_never_swallowed_whole(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"


# From the beginning of the data flow to its end: a room may import itself and what stands in an earlier line.
ROOMS = [
    {"texts"},
    {"errors", "losses"},
    {"base", "consent"},
    {"poses", "media", "body"},
    {"retargeting", "pictures", "compositing", "performance", "marks"},
    {"training", "conditioning", "tracking", "judging"},
    {"networks", "synthetic"},
    {"covering", "unpaired", "people", "forensics"},
    {"recipes"},
    {"actor"},
    {"performing"},
    {"streaming", "exporting"},
    {"evaluation"},
    {"verbs"},
    {"jobs", "web"},
    {"__init__"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}


def module_of(path):
    """`covering.coverage` for src/understudy/covering/coverage.py; a package is called by its folder."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in SOURCES}


def imported(path):
    """(line, module) of everything of ours that a file imports, also inside functions and for types only."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name[11:]) for one in node.names if one.name.startswith("understudy."))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "understudy":
            for one in node.names:
                whole = f"{node.module}.{one.name}".partition(".")[2]
                if whole in MODULES:
                    yield node.lineno, whole
                elif "." in node.module:
                    yield node.lineno, node.module.partition(".")[2]
            # what `understudy` itself hands out needs no rule: its own file is the last but one floor


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_has_a_room_and_imports_from_earlier_ones_only(path):
    own = module_of(path).split(".")[0]
    assert own in FLOOR, f"{own} is in no room: where in the data flow does it stand?"
    for line, module in imported(path):
        room = module.split(".")[0]
        assert room in FLOOR, f"line {line}: {module} is in no room"
        assert room == own or FLOOR[room] < FLOOR[own], f"line {line}: {own} imports {module}, which comes later"


def test_no_modules_import_each_other_in_a_circle():
    after = {name: {module for _, module in imported(path)} for name, path in MODULES.items()}
    done, onward = set(), []

    def visit(name):
        assert name not in onward, " -> ".join([*onward[onward.index(name) :], name])
        if name not in done:
            onward.append(name)
            for module in sorted(after.get(name, ())):
                visit(module)
            onward.pop()
            done.add(name)

    for name in sorted(MODULES):
        visit(name)


def test_the_map_names_files_that_exist():
    """In each row of docs/architecture.md the files stand in that row's room."""
    text = (PACKAGE.parents[1] / "docs" / "architecture.md").read_text()
    named = []
    for row in re.findall(r"^\| (`.*?) \| (.*) \|$", text, re.MULTILINE):
        rooms = [PACKAGE / room for room in re.findall(r"`([\w/]+/)`", row[0])] or [PACKAGE]
        files = re.findall(r"`([\w/]+\.py)`", " ".join(row))
        named += files
        missing = [name for name in files if not any((room / name).is_file() for room in rooms)]
        assert not missing, row[0]
    assert len(named) > 90
    rest = re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)
    root = PACKAGE.parents[1]
    elsewhere = re.findall(r"`([\w/]+\.py)`", rest)
    assert [name for name in elsewhere if not (PACKAGE / name).is_file() and not (root / name).is_file()] == []


def test_every_room_is_on_the_map():
    text = (PACKAGE.parents[1] / "docs" / "architecture.md").read_text()
    for room in FLOOR:
        if room != "__init__":
            assert f"`{room}/" in text or f"`{room}.py`" in text, f"docs/architecture.md does not say what {room} is"


def test_public_names_of_the_old_confusion_are_not_used():
    """`source` is the look in some projects and the motion in others: no parameter is called that here."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.arg):
                assert node.arg not in {"source", "target"}, f"{path.name} line {node.lineno}"


def test_the_project_speaks_of_itself_alone():
    root = PACKAGE.parents[1]
    words = re.compile("|".join(["/work" + "/", "farm" + "-", r"\bissue \d", "co-authored"]), re.IGNORECASE)
    for path in [*SOURCES, *root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("benchmarks/*.py")]:
        found = words.search(path.read_text())
        assert not found, f"{path.name}: {found}"


def test_the_version_stands_the_same_in_all_places():
    root = PACKAGE.parents[1]
    version = re.search(r'^version = "(.+)"$', (root / "pyproject.toml").read_text(), re.MULTILINE)[1]
    headings = re.findall(r"^## (\S+)(?: - (\d{4}-\d\d-\d\d))?$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    (first, _), (newest, date) = headings[:2]
    assert first == "Unreleased" and newest == version
    cited = (root / "CITATION.cff").read_text()
    assert f"\nversion: {version}\n" in cited and f"\ndate-released: {date}\n" in cited
