"""The three trainings of freestyle reenactment, one after another, as one that can be stopped and resumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from understudy.base.devices import autocast
from understudy.networks.face_embedding import loss_network
from understudy.networks.frame_generator import Frame, blended
from understudy.networks.perceptual import PerceptualDistance
from understudy.recipes.parts.freestyle_batches import B2FBatch, Pretrained
from understudy.recipes.parts.freestyle_model import (
    NETWORKS,
    FreestyleModel,
    face_extractor,
    halved,
    network_of,
    part_extractor,
)
from understudy.recipes.parts.freestyle_networks import body_condition, embedding
from understudy.recipes.parts.freestyle_people import BatchesAhead, PeopleBatches, PersonFiles
from understudy.recipes.parts.freestyle_reenactment_config import B2F, FR, NAMES, P2B, Config
from understudy.recipes.parts.freestyle_training import trainee_of
from understudy.recipes.parts.trained import Arrays
from understudy.training.session import Session

LEARNS_FROM: dict[str, tuple[str, ...]] = {P2B: (), B2F: (), FR: (B2F,)}
"""networks by what another one says, and not by the truth"""


def trained(session: Session, files: Sequence[Path], pairs: int, seen: str) -> FreestyleModel:
    """Trains P2B, B2F and FR; what time or steps did not reach keeps its first weights.

    Args:
        session: with the config of the networks.
        files: of people, see `freestyle_samples`.
        pairs: in each file.
        seen: a line that says who the people are, kept in the model.

    Raises:
        TrainingError: training cannot start or go on.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    config: Config = session.config
    people = PersonFiles(list(files), pairs)
    session.settings |= {"people": [path.name for path in files], "pairs": pairs}
    session.plan(dict(zip(NAMES, config.shares, strict=True)))
    pretrained = _pretrained(config, session.device)
    weights: dict[str, npt.NDArray[Any]] = {}
    for name in NAMES:
        if session.exhausted:
            break
        painter = _painter(config, weights, pretrained, session.device) if name == FR else None
        batches = BatchesAhead(PeopleBatches(people, config, session.seed, painter))
        try:
            trainee = trainee_of(session, name, batches, pretrained)
            outcome = session.stage(name, trainee, config.steps_of(name, len(people)), LEARNS_FROM[name])
        finally:
            batches.close()
        if outcome is not None:
            weights |= halved(outcome.weights, name)
    session.tell_what_is_left()
    torch.manual_seed(session.seed)
    for name in NAMES:
        if not any(key.startswith(f"{name}/") for key in weights):
            state = {key: value.numpy() for key, value in NETWORKS[name](config).state_dict().items()}
            weights |= halved(state, name)
    return FreestyleModel(config, weights, {**session.record, "seen": seen, "people": len(files)})


def _pretrained(config: Config, device: torch.device) -> Pretrained:
    face, parts = face_extractor(config), part_extractor(config)
    levels, phi = loss_network(face), PerceptualDistance(config.vgg_layers, config.features)
    for network in (face, parts, levels, phi):
        if isinstance(network, torch.nn.Module):
            network.to(device)
    return Pretrained(face, levels, parts, phi)


def _painter(
    config: Config, weights: Arrays, pretrained: Pretrained, device: torch.device
) -> Callable[[B2FBatch], Tensor]:
    """B2F as it was trained: a batch -> f^0, eq. 7."""
    network = network_of(weights, config, B2F, device)

    @torch.inference_mode()
    def painted(batch: B2FBatch) -> Tensor:
        segments = batch.segments.to(device)
        body = body_condition(batch.labels.to(device), batch.face_labels.to(device))
        copied = None if batch.copied is None else batch.copied.to(device)
        with autocast(device):
            made: Frame = network(embedding(pretrained.face, pretrained.parts, segments), body, copied)
        return blended(made, batch.background.to(device)).float()

    return painted
