"""A workflow as ComfyUI's page draws it, made into what it sends to be run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

THEIR_FIELDS = {"LoadVideo": ("file", None), "SaveVideo": ("filename_prefix", "format", "codec")}
"""of nodes of ComfyUI's own; None: a button"""
ONLY_DRAWN = ("Note", "MarkdownNote")


def as_prompt(drawn: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """By node, its class and its inputs; a link is [node, output]."""
    links = {link[0]: [str(link[1]), link[2]] for link in drawn["links"]}
    prompt = {}
    for node in drawn["nodes"]:
        if node["type"] in ONLY_DRAWN:
            continue
        fields = THEIR_FIELDS.get(node["type"]) or _fields(schemas[node["type"]])
        values = node["widgets_values"]
        assert len(fields) == len(values), node["type"]
        inputs = {name: value for name, value in zip(fields, values, strict=True) if name is not None}
        sockets = {put["name"]: links[put["link"]] for put in node["inputs"] if put["link"] is not None}
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": {**inputs, **sockets}}
    return prompt


def _fields(schema: Any) -> list[str]:
    """What has a field, in the order in which the page shows it: what may be left out comes last."""
    fields = [put for put in schema.inputs if hasattr(put, "default")]
    return [put.id for put in sorted(fields, key=lambda put: bool(put.optional))]
