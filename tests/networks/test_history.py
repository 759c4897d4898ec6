import numpy as np
import torch

from understudy.networks.history import History


def picture(value):
    return torch.full((1, 3, 8, 8), value)


def test_new_pictures_are_kept_and_shown_while_there_is_room():
    history, rng = History(3, 8), np.random.default_rng(0)
    for filled, value in enumerate((-1.0, 0.0, 1.0)):
        assert int(history.filled) == filled
        assert torch.equal(history.exchange(picture(value), rng), picture(value))
    assert history.pictures[:, 0, 0, 0].tolist() == [0, 128, 255]


def test_a_full_history_shows_an_old_picture_half_the_time_and_keeps_the_new_one_in_its_place():
    history, rng = History(50, 8), np.random.default_rng(0)
    history.exchange(torch.full((50, 3, 8, 8), -1.0), rng)
    old = 0
    for _ in range(200):
        before = history.pictures.float().mean()
        shown = history.exchange(picture(1.0), rng)
        new = torch.equal(shown, picture(1.0)) and torch.equal(history.pictures.float().mean(), before)
        old += not new
    # an old picture that was exchanged itself cannot be told from a new one: 50 distinct places at most are counted
    assert 30 <= old <= 50
    assert history.pictures.float().mean() > 0.8 * 255


def test_half_of_what_is_shown_is_old():
    history, rng = History(50, 8), np.random.default_rng(1)
    history.exchange(torch.linspace(-1, -0.5, 50).view(50, 1, 1, 1).expand(50, 3, 8, 8), rng)
    shown = torch.cat([history.exchange(picture(step / 400), rng) for step in range(400)])[:, 0, 0, 0]
    fresh = torch.arange(400) / 400
    assert 160 <= (shown != fresh).sum() <= 240


def test_no_capacity_shows_new_pictures_only():
    fresh = torch.rand(4, 3, 8, 8) * 2 - 1
    assert torch.equal(History(0, 8).exchange(fresh, np.random.default_rng(0)), fresh)


def test_no_gradient_passes_and_the_generators_picture_is_not_changed():
    history, rng = History(1, 8), np.random.default_rng(0)
    fresh = torch.rand(3, 3, 8, 8, requires_grad=True)
    before = fresh.detach().clone()
    assert not history.exchange(fresh, rng).requires_grad
    assert torch.equal(fresh, before)


def test_it_is_saved_and_restored_as_the_networks_are():
    one, two, rng = History(3, 8), History(3, 8), np.random.default_rng(0)
    one.exchange(torch.rand(2, 3, 8, 8), rng)
    two.load_state_dict(one.state_dict())
    fresh = torch.rand(6, 3, 8, 8)
    shown = [history.exchange(fresh, np.random.default_rng(5)) for history in (one, two)]
    assert torch.equal(*shown)
    assert int(two.filled) == 3
