"""Label maps a user has: numbers, order, shape, and the way to the working square."""

import numpy as np
import pytest
from PIL import Image

from understudy.body.labels import LABEL
from understudy.errors import MediaError
from understudy.media.squares import cut
from understudy.tracking.parsing_files import GivenMaps, maps_in_order, read_map

NOBODY = np.zeros((133, 2), np.float32), np.zeros(133, np.float32)
FRAME, ALL = np.zeros((64, 64, 3), np.uint8), np.full((64, 64), 255, np.uint8)


def write(path, numbers, indexed=True):
    picture = Image.fromarray(np.asarray(numbers, np.uint8), "L")
    if indexed:
        picture = picture.copy()
        picture = Image.frombytes("P", picture.size, picture.tobytes())
        picture.putpalette(np.random.default_rng(0).integers(0, 255, 768).astype(np.uint8).tobytes())
    picture.save(path)


def quarters(height, width, numbers=(2, 5, 9, 13)):
    result = np.zeros((height, width), np.uint8)
    for number, (rows, columns) in zip(
        numbers,
        [(slice(0, height // 2), slice(0, width // 2)), (slice(0, height // 2), slice(width // 2, None)),
         (slice(height // 2, None), slice(0, width // 2)), (slice(height // 2, None), slice(width // 2, None))],
        strict=True,
    ):  # fmt: skip
        result[rows, columns] = number
    return result


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("shrink", [1, 2])
@pytest.mark.parametrize("square", [(0, 0, 128), (-16, 8, 96), (32, 32, 64)])
def test_maps_move_to_the_square_as_frames_do(tmp_path, indexed, shrink, square):
    whole = quarters(128, 128)
    write(tmp_path / "1.png", whole[::shrink, ::shrink], indexed)
    labels = GivenMaps(tmp_path, "vip", square, 64, (128, 128))(FRAME, ALL, *NOBODY)
    for number in (2, 5, 9, 13):
        as_frame = cut(((whole == number) * 255).astype(np.uint8), square, 64, beyond=0)
        sure = (as_frame < 5) | (as_frame > 250)
        assert np.array_equal((labels == number)[sure], (as_frame > 128)[sure])
        assert sure.mean() > 0.9


def test_one_map_of_a_photograph_is_named_by_itself(tmp_path):
    write(tmp_path / "labels.png", quarters(128, 128))
    write(tmp_path / "another.png", 0 * quarters(128, 128))
    alone = GivenMaps(tmp_path / "labels.png", "vip", (0, 0, 128), 64, (128, 128))(FRAME, ALL, *NOBODY)
    assert set(np.unique(alone)) >= {2, 5, 9, 13}


def test_maps_are_turned_as_the_video_is(tmp_path):
    write(tmp_path / "a.png", quarters(96, 64))
    turned = GivenMaps(tmp_path, "vip", (0, 0, 64), 64, (64, 96), rotate=90)(FRAME, ALL, *NOBODY)
    assert (turned[10, 10], turned[10, 60], turned[60, 10]) == (9, 2, 13)  # what was below left is now above left


def test_numbers_are_read_in_their_own_order_and_become_ours(tmp_path):
    for name, number in (("m2.png", 11), ("m10.png", 4), ("m1.png", 16)):
        write(tmp_path / name, np.full((64, 64), number))
    assert [path.name for path in maps_in_order(tmp_path)] == ["m1.png", "m2.png", "m10.png"]
    maps = GivenMaps(tmp_path, "atr", (0, 0, 64), 64, (64, 64))
    seen = [int(maps(FRAME, ALL, *NOBODY)[5, 5]) for _ in range(3)]
    assert seen == [0, LABEL["face"], LABEL["upper clothes"]]  # a bag alone is nobody
    maps.check_end()
    maps(FRAME, ALL, *NOBODY)  # one frame more than maps: headers are not always right
    with pytest.raises(MediaError, match="holds 3 label maps, and the video has more"):
        maps(FRAME, ALL, *NOBODY)


def test_the_matte_bounds_given_maps(tmp_path):
    write(tmp_path / "0.png", quarters(64, 64))
    matte = np.where(np.arange(64) < 32, 255, 0).astype(np.uint8) * np.ones((64, 1), np.uint8)
    labels = GivenMaps(tmp_path, "vip", (0, 0, 64), 64, (64, 64))(FRAME, matte, *NOBODY)
    assert set(np.unique(labels[:, :32])) == {2, 9}
    assert not labels[:, 32:].any()


def test_what_cannot_be_used_is_told(tmp_path):
    with pytest.raises(MediaError, match="holds no label maps"):
        maps_in_order(tmp_path)
    write(tmp_path / "1.png", np.full((64, 64), 22))
    with pytest.raises(MediaError, match=r"number 22, and VIP labels end at 21"):
        read_map(tmp_path / "1.png", "vip")
    Image.new("RGB", (64, 64)).save(tmp_path / "2.png")
    with pytest.raises(MediaError, match="in colour: give indexed or grey"):
        read_map(tmp_path / "2.png", "vip")
    (tmp_path / "3.png").write_bytes(b"no picture")
    with pytest.raises(MediaError, match="cannot read the label map"):
        read_map(tmp_path / "3.png", "vip")
    write(tmp_path / "1.png", np.zeros((64, 64)))
    with pytest.raises(MediaError, match="64x64 and the picture 200x100"):
        GivenMaps(tmp_path, "vip", (0, 0, 64), 64, (100, 200))(FRAME, ALL, *NOBODY)
    maps = GivenMaps(tmp_path, "vip", (0, 0, 64), 64, (64, 64))
    maps(FRAME, ALL, *NOBODY)
    with pytest.raises(MediaError, match="holds 3 label maps, and the video has 1 frames"):
        maps.check_end()
    write(tmp_path / "other.png", np.zeros((64, 64)))
    with pytest.raises(MediaError, match="have no order"):
        maps_in_order(tmp_path)
