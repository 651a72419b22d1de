"""Files on their way in: on the disk, but without a name, so that none outlives its user."""

import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from protocol.errors import StorageUnavailable

TOGETHER = 1024 * 1024  # bytes that are written at once, in a thread

Offload = Callable[[Callable[[], None]], Awaitable[None]]


class Draft:
    """A file that is being received; the system frees it when it is closed, or when we die."""

    def __init__(self, name: str, folder: Path, offload: Offload) -> None:
        self.name = name
        self.size_bytes = 0
        self._folder = folder
        self._offload = offload
        self._waiting = bytearray()
        self._file: BinaryIO | None = None

    @property
    def file(self) -> BinaryIO:
        """The file, from its beginning, once it is finished; reading it blocks."""
        assert self._file is not None
        self._file.seek(0)
        return self._file

    async def write(self, data: bytes) -> None:
        """Take in the next piece; raises StorageUnavailable."""
        self.size_bytes += len(data)
        self._waiting += data
        if len(self._waiting) >= TOGETHER:
            await self.finish()

    async def finish(self) -> None:
        """Write what waits; raises StorageUnavailable."""
        data, self._waiting = self._waiting, bytearray()
        await self._offload(partial(self._write, data))

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _write(self, data: bytearray) -> None:
        try:
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                opened = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - see close
                self._file = cast("BinaryIO", opened)
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise StorageUnavailable("there is no room for the file") from error
