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


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_errors_are_never_swallowed_whole(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"


# From the end of the data flow to its beginning: nothing may import what stands before it in this list.
LAYERS = [
    {"cli"},
    {"cli_verbs", "cli_evaluation", "cli_forensics"},
    {"demo"},
    {"evaluation", "forensics"},
    {"verbs", "inspection"},
    {"ensemble", "outputs", "unpaired"},
    {"performing"},
    {"normalization_sheet"},
    {"actor"},
    {"recipes"},
    {"training", "losses", "networks"},
    {"pose_pool", "pose_sources"},
    {"conditioning"},
    {"retargeting", "synthetic"},
    {"tracking"},
    {"performance"},
    {"pose", "video", "files", "errors", "progress", "devices"},
]


def layer_of(module):
    part = module.split(".")[1] if "." in module else ""
    return next((i for i, layer in enumerate(LAYERS) if part in layer), None)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    own = layer_of("understudy." + path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."))
    if own is None:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("understudy"):
            modules = [node.module] if "." in node.module else [f"understudy.{n.name}" for n in node.names]
        for module in modules:
            other = layer_of(module)
            upwards = other is not None and other < own
            # The report of the worst frames may track a video it is given; its poses still come from below
            assert not upwards, f"line {node.lineno}: {path.stem} imports {module}"


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
