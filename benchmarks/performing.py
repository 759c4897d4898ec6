"""How long the default recipe performs a driver who was tracked before, beside another checkout of the program.

    python benchmarks/performing.py --reference me.mp4 --driving dance.mp4
    python benchmarks/performing.py --against ../understudy-before/src --busy 0 1 2

Both are tracked once and the actor is made once (`instant`, nothing is trained). Then each performs in turns, in a
process of its own: the video is made twice, and the second time counts, so that no import and no first call is in it.
`--busy` says beside how many busy programs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from fidelity import MEDIA
from processes import busy
from understudy.base.files import write_json
from understudy.base.machine import machine

HERE = Path(__file__).resolve().parent.parent / "src"
TWICE = """
import sys, time, understudy
actor, driving, output = sys.argv[1:]
for _ in range(2):
    began = time.perf_counter()
    understudy.perform(actor, driving, output)
print(time.perf_counter() - began)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reference", type=Path, default=MEDIA / "juggler.mp4")
    parser.add_argument("--driving", type=Path, default=MEDIA / "balance_cam1.mp4")
    parser.add_argument("--against", type=Path, help="the src folder of another checkout; its environment is this one")
    parser.add_argument("--busy", type=int, nargs="+", default=[0], help="busy programs beside it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="understudy-benchmark-") as folder:
        record = measured(options, Path(folder))
    print(f"on {record['machine']['cpu']}, {record['machine']['cores']} cores")
    if options.output:
        write_json(options.output, record)


def measured(options: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Milliseconds a frame of every round, by checkout and by how many programs were busy."""
    import understudy

    actor, driving = folder / "me.actor", folder / "driving.performance"
    understudy.train(options.reference, actor, preset="instant", consent="a benchmark")
    frames = len(understudy.track(options.driving, driving))
    trees = {"this": HERE, **({"other": options.against.resolve()} if options.against else {})}
    rows = []
    for programs in options.busy:
        times: dict[str, list[float]] = {name: [] for name in trees}
        for turn in range(options.rounds):
            for name in list(trees)[:: 1 if turn % 2 == 0 else -1]:
                with busy(programs):
                    seconds = performed(trees[name], actor, driving, folder / "out.mp4")
                times[name].append(1000 * seconds / frames)
        for name, found in times.items():
            spread = f"{min(found):.1f} .. {max(found):.1f}"
            print(f"{programs} busy, {name}: {statistics.median(found):.1f} ms a frame ({spread})", flush=True)
            rows.append({"busy": programs, "tree": name, "ms_a_frame": found})
    return {
        "machine": machine("cpu"),
        "frames": frames,
        "clips": [options.reference.name, options.driving.name],
        "rows": rows,
    }


def performed(source: Path, *paths: Path) -> float:
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_WAIT_POLICY": "passive"}  # as the command line has it
    ran = subprocess.run(
        [sys.executable, "-c", TWICE, *map(str, paths)], env=environment, capture_output=True, text=True, check=True
    )
    return float(ran.stdout.split()[-1])


if __name__ == "__main__":
    main()
