"""What exported files say of themselves: which network it is, what goes in and comes out, and whom it shows."""

from __future__ import annotations

import json

from understudy.actor import Actor
from understudy.recipes.parts.cut import Cut
from understudy.texts import printable

VALUES = "float32; pictures are red, green, blue in [-1, 1]: level / 127.5 - 1 of levels 0 to 255"
SYNTHETIC = (
    "the pictures that this network makes are synthetic and show a real person, who agreed to what `consent` says: "
    "mark them as generated wherever they are shown"
)


def said_of(actor: Actor, cut: Cut) -> dict[str, str]:
    """Name -> text, of a file that one of an actor's networks is written to. No path, and no name of a machine.

    Lists and `condition` are JSON.
    """
    import understudy

    height, width = cut.size_hw
    return {
        "made_with": f"understudy {understudy.__version__}",
        "recipe": actor.recipe,
        "network": cut.name or "main",
        "size": f"{width}x{height}",
        "values": VALUES,
        "input_channels": json.dumps(cut.given),
        "output_channels": json.dumps(cut.made),
        "condition": json.dumps(cut.condition),
        "use": cut.use,
        "synthetic": SYNTHETIC,
        "consent": printable(f"{actor.consent.text} ({actor.consent.time})"),
    }
