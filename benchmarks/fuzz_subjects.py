"""What is fuzzed, by the names of `fuzz.py --kind`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fuzz_detectors as detectors
import fuzz_media as media
import fuzz_poses as poses
import fuzz_trained as trained


@dataclass(frozen=True)
class Subject:
    """One kind of file."""

    make: Callable[[Path], None]
    """writes whole ones into a new folder"""
    damage: Callable[[random.Random, Path, Path], Path]
    """chance, the folder of whole ones, an empty folder -> the mutant that it has put there"""
    use: Callable[[Path, Path, random.Random], list[str]]
    """mutant, an empty folder for outputs, chance -> the lines that were printed"""
    ready: Callable[[], Any] = lambda: None
    """imports what is needed, before the children are made"""


SUBJECTS = {
    "video": Subject(media.make_videos, media.damage_file, media.use_video, media.ready_video),
    "performance": Subject(
        trained.make_performance,
        trained.damage_performance,
        trained.use_performance,
        trained.ready_performance,
    ),
    "actor": Subject(trained.make_actors, trained.damage_actor, trained.use_actor, trained.ready_actor),
    "run": Subject(trained.make_run, trained.damage_run, trained.use_run, trained.ready_run),
    "detector": Subject(
        detectors.make_detectors,
        detectors.damage_detector,
        detectors.use_detector,
        detectors.ready_detectors,
    ),
    "poses": Subject(poses.make_poses, poses.damage_poses, poses.use_poses, poses.ready_poses),
    "bvh": Subject(poses.make_motion, poses.damage_motion, poses.use_motion, poses.ready_motion),
    "manifest": Subject(media.make_manifests, media.damage_manifest, media.use_manifest, media.ready_video),
}
