"""VIDEO.

Follows comfy_api/latest/_input/video_types.py and comfy_api/latest/_input_impl/video_types.py of ComfyUI 0.3.75.
`VideoFromFile.save_to` copies the streams into a new file with the metadata added, as there, if neither format nor
codec is to change; `VideoFromComponents.save_to` cannot write into a BytesIO, as there. `TrimmedVideo` is what newer
versions make of a file, a part of which `get_stream_source` says nothing.
"""

import io
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import torch


@dataclass
class VideoComponents:
    """`images` (N, H, W, 3) float32, 0 to 1."""

    images: torch.Tensor
    frame_rate: Fraction
    audio: Any = None
    metadata: dict[str, Any] | None = None


class VideoInput(ABC):
    """Any video."""

    @abstractmethod
    def save_to(
        self, path: Any, format: Any = "auto", codec: Any = "auto", metadata: dict[str, Any] | None = None
    ) -> None:
        """Writes it to a path, or into a BytesIO."""

    def get_stream_source(self) -> str | io.BytesIO:
        """A path, or the whole file."""
        buffer = io.BytesIO()
        self.save_to(buffer)
        buffer.seek(0)
        return buffer

    @abstractmethod
    def get_dimensions(self) -> tuple[int, int]:
        """Width and height."""

    @abstractmethod
    def get_duration(self) -> float:
        """Seconds."""


class VideoFromFile(VideoInput):
    """A video in a file."""

    def __init__(self, file: str | io.BytesIO) -> None:
        self.__file = file

    def get_stream_source(self) -> str | io.BytesIO:
        if isinstance(self.__file, io.BytesIO):
            self.__file.seek(0)
        return self.__file

    def get_dimensions(self) -> tuple[int, int]:
        with av.open(self.get_stream_source(), mode="r") as container:
            return container.streams.video[0].width, container.streams.video[0].height

    def get_duration(self) -> float:
        with av.open(self.get_stream_source(), mode="r") as container:
            return float((container.duration or 0) / av.time_base)

    def save_to(
        self, path: Any, format: Any = "auto", codec: Any = "auto", metadata: dict[str, Any] | None = None
    ) -> None:
        kind = "mp4" if isinstance(path, io.BytesIO) else None
        with av.open(self.get_stream_source(), mode="r") as old, av.open(path, mode="w", format=kind) as new:
            streams = {
                stream.index: new.add_stream_from_template(stream)
                for stream in (*old.streams.video, *old.streams.audio)
            }
            for name, value in (metadata or {}).items():
                new.metadata[name] = str(value)
            for packet in old.demux():
                if packet.dts is not None and packet.stream.index in streams:
                    packet.stream = streams[packet.stream.index]
                    new.mux(packet)


class TrimmedVideo(VideoFromFile):
    """The first seconds of a file."""

    def __init__(self, file: str, duration: float) -> None:
        super().__init__(file)
        self._file, self._duration = file, duration

    def get_duration(self) -> float:
        return self._duration

    def save_to(
        self, path: Any, format: Any = "auto", codec: Any = "auto", metadata: dict[str, Any] | None = None
    ) -> None:
        with av.open(self._file, mode="r") as old:
            rate = old.streams.video[0].average_rate or Fraction(1)
            frames = [frame.to_ndarray(format="rgb24") for frame in old.decode(video=0)]
        images = torch.stack([torch.from_numpy(frame) for frame in frames[: round(self._duration * rate)]]) / 255
        VideoFromComponents(VideoComponents(images, Fraction(rate))).save_to(path)


class VideoFromComponents(VideoInput):
    """A video made of pictures."""

    def __init__(self, components: VideoComponents) -> None:
        self.__components = components

    def get_dimensions(self) -> tuple[int, int]:
        return self.__components.images.shape[2], self.__components.images.shape[1]

    def get_duration(self) -> float:
        return float(self.__components.images.shape[0] / self.__components.frame_rate)

    def save_to(
        self, path: Any, format: Any = "auto", codec: Any = "auto", metadata: dict[str, Any] | None = None
    ) -> None:
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=self.__components.frame_rate)
            stream.width, stream.height = self.get_dimensions()
            stream.pix_fmt = "yuv420p"
            for image in self.__components.images:
                pixels = (image * 255).clamp(0, 255).byte().numpy()
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode())
