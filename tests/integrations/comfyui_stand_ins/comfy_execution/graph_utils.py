"""What stops an output from being used.

Follows comfy_execution/graph_utils.py of ComfyUI 0.3.75.
"""


class ExecutionBlocker:
    """Given out instead of a value: nodes that want it are not run, and the user is told."""

    def __init__(self, message: str | None) -> None:
        self.message = message
