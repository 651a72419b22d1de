"""Which processes have a store open: each holds the lock of one numbered slot file.

The files stand beside the database and are never removed, so nobody can hold the lock of a file
that another has just replaced. The kernel lets go of a lock when its process dies, however it
dies: a slot that can be locked belongs to nobody who lives.
"""

import fcntl
import os
from pathlib import Path
from typing import Self

from protocol.errors import StorageUnavailable

_SLOTS = 1000


class Slot:
    """A place among the processes that use one database, held until it is released."""

    def __init__(self, number: int, handle: int) -> None:
        self.number = number
        self._handle: int | None = handle

    @classmethod
    def take(cls, path: Path) -> Self:
        """The free slot with the lowest number."""
        for number in range(1, _SLOTS + 1):
            handle = _lock(path, number)
            if handle is not None:
                return cls(number, handle)
        raise StorageUnavailable(f"{path} is open in too many processes")

    def release(self) -> None:
        """Let others have the slot; does nothing the second time."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def is_held(path: Path, number: int) -> bool:
    """Whether a living process holds this slot."""
    handle = _lock(path, number)
    if handle is None:
        return True
    os.close(handle)
    return False


def _lock(path: Path, number: int) -> int | None:
    """An open file that holds the lock; nothing when somebody else holds it."""
    name = path.with_name(f"{path.name}-slot{number}.lock")
    try:
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageUnavailable(f"{name} cannot be made") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError as error:
        os.close(handle)
        raise StorageUnavailable(f"{name} cannot be locked") from error
    return handle
