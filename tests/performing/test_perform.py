"""From poses to a finished video: place, size, rate, sound, fades, transparency, comparison."""

import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tiny import tiny_performance
from tiny_actor import drawing_actor, tiny_actor
from understudy.errors import ActorError, UsageError
from understudy.media.reading import VideoReader, VideoWriter, probe, read_image
from understudy.performance import Crop, Performance
from understudy.performing.driver import Driver
from understudy.performing.perform import part_for, perform_to_file, placement
from understudy.retargeting.alignment import body_statistics
from understudy.verbs.perform import perform

FRAMES = 30


@pytest.fixture(scope="module")
def driving(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    return tiny_performance(tmp_path_factory.mktemp("driving") / "dance.performance", 1, frames=FRAMES)


def own_actor(performance: Performance, **changes: object):
    return drawing_actor(body=body_statistics(performance.poses), **changes)


def with_sound(path: Path, seconds: float) -> Path:
    """A small video with a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        audio = container.add_stream("aac", rate=16000)
        for _ in range(round(seconds * 25)):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(video.encode(None))
        tone = np.sin(np.arange(int(seconds * 16000)) / 5).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


@pytest.mark.parametrize("crop", [Crop(1.0, (0.0, 0.0)), Crop(0.5, (-3.0, 2.0)), Crop(1.7, (-20.5, -6.25))], ids=str)
def test_the_performer_stands_where_the_crop_had_it(tmp_path: Path, driving: Performance, crop: Crop) -> None:
    actor = own_actor(driving, crop=crop, original_size_hw=(80, 70), background=np.zeros((80, 70, 3), np.uint8))
    perform_to_file(actor, Driver(driving), tmp_path / "out.mkv")
    neck = driving.poses.openpose18()[0][:, 1]
    expected = (neck - crop.translation_xy) / crop.scale
    errors = []
    for frame, (x, y) in zip(VideoReader(tmp_path / "out.mkv"), expected, strict=True):
        shoulders = frame[max(0, round(y) - 1) : round(y) + 2].max(axis=0)[:, 0] > 90
        if shoulders.any() and 8 < x < 62:
            errors.append(np.flatnonzero(shoulders).mean() - x)
    assert np.abs(errors).mean() < 1.5 / min(crop.scale, 1)


def test_recipe_frames_are_resized_edge_to_edge() -> None:
    actor = tiny_actor(working_size=64, crop=Crop(0.5, (10.0, 4.0)))
    to_recipe = placement(actor, np.array([3, -2]))
    # a recipe pixel's centre, through the working frame, to the original picture and back
    for recipe_pixel in (0.0, 11.5, 31.0):
        working = (recipe_pixel + 3 + 0.5) * 2 - 0.5
        x = (working - 10) / 0.5
        working = (recipe_pixel - 2 + 0.5) * 2 - 0.5
        y = (working - 4) / 0.5
        assert to_recipe.of_points([x, y]) == pytest.approx([recipe_pixel, recipe_pixel])


def test_video_has_the_references_size_and_the_drivers_rate_length_and_sound(tmp_path: Path) -> None:
    clip = with_sound(tmp_path / "dance.mp4", FRAMES / 25)
    performance = tiny_performance(tmp_path / "dance.performance", 1, frames=FRAMES)
    output = tmp_path / "new" / "out.mp4"
    perform_to_file(tiny_actor(), Driver(performance, sound=clip), output, compare=tmp_path / "new" / "out.compare.mp4")
    info = probe(output)
    assert (info.size_hw, info.fps, info.frames, info.has_audio) == ((48, 40), Fraction(25), FRAMES, True)
    compared = probe(tmp_path / "new" / "out.compare.mp4")
    assert compared.size_hw[0] >= 48 and compared.size_hw[1] >= 3 * 40
    assert (compared.frames, compared.has_audio) == (FRAMES, True)
    assert sorted(file.name for file in output.parent.iterdir()) == ["out.compare.mp4", "out.mp4"]


def test_a_performance_has_no_sound_and_says_so(
    tmp_path: Path, driving: Performance, caplog: pytest.LogCaptureFixture
) -> None:
    tiny_actor().save(tmp_path / "me.actor")
    with caplog.at_level(logging.INFO, "understudy"):
        assert perform(tmp_path / "me.actor", driving.path, tmp_path / "out.mp4") == tmp_path / "out.mp4"
    assert "without sound" in caplog.text
    assert not probe(tmp_path / "out.mp4").has_audio


@pytest.mark.parametrize(
    ("background", "corner"),
    [("200,100,50", (200, 100, 50)), ("reference", (90, 60, 30)), ("#202030", (32, 32, 48))],
)
def test_backgrounds_fill_what_the_performer_leaves(
    tmp_path: Path, driving: Performance, background: str, corner: tuple[int, int, int]
) -> None:
    actor = own_actor(driving, background=np.full((48, 40, 3), (90, 60, 30), np.uint8))
    perform(actor, driving, tmp_path / "out.mp4", background=background)
    frames = list(VideoReader(tmp_path / "out.mp4"))
    assert len(frames) == FRAMES
    assert np.abs(frames[5][40:].astype(int) - corner).max() < 12  # below the 32 pixels of the working frame
    assert (np.abs(frames[5].astype(int) - (200, 40, 120)).sum(-1) < 60).any()


def test_transparent_pictures(tmp_path: Path, driving: Performance) -> None:
    perform(own_actor(driving), driving, tmp_path / "pictures", background="transparent")
    files = sorted((tmp_path / "pictures").iterdir())
    assert len(files) == FRAMES
    on_white = read_image(files[3], (255, 255, 255)).astype(int)
    on_black = read_image(files[3], (0, 0, 0)).astype(int)
    alpha = 255 - (on_white - on_black)[..., 0]
    assert alpha[40:].max() == 0 and (alpha == 255).sum() > 50
    np.testing.assert_allclose(
        on_black[alpha == 255], np.broadcast_to((200, 40, 120), ((alpha == 255).sum(), 3)), atol=40
    )
    perform(own_actor(driving), driving, tmp_path / "pictures", background="transparent")  # its own pictures may go


def test_transparent_video(tmp_path: Path, driving: Performance) -> None:
    perform(own_actor(driving), driving, tmp_path / "out.webm", background="transparent", compare=True)
    frame = next(iter(VideoReader(tmp_path / "out.webm", alpha_background=(0, 0, 255))))
    assert frame[44, 5, 2] > 200 and frame[44, 5, 0] < 40
    assert probe(tmp_path / "out.compare.mp4").frames == FRAMES


def test_the_performer_fades_where_the_driver_is_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    performance = tiny_performance(tmp_path / "gap.performance", 1, frames=60, missing=tuple(range(20, 45)))
    actor = own_actor(performance, background=np.zeros((48, 40, 3), np.uint8))
    with caplog.at_level(logging.WARNING, "understudy"):
        perform_to_file(actor, Driver(performance), tmp_path / "out.mkv")
    assert "nobody was found in 25 of 60 driving frames" in caplog.text
    brightness = np.array([frame.max() for frame in VideoReader(tmp_path / "out.mkv")])
    assert brightness[30:35].max() < 8 and brightness[:20].min() > 150 and brightness[45:].min() > 150
    assert 30 < brightness[22] < 190


def test_nobody_is_cut_off_at_the_edge_of_the_generated_square(tmp_path: Path, driving: Performance) -> None:
    actor = own_actor(driving)
    body = actor.body
    far = drawing_actor(
        body=type(body)(
            (body.centre_xy[0] + 20, body.centre_xy[1]), body.hip_width, body.torso_length, body.limb_lengths
        ),
        original_size_hw=(48, 80),
        background=np.zeros((48, 80, 3), np.uint8),
    )
    part = part_for(far, driving)
    assert (part.window[:, 0] >= 10).all() and not part.window[:, 1].any()
    perform_to_file(far, Driver(driving), tmp_path / "out.mkv")
    columns = np.max([frame.max(axis=(0, 2)) for frame in VideoReader(tmp_path / "out.mkv")], axis=0)
    reach = driving.poses.xy[..., 0][driving.poses.confidence > 0].max() + 20
    assert np.flatnonzero(columns > 100).max() == pytest.approx(reach, abs=3)


@pytest.mark.parametrize(
    ("output", "background", "message"),
    [
        (".mp4", "reference", r"`output` .* is a suffix without a name before it: out\.mp4, for example"),
        ("out.avi", "reference", r"cannot write a video as .*: use \.mp4"),
        ("out.mp4", "transparent", r"cannot write a transparent video as .*: use \.webm"),
        ("dance.performance/frames.mp4", "dance.performance/frames.mp4", "would overwrite what it is made from"),
        ("dance.performance", "transparent", r"cannot write a transparent video as dance\.performance"),
        ("holiday", "transparent", "holds other things than numbered PNG files"),
        ("out.mp4", "purpleish", "neither a colour nor an existing file"),
    ],
)
def test_bad_outputs_are_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, background: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.png").write_bytes(b"dear")
    tiny_performance(tmp_path / "dance.performance", 1)
    with pytest.raises(UsageError, match=message):
        perform("nothing.actor", "dance.performance", output, background=background)
    assert (tmp_path / "holiday" / "photo.png").read_bytes() == b"dear"
    with pytest.raises(ActorError, match="there is no actor"):
        perform("nothing.actor", "dance.performance", "out.mp4")


def test_an_error_leaves_no_output(tmp_path: Path, driving: Performance) -> None:
    class Failing(type(own_actor(driving))):  # type: ignore[misc]
        def painted(self, moments):
            yield from list(super().painted(moments))[:5]
            raise RuntimeError("no memory")

    actor = own_actor(driving)
    failing = Failing(**{name: getattr(actor, name) for name in actor.__dataclass_fields__})
    with pytest.raises(RuntimeError, match="no memory"):
        perform_to_file(failing, Driver(driving), tmp_path / "out.mp4", compare=tmp_path / "out.compare.mp4")
    assert not list(tmp_path.iterdir())


def test_a_shorter_background_video_repeats(tmp_path: Path, driving: Performance) -> None:
    with VideoWriter(tmp_path / "room.mp4", Fraction(25)) as writer:
        for level in (50, 150):
            writer.write(np.full((48, 40, 3), level, np.uint8))
    perform(own_actor(driving), driving, tmp_path / "out.mkv", background=str(tmp_path / "room.mp4"))
    levels = [frame[45, 5].mean() for frame in VideoReader(tmp_path / "out.mkv")]
    np.testing.assert_allclose(levels, [50, 150] * (FRAMES // 2), atol=15)
