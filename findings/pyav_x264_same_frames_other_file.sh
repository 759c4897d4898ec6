#!/usr/bin/env bash
# The x264 in PyAV's wheels does not always make the same file of the same frames.
#
# Versions: av 18.1.0 (its libavcodec is 62.28.102), numpy 1.26.4, Python 3.11, Linux x86_64.
# Expected: x264 is deterministic by default, so the same frames, options and process give the same bytes.
# Seen: of 60 encodings of twelve small frames in one process, with something decoded between any two, up to 19 different
#   files at 148x48 pixels, 2 to 4 at 64x48 (three runs: "mbtree [3, 1, 1, 13]", "[4, 1, 3, 19]", "[2, 1, 1, 11]").
#   With the option mbtree=0 it is one file at every size, every time ("no mbtree [1, 1, 1, 1]"). With nothing decoded
#   between encodings it is one file, too: what lies in memory that was used before makes the difference.
# Worth knowing: a hash of an encoded file is no name for its content, and "bit for bit" cannot be tested by it. mbtree=0
#   makes files 28 to 40 % larger at the same crf, at a slightly smaller error.
# Fails when this changes: when all files are alike with mbtree, or not all without.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet av==18.1.0 numpy==1.26.4
cat > "$folder/again.py" <<'PYTHON'
import hashlib, io
from collections import Counter
from fractions import Fraction
import av, numpy as np

def encoded(size_hw, options):
    frames, out = np.random.default_rng(0), io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "18", "preset": "veryfast", **options})
        stream.height, stream.width = size_hw
        stream.pix_fmt = "yuv420p"
        for number in range(12):
            picture = av.VideoFrame.from_ndarray(frames.integers(0, 256, (*size_hw, 3), dtype=np.uint8), format="rgb24")
            picture = picture.reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return out.getvalue()

def decoded(data):
    with av.open(io.BytesIO(data)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]

SIZES = ((48, 64), (50, 62), (96, 202), (48, 148))
WAYS = {"mbtree": {}, "no mbtree": {"x264-params": "mbtree=0"}}
seen = {(w, s): Counter() for w in WAYS for s in SIZES}
for _ in range(60):
    for way, options in WAYS.items():
        for size in SIZES:
            data = encoded(size, options)
            seen[way, size][hashlib.sha256(data).hexdigest()[:8]] += 1
            decoded(data)
for way in WAYS:
    print(way, [len(seen[way, s]) for s in SIZES])
assert any(len(seen["mbtree", size]) > 1 for size in SIZES), "changed: the same frames always make the same file"
assert all(len(seen["no mbtree", size]) == 1 for size in SIZES), "changed: files differ without mbtree, too"
PYTHON
"$folder/venv/bin/python" "$folder/again.py"
