"""What a pixel of a person shows: the 22 labels of human parsing, and five more within the face.

A label map is (H, W) uint8, numbers as in `LABELS`; 0 is everything that is not the person. Left and right are the
person's own. The first 20 are those of VIP (Zhou et al. 2018) and CIHP (Gong et al. 2018), in their order; the two
hands are what Gafni et al. 2021, section 3.1, add.
"""

from __future__ import annotations

LABELS: tuple[str, ...] = (
    *("background", "hat", "hair", "gloves", "sunglasses", "upper clothes", "dress", "coat", "socks", "pants"),
    *("torso skin", "scarf", "skirt", "face", "left arm", "right arm", "left leg", "right leg"),
    *("left shoe", "right shoe", "left hand", "right hand"),
)
"""names by number"""

LABEL: dict[str, int] = {name: number for number, name in enumerate(LABELS)}

FACE_LABELS: tuple[str, ...] = ("none", "eyebrows", "eyes", "nose", "lips", "inner mouth")
"""Names, by number, of what is drawn within the face from landmarks (section 3.2); 0 is everything else."""

SEGMENTS: dict[str, tuple[str, ...]] = {
    "face and hair": ("face", "hair", "hat", "sunglasses"),
    "upper clothes": ("upper clothes", "dress", "coat", "scarf"),
    "lower clothes": ("pants", "skirt"),
    "shoes and socks": ("left shoe", "right shoe", "socks"),
    "skin": ("torso skin", "left arm", "right arm", "left leg", "right leg", "left hand", "right hand", "gloves"),
}
"""The five segments t_1 to t_5 that a person's looks are read from (section 3.2), and the labels of each."""


def other_side(label: str) -> str:
    """The label of the same on the other side of the body: what it is in a mirrored picture."""
    if label.startswith("left "):
        return label.replace("left ", "right ", 1)
    return label.replace("right ", "left ", 1) if label.startswith("right ") else label


MIRRORED: tuple[int, ...] = tuple(LABEL[other_side(name)] for name in LABELS)
"""by number: what a label is in a mirrored picture"""
