"""Which two pictures of a person are learnt from together: one to read the person from, one to paint.

Gafni et al. 2021, section 3.1.1 (two frames of a video within 250) and 4 (up to 15 pairs a person).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

WITHIN = 250
"""consecutive frames that two pictures of a person are apart at most"""
MOST = 15
"""pairs of one person"""


def pairs_of(
    seen: Sequence[tuple[tuple[str, int], int]], seed: int = 0, *, within: int = WITHIN, most: int = MOST
) -> list[tuple[int, int]]:
    """Pairs of pictures, different for every seed and the same for the same one.

    Args:
        seen: of each picture who is on it, and its frame's number (`datasets.PersonSeen.who`, `.number`).
        seed: of this drawing; another one for every epoch.
        within: frames.
        most: pairs of each person.

    Returns:
        (to read from, to paint), places in `seen`, shuffled. Of a person with n pictures, up to `most` different pairs,
        in both orders; a picture of which there is no other within reach is paired with itself, to be made different by
        augmentation, since people in still pictures are seen once.

    Raises:
        ValueError: numbers below 1.
    """
    if within < 1 or most < 1:
        raise ValueError(f"`within` and `most` are at least 1, not {within} and {most}")
    random = np.random.default_rng(seed)
    people: dict[tuple[str, int], list[int]] = defaultdict(list)
    for place, (who, _) in enumerate(seen):
        people[who].append(place)
    found: list[tuple[int, int]] = []
    for places in people.values():
        possible = [
            (one, other)
            for one in places
            for other in places
            if one != other and 0 < abs(seen[one][1] - seen[other][1]) < within
        ]
        paired = {one for pair in possible for one in pair}
        alone = [(place, place) for place in places if place not in paired]
        chosen = random.permutation(len(possible))[:most]
        found += [possible[index] for index in chosen]
        found += alone[: max(0, most - len(chosen))]
    return [found[index] for index in random.permutation(len(found))]
