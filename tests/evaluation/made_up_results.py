"""An evaluation's results, made up: for the tests of its report."""

from __future__ import annotations

from dataclasses import replace

from understudy.evaluation.results import Coverage, Evaluation, Measure, Method, Summary, Test
from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES

HOSTILE = """<b>me & "you" 'they' $x^{$</b>.mp4"""
FRAMES, SIZE = 12, 32
TITLES = {
    "performance-cloning": "Performance cloning",
    "nearest-neighbour": "Nearest neighbour",
    "pix2pix": "pix2pix",
    "paired-only": "Paired <branch> only",
}
LEVELS = {"performance-cloning": 10.0, "nearest-neighbour": 20.0, "pix2pix": 12.5, "paired-only": 11.0}


def method(name: str, clip: str, level: float) -> Method:
    values = [level + (frame % 3 - 1) for frame in range(FRAMES)]
    face = [None if frame < 4 else value for frame, value in enumerate(values)]
    return Method(
        name=name,
        title=TITLES[name],
        clip=clip,
        measures={
            "rmse": Measure(
                "RMSE (RGB 0-255)",
                True,
                {
                    "person": Summary(level, level - 0.5, level + 0.5),
                    "face": Summary(level / 2, None, None, "12 faces"),
                },
                {"person": values, "face": face},
            ),
            "lpips": Measure("LPIPS", True, {"frame": Summary(None, None, None, "needs <torchmetrics>")}, {}),
            "ssim": Measure("SSIM", False, {"person": Summary(1 - level / 100, None, None)}, {}),
            "pck": Measure(
                "PCK@0.1", False, {"person": Summary(None if name == "pix2pix" else 0.5, None, None, "lost")}, {}
            ),
        },
        training={"steps": 12, "seconds": 3.25, "losses": {"vgg": 20.41}, "features": None, "data": [1, 2]},
        milliseconds_a_frame=None if name == "pix2pix" else 31.25,
        peak_memory_mib=None if name == "pix2pix" else 2140,
    )


def coverage() -> Coverage:
    distance: list[float | None] = [None, *(float(frame) for frame in range(1, FRAMES))]
    return Coverage(
        gamma=8.0,
        share_of_frames=0.37,
        distance=distance,
        limbs={name: distance if number else [None] * FRAMES for number, name in enumerate(DESCRIPTOR_LIMB_NAMES)},
        correlations={
            "performance-cloning": {
                "eq. 8 and the error": Summary(0.62, 0.41, 0.77),
                "speed and the error": Summary(0.7, 0.5, 0.8),
            },
            "pix2pix": {"eq. 8 and the error": Summary(None, None, None, "all equal")},
        },
    )


def evaluation() -> Evaluation:
    hostile = f"clips/{HOSTILE.replace('/', '')}"
    methods = [method(name, f"clips/{name}.mp4", level) for name, level in LEVELS.items()]
    own = Test("self-reenactment", "Held <out>.", "12", FRAMES, SIZE, "clips/truth.mp4", "", methods, coverage())
    others = [replace(method(name, hostile, 2 * level)) for name, level in LEVELS.items() if name != "paired-only"]
    cross = Test("cross-identity", "Another.", "12", FRAMES, SIZE, "clips/truth.mp4", hostile, others, None)
    return Evaluation(
        title=f"Evaluation of {HOSTILE}",
        made="2026-03-02T10:11:12Z",
        command=f"understudy evaluate --reference '{HOSTILE}' && echo",
        machine={"cores": 2, "accelerator": None, "gpu": False},
        settings={"seed": 0, "minutes": 4.0, "frames": {"train": 400}},
        tests=[own, cross],
    )


def without(*measures: str) -> Evaluation:
    found = evaluation()
    own = found.tests[0]
    kept = [
        replace(one, measures={name: m for name, m in one.measures.items() if name not in measures})
        for one in own.methods
    ]
    return replace(found, tests=[replace(own, methods=kept)])
