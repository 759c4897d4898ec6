"""understudy: film a person for two minutes, and a trained actor of that person performs any dance.

The public names. They are imported when first used, so that `import understudy` takes no time.

Example:
    import understudy

    understudy.clone("me.mp4", "dance.mp4", "out.mp4", preset="preview", consent="I am the person in me.mp4")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.actor import Actor as Actor
    from understudy.covering.coverage import coverage as coverage
    from understudy.errors import UnderstudyError as UnderstudyError
    from understudy.forensics.detect import detect as detect
    from understudy.jobs.batch import batch as batch
    from understudy.judging.page import study as study
    from understudy.judging.results import study_results as study_results
    from understudy.performance import Performance as Performance
    from understudy.poses.pose import Pose as Pose
    from understudy.tracking.track import track as track
    from understudy.verbs.clone import clone as clone
    from understudy.verbs.demo import demo as demo
    from understudy.verbs.evaluate import evaluate as evaluate
    from understudy.verbs.export import export as export
    from understudy.verbs.fix import fix as fix
    from understudy.verbs.forget import forget as forget
    from understudy.verbs.inspect import inspect as inspect
    from understudy.verbs.licences import licences as licences
    from understudy.verbs.live import live as live
    from understudy.verbs.perform import perform as perform
    from understudy.verbs.poses import convert_poses as convert_poses
    from understudy.verbs.recipes import list_recipes as list_recipes
    from understudy.verbs.reenact import reenact as reenact
    from understudy.verbs.train import train as train
    from understudy.verbs.train_freestyle import train_freestyle as train_freestyle
    from understudy.verbs.verify import verify as verify
    from understudy.verbs.weights import weights as weights
    from understudy.web.studio import studio as studio

    __version__: str

_HOMES = {
    "Actor": "actor",
    "Performance": "performance",
    "Pose": "poses.pose",
    "UnderstudyError": "errors",
    "batch": "jobs.batch",
    "clone": "verbs.clone",
    "convert_poses": "verbs.poses",
    "coverage": "covering.coverage",
    "demo": "verbs.demo",
    "detect": "forensics.detect",
    "evaluate": "verbs.evaluate",
    "export": "verbs.export",
    "fix": "verbs.fix",
    "forget": "verbs.forget",
    "inspect": "verbs.inspect",
    "licences": "verbs.licences",
    "live": "verbs.live",
    "list_recipes": "verbs.recipes",
    "perform": "verbs.perform",
    "reenact": "verbs.reenact",
    "studio": "web.studio",
    "study": "judging.page",
    "study_results": "judging.results",
    "track": "tracking.track",
    "train": "verbs.train",
    "train_freestyle": "verbs.train_freestyle",
    "verify": "verbs.verify",
    "weights": "verbs.weights",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("understudy")
    if name not in _HOMES:
        raise AttributeError(f"module 'understudy' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"understudy.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
