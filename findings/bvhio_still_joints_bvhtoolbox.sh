#!/usr/bin/env bash
# bvhio takes the channels of a joint that never turns away, and bvhtoolbox cannot work out positions of what is left.
#
# Versions: bvhio 1.5.4 (PyGLM 2.8.2, spatial-transform 1.3.3), bvhtoolbox 0.1.3, Python 3.11, Linux x86_64.
# Expected: a BVH file that one library has written is a file for the other, with the channels that it had.
# Seen: of a joint whose rotation is zero in every frame `writeHierarchy` writes "CHANNELS 0"; a second joint, which turns, has
#   its three, in the order Z X Y whatever they were before. bvhio reads that again. bvhtoolbox's `bvh2csv`, which handles the
#   file before, prints that a rotation order must be one of twelve and ends in KeyError: ''.
# Worth knowing: which joints are still depends on the clip, so that two parts of one recording come out with unlike columns.
# Fails when this changes: when the channels stay, or bvhtoolbox takes a joint without any.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet bvhio==1.5.4 PyGLM==2.8.2 spatial-transform==1.3.3 bvhtoolbox==0.1.3
cat > "$folder/still.py" <<'PYTHON'
import os
import re
import sys
from pathlib import Path

import bvhio
from bvhtoolbox.convert.bvh2csv import bvh2csv

STILL = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Xrotation Yrotation Zrotation
  JOINT Knee
  {
    OFFSET 0 10 0
    CHANNELS 3 Xrotation Yrotation Zrotation
    JOINT Ankle
    {
      OFFSET 10 0 0
      CHANNELS 3 Xrotation Yrotation Zrotation
      End Site
      {
        OFFSET 5 0 0
      }
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 0 0 0 0 0 0 0 0 0 0 0
1 2 3 30 40 50 0 0 0 10 5 -60
"""
os.chdir(sys.argv[1])
Path("given.bvh").write_text(STILL)
bvhio.writeHierarchy("written.bvh", bvhio.readAsHierarchy("given.bvh"), 0.04, 2)
channels = [line.strip() for line in re.findall(r"CHANNELS ([^\n]*)", Path("written.bvh").read_text())]
print("channels:", channels)
assert channels[1:] == ["0", "3 Zrotation Xrotation Yrotation"], channels
assert bvhio.readAsHierarchy("written.bvh").Name == "Hips"


def positions(file):
    bvh2csv(file, dst_dirpath=".", scale=1.0, export_rotation=False, export_hierarchy=False)
    return len(Path(file.replace(".bvh", "_pos.csv")).read_text().splitlines())


assert positions("given.bvh") == 3  # a line of names and two frames
try:
    positions("written.bvh")
except KeyError as error:
    print("bvhtoolbox:", repr(error))
    assert error.args == ("",)
else:
    raise SystemExit("bvhtoolbox takes it now")
PYTHON
"$folder/venv/bin/python" "$folder/still.py" "$folder"
echo "as seen: joints that never turn lose their channels, and bvhtoolbox cannot go on"
