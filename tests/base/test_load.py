"""Threads that make room for other programs: what is measured, what is concluded, and that it ends."""

import os
import subprocess
import sys
import time

import pytest
import torch

from understudy.base import load
from understudy.base.load import ThreadsByLoad, busy_seconds


@pytest.fixture
def eight(monkeypatch):
    """A machine of eight cores, whose clock, cores and process are told."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    usual = torch.get_num_threads()
    torch.set_num_threads(8)
    told = [(0.0, 0.0, 0.0)]
    monkeypatch.setattr(load, "times", lambda: told[-1])
    monkeypatch.setattr(load, "cores", lambda: 8)
    monkeypatch.setattr(load.time, "monotonic", lambda: told[-1][0])
    yield told
    torch.set_num_threads(usual)


@pytest.mark.parametrize(("others", "expected"), [(0.0, 8), (0.3, 8), (0.4, 7), (1.0, 7), (3.2, 5), (7.9, 1), (8.0, 1)])
def test_others_get_the_cores_that_they_use(eight, others, expected):
    with ThreadsByLoad() as threads:
        eight.append((10.0, 10 * (others + 3), 30.0))  # we ourselves keep three cores busy
        threads.follow()
        assert threads.threads == torch.get_num_threads() == expected
    assert torch.get_num_threads() == 8


def test_it_is_measured_anew_and_told_once_a_minute(eight, caplog):
    with ThreadsByLoad() as threads:
        counts = []
        for seconds, others in ((1.0, 8.0), (3.0, 4.0), (6.0, 0.0), (9.0, 4.0), (70.0, 0.0), (75.0, 6.0)):
            clock, busy, own = eight[-1]
            eight.append((seconds, busy + (seconds - clock) * (others + 1), own + seconds - clock))
            threads.follow()
            counts.append(threads.threads)
    # at 1 s it is too early; what comes then is the mean since the beginning
    assert counts == [8, 3, 8, 4, 8, 2]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "other programs use 5.3 of 8 cores",
        "other programs use 6.0 of 8 cores",
    ]


def test_who_has_said_how_many_is_not_contradicted(eight, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    threads = ThreadsByLoad()
    eight.append((10.0, 80.0, 0.0))
    threads.follow()
    assert threads.threads == 8


def test_where_nobody_tells_nothing_changes(monkeypatch, tmp_path):
    monkeypatch.setattr(load, "STAT", tmp_path / "stat")
    assert busy_seconds() is None
    usual = torch.get_num_threads()
    threads = ThreadsByLoad()
    threads.follow()
    assert threads.threads == torch.get_num_threads() == usual


def test_only_our_cores_count_and_only_while_they_are_not_idle(monkeypatch, tmp_path):
    monkeypatch.setattr(load, "STAT", tmp_path / "stat")
    monkeypatch.setattr(load.os, "sched_getaffinity", lambda _: {0, 2}, raising=False)
    (tmp_path / "stat").write_text(
        "cpu  9999 9 9 9 9 9 9 9 0 0\n"
        "cpu0 100 10 20 5000 700 1 2 3 50 0\n"  # the last two are in the first two already
        "cpu1 900 90 90 10 0 0 0 0 0 0\n"
        "cpu2 200 0 0 6000 0 0 0 0 0 0\n"
        "intr 12345\n"
    )
    assert busy_seconds() == pytest.approx(336 / os.sysconf("SC_CLK_TCK"))


@pytest.mark.skipif(not load.STAT.exists(), reason="Linux tells")
def test_a_busy_program_is_seen():
    one = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        busy, own, clock = busy_seconds(), time.process_time(), time.monotonic()
        time.sleep(1.5)
        others = (busy_seconds() - busy - (time.process_time() - own)) / (time.monotonic() - clock)
    finally:
        one.kill()
        one.wait()
    assert others > 0.3


@pytest.mark.parametrize(("had", "spared", "expected"), [(8, 0, 8), (8, 1, 7), (2, 1, 2), (8, 8, 1), (1, 1, 1)])
def test_cores_are_spared_for_other_threads_of_this_process(eight, had, spared, expected):
    torch.set_num_threads(had)
    with ThreadsByLoad(spared) as threads:
        assert threads.threads == torch.get_num_threads() == expected
    assert torch.get_num_threads() == had


def test_spared_cores_stay_spared_when_others_leave(eight):
    with ThreadsByLoad(spared=1) as threads:
        counts = []
        for seconds, busy in ((10.0, 40.0), (20.0, 40.0)):
            eight.append((seconds, busy, 0.0))
            threads.follow()
            counts.append(torch.get_num_threads())
    assert counts == [4, 7] and torch.get_num_threads() == 8


def test_who_has_said_how_many_spares_none(eight, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    with ThreadsByLoad(spared=1):
        assert torch.get_num_threads() == 8
