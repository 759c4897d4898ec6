"""How near to the truth any clone that is cut out and put into its room can come, by the measures of `evaluate`.

    python benchmarks/ceiling.py --work refining --output mine.json

The true person of every held-out frame, cut out by the tracker's matte, is put into the still room that the reference
left behind. What is missing then is what a perfect clone would miss too: shadows, what is carried, the matte's soft
edge, and a room that changes. The rows "1 px aside" and "2 px aside" are the same person in the wrong place.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from features import clips_of
from refining import FILMED
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.consent import Consent
from understudy.evaluation.contenders import contender, learnt
from understudy.evaluation.measuring import measure
from understudy.evaluation.playing import in_square, played
from understudy.evaluation.self_reenactment import Split, part_of, truth_of
from understudy.evaluation.true_clip import TruthMeasures
from understudy.evaluation.truth import Truth

SIZE = 256
ASIDE = (0, 1, 2)
"""pixels"""
SHOWN = ("perceptual", "joint_distance", "rmse", "torn", "sharpness", "temporal")

Picture = npt.NDArray[np.uint8]


def pasted(truth: Truth, room: Picture, aside: int) -> Iterator[Picture]:
    """(S, S, 4): the true person, moved to the right, in the room; and the matte."""
    for frame, matte in zip(truth.frames(), truth.mattes(), strict=True):
        person, opaque = np.roll(frame, aside, axis=1), np.roll(matte, aside, axis=1)
        share = opaque[..., None] / np.float32(255)
        picture = share * person + (1 - share) * room + np.float32(0.5)
        yield np.dstack([picture.astype(np.uint8), opaque])


def measured(work: Path, who: str, clip: tuple[Path, Split, Consent]) -> dict[str, dict[str, float | None]]:
    """By row, the measures of the person's region."""
    video, parts, consent = clip
    warp = contender("limb-warp", "fast", "limb-warp", size=SIZE)
    actor = learnt(warp, parts.training, [], work / "actors" / who, consent)
    truth = truth_of(video, parts.held_out, actor, SIZE)
    room = in_square(actor, truth.square, SIZE).background
    clips = {f"the true person, {aside} px aside": pasted(truth, room, aside) for aside in ASIDE}
    clips["limb warp"] = played(actor, part_of(truth, actor), truth)
    with TruthMeasures(truth) as prepared:
        found = {row: measure(frames, prepared) for row, frames in clips.items()}
    return {row: {name: measures[name].regions["person"].mean for name in SHOWN} for row, measures in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("refining"), help="folder for clips and actors")
    parser.add_argument("--output", type=Path, help="JSON to write")
    parser.add_argument("--people", type=int, nargs="*", default=[1, 2, 3], help="seeds of made-up people")
    parser.add_argument("--clips", nargs="*", default=list(FILMED), help="real clips of UNDERSTUDY_MEDIA")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = {"machine": machine("cpu"), "size": SIZE, "people": options.people, "clips": {}}
    for who, clip in clips_of(options.work, options.people, options.clips).items():
        record["clips"][who] = measured(options.work, who, clip)
        print(f"{who}\n{'':32}" + "".join(f"{name:>16}" for name in SHOWN), flush=True)
        for row, values in record["clips"][who].items():
            figures = "".join(f"{'-' if value is None else format(value, '.3f'):>16}" for value in values.values())
            print(f"  {row:30}{figures}", flush=True)
    if options.output:
        write_json(options.output, record)


if __name__ == "__main__":
    main()
