"""Stopping, and the device.

Follows comfy/model_management.py of ComfyUI 0.3.75: the wish to stop is a flag of the process, which is taken back by
whoever raises for it, and when a workflow begins.
"""

import torch


class InterruptProcessingException(Exception):
    """The user stopped the workflow. Newer versions than 0.3.75 may derive it from BaseException."""


_interrupted = False
unloaded: list[bool] = []
"""an entry for every call of `unload_all_models`; for the tests alone"""


def interrupt_current_processing(value: bool = True) -> None:
    """What the cross in ComfyUI's page does."""
    global _interrupted
    _interrupted = value


def processing_interrupted() -> bool:
    """Whether it was pressed."""
    return _interrupted


def get_torch_device() -> torch.device:
    """As with `--cpu`."""
    return torch.device("cpu")


def unload_all_models() -> None:
    """Frees the GPU's memory of ComfyUI's models."""
    unloaded.append(True)
