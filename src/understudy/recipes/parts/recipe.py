"""What a recipe says about itself: all that verbs, command line, actor, evaluation and reports may ask of one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from understudy.errors import UsageError
from understudy.recipes.parts import settings
from understudy.recipes.parts.cut import Cuts, nothing_to_cut
from understudy.unpaired.chosen import Others

if TYPE_CHECKING:
    from understudy.base.arguments import Landmarks
    from understudy.base.devices import Device
    from understudy.recipes.parts.player import Player
    from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained
    from understudy.training.session import Session


Change = Callable[[Any], Any]
ENDLESS = 1_000_000
"""steps, where the clock is to end a training"""

NO_CUTS = nothing_to_cut("this recipe makes no picture from tensors alone")

log = logging.getLogger(__name__)


def the_reference_alone(config: Any) -> Others | None:
    """`Recipe.learns_from` of recipes that learn from nobody else."""
    return None


def same(config: Any) -> Any:
    """`Recipe.without_limit` of recipes whose schedule hangs on their count of steps."""
    return config


def never(config: Any) -> bool:
    """`Recipe.paints_room` of recipes that paint the person alone."""
    return False


class Plays(Protocol):
    """Makes a player."""

    def __call__(
        self, config: Any, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0
    ) -> Player:
        """Args:
        config, weights, statistics: of a `Trained`.
        device: where to compute.
        frames: that are to come at least: many make an engine worth its loading, see `base.engines`; 0 none.
        """
        ...


@dataclass(frozen=True)
class Recipe:
    """One method, whole. A file in `recipes/` ends with one, called RECIPE; that makes it a recipe."""

    title: str
    """as reports call it"""
    paper: str
    """authors, title and year; "" where there is none"""
    config: type[Any]
    """a frozen dataclass, whose defaults are the paper's numbers; it has `size` and `placement`"""
    presets: Mapping[str, Callable[[], Any]]
    """name -> a config: "preview", "fast", "paper"; "instant" where nothing is trained"""
    train: Callable[[Session], Trained]
    contents: Callable[[Any], tuple[ArraySpec, ArraySpec]]
    """config -> weights and statistics that an actor holds"""
    player: Plays
    """what plays them"""
    prompt_player: Plays | None = None
    """what plays them live, where `player` waits for all of a dance; None: the same"""
    cuts: Cuts = NO_CUTS
    """what other programs may run of an actor; raises UsageError where that is nothing"""
    variants: Mapping[str, Change] = field(default_factory=dict)
    """ablations of the paper: name -> what it changes in a config"""
    learns_from: Callable[[Any], Others | None] = the_reference_alone
    """config -> what of other people it learns from besides the reference"""
    needs: tuple[str, ...] = ("poses",)
    """what a reference must hold beyond frames and mattes"""
    landmarks: Landmarks = "body"
    """what of a driver is tracked for it, where that was not done before: "wholebody" are face and hands too"""
    learns: bool = True
    """whether weights are trained; else they are gathered in seconds"""
    paints_room: Callable[[Any], bool] = never
    """config -> whether the reference's room is painted along, which then cannot be exchanged"""
    former: Mapping[str, Any] = field(default_factory=dict)
    """what numbers were before they had a name, in actors older than that"""
    without_limit: Change = same
    """config -> the same for a training that ends by the clock alone"""

    def preset(self, name: str, variant: str | None = None) -> Any:
        """The config of a preset, as a variant has it.

        Raises:
            UsageError: there is no such preset or variant.
        """
        if name not in self.presets:
            raise UsageError(
                f"`preset={name!r}`: {self.title} has no such preset; choose one of {', '.join(self.presets)}"
            )
        config = self.presets[name]()
        return config if variant is None else self.varied(config, variant)

    def varied(self, config: Any, variant: str) -> Any:
        """A config as a variant has it.

        Raises:
            UsageError: there is no such variant, or it makes no sense with this config.
        """
        if variant not in self.variants:
            have = f"choose one of {', '.join(self.variants)}" if self.variants else "it has none"
            raise UsageError(f"`variant={variant!r}`: {self.title} has no such variant; {have}")
        try:
            return self.variants[variant](config)
        except ValueError as error:
            raise UsageError(f"`variant={variant!r}`: {error}") from None

    def read_config(self, stored: Mapping[str, Any]) -> Any:
        """The config that an actor holds as JSON, also of actors made before configs had groups.

        Raises:
            ValueError, TypeError: it is not one of this recipe.
        """
        return settings.stored(self.config, {**self.former, **stored})

    def learn(self, session: Session) -> Trained:
        """Trains as the session says.

        Raises:
            TrainingError: training cannot start or go on, or memory ran out.
            Interrupted: after Ctrl-C or SIGTERM, with the state saved.
        """
        from understudy.training.loop import out_of_memory_told

        if session.unpaired and self.learns_from(session.config) is None:
            names = ", ".join(getattr(one, "name", None) or one.path.name for one in session.unpaired)
            log.warning("%s learns from the reference alone: nothing is learnt from %s", self.title, names)
        with out_of_memory_told():
            return self.train(session)
