"""Pictures on the device, in memory or on the disk: the same ones, and nothing is left behind."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from understudy.base import frame_store
from understudy.base.frame_store import GB, FrameStore, Rows
from understudy.base.machine import available_bytes
from understudy.errors import TrainingError

CPU = torch.device("cpu")
SHAPE = (40, 3, 8, 8)
PICTURES = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)


def kept(folder, memory_gb, **more):
    return FrameStore(folder, CPU, memory_gb).keep(iter(PICTURES), SHAPE, torch.uint8, "frames of me.mp4", **more)


def open_in(folder):
    names = [
        os.readlink(f"/proc/self/fd/{one}")
        for one in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{one}")
    ]
    maps = Path("/proc/self/maps").read_text()
    return [name for name in names if name.startswith(str(folder))] + ([maps] if str(folder) in maps else [])


def test_what_fits_is_a_tensor_and_what_does_not_is_read_off_the_disk(tmp_path, caplog):
    caplog.set_level("INFO")
    fits = kept(tmp_path / "a", 1.0)
    assert isinstance(fits, torch.Tensor) and not caplog.text and not (tmp_path / "a").exists()
    on_disk = kept(tmp_path / "run", 0.0)
    assert isinstance(on_disk, Rows) and len(on_disk) == 40
    assert "frames of me.mp4: 0.0 MB on the disk of" in caplog.text and "memory_gb" in caplog.text
    for some in (torch.tensor([39, 0, 7, 7]), np.array([3])):
        assert torch.equal(on_disk[some], fits[some])


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="looks into /proc")
def test_the_file_has_no_name_and_goes_with_its_reader(tmp_path):
    folder = tmp_path / "run"
    on_disk = kept(folder, 0.0)
    assert list(folder.iterdir()) == [] and open_in(folder)
    del on_disk
    gc.collect()
    assert not open_in(folder)


def test_pages_that_were_read_are_given_back_and_can_be_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(frame_store, "HELD_BYTES", 1)
    on_disk = kept(tmp_path, 0.0)
    for _ in range(2):
        assert torch.equal(on_disk[torch.arange(40)], torch.from_numpy(PICTURES))


def test_one_budget_is_for_all_clips(tmp_path):
    store = FrameStore(tmp_path, CPU, 1.5 * PICTURES.nbytes / GB)
    kinds = [type(store.keep(PICTURES, SHAPE, torch.uint8, "frames")) for _ in range(2)]
    assert kinds == [torch.Tensor, Rows]


@pytest.mark.parametrize("memory_gb", [1.0, 0.0])
def test_flow_is_loaded_or_read_where_it_lies(tmp_path, memory_gb):
    flow = np.random.default_rng(1).normal(size=(9, 4, 5, 2)).astype(np.float16)
    np.save(tmp_path / "flow.npy", flow)
    found = FrameStore(tmp_path, CPU, memory_gb).keep_mapped(np.load(tmp_path / "flow.npy", "r"), (2, 0, 1), "flow")
    assert isinstance(found, Rows) == (memory_gb == 0)
    some = found[torch.tensor([8, 2])]
    assert some.is_contiguous() and torch.equal(some, torch.from_numpy(flow.transpose(0, 3, 1, 2)[[8, 2]]))


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(frame_store.shutil, "disk_usage", lambda folder: type("", (), {"free": 2_000_000_000})())
    with pytest.raises(TrainingError, match=r"frames of me.mp4: 0.0 MB do not fit on the disk of .* 2.0 GB are free"):
        FrameStore(tmp_path, CPU, 0).keep(iter([]), SHAPE, torch.uint8, "frames of me.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_gets_full_is_told_in_a_line(tmp_path):
    def pictures():
        yield PICTURES[0]
        raise OSError(28, "No space left on device")

    with pytest.raises(TrainingError, match=r"cannot write .*No space left"):
        FrameStore(tmp_path, CPU, 0).keep(pictures(), SHAPE, torch.uint8, "frames")
    assert list(tmp_path.iterdir()) == []


def test_memory_is_what_is_free_within_the_container(tmp_path):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:    5000 kB\n")
    assert available_bytes(tmp_path) == 5000 * 1024
    (tmp_path / "proc/self/cgroup").write_text("0::/jobs/mine\n")
    group = tmp_path / "sys/fs/cgroup/jobs"  # the limit is on the group above
    (group / "mine").mkdir(parents=True)
    for folder, limit in ((group, "3000000"), (group / "mine", "max")):
        (folder / "memory.max").write_text(limit)
        (folder / "memory.current").write_text("1000000")
        (folder / "memory.stat").write_text("anon 5\ninactive_file 400000\n")
    assert available_bytes(tmp_path) == 2_400_000
    (group / "memory.current").write_text("9000000")
    assert available_bytes(tmp_path) == 0
