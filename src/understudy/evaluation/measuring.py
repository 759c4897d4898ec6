"""All measures of one generated clip against its truth, frame by frame: memory does not grow with the clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from understudy.base.progress import progress_bar
from understudy.evaluation import metrics
from understudy.evaluation.intervals import block_of, mean_interval, ratio_interval
from understudy.evaluation.joint_tracking import JointTracking
from understudy.evaluation.limb_errors import limb_errors
from understudy.evaluation.matte_faults import matte_faults
from understudy.evaluation.metrics import Box, Floats, Mask
from understudy.evaluation.results import Measure, Summary
from understudy.evaluation.true_clip import REGIONS, Column, Picture, TrueClip, TruthMeasures
from understudy.poses.pose import Pose

MEASURES = {
    "perceptual": ("Perceptual distance (EfficientNet-Lite2)", True),
    "lpips": ("LPIPS (AlexNet)", True),
    "sharpness": ("Sharpness (real clip = 1)", False),
    "torn": ("Torn pieces and holes (a frame)", True),
    "joint_distance": ("Joint distance (pixels at 256)", True),
    "pck": ("PCK@0.1 (share of joints)", False),
    "temporal": ("Temporal error (real clip = 1)", True),
    "rmse": ("RMSE (RGB 0-255)", True),
    "mse": ("MSE (RGB 0-255)", True),
    "psnr": ("PSNR (dB)", False),
    "ssim": ("SSIM", False),
    "fid": ("FID", True),
}
"""title and whether lower is better, by name; first what is nearest to a viewer's judgement"""
REAL = {"sharpness": 1.0}
"""what the real clip has, of measures that are the better the nearer they are to it"""
LOOKED_AT = ("person", "face")
"""regions of the measures that are of the person and not of the picture"""

NO_MATTE = "the method paints its room along, so that nobody knows where the person ends"
SMOOTHER = "below 1 is smoother than the real clip, as a blurred clip is: see SSIM as well"

OF_PICTURES = ("rmse", "mse", "psnr", "ssim")
TRUE_DETAIL = "true detail"
"""the true clip's, where the generated one was looked at"""

Columns = dict[str, dict[str, Column]]
"""by measure, then by region: one value a frame"""


class Measured(NamedTuple):
    """What `measure_clip` found."""

    measures: dict[str, Measure]
    """by name, see `MEASURES`"""
    limb_errors: Floats
    """(T, 12) mean absolute RGB error around each limb of `pose.DESCRIPTOR_LIMBS`; nan where it is not seen"""


def measure(
    generated: Iterable[Picture], truth: TrueClip | TruthMeasures, *, track_output: bool = True
) -> dict[str, Measure]:
    """As `measure_clip`, without the errors around limbs."""
    return measure_clip(generated, truth, track_output=track_output).measures


def measure_clip(
    generated: Iterable[Picture], truth: TrueClip | TruthMeasures, *, track_output: bool = True
) -> Measured:
    """Holds a generated clip against the true one.

    Args:
        generated: (S, S, 3) RGB uint8, one for every true frame and in order; or (S, S, 4), where the fourth channel is
            not the picture's transparency but how opaque the person in it is, for what is told by the matte.
        truth: of several methods on one truth, give each the same `TruthMeasures`.
        track_output: whether a tracker runs on the generated clip, for joint distance and PCK. The true joints are
            those that the same tracker finds in the true clip, so that its own errors mostly cancel.

    Raises:
        ValueError: frames that differ from the true ones in number or size.
    """
    if not isinstance(truth, TruthMeasures):
        with TruthMeasures(truth, track_output=track_output) as prepared:
            return measure_clip(generated, prepared, track_output=track_output)
    columns: Columns = {name: {region: [] for region in REGIONS} for name in (*OF_PICTURES, "lpips", "temporal")}
    columns |= {name: {region: [] for region in LOOKED_AT} for name in ("perceptual", "sharpness", TRUE_DETAIL)}
    columns["torn"] = {"person": []}
    for fid in truth.fids.values():
        if not isinstance(fid, str):
            fid.forget_generated()
    xy, confidence = truth.pose.openpose18()
    near_limbs: list[Floats] = []
    found: Pose | None = None
    previous: Picture | None = None
    track_output = track_output and truth.joints is not None
    with (
        JointTracking() if track_output else nullcontext() as tracking,
        progress_bar("measuring", len(truth)) as advance,
    ):
        for t, (made, true_frame) in enumerate(_paired(generated, truth)):
            frame = np.ascontiguousarray(made[..., :3])
            matte = made[..., 3] >= 128 if made.shape[2] == 4 else None
            _compare(frame, true_frame, truth, t, columns)
            _look(frame, true_frame, matte, truth, t, columns)
            for region, value in truth.temporal_errors(previous, frame, t).items():
                columns["temporal"][region].append(value)
            near_limbs.append(limb_errors(frame, true_frame, xy[t], confidence[t]))
            if tracking is not None:
                tracking.look(frame)
            previous = frame
            advance()
        if tracking is not None:
            found = tracking.pose(truth.pose.size_hw)
    return Measured(_summarised(columns, found, truth), np.stack(near_limbs))


def _paired(generated: Iterable[Picture], truth: TruthMeasures) -> Iterator[tuple[Picture, Picture]]:
    made, true_frames = iter(generated), truth.truth.frames()
    for t, true_frame in enumerate(true_frames):
        frame = next(made, None)
        if frame is None:
            raise ValueError(f"{t} frames were generated for {len(truth)} true ones")
        fits = frame.shape[:2] == true_frame.shape[:2] and frame.shape[2:] in ((3,), (4,))
        if not fits or frame.dtype != np.uint8:
            raise ValueError(
                f"generated frame {t} is {frame.shape} {frame.dtype}, the true one {true_frame.shape} uint8"
            )
        yield _filled(frame, true_frame, truth.filmed), true_frame
    if next(made, None) is not None:
        raise ValueError(f"more frames were generated than the {len(truth)} true ones")


def _filled(frame: Picture, true_frame: Picture, filmed: Box) -> Picture:
    """The frame with what the true one has, and nobody, beyond what was filmed."""
    left, top, right, bottom = filmed
    if filmed == (0, 0, frame.shape[1], frame.shape[0]):
        return frame
    filled = np.zeros_like(frame)
    filled[..., :3] = true_frame
    filled[top:bottom, left:right] = frame[top:bottom, left:right]
    return filled


def _compare(frame: Picture, true_frame: Picture, truth: TruthMeasures, t: int, columns: Columns) -> None:
    """Adds what one frame's pictures give."""
    similarity = metrics.ssim_map(frame, true_frame)
    for region, box in truth.boxes[t].items():
        squared = metrics.mse(frame, true_frame, box) if box else None
        columns["mse"][region].append(squared)
        columns["rmse"][region].append(None if squared is None else squared**0.5)
        columns["psnr"][region].append(None if squared is None else metrics.psnr_of(squared))
        columns["ssim"][region].append(float(similarity[box[1] : box[3], box[0] : box[2]].mean()) if box else None)
        if not isinstance(truth.lpips, str):
            columns["lpips"][region].append(truth.lpips(frame, true_frame, box) if box else None)
        fid = truth.fids.get(region, "")
        if box and not isinstance(fid, str):
            fid.add(frame, box, real=False)


def _look(
    frame: Picture, true_frame: Picture, matte: Mask | None, truth: TruthMeasures, t: int, columns: Columns
) -> None:
    """Adds what one frame gives of the person in it; without a matte he is taken to be where he truly is."""
    person = truth.person(t)
    boxes = {region: truth.boxes[t][region] for region in LOOKED_AT}
    if not isinstance(truth.perceptual, str):
        for region, distance in truth.perceptual(frame, true_frame, person, boxes).items():
            columns["perceptual"][region].append(distance)
    both = person if matte is None else person & matte
    for region, box in boxes.items():
        columns["sharpness"][region].append(metrics.fine_detail(frame, both, box) if box else None)
        columns[TRUE_DETAIL][region].append(metrics.fine_detail(true_frame, both, box) if box else None)
    if matte is not None:
        columns["torn"]["person"].append(matte_faults(matte, person) if person.any() else None)


def _summarised(columns: Columns, found: Pose | None, truth: TruthMeasures) -> dict[str, Measure]:
    block = block_of(truth.truth.fps)
    absent = {name: network for name in ("perceptual", "lpips") if isinstance(network := getattr(truth, name), str)} | (
        {} if columns["torn"]["person"] else {"torn": NO_MATTE}
    )
    measures = {"fid": _fid(truth), "temporal": _temporal(columns["temporal"], truth, block)}
    measures["sharpness"] = _sharpness(columns["sharpness"], columns[TRUE_DETAIL], block)
    for name in (*OF_PICTURES, "perceptual", "lpips", "torn"):
        if name in absent:
            measures[name] = _absent(name, columns[name], absent[name])
        else:
            regions = {region: _mean(name, column, region, block) for region, column in columns[name].items()}
            measures[name] = _measure(name, regions, columns[name])
    measures |= _pose_fidelity(found, truth, block)
    return {name: measures[name] for name in MEASURES}


def _mean(name: str, column: Column, region: str, block: int) -> Summary:
    if all(value is None for value in column):
        return Summary(None, None, None, f"no {region} in any frame")
    capped = sum(value == metrics.IDENTICAL_DB for value in column) if name == "psnr" else 0
    note = f"frames identical to the truth count as {metrics.IDENTICAL_DB:g} dB: {capped}" if capped else ""
    return mean_interval(column, block, note)


def _fid(truth: TruthMeasures) -> Measure:
    regions = {}
    for region, fid in truth.fids.items():
        if isinstance(fid, str):
            regions[region] = Summary(None, None, None, fid)
        else:
            value = fid.value()
            regions[region] = Summary(value, None, None, fid.note if value is not None else "needs two frames")
    return _measure("fid", regions, {})


def _temporal(columns: dict[str, Column], truth: TruthMeasures, block: int) -> Measure:
    regions, per_frame = {}, {}
    for region, column in columns.items():
        real = truth.flicker[region]
        both = [(value, base) for value, base in zip(column, real, strict=True) if None not in (value, base)]
        regions[region] = ratio_interval(column, real, block)
        if (regions[region].mean or 1) < 1:
            regions[region] = replace(regions[region], note=SMOOTHER)
        unit = float(np.mean([base for _, base in both if base is not None])) if both else 0.0
        per_frame[region] = [None if value is None or unit == 0 else value / unit for value in column]
    return _measure("temporal", regions, per_frame)


def _sharpness(made: dict[str, Column], true: dict[str, Column], block: int) -> Measure:
    """Fine detail of the whole clip over that of the true one, in each region; of frames their own ratio."""
    regions, per_frame = {}, {}
    for region, column in made.items():
        known = any(value is not None for value in column)
        nobody = Summary(None, None, None, f"no {region} in any frame")
        regions[region] = ratio_interval(column, true[region], block) if known else nobody
        per_frame[region] = [
            None if value is None or not base else value / base
            for value, base in zip(column, true[region], strict=True)
        ]
    return _measure("sharpness", regions, per_frame)


def _pose_fidelity(found: Pose | None, truth: TruthMeasures, block: int) -> dict[str, Measure]:
    if found is None or truth.joints is None:
        reason = "the tracker was not run on the output"
        return {name: _absent(name, ("person",), reason) for name in ("joint_distance", "pck")}
    (xy, confidence), (true_xy, true_confidence) = found.openpose18(), truth.joints.openpose18()
    distances: Column = []
    shares: Column = []
    for t, boxes in enumerate(truth.boxes):
        box = boxes["person"]
        side = max(box[2] - box[0], box[3] - box[1]) if box else 0.0
        joints = xy[t], confidence[t], true_xy[t], true_confidence[t]
        distances.append(metrics.joint_distance(*joints, found.size_hw))
        shares.append(metrics.pck(*joints, side) if box else None)
    lost = int((truth.joints.found & ~found.found).sum())
    blind = int((~truth.joints.found).sum())
    notes = [f"tracked by {truth.tracker}"]
    if lost:
        notes.append(f"nobody was found in {lost} of {len(truth)} generated frames, which are left out")
    if blind:
        notes.append(
            f"nor in {blind} true ones" if lost else f"nobody was found in {blind} of {len(truth)} true frames"
        )
    note = "; ".join(notes)
    return {
        "joint_distance": _measure(
            "joint_distance", {"person": mean_interval(distances, block, note)}, {"person": distances}
        ),
        "pck": _measure(
            "pck",
            {"person": mean_interval(shares, block, note.replace("which are left out", "where every joint is wrong"))},
            {"person": shares},
        ),
    }


def _measure(name: str, regions: dict[str, Summary], per_frame: dict[str, Column]) -> Measure:
    title, lower_is_better = MEASURES[name]
    known = {region: column for region, column in per_frame.items() if any(value is not None for value in column)}
    return Measure(title, lower_is_better, regions, known, REAL.get(name))


def _absent(name: str, regions: Iterable[str], reason: str) -> Measure:
    return _measure(name, {region: Summary(None, None, None, reason) for region in regions}, {})
