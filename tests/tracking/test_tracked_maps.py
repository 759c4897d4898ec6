"""`track` with label maps and surface maps: held against the exact ones of a made-up dancer, built in and brought."""

from fractions import Fraction

import numpy as np
import pytest
from filmed_dancer import FRAMES, SIZE_HW, filmed_dancer

from clips import real_clip
from understudy.body.labels import LABEL
from understudy.errors import MediaError, UsageError
from understudy.media.images import write_image
from understudy.media.reading import VideoReader
from understudy.performance import Performance
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render, surfaces
from understudy.synthetic.scene import make_scene
from understudy.tracking.cache import cache_key
from understudy.tracking.parsing_files import moved_to_square
from understudy.tracking.track import track

FPS = Fraction(20)
LEFT_OR_RIGHT = ("arm", "leg", "shoe", "hand")


@pytest.fixture(scope="module")
def dancer(tmp_path_factory):
    """The clip, and folders of its exact label maps and surface maps."""
    folder = tmp_path_factory.mktemp("dancer")
    filmed_dancer(folder)
    film = make_person(3), choreography(2, FRAMES / 20, FPS), make_scene(1, SIZE_HW)
    for name in ("labels", "surface"):
        (folder / name).mkdir()
    for number, shown in enumerate(render(*film)):
        write_image(folder / "labels" / f"{number:03}.png", shown.labels)
    for number, surface in enumerate(surfaces(*film)):
        write_image(folder / "surface" / f"{number:03}.png", surface)
    return folder


@pytest.fixture(scope="module")
def truth():
    film = make_person(3), choreography(2, FRAMES / 20, FPS), make_scene(1, SIZE_HW)
    return [shown.labels for shown in render(*film)], list(surfaces(*film))


def in_square(performance, maps):
    """The exact maps, where the performance's working square is."""
    crop, size = performance.header.crop, performance.header.size_hw[0]
    left, top = (-shift / crop.scale for shift in (crop.of_points(np.zeros((1, 2)))[0] + 0.5 - 0.5 * crop.scale))
    square = (round(float(left)), round(float(top)), round(size / crop.scale))
    return [moved_to_square(one, square, size, SIZE_HW) for one in maps]


@pytest.fixture(scope="module")
def built_in(dancer):
    return track(dancer / "dance.mp4", dancer / "auto.performance", size=128, parsing="auto", surface="auto")


def test_built_in_maps_are_like_the_exact_ones(built_in, truth):
    assert (built_in.header.parsing, built_in.header.surface) == ("auto", "auto")
    labels, surface = list(built_in.labels()), list(built_in.surface())
    assert len(labels) == len(surface) == len(built_in) == FRAMES
    exact_labels, exact_surface = (in_square(built_in, maps) for maps in truth)
    right, on_chart, covered = [], [], []
    for own, exact, charts, exact_charts in zip(labels, exact_labels, surface, exact_surface, strict=True):
        both = (own > 0) & (exact > 0)
        right.append((own == exact)[both].mean())
        shown, truly = charts[..., 0] > 0, exact_charts[..., 0] > 0
        covered.append((shown & truly).sum() / (shown | truly).sum())
        on_chart.append((charts[..., 0] == exact_charts[..., 0])[shown & truly].mean())
    assert np.mean(right) > 0.9 and np.mean(covered) > 0.75 and np.mean(on_chart) > 0.85


def test_nobody_is_labelled_where_the_matte_shows_nobody(built_in):
    for labels, matte in zip(built_in.labels(), built_in.mattes(), strict=True):
        assert not labels[matte < 128].any() and (labels[matte >= 128] > 0).mean() > 0.9


def test_without_asking_there_are_none_and_the_rest_is_the_same(dancer, built_in):
    plain = track(dancer / "dance.mp4", dancer / "plain.performance", size=128)
    assert not plain.has_labels and not plain.has_surface
    np.testing.assert_array_equal(plain.poses.xy, built_in.poses.xy)
    np.testing.assert_array_equal(list(plain.frames()), list(built_in.frames()))


def test_maps_that_are_brought_are_cut_as_the_frames_are(dancer, truth):
    performance = track(
        dancer / "dance.mp4", dancer / "given.performance", size=128, start=0.2, end=0.6, matte="none",
        parsing=str(dancer / "labels"), surface=str(dancer / "surface"),
    )  # fmt: skip
    assert (performance.header.parsing, performance.header.surface) == ("given", "given")
    exact_labels, exact_surface = (in_square(performance, maps[4:12]) for maps in truth)
    assert len(performance) == 8
    for own, exact in zip(performance.surface(), exact_surface, strict=True):
        np.testing.assert_array_equal(own, exact)
    own = np.stack(list(performance.labels()))
    same = own == np.stack(exact_labels)
    assert same.mean() > 0.995  # those numbered as VIP have hands of their own, cut by hand points where there are none
    assert own.any() and not np.array_equal(own[0], own[-1])


@pytest.mark.parametrize(("kind", "what"), [("parsing", "label maps"), ("surface", "surface maps")])
def test_too_many_maps_belong_to_another_clip(dancer, tmp_path, kind, what):
    (tmp_path / "maps").mkdir()
    folder = dancer / ("labels" if kind == "parsing" else "surface")
    for number in range(FRAMES + 3):
        (tmp_path / "maps" / f"{number}.png").write_bytes((folder / "000.png").read_bytes())
    with pytest.raises(MediaError, match=rf"holds {FRAMES + 3} {what}, and the video has {FRAMES} frames"):
        track(dancer / "dance.mp4", tmp_path / "me.performance", size=64, **{kind: str(tmp_path / "maps")})
    assert [path.name for path in tmp_path.iterdir()] == ["maps"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"parsing": "lip:none.onnx"}, "`parsing` names none.onnx, which is not there"),
        ({"surface": "none.pt"}, "`surface` names none.pt, which is not there"),
    ],
)
def test_what_cannot_be_used_is_told_before_the_video_is_tracked(dancer, tmp_path, monkeypatch, wrong, message):
    monkeypatch.setattr("understudy.tracking.passes.first_pass", lambda *_: pytest.fail("tracked"))
    with pytest.raises(UsageError, match=message):
        track(dancer / "dance.mp4", tmp_path / "me.performance", **wrong)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_network_is_told_before_the_video_is_tracked(dancer, tmp_path, monkeypatch):
    monkeypatch.setattr("understudy.tracking.passes.first_pass", lambda *_: pytest.fail("tracked"))
    (tmp_path / "maps").mkdir()
    for option in ("parsing", "surface"):
        with pytest.raises(MediaError, match=r"holds no (label|surface) maps"):
            track(dancer / "dance.mp4", tmp_path / "me.performance", **{option: str(tmp_path / "maps")})


def test_a_real_photograph_gets_maps(tmp_path):
    frame = next(iter(VideoReader(real_clip("juggler.mp4"), start=1, end=2)))
    write_image(tmp_path / "photo.png", frame)
    track(tmp_path / "photo.png", tmp_path / "p.performance", size=256, parsing="auto", surface="auto")
    performance = Performance.load(tmp_path / "p.performance")
    labels, surface = next(performance.labels()), next(performance.surface())
    matte = next(performance.mattes())
    shares = {name: (labels == LABEL[name]).sum() / (matte > 127).sum() for name in ("face", "upper clothes", "pants")}
    assert 0.01 < shares["face"] < 0.12 and shares["upper clothes"] > 0.2 and shares["pants"] > 0.2
    body, person = surface[..., 0] > 0, matte > 127
    assert (body & person).sum() / (body | person).sum() > 0.7
    # a shirt lies above trousers, and the chart of the front above that of the shins
    rows = [np.nonzero(labels == LABEL[name])[0].mean() for name in ("face", "upper clothes", "pants")]
    assert rows == sorted(rows)


def test_the_cache_tells_clips_with_maps_from_those_without(dancer):
    video = dancer / "dance.mp4"
    keys = {
        cache_key(video, how) for how in ({}, {"parsing": "auto"}, {"surface": "auto"}, {"parsing": "auto", "size": 64})
    }
    assert len(keys) == 4


def test_a_network_counts_by_its_content(dancer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keys = set()
    for content in ("one", "another"):
        (tmp_path / "people.onnx").write_text(content)
        keys.add(cache_key(dancer / "dance.mp4", {"parsing": "lip:people.onnx"}))
    keys.add(cache_key(dancer / "dance.mp4", {"parsing": "atr:people.onnx"}))
    assert len(keys) == 3
