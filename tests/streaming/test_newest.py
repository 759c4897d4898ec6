"""Hand-overs that drop what nobody took in time."""

import threading

import pytest

from understudy.streaming.newest import Newest


def test_what_is_newest_is_taken_and_the_rest_counted():
    place = Newest()
    assert [place.put(number) for number in range(3)] == [True] * 3
    assert place.take() == 2 and place.dropped == 2
    assert place.take(0.0) is None and not place.over


def test_what_is_there_is_taken_before_it_is_over():
    place = Newest()
    place.put("last")
    place.close()
    assert not place.over and not place.put("late")
    assert place.take() == "last" and place.over and place.take() is None


def test_an_error_comes_after_what_was_there_and_the_first_one_stays():
    place = Newest()
    place.put(1)
    place.close(ValueError("first"))
    place.close(KeyError("second"))
    assert place.take() == 1
    with pytest.raises(ValueError, match="first"):
        place.take()


def test_who_waits_is_woken():
    place, taken = Newest(), []
    threads = [threading.Thread(target=lambda: taken.append(place.take())) for _ in range(2)]
    for thread in threads:
        thread.start()
    place.put(5)
    while not taken:
        pass
    place.close()
    for thread in threads:
        thread.join(5)
    assert taken == [5, None]
