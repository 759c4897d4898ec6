"""How a live performance goes from light to light: a film of a clock in the camera's place, read where it is shown.

    python benchmarks/live.py --reference me.mp4 --driving dance.mp4
    python benchmarks/live.py --preset instant --size 256 --seconds 30
    python benchmarks/live.py --minutes 60 --only soak
    python benchmarks/live.py --only feet

`light`: the driver's video is written anew with its frame's number in black and white squares along the top, and shown
as a camera would, at its own rate. Time in is when the number that is read in a picture was due. What is shown carries
that time as squares of its own; a viewer of the page reads them out of the JPEG pictures that it gets, and time out is
when it has decoded one. So decoding, tracking, waiting, playing, composing, encoding and the page are all in it; a
camera's own exposure and a screen's own delay are not. Each way is measured in turns (`--rounds`), in one process.

`player`: the player alone, poses as fast as it asks for them, four ways in turns, and what its network takes.

`soak`: the same for so many minutes with a recording of it: memory over time, the recording's
length against the clock's, and how the time of the sound that would go with it moves against the pictures.

`feet`: how far feet slide while they stand, in the poses of a tracked clip placed live, with and without the foot lock.
"""

from __future__ import annotations

import argparse
import http.client
import os
import resource
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Semaphore
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the command line has it, before PyTorch is there

import cv2
import numpy as np

from fidelity import MEDIA
from understudy.actor import Actor
from understudy.base.arguments import Mend
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.compositing.backgrounds import Background
from understudy.media.reading import VideoReader, probe
from understudy.media.writing import VideoWriter
from understudy.performance import load_poses
from understudy.poses.pose import Pose
from understudy.poses.similarity import edge_to_edge
from understudy.recipes.parts import prompt
from understudy.recipes.parts.player import Mending, Moment, ReadyBefore
from understudy.retargeting.foot_lock import LEGS
from understudy.streaming.cameras import FileCamera, Shot
from understudy.streaming.mending import settle_mending
from understudy.streaming.page import LivePage
from understudy.streaming.placing import Placing
from understudy.streaming.recording import Recording
from understudy.streaming.show import Role, Show, Summary, smaller
from understudy.streaming.tracked import TrackedDance
from understudy.tracking.blazepose import BlazePoseTracker
from understudy.tracking.smoothing import person_height
from understudy.verbs.live import READY_SECONDS

WHAT = ("light", "player", "soak", "feet")
MOMENTS, WARM = 40, 5
"""of the player alone: that it plays, and of which the first are not counted"""
BITS = 24
SQUARE = 8
"""pixels of a bit, at least: JPEG and H.264 keep them apart"""
SLOW, STILL = 0.1, 5
"""what counts as a foot that stands in the film itself: slower than this (body heights a second) over so many frames
about it, earlier and later ones alike"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reference", type=Path, default=MEDIA / "juggler.mp4")
    parser.add_argument("--driving", type=Path, default=MEDIA / "juggler.mp4")
    parser.add_argument(
        "--actor", type=Path, help="one that is trained already, instead of `--preset` of the reference"
    )
    parser.add_argument("--preset", default="instant")
    parser.add_argument("--recipe", help="left out, the default one")
    parser.add_argument("--size", type=int, default=256, help="pixels of the side of the actor's frames")
    parser.add_argument("--seconds", type=float, default=20.0, help="of performance, each")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=5.0, help="of the long run")
    parser.add_argument("--only", nargs="+", choices=WHAT, default=["light", "player", "feet"])
    parser.add_argument("--output", type=Path, help="JSON file")
    options = parser.parse_args()
    record: dict[str, Any] = {"machine": machine("cpu"), "clips": [options.reference.name, options.driving.name]}
    with tempfile.TemporaryDirectory(prefix="understudy-benchmark-") as folder:
        record |= measured(options, Path(folder))
    print(f"on {record['machine']['cpu']}, {record['machine']['cores']} cores")
    if options.output:
        write_json(options.output, record)


def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    import understudy

    record: dict[str, Any] = {}
    performance = folder / "driving.performance"
    understudy.track(options.driving, performance)
    if options.only != ["feet"] or options.actor:
        actor = options.actor or folder / "me.actor"
        if options.actor is None:
            recipe = {"recipe": options.recipe} if options.recipe else {}
            settings = {"settings": [f"size={options.size}"]}
            understudy.train(
                options.reference, actor, preset=options.preset, consent="a benchmark", **recipe, **settings
            )
        whole = Actor.load(actor)
        record["actor"] = {"recipe": whole.recipe, "size": whole.size, **{k: whole.record[k] for k in ("preset",)}}
        clock = with_clock(options.driving, folder / "clock.mp4")
        if "light" in options.only:
            record["light"] = light(options, whole, clock, performance)
        if "player" in options.only:
            record["player"] = player_alone(options, whole, performance)
        if "soak" in options.only:
            record["soak"] = soak(options, whole, clock, folder / "recorded.mp4")
    if "feet" in options.only:
        record["feet"] = feet(performance)
    return record


# -- a clock in pictures ------------------------------------------------------------------------------------------


def paint_number(picture: np.ndarray, number: int, square: int = SQUARE) -> None:
    """Black and white squares along the top, the lowest bit first, twice: once as they are and once the other way."""
    for bit in range(BITS):
        level = 255 * (number >> bit & 1)
        for row, shown in enumerate((level, 255 - level)):
            picture[row * square : (row + 1) * square, bit * square : (bit + 1) * square] = shown


def read_number(picture: np.ndarray, square: float = SQUARE) -> int | None:
    """What `paint_number` painted; None where the two rows contradict each other."""
    middles = np.rint(edge_to_edge(np.arange(BITS), square)).astype(int)
    rows = [picture[round(edge_to_edge(row, square)), middles].mean(axis=-1) > 127 for row in (0, 1)]
    if (rows[0] == rows[1]).any():
        return None
    return int((rows[0] << np.arange(BITS)).sum())


def with_clock(path: Path, output: Path) -> Path:
    """The same film with the number of each frame in it."""
    with VideoReader(path) as reader, VideoWriter(output, reader.fps) as writer:
        for number, frame in enumerate(reader):
            picture = frame.copy()
            paint_number(picture, number, square=4 * SQUARE)
            writer.write(picture)
    return output


class ClockCamera:
    """A film of a clock, as a camera: `taken` is when the number in the picture was due, not when it was handed on."""

    def __init__(self, path: Path) -> None:
        self.clock: list[float] = []
        """of which the first is when the film began"""
        self.file = FileCamera(path, loop=True, clock=self._now)
        self.fps = self.file.fps
        self.side = max(probe(path).size_hw)
        with VideoReader(path) as reader:
            self.frames = sum(1 for _ in reader)
        self.misread = 0

    def _now(self) -> float:
        now = time.monotonic()
        self.clock.append(now)
        del self.clock[1:]
        return now

    def shots(self) -> Iterator[Shot]:
        rounds, before = 0, -1
        for shot in self.file.shots():
            number = read_number(shot.frame, 4 * SQUARE * max(shot.frame.shape[:2]) / self.side)
            if number is None:
                self.misread += 1
                continue
            rounds += number < before
            before = number
            yield replace(shot, taken=self.clock[0] + float((rounds * self.frames + number) / self.fps))


class Viewer:
    """Looks at the page as a browser does, and notes how old is what it sees."""

    def __init__(self, port: int, began: float) -> None:
        self.port, self.began = port, began
        self.delays: list[float] = []
        self.numbers: list[int] = []
        self.unread = 0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/stream.mjpg")
        stream = connection.getresponse()
        while stream.readline():
            length = 0
            while line := stream.readline().strip():
                length = int(line.partition(b": ")[2]) if line.startswith(b"Content-Length") else length
            if not length:
                return
            picture = cv2.imdecode(np.frombuffer(stream.read(length), np.uint8), cv2.IMREAD_COLOR)
            now = time.monotonic()
            stream.readline()
            number = read_number(picture)
            if number is None:
                self.unread += 1  # before the performance nothing is painted
                continue
            self.numbers.append(number)
            self.delays.append(now - self.began - number / 1000)


class Stamp:
    """Paints when what is shown was filmed, in milliseconds since it was made."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def __call__(self, picture: np.ndarray, taken: float) -> None:
        paint_number(picture, round(1000 * (taken - self.began)))


# -- light to light -----------------------------------------------------------------------------------------------


def light(options: argparse.Namespace, actor: Actor, clock: Path, performance: Path) -> list[dict[str, Any]]:
    """Every way in turns: the camera with tracking, and a driver tracked before, with the network and without it."""
    cameras: dict[str, Any] = {
        "tracked live": lambda: ClockCamera(clock),
        "tracked before": lambda: TrackedDance(performance, loop=True),
    }
    mending: tuple[tuple[Mend, str], ...] = (("auto", ""), ("always", ", always mended"), ("never", ", never mended"))
    ways: dict[str, dict[str, Any]] = {
        name + how: {"camera": camera, "mend": mend} for name, camera in cameras.items() for mend, how in mending
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for turn in range(options.rounds):
        for name in list(ways)[:: 1 if turn % 2 == 0 else -1]:
            way = dict(ways[name])
            one = once(actor, way.pop("camera")(), options.seconds, **way)
            found[name].append(one)
            print(
                f"{name}: {one['fps']:.1f} frames a second, light to light {one['p50']:.0f} ms "
                f"(95 of 100 at most {one['p95']:.0f} ms), {one['cpu_ms']:.0f} ms of one core a frame, "
                f"{one['pictures']} pictures read",
                flush=True,
            )
    return [{"way": name, "rounds": rounds} for name, rounds in found.items()]


def ready_role(actor: Actor, mend: Mend) -> Role:
    """Who performs, made ready as `live` does it."""
    performer = smaller(actor, 960)
    role = Role(performer, performer.prompt_player("cpu"))
    if isinstance(role.player, ReadyBefore):
        role.player.make_ready(READY_SECONDS)
    settle_mending(role.player, mend)
    return role


def once(actor: Actor, camera: Any, seconds: float, mend: Mend = "auto") -> dict[str, float]:
    role = ready_role(actor, mend)
    page, stamp = LivePage(0), Stamp()
    viewer, computed = Viewer(page.port, stamp.began), time.process_time()
    try:
        summary = shown(role, camera, [page], seconds, stamp)
    finally:
        page.close()
    delays = np.array(viewer.delays[3:]) * 1000
    p50, p95 = np.quantile(delays, (0.5, 0.95)).tolist() if len(delays) else (float("nan"), float("nan"))
    return {
        "fps": summary.frames / max(summary.seconds, 1e-9),
        "p50": p50,
        "p95": p95,
        "cpu_ms": 1000 * (time.process_time() - computed) / max(summary.frames, 1),
        "pictures": len(delays),
        "p95_as_told": 1000 * summary.delay_p95,
        "left_out": summary.dropped,
        "mended": getattr(role.player, "mends", True),
    }


def shown(role: Role, camera: Any, outputs: Sequence[Any], seconds: float, stamp: Stamp) -> Summary:
    tracked = isinstance(camera, TrackedDance)
    show = Show(
        [role],
        camera,
        None if tracked else BlazePoseTracker(),
        outputs,
        backgrounds=[Background()],
        dance=camera.poses if tracked else None,
        stamp=stamp,
    )
    return show.run(seconds)


# -- the player alone ---------------------------------------------------------------------------------------------


class Free:
    """In the place of the semaphore that lets a moment be asked for when the one before is mended: at once."""

    def __init__(self, _: int) -> None: ...

    def acquire(self) -> None: ...

    def release(self) -> None: ...


def player_alone(options: argparse.Namespace, actor: Actor, performance: Path) -> list[dict[str, Any]]:
    """From when a pose is asked for to its frame, with no camera: how much making ready and taking turns are worth."""
    performer = smaller(actor, 960)
    header, poses, _ = load_poses(performance)
    placing = Placing(performer, 0.0)
    placing.know(poses, header.fps)
    step = max(1, len(poses) // MOMENTS)
    placed = [placing(poses[n : n + 1], float(n / header.fps)) for n in range(0, step * MOMENTS, step)]
    moments = [Moment(one.xy[0], one.confidence[0]) for one in placed if one is not None]
    ready = performer.prompt_player("cpu")
    if isinstance(ready, ReadyBefore):
        ready.make_ready(60.0)
    ways: dict[str, tuple[Any, Any, bool]] = {
        "nothing made ready, no turns": (None, Free, True),
        "made ready, no turns": (ready, Free, True),
        "made ready, in turn": (ready, Semaphore, True),
        "made ready, in turn, never mended": (ready, Semaphore, False),
    }
    if isinstance(ready, Mending):
        print(f"the network takes {1000 * ready.mending_takes():.0f} ms a frame", flush=True)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for turn in range(options.rounds):
        for name in list(ways)[:: 1 if turn % 2 == 0 else -1]:
            made_ready, prompt.Semaphore, mends = ways[name]
            player = made_ready or performer.prompt_player("cpu")
            settle_mending(player, "always" if mends else "never")
            found[name].append(one := played(player, moments))
            print(f"{name}: " + ", ".join(f"{what} {value:.0f}" for what, value in one.items()) + " ms", flush=True)
    prompt.Semaphore = Semaphore
    return [{"way": name, "rounds": rounds} for name, rounds in found.items()]


def played(player: Any, moments: Sequence[Moment]) -> dict[str, float]:
    asked: list[float] = []
    given: list[float] = []

    def source() -> Iterator[Moment]:
        for moment in moments:
            asked.append(time.monotonic())
            yield moment

    computed = time.process_time()
    for _ in player.play(source(), 1):
        given.append(time.monotonic())
    computed = (time.process_time() - computed) / len(moments)
    late = 1000 * (np.array(given) - np.array(asked))[WARM:]
    return {
        "a frame every": 1000 * (given[-1] - given[WARM - 1]) / (len(given) - WARM),
        "asked to painted, half": float(np.median(late)),
        "95 of 100": float(np.quantile(late, 0.95)),
        "of one core a frame": 1000 * computed,
    }


# -- an hour ------------------------------------------------------------------------------------------------------


class Memory:
    """Resident memory every so often, on a thread of its own."""

    EVERY = 5.0

    def __init__(self) -> None:
        self.mib: list[float] = []
        self._over = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self._over.wait(self.EVERY):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.mib.append(pages * resource.getpagesize() / 2**20)

    def stop(self) -> None:
        self._over.set()


class Diary:
    """When each picture was shown, by its stamp."""

    from_the_start = False

    def __init__(self) -> None:
        self.shown: dict[int, float] = {}

    def show(self, frame: np.ndarray, when: float) -> None:
        if (number := read_number(frame)) is not None:
            self.shown.setdefault(number, when)


def soak(options: argparse.Namespace, actor: Actor, clock: Path, path: Path) -> dict[str, Any]:
    """One long run with page, viewer and recording: does memory grow, does the recording drift from the clock?

    The recording has one picture for every 1/fps of time. A sound that is recorded while the pictures are shown lies
    beside them if a picture stands in the file where it was shown by the clock: how far off that is, over the whole
    run, is the drift of sound (a line is laid through it).
    """
    page, stamp, memory, diary = LivePage(0), Stamp(), Memory(), Diary()
    viewer = Viewer(page.port, stamp.began)
    camera, role = ClockCamera(clock), ready_role(actor, "auto")
    with Recording(lambda rate: VideoWriter(path, rate), camera.fps) as recording:
        summary = shown(role, camera, [page, diary, recording], 60 * options.minutes, stamp)
    memory.stop()
    page.close()
    at: dict[int, float] = {}
    with VideoReader(path) as reader:
        rate = reader.fps
        for number, frame in enumerate(reader):
            if (read := read_number(frame)) is not None:
                at.setdefault(read, number / float(rate))
    both = sorted(at.keys() & diary.shown.keys())
    places = np.array([at[one] for one in both])
    late = places - np.array([diary.shown[one] for one in both])
    slope = float(np.polyfit(places, late, 1)[0])
    mib = np.array(memory.mib)
    third = max(1, len(mib) // 3)
    growth = float(np.median(mib[-third:]) - np.median(mib[third : 2 * third]))
    print(f"{summary}")
    print(
        f"memory {np.median(mib[:third]):.0f}, {np.median(mib[third : 2 * third]):.0f}, {np.median(mib[-third:]):.0f} "
        f"MiB in the three thirds; recording against clock {1000 * slope * places[-1]:+.0f} ms over "
        f"{places[-1] / 60:.1f} min, at most {1000 * np.abs(late - np.median(late)).max():.0f} ms off"
    )
    return {
        "minutes": options.minutes,
        "summary": str(summary),
        "mib": mib.tolist(),
        "mib_growth_last_third": growth,
        "recorded_seconds": (number + 1) / float(rate),
        "shown_seconds": summary.seconds,
        "drift_ms_over_all": 1000 * slope * places[-1],
        "most_off_ms": 1000 * float(np.abs(late - np.median(late)).max()),
        "viewer_pictures": len(viewer.numbers),
        "misread": camera.misread,
    }


# -- feet ---------------------------------------------------------------------------------------------------------


def feet(performance: Path) -> dict[str, Any]:
    """Sliding of feet that stand, and how much the trunk moves, of one clip's poses as they are placed live.

    The clip stands in for itself as reference, so that one body height is the same before and after. What stands is
    decided by the film itself and by both directions of time, so not by the lock that is measured.
    """
    header, poses, _ = load_poses(performance)
    height, seconds = person_height(poses), float(1 / Fraction(header.fps))
    slid = {}
    standing = standing_feet(poses, height, seconds)
    for name, locked in (("as tracked", False), ("held", True)):
        out = placed(poses, header.fps, height, locked)
        slid[name] = sliding(out, standing, height, seconds)
        print(
            f"feet {name}: {slid[name]['slide']:.3f} body heights a second while they stand, "
            f"trunk {slid[name]['trunk']:.3f}",
            flush=True,
        )
    return {"clip": header.source_name, "frames": len(poses), "standing": int(standing.sum()), **slid}


def placed(poses: Pose, fps: Fraction, height: float, locked: bool) -> np.ndarray:
    """(T, 133, 2) after calming, as live poses are, and after the lock or not."""
    from understudy.retargeting.foot_lock import FootLock
    from understudy.tracking.smoothing import OneEuroFilter

    calming, lock, out = OneEuroFilter(fps, height), FootLock(height), []
    for number in range(len(poses)):
        one = poses[number : number + 1]
        one = Pose(calming(one.xy[0], one.confidence[0] > 0)[None], one.confidence, one.size_hw)
        out.append((lock(one, float(1 / fps)) if locked else one).xy[0])
    return np.stack(out)


def foot_places(xy: np.ndarray) -> np.ndarray:
    """(T, 2 feet, 2): the middle of heel and toe."""
    return np.stack([(xy[:, heel] + xy[:, toe]) / 2 for _, _, heel, toe, _ in LEGS], axis=1)


def standing_feet(poses: Pose, height: float, seconds: float) -> np.ndarray:
    """(T, 2) which foot stands, by its mean speed over the frames about it."""
    places = foot_places(poses.xy.astype(np.float64))
    seen = np.stack([(poses.confidence[:, [heel, toe]] > 0).all(axis=1) for _, _, heel, toe, _ in LEGS], axis=1)
    moved = np.zeros((len(places), 2))
    reach = STILL // 2
    for number in range(reach, len(places) - reach):
        way = places[number + reach] - places[number - reach]
        moved[number] = np.linalg.norm(way, axis=-1) / (2 * reach * seconds * height)
    inside = np.zeros(len(places), bool)
    inside[reach : len(places) - reach] = True
    return seen & (moved < SLOW) & inside[:, None]


def sliding(xy: np.ndarray, standing: np.ndarray, height: float, seconds: float) -> dict[str, float]:
    """Mean speed of the foot that stands (of two, the lower one), and of the trunk; body heights a second."""
    places, trunk = foot_places(xy.astype(np.float64)), xy[:, [5, 6, 11, 12]].astype(np.float64).mean(axis=1)
    slides, trunks = [], []
    for number in range(1, len(xy)):
        both = standing[number] & standing[number - 1]
        if both.any():
            side = max(np.flatnonzero(both), key=lambda one: places[number, one, 1])
            slides.append(np.linalg.norm(places[number, side] - places[number - 1, side]))
            trunks.append(np.linalg.norm(trunk[number] - trunk[number - 1]))
    scale = 1 / (height * seconds)
    return {"slide": float(np.mean(slides)) * scale, "trunk": float(np.mean(trunks)) * scale, "moments": len(slides)}


if __name__ == "__main__":
    main()
