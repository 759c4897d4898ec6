"""Several actors in one video: what stands where, that nothing differs from playing alone, memory and clean-up."""

import gc
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_perform import with_sound

from tiny import tiny_performance
from tiny_actor import drawing_actor, tiny_actor
from understudy.compositing.backgrounds import Background
from understudy.errors import ActorError, UsageError
from understudy.media.reading import VideoReader, probe, read_image
from understudy.performance import Performance
from understudy.performing import ensemble
from understudy.performing.driver import Driver
from understudy.performing.ensemble import perform_together
from understudy.performing.marked_video import performer_of
from understudy.performing.members import Member, members
from understudy.performing.perform import perform_to_file
from understudy.poses.similarity import IDENTITY, Similarity
from understudy.retargeting.alignment import BodyStatistics, body_statistics
from understudy.verbs.perform import perform

FRAMES = 12
BLACK, RED, BLUE = (0, 0, 0), (220, 20, 20), (20, 20, 220)


@pytest.fixture(scope="module")
def driving(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    return tiny_performance(tmp_path_factory.mktemp("driving") / "dance.performance", 1, frames=FRAMES)


def room(height: int, width: int, colour: tuple[int, int, int]) -> dict[str, object]:
    picture = np.broadcast_to(np.array(colour, np.uint8), (height, width, 3)).copy()
    return {"original_size_hw": (height, width), "background": picture}


def player(driving: Performance, height: int = 48, width: int = 40, colour: tuple[int, int, int] = (90, 60, 30)):
    return drawing_actor(body=body_statistics(driving.poses), **room(height, width, colour))


def pictures(folder: Path) -> np.ndarray:
    """(T, H, W, 4) straight RGBA of a folder of pictures."""
    frames = []
    for file in sorted(folder.iterdir()):
        black, white = (read_image(file, colour).astype(int) for colour in (BLACK, (255, 255, 255)))
        frames.append(np.dstack([black, 255 - (white - black)[..., :1]]))
    return np.stack(frames)


@pytest.mark.parametrize("layout", ["side-by-side", "stage"])
def test_one_actor_alone_is_as_it_was(tmp_path: Path, driving: Performance, layout: str) -> None:
    actor = player(driving)
    see_through = Background("transparent")  # pictures: one encoding of the same frames is not always as the next
    perform_to_file(actor, Driver(driving), tmp_path / "before", background=see_through)
    perform([actor], driving, tmp_path / "list", layout=layout, background="transparent")
    perform(actor, driving, tmp_path / "alone", layout=layout, background="transparent")
    for name in ("list", "alone"):
        np.testing.assert_array_equal(pictures(tmp_path / name), pictures(tmp_path / "before"))


def test_side_by_side_everybody_looks_as_alone(tmp_path: Path, driving: Performance) -> None:
    cast = [player(driving), player(driving, colour=(0, 80, 160)), player(driving, 96, 120)]
    for number, actor in enumerate(cast[:2]):
        perform_to_file(actor, Driver(driving), tmp_path / str(number))  # pictures, so that nothing is lost by encoding
    perform_together(members(cast, "side-by-side"), Driver(driving), tmp_path / "together", layout="side-by-side")
    alone, other, together = (pictures(tmp_path / name)[..., :3] for name in ("0", "1", "together"))
    assert together.shape == (FRAMES, 48, 40 + 40 + 60, 3)
    np.testing.assert_array_equal(together[:, :, :40], alone)
    np.testing.assert_array_equal(together[:, :, 40:80], other)
    assert (np.abs(together[:, :, 80:] - (200, 40, 120)).sum(-1) < 90).sum() > 10 * FRAMES  # the third dances too


def test_the_same_actor_twice_plays_once_and_is_seen_twice(tmp_path: Path, driving: Performance) -> None:
    actor = player(driving)
    played = []

    class Counting(type(actor)):  # type: ignore[misc]
        def painted(self, moments):
            played.append(0)
            for frame in super().painted(moments):
                played[-1] += 1
                yield frame

    twice = [Counting(**vars(actor))] * 2
    perform(twice, driving, tmp_path / "side", background="transparent")
    assert played == [FRAMES]
    found = pictures(tmp_path / "side")
    np.testing.assert_array_equal(found[:, :, :40], found[:, :, 40:])


def test_on_a_stage_nobody_is_cut_and_feet_are_level(tmp_path: Path, driving: Performance) -> None:
    tall = replace(player(driving, 96, 80), crop=replace(player(driving).crop, scale=0.5))
    cast = [player(driving), tall, player(driving)]
    perform(cast, driving, tmp_path / "stage", background="transparent", layout="stage")
    alpha = pictures(tmp_path / "stage")[..., 3] > 128
    assert alpha.shape[1:] == (48, 50)  # 40 wide, made as wide as three need
    edges = [alpha[:, 0], alpha[:, -1], alpha[:, :, 0], alpha[:, :, -1]]
    assert not any(edge.any() for edge in edges)
    thirds = np.array_split(np.arange(alpha.shape[2]), 3)
    lowest = [np.flatnonzero(alpha[0][:, third].any(axis=1)).max() for third in thirds]
    assert np.ptp(lowest) <= 1
    assert all(alpha[:, :, third].any(axis=(1, 2)).all() for third in thirds)


@pytest.mark.parametrize(
    ("background", "size_hw", "corner"),
    [("reference", (48, 40), (90, 60, 30)), ("driving", (48, 40), (60, 60, 60)), ("#2040a0", None, (32, 64, 160))],
)
def test_the_stage_has_the_background_asked_for(
    tmp_path: Path, driving: Performance, background: str, size_hw: tuple[int, int] | None, corner: tuple[int, ...]
) -> None:
    cast = [player(driving), player(driving, colour=(0, 80, 160))]
    perform(cast, driving, tmp_path / "out.mkv", background=background, layout="stage")
    frames = list(VideoReader(tmp_path / "out.mkv"))
    assert len(frames) == FRAMES
    assert size_hw is None or frames[0].shape[:2] == size_hw
    assert np.abs(frames[3][-3:, :4].astype(int) - corner).max() < 12


def test_a_narrow_stage_makes_all_smaller_and_says_so(
    tmp_path: Path, driving: Performance, caplog: pytest.LogCaptureFixture
) -> None:
    perform([player(driving)] * 4, driving, tmp_path / "out.mp4", layout="stage")
    assert "4 performers do not fit at their size on a stage of 40x48" in caplog.text


@pytest.mark.parametrize(
    ("lower_by", "in_front"), [(4.0, BLUE), (-4.0, RED), (0.0, RED)], ids=["second", "first", "tie"]
)
def test_whose_feet_are_lower_is_painted_over_the_other(
    tmp_path: Path,
    driving: Performance,
    monkeypatch: pytest.MonkeyPatch,
    lower_by: float,
    in_front: tuple[int, int, int],
) -> None:
    class Painter(type(player(driving))):  # type: ignore[misc]
        def painted(self, moments):
            for frame in super().painted(moments):
                frame[4:28, 8:24] = RED if self.reference_name == "red" else BLUE
                yield frame

    spots = [IDENTITY, Similarity.shifted(3, lower_by)]
    monkeypatch.setattr(ensemble, "stage_spots", lambda *_: (spots, 1.0))
    cast = [Painter(**vars(replace(player(driving), reference_name=name))) for name in ("red", "blue")]
    perform(cast, driving, tmp_path / "out", background="transparent", layout="stage")
    middle = pictures(tmp_path / "out")[:, 16, 16, :3]
    assert np.abs(middle - in_front).max() < 4


def test_sound_rate_length_and_comparison(tmp_path: Path) -> None:
    clip = with_sound(tmp_path / "dance.mp4", FRAMES / 25)
    performance = tiny_performance(tmp_path / "dance.performance", 1, frames=FRAMES)
    out, compare = tmp_path / "new" / "out.mp4", tmp_path / "new" / "out.compare.mp4"
    cast = members([tiny_actor(), tiny_actor()], "side-by-side")
    perform_together(cast, Driver(performance, sound=clip), out, layout="side-by-side", compare=compare)
    for file in (out, compare):
        info = probe(file)
        assert (info.frames, info.fps, info.has_audio) == (FRAMES, 25, True)
        assert not any(side % 2 for side in info.size_hw)
    assert probe(compare).size_hw[1] > probe(compare).size_hw[0]
    assert sorted(file.name for file in out.parent.iterdir()) == ["out.compare.mp4", "out.mp4"]


def test_only_one_network_is_loaded_at_a_time(tmp_path: Path, driving: Performance) -> None:
    living: list[weakref.ref] = []

    def load():
        gc.collect()
        assert [one for one in living if one() is not None] == []
        actor = player(driving)
        living.append(weakref.ref(actor))
        return actor

    outline = replace(player(driving), weights={}, statistics={})
    performer = performer_of(player(driving))
    cast = [Member(str(number), number, outline, load, performer) for number in range(3)]
    perform_together(cast, Driver(driving), tmp_path / "out.mp4", layout="stage")
    assert len(living) == 3


@pytest.mark.parametrize("stop", [RuntimeError("no memory"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
def test_whatever_stops_it_leaves_nothing(tmp_path: Path, driving: Performance, stop: BaseException) -> None:
    before = tmp_path / "together.mp4"
    before.write_bytes(b"of yesterday")
    seen = []

    class Stopping(type(player(driving))):  # type: ignore[misc]
        def painted(self, moments):
            yield from list(super().painted(moments))[:5]
            seen.extend(file.name for file in tmp_path.rglob("*") if file.is_file())
            raise stop

    cast = [player(driving), Stopping(**vars(player(driving)))]
    with pytest.raises(type(stop)):
        perform(cast, driving, before)
    assert any("part" not in name and name.endswith(".mp4") and name != before.name for name in seen)  # the first's
    assert [file.name for file in tmp_path.iterdir()] == ["together.mp4"]
    assert before.read_bytes() == b"of yesterday"


def test_an_actor_that_paints_its_room_stays_in_it(driving: Performance) -> None:
    class InItsRoom(type(player(driving))):  # type: ignore[misc]
        paints_room = True

    actor = player(driving)
    with_room = InItsRoom(**vars(actor) | {"reference_name": "anna.mp4"})
    with pytest.raises(UsageError, match=r"anna was learnt together with its room .* use `layout='side-by-side'`"):
        members([actor, with_room], "stage")
    assert len(members([actor, with_room], "side-by-side")) == 2


@pytest.mark.parametrize(
    ("actors", "options", "message"),
    [
        ([], {}, "nobody is there to perform: give `actor="),
        (["one.actor", "two.actor"], {"layout": "circle"}, "`layout='circle'`: there is no such one"),
        (["one.actor", "out.mp4"], {}, "would overwrite what it is made from"),
        (["one.actor", "two.actor"], {}, "there is no actor two.actor"),
        (["one.actor", "two.actor"], {"background": "nowhere.png"}, "neither a colour nor an existing file"),
    ],
    ids=["nobody", "layout", "overwritten", "missing", "background"],
)
def test_mistakes_are_said_before_any_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    driving: Performance,
    actors: list[str],
    options: dict[str, str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_actor().save("one.actor")
    Path("out.mp4").write_bytes(b"dear")
    with pytest.raises((UsageError, ActorError), match=message):
        perform(actors, driving, "out.mp4", **options)
    assert Path("out.mp4").read_bytes() == b"dear"


def test_a_driver_who_is_missing_fades_everybody(tmp_path: Path) -> None:
    gap = tiny_performance(tmp_path / "gap.performance", 1, frames=60, missing=tuple(range(20, 45)))
    perform([player(gap), player(gap)], gap, tmp_path / "out", background="transparent", layout="stage")
    alpha = pictures(tmp_path / "out")[..., 3]
    assert alpha[32].max() == 0 and alpha[10].max() == 255 and 0 < alpha[22].max() < 255


def test_bodies_of_other_sizes_are_told_from_their_pictures(tmp_path: Path, driving: Performance) -> None:
    body = body_statistics(driving.poses)
    x, y = body.centre_xy
    child = BodyStatistics(
        (x, y + 4), body.hip_width / 2, body.torso_length / 2, tuple(length / 2 for length in body.limb_lengths)
    )
    cast = [player(driving), replace(player(driving), body=child)]
    perform(cast, driving, tmp_path / "out", background="transparent", layout="stage")
    alpha = pictures(tmp_path / "out")[..., 3] > 128
    halves = np.array_split(alpha[0], 2, axis=1)
    heights = [np.ptp(np.flatnonzero(half.any(axis=1))) for half in halves]
    assert heights[1] == pytest.approx(heights[0] / 2, abs=2.5)


@pytest.mark.parametrize(("others", "shown"), [("limb-warp", [False, True]), ("cyclegan", [True, True])])
def test_who_learnt_no_fingers_is_shown_none_that_were_tracked_for_others(
    tmp_path: Path, driving: Performance, monkeypatch: pytest.MonkeyPatch, others: str, shown: list[bool]
) -> None:
    """Among themselves they get what the driver was tracked with, as alone."""
    whole = Performance(driving.path, replace(driving.header, landmarks="wholebody"), driving.poses, driving.status)
    confidence = np.ones_like(driving.poses.confidence)
    whole.poses = replace(driving.poses, confidence=confidence)
    asked = []

    def part_for(actor: object, performance: Performance, missing_limbs: object) -> object:
        asked.append(bool(performance.poses.confidence[:, 91:].any()))
        return part

    part = ensemble.part_for(player(driving), driving)
    cast = members([player(driving), player(driving, colour=RED)], "side-by-side")
    cast[1] = replace(cast[1], outline=replace(cast[1].outline, recipe=others))
    monkeypatch.setattr(ensemble, "part_for", part_for)
    perform_together(cast, Driver(whole), tmp_path / "both", layout="side-by-side", marks=False)
    assert asked == shown
