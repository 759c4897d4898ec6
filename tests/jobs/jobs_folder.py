"""A folder with what jobs are asked of."""

from __future__ import annotations

from pathlib import Path

from tiny import tiny_performance
from tiny_actor import tiny_actor


def filled(folder: Path) -> Path:
    """Two actors and two drivers in a folder, which is given back."""
    for seed, name in ((1, "dance"), (2, "walk")):
        tiny_performance(folder / f"{name}.performance", seed, frames=6)
    tiny_actor().save(folder / "me.actor")
    tiny_actor(reference_name="anna.mp4").save(folder / "anna.actor")
    return folder
