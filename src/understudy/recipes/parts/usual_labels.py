"""What somebody is likely to wear where a photograph does not show: a label for each place of each chart of a body.

Where an arm hid the other in the picture there is one all the same; and a head has hair behind, if it has any before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.body.labels import LABEL, LABELS, other_side
from understudy.body.surface_mesh import CHARTS

Map = npt.NDArray[np.uint8]

BINS = 8
"""along U, and along V, of each chart; of a limb or the trunk U says nothing of what is worn"""
HAIRLINE = np.array([1, 1, 0.56, 0.5, 0.28, 0.28, 0.25, 0])
"""by place along V, crown to chin: U, 0 behind and 1 at the nose, up to which most made-up heads with hair show it"""
ENOUGH = 6
"""pixels of a photograph that say what is worn there"""

HEAD = (CHARTS.index("head, right half"), CHARTS.index("head, left half"))

_BARE = {
    **{"back": "upper clothes", "front": "upper clothes", "head, left half": "hair", "head, right half": "hair"},
    **{
        f"{side} {name}": f"{side} {label}"
        for side in ("left", "right")
        for name, label in (("hand", "hand"), ("foot", "shoe"))
    },
}


def _by_default(chart: str) -> int:
    """The label of a chart of which nothing at all is known."""
    if chart in _BARE:
        return LABEL[_BARE[chart]]
    side, part = chart.split(",")[0].split(" ", 1)
    return LABEL[f"{side} arm" if "arm" in part else "pants"]


def _twins(chart: str) -> list[str]:
    """Charts that are likely to be dressed alike: the other half, the other side, the other half of that."""
    half = chart.replace("behind", "\0").replace("before", "behind").replace("\0", "before")
    if chart in ("front", "back"):
        return ["back" if chart == "front" else "front"]
    return [half, other_side(chart), other_side(half)]


def belongs(charts: Map, labels: Map) -> npt.NDArray[np.bool_]:
    """(H, W): whether a label can be on the chart (0 is on none): an arm is on an arm alone, a face on the head."""
    return np.asarray(_BELONGS[charts, labels])


def _may_be_on(chart: str, label: str) -> bool:
    limb = label.split(" ")[-1]
    head, arm, below = (
        any(word in chart for word in words) for words in (("head",), ("arm", "hand"), ("thigh", "shin", "foot"))
    )
    if chart == CHARTS[0] or label == LABELS[0]:
        return False
    if limb in ("arm", "hand", "gloves"):
        return arm
    if limb in ("leg", "shoe", "socks"):
        return below
    if label in ("face", "sunglasses", "hat"):
        return head
    if label in ("pants", "skirt"):
        return not head and not arm
    return label in ("hair", "scarf") or not head


_BELONGS = np.array([[_may_be_on(chart, label) for label in LABELS] for chart in CHARTS])


def usual_labels(surface: Map, labels: Map) -> Map:
    """What is worn where, as far as a photograph says, and guessed where it does not.

    Args:
        surface: (H, W, 3) surface map of the photograph.
        labels: (H, W) its label map.

    Returns:
        (25, BINS, BINS) labels by chart, place along V and place along U; row 0 is nobody's.
    """
    inside = (surface[..., 0] > 0) & (labels > 0)
    chart = surface[..., 0][inside].astype(np.intp)
    u, v = (surface[..., channel][inside].astype(np.intp) * BINS // 256 for channel in (1, 2))
    counts = np.zeros((len(CHARTS), BINS, BINS, len(LABELS)), np.int64)
    np.add.at(counts, (chart, v, u, labels[inside].astype(np.intp)), 1)
    found = np.repeat(_along(counts.sum(axis=2))[:, :, None], BINS, axis=2)
    found[list(HEAD)] = _about_the_head(counts[list(HEAD)])
    return found


def _about_the_head(counts: npt.NDArray[np.int64]) -> Map:
    """(2, V, U): what is seen on either half; else hair or hat up to `HAIRLINE`, if there is any, and face before."""
    seen = np.where(counts.max(axis=-1) >= ENOUGH, counts.argmax(axis=-1), 0).astype(np.uint8)
    found = np.where(seen > 0, seen, seen[::-1])  # both halves look alike
    worn = counts.sum(axis=(0, 1, 2))
    above = max((LABEL["hair"], LABEL["hat"]), key=lambda label: int(worn[label]))
    bare = worn.sum() >= ENOUGH and worn[above] < ENOUGH
    behind = (np.arange(BINS) + 0.5) / BINS < HAIRLINE[:, None]
    guess = np.where(behind & (not bare), np.uint8(above), np.uint8(LABEL["face"]))
    for row in found.reshape(-1, BINS):  # long hair at the sides goes on behind; a beard does not
        known = np.flatnonzero(row)
        if len(known) and known[0] < BINS // 2 and row[known[0]] == above:
            row[: known[0]] = above
    return np.asarray(np.where(found > 0, found, guess), np.uint8)


def _along(counts: npt.NDArray[np.int64]) -> Map:
    """(25, V) from counts (25, V, 22)."""
    seen = np.where(counts.max(axis=-1) >= ENOUGH, counts.argmax(axis=-1), 0).astype(np.uint8)
    found: Map = seen.copy()
    for number, name in enumerate(CHARTS[1:], start=1):
        for twin in dict.fromkeys(_twins(name)):
            there = seen[CHARTS.index(twin)]
            sided = [LABEL[other_side(LABELS[one])] if _on_other_side(name, twin) else one for one in there]
            found[number] = np.where(found[number] == 0, sided, found[number])
        known = np.flatnonzero(found[number])
        if not len(known):
            found[number] = _by_default(name)
            continue
        nearest = known[np.abs(np.arange(BINS)[:, None] - known).argmin(axis=1)]
        found[number] = found[number][nearest]
    found[0] = 0
    return found


def _on_other_side(chart: str, twin: str) -> bool:
    return chart.startswith(("left", "right")) and chart.split(" ")[0] != twin.split(" ")[0]


def filled(labels: Map, surface: Map, usual: Map) -> Map:
    """Label map (H, W) in which every pixel of the body has a label: where `labels` say nothing, the usual one."""
    u, v = (surface[..., channel].astype(np.intp) * BINS // 256 for channel in (1, 2))
    guessed = usual[surface[..., 0], v, u]
    return np.where((labels == 0) & (surface[..., 0] > 0), guessed, labels)
