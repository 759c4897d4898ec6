"""ComfyUI's server, as far as nodes speak to it.

Follows server.py of ComfyUI 0.3.75.
"""


class _Server:
    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        """(node, text), for the tests alone"""

    def send_progress_text(self, text: str, node_id: str, sid: str | None = None) -> None:
        """Shows a line below a node; from any thread."""
        self.texts.append((node_id, text))


class PromptServer:
    """The one there is."""

    instance = _Server()
