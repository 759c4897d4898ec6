"""The verb `studio`: a page in the browser for all of it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from understudy.base.arguments import StrPath
from understudy.base.ranks import check_alone
from understudy.errors import UsageError

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
PASSWORD = "UNDERSTUDY_STUDIO_PASSWORD"
"""in the environment, since what stands in a command can be read by everybody on the machine"""
SHORTEST_PASSWORD = 10
"""characters"""


def studio(
    folder: StrPath = "studio",
    *,
    port: int = 7860,
    host: str = ADDRESS,
    auth: str | None = None,
    upload_gb: float = 4.0,
    folder_gb: float = 100.0,
    task_hours: float = 12.0,
    browser: bool = True,
) -> None:
    """Opens a page in the browser: film a person, choose a dance, train, and watch the person dance it.

    Nothing leaves this machine, and nothing but this machine can open the page. What is asked for waits in a queue,
    which outlives the page and this program: training that is interrupted is saved, and goes on with the next start.
    Everything lies in one folder, as files that the other commands read and write, too.

    Args:
        folder: where people, dances, actors and films are kept; made if it is missing.
        port: of the page; 0 takes any that is free.
        host: the address to serve at. Any other than this machine's own needs `auth`; what is sent there is not
            encrypted.
        auth: the name that whoever opens the page has to say. The password is taken from the environment,
            UNDERSTUDY_STUDIO_PASSWORD.
        upload_gb: gigabytes (of 10^9 bytes) that one file may have that is brought to the page.
        folder_gb: gigabytes that all of the folder may have before nothing more is begun.
        task_hours: hours that one task, such as a training, may take before it is saved and stopped.
        browser: open the page in the browser at once; `browser=False` only says where it is.

    Raises:
        UsageError: the folder or the address cannot be used, or the extra understudy[studio] is not installed.

    Example:
        studio("dances", port=8000)

    Shell:
        $ understudy studio
        $ understudy studio dances --port 8000 --no-browser
    """
    check_alone("studio")
    password = _checked_password(host, auth)
    for name, value in (("upload_gb", upload_gb), ("folder_gb", folder_gb), ("task_hours", task_hours)):
        if not 0 < value < 1e6:
            raise UsageError(f"`{name}` must be more than 0, not {value:g}")
    if not 0 <= port < 65536:
        raise UsageError(f"`port` must be from 0 to 65535, not {port}")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before it is imported: it would tell its makers otherwise
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        import gradio  # noqa: F401 - whether it is there
        import uvicorn  # noqa: F401 - it comes along
    except ImportError as cause:
        raise UsageError(
            f"the page needs the extra understudy[studio] ({cause.name} is missing): pip install 'understudy[studio]'"
        ) from None
    from understudy.web import guard, server, state

    made = state.Studio(Path(folder), int(upload_gb * 1e9), int(folder_gb * 1e9), task_hours)
    _make_ready()

    def say(address: str) -> None:
        log.info("the studio is open at %s (Ctrl-C closes it; %s keeps everything)", address, made.folder.root)
        if browser:
            _open(address)

    server.serve(made, host, port, None if password is None else guard.Password(str(auth), password), say)


def _checked_password(host: str, auth: str | None) -> str | None:
    """The password; None where nobody needs one."""
    own = host in (ADDRESS, "localhost", "::1")
    password = os.environ.get(PASSWORD)
    if auth is None:
        if not own:
            raise UsageError(
                f"`host='{host}'` can be reached by others: add `auth='NAME'`, and set {PASSWORD} to a password"
            )
        return None
    if not auth or ":" in auth:
        raise UsageError("`auth` is a name, without a colon")
    if not password or len(password) < SHORTEST_PASSWORD:
        raise UsageError(f"`auth` needs a password of {SHORTEST_PASSWORD} characters or more: set {PASSWORD} to it")
    return password


def _make_ready() -> None:
    """What tasks cannot do themselves, for they reach no network and write nowhere else: weights, and the key."""
    from understudy.base.folders import config_folder
    from understudy.marks.signing import own
    from understudy.verbs.weights import weights

    weights("fetch")
    own(config_folder())


def _open(address: str) -> None:
    import webbrowser

    webbrowser.open(address)
