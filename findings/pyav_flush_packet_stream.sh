#!/usr/bin/env bash
# PyAV's flush packets, which end each stream of a file, all say stream 0 in `stream_index`; their `stream` is right.
#
# Versions: av 18.1.0, numpy 1.26.4, Python 3.11, Linux x86_64.
# Expected: packet.stream_index == packet.stream.index, as it is for every packet with data.
# Seen: of a file with two video streams the two packets of size 0 that `demux()` ends with have stream_index 0 and 0, and
#   stream.index 0 and 1: "packets (0, 0) (1, 1) at the end (0, 0) (0, 1)". Who sorts packets by `stream_index` flushes
#   one decoder twice and the other never, and loses the frames that it holds back.
# Fails when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet av==18.1.0 numpy==1.26.4
cat > "$folder/flush.py" <<'PYTHON'
import io
import av, numpy as np

out = io.BytesIO()
with av.open(out, "w", format="mp4") as container:
    streams = [container.add_stream("mpeg4", rate=25) for _ in range(2)]
    for stream in streams:
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
    for _ in range(5):
        for stream in streams:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
    for stream in streams:
        container.mux(stream.encode(None))
with av.open(io.BytesIO(out.getvalue())) as container:
    packets = [(packet.stream_index, packet.stream.index, packet.size > 0) for packet in container.demux()]
full, ends = (sorted({packet[:2] for packet in packets if packet[2] is whole}) for whole in (True, False))
print("packets", *full, "at the end", *ends)
assert full == [(0, 0), (1, 1)] and ends == [(0, 0), (0, 1)], "changed"
PYTHON
"$folder/venv/bin/python" "$folder/flush.py"
