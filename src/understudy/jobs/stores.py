"""Actors, driving clips and an output folder that lie elsewhere, by address: s3://bucket/me.actor. By way of fsspec.

Everything is fetched whole before it is looked at, and kept; what was made is put there whole:

- s3, gs, az and their like show an object under its name when all of it has arrived, and not before; so does memory.
- Others (sftp, smb) show a file while it grows. There it is written under a name of its own and then renamed.
- A folder, as of PNG files, is many objects, and nothing makes them appear at once: it counts when batch.json says so.

Who may read and write is said where each kind of storage looks for it, in the environment or in files of its own, and
never in an address: addresses are written down and shown.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from understudy.base.arguments import StrPath
from understudy.base.files import atomic_file, atomic_folder, read_json, remove, write_json
from understudy.base.folders import cache_folder
from understudy.errors import MediaError, UnderstudyError, UsageError

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?:/+(.*))?", re.DOTALL)
"""with one slash as well: that is what a path makes of two, and of s3:// it leaves none. A drive of Windows has one
letter."""
WHOLE_AT_END = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory")
"""where nothing half-written is to be seen"""
AT_ACCOUNT = ("abfs", "abfss")
"""addresses as container@account.dfs.core.windows.net/folder/name"""
KINDS = (*WHOLE_AT_END, "sftp", "ssh", "smb")
"""of storage that are spoken to: those that can be written to, and ask for more than a name"""
MOST_BYTES = 64 * 2**30
"""of one thing that is fetched"""
MOST_FILES = 100_000
"""of one folder that is fetched"""
ROOM_LEFT = 2**30
"""bytes of the disk that fetching leaves alone"""
_NOTE = "fetched.json"
_UPLOAD = re.compile(r"\..+\.[0-9a-f]{16}\.upload", re.DOTALL)


def address_of(given: StrPath) -> str | None:
    """The address that a user gave, "s3://bucket/me.actor"; None: it is a path.

    Raises:
        UsageError: a kind of storage that is not spoken to, or an address that holds a password or several addresses.
    """
    found = _ADDRESS.fullmatch(os.fspath(given))
    if found is None or Path(given).exists():
        return None
    kind, rest = found[1].lower(), found[2] or ""
    if found[2] is None and kind not in KINDS:
        return None  # a name that ends in a colon
    if kind == "file":
        return f"file:///{rest}"
    if kind not in KINDS:
        raise UsageError(f"nothing is read from {kind}: addresses, but from {', '.join(('file', *KINDS))}: see `batch`")
    if _holds_secrets(kind, rest.partition("/")[0]):
        raise UsageError(
            f"an address of {kind}: holds a name or password, and addresses are written down: leave it out, and say it "
            "where that kind of storage looks for it, as in the environment"
        )
    if "::" in rest or not rest.strip("/"):
        raise UsageError(f"{kind}://{rest} is no address of one thing: write it as s3://bucket/folder/name")
    return f"{kind}://{rest}"


def _holds_secrets(kind: str, host: str) -> bool:
    """Whether a name or password stands before an address; a password may hold a slash, and then ends what we see."""
    _, colon, port = host.rpartition("]")[2].partition(":")  # as [fe80:0:1]:22
    named = host.count("@") > (kind in AT_ACCOUNT)
    return named or (bool(colon) and (kind in WHOLE_AT_END or not port.isdecimal()))


class Elsewhere:
    """What jobs name by address, and where each will lie when it was fetched."""

    def __init__(self) -> None:
        self.addresses: dict[Path, str] = {}

    def place(self, given: StrPath, folder: Path) -> Path:
        """Where something lies or will lie: by its address, or as it is seen from `folder`.

        Raises:
            UsageError: as `address_of`.
        """
        address = address_of(given)
        if address is None:
            return folder / given
        if address.startswith("file:"):
            return Path(address.removeprefix("file://"))
        place = place_of(address)
        self.addresses[place] = address
        return place

    def fetch(self) -> None:
        """Raises UnderstudyError: something is not there, may not be read, or is too large."""
        for address in self.addresses.values():
            fetched(address)


def place_of(address: str) -> Path:
    """Where in this machine's cache something lies when it was fetched, under its own name."""
    name = address.rstrip("/").rpartition("/")[2]
    if name in ("", ".", "..", _NOTE) or "\\" in name or "\0" in name or ":" in name:
        raise UsageError(f"{address} ends in no name that a file can have")
    return cache_folder() / "fetched" / _short(address) / name


def fetched(address: str) -> Path:
    """Fetches a file or a folder, unless that was done and it is the same since, as its store says.

    Raises:
        MediaError: it is not there, too large, or did not arrive whole.
        UnderstudyError: it cannot be reached, or the disk is full.
    """
    place = place_of(address)
    with _told(address):
        store, path = _opened(address)
        files = _files(store, path)
    if not files:
        raise MediaError(f"there is nothing at {address}: check the name")
    identity = _identity(files)
    if place.exists() and _noted(place.parent) == identity:
        return place
    size = sum(one["size"] for one in files.values())
    _check_room(address, size, len(files), place.parent)
    with suppress(FileNotFoundError):
        (place.parent / _NOTE).unlink()
    if list(files) == [""]:
        with atomic_file(place) as temporary, _told(address):
            _get(store, files[""], temporary, address)
    else:
        with atomic_folder(place) as temporary:
            for name, one in files.items():
                file = temporary / name
                file.parent.mkdir(parents=True, exist_ok=True)
                with _told(address):
                    _get(store, one, file, address)
    write_json(place.parent / _NOTE, {"address": address, "identity": identity})
    return place


class Store:
    """An output folder by its address, or one of this machine or of a network that others write to as well."""

    def __init__(self, folder: StrPath) -> None:
        address = address_of(folder)
        self.is_folder = address is None or address.startswith("file:")
        self.address = os.fspath(folder) if address is None else address.removeprefix("file://").rstrip("/")

    def name(self, name: str) -> str:
        """What something in it is called in full."""
        return f"{self.address}/{name}"

    def content(self, name: str) -> str:
        """Names what lies there, as its store tells it apart; raises OSError: nothing can be seen there."""
        from understudy.jobs.one import content_of

        if self.is_folder:
            return content_of(Path(self.address) / name)
        store, path = _opened(self.name(name))
        files = _files(store, path)
        if not files:
            raise FileNotFoundError(self.name(name))
        return _identity(files)

    def get(self, name: str, file: Path) -> bool:
        """Fetches a small file anew; False: there is none."""
        with _told(self.name(name)):
            store, path = _opened(self.name(name))
            files = _files(store, path)
            if not files:
                return False
            with atomic_file(file) as temporary:
                _get(store, files[""], temporary, self.name(name))
        return True

    def put(self, made: Path) -> str:
        """Puts a file or a folder there, under its own name; returns its `content`.

        Raises:
            UnderstudyError: it cannot be written there.
        """
        with _told(self.name(made.name)):
            if self.is_folder:
                _put_into_folder(made, Path(self.address))
            else:
                store, path = _opened(self.name(made.name))
                if made.is_dir():
                    with suppress(FileNotFoundError):  # pictures of a longer one must not stay among these
                        store.rm(path, recursive=True)
                    for file in sorted(one for one in made.rglob("*") if one.is_file()):
                        _put(store, file, f"{path}/{file.relative_to(made).as_posix()}")
                else:
                    _put(store, made, path)
            return self.content(made.name)


def sweep_uploads(folder: Path) -> None:
    """Removes what killed workers have left of copies into a folder that all share; nobody may be writing to it."""
    for stale in folder.glob(".*.upload"):
        if _UPLOAD.fullmatch(stale.name):
            remove(stale)


def _put_into_folder(made: Path, folder: Path) -> None:
    """By a name that no other machine takes for one of its own processes' and removes."""
    temporary = folder / f".{made.name}.{secrets.token_hex(8)}.upload"
    try:
        if made.is_dir():
            shutil.copytree(made, temporary)
            remove(folder / made.name)
        else:
            shutil.copyfile(made, temporary)
            with open(temporary, "rb+") as stream:
                os.fsync(stream.fileno())
        os.replace(temporary, folder / made.name)
    finally:
        remove(temporary)


def _put(store: Any, file: Path, path: str) -> None:
    if set([store.protocol] if isinstance(store.protocol, str) else store.protocol) & {*WHOLE_AT_END}:
        store.put_file(str(file), path)
        return
    folder, _, name = path.rpartition("/")
    growing = f"{folder}/.{name}.{secrets.token_hex(8)}.upload"
    store.makedirs(folder, exist_ok=True)
    try:
        store.put_file(str(file), growing)
        with suppress(FileNotFoundError):  # some rename onto nothing but what is not there
            store.rm_file(path)
        store.mv(growing, path)
    except BaseException:
        with suppress(Exception):
            store.rm_file(growing)
        raise


def _get(store: Any, one: dict[str, Any], file: Path, address: str) -> None:
    store.get_file(one["name"], str(file))
    if file.stat().st_size != one["size"]:
        raise MediaError(f"{address} did not arrive whole: {file.stat().st_size} bytes of {one['size']}")


def _opened(address: str) -> tuple[Any, str]:
    """Its store, and what it is called there."""
    try:
        import fsspec
    except ImportError:
        raise UsageError(f"{address} needs fsspec: pip install 'understudy[cluster]'") from None
    try:
        store, path = fsspec.core.url_to_fs(address)
    except ImportError as missing:
        package = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
        package |= {"abfss": "adlfs", "sftp": "paramiko", "ssh": "paramiko", "smb": "smbprotocol"}
        kind = address.partition(":")[0]
        wanted = package.get(kind, missing.name or "a package")
        raise UsageError(f"{kind}:// needs {wanted}, which is not installed: pip install {wanted}") from None
    store.invalidate_cache()
    return store, path


def _files(store: Any, path: str) -> dict[str, dict[str, Any]]:
    """What a store says of a file (under the name "") or of every file in a folder, by name; empty: there is nothing.

    Raises:
        MediaError: names that lead out of the folder, or a size that is none.
    """
    try:
        one = store.info(path)
    except FileNotFoundError:
        return {}
    if one["type"] != "directory":
        found = {"": one}
    else:
        root = one["name"].rstrip("/") + "/"
        listed = store.find(path, detail=True)
        found = {str(name).removeprefix(root): told for name, told in listed.items() if told["type"] == "file"}
    for name, told in found.items():
        parts = name.split("/")
        if name and (name.startswith("/") or "\\" in name or any(part in ("", ".", "..") for part in parts)):
            raise MediaError(f"a folder holds a name that leads out of it: {name!r}")
        if isinstance(told.get("size"), bool) or not isinstance(told.get("size"), int) or told["size"] < 0:
            raise MediaError("the store does not say how large that is")
    return dict(sorted(found.items()))


def _identity(files: dict[str, dict[str, Any]]) -> str:
    """Other when the content is: by size and by the first that a store says of a tag, a time or where it came to be."""
    kinds = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created")
    said = [
        f"{name} {one['size']} {next((str(one[kind]) for kind in kinds if one.get(kind)), secrets.token_hex(8))}"
        for name, one in files.items()
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _noted(folder: Path) -> str | None:
    with suppress(UnderstudyError, AttributeError):
        return str(read_json(folder / _NOTE).get("identity"))
    return None


def _check_room(address: str, size: int, count: int, folder: Path) -> None:
    if size > MOST_BYTES or count > MOST_FILES:
        raise MediaError(f"{address} is too large to be fetched: {size / 2**30:.1f} GiB in {count} files")
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if size + ROOM_LEFT > free:
        raise UnderstudyError(
            f"{address} has {size / 2**30:.1f} GiB, and the disk of {folder} {free / 2**30:.1f} GiB: make room, or "
            "name another disk by UNDERSTUDY_CACHE"
        )


def _short(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:24]


def mirror_of(address: str) -> Path:
    """Where videos lie until they are put to an output folder elsewhere."""
    return cache_folder() / "batches" / _short(address.rstrip("/"))


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Whatever a store says is one line, of its kind alone: its words may hold what nobody should read."""
    try:
        yield
    except UnderstudyError:
        raise
    except FileNotFoundError:
        raise MediaError(f"there is nothing at {address}: check the name") from None
    except PermissionError:
        raise UnderstudyError(f"{address} may not be read or written: check who you are to that storage") from None
    except Exception as error:  # noqa: BLE001 - each kind of storage has errors of its own
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise UnderstudyError(f"cannot reach {address}: {why}") from None
