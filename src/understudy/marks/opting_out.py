"""Files without marks: asked about once, and kept in mind."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from understudy.base.files import write_json
from understudy.base.folders import config_folder
from understudy.consent import said_yes, somebody_to_ask
from understudy.errors import UnderstudyError, UsageError

log = logging.getLogger(__name__)

FILE = "without-marks.json"
_QUESTION = """\
Without marks nobody can tell from the file that it was generated, by whom, and who agreed. In some countries, those of
the EU among them, who shows such a video has to say so. It is asked once on this computer.
Write it without marks? Type yes or no: """


def opt_out(asks: bool | None = None, answer: Callable[[str], str] = input) -> None:
    """Asks the first time, where somebody sits at a terminal; writes down that it was answered, or not asked.

    Args:
        asks: whether there is somebody to ask; None = when both stdin and stderr are terminals.
        answer: asks one question and returns the line typed.

    Raises:
        UsageError: the answer is not yes.
    """
    record = config_folder() / FILE
    try:
        if record.exists():
            return
    except OSError:  # a folder that cannot be read: it is asked again
        pass
    if asks is None:
        asks = somebody_to_ask()
    if asks and not said_yes(_QUESTION, answer):
        raise UsageError("nothing was written: leave out `marks=False`, and the file says how it was made")
    _keep(record, asks)


def _keep(record: Path, asked: bool) -> None:
    said = {"asked": asked, "time": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    try:
        record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_json(record, said)
    except (OSError, UnderstudyError) as error:
        log.warning("that files may be without marks cannot be kept in mind: %s", error)
    else:
        log.warning("files without marks from now on, where `marks=False` asks for it: noted in %s", record)
