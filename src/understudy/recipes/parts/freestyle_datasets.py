"""People of published data sets (VIP, CIHP, MHPv2) as files for freestyle reenactment to learn from.

Their labels are taken as they are; poses, surfaces and hands are found by the tracker in each person's portrait. Whom
it does not find there is left out.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.progress import progress_bar
from understudy.base.stopping import stop_signals
from understudy.body.labels import LABEL
from understudy.compositing.inpainting import inpainter, without_person
from understudy.errors import Interrupted
from understudy.people.datasets import PersonSeen, portrait, read_people
from understudy.people.pairs import WITHIN, pairs_of
from understudy.people.view import View
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.recipes.parts.freestyle_samples import write_person
from understudy.tracking.blazepose import BlazePoseTracker
from understudy.tracking.body_fit import LEAST_POINTS, fit
from understudy.tracking.detection import Tracker
from understudy.tracking.surface import girth_of, surface_maps

Image = npt.NDArray[np.uint8]

MOST_VIEWS = 6
"""of one person: a file's pairs then are as many as everybody's"""
DONE = "{name}.done"
"""says that a folder was read to its end"""

log = logging.getLogger(__name__)


def gather_dataset(folder: Path, data: Path, size_hw: tuple[int, int]) -> list[Path]:
    """Files of everybody in a data set, one person each.

    Args:
        folder: of the files.
        data: the data set, as `read_people` takes it.
        size_hw: of the views, even.

    Raises:
        UsageError, MediaError: as `read_people`.
        Interrupted: after Ctrl-C or SIGTERM; what was made stays, and is not made again.
    """
    name = _called(data)
    made = folder / DONE.format(name=name)
    if not made.exists():
        people = read_people(data)
        tracker = BlazePoseTracker("wholebody")
        with stop_signals() as stop, progress_bar(f"reading {data.resolve().name}", None) as advance:
            for video, seen in groupby(people, key=lambda one: one.who[0]):
                for number, pictures in _persons(seen).items():
                    if stop.signal is not None:
                        raise Interrupted("the people made so far are kept: go on with `resume=True`", stop.signal)
                    _write(folder / f"{name}-{Path(video).name}-{number}.safetensors", pictures, size_hw, tracker)
                    advance()
        tracker.close()
        made.touch()
    found = sorted(folder.glob(f"{name}-*.safetensors"))
    if not found:
        log.warning("%s has nobody whom the tracker finds: nothing is learnt from it", data)
    return found


def _persons(seen: Iterator[PersonSeen]) -> dict[int, list[PersonSeen]]:
    """The people of one video, each in `MOST_VIEWS` pictures at most, spread over all that there are.

    Never more than twice as many are kept: when they are reached, every other one is let go, and as many are passed
    over from then on.
    """
    found: dict[int, list[PersonSeen]] = defaultdict(list)
    met: dict[int, int] = defaultdict(int)
    apart: dict[int, int] = defaultdict(lambda: 1)
    for one in seen:
        who = one.who[1]
        if met[who] % apart[who] == 0:
            found[who].append(one)
        if len(found[who]) == 2 * MOST_VIEWS:
            found[who] = found[who][::2]
            apart[who] *= 2
        met[who] += 1
    return {who: _spread(pictures) for who, pictures in found.items()}


def _spread(pictures: list[PersonSeen]) -> list[PersonSeen]:
    """Some of them, such that each has another one within reach, see `pairs_of`, as far as that can be."""
    last = len(pictures) - 1
    places = [round(float(place)) for place in np.linspace(0, last, min(MOST_VIEWS, len(pictures)))]
    if any(pictures[b].number - pictures[a].number >= WITHIN for a, b in pairwise(places)):
        begun = np.linspace(0, last - 1, MOST_VIEWS // 2).round().astype(int).tolist()
        places = sorted({place + more for place in begun for more in (0, 1)})
    return [pictures[place] for place in places]


def _called(data: Path) -> str:
    """What a data set's files begin with: its folder's name, told apart from other folders that are called so."""
    return f"{data.resolve().name}-{hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:8]}"


def _write(path: Path, pictures: Sequence[PersonSeen], size_hw: tuple[int, int], tracker: Tracker) -> None:
    if path.exists():
        return
    views = [(view_of(portrait(one, size_hw), tracker), one.number) for one in pictures]
    kept = [(view, number) for view, number in views if view is not None]
    if kept:
        pairs = pairs_of([(("", 0), number) for _, number in kept], most=MOST_VIEWS)
        write_person(path, [view for view, _ in kept], pairs)


def view_of(seen: PersonSeen, tracker: Tracker) -> View | None:
    """A portrait as a view; None where the tracker does not find the person."""
    height, width = seen.labels.shape
    alone = np.where((seen.others > 0)[..., None], np.uint8(128), seen.frame)
    tracker.forget()
    found = tracker(alone)
    if found is None or (found.confidence[: p.LEFT_BIG_TOE] > 0).sum() < LEAST_POINTS:
        return None
    pose = Pose(found.xy[None], found.confidence[None], (height, width))
    matte = np.where(seen.labels > 0, np.uint8(255), np.uint8(0))
    posed = fit(pose, follow=False)
    return View(
        frame=seen.frame,
        labels=with_hands(seen.labels, found.xy, found.confidence),
        surface=next(surface_maps(posed, (height, width), girth_of(posed, [matte], [seen.labels]))),
        xy=found.xy,
        confidence=found.confidence,
        others=seen.others,
        background=without_person(seen.frame, matte, others=seen.others, fill=inpainter("smooth")),
    )


def with_hands(labels: Image, xy: npt.NDArray[np.float32], confidence: npt.NDArray[np.float32]) -> Image:
    """A label map whose arms end in hands: what lies within a hand's points and was arm (section 3.1)."""
    shown: Image = labels.copy()
    for side, points in (("left", p.LEFT_HAND), ("right", p.RIGHT_HAND)):
        seen = xy[points][confidence[points] > 0]
        if len(seen) < 5:
            continue
        hull = cv2.convexHull(np.round(seen).astype(np.int32))
        inside = cv2.fillConvexPoly(np.zeros(labels.shape, np.uint8), hull, 1)
        reach = max(1, round(0.12 * float(np.ptp(seen, axis=0).max())))
        inside = cv2.dilate(inside, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        shown[(inside > 0) & (labels == LABEL[f"{side} arm"])] = LABEL[f"{side} hand"]
    return shown
