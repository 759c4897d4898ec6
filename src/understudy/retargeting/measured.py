"""What is measured of a clip is measured once, however many ask: training, the actor, coverage, performing, sheets."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from inspect import signature
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from understudy.poses.pose import Pose

Options = ParamSpec("Options")
Measure = TypeVar("Measure")


def once(measure: Callable[Concatenate[Pose, Options], Measure]) -> Callable[Concatenate[Pose, Options], Measure]:
    """The same function, which keeps what it returned for as long as the pose itself is kept.

    A pose is known as the object it is, and a loaded performance has one: `performance.poses`. So nobody may write into
    its arrays once it was measured. Errors are not kept.

    Args:
        measure: of a pose and of options that can be hashed.
    """
    known: WeakKeyDictionary[Pose, dict[Hashable, Measure]] = WeakKeyDictionary()
    parameters = signature(measure)

    @wraps(measure)
    def measured(pose: Pose, /, *options: Options.args, **named: Options.kwargs) -> Measure:
        of_pose = known.setdefault(pose, {})
        given = parameters.bind(pose, *options, **named)
        given.apply_defaults()  # a default that is written out asks for the same
        asked = tuple(given.arguments.items())[1:]
        if asked not in of_pose:
            of_pose[asked] = measure(pose, *options, **named)
        return of_pose[asked]

    return measured
