"""What a recipe can do by now, as pictures for a person to look at while it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from understudy.conditioning.clips import Clip
from understudy.media.reading import VideoWriter, write_image
from understudy.pictures.drawing import contact_sheet, side_by_side
from understudy.recipes.parts.player import Player, moments

Picture = npt.NDArray[np.uint8]

COLUMNS, CLIP_FRAMES = 6, 48


def write_previews(
    player: Player, reference: Clip, unpaired: Sequence[Clip], size: int, consecutive: int, folder: Path, step: int
) -> None:
    """Writes `step-<n>.png` (real frames, their reconstructions, other people's poses) and a short `step-<n>.mp4`.

    Args:
        player: of the networks as they are by now.
        size: pixels: side of the pictures.
        consecutive: N; a still is the last of a window's N frames, since only there the generator sees all poses.
    """

    def spread(clip: Clip) -> list[int]:
        return [int(clip.windows[i]) for i in np.linspace(0, len(clip.windows) - 1, COLUMNS).astype(int)]

    def play(clip: Clip, start: int, stop: int) -> list[Picture]:
        return list(player.play(moments(clip.poses_in(size)[start:stop])))

    def generated(clip: Clip) -> list[Picture]:
        return [shown_over(play(clip, t, t + consecutive)[-1], reference.colour) for t in spread(clip)]

    shown = [t + consecutive - 1 for t in spread(reference)]
    real = [cv2.resize(_picture(reference, t), (size, size), interpolation=cv2.INTER_AREA) for t in shown]
    rows: list[list[Picture]] = [real, generated(reference)]
    labels = ["reference", "generated"]
    for clip in unpaired[:1]:
        rows.append(generated(clip))
        labels.append("driving poses")

    motion = unpaired[0] if unpaired else reference
    with VideoWriter(folder / f"step-{step:07d}.mp4", Fraction(25)) as writer:
        for frame in play(motion, 0, min(CLIP_FRAMES, len(motion.xy))):
            writer.write(side_by_side([shown_over(frame, reference.colour), real[0]]))
    write_image(folder / f"step-{step:07d}.png", contact_sheet(rows, labels, [f"frame {t}" for t in shown]))


def write_rows(rows: Mapping[str, list[Picture]], folder: Path, step: int) -> None:
    """Writes pictures, row by row under each other, as `step-<n>.png`."""
    sheet = contact_sheet(list(rows.values()), list(rows), [""] * len(next(iter(rows.values()))))
    write_image(folder / f"step-{step:07d}.png", sheet)


def shown_over(frame: Picture, colour: tuple[int, int, int] | None) -> Picture:
    """A frame as it is, or if it is a cutout, (h, w, 4) premultiplied, laid over the colour."""
    if frame.shape[2] == 3:
        return frame
    rest = 1 - frame[..., 3:] / np.float32(255)
    return np.asarray(np.minimum(frame[..., :3] + rest * np.array(colour or (0, 0, 0)) + 0.5, 255), np.uint8)


def _picture(clip: Clip, moment: int) -> Picture:
    return np.ascontiguousarray(clip.frames[torch.tensor([moment])][0, :3].permute(1, 2, 0).cpu().numpy())
