"""What a network's file tells those who run it in Figment: which nodes, and the numbers to type into them.

Nodes and their inputs are those of Figment's sources of autumn 2026 (github.com/figmentapp/figment, src/nodes/ml).
"""

from __future__ import annotations

from understudy.recipes.parts.cut import Cut


def use_of(cut: Cut) -> str:
    """`Cut.use` of a network that paints from white skeletons, in Figment's words."""
    height, width = cut.size_hw
    standing = cut.condition["standing"]
    normalize = ""
    if standing:
        told = (
            f"reference floor {standing['floor']}, reference height {standing['height']}, reference x {standing['x']}"
        )
        normalize = f"Normalize Pose ({told}, width {width}, height {height}), "
    return (
        f"in Figment, a square picture to Detect Pose (number of poses 1, all else as it comes), {normalize}ONNX Image "
        f"Model with this file; {cut.use}"
    )
