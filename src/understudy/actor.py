"""Actor: a trained recipe as one file, with everything that a performance needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from understudy.base.files import load_tensors, save_tensors
from understudy.base.stored import number, rate, whole
from understudy.base.things import pasted, what_is
from understudy.consent import Consent
from understudy.errors import ActorError, UsageError
from understudy.media.images import MAX_SIDE, decoded_image, encoded_image
from understudy.performance import Crop
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes import recipe
from understudy.retargeting.alignment import BodyStatistics, NormalizeBy, body_statistics
from understudy.retargeting.global_normalization import GroundStatistics, ground_statistics
from understudy.retargeting.window import window_path

if TYPE_CHECKING:
    from understudy.base.devices import Device
    from understudy.performance import Performance
    from understudy.recipes.parts.groups import Placement
    from understudy.recipes.parts.player import Player
    from understudy.recipes.parts.trained import ArraySpec, Trained

VERSION, OLDEST = 2, 1
"""of the file's layout: the one that is written, and the oldest that is read. Before 2, configs had no groups"""
Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Actor:
    """One person, learnt. Stored as one safetensors file; no code in it is ever run.

    Example:
        actor = Actor.load("me.actor")
        player = actor.player()
        for frame in player.play(moments(pose)):  # poses aligned with the reference, in the actor's frame
            ...
    """

    recipe: str
    config: Any
    """the recipe's own, see `recipes`"""
    weights: Arrays
    """the generator's, by name"""
    statistics: Arrays
    """palettes, means and whatever else the recipe's condition needs; flat_colour (3,) uint8 RGB, which the generator
    paints the person over, unless it paints the room or gives its own alpha"""
    body: BodyStatistics
    """of the reference's poses, or of what its recipe knows better, in its working pixels: what drivers are aligned
    with"""
    crop: Crop
    """of the reference: working pixels = scale * original pixels + translation"""
    working_size: int
    """pixels: side of the reference's square working frame"""
    original_size_hw: tuple[int, int]
    """of the reference clip: the size that performances have"""
    fps: Fraction
    """of the reference clip"""
    background: npt.NDArray[np.uint8]
    """(H, W, 3) RGB of `original_size_hw`: the reference's room without the person"""
    record: dict[str, Any]
    """how it was trained: steps, seconds, perceptual features, device, seed, last losses"""
    consent: Consent
    reference_name: str
    """file name of the reference clip, without its folder"""
    reference_sha256: str
    made_with: str
    """version of understudy"""
    ground: GroundStatistics | None = None
    """of the reference's poses, in its working pixels: where the normalisation "ground" puts drivers; None if feet and
    head are hardly ever seen, or the actor is older than this"""
    ground_printed: GroundStatistics | None = None
    """the same by the formulas as printed, for the normalisation "ground-printed" """

    @classmethod
    def of(cls, trained: Trained, reference: Performance, recipe: str, preset: str, consent: Consent) -> Actor:
        """The actor of a reference, from what a recipe learnt of it."""
        import understudy

        header = reference.header
        return cls(
            recipe=recipe,
            config=trained.config,
            weights=trained.weights,
            statistics=trained.statistics,
            body=trained.body or body_statistics(reference.poses),
            crop=header.crop,
            working_size=header.size_hw[0],
            original_size_hw=header.original_size_hw,
            fps=header.fps,
            background=reference.background(),
            record={"preset": preset, **trained.record},
            consent=consent,
            reference_name=header.source_name,
            reference_sha256=header.source_sha256,
            made_with=understudy.__version__,
            ground=ground_statistics(reference.poses, header.fps),
            ground_printed=ground_statistics(reference.poses, header.fps, printed=True),
        )

    @property
    def size(self) -> int:
        """Pixels: side of the square frames that the generator paints."""
        return int(self.config.size)

    @property
    def placement(self) -> Placement:
        """How drivers are brought to the reference's place."""
        placement: Placement = self.config.placement
        return placement

    @property
    def paints_room(self) -> bool:
        """Whether the generator paints the reference's room along with the person, instead of a flat colour."""
        return recipe(self.recipe).paints_room(self.config)

    @property
    def from_working(self) -> Similarity:
        """From the reference's working pixels to pixels of the generator's frame, which is that frame resized."""
        return Similarity.resized(self.size / self.working_size)

    @property
    def from_picture(self) -> Similarity:
        """From pixels of the reference's picture, which performances have, to pixels of the generator's frame."""
        return self.from_working @ self.crop

    def windows(self, pose: Pose, fps: Fraction) -> npt.NDArray[np.int64]:
        """How far the generator's frame follows poses in it, (T, 2) whole pixels; a painted room stays in its place."""
        return np.zeros((len(pose), 2), np.int64) if self.paints_room else window_path(pose, fps)

    def player(self, device: Device = "auto", frames: int = 0) -> Player:
        """The networks on a device, ready to play any number of sequences.

        Their moments are aligned with the reference and in pixels of the `size` x `size` frame; `performing.cut_out`
        takes the frames of all recipes.

        Args:
            device: where to compute.
            frames: that are to come at least: with many, OpenVINO runs networks where it is installed and quicker
                (`base.engines`); 0 keeps to PyTorch, and so to the same pictures on every machine of a kind.
        """
        return recipe(self.recipe).player(self.config, self.weights, self.statistics, device, frames)

    def prompt_player(self, device: Device = "auto") -> Player:
        """As `player`, for live pictures: one that waits for few moments or none, if its recipe has one."""
        own = recipe(self.recipe).prompt_player
        return self.player(device) if own is None else own(self.config, self.weights, self.statistics, device)

    def normalizing_by(self, normalization: NormalizeBy | None) -> Actor:
        """The same actor, but for how drivers are brought to the reference's place; None changes nothing."""
        if normalization is None:
            return self
        placement = replace(self.placement, normalization=normalization)
        return replace(self, config=replace(self.config, placement=placement))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the actor as one file, atomically."""
        background = np.frombuffer(encoded_image(Path("background.png"), self.background), np.uint8)
        tensors = {f"weights/{name}": array for name, array in self.weights.items()}
        tensors |= {f"statistics/{name}": array for name, array in self.statistics.items()}
        header = {
            "kind": "actor",
            "version": VERSION,
            "recipe": self.recipe,
            "config": asdict(self.config),
            "body": asdict(self.body),
            "ground": None if self.ground is None else asdict(self.ground),
            "ground_printed": None if self.ground_printed is None else asdict(self.ground_printed),
            "crop": asdict(self.crop),
            "working_size": self.working_size,
            "original_size_hw": self.original_size_hw,
            "fps": str(self.fps),
            "record": self.record,
            "consent": asdict(self.consent),
            "reference_name": self.reference_name,
            "reference_sha256": self.reference_sha256,
            "made_with": self.made_with,
        }
        save_tensors(path, tensors | {"background_png": background}, header)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Actor:
        """Reads an actor and checks every key, type and shape.

        Raises:
            ActorError: missing, not an actor, damaged, of another version, or not what its recipe needs.
        """
        path = Path(path)
        _check_is_file(path)
        tensors, header = load_tensors(path, ActorError)
        _check_version(path, header)
        try:
            return _actor(tensors, header)
        except (KeyError, TypeError, ValueError, IndexError, UsageError) as cause:
            reason = f"{cause} is missing" if isinstance(cause, KeyError) else str(cause)
            raise ActorError(f"{path} cannot be used ({reason}): train it again, or use a backup") from None


def _check_is_file(path: Path) -> None:
    kind = what_is(path) if path.exists() else ""
    if kind in ("a video", "a performance"):
        raise ActorError(
            f"{path} is {kind}, not an actor: train one with "
            f"`understudy train --reference {pasted(path)} --output NAME.actor`"
        )
    if kind == "a model of train-freestyle":
        raise ActorError(
            f"{path} is {kind}, not an actor: somebody in a photograph plays with it, "
            f"`understudy perform --person PHOTO --model {pasted(path)}`"
        )
    if path.is_dir() or (kind and kind not in ("an actor", "a damaged actor", "a file", "a file of weights")):
        raise ActorError(f"{path} is {kind}, not an actor: give the file that train wrote, usually NAME.actor")
    if not path.exists():
        unfinished = run_folder_of(path)
        if unfinished.is_dir():
            raise ActorError(
                f"{path} is not trained yet; its run is in {unfinished}: go on with train and `resume=True`"
            )
        raise ActorError(
            f"there is no actor {path}: train one with `understudy train --reference VIDEO --output {pasted(path)}`"
        )


def run_folder_of(actor: Path) -> Path:
    """The training's folder, beside the actor: `me.actor` has `me.actor.run`."""
    return actor.with_name(actor.name + ".run")


def _check_version(path: Path, header: Mapping[str, Any]) -> None:
    if not isinstance(header, dict) or header.get("kind") != "actor":
        raise ActorError(f"{path} is a file of understudy, but not an actor: give the file that train wrote")
    version = header.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise ActorError(
            f"{path} has layout {version} (understudy {header.get('made_with')}) and this program reads {VERSION}: "
            "update it with `pip install --upgrade understudy`"
        )
    if version < OLDEST:
        raise ActorError(f"{path} has the old layout {version} and this program reads {VERSION}: train it again")


def _actor(tensors: Arrays, header: Mapping[str, Any]) -> Actor:
    made_by = recipe(str(header["recipe"]))
    config = made_by.read_config(header["config"])
    below = {
        kind: {name[len(kind) + 1 :]: array for name, array in tensors.items() if name.startswith(f"{kind}/")}
        for kind in ("weights", "statistics")
    }
    weights, statistics = made_by.contents(config)
    _check_arrays("statistics", below["statistics"], statistics)
    _check_arrays("weights", below["weights"], weights)
    crop, body, (height, width) = header["crop"], header["body"], header["original_size_hw"]
    size_hw = whole(height, 1, MAX_SIDE), whole(width, 1, MAX_SIDE)
    whole(config.size, 1, MAX_SIDE)
    return Actor(
        recipe=str(header["recipe"]),
        config=config,
        weights=below["weights"],
        statistics=below["statistics"],
        body=BodyStatistics(
            centre_xy=_pair(body["centre_xy"]),
            hip_width=_positive(body["hip_width"], "hip_width"),
            torso_length=number(body["torso_length"]),
            limb_lengths=tuple(number(length) for length in body["limb_lengths"]),
            front_share=number(body["front_share"]),
        ),
        crop=Crop(_positive(crop["scale"], "crop scale"), _pair(crop["translation_xy"])),
        working_size=whole(header["working_size"], 1, MAX_SIDE),
        original_size_hw=size_hw,
        fps=rate(header["fps"]),
        background=_decoded(tensors["background_png"], size_hw),
        record=_record(header["record"]),
        consent=Consent(str(header["consent"]["text"]), str(header["consent"]["time"])),
        reference_name=str(header["reference_name"]),
        reference_sha256=str(header["reference_sha256"]),
        made_with=str(header["made_with"]),
        ground=_ground(header.get("ground")),
        ground_printed=_ground(header.get("ground_printed")),
    )


def _record(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of it as numbers must be some."""
    record = dict(stored)
    number(record.get("seconds", 0))
    for value in dict(record.get("losses", {})).values():
        number(value)
    return record


def _ground(stored: Mapping[str, Any] | None) -> GroundStatistics | None:
    if stored is None:
        return None
    close, far = number(stored["close"]), number(stored["far"])
    if far > close:
        raise ValueError(f"ground close and far are {close} and {far}")
    heights = (_positive(stored[name], name) for name in ("close_height", "far_height"))
    return GroundStatistics(close, far, *heights)


def _check_arrays(what: str, arrays: Arrays, expected: ArraySpec) -> None:
    if arrays.keys() != expected.keys():
        odd = ", ".join(sorted(arrays.keys() ^ expected.keys())[:3])
        raise ValueError(f"its {what} are not those of its recipe: {odd}")
    for name, (dtype, shape) in expected.items():
        array = arrays[name]
        fits = len(array.shape) == len(shape) and all(
            length == given if length is not None else given > 0
            for length, given in zip(shape, array.shape, strict=True)
        )
        if array.dtype.str != dtype or not fits:
            raise ValueError(f"{what} {name} is {array.dtype.str} {array.shape}, and its recipe needs {dtype} {shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{what} {name} holds values that are not numbers")


def _positive(value: Any, name: str) -> Any:
    if not number(value) > 0:
        raise ValueError(f"{name} is {value}")
    return value


def _pair(values: Any) -> tuple[float, float]:
    x, y = values
    return number(x), number(y)


def _decoded(png: npt.NDArray[Any], size_hw: tuple[int, int]) -> npt.NDArray[np.uint8]:
    announced = int.from_bytes(png[20:24].tobytes(), "big"), int.from_bytes(png[16:20].tobytes(), "big")
    if png.dtype != np.uint8 or announced != size_hw or max(size_hw) > MAX_SIDE:
        raise ValueError(f"its background is {announced[1]}x{announced[0]}, not {size_hw[1]}x{size_hw[0]}")
    decoded = decoded_image(png)
    if decoded.shape != (*size_hw, 3):
        raise ValueError("its background is not one of colours")
    return decoded
