"""Schemas and nodes.

Follows comfy_api/latest/_io.py of ComfyUI 0.3.75, its signatures without what the node pack has no use for: a word that
that version does not take is a TypeError here, too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class FolderType(str, Enum):
    """ComfyUI's folders."""

    input = "input"
    output = "output"
    temp = "temp"


class Hidden(str, Enum):
    """What a node is told that no user gives it."""

    unique_id = "UNIQUE_ID"
    prompt = "PROMPT"
    extra_pnginfo = "EXTRA_PNGINFO"


@dataclass
class HiddenHolder:
    """`cls.hidden` of a node that runs."""

    unique_id: str
    prompt: Any = None
    extra_pnginfo: Any = None


class _Put:
    id: str
    io_type: str


class Input(_Put):
    """A socket."""

    def __init__(
        self,
        id: str,
        display_name: str | None = None,
        optional: bool = False,
        tooltip: str | None = None,
        lazy: bool | None = None,
        extra_dict: dict[str, Any] | None = None,
    ) -> None:
        self.id, self.display_name, self.optional, self.tooltip = id, display_name, optional, tooltip


class WidgetInput(Input):
    """A field that users fill in."""

    def __init__(
        self, id: str, *, default: Any = None, optional: bool = False, tooltip: str | None = None, **words: Any
    ) -> None:
        super().__init__(id, optional=optional, tooltip=tooltip)
        unknown = set(words) - self.words
        if unknown:
            raise TypeError(f"{type(self).__name__} takes no {', '.join(sorted(unknown))}")
        self.default, self.given = default, words

    words: frozenset[str] = frozenset()


class Output(_Put):
    """What leaves a node."""

    def __init__(
        self,
        id: str | None = None,
        display_name: str | None = None,
        tooltip: str | None = None,
        is_output_list: bool = False,
    ) -> None:
        self.id, self.display_name, self.tooltip = id or "", display_name, tooltip


class _Type:
    """A kind of things that go from node to node."""

    def __init__(self, io_type: str, usual: type[Input] = Input) -> None:
        self.io_type = io_type
        self._usual = usual

    def Input(self, id: str, **words: Any) -> Input:
        """A socket or field of this kind."""
        made = self._usual(id, **words)
        made.io_type = self.io_type
        return made

    def Output(self, id: str | None = None, display_name: str | None = None, tooltip: str | None = None) -> Output:
        """An output of this kind."""
        made = Output(id, display_name, tooltip)
        made.io_type = self.io_type
        return made


def Custom(io_type: str) -> _Type:
    """A kind of one's own."""
    return _Type(io_type)


class _Text(WidgetInput):
    words = frozenset({"multiline", "placeholder", "display_name"})


class _Number(WidgetInput):
    words = frozenset({"min", "max", "step", "display_name", "control_after_generate"})


class _Choice(WidgetInput):
    words = frozenset({"options", "display_name", "upload"})


Image, Mask, Video, Audio = _Type("IMAGE"), _Type("MASK"), _Type("VIDEO"), _Type("AUDIO")
String, Combo = _Type("STRING", _Text), _Type("COMBO", _Choice)
Int, Float, Boolean = _Type("INT", _Number), _Type("FLOAT", _Number), _Type("BOOLEAN", WidgetInput)


@dataclass
class Schema:
    """What a node says of itself."""

    node_id: str
    display_name: str | None = None
    category: str = "sd"
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    description: str = ""
    is_output_node: bool = False

    def validate(self) -> None:
        """Names are there once, among inputs and outputs together.

        Raises:
            ValueError: one is there twice; ComfyUI then leaves out all nodes of the folder.
        """
        twice = [id for id, count in Counter(put.id for put in (*self.inputs, *self.outputs)).items() if count > 1]
        if twice:
            raise ValueError(f"Ids must be unique between inputs and outputs, but {twice} are not.")


class NodeOutput:
    """What a node gives: values in the order of its outputs, and what is shown."""

    def __init__(self, *args: Any, ui: Any = None) -> None:
        self.args, self.ui = args, ui


class ComfyNode:
    """A node; never made into an object, its methods belong to the class."""

    hidden: HiddenHolder

    @classmethod
    def define_schema(cls) -> Schema:
        """What it says of itself."""
        raise NotImplementedError
