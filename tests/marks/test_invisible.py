"""The invisible mark: its code, what it adds to pictures, and where it is found again."""

import itertools
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from understudy.base.sandbox import NoSandbox
from understudy.consent import Consent
from understudy.errors import MediaError
from understudy.marks import manifest
from understudy.marks.error_code import CODED_BITS, decoded, encoded
from understudy.marks.films import TooLittle, in_film, in_pictures
from understudy.marks.finding import find
from understudy.marks.invisible import (
    CELLS,
    SMALLEST,
    InvisibleMark,
    Payload,
    carriers,
    carrying_field,
    finding_field,
    laid_out,
)
from understudy.marks.marking import Marking
from understudy.marks.signing import signing
from understudy.marks.statement import Performer, Statement
from understudy.marks.told import marks_that_say_so
from understudy.media.brightness import change_frame
from understudy.media.reading import VideoReader, VideoWriter, read_image

FPS, FRAMES, SIZE_HW = Fraction(12), 60, (144, 192)
PAYLOAD = Payload(0xDECAFC0FFE)
ANNA = Performer("limb-warp", "ab" * 32, Consent("It is me", "2026-11-29T08:00:00+00:00"))


def film(frames=FRAMES, size_hw=SIZE_HW, seed=0):
    """A blurred room of noise in which a bright square goes to and fro; uint8 (H, W, 3)."""
    height, width = size_hw
    noise = np.random.default_rng(seed).uniform(40, 200, (height // 6, width // 6, 3)).astype(np.float32)
    room = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    for number in range(frames):
        picture = room.copy()
        left = int((width - 30) * (0.5 + 0.5 * np.sin(number / 5)))
        picture[height // 3 : height // 3 + 40, left : left + 30] = 230
        yield picture


def luma_of(picture):
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def marked(payload=PAYLOAD, **shape):
    """Brightness and seconds of the marked film."""
    mark = None
    for number, picture in enumerate(film(**shape)):
        luma, seconds = luma_of(picture), number / 12
        mark = mark or InvisibleMark(payload, luma.shape)
        yield cv2.add(luma, mark.change(luma, seconds), dtype=cv2.CV_8U), seconds


@pytest.fixture(scope="module")
def pictures():
    return list(marked())


def marking():
    return Marking(Statement((ANNA,), True, "9"), signing())


def test_the_code_gives_its_bits_back_though_a_fifth_is_lost_and_some_are_wrong():
    random = np.random.default_rng(0)
    bits = random.integers(0, 2, 64)
    coded = 2.0 * encoded(bits) - 1
    assert len(coded) == CODED_BITS == 288
    coded[random.permutation(288)[:58]] = 0
    coded[random.permutation(288)[:20]] *= -1
    np.testing.assert_array_equal(decoded(coded), bits)


def test_codes_of_different_bits_differ_in_24_places_at_least():
    one = np.eye(64, dtype=np.int64)
    some = [np.zeros(64, np.int64), *one, *(one[a] ^ one[a + b] for a, b in itertools.product(range(48), range(1, 16)))]
    words = np.stack([encoded(bits) for bits in some])
    assert words[1:].sum(axis=1).min() == 24


def test_a_payload_is_64_bits_and_comes_back():
    assert Payload.of(PAYLOAD.bits) == PAYLOAD and PAYLOAD.ours
    assert PAYLOAD.bits.shape == (64,)
    assert not Payload(1, version=2).ours and not Payload.of(np.zeros(64, np.int64)).ours


def test_fields_are_balanced_and_the_same_everywhere():
    """Of a hash: what one machine marks, another one of tomorrow finds."""
    assert abs(finding_field().mean()) < 0.05 and abs((finding_field() * carrying_field(PAYLOAD)).mean()) < 0.05
    assert "".join("+" if cell > 0 else "-" for cell in finding_field()[0, :16]) == "+-++++---+++-++-"
    which, _ = carriers()
    assert np.bincount(which.ravel()).min() == 14  # cells of each of 288 bits


def test_the_change_is_small_least_where_little_goes_on_and_turns():
    luma = np.full((480, 640), 128, np.uint8)
    luma[:, 320:] = np.random.default_rng(0).integers(0, 255, (480, 320))
    mark = InvisibleMark(PAYLOAD, luma.shape)
    now, later = mark.change(luma, 0.0).copy(), mark.change(luma, 2.0).copy()
    still, busy = np.abs(now[:, :240]).max(), np.abs(now[:, 400:]).max()
    assert 0.5 < still < 1.2 < busy < 3
    np.testing.assert_allclose(later, -now, atol=1e-4)  # half a turn
    assert np.array_equal(mark.change(luma, 2.04), later)  # kept for a moment
    assert np.abs(now.mean()) < 0.05


def plainly(mark, luma, seconds):
    """What a mark adds, as its formula has it: every step in memory of its own."""
    height, width = luma.shape
    cell = min(luma.shape) / CELLS
    coarse_hw = [round(side / cell * 4) for side in luma.shape]
    finding, carrying = (laid_out(field, coarse_hw, 4) for field in (finding_field(), carrying_field(mark.payload)))
    seen = luma[:: max(1, height // coarse_hw[0]), :: max(1, width // coarse_hw[1])].astype(np.float32)
    mean, square = cv2.blur(seen, (5, 5)), cv2.blur(seen * seen, (5, 5))
    deviation = cv2.sqrt(np.maximum(square - mean * mean, 0.0))
    calm = cv2.blur(cv2.erode(deviation, np.ones((5, 5), np.uint8)), (3, 3))
    least = 0.6 * min(max(8.0 / cell, 1.0), 1.6)
    amplitude = cv2.resize(np.clip(least + 0.06 * calm, least, 1.6), coarse_hw[::-1], interpolation=cv2.INTER_LINEAR)
    angle = 2 * np.pi * seconds / 4.0
    turned = finding * float(np.cos(angle)) + carrying * float(np.sin(angle))
    return cv2.resize(turned * amplitude, (width, height), interpolation=cv2.INTER_LINEAR)


@pytest.mark.parametrize("size_hw", [(96, 97), (100, 214), (333, 180), (1080, 1920), (1919, 1079)])
def test_with_memory_used_again_it_is_the_same_to_the_bit(size_hw):
    """Pictures that were marked before must not differ in a bit from those of an earlier version."""
    random, mark = np.random.default_rng(size_hw), InvisibleMark(PAYLOAD, size_hw)
    for number in range(4):
        few = random.integers(0, 256, [side // 7 for side in size_hw], np.uint8)
        soft = cv2.resize(few, size_hw[::-1], interpolation=cv2.INTER_CUBIC)
        luma = soft if number % 2 else random.integers(0, 256, size_hw, np.uint8)
        wide = np.zeros((size_hw[0], size_hw[1] + 9), np.uint8)  # as a decoded picture's rows are filled up
        wide[:, : size_hw[1]] = luma
        expected = plainly(mark, luma, number / 7)
        assert np.array_equal(mark.change(wide[:, : size_hw[1]], number / 7), expected)
        assert np.array_equal(mark.change(np.zeros_like(luma), number / 7 + 0.05), expected)  # kept for a moment


@pytest.mark.parametrize("width", [97, 128, 214])
def test_a_picture_is_changed_where_it_lies_and_nothing_beside_it(width):
    random = np.random.default_rng(width)
    picture = av.VideoFrame(width, 96, "yuv420p")
    planes = [np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1) for plane in picture.planes]
    for plane in planes:
        plane[...] = random.integers(0, 256, plane.shape)
    before = [plane.copy() for plane in planes]
    added = random.normal(0, 2, (96, width)).astype(np.float32)
    change_frame(picture, lambda luma, seconds: added, 0.0)
    exact = before[0][:, :width] + added.astype(np.float64)
    assert np.array_equal(planes[0][:, :width], np.rint(exact).clip(0, 255))
    for now, old, inside in zip(planes, before, (width, 0, 0), strict=True):
        assert np.array_equal(now[:, inside:], old[:, inside:])


def test_in_small_pictures_it_is_stronger():
    whole, half, least = (
        np.abs(InvisibleMark(PAYLOAD, (side, side)).change(np.full((side, side), 128, np.uint8), 0.0)).max()
        for side in (768, 256, 96)
    )
    assert half / whole == pytest.approx(1.5, rel=0.05) and least > whole  # of which the finest cells lose some again


def test_a_marked_film_is_found_and_others_are_not(pictures):
    found = find(pictures)
    assert found.payload == PAYLOAD and found.scale == pytest.approx(1, abs=0.005) and not found.mirrored
    assert find((luma_of(picture), number / 12) for number, picture in enumerate(film())) is None


@pytest.mark.parametrize("times", [0, 0.8, 1.5])
def test_it_is_found_wherever_one_begins_to_look(pictures, times):
    assert find([(luma, seconds) for luma, seconds in pictures if seconds >= times]).payload == PAYLOAD


def test_a_moment_is_too_short(pictures):
    assert find(pictures[:6]) is None and find([]) is None


def test_it_is_found_in_what_was_cut_out_and_resized(pictures):
    cut = [(cv2.resize(luma[8:136, 14:186], (260, 194)), seconds) for luma, seconds in pictures]
    found = find(cut)
    assert found.payload == PAYLOAD and found.scale == pytest.approx(144 / 128, rel=0.01)


def test_it_is_found_in_a_mirror(pictures):
    found = find([(np.ascontiguousarray(luma[:, ::-1]), seconds) for luma, seconds in pictures])
    assert found.payload == PAYLOAD and found.mirrored


def test_every_other_picture_is_enough_and_brightness_does_not_matter(pictures):
    darker = [(cv2.convertScaleAbs(luma, alpha=0.8, beta=5), seconds) for luma, seconds in pictures[::2]]
    assert find(darker).payload == PAYLOAD


def write(path, marking, kind=None, frames=FRAMES, size_hw=SIZE_HW):
    with VideoWriter(path, FPS, kind=kind, marking=marking) as writer:
        for picture in film(frames, size_hw):
            alpha = np.full((*size_hw, 1), 255, np.uint8)
            alpha[:, :20] = 0
            writer.write(np.concatenate([picture, alpha], axis=2) if kind == "transparent" else picture)
    return path


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm", "out.mov"])
def test_files_bear_the_mark_that_their_manifest_names(tmp_path, name):
    hand = marking()
    file = write(tmp_path / name, hand, "transparent" if name in ("out.webm", "out.mov") else None)
    assert in_film(file).payload == hand.invisible
    assert manifest.read(file).ours["invisible_mark"] == f"{hand.invisible.identity:010x}"


def test_a_mark_outlives_another_programs_encoding_and_the_manifest_does_not(tmp_path):
    hand = marking()
    sent, file = tmp_path / "sent.mp4", write(tmp_path / "out.mp4", hand, frames=120, size_hw=(288, 384))
    with VideoReader(file) as frames, av.open(str(sent), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"crf": "28"})
        stream.width, stream.height, stream.pix_fmt = 384, 288, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    assert in_film(sent).payload == hand.invisible
    assert manifest.read(sent) is None


def test_which_marks_say_that_a_video_was_generated(tmp_path, capsys):
    file = write(tmp_path / "out.mp4", marking())
    assert marks_that_say_so(file, NoSandbox()) == ("a signed manifest", "metadata", "understudy's invisible mark")
    assert "looking for marks: 60 frames" in capsys.readouterr().err
    again = tmp_path / "again.mp4"
    with VideoReader(file) as frames, VideoWriter(again, FPS) as writer:
        for frame in frames:
            writer.write(frame)
    assert marks_that_say_so(again, NoSandbox()) == ("understudy's invisible mark",)
    assert marks_that_say_so(write(tmp_path / "plain.mp4", None), NoSandbox()) == ()
    assert marks_that_say_so(tmp_path / "none.mp4", NoSandbox()) == ()


def test_a_folder_of_pictures_bears_it_and_what_is_not_seen_stays_as_it_is(tmp_path):
    hand = marking()
    folder = write(tmp_path / "frames", hand, "transparent")
    files = sorted(folder.iterdir())
    assert in_pictures(files).payload == hand.invisible
    plain = write(tmp_path / "plain", None, "transparent")
    first, same = (cv2.imread(str(one / "000001.png"), cv2.IMREAD_UNCHANGED) for one in (folder, plain))
    np.testing.assert_array_equal(first[:, :20], same[:, :20])
    assert 0 < np.abs(first[:, 20:].astype(int) - same[:, 20:]).max() < 5


def test_the_same_performance_bears_the_same_identity_and_another_person_does_not(tmp_path):
    hands = [marking(), marking(), Marking(Statement((), True, "9"), signing())]
    for number, hand in enumerate(hands):
        write(tmp_path / f"{number}.mp4", hand, frames=2)
    first, second, third = (hand.invisible.identity for hand in hands)
    assert first == second != third


def test_small_pictures_bear_none_and_short_or_small_films_are_not_looked_into(tmp_path):
    hand = marking()
    small = write(tmp_path / "small.mp4", hand, size_hw=(SMALLEST - 2, 200), frames=30)
    assert hand.invisible is None and "invisible_mark" not in manifest.read(small).ours
    short = write(tmp_path / "short.mp4", marking(), frames=12)
    for file in (small, short):
        with pytest.raises(TooLittle):
            in_film(file)
    folder = write(tmp_path / "few", marking(), "transparent", frames=4)
    with pytest.raises(TooLittle, match="4 pictures are too few"):
        in_pictures(sorted(folder.iterdir()))
    with pytest.raises(MediaError):
        in_film(tmp_path / "nothing.mp4")


def test_without_marking_pictures_are_what_was_written(tmp_path):
    folder = write(tmp_path / "plain", None, "transparent", frames=1)
    np.testing.assert_array_equal(read_image(folder / "000001.png")[:, 20:], next(film())[:, 20:])
