"""What a file says of itself is shown on one line, and steers no terminal."""

import pytest

from understudy.errors import ActorError
from understudy.texts import LONGEST, printable, shortened, shown
from understudy.verbs.descriptions import table


@pytest.mark.parametrize(
    ("said", "line"),
    [
        pytest.param("a\nb\tc\r\nd", "a b c d", id="lines"),
        pytest.param("a\x1b[2Jb\x9b1m\x07", "a\ufffd[2Jb\ufffd1m\ufffd", id="control characters"),
        pytest.param("a\ud800b", "a\ufffdb", id="half a character"),
        pytest.param("a\u202eb", "a\ufffdb", id="the other way round"),
        pytest.param("Zoë \u05d0", "Zoë \u05d0", id="letters"),
    ],
)
def test_words_of_a_file_are_one_harmless_line(said, line):
    assert shown(said) == line
    assert str(ActorError(f"it has layout {said}")) == f"it has layout {line}"
    assert table([("consent", said)]) == [f"consent  {line}"]


def test_a_message_keeps_its_beginning_and_its_end():
    message = str(ActorError("a.actor has layout " + "9" * 100_000 + ": train it again"))
    assert len(message) <= LONGEST and message.startswith("a.actor has layout 9")
    assert message.endswith("9: train it again") and " ... " in message
    assert shortened("x" * LONGEST) == "x" * LONGEST


def test_what_is_written_into_files_keeps_the_direction_of_writing():
    assert printable("a\u2067b") == "a\u2067b"
