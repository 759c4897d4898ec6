"""What a training run leaves on disk: `run.json` (the settings), `losses.jsonl`, `checkpoints/`, `previews/`."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from understudy.base.arguments import word_of_today
from understudy.base.files import atomic_file, load_tensors, read_json, save_tensors, sweep_stale, write_json
from understudy.base.stored import whole
from understudy.errors import TrainingError

if TYPE_CHECKING:
    from understudy.performance import Performance

log = logging.getLogger(__name__)

CHECKPOINTS_KEPT = 2
DIFFERENCES_NAMED = 3

Arrays = dict[str, npt.NDArray[Any]]


class RunFolder:
    """Reads and writes one run's folder. Whoever trains holds its lock (`files.locked`)."""

    def __init__(self, path: Path):
        self.path = path
        self.previews = path / "previews"
        self.record = path / "run.json"
        self.losses = path / "losses.jsonl"

    def sweep(self) -> None:
        """Removes what a killed run left half-written, and what nothing that is still to be written would sweep."""
        for folder in (self.path, self.path / "checkpoints", self.previews):
            sweep_stale(folder)

    def begin(self, settings: Mapping[str, Any], seed: int, device: str) -> None:
        """Empties the folder and notes what the new run is begun with."""
        for old in ("checkpoints", "previews"):
            shutil.rmtree(self.path / old, ignore_errors=True)
            (self.path / old).mkdir(parents=True)
        self.losses.unlink(missing_ok=True)
        write_json(self.record, {"settings": settings, "seed": seed, "device": device})

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raises TrainingError: the run was begun with other settings, or its record cannot be read."""
        record = read_json(self.record, TrainingError)
        if not isinstance(record, dict) or not isinstance(record.get("settings"), dict):
            raise TrainingError(f"{self.record} is damaged: delete that folder, or choose another `output`")
        before = {key: word_of_today(key, value) for key, value in _flat(record["settings"])}
        now = dict(_flat(json.loads(json.dumps(settings))))  # tuples become lists, as on disk
        begun_with = before.get("recipe", now.get("recipe"))
        if begun_with != now.get("recipe"):  # all else differs then, too
            raise TrainingError(
                f"{self.path} was begun with another recipe: go on with `recipe={begun_with!r}`, choose another "
                "`output`, or delete that folder"
            )
        differ = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
        if differ:
            named = [f"{key} was {_short(before.get(key))}, is {_short(now.get(key))}" for key in differ]
            more = [f"and {len(differ) - DIFFERENCES_NAMED} more"] if len(differ) > DIFFERENCES_NAMED else []
            raise TrainingError(
                f"{self.path} was begun with other settings ({'; '.join(named[:DIFFERENCES_NAMED] + more)}): repeat "
                "the `preset`, `seed` and clips of before, choose another `output`, or delete that folder"
            )

    # -- losses --------------------------------------------------------------------------------------------

    def log_losses(self, step: int, seconds: float, losses: Mapping[str, float]) -> None:
        """Adds a line."""
        with open(self.losses, "a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": step, "seconds": round(seconds, 2), **losses}) + "\n")

    def forget_losses_after(self, step: int) -> dict[str, float]:
        """Removes the lines of steps that will be done again; returns the losses of the last line that stays."""
        if not self.losses.exists():
            return {}
        lines = self.losses.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [line for line in lines if _step_of(line) <= step]
        with atomic_file(self.losses) as temporary:
            temporary.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        last = json.loads(kept[-1]) if kept else {}
        kept_losses = {name: value for name, value in last.items() if name not in ("step", "seconds")}
        return {name: value for name, value in kept_losses.items() if isinstance(value, float)}

    # -- checkpoints ---------------------------------------------------------------------------------------

    def checkpoints(self) -> list[Path]:
        """All of them, oldest first, damaged ones too."""
        return sorted((self.path / "checkpoints").glob("step-*.safetensors"))

    def save(self, step: int, arrays: Arrays, header: Mapping[str, Any]) -> None:
        """Writes a checkpoint and removes the oldest."""
        save_tensors(self.path / "checkpoints" / f"step-{step:08d}.safetensors", arrays, header)
        for old in self.checkpoints()[:-CHECKPOINTS_KEPT]:
            old.unlink()

    def load(self) -> tuple[Arrays, dict[str, Any]] | None:
        """Arrays and header of the newest whole checkpoint; damaged newer ones are removed. None when there is none."""
        damaged = []
        for path in reversed(self.checkpoints()):
            try:
                arrays, header = load_tensors(path, TrainingError)
            except TrainingError as error:
                log.warning("%s; taking the checkpoint before it", error)
                damaged.append(path)
                continue
            for newer in damaged:  # else it would be kept as one of the newest
                newer.unlink()
            return arrays, header
        return None


def fingerprint(performance: Performance) -> str:
    """Hash of what training sees of a performance: another tracking or correction has another one."""
    header = performance.header
    seen: list[object] = [sorted(header.files.items()), header.crop.scale, list(header.crop.translation_xy)]
    if corrected := header.fixes.sha256():  # only then, so that runs of others go on
        seen.append(corrected)
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 20 else text[:12] + "..."


def _step_of(line: str) -> int:
    try:
        return whole(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return 2**62  # a half-written last line of a killed run
