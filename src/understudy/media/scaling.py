"""FFmpeg's scaler: the flags that PyAV has no names for before its version 18, and chains of filters around it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av.filter
import av.video.frame

FULL_CHROMA_INTERPOLATION, FULL_CHROMA_INPUT, ACCURATE_ROUNDING = 0x2000, 0x4000, 0x40000
"""SWS_FULL_CHR_H_INT, SWS_FULL_CHR_H_INP and SWS_ACCURATE_RND of libswscale, beside an `Interpolation`"""
MATRICES = {1: "bt709", 5: "bt601", 6: "bt601"}
"""the filter's names of colour matrices, by the number that a film has for its own (ITU-T H.273)"""


def filters(frame: av.video.frame.VideoFrame, steps: Iterable[tuple[str, str]]) -> av.filter.Graph:
    """A chain through which frames like this one are pushed, and pulled as RGB (H, W, 3) uint8.

    Args:
        frame: of the width, height and pixel format of all that will be pushed.
        steps: (filter, its options) in order.
    """
    graph = av.filter.Graph()
    time_base = frame.time_base or Fraction(1, 1000)
    last: Any = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=time_base)
    for name, options in (*steps, ("format", "rgb24"), ("buffersink", "")):
        step = graph.add(name, options)
        last.link_to(step)
        last = step
    graph.configure()
    return graph


def filtered(graph: av.filter.Graph, frame: av.video.frame.VideoFrame) -> av.video.frame.VideoFrame:
    """What a chain of `filters` makes of a frame, if each of them gives one frame for one."""
    graph.push(frame)
    made = graph.pull()
    assert isinstance(made, av.video.frame.VideoFrame)
    return made
