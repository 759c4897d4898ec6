"""Node: which of a driver's poses the reference cannot support."""

from __future__ import annotations

import math
from pathlib import Path

from comfy_api.latest import io, ui

from . import kinds, pictures, places, work

USUAL_GAMMA = 8.0
"""as `understudy.coverage`: pixels of a 256 frame, the paper's"""


class Coverage(io.ComfyNode):
    """Two performances to what is missing."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UnderstudyCoverage",
            display_name="Coverage (understudy)",
            category=kinds.CATEGORY,
            description="Says, before anything is trained, which moves the reference never shows and what to film.",
            inputs=[
                kinds.Performance.Input("reference", tooltip="Whose looks are learnt."),
                kinds.Performance.Input("driving", tooltip="Whose motion will be played."),
                io.Float.Input(
                    "gamma",
                    default=USUAL_GAMMA,
                    min=0.5,
                    max=64.0,
                    step=0.5,
                    tooltip="A limb farther than this from all that the reference shows counts as missed; pixels of a "
                    "picture of 256.",
                ),
            ],
            outputs=[
                io.String.Output("summary", "summary", tooltip="What is missed, and what to film."),
                io.Image.Output("picture", "picture", tooltip="When which limb is missed: black."),
                io.Float.Output(
                    "missed", "missed", tooltip="Share of the driver's frames with a limb that is missed, 0 to 1."
                ),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    async def execute(cls, reference: Path, driving: Path, gamma: float) -> io.NodeOutput:
        def do() -> io.NodeOutput:
            import understudy
            from understudy.covering.plots import limb_strips

            found = understudy.coverage(reference, driving, gamma=gamma)
            drawn = places.passing_folder() / "coverage.png"
            limb_strips(found.limb_distance, found.gamma, found.fps).savefig(drawn, dpi=150, bbox_inches="tight")
            text, share = found.summary(), found.share_of_frames
            seen = {"images": [pictures.saved(drawn)], **ui.PreviewText(text).as_dict()}
            return io.NodeOutput(text, pictures.image_of(drawn), 0.0 if math.isnan(share) else share, ui=seen)

        return await work.worked(cls.hidden.unique_id, do)
