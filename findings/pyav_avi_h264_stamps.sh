#!/usr/bin/env bash
# H.264 with B-frames in AVI is read with time stamps that do not rise, and a stream copy carries them into MP4.
#
# Versions: av 18.1.0 (its libavformat is 62.12.102), numpy 1.26.4, Python 3.11, Linux x86_64.
# Expected: frames come out of the decoder in the order in which they are shown, and so their stamps rise, as they do for
#   the same film in MP4 and for MPEG-4 with B-frames in AVI.
# Seen: the frames come out in order, but AVI keeps stamps of decoding only, and these are taken for those of showing:
#   of 40 frames 19 are stamped no later than the one before. A reader that goes by stamps drops or repeats frames.
#   Copied to MP4 without encoding anew, the file looks like any other MP4 and has the same 19.
#   "H.264: avi 19, mp4 0, avi copied to mp4 19; MPEG-4: avi 0"
# Fails when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet av==18.1.0 numpy==1.26.4
cat > "$folder/stamps.py" <<'PYTHON'
import io
import av, numpy as np

def film(kind, codec, options):
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(40):
            picture = np.full((96, 160, 3), 16 + 5 * number, np.uint8)  # brighter and brighter
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return out.getvalue()

def copied(film, kind):
    out = io.BytesIO()
    with av.open(io.BytesIO(film)) as given, av.open(out, "w", format=kind) as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.size:
                packet.stream = stream
                made.mux(packet)
    return out.getvalue()

def looked_at(film):
    with av.open(io.BytesIO(film)) as container:
        frames = [(frame.pts, frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)]
    stamps, levels = zip(*frames)
    assert len(frames) == 40 and list(levels) == sorted(levels), "changed: frames come out in another order"
    return sum(earlier >= later for earlier, later in zip(stamps, stamps[1:]))

h264, mpeg4 = ("libx264", {"bf": "3", "b-adapt": "0"}), ("mpeg4", {"bf": "2"})
avi = film("avi", *h264)
seen = looked_at(avi), looked_at(film("mp4", *h264)), looked_at(copied(avi, "mp4")), looked_at(film("avi", *mpeg4))
print("H.264: avi {}, mp4 {}, avi copied to mp4 {}; MPEG-4: avi {}".format(*seen))
assert seen == (19, 0, 19, 0), "changed"
PYTHON
"$folder/venv/bin/python" "$folder/stamps.py"
