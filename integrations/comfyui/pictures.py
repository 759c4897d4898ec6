"""Pictures as ComfyUI has them: IMAGE is (N, H, W, 3) float32 RGB and MASK (N, H, W) float32, both from 0 to 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import folder_paths
import numpy as np
import torch
from comfy_api.latest import io, ui
from PIL import Image

from .places import passing_folder


def image_of(file: Path) -> torch.Tensor:
    """(1, H, W, 3) of a picture's file."""
    with Image.open(file) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    return torch.from_numpy(pixels.astype(np.float32) / 255)[None]


def images_of(video: Path) -> torch.Tensor:
    """(N, H, W, 3) of all frames of a video, filled one after another: no second copy is in memory meanwhile."""
    from understudy.media.reading import VideoReader

    with VideoReader(video) as frames:
        images = torch.empty((frames.expected_frames, *frames.size_hw, 3), dtype=torch.float32)
        for number, frame in zip(range(len(images)), frames, strict=False):
            images[number] = torch.from_numpy(frame)
    return images.div_(255)


def mask_of(pictures: Path, size_hw: tuple[int, int]) -> torch.Tensor:
    """(N, H, W) of the alpha of a folder of PNG files, in order of their names.

    Args:
        size_hw: of the video beside; a row or column that its codec needed more is 0.
    """
    files = sorted(pictures.glob("*.png"))
    mask = torch.zeros((len(files), *size_hw), dtype=torch.float32)
    for number, alpha in enumerate(_alphas(files)):
        height, width = alpha.shape
        mask[number, :height, :width] = torch.from_numpy(alpha)
    return mask.div_(255)


def _alphas(files: list[Path]) -> Iterator[np.ndarray]:
    for file in files:
        with Image.open(file) as picture:
            yield np.array(picture.getchannel("A"))


def gigabytes_of(frames: int, size_hw: tuple[int, int], channels: int) -> float:
    """What so many frames take in memory, 10^9 bytes."""
    return frames * size_hw[0] * size_hw[1] * channels * 4 / 1e9


def saved(file: Path) -> ui.SavedResult:
    """A file of the temporary folder, as ComfyUI's page asks for it."""
    within = file.parent.relative_to(folder_paths.get_temp_directory())
    return ui.SavedResult(file.name, within.as_posix(), io.FolderType.temp)


def inspected(thing: Path) -> tuple[Path, str]:
    """What `understudy inspect` shows of something: a contact sheet in the temporary folder, and lines of text."""
    import understudy

    found = understudy.inspect(thing, passing_folder() / "sheet.png")
    return found.sheet, str(found)
