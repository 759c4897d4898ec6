"""The three networks of freestyle reenactment at a very small size, and people of random numbers."""

import torch
from torch import nn

from tiny import session_for
from understudy.networks.perceptual import PerceptualDistance
from understudy.recipes.parts import freestyle_training as freestyle
from understudy.recipes.parts.freestyle_batches import B2FBatch, FRBatch, P2BBatch, Pretrained
from understudy.recipes.parts.freestyle_reenactment_config import Config
from understudy.recipes.parts.groups import Optimisation

TINY = Config(
    size_hw=(32, 16), p2b_width=4, p2b_downsamplings=2, p2b_blocks=1, face_embedding=6, part_embedding=4, b2f_first=4,
    b2f_widths=(6, 5, 4), b2f_hidden=4, copies=2, most_flow=2.0, lambda_copy=1.0, features="random",
    vgg_layers=("relu1_1", "relu2_1"), face_size=32, fr_widths=(4, 6), discriminator_width=4,
    optimisation=Optimisation(batch=2, ema_decay=0.9), batch_times=(1, 1, 1), steps=(4, 4, 4),
)  # fmt: skip


class RandomPeople:
    """Batches that a step's number fixes, in the shapes that a config asks for."""

    def __init__(self, config, batch=2):
        self.config, self.batch = config, batch

    def _numbers(self, step, stream):
        generator = torch.Generator().manual_seed(1000 * stream + step)
        return lambda *shape: torch.rand(self.batch, *shape, generator=generator)

    def p2b(self, step):
        rand, size_hw = self._numbers(step, 1), self.config.size_hw
        person, labels, copied = ((rand(*size_hw) * 22).to(torch.uint8) for _ in range(3))
        copied_labels = copied if self.config.copies else None
        stick = 2 * rand(3, *self.config.p2b_hw) - 1
        return P2BBatch(person, rand(3, *size_hw), stick, labels, copied_labels)

    def b2f(self, step):
        config, rand, size_hw = self.config, self._numbers(step, 2), self.config.size_hw
        labels, face_labels = (rand(*size_hw) * 30 - 8).clamp(0, 21), rand(*size_hw) * 5.9
        side = config.face_size
        alpha = rand(config.copies, 1, *size_hw)
        copied = torch.cat([rand(config.copies, 3, *size_hw) * alpha, alpha], 2) if config.copies else None
        box = torch.tensor([[2.0, 3, 12, 14], [0, 0, 0, 0]])
        return B2FBatch(
            labels.to(torch.uint8), face_labels.to(torch.uint8), 2 * rand(5, 3, side, side) - 1,
            2 * rand(3, *size_hw) - 1, 2 * rand(3, *size_hw) - 1, (rand(1, *size_hw) > 0.9).float(),
            box[torch.arange(self.batch) % 2], copied,
        )  # fmt: skip

    def fr(self, step):
        rand, side = self._numbers(step, 3), self.config.face_size
        faces = [2 * rand(3, side, side) - 1 for _ in range(3)]
        return FRBatch(*faces, seen=(torch.arange(self.batch) % 2 == 0).float())


class Levels(nn.Module):
    """Maps at falling sizes, and a vector at last: what a face's embedding network, or ImageNet's, looks like."""

    def __init__(self, channels, vector):
        super().__init__()
        generator = torch.Generator().manual_seed(channels)
        self.vector = vector
        self.register_buffer("weight", torch.randn(channels, 3, 3, 3, generator=generator))

    def forward(self, pictures):
        first = torch.nn.functional.conv2d(pictures.float(), self.weight, stride=2, padding=1)
        second = torch.tanh(torch.nn.functional.avg_pool2d(first, 4))
        return [first, second, second.mean((2, 3))] if self.vector else [first, second]


def pretrained_for(config):
    face, parts = Levels(config.face_embedding, vector=True), Levels(config.part_embedding, vector=False)
    return Pretrained(face, face, parts, PerceptualDistance(config.vgg_layers, config.features))


def session_of(config, reference, folder, **limits):
    return session_for("freestyle-reenactment", config, reference, folder, device="cpu", **limits)


def trained_one(name, reference, folder, config=TINY, **limits):
    session = session_of(config, reference, folder, **limits)
    trainee = freestyle.trainee_of(session, name, RandomPeople(config), pretrained_for(config))
    return session.run(trainee, config.steps_of(name, samples=8))
