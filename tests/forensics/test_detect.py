"""From a video to a verdict: what is looked at, what is printed and written, and what cannot be judged."""

import dataclasses
import json
import os
from fractions import Fraction
from functools import partial

import cv2
import numpy as np
import pytest
import torch

import clips
import sandboxed
import understudy
from understudy.cli import main as cli
from understudy.errors import DetectorError, MediaError, PoseError, SandboxError, UnderstudyError, UsageError
from understudy.forensics import detector as detectors
from understudy.forensics import detector_data
from understudy.forensics.calibration import Calibration
from understudy.forensics.detector import Detector
from understudy.forensics.detector_data import (
    CRF,
    SHRINK,
    Augmentation,
    Draw,
    Footage,
    Treatment,
    augmented,
    centred,
    cut_pairs,
    load_footage,
    random_treatment,
    save_footage,
    treated,
)
from understudy.forensics.looking import BEYOND, EDGE, PERSON, ROOM, Found, TrackerFinder, looks, thinning
from understudy.forensics.paper_network import PaperConfig, new_network
from understudy.forensics.verdict import Second, drawn_time_line, verdict_of
from understudy.media.reading import VideoReader, VideoWriter, probe
from understudy.tracking.detection import Detection, Mask

LEFT = np.zeros((6, 8), np.uint8)
LEFT[:, :4] = 255
"""a matte: somebody in the left half of the picture"""
TINY = PaperConfig(size=32, width=2, layers=1)


class Square:
    """Finds whoever is asked for, where it is told; what it says comes round again."""

    def __init__(self, *squares):
        self.squares, self.asked = squares, 0

    def __call__(self, frame):
        self.asked += 1
        square = self.squares[(self.asked - 1) % len(self.squares)]
        return None if square is None else Found(square, LEFT)

    def close(self):
        pass


@pytest.fixture(scope="module")
def detector():
    """Says "generated" of bright frames: the last layer counts light, which the first one lets through."""
    torch.manual_seed(0)
    network = new_network(TINY)
    weights = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    record = {"trained_on": "trained on two bright drawings", "trust": ["not at all", "it is a drawing"]}
    return Detector(TINY, weights, Calibration(1.0, 1.0, 8), record)


@pytest.fixture
def brightness(monkeypatch):
    """Log-odds that can be foreseen: the mean of the two frames above mid-grey."""
    monkeypatch.setattr(
        detectors,
        "judged_pairs",
        lambda network, pairs, zones, device: (pairs.mean((1, 2, 3, 4)) / 10.0 - 12.8, np.full(len(pairs), 2.0)),
    )


@pytest.fixture(autouse=True)
def no_tracker(monkeypatch):
    monkeypatch.setattr("understudy.forensics.looking.TrackerFinder", lambda: Square((20, 4, 24)))


def grey(path, levels, rate=10, each=10):
    frames = [np.full((48, 64, 3), level, np.uint8) for level in levels for _ in range(each)]
    clips.write_clip(path, frames, rate)
    return path


# -- What is looked at ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "every"), [(12, 1), (Fraction(24000, 1001), 1), (30, 1), (50, 2), (60, 2), (120, 4)], ids=str
)
def test_fast_clips_are_thinned_to_about_the_usual_rate(rate, every):
    assert thinning(Fraction(rate)) == every


PAIRS = {
    (2, 10): [(0, 1)],
    (7, 10): [(k, k + 1) for k in range(6)],
    (12, 25): [(0, 1), (3, 4), (6, 7), (9, 10)],
    (14, 60): [(0, 2), (8, 10)],
}


@pytest.mark.parametrize(("frames", "rate"), PAIRS, ids=str)
def test_consecutive_frames_are_looked_at_some_times_a_second(tmp_path, frames, rate):
    clips.write_clip(tmp_path / "a.mp4", frames, rate)
    found = list(looks(tmp_path / "a.mp4", 64, margin=4 / 3, finder=Square((8, 0, 48))))
    numbers = [tuple(clips.numbers_of(look.squares.pair[:, 8:56])) for look in found]
    assert numbers == PAIRS[frames, rate]
    assert [look.start for look in found] == pytest.approx([first / rate for first, _ in numbers])


def test_the_persons_square_is_in_pixels_of_the_whole_frame(monkeypatch):
    """The tracker looks at a frame shrunk to 640 pixels; of one that is not larger, at itself."""
    points = np.zeros((133, 2), np.float32)
    points[[5, 6, 11, 12, 15, 16]] = [[110, 100], [90, 100], [106, 160], [94, 160], [106, 240], [94, 240]]
    seen = (points.any(axis=1)).astype(np.float32)

    class Told:
        def __call__(self, frame):
            shapes.append(frame.shape[:2])
            return Detection(points, seen, Mask(np.full(frame.shape[:2], 255, np.uint8)))

    shapes = []
    monkeypatch.setattr("understudy.tracking.blazepose.BlazePoseTracker", Told)
    small, large = (TrackerFinder()(np.zeros((*size_hw, 3), np.uint8)) for size_hw in ((480, 640), (1440, 1920)))
    assert shapes == [(480, 640)] * 2
    assert large.square == tuple(3 * length for length in small.square)
    left, top, side = small.square
    assert left < 90 and top < 100 and left + side > 110 and top + side > 240


def test_one_frame_is_no_pair(tmp_path):
    clips.write_clip(tmp_path / "a.mp4", 1, 10)
    with pytest.raises(MediaError, match="holds a single frame"):
        list(looks(tmp_path / "a.mp4", 48, finder=Square((0, 0, 48))))


def test_the_square_is_the_persons_and_zones_say_where_the_room_is(tmp_path):
    path = tmp_path / "a.mp4"
    random = np.random.default_rng(0)
    picture = cv2.resize(random.integers(0, 256, (6, 8, 3), np.uint8), (64, 48), interpolation=cv2.INTER_NEAREST)
    clips.write_clip(path, [picture] * 5, 5)
    frames = list(VideoReader(path))
    half, corner = np.zeros((48, 64), np.uint8), np.zeros((48, 64), np.uint8)
    half[:, :18], corner[:, 60:] = 255, 255

    everything, place = np.full((6, 8), 255, np.uint8), (10, 12, 16)
    answers = iter([None, Found(place, everything), Found(place, half), Found((500, 500, 16), corner)])
    nobody, no_room, left, far = looks(path, 16, margin=1.0, finder=lambda _: next(answers))
    assert nobody.squares is None and no_room.squares is None
    np.testing.assert_array_equal(left.squares.pair, np.stack([frame[12:28, 10:26] for frame in frames[2:4]]))
    assert (
        (left.squares.zones[:, :8] == PERSON).all()
        and (left.squares.zones[:, 8] == EDGE).all()
        and (left.squares.zones[:, 9:] == ROOM).all()
    )
    np.testing.assert_array_equal(far.squares.pair[0, :6, :6], frames[3][39:45, 55:61])  # led back into the picture
    assert (far.squares.zones[:6, :6] != BEYOND).all() and (far.squares.zones[10:, 10:] == BEYOND).all()


def test_the_edge_holds_the_seam_and_is_as_wide_with_room_to_crop(tmp_path):
    matte = np.zeros((512, 512), np.uint8)
    matte[128:384, 192:320] = 255
    clips.write_clip(tmp_path / "a.mp4", [np.zeros((512, 512, 3), np.uint8)] * 2, 2)
    square = (128, 128, 256)
    usual, wide = (
        next(iter(looks(tmp_path / "a.mp4", side, margin=margin, finder=lambda _: Found(square, matte)))).squares.zones
        for side, margin in ((128, 1.08), (160, 1.35))
    )
    across = usual[64]
    assert (across == PERSON).sum() == pytest.approx(128 / 256 / 1.08 * 128 - 2, abs=2)
    assert (across == EDGE).sum() == pytest.approx(2 * (1 + 6), abs=2)
    np.testing.assert_array_equal(wide[16:-16, 16:-16], usual)


# -- The same treatment for both -----------------------------------------------------------------------------------


def test_treatments_are_drawn_from_the_whole_range():
    draws = [random_treatment(np.random.default_rng(seed)) for seed in range(300)]
    assert {draw.crf for draw in draws} == set(range(CRF[0], CRF[1] + 1))
    assert SHRINK[0] <= min(draw.shrink for draw in draws) and max(draw.shrink for draw in draws) <= SHRINK[1]
    assert random_treatment(np.random.default_rng(7)) == draws[7]


def test_nothing_of_a_clip_but_its_pixels_decides_what_treatment_makes_of_it(tmp_path, monkeypatch):
    """The same pictures as a camera's file and as a clone's: container, sound, tags, name and folder tell nothing."""
    # else the encoder's own memory decides in one run of a hundred, see VideoWriter
    monkeypatch.setattr(detector_data, "VideoWriter", partial(VideoWriter, repeatable=True))
    films = {
        "real/anna.mov": {"audio": "aac", "metadata": {"title": "filmed", "make": "a camera"}},
        "generated/clone.mkv": {"metadata": {"comment": "made by everybody-dance-now"}},
    }
    written = []
    for name, options in films.items():
        (tmp_path / name).parent.mkdir()
        film = clips.write_clip(tmp_path / name, 8, 10, **options)
        treated(film, (tmp_path / name).with_name("again.mp4"), Treatment(30, 0.8))
        written.append((tmp_path / name).with_name("again.mp4").read_bytes())
    assert written[0] == written[1]


def test_treating_encodes_again_at_the_given_quality(tmp_path):
    random = np.random.default_rng(0)
    clips.write_clip(tmp_path / "a.mp4", [random.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(8)], 10)
    for name, treatment in {
        "good": Treatment(17, 1.0),
        "poor": Treatment(36, 1.0),
        "small": Treatment(17, 0.5),
    }.items():
        treated(tmp_path / "a.mp4", tmp_path / f"{name}.mp4", treatment)
    sizes = {name: (tmp_path / f"{name}.mp4").stat().st_size for name in ("good", "poor", "small")}
    assert sizes["poor"] < 0.6 * sizes["good"] and sizes["small"] < 0.6 * sizes["good"]
    info = probe(tmp_path / "small.mp4")
    assert info.size_hw == (24, 32) and info.frames == 8 and info.fps == 10


def test_treating_alters_brightness_as_a_mark_does(tmp_path):
    clips.write_clip(tmp_path / "a.mp4", [np.full((48, 64, 3), 100, np.uint8)] * 8, 10)
    asked = []

    def change(luma, seconds):
        asked.append((luma.shape, round(seconds, 3)))
        return np.full(luma.shape, 40 * (seconds > 0.35), np.float32)

    region = (8, 0, 32, 48)  # what the mark is of is the whole picture, not what is kept of it
    treated(tmp_path / "a.mp4", tmp_path / "b.mp4", Treatment(17, 0.5), region=region, change=change)
    assert asked == [((48, 64), number / 10) for number in range(8)]
    with VideoReader(tmp_path / "b.mp4") as reader:
        seen = [frame.mean() for frame in reader]
    assert seen == pytest.approx([100] * 4 + [140] * 4, abs=3)


def test_squares_for_training_have_room_to_crop(tmp_path):
    path = grey(tmp_path / "a.mp4", [10, 20, 30])
    pairs, zones = cut_pairs(path, 32, finder=Square((10, 4, 24), None))
    assert pairs.shape == (15, 2, 36, 36, 3) and zones.shape == (15, 36, 36)
    assert centred(pairs, 32).shape == (15, 2, 32, 32, 3) and centred(zones, 32).shape == (15, 32, 32)
    assert (centred(pairs, 32) == pairs[:, :, 2:34, 2:34]).all() and (centred(zones, 32) == zones[:, 2:34, 2:34]).all()
    with pytest.raises(PoseError, match=r"nobody is found in .*a\.mp4"):
        cut_pairs(path, 32, finder=Square(None))


def test_footage_is_kept_whole(tmp_path):
    pairs, zones = np.arange(96, dtype=np.uint8).reshape(2, 2, 2, 4, 3), np.arange(16, dtype=np.uint8).reshape(2, 2, 4)
    footage = Footage(pairs, zones, True, "p", "pix2pix", "same", 2.5, "a.mp4")
    save_footage(tmp_path / "a.safetensors", footage)
    loaded = load_footage(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(loaded.pairs, footage.pairs)
    np.testing.assert_array_equal(loaded.zones, footage.zones)
    one, other = (
        {name: value for name, value in vars(clip).items() if name not in ("pairs", "zones")}
        for clip in (loaded, footage)
    )
    assert one == other


def test_a_pair_is_altered_by_one_draw_and_kinds_are_drawn_evenly():
    pair = np.random.default_rng(0).integers(20, 200, (1, 36, 36, 3), np.uint8).repeat(2, axis=0)
    how, bright = Augmentation(noise=0.0), (pair[0] > 110).any(axis=2).astype(np.uint8)
    for seed in range(10):
        shown, zones = augmented(pair, bright, 32, how, np.random.default_rng(seed))
        assert zones.shape == (32, 32)
        assert shown.shape == (2, 32, 32, 3) and shown.dtype == np.float32
        np.testing.assert_array_equal(shown[0], shown[1])
    plain, zones = augmented(pair, bright, 32, Augmentation(0, 0, 0, 0, 0), np.random.default_rng(3))
    np.testing.assert_array_equal(zones, (plain[0] > 110 / 127.5 - 1).any(axis=2))  # cut and mirrored along
    grained = [augmented(pair, bright, 32, Augmentation(), np.random.default_rng(seed))[0] for seed in range(20)]
    assert 5 <= sum(bool((shown[0] != shown[1]).any()) for shown in grained) <= 15
    assert all(np.abs(shown).max() <= 1 for shown in grained)

    def clip(level, generated, recipe="", person="a"):
        zones = np.full((3, 32, 32), level, np.uint8)
        return Footage(np.full((3, 2, 32, 32, 3), level, np.uint8), zones, generated, person, recipe, "", 1.0)

    some = [clip(40, False)] + [clip(160, True, "much", f"p{k}") for k in range(9)] + [clip(220, True, "rare")]
    shown, zones, truth = Draw(some, 0).batch(400, 32, Augmentation(0, 0, 0, 0, 0))
    levels = np.rint((shown[:, 0, 0, 0, 0] + 1) * 127.5).astype(int)
    assert (zones[:, 0, 0] == levels).all()
    assert truth.sum() == 200 and set(levels[truth == 0]) == {40}
    assert 70 < (levels == 160).sum() < 130 and 70 < (levels == 220).sum() < 130  # methods count alike


# -- The verdict ---------------------------------------------------------------------------------------------------


def test_the_verdict_with_its_time_line(tmp_path, detector, brightness):
    path = grey(tmp_path / "dance.mp4", [20, 240, 240])
    found = understudy.detect(path, detector=detector, sandbox=False)
    assert found.pairs == 29 and found.seconds == pytest.approx(3.0) and found.person_found == 1.0
    assert [second.start for second in found.time_line] == [0, 1, 2]
    first, *rest = found.time_line
    assert first.probability == pytest.approx(0.1) and first.mean_log_odds < 0
    assert all(second.probability == pytest.approx(0.9) for second in rest)
    assert found.verdict == "generated" and found.sum_of_log_odds > 0
    verdicts = [verdict_of(p) for p in (0.0, 0.19, 0.21, 0.5, 0.79, 0.8, 1.0)]
    assert verdicts == ["real", "real", "unsure", "unsure", "unsure", "generated", "generated"]
    words = str(found)
    assert "dance.mp4: looks generated (probability of generated: 90 %)" in words
    assert "0:00  .##" in words
    assert "trained on two bright drawings" in words and "- not at all\n- it is a drawing" in words


def test_what_a_detectors_file_says_steers_no_terminal(tmp_path, detector, brightness):
    record = {"trained_on": "on \x1b[2J drawings", "trust": ["a\nb\x9b1m", "c" * 9000]}
    found = understudy.detect(
        grey(tmp_path / "a.mp4", [20]), detector=dataclasses.replace(detector, record=record), sandbox=False
    )
    *_, trained_on, _, first, second = str(found).splitlines()
    assert trained_on == "The detector: on \ufffd[2J drawings" and first == "- a b\ufffd1m" and len(second) < 1600


def test_a_long_time_line_has_a_line_a_minute():
    second = Second(0.0, 1.0, 0.9)
    lines = drawn_time_line((second,) * 150)
    assert lines[1:] == ["  0:00  " + 60 * "#", "  1:00  " + 60 * "#", "  2:00  " + 30 * "#"]


@pytest.mark.parametrize(
    ("output", "files"),
    [("told", ["told/detection.json", "told/detection.png"]), ("told.json", ["told.json", "told.png"])],
)
def test_numbers_and_plot_are_written(tmp_path, detector, brightness, output, files):
    path = grey(tmp_path / "dance.mp4", [240, 20])
    found = understudy.detect(path, tmp_path / output, detector=detector, sandbox=False)
    numbers = json.loads((tmp_path / files[0]).read_text())
    assert numbers["probability"] == found.probability and len(numbers["time_line"]) == 2
    assert numbers["trust"] == ["not at all", "it is a drawing"]
    picture = cv2.imread(str(tmp_path / files[1]))
    assert picture.shape[1] > 800 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 3


@pytest.mark.filterwarnings("error")
def test_every_file_name_can_stand_above_the_plot(tmp_path, detector, brightness):
    understudy.detect(
        grey(tmp_path / "李明 $1 in $2.mp4", [240]), tmp_path / "told.json", detector=detector, sandbox=False
    )
    assert (tmp_path / "told.png").is_file()


def test_where_it_cannot_know_it_says_why(tmp_path, detector, brightness, monkeypatch):
    nobody_for_long = Square(*[(20, 4, 24)] * 8, *[None] * 12)
    monkeypatch.setattr("understudy.forensics.looking.TrackerFinder", lambda: nobody_for_long)
    found = understudy.detect(grey(tmp_path / "a.mp4", [240, 240]), tmp_path / "told", detector=detector, sandbox=False)
    assert found.person_found == pytest.approx(8 / 19) and found.time_line[1].probability is None
    monkeypatch.setattr("understudy.forensics.looking.TrackerFinder", lambda: Square((20, 4, 24)))
    short = understudy.detect(grey(tmp_path / "b.mp4", [240], each=3), detector=detector, sandbox=False)
    slow = understudy.detect(grey(tmp_path / "c.mp4", [240], rate=4), detector=detector, sandbox=False)
    fast = grey(tmp_path / "d.mp4", [240])
    strange, at_the_limit = (
        understudy.detect(
            fast,
            detector=dataclasses.replace(detector, calibration=Calibration(1.0, 1.0, 8, strangest=limit)),
            sandbox=False,
        )
        for limit in (1.9, 2.0)
    )
    for one, name, why in (
        (found, "a", "a person, and some of the room around, is found in 42 % of it"),
        (short, "b", "it lasts 0.30 seconds, and 1 is the least to judge by"),
        (slow, "c", "it has 4 frames a second, and the detector has learnt from 5 and more"),
        (strange, "d", "it is unlike all that the detector has learnt from"),
    ):
        assert one.verdict == "unsure" and one.probability > 0.55 and one.unknowable == why
        assert str(one).startswith(f"{name}.mp4: cannot know ({why})\n\nThe detector: trained on")
    assert json.loads((tmp_path / "told" / "detection.json").read_text())["unknowable"] == found.unknowable
    assert at_the_limit.unknowable is None and at_the_limit.verdict == "generated"


MISTAKES = {
    "no such video": ("detect no.mp4", "no.mp4"),
    "not a video": ("detect text.mp4", "is a text file"),
    "one frame": ("detect one.mp4", "holds a single frame"),
    "nobody there": ("detect empty.mp4", "nobody is found in empty.mp4, or nothing of the room around"),
    "no such detector": ("detect a.mp4 --detector no.safetensors", "there is no detector no.safetensors"),
    "wrong detector": ("detect a.mp4 --detector text.mp4", "text.mp4 is not a safetensors file"),
    "output a video": ("detect a.mp4 --detector d --output b.mp4", "give a folder, or the name of a .json file"),
    "output a file": ("detect a.mp4 --detector d --output taken", "is a file: give a folder"),
    "output a folder": ("detect a.mp4 --detector d --output folder.json", "folder.json is a folder"),
    "no device": ("detect a.mp4 --detector d --device mps", "--device mps: not available"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes_cost_one_line(tmp_path, monkeypatch, capsys, detector, kind):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    clips.write_clip(tmp_path / "one.mp4", 1)
    clips.write_clip(tmp_path / "a.mp4", 3)
    clips.write_clip(tmp_path / "empty.mp4", 3)
    somebody = Square(None if "empty" in MISTAKES[kind][0] else (20, 4, 24))
    monkeypatch.setattr("understudy.forensics.looking.TrackerFinder", lambda: somebody)
    (tmp_path / "text.mp4").write_text("this is a text, not a video\n" * 9)
    (tmp_path / "taken").write_text("")
    (tmp_path / "folder.json").mkdir()
    detector.save(tmp_path / "d")
    command, words = MISTAKES[kind]
    with pytest.raises(SystemExit) as left:
        cli.main([*command.split(), *([] if "--detector" in command else ["--detector", "d"]), "--no-sandbox"])
    assert left.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.endswith(", done")]
    assert len(lines) == 1 and lines[0].startswith("error: ") and words in lines[0], lines


def test_the_command_prints_the_verdict(tmp_path, monkeypatch, capsys, detector, brightness):
    monkeypatch.chdir(tmp_path)
    detector.save(tmp_path / "mine.safetensors")
    grey(tmp_path / "a.mp4", [20])
    with pytest.raises(SystemExit) as left:
        cli.main(["detect", "a.mp4", "--detector", "mine.safetensors", "--output", "told", "--no-sandbox"])
    assert not left.value.code
    printed = capsys.readouterr().out
    assert "a.mp4: no sign of having been generated (probability of generated: 10 %)" in printed
    assert "details: told" in printed


# -- In a child, of which what it says is not believed ---------------------------------------------------------------


def test_a_child_finds_nobody_where_nobody_is(tmp_path, detector):
    with pytest.raises(PoseError, match=r"^nobody is found in .*a\.mp4"):
        understudy.detect(grey(tmp_path / "a.mp4", [20, 240]), detector=detector)
    with pytest.raises(MediaError, match=r"no\.mp4"):
        understudy.detect(tmp_path / "no.mp4", detector=detector)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("name", "work", "why"),
    [
        ("length", sandboxed.die_at, "its decoder was ended by SIGSEGV"),
        ("seen", sandboxed.die_at, "its decoder was ended by SIGSEGV"),
        ("length", sandboxed.twice, "its decoder said what it should not"),
        ("length", sandboxed.seen, "its decoder said what it should not"),
        ("seen", sandboxed.seen, "its decoder said what it should not"),
        ("seen", sandboxed.twice, "its decoder said what it should not"),
    ],
)
def test_a_child_that_dies_or_lies_costs_one_line(tmp_path, monkeypatch, capsys, detector, name, work, why):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(f"understudy.forensics.detect.{name}", work)
    detector.save(tmp_path / "d")
    grey(tmp_path / "a.mp4", [20])
    with pytest.raises(SystemExit) as left:
        cli.main(["detect", "a.mp4", "--detector", "d", "--output", "told"])
    assert left.value.code == 2 and not (tmp_path / "told").exists()
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert lines == [f"error: a.mp4 cannot be read ({why})"]


def test_a_child_cannot_say_looks_for_ever(tmp_path, monkeypatch, detector):
    monkeypatch.setattr("understudy.forensics.detect.MOST_LOOKS", 5)
    with pytest.raises(SandboxError, match="its decoder said what it should not"):
        understudy.detect(grey(tmp_path / "a.mp4", [20, 240]), detector=detector, sandbox=False)


def test_errors_are_of_one_family():
    assert issubclass(DetectorError, UnderstudyError) and issubclass(UsageError, UnderstudyError)


@pytest.mark.parametrize(
    ("marks", "says"),
    [
        (("a signed manifest", "understudy's invisible mark"),
         "generated, as its marks say: a signed manifest, understudy's invisible mark; see `understudy verify`"),
        ((), "no sign of having been generated"),
    ],
)  # fmt: skip
def test_what_marks_say_goes_before_what_is_seen(tmp_path, detector, brightness, monkeypatch, marks, says):
    """A mark makes people look more filmed, so that our own videos were called real, surely."""
    monkeypatch.setattr("understudy.forensics.detect.marks_that_say_so", lambda video, where: marks)
    found = understudy.detect(grey(tmp_path / "dance.mp4", [20, 20, 20]), detector=detector, sandbox=False)
    first = str(found).splitlines()[0]
    assert says in first and found.marked == marks
    assert found.probability <= 0.2 and found.verdict == ("generated" if marks else "real")
    assert ("What the detector sees without them: no sign of having been generated" in str(found)) == bool(marks)
