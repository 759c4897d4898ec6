"""A network as OpenVINO runs it on the CPU, where that is installed."""

from __future__ import annotations

import copy
import importlib
import io
import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

CANNOT = (RuntimeError, ImportError, TypeError, ValueError, AttributeError, OSError)
"""what tracing, converting and running raise where a network or a processor is none for it"""
_TELEMETRY = "openvino_telemetry"


class Converted:
    """A network as OpenVINO reads it, from which it can be compiled in one precision or another.

    Args:
        network: on the CPU, ready to generate; gives one tensor or a named tuple of some.
        given: what it may be given: other sizes may come later, other kinds may not.

    Attributes:
        model: OpenVINO's own.

    Raises:
        any of CANNOT: OpenVINO is not there, or not for this network.
    """

    def __init__(self, network: nn.Module, given: tuple[Tensor, ...]) -> None:
        with torch.inference_mode(False), torch.no_grad(), torch.autocast("cpu", enabled=False):
            example = tuple(tensor.detach().clone().float() for tensor in given)  # none of inference: it is traced
            said = network(*example)
            with _quiet():
                self._openvino: Any = importlib.import_module("openvino")
                only = example if len(example) > 1 else example[0]
                self.model = _told(lambda: self._openvino.convert_model(copy.deepcopy(network), example_input=only))
        self._kind = None if isinstance(said, Tensor) else type(said)

    def turn_into_integers(self, given: Sequence[npt.NDArray[np.float32]]) -> None:
        """Weights and what passes between layers become 8-bit integers, by NNCF (post-training quantisation).

        Args:
            given: what the network is given, from which the ranges are learnt: arrays (1, ...).

        Raises:
            any of CANNOT: NNCF is not there, or not for this network.
        """
        with _quiet(), redirect_stdout(io.StringIO()):  # it draws bars of progress
            nncf: Any = importlib.import_module("nncf")
            logging.getLogger("nncf").setLevel(logging.ERROR)  # its own function sets handlers that others added, too
            asked = {"preset": nncf.QuantizationPreset.MIXED, "subset_size": len(given)}
            self.model = _told(lambda: nncf.quantize(self.model, nncf.Dataset(list(given)), **asked))

    def save(self, path: Path, shape: Sequence[int], said: Mapping[str, str]) -> None:
        """Writes a network of one input and one output as OpenVINO's files: path, and a .bin beside it.

        Args:
            path: ends in .xml.
            shape: of what it is given; -1 is any number. What goes in is called "input", what comes out "output".
            said: what the files say of themselves, below "understudy" in `rt_info`.

        Raises:
            any of CANNOT: it cannot be written.
        """
        model = self.model
        model.reshape(list(shape))
        model.inputs[0].node.set_friendly_name("input")
        model.inputs[0].get_tensor().set_names({"input"})
        model.outputs[0].get_tensor().set_names({"output"})
        for name, text in said.items():
            model.set_rt_info(text, ["understudy", name])
        with _quiet():
            self._openvino.save_model(model, path, compress_to_fp16=False)

    def compiled(self, *, bfloat16: bool) -> Callable[..., Any]:
        """What takes and gives as the network does, in float32, on as many threads as PyTorch has.

        Args:
            bfloat16: whether it computes in that.

        Raises:
            any of CANNOT: this processor does not.
        """
        asked = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
        }
        request = _told(lambda: self._openvino.Core().compile_model(self.model, "CPU", asked).create_infer_request())

        def run(*tensors: Tensor) -> Any:
            arrays = request.infer([tensor.float().contiguous().numpy() for tensor in tensors]).to_tuple()
            made = [torch.from_numpy(np.array(array)) for array in arrays]  # copied: the request uses its memory again
            return made[0] if self._kind is None else self._kind(*made)

        return run


def read(path: Path) -> Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]:
    """What runs a file of one input and one output, OpenVINO's own or ONNX, in float32.

    Raises:
        any of CANNOT: OpenVINO is not there, or cannot read it.
    """
    with _quiet():
        openvino: Any = importlib.import_module("openvino")
    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda array: np.array(model([array])[0])


def _told(work: Callable[[], Any]) -> Any:
    """Calls OpenVINO. Some of its errors are of no kind but its own: they are raised as one of CANNOT."""
    try:
        return work()
    except CANNOT:
        raise
    except Exception as cause:
        raise RuntimeError(str(cause)) from cause


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenVINO without the telemetry that it sends when it is imported, its tracer's warnings, and its hand on our log.

    Where the package that sends cannot be imported, OpenVINO uses a stub of its own, which sends nothing. The warnings
    are of checks of shapes, made while it is traced and not afterwards. A conversion that fails leaves the root of all
    loggers so that nobody's warnings are said any more (findings/openvino_failed_conversion_silences_log.sh).
    """
    root = logging.getLogger()
    level, handlers, filters = root.level, list(root.handlers), list(root.filters)
    before = {_TELEMETRY: sys.modules[_TELEMETRY]} if _TELEMETRY in sys.modules else {}
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
        root.handlers[:], root.filters[:] = handlers, filters
        del sys.modules[_TELEMETRY]
        sys.modules.update(before)
