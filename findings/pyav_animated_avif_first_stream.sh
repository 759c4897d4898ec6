#!/usr/bin/env bash
# An animated AVIF opens as two video streams, and the first of them is a still of one picture.
#
# Versions: av 18.1.0 (its libavformat is 62.12.102), pillow 12.3.0, numpy 1.26.4, Python 3.11, Linux x86_64.
# Expected: as with an animated GIF, PNG or WebP, one video stream with all pictures, so that the common
#   `container.decode(video=0)` gives the film.
# Seen: of a film of 20 pictures, saved by Pillow, stream 0 is the file's still item and stream 1 the film. Both are marked as
#   default. `decode(video=0)` gives one picture without any error; what tells them apart is the number of frames, or
#   FFmpeg's own choice of the best stream.
#   "streams: 2, frames decoded: [1, 20], marked as default: [True, True], best: 1; gif: [20]"
# Fails when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet av==18.1.0 pillow==12.3.0 numpy==1.26.4
cat > "$folder/streams.py" <<'PYTHON'
import io
import av, numpy as np
from PIL import Image

pictures = [Image.fromarray(np.full((96, 128, 3), 20 + 10 * number, np.uint8)) for number in range(20)]

def film(kind):
    out = io.BytesIO()
    pictures[0].save(out, kind, save_all=True, append_images=pictures[1:], duration=50)
    return out.getvalue()

def decoded(data):
    counts = []
    with av.open(io.BytesIO(data)) as container:
        streams = len(container.streams.video)
    for number in range(streams):
        with av.open(io.BytesIO(data)) as container:
            counts.append(sum(1 for _ in container.decode(video=number)))
    return counts

avif = film("AVIF")
with av.open(io.BytesIO(avif)) as container:
    default = [bool(stream.disposition & av.stream.Disposition.default) for stream in container.streams.video]
    best = container.streams.best("video").index
seen = len(default), decoded(avif), default, best, decoded(film("GIF"))
print("streams: {}, frames decoded: {}, marked as default: {}, best: {}; gif: {}".format(*seen))
assert seen == (2, [1, 20], [True, True], 1, [20]), "changed"
PYTHON
"$folder/venv/bin/python" "$folder/streams.py"
