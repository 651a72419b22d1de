"""Whether the data folder can be written to: found out by writing, as rights alone do not tell."""

import asyncio
import errno
import os
import shutil
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

from protocol.base import Value
from protocol.errors import StorageUnavailable
from protocol.offload import Offload

PROBE_BYTES = 64 * 1024
LEAST_FREE_BYTES = 16 * 1024 * 1024  # below it the next chat may be the one that does not fit

Trouble = Literal["", "closed", "misplaced", "full", "broken"]
_TROUBLES: dict[int, Trouble] = {
    errno.EROFS: "closed",  # a mount that is read-only, for root as well
    errno.EACCES: "closed",
    errno.EPERM: "closed",  # a folder that is marked as immutable, for root as well
    errno.ENOTDIR: "misplaced",
    errno.ENOENT: "misplaced",
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EFBIG: "full",  # the limit that the process itself is under
}
WORDS: dict[Trouble, str] = {
    "closed": "cannot be written to",
    "misplaced": "is no folder, or lies below something that is none",
    "full": "is on a disk that is full",
    "broken": "is on a disk that reports an error",
}


class Folder(Value, frozen=True):
    """What came of trying to write.

    Attributes:
        path: The folder, without links.
        exists: Whether it is there; else the place where it is to be made was tried.
        free_bytes: What the disk has left for this user; 0 where that cannot be told.
        trouble: Why nothing could be written; empty where it could.

    """

    path: Path
    exists: bool
    free_bytes: int
    trouble: Trouble


def tried(folder: Path) -> Folder:
    """Write a little into the folder, under no name, and say what came of it; blocks, never raises.

    A folder that is not there yet is not made.
    """
    path = Path(os.path.realpath(folder))
    try:
        place = _nearest(path)
        free_bytes = shutil.disk_usage(place).free
        return Folder(path, place == path, free_bytes, _trouble(place))
    except OSError as error:
        return Folder(path, exists=False, free_bytes=0, trouble=_named(error))


def _nearest(path: Path) -> Path:
    """The path, or of what it lies in the nearest that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


async def check_folder(folder: Path, offload: Offload, *, within_s: float) -> None:
    """Raise StorageUnavailable where nothing can be written to the data folder in that time."""
    try:
        async with asyncio.timeout(within_s):
            found = await offload(partial(tried, folder))
    except TimeoutError as error:
        raise StorageUnavailable("its folder did not answer in time") from error
    if found.trouble:
        raise StorageUnavailable(f"its folder {WORDS[found.trouble]}")


def _trouble(place: Path) -> Trouble:
    try:
        with TemporaryFile(dir=place) as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return _named(error)
    return ""


def _named(error: OSError) -> Trouble:
    return _TROUBLES.get(error.errno or 0, "broken")
