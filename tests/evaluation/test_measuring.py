from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from tiny import tiny_poses
from understudy.evaluation import joint_tracking, learned_metrics, true_clip
from understudy.evaluation.learned_metrics import Fid, Lpips
from understudy.evaluation.limb_errors import limb_errors
from understudy.evaluation.measuring import MEASURES, measure, measure_clip
from understudy.evaluation.metrics import mse, ssim
from understudy.evaluation.true_clip import TruthMeasures
from understudy.poses.pose import DESCRIPTOR_LIMBS, POINTS, Pose
from understudy.tracking.detection import Detection

FRAMES, SIZE = 20, 48


@dataclass
class Clip:
    """A textured square person who walks to the right over a textured floor."""

    pictures: list[np.ndarray]
    masks: list[np.ndarray]
    pose: Pose
    fps: Fraction = Fraction(10)
    reads: int = 0
    edges: tuple[int, int, int, int] | None = None

    @property
    def filmed(self) -> tuple[int, int, int, int]:
        return self.edges or (0, 0, *self.pictures[0].shape[1::-1])

    def frames(self) -> Iterator[np.ndarray]:
        self.reads += 1
        yield from self.pictures

    def mattes(self) -> Iterator[np.ndarray]:
        yield from self.masks


def walking(frames: int = FRAMES) -> Clip:
    rng = np.random.default_rng(0)
    floor = rng.integers(40, 80, (SIZE, SIZE, 3), dtype=np.uint8)
    person = rng.integers(120, 250, (30, 14, 3), dtype=np.uint8)
    pictures, masks = [], []
    for t in range(frames):
        left = 8 + t // 4
        picture, mask = floor.copy(), np.zeros((SIZE, SIZE), np.uint8)
        picture[8:38, left : left + 14], mask[8:38, left : left + 14] = person, 255
        pictures.append(picture)
        masks.append(mask)
    return Clip(pictures, masks, tiny_poses(frames, SIZE, 0))


def noisy(clip: Clip, size: float = 8) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [np.clip(f + rng.normal(0, size, f.shape), 0, 255).astype(np.uint8) for f in clip.pictures]


@pytest.fixture
def without_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is no matter of the perceptual distance, whose network takes most of the time of measuring."""
    monkeypatch.setattr(true_clip, "load_perceptual", lambda: "left out")


def test_the_truth_itself_is_perfect() -> None:
    clip = walking()
    found = measure(clip.frames(), clip, track_output=False)
    assert list(found) == list(MEASURES)
    for region in ("frame", "person", "face"):
        assert found["mse"].regions[region].mean == found["rmse"].regions[region].high == 0
        assert found["ssim"].regions[region].mean == pytest.approx(1, abs=3e-4)
        assert found["psnr"].regions[region].mean == 100
        assert "frames identical to the truth count as 100 dB: 20" in found["psnr"].regions[region].note
        temporal = found["temporal"].regions[region]
        assert (temporal.mean, temporal.low, temporal.high) == (1, 1, 1)
    assert found["temporal"].per_frame["person"][0] is None


@pytest.mark.usefixtures("without_the_network")
def test_a_matte_tells_of_torn_pieces_and_none_says_why() -> None:
    clip = walking(12)
    painted = [np.dstack([frame, mask]) for frame, mask in zip(clip.pictures, clip.masks, strict=True)]
    painted[5][20:26, :, 3] = 0  # cut in two
    found = measure(painted, clip, track_output=False)["torn"]
    assert found.per_frame["person"] == [0] * 5 + [1] + [0] * 6
    assert found.regions["person"].mean == pytest.approx(1 / 12)
    plain = measure(clip.frames(), clip, track_output=False)
    assert "paints its room along" in plain["torn"].regions["person"].note
    rest = {name: one for name, one in plain.items() if name != "torn"}
    assert {name: one for name, one in measure(painted, clip, track_output=False).items() if name in rest} == rest


@pytest.mark.usefixtures("without_the_network")
def test_sharpness_is_less_for_a_blur_and_more_for_noise() -> None:
    clip = walking(12)
    blurred = [cv2.GaussianBlur(picture, (0, 0), 1) for picture in clip.pictures]
    soft, rough, same = (
        measure(made, clip, track_output=False)["sharpness"] for made in (blurred, noisy(clip, 40), clip.pictures)
    )
    assert soft.regions["person"].mean < 0.6 < 1.05 < rough.regions["person"].mean
    assert same.regions["person"].mean == same.per_frame["person"][3] == 1
    assert soft.real == 1
    assert soft.rank(0.5) == pytest.approx(soft.rank(2.0)) and soft.rank(0.9) < soft.rank(1.3)
    clip.masks[:] = [np.zeros_like(mask) for mask in clip.masks]
    assert measure(clip.pictures, clip, track_output=False)["sharpness"].regions["person"].note == (
        "no person in any frame"
    )


def test_perceptual_distance_is_that_of_the_pure_function_and_leads() -> None:
    clip = walking(12)
    made = noisy(clip)
    with TruthMeasures(clip, track_output=False) as truth:
        found = measure(made, truth, track_output=False)
        expected = truth.perceptual(made[7], clip.pictures[7], clip.masks[7] > 0, {"person": truth.boxes[7]["person"]})
    assert next(iter(found)) == "perceptual"
    assert found["perceptual"].per_frame["person"][7] == pytest.approx(expected["person"])
    assert set(found["perceptual"].regions) == {"person", "face"}


def test_without_the_networks_weights_the_rest_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(true_clip, "load_perceptual", lambda: "not installed")
    clip = walking(12)
    found = measure(clip.frames(), clip, track_output=False)
    assert found["perceptual"].regions["person"].note == "not installed"
    assert found["rmse"].regions["person"].mean == 0


@pytest.mark.usefixtures("without_the_network")
def test_figures_are_those_of_the_pure_functions() -> None:
    clip = walking()
    made = noisy(clip)
    with TruthMeasures(clip, track_output=False) as truth:
        found = measure(iter(made), truth, track_output=False)
        box = truth.boxes[7]["person"]
    assert box == (9 - 1, 8 - 1, 9 + 14 + 1, 38 + 1)  # 3 % of 48 pixels around the matte
    true = clip.pictures[7]
    assert found["mse"].per_frame["person"][7] == mse(made[7], true, box)
    assert found["rmse"].per_frame["person"][7] == mse(made[7], true, box) ** 0.5
    assert found["ssim"].per_frame["person"][7] == pytest.approx(ssim(made[7], true, box), abs=1e-5)
    assert found["mse"].regions["frame"].mean == pytest.approx(
        np.mean([mse(*p) for p in zip(made, clip.pictures, strict=True)])
    )
    assert found["temporal"].regions["person"].mean > 2
    of_frames = [value for value in found["temporal"].per_frame["person"] if value is not None]
    assert np.mean(of_frames) == pytest.approx(found["temporal"].regions["person"].mean)


@pytest.mark.usefixtures("without_the_network")
def test_a_blurred_clip_is_called_smoother_than_the_real_one() -> None:
    clip = walking()
    made = [cv2.GaussianBlur(picture, (0, 0), 2) for picture in clip.pictures]
    found = measure(made, clip, track_output=False)["temporal"].regions["person"]
    assert found.mean < 0.7
    assert found.note.startswith("below 1 is smoother than the real clip")


def test_the_truth_is_measured_once_for_several_methods() -> None:
    clip = walking()
    with TruthMeasures(clip, track_output=False) as truth:
        assert clip.reads == 1
        first = measure(noisy(clip), truth)
        assert measure(noisy(clip), truth) == first
        assert clip.reads == 3  # once more a method, as they stream
    assert first["pck"].regions["person"].note == "the tracker was not run on the output"


@pytest.mark.usefixtures("without_the_network")
def test_a_long_clips_flow_goes_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = walking()
    made = noisy(clip)
    expected = measure(made, clip, track_output=False)["temporal"]
    monkeypatch.setattr(true_clip, "IN_MEMORY", 1000)
    assert measure(made, clip, track_output=False)["temporal"] == expected


def test_frames_without_a_person_or_a_face_have_no_value() -> None:
    clip = walking()
    clip.masks[3][:] = 0
    hidden = clip.pose.confidence.copy()
    hidden[:, :5] = 0
    clip.pose = Pose(clip.pose.xy, hidden, clip.pose.size_hw)
    found = measure(noisy(clip), clip, track_output=False)["mse"]
    assert found.per_frame["person"][3] is None
    assert found.regions["person"].mean is not None
    assert "face" not in found.per_frame
    assert (found.regions["face"].mean, found.regions["face"].note) == (None, "no face in any frame")


@pytest.mark.usefixtures("without_the_network")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda clip, made: made.pop(), "19 frames were generated for 20 true ones"),
        (lambda clip, made: made.append(made[0]), "more frames were generated than the 20 true ones"),
        (lambda clip, made: made.__setitem__(2, made[2][:20]), r"generated frame 2 is \(20, 48, 3\)"),
        (lambda clip, made: clip.masks.pop(), "as many frames and mattes as it has poses, 20"),
        (lambda clip, made: clip.pictures.pop(), "the truth has 19 frames and 20 poses"),
        (
            lambda clip, made: clip.pictures.__setitem__(1, clip.pictures[1][:9]),
            r"frame 1 of the truth is \(9, 48, 3\)",
        ),
    ],
    ids=["too few", "too many", "other size", "mattes missing", "frames missing", "true size"],
)
def test_what_does_not_belong_together_is_refused(change: Any, message: str) -> None:
    clip = walking()
    made = list(clip.pictures)
    change(clip, made)
    with pytest.raises(ValueError, match=message):
        measure(made, clip, track_output=False)


class Finder:
    """Finds the bright person's middle as every joint; nobody in dark frames."""

    name, version = "finder", "1"
    open = 0

    def __init__(self) -> None:
        Finder.open += 1

    def __call__(self, frame: np.ndarray) -> Detection | None:
        assert frame.shape[0] == joint_tracking.TRACKED_SIDE
        rows, columns = np.nonzero(frame.min(axis=2) > 100)
        if len(rows) < 100:
            return None
        middle = np.array([columns.mean(), rows.mean()], np.float32)
        return Detection(np.tile(middle, (POINTS, 1)), np.ones(POINTS, np.float32), None)

    def close(self) -> None:
        Finder.open -= 1


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.tracking.blazepose.BlazePoseTracker", Finder)
    Finder.open = 0


@pytest.mark.usefixtures("finder", "without_the_network")
def test_pose_fidelity_holds_tracked_output_against_the_tracked_truth() -> None:
    clip = walking(40)
    moved = [np.roll(picture, 2, axis=1) for picture in clip.pictures]
    moved[5] = np.zeros_like(moved[5])
    found = measure(moved, clip)
    distance, share = found["joint_distance"], found["pck"]
    assert distance.per_frame["person"][5] is None
    assert share.per_frame["person"][5] == 0
    assert distance.regions["person"].mean == pytest.approx(2 * 256 / 48, rel=0.02)
    assert share.regions["person"].mean == pytest.approx(39 / 40)  # 2 pixels are less than a tenth of 32
    lost = "nobody was found in 1 of 40 generated frames"
    assert distance.regions["person"].note == f"tracked by finder 1; {lost}, which are left out"
    assert share.regions["person"].note == f"tracked by finder 1; {lost}, where every joint is wrong"
    assert Finder.open == 0


@pytest.mark.usefixtures("finder")
def test_joints_found_in_an_enlarged_frame_lie_where_they_were() -> None:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[20:31, 40:45] = 255
    with joint_tracking.JointTracking() as tracking:
        tracking.look(frame)
        np.testing.assert_allclose(tracking.pose((64, 64)).xy[0], np.tile((42.0, 25.0), (POINTS, 1)), atol=0.02)


@pytest.mark.usefixtures("finder", "without_the_network")
def test_the_trackers_are_closed_after_an_error() -> None:
    clip = walking()
    with pytest.raises(ValueError, match="19 frames were generated"):
        measure(clip.pictures[:-1], clip)
    clip.masks.pop()
    with pytest.raises(ValueError, match="mattes"):
        TruthMeasures(clip)
    assert Finder.open == 0


def test_limb_errors_are_those_around_the_limb() -> None:
    xy = np.full((18, 2), 40, np.float32)
    xy[1], xy[2], xy[3] = (10, 10), (30, 10), (30, 60)  # neck, right shoulder, right elbow
    seen = np.zeros(18, np.float32)
    seen[1:4] = 1
    true = np.zeros((80, 80, 3), np.uint8)
    frame = true.copy()
    frame[40:, :] = 100
    errors = limb_errors(frame, true, xy, seen)
    by_limb = dict(zip(DESCRIPTOR_LIMBS, errors, strict=True))
    assert by_limb[1, 2] == 0
    assert 35 < by_limb[2, 3] < 50  # 20 of 50 pixels of the upper arm lie in the wrong half
    assert np.isnan(by_limb[3, 4])
    assert limb_errors(true, true, xy, seen)[6] == 0
    assert np.isnan(limb_errors(frame, true, xy + 500, seen)).all()


@pytest.mark.usefixtures("without_the_network")
def test_measure_clip_gives_limb_errors_of_every_frame() -> None:
    clip = walking()
    errors = measure_clip(noisy(clip), clip, track_output=False).limb_errors
    assert errors.shape == (FRAMES, 12)
    assert errors.mean() == pytest.approx(8 * np.sqrt(2 / np.pi), rel=0.1)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: "/nowhere")


@pytest.mark.usefixtures("no_network", "without_the_network")
def test_offline_nothing_is_fetched_and_the_reason_is_said() -> None:
    for load, name in (
        (learned_metrics.load_lpips, "alexnet-owt-7be5be79.pth"),
        (learned_metrics.load_fid, "weights-inception-2015-12-05-6726825d.pth"),
    ):
        assert load() == f"its weights {name} are not at hand and UNDERSTUDY_OFFLINE=1 forbids fetching them"
    clip = walking(12)
    found = measure(clip.frames(), clip, track_output=False)
    assert found["lpips"].regions["face"].mean is None
    assert "not at hand" in found["lpips"].regions["face"].note
    assert "not at hand" in found["fid"].regions["frame"].note
    assert found["fid"].per_frame == found["lpips"].per_frame == {}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError("No module"), "needs torchvision and torch-fidelity: pip install 'understudy[metrics]'"),
        (RuntimeError("operator torchvision::nms does not exist\nmore"), "(operator torchvision::nms does not exist)"),
        (OSError("urlopen error: no route"), "its network does not load (urlopen error: no route)"),
    ],
    ids=["extra missing", "torchvision of another PyTorch", "weights cannot be fetched"],
)
def test_what_does_not_load_is_a_reason_and_no_traceback(
    error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**settings: Any) -> None:
        raise error

    monkeypatch.delenv("UNDERSTUDY_OFFLINE", raising=False)
    monkeypatch.setattr("torchmetrics.image.lpip.LearnedPerceptualImagePatchSimilarity", fail)
    monkeypatch.setattr("torchmetrics.image.fid.FrechetInceptionDistance", fail)
    assert reason in str(learned_metrics.load_lpips())
    assert reason in str(learned_metrics.load_fid())


def mean_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """In the place of LPIPS' network: takes what it takes."""
    assert a.shape == b.shape and a.ndim == 4 and min(a.shape[2:]) >= 64
    assert min(a.min(), b.min()) >= -1 and max(a.max(), b.max()) <= 1
    return (a - b).abs().mean()


class MeanColour(torch.nn.Module):
    """In the place of Inception: three features."""

    num_features = 3

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        assert pictures.dtype == torch.uint8
        return pictures.float().mean(dim=(2, 3))


@pytest.mark.usefixtures("without_the_network")
def test_with_their_networks_lpips_and_fid_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    monkeypatch.setattr(true_clip, "load_lpips", lambda: Lpips(mean_distance))
    monkeypatch.setattr(
        true_clip, "load_fid", lambda: Fid(FrechetInceptionDistance(MeanColour(), reset_real_features=False))
    )
    clip = walking()
    brighter = [picture + np.uint8(5) for picture in clip.pictures]
    with TruthMeasures(clip, track_output=False) as truth:
        same, other, again = (measure(made, truth) for made in (clip.pictures, brighter, clip.pictures))
    assert same == again
    assert same["lpips"].regions["face"].mean == 0
    assert other["lpips"].regions["face"].mean == pytest.approx(5 / 127.5, rel=1e-3)
    assert len(other["lpips"].per_frame["person"]) == FRAMES
    assert same["fid"].regions["frame"].mean == pytest.approx(0, abs=1e-3)
    assert other["fid"].regions["person"].mean == pytest.approx(3 * 5**2, rel=0.01)
    assert other["fid"].regions["person"].note == "of 20 frames: only to be compared with the FID of as many"
    assert other["fid"].regions["person"].low is None
