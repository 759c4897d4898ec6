"""Writes requirements/hashed.txt and requirements/cuda.txt: what pyproject.toml asks for, with the hashes of all files.

    make hashes

The versions are those of constraints.txt; uv finds out what else they need on every system and every Python from 3.10
on, and takes the hashes from the index that your pip fetches from. What constraints.txt does not pin is what PyTorch
needs to compute on NVIDIA's cards under Linux, and gets a file of its own: who computes on the CPU does without those
gigabytes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAD = "# Made by `make hashes`; {what}. How to install from it stands in docs/installing.md.\n"
HASHED = "what pyproject.toml asks for, in the versions of constraints.txt, for every system and Python 3.10 to 3.14"
CUDA = "what PyTorch's own build for Linux needs besides, for NVIDIA's cards"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(?===)")
"""of a requirement that begins in this line"""


def main() -> None:
    pinned = {found[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if (found := NAME.match(line))}
    files: dict[str, list[str]] = {"hashed.txt": [HEAD.format(what=HASHED)], "cuda.txt": [HEAD.format(what=CUDA)]}
    chosen: list[str] = []
    for line in resolved().splitlines(keepends=True):
        if name := NAME.match(line):
            chosen = files["hashed.txt" if name[0] in pinned else "cuda.txt"]
        chosen.append(line)
    for file, lines in files.items():
        (ROOT / "requirements" / file).write_text("".join(lines))
        print(f"requirements/{file}: {sum(NAME.match(line) is not None for line in lines)} pins")


def resolved() -> str:
    """Every package with its version, where it is needed, and its hashes, as pip reads it."""
    index = os.environ.get("PIP_INDEX_URL") or said_by(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], may_fail=True
    )
    return said_by(
        [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--constraint", "constraints.txt",
         "--universal", "--python-version", "3.10", "--generate-hashes", "--no-annotate", "--no-header", "--quiet",
         *(["--default-index", index.strip()] if index.strip() else [])]
    )  # fmt: skip


def said_by(command: list[str], may_fail: bool = False) -> str:
    stderr = subprocess.DEVNULL if may_fail else None
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr)
    if done.returncode and not may_fail:
        raise SystemExit(done.returncode)
    return "" if done.returncode else done.stdout.decode()


if __name__ == "__main__":
    main()
