"""Surface maps that are there already: order of channels, the way to the working square, and what does not belong."""

import logging

import av
import numpy as np
import pytest

from clips import write_clip
from understudy.errors import MediaError
from understudy.media.images import write_image
from understudy.media.squares import cut
from understudy.tracking.surface_chosen import surface_chosen
from understudy.tracking.surface_files import GivenSurface

FRAME, ALL = np.zeros((32, 32, 3), np.uint8), np.full((32, 32), 255, np.uint8)
WHOLE_HW = (48, 64)


def charts(number=0, size_hw=WHOLE_HW):
    """(H, W, 3) I, U, V: nobody round somebody whose chart is 2 + `number`, with slopes across and down."""
    height, width = size_hw
    surface = np.zeros((height, width, 3), np.uint8)
    surface[..., 1] = np.linspace(60, 250, width)
    surface[..., 2] = np.linspace(60, 250, height)[:, None]
    surface[..., 0] = 2 + number
    surface[:4], surface[-4:], surface[:, :4], surface[:, -4:] = 0, 0, 0, 0
    return surface


def given(path, square=(8, 0, 48), size=48, original_hw=WHOLE_HW, **how):
    return GivenSurface(path, square, size, original_hw, **how)


@pytest.mark.parametrize("reversed_", [False, True], ids=["I in red", "I in blue, as DensePose writes it"])
def test_pictures_are_cut_without_mixing(tmp_path, reversed_):
    whole = charts()
    for number in range(2):
        write_image(tmp_path / f"{number}.png", whole[..., ::-1] if reversed_ else whole)
    source = given(tmp_path)
    np.testing.assert_array_equal(source(FRAME, ALL), whole[:, 8:56])
    source(FRAME, ALL)
    source.check_end()


def test_what_lies_beyond_the_picture_is_nobody(tmp_path):
    write_image(tmp_path / "1.png", charts())
    surface = given(tmp_path, square=(-16, -16, 64), size=64)(FRAME, ALL)
    assert not surface[:16].any() and not surface[:, :16].any()
    np.testing.assert_array_equal(surface[16:, 16:], charts()[:48, :48])


def test_maps_move_as_frames_do(tmp_path):
    whole = charts(size_hw=(96, 128))
    write_image(tmp_path / "1.png", whole)
    square = (16, 8, 80)
    surface = given(tmp_path, square, 40, (96, 128))(FRAME, ALL)
    as_frame = cut(np.where(whole[..., 0] > 0, 255, 0).astype(np.uint8), square, 40, beyond=0)
    sure = (as_frame < 5) | (as_frame > 250)
    assert np.array_equal((surface[..., 0] > 0)[sure], (as_frame > 128)[sure])
    inside = as_frame == 255
    assert np.abs(surface[inside].astype(int) - cut(whole, square, 40)[inside]).max() <= 3


def test_pictures_are_turned_as_the_clip_is(tmp_path):
    write_image(tmp_path / "1.png", charts())
    surface = given(tmp_path / "1.png", (0, 0, 48), 48, (64, 48), rotate=90)(FRAME, ALL)
    np.testing.assert_array_equal(surface, np.rot90(charts(), -1)[:48])


def test_a_part_begins_where_it_is_said(tmp_path):
    for number in range(9):
        write_image(tmp_path / f"map{number}.png", charts(number))
    source = given(tmp_path, first=4, end=1.0)
    assert [int(source(FRAME, ALL)[24, 24, 0]) for _ in range(2)] == [6, 7]
    source.check_end()  # the rest is behind the part's end
    with pytest.raises(MediaError, match="holds 9 surface maps, and the video has 1 frames"):
        whole = given(tmp_path)
        whole(FRAME, ALL)
        whole.check_end()


@pytest.mark.parametrize("codec", ["ffv1"])
def test_a_lossless_video_is_read_as_it_is(tmp_path, codec, caplog):
    path = write_clip(
        tmp_path / "iuv.mkv", [charts(n)[..., ::-1] for n in range(5)], 10, codec=codec, pixel_format="bgr0"
    )
    assert surface_chosen(str(path)).kind == "maps"
    with caplog.at_level(logging.WARNING):
        source = given(path, start=0.2)
    assert not caplog.records
    for number in range(2, 5):
        np.testing.assert_array_equal(source(FRAME, ALL), charts(number)[:, 8:56])
    source.check_end()
    source(FRAME, ALL)  # headers are not always right
    with pytest.raises(MediaError, match="shorter than the video"):
        source(FRAME, ALL)
    source.close()


def test_loss_is_told(tmp_path, caplog):
    path = write_clip(
        tmp_path / "iuv.mp4", [charts(n) for n in range(3)], 10, pixel_format="yuv444p", options={"crf": "1"}
    )
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv444p"
    with caplog.at_level(logging.WARNING):
        source = given(path)
    assert "compressed with loss (yuv444p)" in caplog.text
    assert abs(int(source(FRAME, ALL)[24, 24, 0]) - 2) <= 2
    source.close()


def test_what_is_no_surface_map_is_told(tmp_path):
    write_image(tmp_path / "1.png", np.full((*WHOLE_HW, 3), 99, np.uint8))
    with pytest.raises(MediaError, match="is none: its I, in red or in blue, must be 0 to 24"):
        given(tmp_path / "1.png")(FRAME, ALL)
    write_image(tmp_path / "1.png", charts())
    with pytest.raises(MediaError, match="64x48 and the picture 100x100"):
        given(tmp_path / "1.png", original_hw=(100, 100))(FRAME, ALL)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MediaError, match="holds no surface maps"):
        surface_chosen(str(tmp_path / "empty"))
