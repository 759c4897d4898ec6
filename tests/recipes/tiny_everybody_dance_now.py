"""Everybody Dance Now at a very small size: all three stages in a second."""

from tiny import session_for
from understudy.networks.perceptual import PerceptualDistance
from understudy.recipes import everybody_dance_now as recipe
from understudy.recipes.parts.groups import Augmentation, Optimisation
from understudy.recipes.parts.player import moments

NAME = "everybody-dance-now"
TINY = recipe.Config(
    size=32, whole_frame=False, line=1 / 16, width=4, downsamplings=2, blocks=1, enhancer_blocks=1,
    discriminator_width=4, scales=2, features="random", vgg_layers=("relu1_1", "relu2_1"), face_size=32, face_width=4,
    face_downsamplings=1, face_blocks=1, optimisation=Optimisation(batch=2, ema_decay=0.9), steps=(3, 4, 3),
    enhancer_alone=0.5, augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
)  # fmt: skip
STILL = Augmentation()
STAGES = ("global", "local", "face")


def learnt(reference, folder, config=TINY, unpaired=(), **limits):
    return recipe.RECIPE.learn(session_for(NAME, config, reference, folder, unpaired, device="cpu", **limits))


def parts_of(performance, config):
    session = session_for(NAME, config, performance, performance.path, device="cpu")
    footage = recipe.Footage(performance, config, session.chance, session.device)
    return session, footage, PerceptualDistance(config.vgg_layers, config.features)


def footage_of(performance, config):
    return parts_of(performance, config)[1]


def main_trainee(performance, config, stage="global"):
    session, footage, phi = parts_of(performance, config)
    session.begin()
    generator = recipe.generator_for(config) if stage == "local" else recipe.global_generator_for(config)
    recipe.initialise(generator, config.optimisation.initial_deviation)
    size = config.size if stage == "local" else config.size // 2**config.local_enhancers
    return recipe.PoseToVideo(session, footage, phi, stage, generator, size)


def played(config, weights, statistics, pose, batch=8):
    return list(recipe.RECIPE.player(config, weights, statistics, "cpu").play(moments(pose), batch))


def generated(trained, pose, **options):
    return played(trained.config, trained.weights, trained.statistics, pose, **options)
