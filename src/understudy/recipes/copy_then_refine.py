"""Copy, then refine: the reference's own frames, warped into the pose, and a small network that mends what that breaks.

No paper's method: `limb_warp` with eyes. For every moment K frames of the reference are warped limb by limb; what to
show of them where is decided by agreement (`parts/agreement.py`) and by a U-Net (`networks/refiner.py`), which also
corrects where each is looked up, and paints over what none of them shows. It says so at a coarse grid, so the picture
that is made of it is as sharp as the reference's own frames, at any size.

The network begins with what it learnt of many made-up people (`parts/prior.py`), so that an actor is ready in seconds
(preset "instant"). Trained further, it learns the person by rehearsal (`parts/rehearsal.py`): moments of the reference
are made of other moments, with the truth at hand. Neither is trusted: a slice of the reference that was not trained on
decides which is played, the network adapted, the one before, or none, the plain warp.

Losses, each for a reason:
- `unit_feature_distance` over Lite0: what an eye minds. It alone leaves colours adrift.
- `shift_tolerant_distance`: colours and shapes. A plain L1 would be least for the mean of all sources, a blur, since no
  warp is right to the pixel.
- `alpha`: the outline, plain L1 against the matte.
- `change`: of a pair of consecutive frames, made against true: a choice that flickers differs.
- `entropy` of the choice: two sources at one place are a double print.
- `flow` and `painted`: looking elsewhere and painting cost, so that what can be copied is copied.

Shape letters: B moments, K sources, N the side that the network sees, S the side of the picture.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import Device, autocast, ready_device
from understudy.base.threads import ReadAhead
from understudy.networks.efficientnet_lite import LiteFeatures
from understudy.networks.refiner import Refinement, Refiner, applied, chosen_of, unchanged
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts import prior
from understudy.recipes.parts.boxes import Box
from understudy.recipes.parts.copy_then_refine_config import Config, fast, instant, paper, preview
from understudy.recipes.parts.cut import nothing_to_cut
from understudy.recipes.parts.dressing import Dresser, Dressing, dressings
from understudy.recipes.parts.full_size import FullSize
from understudy.recipes.parts.kept_frames import STATISTICS, WEIGHTS, KeptPictures, gathered, kept_poses
from understudy.recipes.parts.person_alone import PersonAlone
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need, pose_of
from understudy.recipes.parts.prompt import PromptPlayer
from understudy.recipes.parts.recipe import ENDLESS, Recipe
from understudy.recipes.parts.refined import (
    JUDGED,
    as_filmed,
    best,
    changes_nothing,
    neutral,
    over,
    refiner_for,
    told,
)
from understudy.recipes.parts.rehearsal import Rehearsal, rehearsed
from understudy.recipes.parts.rehearsal_tensors import crop, tensors
from understudy.recipes.parts.remembered import Memory, engine_of, painted_by
from understudy.recipes.parts.remembered_dressings import painted_or_known
from understudy.recipes.parts.source_choice import chosen_frames
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained, arrays_of, below, ready
from understudy.training.step import descend

if TYPE_CHECKING:
    from understudy.training.session import Session

log = logging.getLogger(__name__)

MOMENTS, CROPS = 1, 2
"""streams of random numbers"""
BLOCKS = 4
"""of the reference's time; the last one is held back"""
NETWORK = "network/"
ROOM = 24
"""pixels of N about all that the warped frames show, which the network sees, and paints in, too"""
AHEAD = 2
"""moments that are warped before they are refined"""
DETAILS_LIVE = 512 << 20
"""bytes of what is finer in frames that stay ready live: of 512x512, some 200 in which somebody fills a quarter"""


# -- Training ------------------------------------------------------------------------------------------------------


class CopyThenRefine:
    """One training of the network. See `training.loop.Trainee`.

    Args:
        rehearsals: of one person each, or of one block of a person's frames.
    """

    shown = "refiner"

    def __init__(self, session: Session, network: Refiner, rehearsals: Sequence[Rehearsal]):
        self.session, self.config, self.rehearsals = session, session.config, list(rehearsals)
        self.networks: Mapping[str, nn.Module] = {"refiner": network}
        self.refiner, optimizer = session.fitted(network)
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"refiner": optimizer}
        self.phi = LiteFeatures("lite0").to(session.device)
        self.places = [(clip, pair) for clip, one in enumerate(self.rehearsals) for pair in range(one.pairs)]

    def training_step(self, step: int) -> dict[str, Tensor]:
        config = self.config
        pictures, filmed, logits, pose, truth = self._crops(step)
        refinement: Refinement = self.refiner(pictures, filmed, logits, pose)
        refined = applied(pictures, logits, refinement)
        behind = _colours(self.session.chance.generator(CROPS, step, 1), len(truth) // 2).to(truth.device)
        made, true = (over(one, behind) for one in (refined, truth))
        features, true_features = self._features(made), self._features(true)
        change = made[0::2] - made[1::2] - (true[0::2] - true[1::2])
        share = torch.softmax(logits + refinement.choice, dim=1)
        entropy = -(share * torch.log(share + 1e-6)).sum(dim=1, keepdim=True)
        opaque = torch.nn.functional.avg_pool2d(truth[:, 3:], 2)
        goal = {
            "features": config.lambda_features * losses.unit_feature_distance(features, true_features).mean(),
            "colours": config.lambda_colours * losses.shift_tolerant_distance(made, true).mean(),
            "alpha": config.lambda_alpha * losses.absolute_difference(refined[:, 3:], truth[:, 3:]).mean(),
            "change": config.lambda_change * change.abs().mean(),
            "entropy": config.lambda_entropy * (entropy * opaque).mean(),
            "flow": config.lambda_flow * (refinement.flow.abs().mean(dim=(1, 2))[:, None] * opaque).mean(),
            "painted": config.lambda_painted * (refinement.mask * opaque).mean(),
        }
        descend(self.session.fabric, self.optimizers["refiner"], goal)
        return goal

    def _features(self, pictures: Tensor) -> list[Tensor]:
        with autocast(pictures.device):
            found: list[Tensor] = self.phi(2 * pictures - 1)
        return found

    def _crops(self, step: int) -> tuple[Tensor, ...]:
        """Squares out of pairs of consecutive moments: both of a pair are cut, mirrored, and coloured alike."""
        config, chance = self.config, self.session.chance
        random, half = chance.generator(CROPS, step), max(1, config.optimisation.batch // 2)
        found = []
        for place in chance.draw(MOMENTS, step, half, len(self.places)):
            clip, pair = self.places[place]
            found.append(
                crop(self.rehearsals[clip].part(slice(2 * pair, 2 * pair + 2)), config.crop, random, config.strange)
            )
        device = self.session.device
        return tuple(torch.from_numpy(np.concatenate(kind)).to(device) for kind in zip(*found, strict=True))

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        from understudy.recipes.parts.previews import write_rows

        rows: dict[str, list[Frame]] = {"true": [], "warped": [], "refined": []}
        network, grey = generator.to("cpu"), torch.full((1, 3, 1, 1), 0.5)
        for clip in np.linspace(0, len(self.rehearsals) - 1, 6).astype(int):
            one = self.rehearsals[clip]
            pictures, filmed, logits, pose, truth = tensors(one.part(slice(one.pairs, one.pairs + 1)))
            refined = applied(pictures, logits, network(pictures, filmed, logits, pose))
            for name, picture in zip(rows, (truth, chosen_of(pictures, logits), refined), strict=True):
                rows[name].append(_picture(over(picture, grey)[0]))
        generator.to(self.session.device)
        write_rows(rows, folder, step)


def _colours(random: np.random.Generator, pairs: int) -> Tensor:
    """(2 pairs, 3, 1, 1): one colour a pair, so that edges are learnt before any room."""
    drawn = random.uniform(0, 1, (pairs, 3, 1, 1)).astype(np.float32)
    return torch.from_numpy(drawn).repeat_interleave(2, dim=0)


def _picture(picture: Tensor) -> Frame:
    return (255 * picture.clamp(0, 1) + 0.5).to(torch.uint8).permute(1, 2, 0).numpy()


def train(session: Session) -> Trained:
    """Gathers the reference's frames, adapts the network to them, and keeps what a held-back slice says is best.

    Raises:
        TrainingError: nobody is in any frame.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    config = session.config
    kept = gathered(session, config.frames)
    session.begin()
    network = refiner_for(config)
    if config.knows_people:
        prior.into(network)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    record, named = kept.record, {"prior" if config.knows_people else "untrained": before}
    blocks = rehearsed(
        replace(config, size=config.side),
        {**kept.weights, "xy": _at_side(config, kept_poses(kept.weights, config.size)).xy},
        BLOCKS,
        2 * config.pairs if config.steps else JUDGED,
        paired=bool(config.steps),
    )
    held_back = blocks[-1:] if config.steps else blocks
    if config.steps and len(blocks) > 1:
        trainee = CopyThenRefine(session, network, blocks[:-1] if config.checked else blocks)
        session.settings |= {"rehearsed": [len(block) for block in blocks]}
        outcome = session.run(trainee, config.steps)
        record = session.record | {"features": "lite0", "frames": record["frames"]}
        named["adapted"] = {name: torch.from_numpy(value) for name, value in outcome.weights.items()}
    elif config.steps:
        log.warning("the reference is too short to rehearse: the network is taken as it is")
    chosen, record["judged"] = best(config, named, held_back)
    record["kept"] = chosen
    if config.checked:
        log.warning("%s", told(chosen, record["judged"]))
    weights = named.get(chosen) or neutral(before)
    network_weights = {NETWORK + name: value.cpu().numpy() for name, value in weights.items()}
    return Trained(config, {**kept.weights, **network_weights}, kept.statistics, record)


def _at_side(config: Config, pose: Pose) -> Pose:
    """Poses in pixels of the picture, in pixels of what the network sees."""
    return Similarity.resized(config.side / config.size).of_pose(pose, (config.side, config.side))


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    with torch.device("meta"):
        network = arrays_of(refiner_for(config))
    return {**WEIGHTS, **{NETWORK + name: spec for name, spec in network.items()}}, STATISTICS


# -- Generation ----------------------------------------------------------------------------------------------------


class Refined(NamedTuple):
    """What the network makes of a moment: a part (h, w) of its N x N pixels."""

    box: Box
    """where the part lies"""
    picture: npt.NDArray[np.float32]
    """(h, w, 4) premultiplied, 0-255"""
    frames: npt.NDArray[np.intp]
    """(K,) that it was made of"""
    filmed: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None
    """see `as_filmed`; None where nothing is enlarged"""


class RefiningPlayer:
    """Warps the chosen reference frames and applies what the network says of them.

    Raises:
        ActorError: the frames in `weights` cannot be decoded.
    """

    latency: int | None = None
    needs: tuple[Need, ...] = ("poses",)

    def __init__(self, config: Config, weights: Arrays, device: torch.device, frames: int = 0):
        self.config, self.weights, self.device = config, weights, device
        self.kept = kept_poses(weights, config.size)
        self.network = ready(refiner_for(config), below(weights, NETWORK), device, frames)
        self._painted_by: dict[str, str] = {}
        self._enlarges = config.size > config.side
        self.plain = changes_nothing(weights[NETWORK + "last.weight"], weights[NETWORK + "last.bias"])

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`: `(S, S, 4)`, cut out. Where no part of the body is seen: nobody."""
        small, kept = replace(self.config, size=self.config.side), _at_side(self.config, self.kept)
        pose = _at_side(self.config, pose_of(moments, self.config.size))
        chosen = chosen_frames(small, pose, kept, self.weights["moment"])
        large = self._pictures()
        # These three take about as long as each other: each is busy with a later moment than the one behind it
        dressed = dressings(small, kept, large.at(small.size), chosen, pose, range(len(pose)), self._enlarges)
        refined = ReadAhead(self._all_refined(dressed), AHEAD)
        try:
            yield from self._shown(refined, FullSize(large, self.config.size, self.config.side))
        finally:
            refined.stop()

    def play_remembering(self, moments: Iterable[Moment], memory: Memory) -> Iterator[Frame]:
        """See `Remembering`. Frames are chosen along the whole dance once more, which is quick."""
        small, kept = replace(self.config, size=self.config.side), _at_side(self.config, self.kept)
        pose = _at_side(self.config, pose_of(moments, self.config.size))
        chosen = chosen_frames(small, pose, kept, self.weights["moment"])
        large = self._pictures()
        pictures = large.at(small.size)
        if not engine_of(self.network):  # the first frame decides: before, nobody knows what would paint
            dressed = dressings(small, kept, pictures, chosen, pose, range(len(pose)), self._enlarges)
            first = map(self._refined, dressed)
            next((one for one in first if one is not None), None)
        dresser = Dresser(small, kept, pictures, places=self._enlarges)
        full_size = FullSize(large, self.config.size, self.config.side)
        shown = partial(self._full_size, full_size=full_size)
        yield from painted_or_known(
            dresser, chosen, pose, self.config.size, memory, self._refined, shown, self._paints, AHEAD
        )

    def _paints(self) -> str:
        """What paints now: threads come and go with the machine's load, and an engine may have failed."""
        engine = engine_of(self.network)
        if engine not in self._painted_by:
            self._painted_by[engine] = painted_by(self.config, self.weights, self.device, engine)
        return f"{self._painted_by[engine]} {torch.get_num_threads()}"

    def prompt(self) -> PromptPlayer:
        """What plays the same, each moment as soon as it is there."""
        small, large = replace(self.config, size=self.config.side), self._pictures()
        full_size = FullSize(large, self.config.size, self.config.side, DETAILS_LIVE)
        return PromptPlayer(
            small,
            _at_side(self.config, self.kept),
            self.weights["moment"],
            large.at(small.size),
            lambda moment: _at_side(self.config, pose_of([moment], self.config.size)),
            lambda dressed, mends: self._shown(map(partial(self._refined, mends=mends), dressed), full_size),
            full_size if self._enlarges else None,
            self.plain,
        )

    def _pictures(self) -> PersonAlone:
        return PersonAlone(self.config, self.kept, KeptPictures(self.weights, self.config.size, range(len(self.kept))))

    def _shown(self, refined: Iterable[Refined | None], full_size: FullSize) -> Iterator[Frame]:
        for one in refined:
            yield self._full_size(one, full_size)

    def _full_size(self, one: Refined | None, full_size: FullSize) -> Frame:
        shown = np.zeros((self.config.size, self.config.size, 4), np.uint8)
        if one is not None:
            larger = full_size.enlarged(one.picture, one.frames, one.filmed)
            shown[one.box.at(self.config.size / self.config.side)] = larger
        return shown

    def _all_refined(self, dressed: Generator[Dressing, None, None]) -> Generator[Refined | None, None, None]:
        ahead = ReadAhead(dressed, AHEAD)
        try:
            yield from map(self._refined, ahead)
        finally:
            ahead.stop()

    @torch.inference_mode()
    def _refined(self, whole: Dressing, mends: bool = True) -> Refined | None:
        """What is made of a moment at the network's side; None where nothing is shown.

        Args:
            mends: whether the network is asked, unless it is one that changes nothing.
        """
        box = whole.person(ROOM, 2 ** len(self.config.widths), self.config.size)
        if box is None:
            return None
        one = whole.part(box)
        pictures, filmed, logits, pose = (tensor.to(self.device) for tensor in tensors(one))
        if self.plain or not mends:
            refinement = unchanged(logits)
        else:
            with autocast(self.device):
                refinement = self.network(pictures, filmed, logits, pose)
        made = (255 * applied(pictures, logits, refinement, played=True)[0]).permute(1, 2, 0).cpu().numpy()
        detail = as_filmed(one, logits, refinement) if self._enlarges else None
        return Refined(box, np.ascontiguousarray(made), one.frames, detail)


def player(
    config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0
) -> RefiningPlayer:
    """Plays a `Trained`."""
    return RefiningPlayer(config, weights, ready_device(device), frames)


def prompt_player(
    config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0
) -> PromptPlayer:
    """Plays a `Trained` live."""
    return player(config, weights, statistics, device, frames).prompt()


RECIPE = Recipe(
    title="Copy, then refine",
    paper="",
    config=Config,
    presets={"instant": instant, "preview": preview, "fast": fast, "paper": paper},
    train=train,
    contents=contents,
    player=player,
    prompt_player=prompt_player,
    cuts=nothing_to_cut(
        "copy-then-refine copies from the reference's own frames, and its network only says what to copy and mend"
    ),
    variants={
        "no prior": lambda config: replace(config, knows_people=False),
        "no flow": lambda config: replace(config, most_flow=1e-3),
        "one source": lambda config: replace(config, sources=1, knows_people=False),  # which has seen four
        "soft choice": lambda config: replace(config, choice=60.0, lambda_entropy=0.0),
        "no features": lambda config: replace(config, lambda_features=0.0),
    },
    landmarks="wholebody",
    without_limit=lambda config: replace(config, steps=ENDLESS),
)
