"""Work beside the caller: order, errors and clean ends, also when nobody wants the rest."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import cv2
import pytest

from understudy.base.threads import ReadAhead, WriteBehind, opencv_in_the_callers_thread


def numbers(count: int, ended: list[str], fails: str = "") -> Iterator[int]:
    try:
        yield from range(count)
        if fails == "at the end":
            raise ValueError(fails)
    finally:
        ended.append(threading.current_thread().name)
        if fails == "while closing":
            raise ValueError(fails)


def test_ahead_keeps_the_order_and_ends_in_its_thread() -> None:
    ended: list[str] = []
    ahead = ReadAhead(numbers(50, ended), 3)  # type: ignore[arg-type]
    assert list(ahead) == list(range(50))
    ahead.stop()
    assert ended == ["read-ahead"]


@pytest.mark.parametrize("fails", ["at the end", "while closing"])
def test_ahead_raises_after_the_items(fails: str) -> None:
    got = []
    with pytest.raises(ValueError, match=fails):
        for number in ReadAhead(numbers(5, [], fails), 2):  # type: ignore[arg-type]
            got.append(number)
    assert got == list(range(5))


def test_ahead_stops_in_the_middle() -> None:
    ended: list[str] = []
    ahead = ReadAhead(numbers(10**9, ended), 2)  # type: ignore[arg-type]
    assert next(iter(ahead)) == 0
    ahead.stop()
    ahead.stop()
    assert ended == ["read-ahead"]
    assert list(ahead) == []


def test_behind_keeps_the_order() -> None:
    got: list[int] = []
    behind = WriteBehind(got.append, 2)
    for number in range(50):
        behind.put(number)
    behind.finish()
    assert got == list(range(50))


def test_behind_raises_in_the_producer_and_never_blocks_it() -> None:
    def consume(number: int) -> None:
        if number == 3:
            raise ValueError("three")

    behind = WriteBehind(consume, 1)
    with pytest.raises(ValueError, match="three"):
        for number in range(10_000):
            behind.put(number)
    with pytest.raises(ValueError, match="three"):
        behind.finish()
    behind.abort()


def test_behind_drops_what_waits_when_it_is_given_up() -> None:
    begun, go_on, got = threading.Event(), threading.Event(), []

    def consume(number: int) -> None:
        got.append(number)
        begun.set()
        assert go_on.wait(60)

    behind = WriteBehind(consume, 8)
    for number in range(4):
        behind.put(number)
    assert begun.wait(60)
    giving_up = threading.Thread(target=behind.abort)
    giving_up.start()
    while behind._given.qsize() < 4:  # the three that wait, and the end behind them
        assert giving_up.is_alive()
    go_on.set()
    giving_up.join()
    assert got == [0]


INTERRUPTED_ANYWHERE = """
import faulthandler, random, signal
from understudy.base.threads import ReadAhead, WriteBehind, opencv_in_the_callers_thread

class Stopped(Exception):
    pass

def stop(*_):
    raise Stopped

faulthandler.dump_traceback_later(60, exit=True)
signal.signal(signal.SIGALRM, stop)
draw = random.Random(0)
for _ in range(4000):
    ahead, behind = ReadAhead((n for n in range(10**9)), 3), WriteBehind(lambda n: None, 2)
    try:
        signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-4, 1e-3))
        for n in ahead:
            behind.put(n)
    except Stopped:
        pass
    ahead.stop()
    behind.abort()
"""


def test_both_end_wherever_ctrl_c_finds_the_program() -> None:
    run = subprocess.run([sys.executable, "-c", INTERRUPTED_ANYWHERE], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_reading_a_video_needs_no_pytorch() -> None:
    code = "import sys, understudy.media.reading; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_opencv_gets_its_threads_back_even_after_an_error():
    usual = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        with pytest.raises(KeyError), opencv_in_the_callers_thread():
            assert cv2.getNumThreads() == 1
            raise KeyError
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(usual)
