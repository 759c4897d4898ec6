"""A tiny Poses in the Wild, what it learns from, and its parts."""

import dataclasses
from pathlib import Path

from tiny import session_for
from understudy.networks.perceptual import PerceptualDistance
from understudy.recipes import poses_in_the_wild as recipe
from understudy.recipes.parts.groups import Augmentation, Optimisation
from understudy.recipes.parts.player import moments

NAME, RECIPE = "poses-in-the-wild", recipe.RECIPE
TINY = recipe.Config(
    size=32, box_hw=(32, 32), line=1 / 16, width=4, downsamplings=2, blocks=1, enhancer_blocks=1,
    discriminator_width=4, scales=2, features="random", vgg_layers=("relu1_1", "relu2_1"), steps=(3, 2, 3, 2),
    enhancer_alone=0.5, optimisation=Optimisation(batch=2, ema_decay=0.9), augmentation=Augmentation(10, 0.1, 0.05),
)  # fmt: skip
QUICK = dataclasses.replace(TINY, progressive=False, steps=(3, 0, 2, 0), shares=(0.6, 0, 0.4, 0))
QUIET = Augmentation()
STAGES = ("pose", "pose-full", "texture", "texture-full")


def learnt(config, reference, unpaired, folder, **limits):
    return RECIPE.learn(session_for(NAME, config, reference, folder, unpaired, device="cpu", **limits))


def session_of(performance, unpaired, config):
    """A session that trains nothing, so that its folder is never asked for."""
    return session_for(NAME, config, performance, Path("no folder"), unpaired, device="cpu")


def footage_of(performance, unpaired, config):
    session = session_of(performance, unpaired, config)
    return recipe.Footage(session.reference, session.unpaired, config, session.chance, session.device)


def stage_of(performance, unpaired, config, name="pose", G_1=None, generator=None):
    session = session_of(performance, unpaired, config)
    footage = footage_of(performance, unpaired, config)
    phi = PerceptualDistance(config.vgg_layers, config.features)
    if generator is None:
        generator = recipe._begun(session, dataclasses.replace(config, progressive=False), second=G_1 is not None)
    return recipe.Stage(session, footage, phi, name, generator, G_1)


def of_steps(config, steps):
    return dataclasses.replace(config, steps=(steps,) * 4)


def player_of(trained):
    return recipe.player(trained.config, trained.weights, trained.statistics, "cpu")


def generated(trained, pose, **options):
    return list(player_of(trained).play(moments(pose), **options))
