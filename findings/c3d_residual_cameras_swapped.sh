#!/usr/bin/env bash
# What c3d writes as a marker's residual, ezc3d reads as the cameras that saw it, and the other way round.
#
# Versions: c3d 0.6.0, ezc3d 1.7.2, NumPy 2.4.6, Python 3.11, Linux x86_64.
# Expected: how surely a marker was measured, and by which cameras, is the same in whatever library reads the file.
# Seen: a C3D point's fourth word holds both, a byte each. Of a marker with a residual of 2 and cameras 1 and 3 (mask 5) c3d
#   writes 0x0502 and reads 2 and 5 again; ezc3d reads a residual of 5 and the mask 2, camera 2 alone. Places agree, a marker that was lost
#   (-1) is lost in both. So whoever leaves out markers by their residual keeps by the number of a camera, with no error.
# Worth knowing: of files with cameras 0 to 7 the residuals that come out are believable numbers.
# Fails when this changes: when both read the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet c3d==0.6.0 ezc3d==1.7.2 numpy==2.4.6
cat > "$folder/swapped.py" <<'PYTHON'
import sys
import warnings
from pathlib import Path

import c3d
import ezc3d
import numpy as np

warnings.simplefilter("ignore")  # there is no analog data
path = Path(sys.argv[1]) / "markers.c3d"
markers = np.array([[100.0, 200.0, 300.0, 2.0, 5.0], [1.0, 2.0, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, -1.0, 0.0]], np.float32)
writer = c3d.Writer(point_rate=100, point_scale=-1.0)
writer.set_point_labels(["SEEN", "SURE", "LOST"])
writer.add_frames([(markers, np.zeros((0, 1)))])
with path.open("wb") as file:
    writer.write(file)

with path.open("rb") as file:
    ((_, points, _),) = c3d.Reader(file).read_frames()
points = np.array(points)
print("c3d: residuals", points[:, 3].tolist(), "masks", points[:2, 4].tolist())

found = ezc3d.c3d(str(path))["data"]
residuals = found["meta_points"]["residuals"][0, :, 0]
masks = found["meta_points"]["camera_masks"][:, :, 0].astype(int)
told = [int(sum(bit << place for place, bit in enumerate(masks[:, marker]))) for marker in range(2)]
print("ezc3d: residuals", residuals.tolist(), "masks", told)

np.testing.assert_allclose(points[:2, :3], markers[:2, :3])
np.testing.assert_allclose(found["points"][:3, :2, 0].T, markers[:2, :3])
assert residuals[2] == -1 and points[2, 3] == -1
assert (points[0, 3], points[0, 4]) == (2.0, 5.0)
assert (residuals[0], told[0]) == (5.0, 2), (residuals, told)
raw = np.frombuffer(path.read_bytes(), "<f4")
place = next(n for n in range(len(raw) - 3) if raw[n : n + 3].tolist() == [100.0, 200.0, 300.0])
print("the fourth word:", hex(int(raw[place + 3])))
assert int(raw[place + 3]) == 0x0502
PYTHON
"$folder/venv/bin/python" "$folder/swapped.py" "$folder"
echo "as seen: residual and cameras of a marker change places between c3d and ezc3d"
