"""Loads the node pack beside the stand-ins of ComfyUI, and runs its nodes as ComfyUI does.

What is imitated, with its place in ComfyUI 0.3.75: a folder of custom nodes is loaded by its path and asked for its
nodes (nodes.py, `load_custom_node`); a workflow runs in a thread that is not the main one (main.py, `prompt_worker`),
in an event loop and an `inference_mode` of its own (execution.py, `execute_async`), the node as a class that was
cloned, so that `hidden` is its own, and locked (comfy_api/internal, `make_locked_method_func`); inputs are checked
against the schema before.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

HERE = Path(__file__).parent
PACK = HERE.parents[1] / "integrations" / "comfyui"
STAND_INS = HERE / "comfyui_stand_ins"
NAME = "custom_nodes_understudy"
THEIRS = ("comfy_api", "comfy", "comfy_execution", "folder_paths", "server")


class Host:
    """A ComfyUI with this pack alone; `with` it, in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __enter__(self) -> Host:
        self._before = {name: module for name, module in sys.modules.items() if _is_theirs(name)}
        for name in self._before:
            del sys.modules[name]
        sys.path.insert(0, str(STAND_INS))
        spec = importlib.util.spec_from_file_location(
            NAME, PACK / "__init__.py", submodule_search_locations=[str(PACK)]
        )
        assert spec is not None and spec.loader is not None
        self.pack: ModuleType = importlib.util.module_from_spec(spec)
        sys.modules[NAME] = self.pack
        import folder_paths

        folder_paths.root = self.root
        spec.loader.exec_module(self.pack)
        extension = asyncio.run(self.pack.comfy_entrypoint())
        self.nodes = {node.define_schema().node_id: node for node in asyncio.run(extension.get_node_list())}
        self.schemas = {name: node.define_schema() for name, node in self.nodes.items()}
        return self

    def __exit__(self, *_: object) -> None:
        for name in [name for name in sys.modules if _is_theirs(name)]:
            del sys.modules[name]
        sys.modules.update(self._before)
        sys.path.remove(str(STAND_INS))

    def part(self, name: str) -> ModuleType:
        """A module of the pack, or a stand-in."""
        return importlib.import_module(name if _is_theirs(name) else f"{NAME}.{name}")

    def with_defaults(self, node: str, given: dict[str, Any]) -> dict[str, Any]:
        """What ComfyUI hands on: what was given, and what fields say by themselves; checked by the schema of now."""
        puts = {put.id: put for put in self.nodes[node].define_schema().inputs}
        assert given.keys() <= puts.keys(), given.keys() - puts.keys()
        usual = {id: put.default for id, put in puts.items() if getattr(put, "default", None) is not None}
        inputs = {**usual, **given}
        missing = [id for id, put in puts.items() if not put.optional and id not in inputs]
        assert not missing, missing
        for id, value in inputs.items():
            words = getattr(puts[id], "given", {})
            assert "options" not in words or value in words["options"], (id, value)
            assert not isinstance(value, (int, float)) or words.get("min", value) <= value <= words.get("max", value), (
                id
            )
        return inputs

    def run(self, node: str, node_id: str = "7", **given: Any) -> Any:
        """What the node gives, a `NodeOutput`; what it raises is raised."""
        inputs = self.with_defaults(node, given)
        io = self.part("comfy_api.latest").io
        self.part("comfy.model_management").interrupt_current_processing(False)
        clone = _locked(self.nodes[node], io.HiddenHolder(node_id))
        made: list[Any] = []

        def work() -> None:
            with torch.inference_mode():
                try:
                    made.append(asyncio.run(clone.execute(**inputs)))
                except BaseException as error:  # noqa: BLE001 (it is raised again, by who asked)
                    made.append(error)

        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
        if isinstance(made[0], BaseException):
            raise made[0]
        outputs = self.schemas[node].outputs
        assert len(made[0].args) == len(outputs)
        return made[0]

    def shown(self) -> list[tuple[float, float, str, Any]]:
        """What was told to the bar."""
        shown: list[tuple[float, float, str, Any]] = self.part("comfy_api.latest").ComfyAPI.Execution.shown
        return shown


def _is_theirs(name: str) -> bool:
    return name.split(".")[0] in (*THEIRS, NAME)


def _locked(node: type, hidden: Any) -> Any:
    class Locked(type):
        def __setattr__(cls, name: str, value: Any) -> None:
            raise AttributeError(f"Cannot modify class attribute {name!r}")

    return Locked(node.__name__, (node,), {"hidden": hidden})
