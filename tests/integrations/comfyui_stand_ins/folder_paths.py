"""ComfyUI's folders.

Follows folder_paths.py of ComfyUI 0.3.75; `root` is for the tests alone, who set it.
"""

from pathlib import Path

root = Path("no-folder-was-set")


def _folder(name: str) -> str:
    (root / name).mkdir(parents=True, exist_ok=True)
    return str(root / name)


def get_output_directory() -> str:
    """Whole path of what is made."""
    return _folder("output")


def get_input_directory() -> str:
    """Whole path of what users brought."""
    return _folder("input")


def get_temp_directory() -> str:
    """Whole path of what is emptied when ComfyUI starts."""
    return _folder("temp")
