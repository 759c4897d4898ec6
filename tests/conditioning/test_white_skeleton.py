"""White skeletons: MediaPipe's landmarks out of ours, drawn as Figment draws them."""

from __future__ import annotations

import numpy as np
import torch

from clips import real_clip
from figment import as_figment_draws
from understudy.conditioning.white_skeleton import CONNECTIONS, LANDMARKS, landmarks, white_skeletons
from understudy.media.reading import VideoReader
from understudy.poses import pose as p
from understudy.tracking.blazepose import BlazePoseTracker, Follower, PoseNetworks


def one_pose(seed=0, size=128):
    """All 133 points of one person, of which MediaPipe's 33 lie well within the picture."""
    rng = np.random.default_rng(seed)
    return rng.uniform(12, size - 12, (1, 133, 2)).astype(np.float32), np.ones((1, 133), bool)


def test_the_numbers_are_mediapipes():
    assert len(LANDMARKS) == 33 and len(CONNECTIONS) == len(set(CONNECTIONS)) == 35
    assert all(abs(sum(weight for _, weight in mixture) - 1) < 1e-9 for mixture in LANDMARKS)
    first = [mixture[0][0] for mixture in LANDMARKS]
    assert sum(len(mixture) == 1 for mixture in LANDMARKS) == 21
    assert [first[at] for at in (0, 2, 5, 11, 12, 15, 16, 23, 24, 27, 28, 31, 32)] == [
        p.NOSE, p.LEFT_EYE, p.RIGHT_EYE, p.LEFT_SHOULDER, p.RIGHT_SHOULDER, p.LEFT_WRIST, p.RIGHT_WRIST, p.LEFT_HIP,
        p.RIGHT_HIP, p.LEFT_ANKLE, p.RIGHT_ANKLE, p.LEFT_BIG_TOE, p.RIGHT_BIG_TOE,
    ]  # fmt: skip
    twin = {0: 0} | {left: {1: 4, 2: 5, 3: 6}.get(left, left + 1) for left in (1, 2, 3, *range(7, 33, 2))}
    twin |= {right: left for left, right in twin.items()}
    lines = {frozenset(line) for line in CONNECTIONS}
    assert {frozenset(twin[point] for point in line) for line in lines} == lines  # the two sides are alike


def test_what_is_tracked_is_taken_and_what_is_not_is_made_up_of_its_neighbours():
    xy, seen = (torch.from_numpy(values) for values in one_pose())
    places, known = landmarks(xy, seen)
    assert known.all() and torch.equal(places[0, 0], xy[0, p.NOSE])
    seen[:, p.FACE] = seen[:, p.LEFT_HAND] = False
    wrist, elbow = xy[0, p.LEFT_WRIST], xy[0, p.LEFT_ELBOW]
    assert torch.allclose(places[0, 17], wrist + 0.3 * (wrist - elbow), atol=1e-4)
    eye, other = xy[0, p.LEFT_EYE], xy[0, p.RIGHT_EYE]
    assert torch.allclose(places[0, 1], 0.8 * eye + 0.2 * other, atol=1e-4)
    seen[:, p.LEFT_ELBOW] = False
    places, known = landmarks(xy, seen)
    assert [at for at in range(33) if not known[0, at]] == [13, 17, 19, 21]
    assert (places[0, 17] == 0).all()


def test_the_picture_is_figments():
    xy, seen = one_pose()
    found = white_skeletons(torch.from_numpy(xy), torch.from_numpy(seen), 128).numpy()
    assert found.shape == (1, 3, 128, 128) and (found[0, 0] == found[0, 2]).all()
    places, _ = landmarks(torch.from_numpy(xy), torch.from_numpy(seen))
    expected = as_figment_draws(places[0].numpy() + 0.5, 128)  # its pixels have their corners at numbers, ours middles
    apart = np.abs((found[0, 0] + 1) / 2 - expected)
    assert expected.mean() > 0.1 and apart.mean() < 0.01 and np.quantile(apart, 0.99) < 0.2
    shifted = as_figment_draws(places[0].numpy(), 128)  # half a pixel off would be seen
    assert np.abs((found[0, 0] + 1) / 2 - shifted).mean() > 3 * apart.mean()


def test_a_dot_and_a_line_by_hand():
    xy, seen = torch.full((1, 133, 2), -100.0), torch.zeros(1, 133, dtype=torch.bool)
    xy[0, p.LEFT_HIP], xy[0, p.RIGHT_HIP] = torch.tensor([10.0, 8.0]), torch.tensor([30.0, 8.0])
    seen[0, [p.LEFT_HIP, p.RIGHT_HIP]] = True
    (picture, *_) = (white_skeletons(xy, seen, 40)[0] + 1) / 2
    assert picture[8, 10:31].tolist() == [1] * 21  # the line's middle, and the dots that it ends in
    assert picture[9, 20] == 0.5 and picture[10, 20] == 0  # two pixels wide, its edges in the middles of pixels
    assert picture[12, 10] == 0.5 and picture[8, 6] == 0.5 and picture[8, 5] == 0  # a radius of four
    seen[0, p.RIGHT_HIP] = False
    assert ((white_skeletons(xy, seen, 40)[0, 0] + 1) / 2)[8, 20] == 0


def test_pictures_do_not_hang_on_each_other_and_what_lies_outside_is_left_out():
    several = [one_pose(seed) for seed in range(3)]
    xy, seen = (torch.from_numpy(np.concatenate(values)) for values in zip(*several, strict=True))
    xy[1] += 90
    seen[2] = False
    together = white_skeletons(xy, seen, 128)
    for at in range(3):
        assert torch.equal(together[at], white_skeletons(xy[at : at + 1], seen[at : at + 1], 128)[0])
    assert (together[2] == -1).all() and -1 < together[1].mean() < together[0].mean()


def test_our_landmarks_lie_where_mediapipe_puts_them_on_a_real_person():
    """Distances as shares of the trunk."""
    with VideoReader(real_clip("lab_squats.mp4")) as reader:
        frames = [frame for at, frame in zip(range(31), reader, strict=False) if at % 10 == 0]
    networks, tracker = PoseNetworks(), BlazePoseTracker()
    follower = Follower(networks, networks.detect(frames[0])[0])
    apart = []
    for frame in frames:
        theirs, ours = follower(frame).xy[:33], tracker(frame)
        places, known = landmarks(torch.from_numpy(ours.xy), torch.from_numpy(ours.confidence > 0.1))
        trunk = np.linalg.norm(theirs[[11, 12]].mean(0) - theirs[[23, 24]].mean(0))
        apart.append(np.linalg.norm(places.numpy() - theirs, axis=1)[known.numpy()] / trunk)
        assert known.sum() >= 30
    assert np.median(np.concatenate(apart)) < 0.02 and np.quantile(np.concatenate(apart), 0.9) < 0.1
