"""Consent is given in words, or asked for, and never assumed."""

from datetime import datetime, timezone

import pytest

from understudy.consent import Consent, obtain_consent
from understudy.errors import ConsentError


def answers(*lines: str):
    given = iter(lines)

    def answer(question: str) -> str:
        try:
            return next(given)
        except StopIteration:
            raise EOFError from None

    return answer


def test_given_text_is_recorded_with_the_time() -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    consent = obtain_consent("  I am the person\n in this video ", "me.mp4")
    assert consent.text == "I am the person in this video"
    assert before <= datetime.fromisoformat(consent.time) <= datetime.now(timezone.utc)


def test_a_person_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    consent = obtain_consent(None, "me.mp4", asks=True, answer=answers("Yes", "Anna, for our show"))
    assert consent.text == "yes: Anna, for our show"
    assert "person in me.mp4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("consent", "asks", "lines", "message"),
    [
        (None, False, (), '`consent="..."`'),
        (None, True, ("no",), "nothing was trained"),
        (None, True, ("",), "nothing was trained"),
        (None, True, ("yes", "  "), "says nothing"),
        (None, True, (), "`consent="),
        (None, True, ("yes",), "`consent="),
        ("   ", True, ("yes", "Anna"), "says nothing"),
        ("a" * 3000, False, (), "3000 characters"),
    ],
)
def test_anything_else_is_refused_in_one_line(
    consent: str | None, asks: bool, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConsentError) as caught:
        obtain_consent(consent, "me.mp4", asks=asks, answer=answers(*lines))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ConsentError, match=r"training on me\.mp4 needs the person's consent"):
        obtain_consent(None, "me.mp4")
    assert obtain_consent("me", "me.mp4") == Consent("me", obtain_consent("me", "me.mp4").time)
