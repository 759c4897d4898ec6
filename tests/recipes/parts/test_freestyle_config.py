import dataclasses

import pytest
import torch
from torch import nn

from understudy.recipes.parts.freestyle_networks import b2f_for, fr_for, p2b_for
from understudy.recipes.parts.freestyle_reenactment_config import NAMES, Config, fast, paper, preview
from understudy.recipes.parts.settings import changed, numbers, stored

PRESETS = {"paper": paper, "fast": fast, "preview": preview}


def multiplications(network, *inputs):
    """Of the convolutions and linear layers of one run, by the sizes of what comes out."""
    counted = []

    def count(layer, given, made):
        if isinstance(layer, nn.ConvTranspose2d):
            counted.append(layer.weight.numel() * given[0].shape[-2] * given[0].shape[-1])
        elif isinstance(layer, nn.Conv2d):
            counted.append(layer.weight.numel() // layer.groups * made.shape[-2] * made.shape[-1])
        elif isinstance(layer, nn.Linear):
            counted.append(layer.weight.numel())

    hooks = [layer.register_forward_hook(count) for layer in network.modules()]
    with torch.no_grad():
        network(*inputs)
    for hook in hooks:
        hook.remove()
    return sum(counted)


def counts(config):
    """Multiplications a frame of P2B and of B2F without what is run once a person, and weights of all three."""
    with torch.device("meta"):
        p2b, b2f, fr = p2b_for(config), b2f_for(config), fr_for(config)
        copied = torch.zeros(1, config.copies, 4, *config.size_hw) if config.copies else None
        labels, looks = torch.zeros(1, 27, *config.size_hw), torch.zeros(1, config.embedding)
        of_b2f = multiplications(b2f, looks, labels, copied) - b2f.looks.weight.numel()
        of_p2b = multiplications(p2b, torch.zeros(1, 50 if config.copies else 28, *config.p2b_hw))
        face = torch.zeros(1, 3, config.face_size, config.face_size)
        of_fr = multiplications(fr, face, torch.zeros(1, config.face_embedding))
    weights = sum(value.numel() for one in (p2b, b2f, fr) for value in one.state_dict().values())
    return of_p2b, of_b2f, of_fr, weights


def test_what_is_counted_is_what_a_convolution_does():
    layer = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ConvTranspose2d(3, 1, 2, 2))
    assert multiplications(layer, torch.zeros(1, 2, 4, 5)) == 9 * 2 * 3 * 20 + 4 * 3 * 20


def test_what_ships_is_small_and_quick():
    of_p2b, of_b2f, of_fr, weights = counts(fast())
    assert weights < 6_000_000  # 12 MB in half precision
    assert of_p2b + of_b2f < 10e9
    assert of_fr < 1e9


def test_the_papers_numbers_are_as_printed():
    config = paper()
    assert config.size_hw == (512, 320) and config.face_size == 224
    assert config.embedding == 2048 + 4 * 512 == 4096
    assert config.b2f_first == 1024 and len(config.b2f_widths) == 7
    assert (config.lambda_d, config.lambda_ce, config.lambda_m) == (40, 1, 5)
    assert [config.batch_of(name) for name in NAMES] == [128, 32, 256]
    assert [config.rate_of(name) for name in NAMES] == [2e-4, 2e-4, 1e-4]
    assert config.optimisation.betas == (0.5, 0.999) and config.epochs == (280, 60, 40)
    beyond = (config.p2b_shrink, config.copies, config.b2f_shared, config.b2f_shuffled, config.lambda_copy)
    assert beyond == (1, 0, False, 1, 0) and config.optimisation.ema_decay == 0
    # VIP's 62k pictures: an epoch of P2B is 485 steps
    assert config.steps_of("p2b", 62_000) == 280 * 485


def test_steps_stand_in_place_of_epochs():
    assert [fast().steps_of(name, 10) for name in NAMES] == list(fast().steps)
    assert paper().steps_of("fr", 3) == 40


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_says_what_it_is_and_survives_a_file(preset):
    config = PRESETS[preset]()
    assert all(number.text for number in numbers(config)), [n.name for n in numbers(config) if not n.text]
    assert stored(Config, dataclasses.asdict(config)) == config
    as_lists = {name: list(v) if isinstance(v, tuple) else v for name, v in dataclasses.asdict(config).items()}
    assert stored(Config, as_lists) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size_hw": (512, 328)}, "shrunk 1 times and halved 4 times"),
        ({"p2b_shrink": 0}, "shrunk 0 times"),
        ({"b2f_widths": (8, 8)}, "2 doublings of 4 pixels make a frame 16 high"),
        ({"size_hw": (512, 640)}, "at most as wide"),
        ({"face_size": 100}, "face_size 100 cannot be halved 5 times"),
        ({"p2b_width": 0}, "must be at least 1"),
        ({"copies": -1}, "copies and most_flow must be at least 0"),
        ({"shares": (1.0, 0.0, 1.0)}, "share of the time above 0"),
        ({"steps": (1, 0, 1)}, "at least one step"),
        ({"rate_times": (1.0, 0.0, 1.0)}, "a learning rate"),
    ],
)
def test_contradictions_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(paper(), **change)


def test_numbers_are_changed_by_name():
    assert changed(fast(), {"lambda_d": "10", "optimisation.batch": "2"}).batch_of("fr") == 2
