"""Files that appear whole or not at all: atomic writes, content hashes, locks, tensors with a checked hash.

Everything the package writes goes through here, so that a kill at any moment leaves either the old file
or the new one, never half of one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_JSON_BYTES = 256 * 1024 * 1024
MAX_TENSOR_HEADER_BYTES = 16 * 1024 * 1024

LONGEST_NAME = 255
"""bytes of one name that today's file systems take"""
_ONLY_WRITING_FAILS_WITH = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_OURS = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)-[0-9a-f]{8}\.(?P<kind>part|old)(\.[^.]*)?", re.DOTALL)


def _temporary_name(path: Path, kind: str = "part") -> Path:
    """`_OURS` reads it again: a ".part" was never whole, an ".old" is the folder that a new one was to replace."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.{kind}{path.suffix}")


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fsync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """What cannot be removed stays: why something else went wrong is what has to be told."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # of a disk that takes no writes, also where nothing is there
            path.unlink(missing_ok=True)


def check_name(path: Path) -> None:
    """Raises UnderstudyError: the name is so long that no file system takes it with what is put to it while writing."""
    length = len(os.fsencode(path.name))
    more = len(os.fsencode(_temporary_name(path).name)) - length
    if length + more > LONGEST_NAME:
        raise UnderstudyError(
            f"the name {path.name[:24]}... is too long ({length} bytes): choose an `output` of at most "
            f"{LONGEST_NAME - more}"
        )


def _prepare_folder_of(path: Path) -> None:
    check_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnderstudyError(
            f"cannot make the folder {path.parent} ({error.strerror}): choose another `output`"
        ) from None
    sweep_stale(path.parent)


@contextmanager
def atomic_file(path: str | os.PathLike[str], lasting: bool = True) -> Iterator[Path]:
    """Yields a temporary path beside `path` to write to; it takes the name `path` only when the block ends well.

    The temporary name keeps the suffix, so that encoders which look at it choose the right container. On any
    exception (Ctrl-C too) the temporary file is removed and `path` is as it was.

    Args:
        lasting: whether it is on the disk when the block has ended, whatever happens to the machine then. What can be
            made again, and is known to be whole by its hash, need not wait for the disk.

    Raises:
        UnderstudyError: the folder cannot be made or written to. Other errors of the block, such as one of reading
            what is to be written, come out as they are.
    """
    path = Path(path)
    _prepare_folder_of(path)
    temporary = _temporary_name(path)
    try:
        with _write_errors(path, temporary):
            yield temporary
            if lasting:
                _fsync_file(temporary)
            os.replace(temporary, path)
            if lasting:
                _fsync_folder(path.parent)
    finally:
        remove(temporary)


@contextmanager
def _write_errors(path: Path, part: Path) -> Iterator[None]:
    """Turns errors of writing `part`, or in it, into one line about `path`, which it is to become."""
    try:
        yield
    except OSError as error:
        named = [Path(os.fsdecode(name)) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
        ours = any(name == path.parent or name.is_relative_to(path) or name.is_relative_to(part) for name in named)
        if ours or error.errno in _ONLY_WRITING_FAILS_WITH:
            raise UnderstudyError(f"cannot write {path}: {error.strerror or error}") from error
        raise
    except UnderstudyError as error:  # of something within, which knows the temporary name alone
        said = str(error.args[0]) if error.args else ""
        if str(part) not in said:
            raise
        raise type(error)(said.replace(str(part), str(path))) from error


def prepared_file(path: Path, content: bytes) -> Callable[[], None]:
    """Writes a file whole under a temporary name; returns what gives it its own, which needs no more room on the disk.

    Raises:
        UnderstudyError: it cannot be written.
    """
    _prepare_folder_of(path)
    temporary = _temporary_name(path)

    def name() -> None:
        with _write_errors(path, temporary):
            os.replace(temporary, path)
            _fsync_folder(path.parent)

    try:
        with _write_errors(path, temporary):
            temporary.write_bytes(content)
            _fsync_file(temporary)
    except BaseException:
        remove(temporary)
        raise
    return name


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """As `atomic_file` for a folder: yields a new empty folder; an older folder at `path` is replaced as a whole."""
    path = Path(path)
    _prepare_folder_of(path)
    temporary = _temporary_name(path)
    replaced = _temporary_name(path, "old")
    try:
        with _write_errors(path, temporary):
            temporary.mkdir()
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _fsync_file(file)
            _fsync_folder(temporary)
            if path.exists():
                os.rename(path, replaced)  # a folder that is not empty cannot be replaced in one call
            os.rename(temporary, path)
            _fsync_folder(path.parent)
    finally:
        _put_back_or_remove(replaced, path)
        remove(temporary)


@contextmanager
def scratch_folder(output: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a new empty folder beside `output` for what is only needed on the way to it; removed in every case.

    Raises:
        UnderstudyError: the folder cannot be made or written to.
    """
    path = Path(output)
    _prepare_folder_of(path)
    folder = _temporary_name(path)
    try:
        with _write_errors(path, folder):
            folder.mkdir()
            yield folder
    finally:
        remove(folder)


def sweep_stale(folder: Path) -> None:
    """Undoes what killed processes of ours left in `folder` (a kill -9 runs no clean-up).

    Half-written files are removed. A folder that was to be replaced gets its name back if the new one never took it.
    """
    for stale in folder.glob(".*"):
        ours = _OURS.fullmatch(stale.name)
        if ours is None or _is_alive(int(ours["process"])):
            continue
        if ours["kind"] == "old":
            _put_back_or_remove(stale, folder / ours["name"])
        else:
            remove(stale)


def _put_back_or_remove(replaced: Path, path: Path) -> None:
    if replaced.exists() and not path.exists():
        os.rename(replaced, path)
    remove(replaced)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Writes `content` as indented JSON, atomically."""
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: str | os.PathLike[str], error: type[UnderstudyError] = UnderstudyError) -> Any:
    """Reads JSON of at most 256 MiB. Raises `error` with one line when it is missing, too large or not JSON."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise error(f"{path} is larger than any JSON file this program writes (256 MiB): is it the right file?")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise error(f"cannot read {path}: {cause.strerror}") from None
    except RecursionError:
        raise error(f"{path} is nested too deeply to be a file of this kind: is it the right file?") from None
    except ValueError as cause:
        raise error(f"{path} is not valid JSON ({cause}): is it cut off or edited?") from None


def sha256_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits, read in chunks."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _content_hash(tensors: Mapping[str, npt.NDArray[Any]], metadata: str) -> str:
    digest = hashlib.sha256(metadata.encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.reshape(-1).view("u1").data)
    return digest.hexdigest()


def save_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, npt.NDArray[Any]],
    metadata: Mapping[str, Any],
    lasting: bool = True,
) -> None:
    """Writes arrays and a JSON header as one safetensors file, atomically, with the SHA-256 of both inside.

    The same arrays and header make the same bytes.

    Safetensors itself loads a flipped bit without complaint; the stored hash is what notices it.
    `lasting` is as for `atomic_file`.

    Raises:
        UnderstudyError: it cannot be written.
    """
    import numpy as np

    from understudy.base.tensor_stream import write_tensors

    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    header = json.dumps(metadata, sort_keys=True)
    with atomic_file(path, lasting) as temporary:
        write_tensors(temporary, contiguous, {"sha256": _content_hash(contiguous, header), "understudy": header})


def load_tensors(
    path: str | os.PathLike[str], error: type[UnderstudyError] = UnderstudyError
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Reads a file of `save_tensors`; returns (arrays by name, header).

    Raises:
        error: missing, cut off, not ours, a header over 16 MiB, or content that does not match its stored hash.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    _check_tensor_header(path, error)
    try:
        with safe_open(path, framework="numpy") as file:
            stored = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as cause:
        raise error(f"{path} is damaged or cut off ({cause})") from None
    if "understudy" not in stored or "sha256" not in stored:
        raise error(f"{path} was not written by understudy: its header has no content hash")
    if _content_hash(tensors, stored["understudy"]) != stored["sha256"]:
        raise error(f"{path} is damaged: its content does not match its stored SHA-256; use a backup or make it again")
    try:
        header = json.loads(stored["understudy"])
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise error(f"{path} is damaged: its header is not one of understudy's; use a backup or make it again")
    return tensors, header


def _check_tensor_header(path: Path, error: type[UnderstudyError]) -> None:
    try:
        with open(path, "rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            size = os.fstat(stream.fileno()).st_size
    except OSError as cause:
        raise error(f"cannot read {path}: {cause.strerror}") from None
    if not 2 <= length <= min(MAX_TENSOR_HEADER_BYTES, size - 8):
        raise error(f"{path} is not a safetensors file, or it is cut off (header of {length} bytes in {size} bytes)")


@contextmanager
def locked(folder: Path, error: type[UnderstudyError] = UnderstudyError, called: str = "output") -> Iterator[None]:
    """Holds the folder's lock; a second writer is refused at once rather than made to wait.

    The system lets go of the lock when its holder ends, however that happens; the empty file `.lock` stays.

    Args:
        folder: made, if it is not there.
        error: what is raised.
        called: the parameter that chooses the folder.

    Raises:
        error: another process holds it.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise error(f"another run is writing to {folder}: wait for it, or choose another `{called}`") from None
    try:
        yield
    finally:
        lock.release()
