#!/usr/bin/env bash
# bvhio writes back another End Site than it has read: three tenths of the last bone's length, whatever the file said.
#
# Versions: bvhio 1.5.4, PyGLM 2.8.2, spatial-transform 1.3.3, Python 3.11, Linux x86_64.
# Expected: a BVH file that is read as a hierarchy and written again ends its chains where it did: toes, fingertips, the crown.
# Seen: `readAsHierarchy` keeps nothing of an End Site, and `writeHierarchy` makes one up: with a last bone of 10 units
#   the offsets (5, 0, 0), (0, 7, 0) and (50, 0, 0) all come back as (3, 0, 0), along the bone. Joints and motion are right to a
#   millionth; `readAsBvh` and `writeBvh` keep End Sites as they are. So whoever edits a dance with the documented hierarchy
#   gives everybody other feet, hands and heads, with no error and no note.
# Fails when this changes: when End Sites come back as they were, or as something else.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet bvhio==1.5.4 PyGLM==2.8.2 spatial-transform==1.3.3
cat > "$folder/again.py" <<'PYTHON'
import re
import sys
from pathlib import Path

import bvhio

CHAIN = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Knee
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT Ankle
    {
      OFFSET 10 0 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site
      {
        OFFSET %s
      }
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 0 0 0 0 0 0 0 0 0 0 0
1 2 3 30 40 50 20 -35 70 10 5 -60
"""
folder = Path(sys.argv[1])
given, written = folder / "given.bvh", folder / "written.bvh"


def end_of(file):
    return [round(float(number), 4) for number in re.findall(r"OFFSET ([^\n]+)", file.read_text())[-1].split()]


for offset in ("5 0 0", "0 7 0", "50 0 0"):
    given.write_text(CHAIN % offset)
    bvhio.writeHierarchy(str(written), bvhio.readAsHierarchy(str(given)), 0.04, 2)
    as_hierarchy = end_of(written)
    bvhio.writeBvh(str(written), bvhio.readAsBvh(str(given)))
    print(f"End Site {offset}: as a hierarchy {as_hierarchy}, as a file {end_of(written)}")
    assert as_hierarchy == [3.0, 0.0, 0.0], as_hierarchy
    assert end_of(written) == [float(number) for number in offset.split()]
PYTHON
"$folder/venv/bin/python" "$folder/again.py" "$folder"
echo "as seen: bvhio's hierarchy replaces End Sites"
