"""A ComfyUI with nothing in it but our nodes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.comfyui_host import Host


@pytest.fixture
def comfy(tmp_path: Path) -> Iterator[Host]:
    with Host(tmp_path / "comfy") as host:
        yield host
