"""A program that has us work in a thread of its own stops that as Ctrl-C does."""

from __future__ import annotations

import signal
import threading

import pytest

from understudy.base.progress import progress_bar
from understudy.base.stopping import stop_signals, stopped_when
from understudy.errors import Interrupted


def test_a_wish_to_stop_is_heard_by_what_ends_by_saving_and_ends_all_else() -> None:
    wish = threading.Event()
    with stopped_when(wish.is_set):
        with stop_signals() as stop, progress_bar("training", None) as advance:
            advance()
            assert stop.signal is None
            wish.set()
            advance()  # goes on to where it saves
            assert stop.signal == signal.SIGINT
        with pytest.raises(Interrupted), progress_bar("tracking", None) as advance:
            advance()
    with progress_bar("tracking", None) as advance:
        advance()


def test_it_is_heard_in_a_thread_to_which_no_signals_come() -> None:
    heard: list[int | None] = []

    def work() -> None:
        with stopped_when(lambda: True), stop_signals() as stop:
            heard.append(stop.signal)
        with stop_signals() as stop:
            heard.append(stop.signal)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    assert heard == [signal.SIGINT, None]
