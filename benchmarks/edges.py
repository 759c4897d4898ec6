"""How true the edges of a cut-out performer are: against exact alpha, which made-up people have.

    python benchmarks/edges.py --output mine.json --sheets edges
    python benchmarks/edges.py --people 1 2 --actors one.actor two.actor --output mine.json

Every person dances something new, and is cut out in several ways:

    exact            the exact cutout at the size of the square: what that size alone costs
    network's alpha  the exact picture over a flat colour with its exact alpha, through `compositing.cutout_of`
    keyed            the exact picture over a flat colour, through `compositing.key`
    tracker's matte  filmed in a room, tracked, and the filmed colours taken with the tracker's matte
    cleaned matte    the same with edges in the person's own colours, see `compositing.clean_edges`
    each actor       plays the same dance: by the poses that the tracker finds in it, or the exact ones (`--poses`)

Actors are those of `--people`: whose, is seen from the room that an actor remembers. An actor also errs in shape and
place, which counts as an error of its edge here; `fringe` and `softness` do not ask for the place.

All figures are taken in the reference's picture, 512x384, after the cutout was put to its place over a photograph-like
picture, and are means over frames, in values from 0 to 255 unless said otherwise:

    alpha     mean absolute error of alpha within 3 pixels of the exact edge
    halo      the part of it where alpha is too high: what is around the person shows
    cut       the part of it where alpha is too low: some of the person is missing
    colour    mean absolute error of RGB within 3 pixels of the exact edge
    fringe    RGB distance of half-opaque pixels from the nearest opaque colour of the same cutout
    softness  pixels that an edge takes from clear to opaque
    hair, hands   % of these parts that is missing
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.actor import Actor
from understudy.base.devices import choose_device
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.body.mesh import PART
from understudy.compositing.cutouts import SEGMENTED_TOO_WIDE, clean_edges, cutout_of, key, paste
from understudy.conditioning.clips import flat_colour
from understudy.errors import UnderstudyError, UsageError
from understudy.media.images import write_image
from understudy.media.squares import cut
from understudy.performance import Crop, Performance
from understudy.performing.perform import Part, cut_out, placement
from understudy.pictures.drawing import contact_sheet
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.player import moments
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import Motion, choreography
from understudy.synthetic.pair import FPS, SIZE_HW, centred
from understudy.synthetic.people import make_person
from understudy.synthetic.render import Rendered, render
from understudy.synthetic.scene import make_scene
from understudy.tracking.crop import crop_of, person_square
from understudy.tracking.track import track

VERSION = 1
"""of the JSON's layout"""
DANCE = 300
"""added to a person's seed: a choreography that no actor was taught"""
BAND = 3.0
"""pixels on both sides of the exact edge"""
SAME_ROOM = 12.0
"""mean RGB difference: what a tracker remembers of a room differs less from the room"""
PARTS = {"hair": ("hair",), "hands": ("left hand", "right hand")}
SHOWN = 4
"""moments on a sheet"""

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One line of the table, see above."""

    person: int
    way: str
    frames: int
    alpha: float
    halo: float
    cut: float
    colour: float
    fringe: float | None
    softness: float | None
    hair: float | None
    hands: float | None
    """None where none was seen, in this field and the three before"""


MEASURES = [field.name for field in dataclasses.fields(Row)][3:]


@dataclass(frozen=True)
class Truth:
    """A person's dance: exact cutouts, filmed in a room and tracked."""

    seed: int
    cutouts: list[Picture]
    """(H, W, 4) premultiplied"""
    parts: list[Picture]
    pose: Pose
    """exact, in pixels of the picture"""
    tracked: Performance
    background: Picture
    """(H, W, 3), photograph-like: what they are put over"""

    def shown(self, moment: int) -> Floats:
        return over(self.cutouts[moment], self.background)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    actors = {path: Actor.load(path) for path in options.actors}
    of_person = {path: _person_of(path, actor, options.people) for path, actor in actors.items()}
    rows: list[Row] = []
    print(f"{'person':>6} {'way':28}" + "".join(f"{name:>9}" for name in MEASURES))
    with tempfile.TemporaryDirectory(prefix="understudy-edges-") as folder:
        for seed in options.people:
            truth = film(Path(folder), seed, options.seconds, options.size)
            ways: dict[str, Callable[[], Iterator[Picture]]] = {
                "exact": lambda t=truth: at_size(t, options.size, lambda cutout, _: cutout),
                "network's alpha": lambda t=truth: at_size(t, options.size, _through_alpha),
                "keyed": lambda t=truth: at_size(t, options.size, _keyed),
                "tracker's matte": lambda t=truth: by_matte(t, clean=False),
                "cleaned matte": lambda t=truth: by_matte(t, clean=True),
            }
            for path in (path for path, person in of_person.items() if person == seed):
                ways[path.stem] = lambda t=truth, a=actors[path]: by_actor(t, a, options.poses, options.device)
            shown: dict[str, list[Picture]] = {}
            for way, cutouts in ways.items():
                row, shown[way] = measured(truth, way, cutouts())
                rows.append(row)
                print(_line(row), flush=True)
            if options.sheets:
                write_sheets(options.sheets, truth, shown)
    if options.output:
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        settings = {"seconds": options.seconds, "size": options.size, "poses": options.poses, "band": BAND}
        record = {"version": VERSION, "time": when, "machine": machine(choose_device(options.device).type)}
        write_json(options.output, record | settings | {"rows": [dataclasses.asdict(row) for row in rows]})
        print(f"written to {options.output}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 2, 3], help="seeds of made-up people")
    parser.add_argument("--actors", type=Path, nargs="*", default=[], help="actors of these people")
    parser.add_argument("--poses", choices=("tracked", "exact"), default="tracked", help="what actors play")
    parser.add_argument("--seconds", type=float, default=2.0, help="of the dance")
    parser.add_argument("--size", type=int, default=256, help="pixels: side of the square that is cut out and put back")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--sheets", type=Path, help="folder for pictures of edges at 100 and 300 %%")
    parser.add_argument("--output", type=Path, help="JSON to write")
    options = parser.parse_args(arguments)
    if options.seconds < 2 / FPS or options.size < 32 or options.size % 8:
        parser.error("--seconds must be two frames at least, and --size a multiple of 8, at least 32")
    return options


def _person_of(path: Path, actor: Actor, people: Sequence[int]) -> int:
    """Whose actor it is, by its room.

    Raises:
        UsageError: nobody's of them, or it cannot be cut out.
    """
    if actor.paints_room:
        raise UsageError(f"{path}: this actor paints its room along, so it has no edges to measure")
    if actor.original_size_hw == SIZE_HW:
        differs = {
            seed: float(np.abs(make_scene(seed, SIZE_HW).background.astype(np.float32) - actor.background).mean())
            for seed in people
        }
        seed = min(differs, key=lambda one: differs[one])
        if differs[seed] < SAME_ROOM:
            return seed
    raise UsageError(
        f"{path}: it was learnt in no room of --people {' '.join(map(str, people))} at "
        f"{SIZE_HW[1]}x{SIZE_HW[0]}; give the seeds of the made-up people whose actors these are"
    )


# -- what is filmed ----------------------------------------------------------------------------------------------


def film(folder: Path, seed: int, seconds: float, size: int) -> Truth:
    """A person's dance, for a camera that sees nothing but the person, and in the room for the tracker."""
    person, room = make_person(seed), make_scene(seed, SIZE_HW)
    dance: Motion = centred(choreography(DANCE + seed, seconds, FPS))
    nothing = dataclasses.replace(room, background=np.zeros_like(room.background))  # black takes no shadow either
    frames: list[Rendered] = list(render(person, dance, nothing))
    write_clip(folder / f"{seed}.mp4", person, dance, room)
    tracked = track(folder / f"{seed}.mp4", folder / f"{seed}.performance", size=size)
    return Truth(
        seed,
        [np.dstack([np.minimum(one.frame, one.matte[..., None]), one.matte]) for one in frames],
        [one.parts for one in frames],
        Pose(np.stack([one.xy for one in frames]), np.stack([one.confidence for one in frames]), SIZE_HW),
        tracked,
        photograph(seed, SIZE_HW),
    )


def photograph(seed: int, size_hw: tuple[int, int]) -> Picture:
    """Leaves of all sizes fallen on each other (the "dead leaves" model): to an edge, pictures are like that."""
    rng = np.random.default_rng([seed, 7])
    height, width = size_hw
    picture = np.zeros((height, width, 3), np.float32)
    for radius in np.sort(rng.pareto(1.6, 1500) * 5 + 2)[::-1]:
        middle = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = (int(min(radius, 150)), int(min(radius * rng.uniform(0.3, 1), 150)))
        colour = np.clip(rng.uniform(30, 225) + rng.normal(0, 30, 3), 0, 255).tolist()
        cv2.ellipse(picture, middle, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    grain = cv2.GaussianBlur(rng.normal(0, 12, picture.shape).astype(np.float32), (0, 0), 0.8)
    return np.asarray(np.clip(cv2.GaussianBlur(picture, (0, 0), 0.7) + grain, 0, 255), np.uint8)


# -- ways to cut out ---------------------------------------------------------------------------------------------


def at_size(truth: Truth, size: int, way: Callable[[Picture, Any], Picture]) -> Iterator[Picture]:
    """The exact cutouts, made as small as an actor's square, cut out anew there, and put back."""
    square = person_square(truth.pose)
    crop = crop_of(square, size)
    colour = flat_colour(truth.tracked)
    for cutout in truth.cutouts:
        small = cut(np.ascontiguousarray(cutout[..., :3]), square, size, beyond=0)
        alpha = cut(np.ascontiguousarray(cutout[..., 3]), square, size, beyond=0)
        small = np.dstack([np.minimum(small, alpha[..., None]), alpha])
        yield back(way(small, colour), crop)


def _through_alpha(cutout: Picture, colour: tuple[int, int, int]) -> Picture:
    return cutout_of(_flat(cutout, colour), cutout[..., 3] / np.float32(255), colour)


def _keyed(cutout: Picture, colour: tuple[int, int, int]) -> Picture:
    return key(np.asarray(_flat(cutout, colour) + 0.5, np.uint8), np.array(colour))


def _flat(cutout: Picture, colour: tuple[int, int, int]) -> Floats:
    return over(cutout, np.broadcast_to(np.array(colour, np.uint8), (*cutout.shape[:2], 3)))


def by_matte(truth: Truth, clean: bool) -> Iterator[Picture]:
    """What was filmed, in the tracker's square, as opaque as the tracker says."""
    crop: Crop = truth.tracked.header.crop
    for frame, matte in zip(truth.tracked.frames(), truth.tracked.mattes(), strict=True):
        colours, alpha = clean_edges(frame, matte, SEGMENTED_TOO_WIDE) if clean else (frame, matte / np.float32(255))
        cutout = np.dstack([colours * alpha[..., None], 255 * alpha])
        yield back(np.asarray(cutout + 0.5, np.uint8), crop)


def by_actor(truth: Truth, actor: Actor, poses: str, device: Any) -> Iterator[Picture]:
    """What the actor makes of the dance, where it is danced: it is the same person before the same camera."""
    pose = truth.pose
    if poses == "tracked":
        pose = truth.tracked.header.crop.inverse.of_pose(truth.tracked.poses, SIZE_HW)
    in_frame = actor.from_picture.of_pose(pose, (actor.size, actor.size))
    part = Part(in_frame, actor.windows(in_frame, FPS), np.ones(len(in_frame), np.float32), Fraction(FPS))
    for moment, shot in enumerate(actor.player(device).play(moments(part.in_window))):
        yield back(cut_out(actor, part, moment, shot), placement(actor, part.window[moment]))


def back(cutout: Picture, to_cutout: Similarity) -> Picture:
    """A cutout in its place in the whole picture, (H, W, 4) premultiplied."""
    return paste(cutout, to_cutout, np.zeros((*SIZE_HW, 4), np.uint8))


# -- what is measured --------------------------------------------------------------------------------------------


def over(cutout: Picture, background: Picture) -> Floats:
    return np.asarray(cutout[..., :3] + (1 - cutout[..., 3:] / np.float32(255)) * background, np.float32)


def measured(truth: Truth, way: str, cutouts: Iterator[Picture]) -> tuple[Row, list[Picture]]:
    """The figures of one way, and the pictures that a sheet shows."""
    values: list[list[float]] = []
    shown: list[Picture] = []
    moments = set(_moments(len(truth.cutouts)))
    for moment, (cutout, exact) in enumerate(zip(cutouts, truth.cutouts, strict=True)):
        picture = over(cutout, truth.background)
        values.append(errors(cutout, exact, picture - truth.shown(moment), truth.parts[moment]))
        if moment in moments:
            shown.append(np.asarray(np.clip(picture + 0.5, 0, 255), np.uint8))
    seen = [[value for value in column if np.isfinite(value)] for column in zip(*values, strict=True)]
    means = [round(float(np.mean(column)), 3) if column else None for column in seen]
    return Row(truth.seed, way, len(values), *means), shown  # type: ignore[arg-type]


def errors(cutout: Picture, exact: Picture, colour_error: Floats, parts: Picture) -> list[float]:
    """One frame's figures, in the order of `MEASURES`; NaN where a part is not seen."""
    true_alpha, alpha = exact[..., 3].astype(np.float32), cutout[..., 3].astype(np.float32)
    inside = (true_alpha >= 128).astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5) + cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    band = distance <= BAND
    difference = alpha - true_alpha
    missing = []
    for names in PARTS.values():
        part = np.isin(parts, [PART[name] for name in names])
        whole = float(true_alpha[part].sum())
        missing.append(100 * float(np.maximum(-difference[part], 0).sum()) / whole if part.sum() >= 8 else np.nan)
    return [
        float(np.abs(difference[band]).mean()),
        float(np.maximum(difference[band], 0).mean()),
        float(np.maximum(-difference[band], 0).mean()),
        float(np.abs(colour_error[band]).mean()),
        _fringe(cutout),
        _softness(alpha / 255),
        *missing,
    ]


def _fringe(cutout: Picture) -> float:
    """RGB distance between pixels of the edge, unmixed, and the nearest opaque pixel, by opacity."""
    alpha = cutout[..., 3]
    edge, opaque = (alpha >= 40) & (alpha < 250), alpha >= 250
    if not edge.any() or not opaque.any():
        return float("nan")
    _, nearest = cv2.distanceTransformWithLabels(
        (~opaque).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colour_of = np.zeros((int(nearest.max()) + 1, 3), np.float32)
    colour_of[nearest[opaque]] = cutout[opaque][:, :3]
    weight = alpha[edge].astype(np.float32)
    unmixed = cutout[edge][:, :3] * (255 / weight[:, None])
    return float(np.average(np.linalg.norm(unmixed - colour_of[nearest[edge]], axis=1), weights=weight))


def _softness(alpha: Floats) -> float:
    """Width of a straight ramp with as much half-opacity along as long an edge."""
    inside = (alpha >= 0.5).astype(np.uint8)
    outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(outline, True) for outline in outlines)
    return float(6 * (alpha * (1 - alpha)).sum() / length) if length else float("nan")  # a ramp's mean is a sixth


def _line(row: Row) -> str:
    figures = (getattr(row, name) for name in MEASURES)
    return f"{row.person:6} {row.way[:28]:28}" + "".join(
        f"{'n/a' if value is None else format(value, '.2f'):>9}" for value in figures
    )


# -- what is looked at -------------------------------------------------------------------------------------------


def _moments(frames: int) -> list[int]:
    return np.linspace(0, frames - 1, min(SHOWN, frames)).astype(int).tolist()


def write_sheets(folder: Path, truth: Truth, shown: dict[str, list[Picture]]) -> None:
    """`person-<n>.png` at 100 %, and `person-<n> head.png` and `... hand.png` at 300 %: the truth above all ways."""
    folder.mkdir(parents=True, exist_ok=True)
    moments = _moments(len(truth.cutouts))
    rows = {"truth": [np.asarray(truth.shown(moment) + 0.5, np.uint8) for moment in moments]} | shown
    labels = [f"frame {moment}" for moment in moments]
    write_image(folder / f"person-{truth.seed}.png", contact_sheet(list(rows.values()), list(rows), labels, SIZE_HW))
    for name, point in (("head", 0), ("hand", 9)):
        middles = truth.pose.xy[moments, point]
        close = [[_closeup(p, xy) for p, xy in zip(row, middles, strict=True)] for row in rows.values()]
        write_image(folder / f"person-{truth.seed} {name}.png", contact_sheet(close, list(rows), labels, (288, 288)))


def _closeup(picture: Picture, xy: npt.NDArray[Any], side: int = 96, times: int = 3) -> Picture:
    height, width = picture.shape[:2]
    x, y = (int(np.clip(value - side / 2, 0, most - side)) for value, most in zip(xy, (width, height), strict=True))
    crop = picture[y : y + side, x : x + side]
    return np.asarray(cv2.resize(crop, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST), np.uint8)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
