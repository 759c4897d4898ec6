"""Our detector's network: what it takes of two frames, how that is weighed, and how the weights are found."""

import itertools

import numpy as np
import pytest
import torch

from understudy.errors import DetectorError
from understudy.forensics.calibration import Calibration
from understudy.forensics.detector import Detector, judged_pairs
from understudy.forensics.looking import BEYOND, EDGE, PERSON, ROOM, Found
from understudy.forensics.texture_network import (
    COUNT,
    FLOOR,
    FURTHEST,
    TextureConfig,
    TextureStatistics,
    Weighing,
    textures,
)
from understudy.forensics.texture_training import (
    Sample,
    log_odds_of,
    network_of,
    statistics_of,
    strangeness_of,
    weighed,
)

CPU = torch.device("cpu")
SIZE = 64
RECORD = {"trained_on": "trained on grain", "trust": ["not far"]}


@pytest.fixture(scope="module")
def statistics():
    return TextureStatistics().eval()


def grain(seed, strength=0.3, size=SIZE):
    return torch.from_numpy(np.random.default_rng(seed).normal(0, strength, (1, 6, size, size)).astype(np.float32))


def halves():
    """Person on the left, room on the right, an edge between them and nothing on the very right."""
    zones = torch.full((1, SIZE, SIZE), ROOM, dtype=torch.uint8)
    zones[:, :, :28], zones[:, :, 28:36], zones[:, :, 60:] = PERSON, EDGE, BEYOND
    return zones


# -- What is taken of two frames -----------------------------------------------------------------------------------


def test_textures_by_hand():
    before = torch.tensor([[[[1.0, 3.0], [1.0, 3.0]]]])
    after = before + torch.tensor([[[[0.0, 0.0], [0.0, 2.0]]]])
    even = torch.full((1, 1, 2, 2), 0.25)
    spread, changed, rough = textures(before, after, even)[0]
    assert spread == pytest.approx(0.0, abs=1e-6)  # 1
    assert changed == pytest.approx(np.log(0.5))  # a quarter changes by 2
    assert rough == pytest.approx(np.log(1.0 / 0.5))  # sqrt(4 / 4)
    upper = torch.tensor([[[[0.5, 0.5], [0.0, 0.0]]]])
    spread, changed, rough = textures(before, after, upper)[0]
    assert (spread, rough) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert changed == pytest.approx(np.log(FLOOR))  # nothing changes there


def test_identical_textures_in_person_and_room_differ_by_nothing(statistics):
    tiles = grain(0, size=32).repeat(1, 1, 8, 8)  # far from the borders, where padding is seen
    zones = torch.full((1, 256, 256), EDGE, dtype=torch.uint8)
    zones[:, 96:128, 96:128], zones[:, 128:160, 128:160] = PERSON, ROOM
    found = statistics(tiles, zones)
    assert found.shape == (1, COUNT)
    assert found.abs().max() < 1e-4


def test_person_and_room_are_taken_against_each_other(statistics):
    pair, zones = grain(1), halves()
    pair[:, :, :, :32] *= 0.3
    swapped = zones.clone()
    swapped[zones == PERSON], swapped[zones == ROOM] = ROOM, PERSON
    one, other = statistics(pair, zones), statistics(pair, swapped)
    torch.testing.assert_close(one, -other)
    assert one[0, :32].mean() < -0.3  # the person has less texture


def test_what_lies_in_no_zone_changes_nothing(statistics):
    pair, zones = grain(2), halves()
    other = pair.clone()
    other[:, :, :, 31:33] = 1.0
    first = slice(3 * 32)  # of the depth that looks no further than a pixel
    torch.testing.assert_close(statistics(pair, zones)[:, first], statistics(other, zones)[:, first], atol=1e-3, rtol=0)
    other[:, :, :, 10] = 1.0
    assert (statistics(pair, zones) - statistics(other, zones))[:, first].abs().max() > 0.1


def test_a_zone_that_is_nowhere_still_gives_numbers(statistics):
    for zone in (PERSON, ROOM, EDGE, BEYOND):
        assert torch.isfinite(statistics(grain(3), torch.full((1, SIZE, SIZE), zone, dtype=torch.uint8))).all()
    still = torch.zeros(1, 6, SIZE, SIZE)
    assert torch.isfinite(statistics(still, halves())).all()


def test_half_precision_is_not_used(statistics):
    pair, zones = grain(4), halves()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = statistics(pair, zones)
    assert half.dtype == torch.float32 and torch.equal(half, statistics(pair, zones))


@pytest.mark.parametrize("size", [16, 2000])
def test_sizes_that_cannot_be(size):
    with pytest.raises(ValueError, match="size must be"):
        TextureConfig(size)


# -- How it is weighed ---------------------------------------------------------------------------------------------


def sample(generated, person, recipe="", shift=0.0, seed=0, pairs=40):
    numbers = np.random.default_rng(seed).normal(0, 1, (pairs, COUNT)).astype(np.float32)
    numbers[:, 0] += shift
    return Sample(generated, person, recipe, 2.0, numbers)


def people(shift=5.0):
    return [
        sample(kind, f"p{k}", "drawn" if kind else "", shift * kind, 2 * k + kind)
        for k in range(6)
        for kind in (False, True)
    ]


def test_weighing_by_hand():
    weighing = Weighing()
    weighing.centre[0], weighing.scale[0], weighing.slope[0], weighing.slope[1] = 1.0, 2.0, 3.0, 1.0
    weighing.offset.fill_(0.5)
    numbers = torch.zeros(2, COUNT)
    numbers[0, 0], numbers[1, 0] = 2.0, 1e6
    assert weighing(numbers).tolist() == pytest.approx([3 * 0.5 + 0.5, 3 * FURTHEST + 0.5])
    assert weighing.strangeness(torch.ones(COUNT)) == pytest.approx(np.sqrt((COUNT - 1) / COUNT))


def test_what_differs_is_found_and_holds_for_others():
    weighing = weighed(people())
    assert weighing.slope.argmax() == 0
    for seed in (100, 101):
        assert (log_odds_of(weighing, sample(False, "new", seed=seed)) < 0).mean() > 0.8
        assert (log_odds_of(weighing, sample(True, "new", "drawn", 5.0, seed)) > 0).mean() > 0.8
    assert strangeness_of(weighing, sample(False, "new", seed=5)) == pytest.approx(1, abs=0.2)
    assert strangeness_of(weighing, sample(False, "new", shift=200.0, seed=5)) > 4


def test_the_solution_is_the_least_and_hangs_on_nothing_but_the_samples():
    samples = people(1.0)
    one, other = weighed(samples), weighed(samples[::-1])
    torch.testing.assert_close(one.slope, other.slope, atol=1e-5, rtol=1e-3)
    assert torch.equal(one.slope, weighed(samples).slope)

    def objective(weighing):
        real, fake = (
            np.concatenate([log_odds_of(weighing, one) for one in samples if one.generated == kind])
            for kind in (False, True)
        )
        wrong = 0.5 * np.logaddexp(0, real).mean() + 0.5 * np.logaddexp(0, -fake).mean()
        return wrong + 1e-2 * float((weighing.slope.double() ** 2).sum())

    least = objective(one)
    for place, step in itertools.product(range(0, COUNT, 40), (-0.01, 0.01)):
        moved = weighed(samples)
        moved.slope[place] += step
        assert objective(moved) > least
    moved.offset += 0.01
    assert objective(moved) > least


def test_people_and_recipes_count_alike_however_much_footage_there_is():
    samples = [*people(), sample(True, "p0", "rare", 1.0, 50)]
    once = weighed(samples)
    often = weighed([one for one in samples for _ in range(1 if one.recipe == "rare" else 3)])
    # the centre is that of all rows, so compare what comes out of it
    asked = sample(True, "new", "drawn", 2.0, 77)
    np.testing.assert_allclose(log_odds_of(once, asked), log_odds_of(often, asked), atol=0.15)
    assert weighed(samples[:-1]).slope[0] != once.slope[0]


@pytest.mark.parametrize("kind", [True, False], ids=["only generated", "only real"])
def test_both_kinds_of_clips_are_needed(kind):
    empty = sample(not kind, "b", "" if kind else "drawn", pairs=0)  # nobody was found
    with pytest.raises(DetectorError, match="add the missing kind"):
        weighed([sample(kind, "a", "drawn" if kind else ""), empty])


# -- From a clip to a file -----------------------------------------------------------------------------------------


class Middle:
    """Finds somebody in the left half of the middle of every second frame that it is shown."""

    def __init__(self):
        self.asked = 0

    def __call__(self, frame):
        self.asked += 1
        matte = np.zeros(frame.shape[:2], np.uint8)
        matte[8:40, 20:36] = 255
        return Found((8, 0, 48), matte) if self.asked % 2 else None

    def close(self):
        pass


def test_a_clip_in_numbers_and_a_detector_from_its_file(tmp_path):
    import clips

    random = np.random.default_rng(0)
    frames = [random.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(20)]
    path = clips.write_clip(tmp_path / "a.mp4", frames, 10)
    numbers = statistics_of(path, TextureConfig(SIZE), device="cpu", finder=Middle())
    assert numbers.shape == (10, COUNT) and np.isfinite(numbers).all()
    assert statistics_of(path, TextureConfig(SIZE), device="cpu", finder=lambda _: None).shape == (0, COUNT)

    made = Detector.of(
        network_of(weighed(people()), TextureConfig(SIZE), 0.25), TextureConfig(SIZE), Calibration(), RECORD
    )
    made.save(tmp_path / "d.safetensors")
    assert (tmp_path / "d.safetensors").stat().st_size < 10_000
    loaded = Detector.load(tmp_path / "d.safetensors")
    assert loaded.config == TextureConfig(SIZE)
    pairs = random.integers(0, 256, (3, 2, SIZE, SIZE, 3), np.uint8)
    zones = halves().numpy().repeat(3, axis=0)
    for before, after in zip(
        *(judged_pairs(one.network(CPU), pairs, zones, CPU) for one in (made, loaded)), strict=True
    ):
        np.testing.assert_array_equal(before, after)
        assert before.shape == (3,)
    plain = judged_pairs(network_of(weighed(people()), TextureConfig(SIZE)), pairs, zones, CPU)[0]
    np.testing.assert_allclose(judged_pairs(made.network(CPU), pairs, zones, CPU)[0], plain + 0.25, atol=1e-5)
