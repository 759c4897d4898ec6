"""The fake detector: the paper's network, the decision, the calibration, the file."""

import itertools
import math

import numpy as np
import pytest
import torch

from understudy.base.files import save_tensors
from understudy.errors import DetectorError
from understudy.forensics.calibration import Calibration, Judged, fitted_calibration, sigmoid, sum_of_log_odds
from understudy.forensics.detector import BATCH, Detector, judged_pairs, stacked
from understudy.forensics.detector_data import Augmentation, Footage
from understudy.forensics.looking import EDGE, PERSON, ROOM
from understudy.forensics.paper_network import PaperConfig, new_network
from understudy.forensics.paper_training import Schedule, train_paper_detector
from understudy.forensics.texture_network import COUNT

CPU = torch.device("cpu")
SMALL = PaperConfig(size=32, width=4, layers=2)


def footage(generated: bool, person: str, seed: int, size: int = 36) -> Footage:
    """Real: coarse spots that move; generated: the same, blurred. Nothing else differs."""
    random = np.random.default_rng(seed)
    spots = random.integers(0, 256, (12, 2, size, size, 3)).astype(np.float32)
    if generated:
        spots = (spots + np.roll(spots, 1, 2) + np.roll(spots, 1, 3) + np.roll(spots, (1, 1), (2, 3))) / 4
    zones = np.full((12, size, size), PERSON, np.uint8)
    return Footage(spots.astype(np.uint8), zones, generated, person, "drawn" if generated else "", "", 1.0)


def log_odds(network, clip):
    return judged_pairs(network, clip.pairs, clip.zones, CPU)[0]


@pytest.fixture(scope="module")
def trained():
    clips = [footage(generated, f"p{k}", 2 * k + generated) for k in range(3) for generated in (False, True)]
    plain = Schedule(60, 16, 2e-3, Augmentation(noise=2.0, focus=0.0))
    return train_paper_detector(clips, SMALL, plain, device="cpu")


@pytest.fixture
def detector(trained):
    record = {"trained_on": "trained on spots", "trust": ["not far"]}
    return Detector.of(trained, SMALL, Calibration(2.0, 1.0, 8, 5.0), record)


@pytest.mark.parametrize("size", [32, 50, 64, 128])
@pytest.mark.parametrize("layers", [1, 3, 5])
def test_one_number_a_pair_whatever_the_size(size, layers):
    network = new_network(PaperConfig(size, 2, layers)).eval()
    assert network(torch.zeros(3, 6, size, size), torch.zeros(3, size, size)).shape == (3,)


def test_it_is_small_enough_to_travel_along():
    assert sum(value.numel() for value in new_network(PaperConfig()).parameters()) * 2 < 400_000


@pytest.mark.parametrize("changed", [{"size": 16}, {"width": 0}, {"layers": 9}], ids=str)
def test_configs_that_cannot_be_built(changed):
    with pytest.raises(ValueError, match="must be"):
        PaperConfig(**changed)


def test_frames_go_in_one_after_the_other():
    pairs = torch.zeros(1, 2, 4, 5, 3)
    pairs[0, 1, :, 2, 2] = 255
    shown = stacked(pairs)
    assert shown.shape == (1, 6, 4, 5)
    assert (shown[0, 5, :, 2] == 255).all() and shown.sum() == 4 * 255


def test_a_plain_difference_is_learnt_and_holds_for_new_people(trained):
    for seed in (100, 101):
        real = log_odds(trained, footage(False, "new", seed, 32))
        fake = log_odds(trained, footage(True, "new", seed, 32))
        assert (real < 0).all() and (fake > 0).all()


def test_every_pair_is_answered_however_many_there_are(trained):
    pairs = np.random.default_rng(0).integers(0, 256, (BATCH + 3, 2, 32, 32, 3), np.uint8)
    zones = np.full((len(pairs), 32, 32), PERSON, np.uint8)
    together, strange = judged_pairs(trained, pairs, zones, CPU)
    one_by_one = [judged_pairs(trained, pair[None], zones[:1], CPU)[0][0] for pair in pairs]
    assert not strange.any() and len(strange) == len(pairs)
    np.testing.assert_allclose(together, one_by_one, rtol=0.02, atol=0.02)


def test_the_learning_rate_falls_to_nothing_along_half_a_cosine(monkeypatch):
    class Watched(torch.optim.Adam):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    rates = []
    monkeypatch.setattr(torch.optim, "Adam", Watched)
    clips = [footage(False, "a", 0), footage(True, "a", 1)]
    train_paper_detector(clips, SMALL, Schedule(steps=4, batch=2, learning_rate=0.01), device="cpu")
    assert rates == pytest.approx([0.01 * share for share in (1, 0.5 + math.sqrt(0.125), 0.5, 0.5 - math.sqrt(0.125))])


def test_no_pairs_no_answers(trained):
    odds, strange = judged_pairs(trained, np.zeros((0, 2, 32, 32, 3), np.uint8), np.zeros((0, 32, 32), np.uint8), CPU)
    assert odds.shape == strange.shape == (0,)


def test_the_room_is_painted_over(trained):
    random = np.random.default_rng(0)
    pairs = random.integers(0, 256, (1, 2, 32, 32, 3), np.uint8)
    zones = np.full((1, 32, 32), ROOM, np.uint8)
    zones[:, 8:20], zones[:, 20:24] = PERSON, EDGE
    elsewhere = pairs.copy()
    elsewhere[:, :, :8], elsewhere[:, :, 24:] = 7, 250
    one, other = (judged_pairs(trained, shown, zones, CPU)[0] for shown in (pairs, elsewhere))
    np.testing.assert_array_equal(one, other)
    elsewhere[:, :, 10] = 0
    assert judged_pairs(trained, elsewhere, zones, CPU)[0] != one


def test_training_repeats_itself(trained):
    clips = [footage(False, "a", 0), footage(True, "a", 1)]
    once, again = (train_paper_detector(clips, SMALL, Schedule(steps=3, batch=4), device="cpu") for _ in range(2))
    for name, value in once.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


@pytest.mark.parametrize("kind", [True, False], ids=["only generated", "only real"])
def test_both_kinds_are_needed(kind):
    with pytest.raises(DetectorError, match="add the missing kind"):
        train_paper_detector([footage(kind, "a", 0)], SMALL, Schedule(steps=1), device="cpu")
    with pytest.raises(ValueError, match="needs real and generated clips"):
        fitted_calibration([Judged(mean, kind, "a", 1.0) for mean in (1.0, 2.0)])


def test_squares_below_the_networks_size_are_refused():
    clips = [footage(False, "a", 0, 24), footage(True, "a", 1, 24)]
    with pytest.raises(ValueError, match="cut to 24 pixels, and the network sees 32"):
        train_paper_detector(clips, SMALL, Schedule(steps=1), device="cpu")


def test_a_video_is_decided_as_by_the_product_of_probabilities():
    probabilities = np.array([0.9, 0.4, 0.3, 0.6])
    odds = np.log(probabilities / (1 - probabilities))
    generated, real = np.prod(probabilities), np.prod(1 - probabilities)
    assert sum_of_log_odds(odds) == pytest.approx(math.log(generated / real))
    assert (sum_of_log_odds(odds) > 0) == (generated > real)
    assert sum_of_log_odds(-odds) == -sum_of_log_odds(odds)
    assert sum_of_log_odds(np.full(100_000, 50.0)) == 5_000_000  # whose product no float holds


def test_calibration_by_hand():
    two_seconds = Calibration(temperature=2.0, seconds=2.0, people=8)
    odds = np.array([1.0, 3.0])
    assert two_seconds.probability(odds, 2.0) == pytest.approx(sigmoid(1.0))
    assert two_seconds.probability(odds, 1.0) == pytest.approx(sigmoid(0.5))
    assert two_seconds.probability(odds, 200.0) == two_seconds.probability(odds, 2.0)
    assert two_seconds.probability(np.array([1e4]), 2.0) == pytest.approx(0.9)
    assert two_seconds.probability(np.array([-1e4]), 2.0) == pytest.approx(0.1)
    assert two_seconds.probability(np.zeros(5), 2.0) == 0.5
    assert not two_seconds.is_strange(1e9)
    limited = Calibration(strangest=3.0)
    assert limited.is_strange(3.1) and not limited.is_strange(3.0)


def judged(means, generated, person=lambda k: f"p{k}", seconds=1.0):
    return [
        Judged(mean, kind, person(k), seconds, k) for k, (mean, kind) in enumerate(zip(means, generated, strict=True))
    ]


def test_calibration_keeps_the_order_and_says_where_the_middle_is():
    clips = judged((-3.0, -1.0, 0.5, 2.0, -0.2, 4.0), (False, False, False, True, True, True), seconds=2.5)
    moved, calibration = fitted_calibration(clips)
    means = np.linspace(-20, 20, 81)
    probabilities = [calibration.probability(np.array([mean + moved]), 2.5) for mean in means]
    assert all(a <= b for a, b in itertools.pairwise(probabilities))
    assert min(probabilities) == pytest.approx(1 / 8) and calibration.people == 6
    assert calibration.seconds == 2.5 and calibration.strangest == 2  # of those that were filmed
    further, same = fitted_calibration(judged([clip.mean + 7 for clip in clips], [clip.generated for clip in clips]))
    assert further == pytest.approx(moved - 7) and same.temperature == pytest.approx(calibration.temperature)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("offset", [-3.0, 0.0, 1.0])
def test_the_line_of_made_up_clips_is_found_again(temperature, offset):
    random = np.random.default_rng(0)
    odds = random.normal(0, 2, 4_000)  # truly 1 / (1 + e^-odds)
    generated = random.random(len(odds)) < 1 / (1 + np.exp(-odds))
    moved, found = fitted_calibration(judged(odds * temperature + offset, generated))
    assert found.temperature == pytest.approx(temperature, rel=0.15)
    assert moved == pytest.approx(-offset, abs=0.15 * temperature)


def test_clips_without_a_mistake_do_not_ask_for_certainty():
    moved, found = fitted_calibration(judged((-5.0, -5.0, 5.0, 5.0), (False, False, True, True)))
    assert moved == pytest.approx(0, abs=1e-6)
    assert found.probability(np.array([5.0]), 1.0) == pytest.approx(0.75, abs=0.01)


def test_people_count_alike_however_many_clips_there_are_of_them():
    means, kinds = (-3.0, 0.5, 1.0, -0.5), (False, False, True, True)
    once, often = (  # of so many clips the aims hardly differ
        fitted_calibration([clip for clip in judged(means, kinds) for _ in range(9000 if clip.mean == mean else 1000)])
        for mean in (None, 0.5)
    )
    assert often[0] == pytest.approx(once[0], abs=0.01)
    assert often[1].temperature == pytest.approx(once[1].temperature, rel=0.01)


def test_a_detector_that_takes_one_for_the_other_is_not_calibrated():
    with pytest.raises(ValueError, match="it has learnt nothing"):
        fitted_calibration(judged((-3.0, -1.0, 1.0, 3.0), (True, True, False, False)))


def test_round_trip(tmp_path, detector):
    path = tmp_path / "mine.safetensors"
    detector.save(path)
    loaded = Detector.load(path)
    assert (loaded.config, loaded.calibration, loaded.record) == (
        detector.config,
        detector.calibration,
        detector.record,
    )
    before, after = (log_odds(one.network(CPU), footage(True, "new", 7, 32)) for one in (detector, loaded))
    np.testing.assert_allclose(before, after, atol=0.02 * np.abs(before).max())


BROKEN = {
    "missing": (lambda path, d: None, "there is no detector"),
    "a folder": (lambda path, d: path.mkdir(), "is a folder, not a detector"),
    "text": (lambda path, d: path.write_text("hello, this is text"), "not a safetensors file"),
    "an actor": (lambda path, d: save_tensors(path, {"a": np.zeros(1)}, {"kind": "actor"}), "but not a detector"),
    "of a later version": (
        lambda path, d: save_tensors(path, {"a": np.zeros(1)}, {"kind": "detector", "version": 99}),
        "has layout 99 and this program reads 2",
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
        lambda path, d: save_tensors(path, d.weights, calibrated(d, temperature=0)),
        "a calibration needs numbers above 0",
    ),
    "with a temperature that no float holds": (
        lambda path, d: save_tensors(path, d.weights, calibrated(d, temperature=10**400)),
        "is no number",
    ),
    "with half a person": (lambda path, d: save_tensors(path, d.weights, calibrated(d, people=0.5)), "0.5 is no"),
    "without a calibration": (
        lambda path, d: save_tensors(path, d.weights, header_of(d) | {"calibration": {}}),
        "temperature",
    ),
    "with a broken pixel": (
        lambda path, d: save_tensors(path, d.weights, header_of(d) | {"config": {"size": 32.5}}),
        "32.5 is no",
    ),
    "with trust in a word": (
        lambda path, d: save_tensors(path, d.weights, header_of(d) | {"record": {"trained_on": "", "trust": "much"}}),
        "is no list of sentences",
    ),
    "with trust in a number": (
        lambda path, d: save_tensors(path, d.weights, header_of(d) | {"record": {"trained_on": "", "trust": [5]}}),
        "5 is no text",
    ),
    "of textures, without a scale": (
        lambda path, d: save_tensors(path, textures(scale=0.0), texture_header(d)),
        "scale are not above 0",
    ),
    "of textures, with too few": (
        lambda path, d: save_tensors(path, {"weighing.offset": np.float32([0])[0:1]}, texture_header(d)),
        "its weights",
    ),
    "of an unknown network": (
        lambda path, d: save_tensors(path, d.weights, header_of(d) | {"network": "neither"}),
        "neither",
    ),
    "with a weight too many": (
        lambda path, d: save_tensors(path, d.weights | {"more": np.zeros(1, np.float16)}, header_of(d)),
        "its weights are not those of a detector",
    ),
    "without a record": (
        lambda path, d: save_tensors(path, d.weights, {k: v for k, v in header_of(d).items() if k != "record"}),
        "record",
    ),
    "damaged": (lambda path, d: damage(path, d), "damaged"),
}


def calibrated(detector, **changed):
    header = header_of(detector)
    return header | {"calibration": header["calibration"] | changed}


def textures(scale):
    return {
        "weighing.centre": np.zeros(COUNT, np.float32),
        "weighing.scale": np.full(COUNT, scale, np.float32),
        "weighing.slope": np.zeros(COUNT, np.float32),
        "weighing.offset": np.zeros((), np.float32),
    }


def texture_header(detector):
    return header_of(detector) | {"network": "texture", "config": {"size": 64}}


def header_of(detector):
    config = {"size": 32, "width": 4, "layers": 2}
    calibration = {"temperature": 1.0, "seconds": 1.0, "people": 3, "strangest": 0.0}
    said = {"kind": "detector", "version": 2, "network": "paper", "config": config, "calibration": calibration}
    return said | {"record": detector.record}


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
