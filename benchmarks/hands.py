"""What tracked fingers are good for: hands of a clone that bend at the wrist, against ones that go on as forearms do.

    python benchmarks/hands.py --work hands --output mine.json

Self-reenactment of filmed and made-up people: the first two thirds of each clip are the reference, the rest drives and
is the truth. Everything is tracked with `--landmarks wholebody`; "straight" is the same actor and the same driver
without their fingers, as `--landmarks body` gives them. Compared is what lies in a square about every hand whose
fingers are seen in the truth, which is where the two differ.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from features import clips_of
from refining import FILMED
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.conditioning.bent_hands import tracked
from understudy.consent import Consent
from understudy.evaluation.contenders import contender, learnt
from understudy.evaluation.intervals import block_of, mean_interval, ratio_interval
from understudy.evaluation.metrics import Box, rmse
from understudy.evaluation.perceptual import Perceptual
from understudy.evaluation.playing import Recorder, played
from understudy.evaluation.results import Summary
from understudy.evaluation.self_reenactment import Split, part_of, truth_of
from understudy.evaluation.truth import Truth
from understudy.poses.pose import LEFT_HAND, LEFT_WRIST, RIGHT_HAND, RIGHT_WRIST, Pose

CLIPS = (*FILMED, "studio_squats_5fps.mp4")
SIZE = 512
HANDS = {"right": (RIGHT_WRIST, RIGHT_HAND), "left": (LEFT_WRIST, LEFT_HAND)}
MIDDLE_KNUCKLE = 9
REACH = 1.4
"""half of the square about a hand, in steps from the wrist to the knuckle of the middle finger, twice of which is a
hand; at least `LEAST` pixels"""
LEAST = 16


def without_fingers(confidence: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(T, 133) with both hands' points at 0."""
    bare = confidence.copy()
    for _, hand in HANDS.values():
        bare[:, hand] = 0
    return bare


def boxes_of(truth: Truth) -> list[dict[str, Box | None]]:
    """By frame and hand, the square in which it is looked at; None where its fingers are not seen or it is cut off."""
    pose = truth.pose
    return [
        {name: _box(pose.xy[t], pose.confidence[t], *hand, truth.size) for name, hand in HANDS.items()}
        for t in range(len(pose))
    ]


def _box(xy: npt.NDArray[Any], confidence: npt.NDArray[Any], wrist: int, hand: slice, size: int) -> Box | None:
    if not tracked(confidence > 0, hand) or confidence[wrist] <= 0:
        return None
    root, knuckle = xy[hand.start], xy[hand.start + MIDDLE_KNUCKLE]
    half = max(LEAST, REACH * float(np.linalg.norm(knuckle - root)))
    left, top, right, bottom = (round(float(edge)) for edge in (*(knuckle - half), *(knuckle + half)))
    return (left, top, right, bottom) if min(left, top) >= 0 and max(right, bottom) <= size else None


def measured(work: Path, clip: tuple[Path, Split, Consent]) -> dict[str, Any]:
    """Figures of one clip: means over hands of frames, and what bent hands are to straight ones."""
    video, parts, consent = clip
    way = contender("copy-then-refine", "fast", "instant", size=SIZE, steps=0)
    actor = learnt(way, parts.training, [], work / "actors" / video.stem, consent)
    truth = truth_of(video, parts.held_out, actor, SIZE)
    part, boxes = part_of(truth, actor), boxes_of(truth)
    kept = actor.weights | {"confidence": without_fingers(actor.weights["confidence"])}
    bare = Pose(part.pose.xy, without_fingers(part.pose.confidence), part.pose.size_hw)
    ways = {"straight": (replace(actor, weights=kept), replace(part, pose=bare)), "bent": (actor, part)}
    columns = {
        name: _columns(Recorder(played(*asked, truth), work / f"{video.stem}_{name}.mp4", truth.fps), truth, boxes)
        for name, asked in ways.items()
    }
    block = block_of(truth.fps)
    ratios = {
        measure: ratio_interval(columns["bent"][measure], columns["straight"][measure], block)
        for measure in columns["bent"]
    }
    return {
        "frames": len(truth),
        "hands": sum(box is not None for frame in boxes for box in frame.values()),
        **{
            name: {measure: _shown(mean_interval(values, block)) for measure, values in own.items()}
            for name, own in columns.items()
        },
        "bent to straight": {name: _shown(ratio) for name, ratio in ratios.items()},
    }


def _columns(frames: Recorder, truth: Truth, boxes: list[dict[str, Box | None]]) -> dict[str, list[float | None]]:
    """By measure, one value for each frame: the mean over the hands that are looked at; None where there is none."""
    look = Perceptual()
    found: dict[str, list[float | None]] = {"perceptual": [], "rmse": []}
    for picture, true, matte, where in zip(frames, truth.frames(), truth.mattes(), boxes, strict=True):
        made = np.ascontiguousarray(picture[..., :3])
        seen = {name: box for name, box in where.items() if box}
        apart = look(made, true, matte > 127, seen)
        found["perceptual"].append(_mean([apart[name] for name in seen]))
        found["rmse"].append(_mean([rmse(made, true, box) for box in seen.values()]))
    return found


def _mean(values: list[Any]) -> float | None:
    return float(np.mean(values)) if values else None


def _shown(found: Summary) -> list[float | None]:
    return [None if value is None else round(value, 3) for value in (found.mean, found.low, found.high)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("hands"), help="folder for tracks, actors and clips")
    parser.add_argument("--output", type=Path, help="JSON to write")
    parser.add_argument("--people", type=int, nargs="*", default=[1, 2, 3], help="seeds of made-up people")
    parser.add_argument("--clips", nargs="*", default=list(CLIPS), help="real clips of UNDERSTUDY_MEDIA")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = {"machine": machine("cpu"), "size": SIZE, "people": options.people, "clips": {}}
    for who, clip in clips_of(options.work, options.people, options.clips, SIZE, "wholebody").items():
        record["clips"][who] = found = measured(options.work, clip)
        print(f"{who}: {found['hands']} hands in {found['frames']} frames", flush=True)
        for name in ("straight", "bent", "bent to straight"):
            figures = "".join(f"{measure} {value}   " for measure, value in found[name].items())
            print(f"  {name:20}{figures}", flush=True)
    if options.output:
        write_json(options.output, record)


if __name__ == "__main__":
    main()
