"""The nodes as ComfyUI sees them, the example workflow, and what the registry wants to know."""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

import understudy
from integrations.comfyui_host import PACK, Host
from integrations.comfyui_workflows import as_prompt
from understudy.base.arguments import Fit, Label, Landmarks, MissingLimbs, NormalizeBy, Preset, Rotation

WORKFLOWS = sorted((PACK / "example_workflows").glob("*.json"))
NODES = {
    "Track", "LoadPerformance", "Coverage", "Train", "LoadActor", "Perform", "PosesToKeypoints",
    "KeypointsToPerformance",
}  # fmt: skip


def test_every_node_says_what_it_is_and_what_it_takes(comfy: Host) -> None:
    assert comfy.nodes.keys() == {f"Understudy{name}" for name in NODES}
    for name, schema in comfy.schemas.items():
        schema.validate()
        assert schema.category == "understudy" and "understudy" in schema.display_name and schema.description
        assert all(put.tooltip for put in (*schema.inputs, *schema.outputs)), name
        # without a display name ComfyUI 0.3.75 shows an output's type instead of its name
        assert all(put.display_name == put.id for put in schema.outputs), name
        assert comfy.part("comfy_api.latest").io.Hidden.unique_id in schema.hidden


def test_every_node_takes_its_inputs_and_leaves_the_thread_to_others(comfy: Host) -> None:
    for name, node in comfy.nodes.items():
        taken = inspect.signature(node.execute).parameters
        puts = {put.id: put for put in comfy.schemas[name].inputs}
        assert set(taken) == set(puts), name
        assert {id for id, one in taken.items() if one.default is not one.empty} == {
            id for id, put in puts.items() if put.optional
        }
        assert inspect.iscoroutinefunction(node.execute)


def test_no_number_is_called_as_those_that_the_page_changes_after_every_run(comfy: Host) -> None:
    """An actor would be trained anew each time."""
    assert not {put.id for schema in comfy.schemas.values() for put in schema.inputs} & {"seed", "noise_seed"}


def test_fields_begin_with_what_they_allow_and_offer_what_there_is(comfy: Host) -> None:
    for name, schema in comfy.schemas.items():
        usual = {put.id: put.default for put in schema.inputs if getattr(put, "default", None) is not None}
        others = {put.id: object() for put in schema.inputs if not put.optional and put.id not in usual}
        for id, put in {put.id: put for put in schema.inputs}.items():
            if "options" in getattr(put, "given", {}) and id in others:
                others[id] = put.given["options"][0]
        comfy.with_defaults(name, others)

    def offered(node: str, field: str) -> list[str]:
        found: list[str] = next(
            put.given["options"] for put in comfy.schemas[f"Understudy{node}"].inputs if put.id == field
        )
        return found

    for node, field, words in (
        ("Train", "preset", Preset),
        ("Perform", "fit", Fit),
        ("Perform", "missing_limbs", MissingLimbs),
        ("Perform", "label", Label),
        ("Track", "landmarks", Landmarks),
    ):
        assert set(offered(node, field)) == set(get_args(words)), field
    assert offered("Track", "rotate") == [str(turn) for turn in get_args(Rotation)]
    assert set(offered("Perform", "normalization")) == {"as the actor does", *get_args(NormalizeBy)}
    assert set(offered("Train", "recipe")) <= understudy.list_recipes().recipes.keys()


def test_nothing_heavy_is_imported_before_a_node_is_used(comfy: Host) -> None:
    loaded = {name for name in sys.modules if name.startswith("understudy.")}
    for module in ("tracking.observe", "performing.perform"):
        if f"understudy.{module}" in loaded:  # by other tests of this process
            return
    assert "understudy.actor" not in loaded


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_of_the_folder_fits_its_nodes(comfy: Host, workflow: Path) -> None:
    """Links lead from an output to an input of the same type, and every field has a value that it allows."""
    drawn = json.loads(workflow.read_text(encoding="utf-8"))
    assert drawn["version"] == 0.4 and drawn["last_link_id"] == len(drawn["links"])
    nodes = {node["id"]: node for node in drawn["nodes"]}
    used = {node["type"] for node in nodes.values()}
    assert used >= {"UnderstudyTrack", "UnderstudyTrain", "UnderstudyPerform", "UnderstudyCoverage"}
    for number, origin, slot, end, socket, kind in drawn["links"]:
        output, put = nodes[origin]["outputs"][slot], nodes[end]["inputs"][socket]
        assert output["type"] == put["type"] == kind and put["link"] == number and number in output["links"]
    ours = {id: node for id, node in nodes.items() if node["type"].startswith("Understudy")}
    for node in ours.values():
        schema = comfy.schemas[node["type"]]
        assert [(put["name"], put["type"]) for put in node["outputs"]] == [
            (put.id, put.io_type) for put in schema.outputs
        ]
        sockets = {put.id: put.io_type for put in schema.inputs if not hasattr(put, "default")}
        assert {put["name"]: put["type"] for put in node["inputs"]} == sockets
    prompt = as_prompt(drawn, comfy.schemas)
    for id in ours:
        entry = prompt[str(id)]
        comfy.with_defaults(entry["class_type"], {name: _given(value) for name, value in entry["inputs"].items()})
    assert [entry["inputs"]["consent"] for entry in prompt.values() if "consent" in entry["inputs"]] == [""]


def _given(value: Any) -> Any:
    return object() if isinstance(value, list) else value


def test_the_registry_is_told_what_it_asks_for() -> None:
    """Fields of docs.comfy.org/registry/specifications, as comfy_config/types.py of ComfyUI 0.3.75 reads them."""
    text = (PACK / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^name = "[a-z][a-z0-9._-]{0,98}"$', text, re.M)
    assert re.search(r'^version = "\d+\.\d+\.\d+"$', text, re.M)
    own = re.search(r'^version = "(.+)"$', (PACK.parents[1] / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert own is not None and f'version = "{own[1]}"' in text
    for field in ("description", "license", "requires-python", "dependencies", "PublisherId", "DisplayName"):
        assert re.search(rf"^{field} = ", text, re.M), field
    assert "[tool.comfy]" in text and "[project.urls]" in text


def test_the_folder_is_no_part_of_the_wheel_and_says_how_it_is_used() -> None:
    whole = (PACK.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert 'where = ["src"]' in whole
    for page in (PACK / "README.md", PACK.parents[1] / "docs" / "comfyui.md"):
        text = page.read_text(encoding="utf-8")
        missing = {
            "Track person",
            "Coverage",
            "Train actor",
            "Perform",
            "Load performance",
            "Load actor",
            "POSE_KEYPOINT",
        }
        assert {word for word in missing if word not in text} == set(), page.name
