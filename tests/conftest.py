"""One thread a worker, a cache and a key of the tests' own, and stick people for hand-made cases.

Of the stick people joints are placed by limb angles, so that every descriptor is known beforehand.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

# Workers share the cores: a second thread of one would only wait for the other's. Said before NumPy and PyTorch are
# imported, which look once, and so that programs which a test starts hear it too.
IN_A_WORKER = "PYTEST_XDIST_WORKER" in os.environ
if IN_A_WORKER:
    for library in ("OMP", "MKL", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
else:  # as many as there are, and not fewer as soon as others are busy: sums of fewer threads differ in the last bit
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

import rooms  # noqa: E402
from understudy.base.folders import weights_folder  # noqa: E402
from understudy.poses.pose import Pose  # noqa: E402

if IN_A_WORKER:
    cv2.setNumThreads(1)

StickPeople = Callable[..., Pose]

LENGTHS = {"thigh": 45.0, "shin": 42.0, "upper arm": 30.0, "forearm": 28.0}
CHAINS = {  # joint: (parent, limb, side of the picture for a person who faces the camera)
    3: (2, "right upper arm", -1),
    4: (3, "right forearm", -1),
    6: (5, "left upper arm", 1),
    7: (6, "left forearm", 1),
    9: (8, "right thigh", -1),
    10: (9, "right shin", -1),
    12: (11, "left thigh", 1),
    13: (12, "left shin", 1),
}


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is tracked is remembered in a folder of this worker, and not beside that of whoever runs the tests.

    The tracker's networks are those of whoever runs the tests: nothing is fetched twice.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNDERSTUDY_WEIGHTS", str(weights_folder()))
        patch.setenv("UNDERSTUDY_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("UNDERSTUDY_CONFIG", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _smooth_rooms() -> Iterator[None]:
    """What is tracked has a room that is filled smoothly where no frame has shown it.

    To copy patches into it, as users have it, takes half of the time of tracking a clip so short that nobody walks
    away from where they stand. Tests that look at the room, or at all that users have, ask for `copied_rooms`.
    """
    with rooms.smooth():
        yield


@pytest.fixture(scope="module")
def copied_rooms(_smooth_rooms: None) -> Iterator[None]:
    """Rooms are filled as users have it, with patches from elsewhere in them."""
    with rooms.copied():
        yield


def _stick(angles: Mapping[str, float], facing: int, short: Mapping[str, float], neck: Sequence[float]) -> np.ndarray:
    """(18, 2); angles in degrees outwards from hanging straight down, `facing` 1 = the camera, -1 = away from it."""
    xy = np.zeros((18, 2))
    xy[1] = neck
    for joint, offset in {
        0: (0, -20),
        2: (-20, 0),
        5: (20, 0),
        8: (-14, 60),
        11: (14, 60),
        14: (-4, -24),
        15: (4, -24),
        16: (-8, -22),
        17: (8, -22),
    }.items():
        xy[joint] = xy[1] + (offset[0] * facing, offset[1])
    for joint, (parent, limb, side) in CHAINS.items():
        angle = np.radians(angles.get(limb, 0.0))
        length = LENGTHS[limb.split(" ", 1)[1]] * short.get(limb, 1.0)
        xy[joint] = xy[parent] + (side * facing * np.sin(angle) * length, np.cos(angle) * length)
    return xy


@pytest.fixture
def stick_people() -> StickPeople:
    """A function: one mapping of limb angles per frame -> a Pose in a 256 x 256 frame."""

    def build(
        frames: Sequence[Mapping[str, float]],
        facing: int = 1,
        short: Mapping[str, float] | None = None,
        neck: Sequence[float] = (128, 70),
    ) -> Pose:
        xy = np.stack([_stick(angles, facing, short or {}, neck) for angles in frames])
        return Pose.from_openpose18(xy, np.ones((len(frames), 18)), (256, 256))

    return build


@pytest.fixture
def write_stick_performance(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A function: (name, pose) -> a performance of grey frames with the stick person drawn in."""
    from understudy.performance import FOUND, Crop, PerformanceWriter
    from understudy.poses.pose import OPENPOSE18_LIMBS

    def write(name: str, pose: Pose, fps: Fraction = Fraction(10)):  # type: ignore[no-untyped-def]
        xy, _ = pose.openpose18()
        size = pose.size_hw[0]
        with PerformanceWriter(tmp_path / f"{name}.performance", fps) as writer:
            for points in np.round(xy).astype(int):
                frame = np.full((size, size, 3), 110, np.uint8)
                for start, end in OPENPOSE18_LIMBS:
                    cv2.line(frame, tuple(map(int, points[start])), tuple(map(int, points[end])), (40, 60, 160), 9)
                matte = np.where((frame != 110).any(axis=2), 255, 0).astype(np.uint8)
                writer.add(frame, matte, np.zeros((size // 4, size // 4, 2), np.float16))
            return writer.finish(
                poses=pose,
                status=np.full(len(pose), FOUND, np.uint8),
                background=np.full((size, size, 3), 110, np.uint8),
                source_name=f"{name}.mp4",
                source_sha256="0" * 64,
                crop=Crop(1.0, (0.0, 0.0)),
                tracker="by hand",
                tracker_version="1",
                landmarks="body",
                matte="exact",
                smoothed=False,
            )

    return write
