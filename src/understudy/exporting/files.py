"""One network as a file: ONNX, or OpenVINO's own format; each is run once before it counts as written."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from understudy.base import openvino
from understudy.errors import UnderstudyError
from understudy.recipes.parts.cut import Cut

OPSET = 17
"""of ONNX: the oldest that has all that the networks need in one node, and that older programs read"""
MOST_DIFFERENCE = 1 / 255
"""mean difference from PyTorch, of values in [-1, 1], above which a file is not written"""

MOST_OF_INTEGERS = 8 / 255
"""the same of networks of 8-bit integers, four levels of 255: more is seen"""

Given = npt.NDArray[np.float32]
Run = Callable[[Given], Given]


def write_onnx(cut: Cut, said: Mapping[str, str], path: Path) -> None:
    """Writes a network as ONNX with one input "input" and one output "output".

    It takes any number of pictures at once, unless the cut says how many.

    Args:
        said: what the file says of itself, in its `metadata_props`.
        path: in a folder that is there.
    """
    onnx: Any = importlib.import_module("onnx")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of checks of shapes while it is traced; and that this exporter is the old one
        torch.onnx.export(
            cut.network,
            (_zeros(cut),),
            str(path),
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={} if cut.at_once else {"input": {0: "batch"}, "output": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,  # the newer one needs one package more, onnxscript, and adds nothing here
        )
    model = onnx.load(str(path))
    model.producer_name, model.producer_version = "understudy", said["made_with"].rpartition(" ")[2]
    model.doc_string = f"{said['recipe']}: {said['use']}; {said['synthetic']}"
    onnx.helper.set_model_props(model, dict(said))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def read_onnx(path: Path) -> Run:
    """What runs a file of `write_onnx`, by ONNX Runtime on the CPU."""
    onnxruntime: Any = importlib.import_module("onnxruntime")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda array: np.asarray(session.run(["output"], {"input": array})[0])


def write_openvino(cut: Cut, said: Mapping[str, str], path: Path, ranges_of: Sequence[Given] = ()) -> None:
    """Writes a network as OpenVINO's files, path (.xml) and a .bin beside it; see `write_onnx`.

    Args:
        ranges_of: `(1, C, H, W)` each, what the network is given: then it becomes one of 8-bit integers, and from these
            their ranges are learnt.

    Raises:
        UnderstudyError: OpenVINO has no way to run this network.
    """
    try:
        converted = openvino.Converted(cut.network, (_zeros(cut),))
        if ranges_of:
            converted.turn_into_integers(ranges_of)
        converted.save(path, (-1, len(cut.given), *cut.size_hw), said)
    except openvino.CANNOT as cause:
        reason = str(cause).strip().partition("\n")[0]
        raise UnderstudyError(f"OpenVINO cannot take the network ({reason}): export it as .onnx") from None


def difference(cut: Cut, run: Run, count: int = 2) -> float:
    """Mean difference between what a file says and what PyTorch says, of `count` noisy pictures, or the cut's."""
    shape = (cut.at_once or count, len(cut.given), *cut.size_hw)
    return difference_of(cut, run, np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32))


def difference_of(cut: Cut, run: Run, given: Given) -> float:
    """Mean difference between what a file says and what PyTorch says of what is given, `(B, C, H, W)`."""
    with torch.no_grad():
        true = cut.network(torch.from_numpy(given)).float().numpy()
    said = run(given)
    if said.shape != true.shape:
        raise UnderstudyError(f"the file makes {said.shape} where PyTorch makes {true.shape}: please report it")
    return float(np.abs(said - true).mean())


def check(cut: Cut, run: Run) -> float:
    """The difference of a file from PyTorch, if it is small enough.

    Raises:
        UnderstudyError: it is not; nothing is to be kept of the file.
    """
    found = difference(cut, run)
    if not found <= MOST_DIFFERENCE:
        raise UnderstudyError(
            f"the written network is {found:.3g} from what PyTorch makes, and {MOST_DIFFERENCE:.3g} is allowed: "
            "nothing was kept; please report it with the versions of onnxruntime and openvino"
        )
    return found


def check_integers(cut: Cut, run: Run, given: Sequence[Given]) -> float:
    """The difference of a file of 8-bit integers from PyTorch, of what the network is given in a dance.

    Raises:
        UnderstudyError: it would be seen; nothing is to be kept of the file.
    """
    found = float(np.mean([difference_of(cut, run, one) for one in given]))
    if not found <= MOST_OF_INTEGERS:
        raise UnderstudyError(
            f"in 8-bit integers the network {cut.name or 'main'!r} is {found:.3g} from what it makes otherwise, and "
            f"{MOST_OF_INTEGERS:.3g} is allowed: nothing was kept; leave `int8` out, or give a longer performance"
        )
    return found


def _zeros(cut: Cut) -> torch.Tensor:
    return torch.zeros(cut.at_once or 1, len(cut.given), *cut.size_hw)
