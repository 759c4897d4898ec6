import numpy as np
import pytest
from safetensors.numpy import load_file

from understudy.base.tensor_stream import HEADER_BYTES, TensorStream, map_tensor
from understudy.errors import PerformanceError


def write(path, rows):
    with TensorStream(path, "flow", rows.shape[1:], np.float16) as stream:
        for row in rows:
            stream.append(row)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_rows_come_back_as_a_map_and_through_safetensors(tmp_path, count):
    rows = np.random.default_rng(0).normal(size=(count, 4, 5, 2)).astype(np.float16)
    write(tmp_path / "a.safetensors", rows)
    mapped = map_tensor(tmp_path / "a.safetensors", "flow")
    assert mapped.dtype == np.float16
    np.testing.assert_array_equal(mapped, rows)
    np.testing.assert_array_equal(load_file(tmp_path / "a.safetensors")["flow"], rows)
    assert count == 0 or isinstance(mapped, np.memmap)


def test_a_row_of_another_shape_is_refused(tmp_path):
    with (
        TensorStream(tmp_path / "a", "flow", (2, 2), np.float32) as stream,
        pytest.raises(ValueError, match=r"\(2, 2\)"),
    ):
        stream.append(np.zeros((2, 3)))


def _cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def _unfinished(path):
    stream = TensorStream(path, "flow", (2, 2), np.float16)
    stream.append(np.zeros((2, 2)))
    stream._stream.close()


def _say(before, after):
    """Other words in the header, padded to the length that it had."""

    def change(path):
        content = path.read_bytes()
        end = 8 + HEADER_BYTES
        header = content[8:end].replace(before.encode(), after.encode()).rstrip()
        assert after.encode() in header
        path.write_bytes(content[:8] + header.ljust(HEADER_BYTES) + content[end:])

    return change


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        pytest.param(_cut, "is cut off", id="cut off"),
        pytest.param(_unfinished, "not a safetensors file", id="never closed"),
        pytest.param(lambda path: path.unlink(), "cannot read", id="missing"),
        pytest.param(lambda path: write_other(path), "no readable array 'flow'", id="another array"),
        pytest.param(_say('"shape": [3, 2, 2]', '"shape": [-3, -2, 2]'), "-3 is no whole number", id="below nothing"),
        pytest.param(_say('"shape": [3, 2, 2]', '"shape": [1e1, 2, 2]'), "no whole number", id="a broken shape"),
        pytest.param(_say('"data_offsets": [0, 24]', '"data_offsets": [-24, 0]'), "no whole number", id="before it"),
    ],
)
def test_broken_files_are_one_line(tmp_path, break_it, message):
    path = tmp_path / "a.safetensors"
    write(path, np.ones((3, 2, 2), np.float16))
    break_it(path)
    with pytest.raises(PerformanceError, match=message) as raised:
        map_tensor(path, "flow", PerformanceError)
    assert "\n" not in str(raised.value)


def write_other(path):
    with TensorStream(path, "depth", (2, 2), np.float32) as stream:
        stream.append(np.ones((2, 2)))
