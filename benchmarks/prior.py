"""Teaches the network of copy-then-refine what people look like, with made-up people as the real tracker sees them.

    python benchmarks/prior.py --work prior --output mine.json --save src/understudy/recipes/parts/prior.safetensors
    python benchmarks/prior.py --work small --people 2 --held-out 1 --steps 5

Each person is filmed by a cheap camera (`prior_clips.py`), tracked, and played from his own other frames. The network
learns to mend what that breaks; then it is tried on made-up people it has not seen, and on real clips of the folder
UNDERSTUDY_MEDIA, of which it has seen none. A distance below the plain warp's is a gain.

What is finished stays in the work folder and is not done again; an interrupted training goes on.
"""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from prior_clips import made_up
from understudy.base.files import atomic_folder, write_json
from understudy.base.machine import machine
from understudy.performance import Performance
from understudy.recipes import copy_then_refine as recipe
from understudy.recipes.parts import prior
from understudy.recipes.parts.copy_then_refine_config import Config, instant
from understudy.recipes.parts.groups import Optimisation
from understudy.recipes.parts.kept_frames import keep_frames
from understudy.recipes.parts.refined import best, refiner_for
from understudy.recipes.parts.rehearsal import Rehearsal, rehearsed
from understudy.tracking.track import tracked
from understudy.training.session import Session

MEDIA = Path(os.environ.get("UNDERSTUDY_MEDIA", Path(__file__).parents[2] / "shared" / "media"))
FIRST = 501
"""number of the first made-up person; film, room and dance follow from it"""
SECONDS = 8.0
"""of each film"""
BLOCKS, PAIRS = 3, 30
"""of a person's film, and pairs of moments learnt from it"""


def config_of(steps: int) -> Config:
    """The recipe's own network, taught longer and faster than one person's."""
    learning = Optimisation(batch=8, learning_rate=4e-4, betas=(0.9, 0.999), ema_decay=0.998)
    return replace(instant(), knows_people=False, steps=steps, optimisation=learning)


def rehearsal_of(performance: Performance, config: Config, folder: Path) -> Rehearsal | None:
    """A person's rehearsal, in files; None where the clip is too short for one."""
    if not folder.exists():
        weights = keep_frames(performance, config.size, config.frames)
        blocks = rehearsed(config, weights, BLOCKS, 2 * PAIRS, paired=True, title=f"rehearsing {folder.name}")
        if not blocks:
            return None
        with atomic_folder(folder) as made:
            for name in vars(blocks[0]):
                np.save(made / f"{name}.npy", np.concatenate([getattr(block, name) for block in blocks]))
    return Rehearsal(**{path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")})


def people(work: Path, numbers: range, config: Config) -> dict[int, Rehearsal]:
    """The rehearsals of made-up people, of those whom the tracker finds."""
    found = {}
    for number in numbers:
        performance = made_up(work / "people", number, SECONDS)
        one = None if performance is None else rehearsal_of(performance, config, work / f"rehearsal-{number}")
        if one is not None:
            found[number] = one
    return found


def real_clips(work: Path, config: Config, names: list[str]) -> dict[str, Rehearsal]:
    """The rehearsals of real clips, as far as they are there."""
    found = {}
    for name in names:
        if (MEDIA / name).exists():
            performance = tracked(MEDIA / name, cache=work / "tracked")
            one = rehearsal_of(performance, config, work / f"rehearsal-{Path(name).stem}")
            if one is not None:
                found[name] = one
    return found


def judged(config: Config, network: dict[str, torch.Tensor], clips: dict[Any, Rehearsal]) -> dict[str, Any]:
    """Distances of the plain warp and of the network, for each clip."""
    return {str(name): best(config, {"prior": network}, [one])[1] for name, one in clips.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("prior"), help="folder for films, rehearsals, and the run")
    parser.add_argument("--output", type=Path, help="JSON to write")
    parser.add_argument("--save", type=Path, help="file of the network to write")
    parser.add_argument("--people", type=int, default=62, help="made-up people that are learnt from")
    parser.add_argument("--held-out", type=int, default=8, help="further made-up people that it is tried on")
    parser.add_argument(
        "--clips", nargs="*", default=["juggler.mp4", "lab_squats.mp4"], help="real clips, to try it on"
    )
    parser.add_argument("--steps", type=int, default=1976, help="as many as 19 minutes of one core made")
    parser.add_argument("--minutes", type=float, help="stop training after this long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="of PyTorch")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    config = config_of(options.steps)
    learnt = people(options.work, range(FIRST, FIRST + options.people), config)
    unseen = people(options.work, range(FIRST + options.people, FIRST + options.people + options.held_out), config)
    real = real_clips(options.work, config, options.clips)
    reference = made_up(options.work / "people", next(iter(learnt)), SECONDS)
    assert reference is not None
    run = options.work / "run"
    session = Session(
        "copy-then-refine",
        config,
        reference,
        [],
        run,
        seed=options.seed,
        resume=run.exists(),
        max_minutes=options.minutes,
    )
    session.begin()
    trainee = recipe.CopyThenRefine(session, refiner_for(config), list(learnt.values()))
    session.settings |= {"people": list(learnt)}
    outcome = session.run(trainee, options.steps)
    network = {name: torch.from_numpy(value) for name, value in outcome.weights.items()}
    record = {
        "machine": machine("cpu"),
        "people": list(learnt),
        "moments": sum(map(len, learnt.values())),
        "steps": outcome.steps,
        "seconds": round(outcome.seconds, 1),
        "seed": options.seed,
        "losses": outcome.losses,
        "unseen": judged(config, network, unseen),
        "real": judged(config, network, real),
    }
    for kind in ("unseen", "real"):
        for name, values in record[kind].items():
            print(f"{kind:8}{name:20}" + "".join(f"  {word} {value:.4f}" for word, value in values.items()))
    if options.save:
        taught = refiner_for(config)
        taught.load_state_dict(network)
        prior.save(options.save, taught, {key: record[key] for key in ("people", "moments", "steps", "seed")})
    if options.output:
        write_json(options.output, record)


if __name__ == "__main__":
    main()
