import dataclasses
import math

import cv2
import numpy as np
import pytest
import torch

from tiny import tiny_performance
from understudy.conditioning import clips
from understudy.conditioning.clips import (
    CLEAR_OF_PERSON,
    Clip,
    _frames_over,
    chained,
    flat_colour,
    random_similarity,
    read_clip,
    streamed_frames,
    windows,
)
from understudy.performance import INTERPOLATED
from understudy.retargeting.alignment import Alignment


def clip_of(frames=None, flow=None, xy=None, size=16, working_size=16, to_picture=None):
    base = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]) if to_picture is None else torch.tensor(to_picture)
    joints = torch.zeros(1, 18, 2) if xy is None else xy
    return Clip(
        joints,
        torch.ones(joints.shape[:2], dtype=torch.bool),
        torch.arange(len(joints)),
        base,
        torch.zeros(0, 2, 1, 1) if flow is None else flow,
        torch.zeros(0, 3, size, size, dtype=torch.uint8) if frames is None else frames,
        working_size,
        (255, 0, 0),
    )


def blob(x, y, size=32):
    """A white 5x5 square with its middle at (x, y), over the flat red."""
    frame = torch.zeros(1, 3, size, size, dtype=torch.uint8)
    frame[:, 0] = 255
    frame[:, :, int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] = 255
    return frame


def test_windows_are_runs_of_usable_frames():
    usable = np.array([1, 1, 1, 0, 1, 1, 0, 1], bool)
    assert windows(usable, 2).tolist() == [0, 1, 4]
    assert windows(usable, 3).tolist() == [0]
    assert windows(usable[:1], 2).tolist() == []


def test_no_augmentation_leaves_the_transform_exactly():
    base = torch.tensor([[0.5, 0, 3], [0, 0.5, 4]])
    drawn = random_similarity(np.random.default_rng(0), base, 3, 64, 0, 0, 0)
    assert torch.equal(drawn, base.expand(3, 2, 3))


def test_drawn_similarities_keep_to_their_ranges_and_turn_about_the_centre():
    base = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    drawn = random_similarity(np.random.default_rng(0), base, 500, 64, 10, 0.25, 0.1)
    scale = drawn[:, 0, :2].norm(dim=1)
    angle = torch.atan2(drawn[:, 1, 0], drawn[:, 0, 0]) * 180 / math.pi
    centre = drawn @ torch.tensor([31.5, 31.5, 1.0])
    assert 1 / 1.2501 <= scale.min() < 0.85 and 1.2 < scale.max() <= 1.2501
    assert -10.001 <= angle.min() < -9 and 9 < angle.max() <= 10.001
    assert (centre - 31.5).abs().max() <= 6.401


def test_joints_and_frames_move_together():
    """The blob's joint lies on the blob after any transform: the middle of its white pixels says where it went."""
    clip = clip_of(frames=blob(20, 12), xy=torch.full((1, 18, 2), 0.0) + torch.tensor([20.0, 12.0]), working_size=32)
    moment = torch.zeros(6, dtype=torch.int64)
    transform = random_similarity(np.random.default_rng(1), clip.to_picture, 6, 32, 20, 0.2, 0.1)
    frames = clip.frames_at(moment, transform, 32)
    xy, seen = clip.joints(moment[:, None], transform)
    assert xy.shape == (6, 1, 18, 2) and seen.shape == (6, 1, 18)
    for frame, (x, y) in zip(frames, xy[:, 0, 0], strict=True):
        white = (frame[1] + 1) / 2  # the flat red has no green
        across = torch.arange(32.0)
        assert (white.sum(0) * across).sum() / white.sum() == pytest.approx(x.item(), abs=0.1)
        assert (white.sum(1) * across).sum() / white.sum() == pytest.approx(y.item(), abs=0.1)


def test_beyond_the_frame_is_the_flat_colour():
    clip = clip_of(frames=torch.full((1, 3, 16, 16), 128, dtype=torch.uint8))
    moved = torch.tensor([[[1.0, 0, 8], [0, 1.0, 0]]])
    frame = clip.frames_at(torch.zeros(1, dtype=torch.int64), moved, 16)[0]
    assert frame[:, 5, 2].tolist() == [1, -1, -1]
    assert frame[:, 5, 12].tolist() == pytest.approx([128 / 127.5 - 1] * 3, abs=1e-5)


def test_frames_of_the_right_size_are_not_resampled():
    frames = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    clip = clip_of(frames=frames)
    got = clip.frames_at(torch.tensor([1, 0]), clip.to_picture.expand(2, 2, 3), 16)
    assert torch.equal(got, frames[[1, 0]].float() / 127.5 - 1)


def test_flow_is_moved_and_its_vectors_turn_and_grow():
    flow = torch.zeros(1, 2, 8, 8)
    flow[:, 0] = 3.0  # three working pixels to the right, everywhere
    clip = clip_of(flow=flow, working_size=32)
    quarter_turn_and_double = torch.tensor([[[0.0, -2, 48], [2.0, 0, -16]]])
    moved = clip.flow_at(torch.zeros(1, dtype=torch.int64), quarter_turn_and_double, 32)
    assert moved.shape == (1, 2, 32, 32)
    assert moved[0, :, 16, 16].tolist() == pytest.approx([0.0, 6.0], abs=1e-5)


def test_a_smaller_picture_halves_joints_and_flow():
    flow = torch.ones(1, 2, 8, 8, dtype=torch.float16) * 4
    xy = torch.full((1, 18, 2), 10.0)
    clip = clip_of(flow=flow, xy=xy, working_size=32, to_picture=[[0.5, 0, 0], [0, 0.5, 0]])
    assert clip.all_joints()[0][0, 0].tolist() == [5.0, 5.0]
    moved = clip.flow_at(torch.zeros(1, dtype=torch.int64), clip.to_picture[None], 16)
    assert moved[0, :, 8, 8].tolist() == [2.0, 2.0]


@pytest.fixture(scope="module")
def performance(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("alpha") / "me.performance", frames=5, size=32)


def read(performance, **options):
    cpu = torch.device("cpu")
    return read_clip(performance, None, (250, 20, 10), 2, 0.1, 32, 32, cpu, **options)


def test_a_picture_of_another_size_has_the_same_edges(performance):
    """Half and double the size, whether read so or resized later: pixel p of a picture covers p - 1/2 to p + 1/2."""
    xy, _ = performance.poses.openpose18()
    for size in (16, 64):
        expected = torch.from_numpy((xy + 0.5) * (size / 32) - 0.5)
        read_so = read_clip(performance, None, (250, 20, 10), 2, 0.1, size, 32, torch.device("cpu"))
        for clip in (read_so, read(performance).resized(size / 32)):
            torch.testing.assert_close(clip.all_joints()[0], expected, atol=1e-4, rtol=0)


def test_only_found_people_are_pictures_and_interpolated_poses_are_motion(tmp_path):
    gappy = tiny_performance(tmp_path / "gappy.performance", frames=8, size=32, missing=(6,))
    gappy.status[2] = INTERPOLATED
    as_motion = read_clip(gappy, Alignment(1.0, (0.0, 0.0)), None, 2, 0.1, 32, 32, torch.device("cpu"))
    assert read(gappy).windows.tolist() == [0, 3, 4]
    assert as_motion.windows.tolist() == [0, 1, 2, 3, 4]


def test_a_driver_whose_sides_are_exchanged_is_read_with_the_references_names(performance):
    """Somebody of the other side, half as large: left is called right, and everything lies where alignment puts it."""
    xy, _ = performance.poses.sides_exchanged().openpose18()
    exchanged = read_clip(
        performance, Alignment(0.5, (3.0, 1.0), exchange_sides=True), None, 2, 0.1, 32, 32, torch.device("cpu")
    )
    torch.testing.assert_close(exchanged.all_joints()[0], torch.from_numpy(xy * 0.5 + (3, 1)).float())
    own, _ = performance.poses.openpose18()
    assert np.abs(xy - own).max() > 3


def test_a_joint_is_seen_when_it_is_surer_than_the_threshold(tmp_path):
    doubtful = tiny_performance(tmp_path / "doubtful.performance", frames=4, size=32)
    doubtful.poses.confidence[1] = 0.5
    seen = [
        read_clip(doubtful, None, (250, 20, 10), 2, above, 32, 32, torch.device("cpu")).seen for above in (0.4, 0.5)
    ]
    assert seen[0].all() and seen[1].all(1).tolist() == [True, False, True, True] and not seen[1][1].any()


def test_the_flat_colour_is_clear_of_the_person_and_else_as_near_as_can_be_to_the_room(performance):
    chosen = np.array(flat_colour(performance), float)
    frame, matte = next(performance.frames()), next(performance.mattes())
    person, room = frame[matte > 250].mean(axis=0), frame[matte < 5].mean(axis=0)
    assert np.linalg.norm(chosen - person) > CLEAR_OF_PERSON
    # The room itself is clear of him, so it is taken, to a step of the grid
    assert np.linalg.norm(chosen - room) < 20


def test_the_flat_colour_of_a_larger_frame_takes_no_more_memory(tmp_path, monkeypatch):
    compared = []
    distances = clips._distances
    monkeypatch.setattr(clips, "_distances", lambda some, levels: compared.append(len(some)) or distances(some, levels))
    colours = [flat_colour(tiny_performance(tmp_path / f"{size}.performance", 1, 2, size)) for size in (256, 512, 1024)]
    assert len(set(colours)) == 1
    assert max(compared) < 1.5 * compared[0]


def test_the_flat_colour_is_that_of_all_distances_written_out():
    """The first percentile of the distances from what is worn to each colour of a grid of 14 x 14 x 14."""
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (40, 60, 3), np.uint8)
    matte = np.where(np.arange(60) < 30, 255, 0).astype(np.uint8) * np.ones((40, 1), np.uint8)

    class OneFrame:
        def __len__(self):
            return 1

        def frames(self, start, stop):
            return iter([picture])

        def mattes(self, start, stop):
            return iter([matte])

    person, room = picture[matte > 250][::11].astype(float), picture[matte < 5][::101].astype(float)
    levels = np.linspace(24, 232, 14)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    least = np.array([np.quantile(np.linalg.norm(person - colour, axis=1), 0.01) for colour in grid])
    clear = grid[least >= min(CLEAR_OF_PERSON, least.max() - 1e-4)]
    nearest = clear[np.linalg.norm(clear - room.mean(axis=0), axis=1).argmin()]
    assert flat_colour(OneFrame()) == tuple(nearest.astype(int))


def test_alpha_goes_along_with_frames_over_the_flat_colour_and_as_filmed(performance):
    plain, with_alpha = read(performance), read(performance, with_alpha=True)
    filmed = read(performance, with_alpha=True, as_filmed=True)
    mattes = torch.from_numpy(np.stack(list(performance.mattes())))
    assert plain.frames.shape == (5, 3, 32, 32) and with_alpha.frames.shape == (5, 4, 32, 32)
    assert torch.equal(with_alpha.frames[:, :3], plain.frames)
    assert torch.equal(with_alpha.frames[:, 3], mattes) and torch.equal(filmed.frames[:, 3], mattes)
    frames = torch.from_numpy(np.stack(list(performance.frames()))).permute(0, 3, 1, 2)
    assert torch.equal(filmed.frames[:, :3], frames)


def test_edges_may_take_the_persons_own_colours(performance):
    """A disc filmed in a light room: over black its edge is as if the room had been black."""
    disc = cv2.circle(np.zeros((64, 64), np.uint8), (32, 32), 20, 255, -1)
    matte = cv2.GaussianBlur(disc, (0, 0), 1.5)
    share = matte[..., None] / 255
    filmed = np.rint(share * (150, 60, 90) + (1 - share) * 240).astype(np.uint8)

    class OneFrame:
        header = performance.header

        def __len__(self):
            return 1

        def frames(self):
            return iter([filmed])

        def mattes(self):
            return iter([matte])

    class Segmented(OneFrame):
        header = dataclasses.replace(performance.header, matte="auto")

    plain, own = (next(_frames_over(OneFrame(), (0, 0, 0), 64, True, own)) for own in (False, True))
    # What a network gave spills over the edge: its faintest fifth is no person
    narrowed = next(_frames_over(Segmented(), (0, 0, 0), 64, True, True))[3] / 255
    np.testing.assert_allclose(narrowed, np.clip((matte / 255 - 0.2) / 0.8, 0, 1), atol=0.01)
    assert np.array_equal(plain[3], matte) and np.array_equal(own[3], matte)
    truth = np.moveaxis(share * (150, 60, 90), -1, 0)
    edge = (matte > 30) & (matte < 225)
    assert np.abs(own[:3] - truth)[:, edge].mean() < 0.25 * np.abs(plain[:3] - truth)[:, edge].mean()


def test_where_the_frame_ends_there_is_no_alpha_and_the_flat_colour(performance):
    clip = read(performance, with_alpha=True)
    there = torch.tensor([2])
    same = clip.frames_at(there, clip.to_picture[None], 32)
    assert torch.equal(same, clip.frames[there].float() / 127.5 - 1)
    moved = clip.frames_at(there, torch.tensor([[[1.0, 0, 20], [0, 1.0, 0]]]), 32)
    torch.testing.assert_close(moved[0, :, :, 20:], same[0, :, :, :12], atol=1e-5, rtol=0)
    expected = torch.tensor([250, 20, 10, 0]) / 127.5 - 1
    assert torch.equal(moved[0, :, :, :19], expected[:, None, None].expand(4, 32, 19))
    # without alpha, colours come out the same
    plain = read(performance).frames_at(there, torch.tensor([[[1.0, 0, 20], [0, 1.0, 0]]]), 32)
    torch.testing.assert_close(plain, moved[:, :3], atol=0, rtol=0)


def test_pictures_may_be_rectangles():
    """A part of the frame, twice as large and twice as high as wide: joints stay on what they mark."""
    xy = torch.tensor([20.0, 12.0]).expand(1, 18, 2)
    clip = clip_of(frames=blob(20, 12), xy=xy, working_size=32, flow=torch.ones(1, 2, 8, 8))
    transform = torch.tensor([[[2.0, 0, 0.5 - 2 * 12], [0, 2.0, 0.5 + 10]]])
    moment = torch.zeros(1, dtype=torch.int64)
    frame = clip.frames_at(moment, transform, (64, 32))
    assert frame.shape == (1, 3, 64, 32) and clip.flow_at(moment, transform, (64, 32)).shape == (1, 2, 64, 32)
    white = (frame[0, 1] + 1) / 2
    x, y = clip.joints(moment[:, None], transform)[0][0, 0, 0].tolist()
    assert (x, y) == (16.5, 34.5)
    assert (white.sum(0) * torch.arange(32.0)).sum() / white.sum() == pytest.approx(x, abs=0.02)
    assert (white.sum(1) * torch.arange(64.0)).sum() / white.sum() == pytest.approx(y, abs=0.02)
    square = clip.frames_at(moment, transform, 64)
    assert torch.equal(square[..., :32], frame)


def test_similarities_of_rectangles_turn_about_their_middle():
    base = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    middle = torch.tensor([15.5, 31.5, 1.0])
    turned = random_similarity(np.random.default_rng(0), base, 50, (64, 32), 20, 0.2, 0)
    torch.testing.assert_close(turned @ middle, middle[:2].expand(50, 2), atol=1e-4, rtol=0)
    shifted = random_similarity(np.random.default_rng(0), base, 500, (64, 32), 0, 0, 0.1) @ middle - middle[:2]
    assert shifted.abs().max(0).values.tolist() == pytest.approx([3.2, 6.4], rel=0.02)
    square = [random_similarity(np.random.default_rng(0), base, 9, size, 20, 0.2, 0.1) for size in (48, (48, 48))]
    assert torch.equal(*square)


def test_chained_transforms_do_one_after_the_other():
    first = torch.tensor([[2.0, 0, 3], [0, 2.0, -1]])
    then = torch.tensor([[[0.0, -1, 5], [1, 0.0, 2]], [[1, 0.0, 1], [0.0, 1, 1]]])
    point = torch.tensor([7.0, 4, 1])
    both = chained(then, first)
    assert both.shape == (2, 2, 3)
    torch.testing.assert_close(both @ point, then @ torch.cat([first @ point, point[2:]]))


def test_joints_and_frames_of_a_smaller_picture_keep_the_edges(performance):
    """Half the reference's working size, and from there twice the size: edges stay edges on the way."""
    cpu = torch.device("cpu")
    own = read_clip(performance, None, (0, 0, 0), 1, 0.1, 16, 32, cpu)
    other = read_clip(performance, Alignment(2.0, (3.0, 1.0)), None, 1, 0.1, 16, 32, cpu)
    xy, _ = performance.poses.openpose18()
    np.testing.assert_allclose(own.all_joints()[0], (xy + 0.5) / 2 - 0.5, atol=1e-5)
    np.testing.assert_allclose(other.all_joints()[0], (2 * xy + (3.0, 1.0) + 0.5) / 2 - 0.5, atol=1e-5)
    np.testing.assert_allclose(own.resized(2).all_joints()[0], xy, atol=1e-5)
    there = torch.arange(5)
    shrunk = own.frames_at(there, own.to_picture.expand(5, 2, 3), 16)
    filmed = own.frames.float().reshape(5, 3, 16, 2, 16, 2).mean((3, 5)) / 127.5 - 1
    np.testing.assert_allclose(shrunk, filmed, atol=1e-4)


def test_frames_that_are_streamed_are_those_of_the_clip_and_no_more_than_a_batch_are_read_ahead(performance):
    alignment, colour = Alignment(0.9, (3.0, -2.0)), (10, 200, 30)
    clip = read_clip(performance, alignment, colour, 1, 0.0, 16, 32, torch.device("cpu"))
    whole = clip.frames_at(torch.arange(5), clip.to_picture.expand(5, 2, 3), 16)
    given = 0

    class Watched:
        header = performance.header

        def __len__(self):
            return len(performance)

        def frames(self):
            nonlocal given
            for frame in performance.frames():
                given += 1
                yield frame

        def mattes(self):
            return performance.mattes()

    parts = []
    for part in streamed_frames(Watched(), alignment, colour, 16, 32, 2):
        parts.append(part)
        assert given <= 2 * len(parts) and len(part) <= 2
    assert torch.equal(torch.cat(parts), whole)
