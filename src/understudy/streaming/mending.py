"""Whether an actor's network has the time to mend pictures live."""

from __future__ import annotations

import logging

from understudy.base.arguments import Mend
from understudy.base.load import ThreadsByLoad
from understudy.recipes.parts.player import Mending, Player

MOST_SECONDS = 0.012
"""of a frame: beside tracking and warping on two cores, a network that takes 20 ms costs a quarter of the frames and
holds up each by 30 to 90 ms (docs/results.md, "Live")"""

log = logging.getLogger(__name__)


def settle_mending(player: Player, mend: Mend) -> None:
    """Has a player mend its pictures or not, and tells it.

    Args:
        player: any; those that cannot be without their network are left alone.
        mend: "auto" measures what the network takes here, on the threads that are left to it.
    """
    if not isinstance(player, Mending):
        return
    if mend != "auto":
        player.mends = mend == "always"
        return
    with ThreadsByLoad(spared=1):
        takes = player.mending_takes()
    player.mends = takes <= MOST_SECONDS
    if not player.mends:
        log.info(
            "pictures are warped, and not mended by the network, which takes %.0f ms a frame here, more than %.0f: "
            "`mend='always'` has it all the same, with fewer frames",
            1000 * takes,
            1000 * MOST_SECONDS,
        )
