"""The verb `export`: an actor's networks as files that other programs run."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from understudy.base.arguments import StrPath, check_choice
from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.exporting.files import Given
    from understudy.performance import Performance
    from understudy.recipes.parts.cut import Cut

Runtime = Literal["generic", "openvino", "figment"]
SUFFIXES = {"generic": ".onnx", "openvino": ".xml", "figment": ".onnx"}
PACKAGES = {"generic": ("onnx", "onnxruntime"), "openvino": ("openvino",), "figment": ("onnx", "onnxruntime")}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exported:
    """One network that `export` wrote."""

    path: Path
    """of the ONNX file, or of OpenVINO's .xml, beside which its .bin lies"""
    size_hw: tuple[int, int]
    """pixels of what goes in and comes out"""
    channels: tuple[int, int]
    """that go in and come out"""
    difference: float
    """mean difference from what PyTorch makes of noise, of values in [-1, 1]; in 8-bit integers, of a dance"""
    use: str
    """what to do with what comes out, or with the file"""
    at_once: int | None = None
    """pictures that it takes and makes at a time; None any number"""
    int8: bool = False
    """whether it computes in 8-bit integers"""

    @property
    def about(self) -> str:
        """What goes in, what comes out, and what to do with that."""
        (height, width), (given, made), many = self.size_hw, self.channels, self.at_once or "B"
        levels = f"; 8-bit integers, {self.difference * 127.5:.2f} levels of 255 off in the mean" if self.int8 else ""
        return f"input {many}x{given}x{height}x{width}, output {many}x{made}x{height}x{width}: {self.use}{levels}"


def export(
    actor: Actor | StrPath,
    output: StrPath,
    *,
    runtime: Runtime = "generic",
    int8: Performance | StrPath | None = None,
    overwrite: bool = False,
) -> tuple[Exported, ...]:
    """Writes an actor's network as ONNX or OpenVINO files, for programs that run it without PyTorch or understudy.

    The network takes a drawn pose and makes a picture. How the pose is drawn stands in the file, with what each channel
    is, the person's consent, and that the pictures are synthetic: who shows them says so. Recipes with a second network
    give a second file, me.face.onnx or me.texture.onnx for me.onnx. Each file is run once and compared with PyTorch
    before it takes its name. docs/exporting.md has an example. Recipes that copy from filmed frames have no such
    network.

    Args:
        actor: trained with pix2pix, performance-cloning, everybody-dance-now, poses-in-the-wild or cyclegan.
        output: the file to write: .onnx, or .xml for OpenVINO, beside which a .bin of the same name is written.
        runtime: what the file is for: "generic" is ONNX, "openvino" OpenVINO's own format, "figment" ONNX for the node
            of Figment, one picture at a time, of an actor that learnt from the skeleton which it draws: pix2pix with
            `variant="white skeleton"`.
        int8: a tracked performance, of the person or of a dance: the networks become ones of 8-bit integers, whose
            ranges are learnt from two of every three of its moments; on the third is measured what that costs. A
            quarter of the size, for "openvino" alone.
        overwrite: replace files that are there.

    Returns:
        What was written, in the order in which the networks are used.

    Raises:
        UnderstudyError: there is no such actor, its recipe has no such network, a package is missing, or files are
            there already.

    Example:
        export("me.actor", "me.onnx")

    Shell:
        $ understudy export --actor me.actor --output me.onnx
        $ understudy export --actor me.actor --output me.xml --for openvino
        $ understudy export --actor me.actor --output me.xml --for openvino --int8 me.performance
        $ understudy export --actor stage.actor --output me.onnx --for figment
    """
    path = Path(output)
    _check(path, runtime, int8 is not None)
    from understudy.actor import Actor
    from understudy.recipes import recipe

    given = actor if isinstance(actor, Actor) else Actor.load(actor)
    cuts = recipe(given.recipe).cuts(given.config, given.weights, given.statistics)
    if runtime == "figment":
        cuts = (_for_figment(cuts),)
    files = [file for cut in cuts for file in _files(_path_of(cut, path))]
    _check_free(files, None if isinstance(actor, Actor) else Path(actor), overwrite)
    return _written(given, cuts, path, files, None if int8 is None else _inputs_of(given, cuts, int8))


def _check(path: Path, runtime: str, integers: bool) -> None:
    """Raises UsageError: what is asked for cannot be written, or not here."""
    check_choice("runtime", runtime, get_args(Runtime))
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES.values():
        raise UsageError(f"cannot write a network as {path}: name it {path.stem or 'me'}{SUFFIXES[runtime]}")
    if suffix != SUFFIXES[runtime]:
        other = next(name for name, one in SUFFIXES.items() if one == suffix)  # "generic" before "figment"
        name = f"{path.stem}{SUFFIXES[runtime]}"
        raise UsageError(f"{path} is not `runtime={runtime!r}`: name it {name}, or give `runtime={other!r}`")
    if integers and runtime != "openvino":
        raise UsageError(f"`int8` is for `runtime='openvino'`: name the file {path.stem}.xml and say so")
    _check_packages(path, PACKAGES[runtime], "export")
    if integers:
        _check_packages(path, ("nncf",), "int8")


def _check_packages(path: Path, packages: Sequence[str], extra: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UsageError(
            f'writing {path} needs {" and ".join(missing)}, not installed here: pip install "understudy[{extra}]"'
        )


def _for_figment(cuts: Sequence[Cut]) -> Cut:
    """The one network, with the words that Figment's nodes have.

    Raises:
        UsageError: the actor learnt from another drawing.
    """
    from dataclasses import replace

    from understudy.exporting.figment import use_of

    cut = cuts[0]
    if cut.condition["kind"] != "white skeleton":
        raise UsageError(
            f"`runtime='figment'`: Figment draws a white skeleton, and this actor learnt from {cut.condition['kind']}, "
            "so what came out would be no person; train one with `recipe='pix2pix'` and `variant='white skeleton'`"
        )
    return replace(cut, use=use_of(cut), at_once=1)


def _path_of(cut: Cut, path: Path) -> Path:
    """me.onnx, and me.face.onnx beside it."""
    from understudy.verbs.outputs import beside

    return beside(path, f".{cut.name}{path.suffix}") if cut.name else path


def _files(path: Path) -> list[Path]:
    """All files of one network."""
    return [path, path.with_suffix(".bin")] if path.suffix.lower() == ".xml" else [path]


def _check_free(files: Sequence[Path], actor: Path | None, overwrite: bool) -> None:
    """Raises UsageError: something is there that would be lost."""
    from understudy.base.files import check_name

    for file in files:
        check_name(file)
        if file.is_dir():
            raise UsageError(f"{file} is a folder: choose another `output`")
        if actor is not None and file.exists() and file.samefile(actor):
            raise UsageError(f"`output` {file} would overwrite the actor: choose another name")
        if file.exists() and not overwrite:
            raise UsageError(f"{file} exists: replace it with `overwrite=True`, or choose another `output`")


def _inputs_of(actor: Actor, cuts: Sequence[Cut], int8: Performance | StrPath) -> list[list[Given]]:
    """What the networks are given in a performance."""
    from understudy.exporting.ranges import inputs_of
    from understudy.performance import Performance

    dance = int8 if isinstance(int8, Performance) else Performance.load(int8)
    log.info("learning the ranges of 8-bit integers from %s", dance.header.source_name)
    return inputs_of(actor, cuts, dance)


def _written(
    actor: Actor, cuts: Sequence[Cut], path: Path, files: Sequence[Path], inputs: list[list[Given]] | None
) -> tuple[Exported, ...]:
    """All networks, made and checked in a folder beside, before any takes its name."""
    from understudy.base.files import atomic_file, scratch_folder

    made = []
    with scratch_folder(path) as folder:
        for at, cut in enumerate(cuts):
            own = _path_of(cut, path)
            found = _write(actor, cut, folder / own.name, None if inputs is None else inputs[at])
            log.debug("%s is %.2g from PyTorch", own, found)
            channels, integers = (len(cut.given), len(cut.made)), inputs is not None
            made.append(Exported(own, cut.size_hw, channels, found, cut.use, cut.at_once, integers))
        with ExitStack() as named:  # the last is named first: weights before what points to them
            for file in files:
                os.replace(folder / file.name, named.enter_context(atomic_file(file)))
    return tuple(made)


def _write(actor: Actor, cut: Cut, path: Path, given: list[Given] | None) -> float:
    """Writes one network; how far what the file says is from what PyTorch says.

    Args:
        given: what the network is given in a dance, for one of 8-bit integers: of every three the third is measured by.
    """
    from understudy.base import openvino
    from understudy.exporting import files
    from understudy.exporting.statement import said_of

    said = said_of(actor, cut)
    if path.suffix.lower() == ".onnx":
        files.write_onnx(cut, said, path)
        return files.check(cut, files.read_onnx(path))
    if given is None:
        files.write_openvino(cut, said, path)
        return files.check(cut, openvino.read(path))
    learnt, measured = [one for at, one in enumerate(given) if at % 3 != 2], given[2::3]
    files.write_openvino(cut, said | {"weights": "8-bit integers"}, path, learnt)
    return files.check_integers(cut, openvino.read(path), measured)
