"""The fake detector: its network, its decision, its calibration, its file."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch

from understudy.base.files import save_tensors
from understudy.errors import DetectorError
from understudy.forensics.detector import (
    BATCH,
    Calibration,
    Config,
    Detector,
    fitted_calibration,
    new_network,
    pair_log_odds,
    sigmoid,
    stacked,
    sum_of_log_odds,
)
from understudy.forensics.detector_data import Augmentation, Footage
from understudy.forensics.detector_training import Schedule, calibrated, detector_of, train_detector

CPU = torch.device("cpu")
SMALL = Config(size=32, width=4, layers=2)


def footage(generated: bool, person: str, seed: int, size: int = 36) -> Footage:
    """Real: coarse spots that move; generated: the same, blurred. Nothing else differs."""
    random = np.random.default_rng(seed)
    spots = random.integers(0, 256, (12, 2, size, size, 3)).astype(np.float32)
    if generated:
        spots = (spots + np.roll(spots, 1, 2) + np.roll(spots, 1, 3) + np.roll(spots, (1, 1), (2, 3))) / 4
    return Footage(spots.astype(np.uint8), generated, person, "drawn" if generated else "", "", 1.0)


@pytest.fixture(scope="module")
def trained():
    clips = [footage(generated, f"p{k}", 2 * k + generated) for k in range(3) for generated in (False, True)]
    plain = Schedule(60, 16, 2e-3, Augmentation(noise=2.0, focus=0.0))
    return train_detector(clips, SMALL, plain, device="cpu")


@pytest.fixture
def detector(trained):
    record = {"trained_on": "trained on spots", "trust": ["not far"]}
    return detector_of(trained, SMALL, Calibration(2.0, 1.0, 8), record)


@pytest.mark.parametrize("size", [32, 50, 64, 128])
@pytest.mark.parametrize("layers", [1, 3, 5])
def test_one_number_a_pair_whatever_the_size(size, layers):
    network = new_network(Config(size, 2, layers)).eval()
    assert network(torch.zeros(3, 6, size, size)).shape == (3,)


def test_it_is_small_enough_to_travel_along():
    assert sum(value.numel() for value in new_network(Config()).parameters()) * 2 < 400_000


@pytest.mark.parametrize("changed", [{"size": 16}, {"width": 0}, {"layers": 9}], ids=str)
def test_configs_that_cannot_be_built(changed):
    with pytest.raises(ValueError, match="must be"):
        Config(**changed)


def test_frames_go_in_one_after_the_other():
    pairs = torch.zeros(1, 2, 4, 5, 3)
    pairs[0, 1, :, 2, 2] = 255
    shown = stacked(pairs)
    assert shown.shape == (1, 6, 4, 5)
    assert (shown[0, 5, :, 2] == 255).all() and shown.sum() == 4 * 255


def test_a_plain_difference_is_learnt_and_holds_for_new_people(trained):
    for seed in (100, 101):
        real = pair_log_odds(trained, footage(False, "new", seed, 32).pairs, CPU)
        fake = pair_log_odds(trained, footage(True, "new", seed, 32).pairs, CPU)
        assert (real < 0).all() and (fake > 0).all()


def test_every_pair_is_answered_however_many_there_are(trained):
    pairs = np.random.default_rng(0).integers(0, 256, (BATCH + 3, 2, 32, 32, 3), np.uint8)
    together = pair_log_odds(trained, pairs, CPU)
    one_by_one = [pair_log_odds(trained, pair[None], CPU)[0] for pair in pairs]
    np.testing.assert_allclose(together, one_by_one, rtol=0.02, atol=0.02)


def test_the_learning_rate_falls_to_nothing_along_half_a_cosine(monkeypatch):
    class Watched(torch.optim.Adam):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    rates = []
    monkeypatch.setattr(torch.optim, "Adam", Watched)
    clips = [footage(False, "a", 0), footage(True, "a", 1)]
    train_detector(clips, SMALL, Schedule(steps=4, batch=2, learning_rate=0.01), device="cpu")
    assert rates == pytest.approx([0.01 * share for share in (1, 0.5 + math.sqrt(0.125), 0.5, 0.5 - math.sqrt(0.125))])


def test_no_pairs_no_answers(trained):
    assert pair_log_odds(trained, np.zeros((0, 2, 32, 32, 3), np.uint8), CPU).shape == (0,)


def test_training_repeats_itself(trained):
    clips = [footage(False, "a", 0), footage(True, "a", 1)]
    once, again = (train_detector(clips, SMALL, Schedule(steps=3, batch=4), device="cpu") for _ in range(2))
    for name, value in once.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


@pytest.mark.parametrize("kind", [True, False], ids=["only generated", "only real"])
def test_both_kinds_are_needed(kind):
    with pytest.raises(DetectorError, match="add the missing kind"):
        train_detector([footage(kind, "a", 0)], SMALL, Schedule(steps=1), device="cpu")
    with pytest.raises(ValueError, match="needs real and generated clips"):
        fitted_calibration([1.0, 2.0], [kind, kind], 1.0)


def test_squares_below_the_networks_size_are_refused():
    clips = [footage(False, "a", 0, 24), footage(True, "a", 1, 24)]
    with pytest.raises(ValueError, match="cut to 24 pixels, and the network sees 32"):
        train_detector(clips, SMALL, Schedule(steps=1), device="cpu")


def test_a_video_is_decided_as_by_the_product_of_probabilities():
    probabilities = np.array([0.9, 0.4, 0.3, 0.6])
    odds = np.log(probabilities / (1 - probabilities))
    generated, real = np.prod(probabilities), np.prod(1 - probabilities)
    assert sum_of_log_odds(odds) == pytest.approx(math.log(generated / real))
    assert (sum_of_log_odds(odds) > 0) == (generated > real)
    assert sum_of_log_odds(-odds) == -sum_of_log_odds(odds)
    assert sum_of_log_odds(np.full(100_000, 50.0)) == 5_000_000  # whose product no float holds


def test_calibration_by_hand():
    two_seconds = Calibration(temperature=2.0, seconds=2.0, clips=8)
    odds = np.array([1.0, 3.0])
    assert two_seconds.probability(odds, 2.0) == pytest.approx(sigmoid(1.0))
    assert two_seconds.probability(odds, 1.0) == pytest.approx(sigmoid(0.5))
    assert two_seconds.probability(odds, 200.0) == two_seconds.probability(odds, 2.0)
    assert two_seconds.probability(np.array([1e4]), 2.0) == pytest.approx(0.9)
    assert two_seconds.probability(np.array([-1e4]), 2.0) == pytest.approx(0.1)
    assert two_seconds.probability(np.zeros(5), 2.0) == 0.5


def test_calibration_keeps_the_order_and_the_side():
    calibration = fitted_calibration([-3.0, -1.0, 0.5, 2.0, -0.2, 4.0], [False, False, False, True, True, True], 2.5)
    means = np.linspace(-20, 20, 81)
    probabilities = [calibration.probability(np.array([mean]), 2.5) for mean in means]
    assert all(a <= b for a, b in itertools.pairwise(probabilities))
    assert all((p > 0.5) == (m > 0) for p, m in zip(probabilities, means, strict=True) if m)
    assert min(probabilities) == pytest.approx(1 / 8) and calibration.clips == 6


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_temperature_of_made_up_clips_is_found_again(temperature):
    random = np.random.default_rng(0)
    odds = random.normal(0, 2, 4_000)  # truly 1 / (1 + e^-odds)
    generated = random.random(len(odds)) < 1 / (1 + np.exp(-odds))
    found = fitted_calibration(list(odds * temperature), list(generated), 1.0)
    assert found.temperature == pytest.approx(temperature, rel=0.15)


def test_clips_without_a_mistake_do_not_ask_for_certainty():
    found = fitted_calibration([-5.0, -5.0, 5.0, 5.0], [False, False, True, True], 1.0)
    assert found.probability(np.array([5.0]), 1.0) == pytest.approx(0.75, abs=0.01)


def test_calibration_comes_from_clips_not_from_pairs(trained):
    clips = [footage(generated, "v", 40 + k + 10 * generated, 32) for k in range(3) for generated in (False, True)]
    assert calibrated(trained, clips, "cpu").clips == 6
    lengths = [
        dataclasses.replace(clip, seconds=seconds) for clip, seconds in zip(clips, (1, 9, 2, 2, 1, 3), strict=True)
    ]
    assert calibrated(trained, lengths, "cpu").seconds == 2


def test_round_trip(tmp_path, detector):
    path = tmp_path / "mine.safetensors"
    detector.save(path)
    loaded = Detector.load(path)
    assert (loaded.config, loaded.calibration, loaded.record) == (
        detector.config,
        detector.calibration,
        detector.record,
    )
    pairs = footage(True, "new", 7, 32).pairs
    before, after = (pair_log_odds(one.network(CPU), pairs, CPU) for one in (detector, loaded))
    np.testing.assert_allclose(before, after, atol=0.02 * np.abs(before).max())


BROKEN = {
    "missing": (lambda path, d: None, "there is no detector"),
    "a folder": (lambda path, d: path.mkdir(), "is a folder, not a detector"),
    "text": (lambda path, d: path.write_text("hello, this is text"), "not a safetensors file"),
    "an actor": (lambda path, d: save_tensors(path, {"a": np.zeros(1)}, {"kind": "actor"}), "but not a detector"),
    "of a later version": (
        lambda path, d: save_tensors(path, {"a": np.zeros(1)}, {"kind": "detector", "version": 99}),
        "has layout 99 and this program reads 1",
    ),
    "without weights": (
        lambda path, d: save_tensors(path, {"a": np.zeros(1)}, header_of(d)),
        "its weights are not those of a detector",
    ),
    "of another shape": (
        lambda path, d: save_tensors(path, {n: np.zeros(3, np.float16) for n in d.weights}, header_of(d)),
        "wrong shape",
    ),
    "with a strange size": (
        lambda path, d: save_tensors(path, d.weights, header_of(d) | {"config": {"size": 10**6}}),
        "size must be 32 to 1024 pixels",
    ),
    "with a wrong calibration": (
        lambda path, d: save_tensors(path, d.weights, header_of(d) | {"calibration": {"temperature": 0}}),
        "a calibration needs numbers above 0",
    ),
    "without a record": (
        lambda path, d: save_tensors(path, d.weights, {k: v for k, v in header_of(d).items() if k != "record"}),
        "record",
    ),
    "damaged": (lambda path, d: damage(path, d), "damaged"),
}


def header_of(detector):
    config = {"size": 32, "width": 4, "layers": 2}
    return {"kind": "detector", "version": 1, "config": config, "calibration": {}, "record": detector.record}


def damage(path, detector):
    detector.save(path)
    content = bytearray(path.read_bytes())
    content[-9] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("kind", BROKEN)
def test_files_that_are_no_detector_are_named(tmp_path, detector, kind):
    make, words = BROKEN[kind]
    path = tmp_path / "odd.safetensors"
    make(path, detector)
    with pytest.raises(DetectorError) as caught:
        Detector.load(path)
    assert words in str(caught.value) and "odd.safetensors" in str(caught.value)
    assert "\n" not in str(caught.value)
