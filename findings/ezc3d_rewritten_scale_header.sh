#!/usr/bin/env bash
# A C3D file of integers that ezc3d has read and written says two scales, and c3d reads it no more.
#
# Versions: ezc3d 1.7.2, c3d 0.6.0, NumPy 2.4.6, Python 3.11, Linux x86_64.
# Expected: reading a file and writing it leaves one that whoever read it before can read.
# Seen: of points kept as integers, of a tenth of a millimetre each (scale 0.1), ezc3d makes floating-point ones, told by a scale below 0:
#   its header says -1, its parameter POINT:SCALE -0.1. ezc3d reads that, with the places it had; c3d, which compares the two,
#   ends in "AssertionError: inconsistent scale factor!". Of a file of floating-point numbers both are -1 before and after.
# Fails when this changes: when both scales are the same, or c3d reads the file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet c3d==0.6.0 ezc3d==1.7.2 numpy==2.4.6
cat > "$folder/scale.py" <<'PYTHON'
import struct
import sys
import warnings
from pathlib import Path

import c3d
import ezc3d
import numpy as np

warnings.simplefilter("ignore")  # there is no analog data
given, again = (Path(sys.argv[1]) / name for name in ("given.c3d", "again.c3d"))
markers = np.array([[100.5, 200.0, 300.0, 0.0, 0.0]], np.float32)


def written(scale):
    writer = c3d.Writer(point_rate=100, point_scale=scale)
    writer.set_point_labels(["HIP"])
    writer.add_frames([(markers, np.zeros((0, 1)))])
    with given.open("wb") as file:
        writer.write(file)
    ezc3d.c3d(str(given)).write(str(again))


def read(path):
    with path.open("rb") as file:
        ((_, points, _),) = c3d.Reader(file).read_frames()
        return np.array(points)[0, :3]


for scale in (-1.0, 0.1):
    written(scale)
    np.testing.assert_allclose(read(given), markers[0, :3], atol=1e-4)
    found = ezc3d.c3d(str(again))
    np.testing.assert_allclose(found["data"]["points"][:3, 0, 0], markers[0, :3], atol=1e-4)
    (header,) = struct.unpack_from("<f", again.read_bytes(), 12)
    parameter = found["parameters"]["POINT"]["SCALE"]["value"][0]
    try:
        read(again)
        said = "is read"
    except AssertionError as error:
        said = str(error).strip().partition("!")[0]
    print(f"written with {scale}: header {header:g}, parameter {parameter:g}; c3d: {said}")
    if scale < 0:
        assert (header, parameter, said) == (-1.0, -1.0, "is read")
    else:
        assert header == -1.0 and abs(parameter + 0.1) < 1e-6 and said == "inconsistent scale factor"
PYTHON
"$folder/venv/bin/python" "$folder/scale.py" "$folder"
echo "as seen: after ezc3d a file of integers has two scales, and c3d does not read it"
