"""Training needs the person's agreement: asked once, stored in the actor."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from understudy.errors import ConsentError

LONGEST = 2000
"""characters of a consent text"""

_EXPLANATION = """\
Training makes an actor of the person in {reference}: a file that can show this person doing anything.
Make it only if that person has agreed, or is you. The answer and the time are stored in the actor."""
_MEND = (
    'add `consent="..."` and say who agreed and to what, for example `consent="I am the person in this video"`; '
    "it is stored in the actor"
)


@dataclass(frozen=True)
class Consent:
    """Who agreed to be learnt, in the words of whoever trained, and when that was said."""

    text: str
    time: str
    """UTC, ISO 8601, to the second"""


def obtain_consent(
    consent: str | None, reference: str, *, asks: bool | None = None, answer: Callable[[str], str] = input
) -> Consent:
    """Takes the given consent, or asks for it when a person sits at a terminal.

    Args:
        consent: what was said; None = not said yet.
        reference: name of the clip, for the question.
        asks: whether there is somebody to ask; None = when both stdin and stderr are terminals.
        answer: asks one question and returns the line typed.

    Raises:
        ConsentError: nobody to ask, no answer, or the answer is not yes.
    """
    if consent is not None:
        return _recorded(consent)
    if asks is None:
        asks = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    if not asks:
        raise ConsentError(f"training on {reference} needs the person's consent: {_MEND}")
    print(_EXPLANATION.format(reference=reference), file=sys.stderr)
    try:
        if answer("Has this person agreed? Type yes or no: ").strip().lower() not in ("yes", "y"):
            raise ConsentError("no consent, so nothing was trained")
        who = answer("Who has agreed, and to what? ").strip()
    except EOFError:
        raise ConsentError(f"training needs the person's consent: {_MEND}") from None
    return _recorded(f"yes: {who}" if who else "")


def _recorded(text: str) -> Consent:
    text = " ".join(text.split())
    if not text:
        raise ConsentError(f"the consent says nothing: {_MEND}")
    if len(text) > LONGEST:
        raise ConsentError(f"the consent has {len(text)} characters: say it in at most {LONGEST}")
    return Consent(text, datetime.now(timezone.utc).isoformat(timespec="seconds"))
