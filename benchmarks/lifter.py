"""Teaches the lifter how bodies lie in space, with poses of made-up dances seen from all sides.

    python benchmarks/lifter.py --output lifter.json --save src/understudy/tracking/lifter.safetensors
    python benchmarks/lifter.py --steps 20 --dances 4

Poses are mixed (one dance's arms, another's legs), disturbed, seated and turned, seen by a camera at any height and
distance, with noise in the points and points missing as trackers miss them. Then it is tried on dances that it has not
seen: degrees between a bone's guessed and true direction.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.base.progress import progress_bar
from understudy.body.posing import LENGTHS, Bones, average_bones, placed, with_fingers
from understudy.body.skeleton import INDEX, JOINTS, PARENTS
from understudy.poses import pose as p
from understudy.synthetic.motion import choreography
from understudy.tracking.lifter import Lifter, looked_at, save

FIRST, FIRST_HELD_OUT = 40_000, 90_000
"""numbers of dances"""
SECONDS, FPS = 20.0, 8
UPPER = [
    number
    for number, name in enumerate(JOINTS)
    if not any(leg in name for leg in ("pelvis", "thigh", "shin", "foot", "toes"))
]
ARMS = [number for number, name in enumerate(JOINTS) if "arm" in name or "clavicle" in name]


def dances(first: int, count: int) -> tuple[Tensor, Tensor]:
    """Poses (N, len(JOINTS), 3, 3), each joint from its parent, and grip (N, 2)."""
    motions = [choreography(first + number, SECONDS, FPS) for number in range(count)]
    rotations = np.concatenate([motion.rotations for motion in motions])
    return torch.from_numpy(rotations), torch.from_numpy(np.concatenate([motion.grip for motion in motions]))


def about(axis: Tensor, angle: Tensor) -> Tensor:
    """Rotations (..., 3, 3) about unit axes (..., 3) by radians (...)."""
    x, y, z = axis.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    sine, cosine = torch.sin(angle)[..., None, None], torch.cos(angle)[..., None, None]
    return torch.eye(3) + sine * skew + (1 - cosine) * (skew @ skew)


def disturbed(local: Tensor, random: torch.Generator) -> Tensor:
    """Poses with another's arms, a little noise in every joint and much in some arms, and some seated or crouching."""
    count = len(local)
    local = local.clone()
    other = torch.randperm(count, generator=random)
    mixed = torch.rand(count, generator=random) < 0.5
    local[:, UPPER] = torch.where(mixed[:, None, None, None], local[other][:, UPPER], local[:, UPPER])
    spread = torch.full((count, len(JOINTS)), 0.10)
    spread[:, ARMS] += 0.5 * (torch.rand(count, 1, generator=random) < 0.25)
    axis = torch.nn.functional.normalize(torch.randn(count, len(JOINTS), 3, generator=random), dim=-1)
    local = local @ about(axis, spread * torch.randn(count, len(JOINTS), generator=random))
    seated = (torch.rand(count, generator=random) < 0.2).float()
    side = torch.tensor([1.0, 0.0, 0.0])
    for leg in ("left", "right"):
        hip, knee = torch.rand(2, count, generator=random)
        hip, knee = seated * 1.9 * hip, seated * (1.9 * hip + 0.5 * (knee - 0.5)).clamp(0, 2.3)
        for joint, angle in ((f"{leg}_thigh", -hip), (f"{leg}_shin", knee)):
            local[:, INDEX[joint]] = local[:, INDEX[joint]] @ about(side.expand(count, 3), angle)
    return local


def turned_before_the_camera(local: Tensor, random: torch.Generator) -> Tensor:
    """Rotations from the rest pose, (N, len(JOINTS), 3, 3), with the camera anywhere round the dancer."""
    count = len(local)
    axes = torch.eye(3)
    yaw = (torch.rand(count, generator=random) - 0.5) * 2 * np.pi
    pitch, roll = torch.randn(2, count, generator=random) * torch.tensor([[0.16], [0.10]])
    any_way = torch.nn.functional.normalize(torch.randn(count, 3, generator=random), dim=-1)
    lying = (torch.rand(count, generator=random) < 0.08) * np.pi * torch.rand(count, generator=random)
    camera = about(axes[2].expand(count, 3), roll) @ about(axes[0].expand(count, 3), pitch)
    camera = about(any_way, lying) @ camera @ about(axes[1].expand(count, 3), yaw)
    turned = [camera @ local[:, 0]]
    for joint, parent in enumerate(PARENTS[1 : len(JOINTS)], start=1):
        turned.append(turned[parent] @ local[:, joint])
    return torch.stack(turned, dim=1)


def seen(bones: Bones, turned: Tensor, grip: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points (N, 133, 2) as a tracker would give them, any unit, y down, and confidence (N, 133)."""
    count = len(turned)
    every = with_fingers(turned, grip)
    stretch = 1 + 0.06 * torch.randn(count, len(LENGTHS), generator=random)
    _, points = placed(bones, every, stretch)
    distance = 2.5 + 6 * torch.rand(count, 1, 1, generator=random)
    depth = distance - points[..., 2:]
    xy = points[..., :2] / depth * distance * torch.tensor([1.0, -1.0])
    noise = 0.006 + 0.02 * torch.rand(count, 1, 1, generator=random) ** 2
    xy = xy + noise * torch.randn(xy.shape, generator=random)
    normals = (every[:, bones.carriers] @ bones.normals[..., None])[..., 0]
    away = (bones.normals != 0).any(-1) & (normals[..., 2] < 0.05)
    confidence = torch.ones(count, 133)
    confidence[away] = 0
    for points_of, odds in ((p.FACE, 0.25), (p.LEFT_HAND, 0.35), (p.RIGHT_HAND, 0.35), (slice(17, 23), 0.2)):
        confidence[:, points_of] *= (torch.rand(count, 1, generator=random) > odds).float()
    confidence[:, [p.LEFT_SMALL_TOE, p.RIGHT_SMALL_TOE]] *= (torch.rand(count, 1, generator=random) > 0.6).float()
    confidence[:, :23] *= (torch.rand(count, 23, generator=random) > 0.03).float()
    legs = torch.rand(count, generator=random) < 0.06
    confidence[legs, 13:23] = 0
    return xy, confidence


def degrees_off(turned: Tensor, truth: Tensor) -> Tensor:
    """(N, len(JOINTS)) degrees between rotations."""
    trace = (turned * truth).sum(dim=(-1, -2))
    return torch.rad2deg(torch.arccos(((trace - 1) / 2).clamp(-1, 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dances", type=int, default=800)
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--save", type=Path)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    random = torch.Generator().manual_seed(given.seed)
    bones = average_bones()
    poses, grips = dances(FIRST, given.dances)
    network, begun = Lifter(), time.monotonic()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=given.steps)
    with progress_bar("learning how bodies lie", given.steps) as advance:
        for _ in range(given.steps):
            some = torch.randint(len(poses), (512,), generator=random)
            turned = turned_before_the_camera(disturbed(poses[some], random), random)
            xy, confidence = seen(bones, turned, grips[some], random)
            guessed, grip = network(looked_at(xy, confidence))
            loss = (guessed - turned).square().sum(dim=(-1, -2)).add(1e-4).sqrt().mean()
            loss = loss + 0.2 * (grip - grips[some]).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            advance()
    report = {"machine": machine("cpu"), "dances": given.dances, "steps": given.steps, "seed": given.seed}
    report["minutes"] = round((time.monotonic() - begun) / 60, 1)
    unseen, grip = dances(FIRST_HELD_OUT, max(1, min(40, given.dances)))
    turned = turned_before_the_camera(unseen, random)
    with torch.inference_mode():
        guessed, _ = network.eval()(looked_at(*seen(bones, turned, grip, random)))
    off = degrees_off(guessed, turned)
    report["degrees off, median"] = {name: round(float(off[:, n].median()), 1) for n, name in enumerate(JOINTS)}
    report["degrees off, 90 of 100 below"] = {
        name: round(float(off[:, n].quantile(0.9)), 1) for n, name in enumerate(JOINTS)
    }
    print(report)
    if given.save:
        save(given.save, network, {key: report[key] for key in ("dances", "steps", "seed")})
    if given.output:
        write_json(given.output, report)


if __name__ == "__main__":
    main()
