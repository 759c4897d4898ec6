"""`licences`: what is in use here, under which licence, and what its training data are said to allow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

OWN = (
    ("prior.safetensors", "made-up people"),
    ("freestyle.safetensors", "made-up people, and those of six published clips (BSD-3-Clause, Apache-2.0)"),
    ("lifter.safetensors", "made-up people's dances"),
    (
        "detector.safetensors",
        "made-up people, those of ten published clips (BSD-3-Clause, Apache-2.0, CC-BY-4.0), clones",
    ),
)
"""weights that come with the program, and whom they have learnt from"""


@dataclass(frozen=True)
class Licensed:
    """One package or file of weights."""

    name: str
    version: str
    licence: str
    caveat: str = ""
    """what its training data are said to allow"""

    def __str__(self) -> str:
        return (
            f"{self.name} {self.version}".rstrip() + f": {self.licence}" + (f"; {self.caveat}" if self.caveat else "")
        )


@dataclass(frozen=True)
class Licences:
    """What `licences` found; as text it is the listing."""

    packages: tuple[Licensed, ...]
    weights: tuple[Licensed, ...]

    def __str__(self) -> str:
        parts = [("packages, as they declare it", self.packages), ("weights at hand", self.weights)]
        return "\n".join(line for title, some in parts for line in (f"{title}:", *(f"  {one}" for one in some)))


def licences() -> Licences:
    """Lists every package and every file of weights that is in use here, with its licence.

    Packages are those that this installation requires, theirs included, by their own declarations. Weights are those
    that are at hand, with what is known of the data that they have learnt from. docs/licences.md says more.

    Returns:
        The listing; `.packages` and `.weights` have its rows.

    Example:
        print(licences())

    Shell:
        $ understudy licences
    """
    return Licences(_packages(), _weights())


def _packages() -> tuple[Licensed, ...]:
    from importlib.metadata import PackageNotFoundError, distribution

    found: dict[str, Distribution] = {}
    waiting = ["understudy"]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            one = distribution(name)
        except PackageNotFoundError:  # of another platform, or an extra that is not installed
            continue
        found[name] = one
        waiting += [_name(line) for line in one.requires or () if "extra ==" not in line]
    rows = [Licensed(one.name, one.version, _licence(one)) for name, one in sorted(found.items())]
    return tuple(rows)


def _name(requirement: str) -> str:
    """The normalised name in a line of requirements."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]).lower()


def _licence(one: Distribution) -> str:
    """By the newer field, the older one, or the classifiers; packages have one or the other."""
    declared = one.metadata.json
    if declared.get("license_expression"):
        return str(declared["license_expression"])
    text = str(declared.get("license") or "").strip()
    if text and "\n" not in text and text.upper() != "UNKNOWN":  # else it is the whole licence
        return text
    kinds = [str(kind).rpartition(" :: ")[2] for kind in declared.get("classifier") or () if "License :: " in str(kind)]
    return ", ".join(kinds) or "not declared: see the files of the package"


def _weights() -> tuple[Licensed, ...]:
    from understudy.base.weights import ALL

    there = [one for one in ALL if one.path.is_file()]
    return (
        *(Licensed(name, "", "Apache-2.0, comes with understudy", f"learnt from {whom}") for name, whom in OWN),
        *(Licensed(one.title, "", one.licence, one.data) for one in there),
    )
