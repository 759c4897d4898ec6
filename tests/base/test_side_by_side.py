"""Items side by side: a core each, in order, and nothing left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

from understudy.base.side_by_side import side_by_side


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
