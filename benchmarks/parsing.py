"""How true label maps are: against the exact labels that made-up people have.

    python benchmarks/parsing.py --output mine.json --sheets parsing
    python benchmarks/parsing.py --people 1100 1101 --parsing auto lip:schp.onnx selfie:selfie_multiclass_256x256.tflite

Every person dances, and is parsed at some moments by each parser, with exact poses and with noisy ones. `auto` is the
built-in parser, which learns colours and clothes from every frame; `auto, clip` has learnt them from other moments of
the same dance. No number of theirs was chosen on the people of the default seeds.

Figures are intersection over union: of each label over the pixels of all frames, and their mean over the labels that
are seen; `right` is the share of the person's pixels that have the right label; at the end, for the third of the
people with the darkest skin, the middle and the lightest one, and of their skin's pixels alone. What a network was not
taught (our two hands) is cut from its arms by the pose. Seconds are those of the processor, for a frame of `--size`
pixels.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.body.labels import LABELS
from understudy.errors import UnderstudyError
from understudy.media.images import write_image
from understudy.pictures.drawing import contact_sheet
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import Rendered, render
from understudy.synthetic.scene import make_scene
from understudy.tracking.parsing import BuiltInParser, Parser
from understudy.tracking.parsing_chosen import chosen, parser_of

VERSION = 1
"""of the JSON's layout"""
FPS = 30
NOISE = 0.006
"""of the frame's side: standard deviation of a noisy pose's points"""
SHOWN = 12
"""frames on a sheet, the worst ones first"""

Picture = npt.NDArray[np.uint8]
THIRDS = ("darkest third", "middle third", "lightest third")
"""of the people, by the brightness of their skin"""
BARE = [number for number, name in enumerate(LABELS) if name.split(" ")[-1] in ("face", "skin", "arm", "leg", "hand")]
COLOURS = np.array(
    [
        *((0, 0, 0), (128, 0, 0), (255, 85, 0), (0, 128, 128), (255, 255, 0), (255, 0, 85), (0, 0, 170), (85, 51, 0)),
        *((0, 85, 85), (0, 119, 221), (85, 85, 0), (52, 86, 128), (0, 128, 0), (255, 200, 160), (51, 170, 221)),
        *((0, 255, 255), (85, 255, 170), (170, 255, 85), (255, 255, 0), (255, 170, 0), (255, 0, 255), (160, 0, 255)),
    ],
    np.uint8,
)
"""(22, 3) a colour for each label"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    films = {seed: film(seed, options.moments, options.size) for seed in options.people}
    ways = [(parsing, poses) for parsing in options.parsing for poses in ("exact", "noisy")]
    rows = []
    for parsing, poses in ways:
        rows.append(measured(films, parsing, poses, options.size, options.sheets))
        print(f"{parsing}, {poses} poses: mean IoU {rows[-1]['mean']:.3f}", file=sys.stderr, flush=True)
    print(table(rows))
    if options.output:
        content = {
            "version": VERSION,
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "machine": machine("cpu"),
            "people": options.people,
            "moments": options.moments,
            "size": options.size,
            "rows": rows,
        }
        write_json(options.output, content)
    return 0


def film(seed: int, moments: int, size: int) -> list[Rendered]:
    """That many moments of a person's dance of eight seconds, evenly spread, and as many others between them."""
    motion = choreography(seed, 8, FPS)
    person, scene = make_person(seed), make_scene(seed, (size, size))
    places = np.linspace(8, len(motion) - 9, 2 * moments).astype(int)
    return [next(render(person, motion[place : place + 1], scene)) for place in places]


def measured(
    films: dict[int, list[Rendered]], parsing: str, poses: str, size: int, sheets: Path | None
) -> dict[str, Any]:
    """One row of the table: IoU by label, their mean, the share of right pixels, seconds a frame."""
    random = np.random.default_rng(7)
    both, either = np.zeros(len(LABELS)), np.zeros(len(LABELS))
    right, whole, seconds, frames = 0, 0, 0.0, 0
    shown: list[tuple[float, list[Picture]]] = []
    by_skin = {third: np.zeros(4, np.int64) for third in THIRDS}
    darkest_first = sorted(films, key=brightness)
    for seed, filmed in films.items():
        third = THIRDS[len(THIRDS) * darkest_first.index(seed) // len(films)]
        taken = [_arguments(one, size, random if poses == "noisy" else None) for one in filmed]
        parser = _parser(parsing, size, taken[1::2])
        for one, given in zip(filmed[::2], taken[::2], strict=True):
            began = time.process_time()
            labels = parser(*given)
            seconds += time.process_time() - began
            frames += 1
            for number in range(len(LABELS)):
                here, truly = labels == number, one.labels == number
                both[number] += (here & truly).sum()
                either[number] += (here | truly).sum()
            person = one.labels > 0
            correct = int((labels == one.labels)[person].sum())
            right, whole = right + correct, whole + int(person.sum())
            skin = np.isin(one.labels, BARE)
            by_skin[third] += correct, person.sum(), (labels == one.labels)[skin].sum(), skin.sum()
            shown.append((correct / max(1, int(person.sum())), _seen(one, labels)))
        parser.close()
    if sheets is not None:
        sheets.mkdir(parents=True, exist_ok=True)
        worst = [pictures for _, pictures in sorted(shown, key=lambda pair: pair[0])[:SHOWN]]
        name = "".join(letter if letter.isalnum() else "-" for letter in f"{parsing}-{poses}")
        sheet = contact_sheet(worst, (), ("frame", "parsed", "exact"), (384, 256), title=f"{parsing}, {poses} poses")
        write_image(sheets / f"{name}.png", sheet)
    seen = {LABELS[number]: both[number] / either[number] for number in range(len(LABELS)) if either[number] > 0}
    return {
        "parsing": parsing,
        "poses": poses,
        "frames": frames,
        "mean": float(np.mean(list(seen.values()))),
        "right": right / max(1, whole),
        "seconds": seconds / max(1, frames),
        "by skin": {
            third: {"right": int(a) / max(1, int(b)), "skin right": int(c) / max(1, int(d))}
            for third, (a, b, c, d) in by_skin.items()
        },
        "labels": {name: float(value) for name, value in seen.items()},
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Labels down, ways across."""
    heads = [f"{row['parsing'][-18:]}, {row['poses']}" for row in rows]
    width = max(len(head) for head in heads) + 2
    lines = [" " * 16 + "".join(f"{head:>{width}}" for head in heads)]
    for name in LABELS:
        if any(name in row["labels"] for row in rows):
            cells = [f"{row['labels'][name]:.3f}" if name in row["labels"] else "-" for row in rows]
            lines.append(f"{name:16}" + "".join(f"{cell:>{width}}" for cell in cells))
    for name in ("mean", "right", "seconds"):
        lines.append(f"{name:16}" + "".join(f"{row[name]:>{width}.3f}" for row in rows))
    for third in THIRDS:
        for kind in ("right", "skin right"):
            cells = "".join(f"{row['by skin'][third][kind]:>{width}.3f}" for row in rows)
            lines.append(f"{kind + ', ' + third.split()[0]:<20}{cells[4:]}")
    return "\n".join(lines)


def brightness(seed: int) -> float:
    """Of a made-up person's skin, 0 to 255 (Rec. 709)."""
    return float(np.dot(make_person(seed).look.skin, (0.2126, 0.7152, 0.0722)))


def _arguments(one: Rendered, size: int, random: np.random.Generator | None) -> tuple[Any, Any, Any, Any]:
    xy = one.xy if random is None else one.xy + random.normal(0, NOISE * size, one.xy.shape).astype(np.float32)
    return one.frame, one.matte, xy, one.confidence


def _parser(parsing: str, size: int, others: list[tuple[Any, Any, Any, Any]]) -> Parser:
    if parsing == "auto, clip":
        return BuiltInParser.of_clip(others)
    return parser_of(chosen(parsing), (0, 0, size), size, (size, size))


def _seen(one: Rendered, labels: Picture) -> list[Picture]:
    """The person's part of a frame, and the same under both label maps."""
    rows, columns = (np.flatnonzero((one.matte > 0).any(axis=axis)) for axis in (1, 0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    frame = one.frame[window]
    return [frame, *(coloured(frame, shown[window]) for shown in (labels, one.labels))]


def coloured(frame: Picture, labels: Picture) -> Picture:
    """(H, W, 3) a frame under the colours of its labels."""
    person = (labels > 0)[..., None]
    return np.where(person, frame * 0.25 + COLOURS[labels] * 0.75, frame * 0.5).astype(np.uint8)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[*range(1100, 1124), *range(1200, 1224)], help="seeds")
    parser.add_argument("--moments", type=int, default=3, help="of each person's dance")
    parser.add_argument("--size", type=int, default=512, help="pixels: side of a frame")
    parser.add_argument("--parsing", nargs="+", default=["auto", "auto, clip"], help="as track takes it")
    parser.add_argument("--sheets", type=Path, help="folder for pictures of the worst frames")
    parser.add_argument("--output", type=Path, help="JSON to write")
    options = parser.parse_args(arguments)
    if options.moments < 1 or options.size < 64:
        parser.error("--moments must be at least 1, and --size at least 64")
    return options


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UnderstudyError as error:
        sys.exit(str(error))
