"""The benchmark of troubles sees what it looks for, in how a command ended and in what it left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

JUDGE = """
import json, sys
from pathlib import Path
import troubles

troubles.Trials.digest = lambda self, command, folder: (folder / command.output).read_text()
command = troubles.Command("perform", lambda given, out: [], "out.mp4")
trials = troubles.Trials(Path(sys.argv[1]), Path(sys.argv[1]))
trials.whole["perform"] = troubles.Whole("all of it", 9, 9)
code, said = json.loads(sys.argv[2])
print(json.dumps(trials.judged(command, troubles.Ended(code, said), Path(sys.argv[1]), "disk full")))
"""
REFUSED = "reading: done\nerror: cannot write out.mp4: No space left on device\n"


@pytest.mark.parametrize(
    ("code", "said", "files", "fault"),
    [
        (0, "video: out.mp4\n", {"out.mp4": "all of it"}, None),
        (2, REFUSED, {}, None),
        (2, REFUSED, {"out.mp4": "all of it"}, "an output although it failed"),
        (2, REFUSED, {".out.mp4.17-0123abcd.part.mp4": "half"}, "left behind: .out.mp4.17-0123abcd.part.mp4"),
        (2, REFUSED + REFUSED, {}, "2 lines of error"),
        (2, "it did not say why\n", {}, "0 lines of error"),
        (2, "Traceback (most recent call last):\nerror: x\n", {}, "a traceback"),
        (1, "", {}, "exit code 1"),
        (-9, "", {}, "exit code -9"),
        (0, "video: out.mp4\n", {}, "no output although it ended well"),
        (0, "video: out.mp4\n", {"out.mp4": "half of it"}, "another output than without the trouble"),
    ],
)
def test_what_is_a_fault(tmp_path, code, said, files, fault):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(BENCHMARKS), *sys.path])}
    words = [sys.executable, "-c", JUDGE, str(tmp_path), json.dumps([code, said])]
    row = json.loads(subprocess.run(words, capture_output=True, text=True, env=environment, check=True).stdout)
    assert row.get("fault") == fault
    assert row["error"] == (REFUSED.splitlines()[1] if said.startswith(REFUSED) else row["error"])
