"""A peer's training step, to compare with: pix2pixHD as its paper has it, in the plain habits of PyTorch.

Written from Wang, Liu, Zhu, Tao, Kautz, Catanzaro: High-Resolution Image Synthesis and Semantic Manipulation with
Conditional GANs, 2018 (sections 3.1, 3.2, appendix): the global generator G1, three discriminators, least squares,
feature matching and VGG-19. Float32, contiguous tensors, Adam that is not fused, discriminators that get gradients
while the generator learns, and every loss read with `.item()` in every step. The pictures are noise, VGG's weights
random: a step takes as long as on real ones.

Shape letters: B pictures, S the side of the square picture.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.networks.vgg import VGG19Features

LAYERS = tuple(f"relu{block}_1" for block in range(1, 6))
LAMBDA_FM = LAMBDA_VGG = 10.0
SCALES = 3
SLOPE = 0.2


class Block(nn.Module):
    """R: the input plus two 3x3 convolutions of it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*_normed(channels, channels, 3, pad=1), nn.ReLU(), *_normed(channels, channels, 3, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)  # type: ignore[no-any-return]


def coarse_generator(condition: int, width: int = 64, halvings: int = 4, blocks: int = 9) -> nn.Sequential:
    """G1: c7s1-64, d128, d256, d512, d1024, R1024 nine times, u512, u256, u128, u64, c7s1-3, tanh.

    Args:
        condition: channels of what it sees.
    """
    layers = [*_normed(condition, width, 7, pad=3), nn.ReLU()]
    for _ in range(halvings):
        layers += [nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU()]
        width *= 2
    layers += [Block(width) for _ in range(blocks)]
    for _ in range(halvings):
        doubling = nn.ConvTranspose2d(width, width // 2, 3, 2, 1, 1)
        layers += [doubling, nn.InstanceNorm2d(width // 2), nn.ReLU()]
        width //= 2
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())


class Judge(nn.Module):
    """One of D1 ... D3: C64-C128-C256-C512, 4x4 with stride 2, and a last convolution to one channel."""

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width, 8 * width]
        self.layers = nn.ModuleList()
        for number, (before, after) in enumerate(pairwise(widths)):
            norm = [nn.InstanceNorm2d(after)] if number else []
            self.layers.append(nn.Sequential(nn.Conv2d(before, after, 4, 2, 2), *norm, nn.LeakyReLU(SLOPE)))
        self.layers.append(nn.Conv2d(widths[-1], 1, 4, 1, 2))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, channels, S, S) -> the map of every layer; the last one is the judgement."""
        maps = []
        for layer in self.layers:
            x = layer(x)
            maps.append(x)
        return maps


class Peer:
    """Calls are training steps.

    Args:
        size: pixels: side S.
        condition: channels of the condition; 3, as a stick figure has.
        batch: pictures a step; the paper has 1.
        width: channels of the first layers.
        blocks: residual blocks of G1.
    """

    def __init__(
        self, size: int, device: str, condition: int = 3, batch: int = 1, width: int = 64, blocks: int = 9
    ) -> None:
        torch.manual_seed(0)
        self.size, self.pictures = size, batch
        self.G = coarse_generator(condition, width, blocks=blocks).to(device)
        self.D = nn.ModuleList(Judge(condition + 3, width) for _ in range(SCALES)).to(device)
        self.phi = VGG19Features(LAYERS).to(device)
        rates = {"lr": 2e-4, "betas": (0.5, 0.999)}
        self.optimize_G = torch.optim.Adam(self.G.parameters(), **rates)  # type: ignore[arg-type]
        self.optimize_D = torch.optim.Adam(self.D.parameters(), **rates)  # type: ignore[arg-type]
        self.condition = torch.rand(batch, condition, size, size, device=device) * 2 - 1
        self.real = torch.rand(batch, 3, size, size, device=device) * 2 - 1

    def __call__(self) -> dict[str, float]:
        """One update of G and one of D; the losses."""
        fake = self.G(self.condition)
        told_fake, told_real = self._judged(fake), self._judged(self.real)
        goal = {
            "gan": sum(F.mse_loss(maps[-1], torch.ones_like(maps[-1])) for maps in told_fake),
            "fm": LAMBDA_FM * self._matching(told_fake, told_real),
            "vgg": LAMBDA_VGG * sum(map(F.l1_loss, self.phi(fake), self.phi(self.real))),
        }
        self.optimize_G.zero_grad()
        sum(goal.values()).backward()  # type: ignore[union-attr]
        self.optimize_G.step()

        told_fake, told_real = self._judged(fake.detach()), self._judged(self.real)
        wrong = sum(F.mse_loss(maps[-1], torch.zeros_like(maps[-1])) for maps in told_fake)
        right = sum(F.mse_loss(maps[-1], torch.ones_like(maps[-1])) for maps in told_real)
        judged = (wrong + right) / 2
        self.optimize_D.zero_grad()
        judged.backward()  # type: ignore[union-attr]
        self.optimize_D.step()
        return {name: loss.item() for name, loss in (goal | {"D": judged}).items()}  # type: ignore[union-attr]

    def _judged(self, pictures: Tensor) -> list[list[Tensor]]:
        """What D1, D2 and D3 say of condition and pictures, each at half the size of the one before."""
        stack, found = torch.cat([self.condition, pictures], 1), []
        for judge in self.D:
            found.append(judge(stack))
            stack = F.avg_pool2d(stack, 2)
        return found

    def _matching(self, fake: list[list[Tensor]], real: list[list[Tensor]]) -> Tensor:
        """Of every layer of every D but the judgements: the mean difference of its maps, summed."""
        pairs = [
            (one, other.detach())
            for of_fake, of_real in zip(fake, real, strict=True)
            for one, other in zip(of_fake[:-1], of_real[:-1], strict=True)
        ]
        return torch.stack([F.l1_loss(one, other) for one, other in pairs]).sum()


def _normed(before: int, after: int, kernel: int, pad: int) -> list[nn.Module]:
    return [nn.ReflectionPad2d(pad), nn.Conv2d(before, after, kernel), nn.InstanceNorm2d(after)]
