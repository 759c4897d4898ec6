"""One served studio for all of these tests: its page takes seconds to be built."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import studios


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[studios.Served]:
    pytest.importorskip("gradio", reason="needs the extra understudy[studio]")
    with studios.Served(tmp_path_factory.mktemp("served")) as one:
        one.furnish()
        yield one


@pytest.fixture
def unharmed(served: studios.Served) -> Iterator[studios.Served]:
    """What is done within a test leaves no trace; the page answers afterwards."""
    before = served.everything()
    yield served
    assert served.everything() == before
    assert served.answers()
