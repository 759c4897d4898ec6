"""Lossless pictures in one file: what went in comes out, any of it at once, and damage is noticed."""

import json

import numpy as np
import pytest

from understudy.errors import PerformanceError
from understudy.media.picture_stream import PictureStream, StoredPictures


def noise(number, shape):
    return np.random.default_rng(number).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("shape", [(12, 17), (12, 17, 3)])
def test_pictures_come_back_bit_for_bit_in_any_range(tmp_path, shape):
    path = tmp_path / "maps.safetensors"
    with PictureStream(path) as stream:
        for number in range(7):
            stream.append(noise(number, shape))
    assert len(stream) == 7
    stored = StoredPictures(path)
    assert len(stored) == 7
    for start, stop in ((0, 7), (3, 5), (6, 7), (4, 4)):
        got = list(stored.read(start, stop))
        assert len(got) == stop - start
        assert all(np.array_equal(one, noise(number, shape)) for number, one in enumerate(got, start))


def test_it_is_a_safetensors_file(tmp_path):
    from safetensors.numpy import load_file

    with PictureStream(tmp_path / "maps.safetensors") as stream:
        stream.append(noise(0, (8, 8)))
        stream.append(noise(1, (8, 8)))
    tensors = load_file(tmp_path / "maps.safetensors")
    assert tensors["png"][:4].tobytes() == b"\x89PNG" and tensors["ends"].shape == (2,)
    assert tensors["ends"][1] == len(tensors["png"])
    assert tensors["png"][tensors["ends"][0] :][:4].tobytes() == b"\x89PNG"


def test_none_at_all_can_be_stored(tmp_path):
    with PictureStream(tmp_path / "maps.safetensors"):
        pass
    assert len(StoredPictures(tmp_path / "maps.safetensors")) == 0


def test_a_file_that_was_not_finished_is_refused(tmp_path):
    path = tmp_path / "maps.safetensors"
    with pytest.raises(KeyboardInterrupt), PictureStream(path) as stream:
        stream.append(noise(0, (8, 8)))
        raise KeyboardInterrupt
    with pytest.raises(PerformanceError, match="not a safetensors file"):
        StoredPictures(path, PerformanceError)


def test_damage_is_told(tmp_path):
    path = tmp_path / "maps.safetensors"
    with PictureStream(path) as stream:
        stream.append(noise(0, (8, 8)))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"IHDR", b"IXXX"))
    with pytest.raises(PerformanceError, match=r"picture 0 of .* is damaged"):
        list(StoredPictures(path, PerformanceError).read(0, 1))
    ends = np.frombuffer(whole[-8:], np.int64)
    path.write_bytes(whole[:-8] + (ends - 1).tobytes())
    with pytest.raises(PerformanceError, match="does not say where its pictures end"):
        StoredPictures(path, PerformanceError)
    path.write_bytes(whole[:-8] + np.array([-1], np.int64).tobytes())
    with pytest.raises(PerformanceError, match="does not say where its pictures end"):
        StoredPictures(path, PerformanceError)
    path.write_bytes(whole.replace(b'"U8"', b'"F16"', 1).replace(b" ", b"", 1))
    with pytest.raises(PerformanceError, match="is cut off"):
        StoredPictures(path, PerformanceError)
    header = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
    assert list(header) == ["png", "ends"]
