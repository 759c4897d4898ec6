#!/usr/bin/env bash
# The colour matrix that PyAV reads from a frame and the enumeration that PyAV has of colour matrices are numbered unlike.
#
# Versions: av 18.1.0, numpy 1.26.4, Python 3.11, Linux x86_64.
# Expected: VideoFrame.colorspace of a film tagged smpte170m (the usual tag of standard definition) equals
#   av.video.reformatter.Colorspace.SMPTE170M, since reformat() takes the latter for its src_colorspace.
# Seen: the frame says 6, as FFmpeg's AVColorSpace and ITU-T H.273 number it; the enumeration holds swscale's numbers, in which
#   SMPTE170M, ITU601 and ITU624 are all 5, and there is no 6: Colorspace(6) is a ValueError. For bt709 (1) the two agree, so
#   that code which compares them works on high definition and never takes that branch on the rest.
# Worth knowing: a table keyed by members of the enumeration misses every smpte170m film without an error. Key it by the
#   numbers 1, 5 and 6, or give reformat() None where the frame names its matrix.
# Fails when this changes: when the frame's number is a member, or the enumeration has a 6.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet av==18.1.0 numpy==1.26.4
cat > "$folder/matrix.py" <<'PYTHON'
import io
from fractions import Fraction
import av, numpy as np
from av.video.reformatter import Colorspace

def frame_said(matrix):
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.codec_context.colorspace = matrix
        for number in range(3):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            picture = picture.reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    out.seek(0)
    with av.open(out) as container:
        return int(next(container.decode(video=0)).colorspace)

members = {name: int(value) for name, value in Colorspace.__members__.items() if name.isupper()}
said = {name: frame_said(number) for name, number in (("bt709", 1), ("bt470bg", 5), ("smpte170m", 6))}
print("frames say", said)
print("members are", members)
assert said == {"bt709": 1, "bt470bg": 5, "smpte170m": 6}, "changed: what frames say"
assert members["ITU709"] == 1 and members["SMPTE170M"] == 5, "changed: the enumeration"
try:
    Colorspace(said["smpte170m"])
except ValueError as error:
    print("ValueError:", error)
else:
    raise SystemExit("changed: the enumeration knows what a frame says")
PYTHON
"$folder/venv/bin/python" "$folder/matrix.py"
