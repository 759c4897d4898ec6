#!/usr/bin/env bash
# Of two MPEG transport streams joined by `cat`, as the format allows, a whole packet before the join is told to be corrupt.
#
# Versions: av 18.1.0, numpy 1.26.4, Python 3.11, Linux x86_64.
# Expected: either no packet is marked, since nothing is missing, or the first one behind the join, where the four-bit counters
#   of the transport packets jump.
# Seen: of 30 and 30 pictures, packet 28 has is_corrupt (counted from 0), the last but one of the first file; with H.264 and with
#   MPEG-2. Its bytes are those that it has in the first file alone, where it is not marked. All 60 pictures are decoded as
#   they are from the two files one by one, and no frame has is_corrupt.
# Worth knowing: cameras and recorders that split at midnight or at 4 GB are joined like this. Whoever skips marked packets loses
#   a good picture, and with H.264 those that are predicted from it; whoever looks for the join by the mark looks too early.
# Fails when this changes: when another packet is marked, none, or any frame.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet av==18.1.0 numpy==1.26.4
cat > "$folder/joined.py" <<'PYTHON'
import io
import av, numpy as np

COUNT = 30

def stream_of(codec, shift):
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(COUNT):
            grey = np.full((48, 64, 3), (number * 7 + shift) % 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    return out.getvalue()

def packets(data):
    with av.open(io.BytesIO(data)) as container:
        return [(bytes(packet), packet.is_corrupt) for packet in container.demux(video=0) if packet.size]

def pictures(data):
    with av.open(io.BytesIO(data)) as container:
        return [(frame.to_ndarray(format="rgb24"), frame.is_corrupt) for frame in container.decode(video=0)]

for codec in ("libx264", "mpeg2video"):
    first, second = stream_of(codec, 0), stream_of(codec, 100)
    alone, joined = packets(first), packets(first + second)
    marked = [number for number, (_, corrupt) in enumerate(joined) if corrupt]
    assert not any(corrupt for _, corrupt in alone), "changed: packets of one file are marked"
    whole = joined[COUNT - 2][0] == alone[COUNT - 2][0]
    apart, together = pictures(first) + pictures(second), pictures(first + second)
    same = len(apart) == len(together) and all(np.array_equal(a, b) for (a, _), (b, _) in zip(apart, together))
    frames = sum(corrupt for _, corrupt in together)
    print(f"{codec}: {len(joined)} packets, marked {marked}, whole: {whole}; pictures as apart: {same}, frames marked: {frames}")
    assert marked == [COUNT - 2] and whole and same and not frames, "changed"
PYTHON
"$folder/venv/bin/python" "$folder/joined.py"
