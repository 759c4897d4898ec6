"""What each network of Performance Cloning is shown in one step, and what eq. 4 weighs, told apart frame by frame.

Reference and driver are the same clip, so that alignment changes nothing and every input can be traced to its frame.
"""

import dataclasses

import numpy as np
import pytest
import torch
from einops import rearrange

from recipes.test_performance_cloning import TINY, trainee_of
from tiny import tiny_performance
from understudy import losses
from understudy.conditioning.limbs import limb_falloff
from understudy.poses.pose import OPENPOSE18_LIMBS
from understudy.recipes.parts.settings import changed

STILL = changed(TINY, {"rotate": 0, "zoom": 0, "shift": 0})
HALF, BOTH_BRANCHES = STILL.optimisation.batch // 2, 4
FLAT = (16, 240, 16)


@pytest.fixture(scope="module")
def performance(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("branches") / "me.performance", 1)


class Watched:
    """One training step: what every network was given and made, and what the losses were."""

    def __init__(self, trainee, patch, step=BOTH_BRANCHES):
        self.shown, self.made, self.learnt_through = ({name: [] for name in trainee.networks} for _ in range(3))
        self.judged, self.coherence = [], []
        hooks = [network.register_forward_hook(self._noting(name)) for name, network in trainee.networks.items()]
        for name, calls in (("discriminator_loss", self.judged), ("temporal_coherence", self.coherence)):
            patch.setattr(losses, name, self._calling(getattr(losses, name), calls))
        trainee.training_step(step)
        for hook in hooks:
            hook.remove()
        patch.undo()

    def _noting(self, name):
        def note(_, given, made):
            self.shown[name].append(given[0].detach().float())
            self.made[name].append(made.detach().float())
            self.learnt_through[name].append(given[0].requires_grad)

        return note

    @staticmethod
    def _calling(loss, calls):
        def call(*given):
            calls.append([value.detach().float() for value in given])
            return loss(*given)

        return call

    def conditions(self, n):
        """Poses that G was given, (B, N, 18, S, S): the paired half, the unpaired half."""
        (given,) = self.shown["generator"]
        windows = rearrange(given, "b (n j) h w -> b n j h w", n=n)
        return windows[:HALF], windows[HALF:]

    def frames(self, n):
        """What G made of them, (B, N, 3, S, S)."""
        (made,) = self.made["generator"]
        windows = rearrange(made, "b (n c) h w -> b n c h w", n=n)
        return windows[:HALF], windows[HALF:]


def nearest(given, known):
    """For each of (B, ...) the place of the nearest among (T, ...), which has to be much nearer than all others."""
    apart = (given[:, None] - known[None]).square().flatten(2).mean(2)
    closest = apart.sort(1).values
    assert (closest[:, 0] < 0.1 * closest[:, 1]).all(), "one frame, and only one, is the one that was shown"
    return apart.argmin(1)


def moments(conditions, performance):
    """(B, N) the frames whose poses were drawn, whatever mean and deviation their maps were given."""
    xy, _ = performance.poses.openpose18()
    grid = torch.arange(32.0)
    x, y = torch.from_numpy(xy).unbind(-1)
    across = torch.exp(-((grid - x[..., None]) ** 2) / (2 * TINY.joint_sigma**2))
    down = torch.exp(-((grid - y[..., None]) ** 2) / (2 * TINY.joint_sigma**2))

    def level(maps):
        return (maps - maps.mean((-2, -1), keepdim=True)) / maps.std((-2, -1), keepdim=True)

    known = level(down[..., :, None] * across[..., None, :])
    return nearest(level(conditions.flatten(0, 1)), known).view(conditions.shape[:2])


def filmed(performance):
    """(T, 3, 32, 32) in [-1, 1]: the person over the flat colour."""
    inside = np.stack(list(performance.mattes()))[..., None] / 255
    over = inside * np.stack(list(performance.frames())) + (1 - inside) * FLAT
    return torch.from_numpy(over / 127.5 - 1).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize("n", [2, 3])
def test_coherence_is_weighed_by_the_later_pose_along_the_flow_that_leads_back_from_it(performance, monkeypatch, n):
    config = dataclasses.replace(STILL, consecutive=n)
    watched = Watched(trainee_of((performance, performance), config), monkeypatch)
    window = moments(watched.conditions(n)[1], performance)
    assert (window.diff(dim=1) == 1).all()
    later = window[:, 1:].flatten()

    ((alpha, before, after, flow),) = watched.coherence
    xy, confidence = (torch.from_numpy(values) for values in performance.poses.openpose18())
    limbs = torch.tensor(OPENPOSE18_LIMBS)
    known = limb_falloff(xy, confidence > 0, limbs, (32, 32), config.limb_sigma)
    assert torch.equal(nearest(alpha, known), later)
    stored = torch.from_numpy(np.array(performance.flow(), np.float32)).mean((1, 2))  # one vector a frame
    assert (stored[later].norm(dim=1) > 0.01).all()
    middle = flow[:, :, 8:24, 8:24].mean((2, 3))
    torch.testing.assert_close(middle, stored[later], atol=0.005, rtol=0.01)
    generated = watched.frames(n)[1]
    assert torch.equal(before, generated[:, :-1].flatten(0, 1))
    assert torch.equal(after, generated[:, 1:].flatten(0, 1))


def test_judges_are_shown_the_references_own_frames_and_what_was_made_of_each_branch(performance, monkeypatch):
    watched = Watched(trainee_of((performance, performance), STILL), monkeypatch)
    poses, _ = watched.conditions(2)
    made_x, made_y = (frames.flatten(1, 2) for frames in watched.frames(2))
    real, fake, fake_again = watched.shown["D_p"]
    for pair in (real, fake, fake_again):
        assert torch.equal(pair[:, : 2 * 18], poses.flatten(1, 2))
    x = filmed(performance)[moments(poses, performance)].flatten(1, 2)
    torch.testing.assert_close(real[:, 2 * 18 :], x, atol=0.02, rtol=0)
    assert torch.equal(fake[:, 2 * 18 :], made_x) and torch.equal(fake_again, fake)

    real, fake, fake_again = watched.shown["D_s"]
    torch.testing.assert_close(real, x, atol=0.02, rtol=0)
    assert torch.equal(fake, made_y) and torch.equal(fake_again, fake)

    # Each is told which is which, and G learns through the last judgement alone
    for (said_real, said_fake), name in zip(watched.judged, ("D_p", "D_s"), strict=True):
        assert torch.equal(said_real, watched.made[name][0]) and torch.equal(said_fake, watched.made[name][1])
        assert watched.learnt_through[name] == [False, False, True]


def test_branches_draw_their_windows_apart(performance, monkeypatch):
    trainee = trainee_of((performance, performance), STILL)
    drawn = []
    for step in range(BOTH_BRANCHES, BOTH_BRANCHES + 2):
        windows = [moments(half, performance)[:, 0] for half in Watched(trainee, monkeypatch, step).conditions(2)]
        drawn.append(torch.stack(windows))
    paired, unpaired = torch.stack(drawn).unbind(1)
    assert not torch.equal(paired, unpaired)
    assert not torch.equal(paired[0], paired[1]) and not torch.equal(unpaired[0], unpaired[1])


def test_branches_draw_their_augmentation_apart(tmp_path, monkeypatch):
    single = tiny_performance(tmp_path / "short.performance", 1, frames=2)  # one window: whatever differs was moved
    paired, unpaired = Watched(trainee_of((single, single), TINY), monkeypatch).conditions(2)
    assert not torch.allclose(paired, unpaired, atol=0.1)
    for half in (paired, unpaired):
        assert not torch.allclose(half[0], half[1], atol=0.1)
