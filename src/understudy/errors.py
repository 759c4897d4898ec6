"""Every error a user can cause: the message names the offending value and the mend, in one line."""

from __future__ import annotations

from understudy.texts import shortened, shown


class UnderstudyError(Exception):
    """Base of the family. The command line prints the message as one line and exits with 2.

    A message may quote what a file holds: as text it is one line, of sensible length, that steers no terminal.
    """

    def __str__(self) -> str:
        return shortened(shown(super().__str__()))


class MediaError(UnderstudyError):
    """A video, image or sound file that cannot be read or written."""


class SandboxError(MediaError):
    """A file that cannot be decoded within the limits of the child process that looks at it, or that ended it."""


class PoseError(UnderstudyError):
    """Poses that cannot be read, or a clip in which too few people are found."""


class PerformanceError(UnderstudyError):
    """A tracked clip on disk that is missing, half written, damaged or of another version."""


class ActorError(UnderstudyError):
    """An actor file that is missing, damaged or of another version."""


class DetectorError(UnderstudyError):
    """A detector file that is missing, damaged, of another version or not a detector."""


class TrainingError(UnderstudyError):
    """Training that cannot start or cannot go on: no data, a second writer, a loss that is not a number."""


class WeightsError(UnderstudyError):
    """Weights from outside that are not at hand, or not what was published."""


class ConsentError(UnderstudyError):
    """Training was asked for without saying that the person agreed."""


class UsageError(UnderstudyError):
    """Arguments that contradict each other or name nothing."""


class Told(UnderstudyError):
    """Of several processes another one has met the error and said it; this one ends without a word."""


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM, after everything was saved; not an error. The command line exits with 128 + `signal`.

    Like KeyboardInterrupt no `Exception`: it is raised from signal handlers, where libraries would swallow one.
    """

    def __init__(self, message: str, signal: int):
        super().__init__(message)
        self.signal = signal
