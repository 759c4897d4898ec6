"""Work beside the caller: order, errors and clean ends, also when nobody wants the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

from understudy.base.threads import ReadAhead, WriteBehind, side_by_side


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
    while behind._queue.qsize() < 4:  # the three that wait, and the end behind them
        assert giving_up.is_alive()
    go_on.set()
    giving_up.join()
    assert got == [0]


@pytest.fixture
def three_cores() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_cores")
def test_side_by_side_each_item_has_a_core_and_the_caller_keeps_its_own() -> None:
    together = threading.Barrier(2, timeout=20)  # two items are at work at once, or this fails

    def work(number: int) -> tuple[int, str, int]:
        together.wait()
        torch.ones(1 << 18).exp()  # asks for threads
        return number, threading.current_thread().name, torch.get_num_threads()

    found = list(side_by_side(work, range(8), 2))
    assert [number for number, _, _ in found] == list(range(8))
    assert len({name for _, name, _ in found}) == 2 and {cores for _, _, cores in found} == {1}
    asked: list[int] = []
    fresh = threading.Thread(target=lambda: asked.append(torch.get_num_threads()))
    fresh.start()
    fresh.join()
    assert torch.get_num_threads() == 3 and asked == [3]


@pytest.mark.usefixtures("three_cores")
def test_one_worker_is_the_caller_with_all_its_cores() -> None:
    found = list(side_by_side(lambda _: (threading.current_thread(), torch.get_num_threads()), range(2), 1))
    assert found == 2 * [(threading.current_thread(), 3)]


def test_side_by_side_asks_for_few_items_ahead_raises_in_order_and_ends_when_left() -> None:
    asked: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            asked.append(number)
            yield number

    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    results = side_by_side(work, items(), 2)
    assert next(results) == 0 and len(asked) <= 4
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    left = side_by_side(work, iter([0, 1, 2]), 2)
    assert next(left) == 0
    left.close()
    assert not any(thread.name.startswith("side-by-side") for thread in threading.enumerate())
