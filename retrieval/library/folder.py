"""Finds the documents of a folder and reads their bytes, without leaving the folder."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from protocol.base import Value
from protocol.errors import SearchUnavailable

SKIPPED = frozenset({"node_modules", "__pycache__"})


class Stamp(Value, frozen=True):
    """Tells whether a file has changed."""

    mtime_ns: int
    size: int


class Folder:
    """A folder of documents.

    Links that lead out of it and hidden names are passed over, like files over the limits.
    """

    def __init__(
        self,
        root: Path,
        *,
        endings: frozenset[str],
        only: tuple[str, ...] = (),
        most_files: int = 20_000,
        most_bytes: int = 20_000_000,
    ) -> None:
        self.root = Path(os.path.realpath(root))
        self._endings = endings
        self._only = only
        self._most_files = most_files
        self._most_bytes = most_bytes

    def documents(self) -> dict[str, Stamp]:
        """Stamps of all documents by their paths in the folder, with slashes.

        Raises:
            SearchUnavailable: The folder is not there or cannot be listed.

        """
        if not os.access(self.root, os.R_OK | os.X_OK) or not self.root.is_dir():
            raise SearchUnavailable("library", "its folder cannot be read")
        found: dict[str, Stamp] = {}
        for name, status in self._walk():
            if len(found) >= self._most_files:
                break
            found[name] = Stamp(status.st_mtime_ns, status.st_size)
        return found

    def read(self, name: str) -> bytes | None:
        """The bytes of a document; ``None`` when it is gone, too large or cannot be read."""
        path = os.path.realpath(self.root / name)
        if not self._is_inside(path):
            return None
        try:
            # A pipe must not hold us, and a link put there meanwhile must not lead us out.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    return None
                data = file.read(self._most_bytes + 1)
        except OSError:
            return None
        return data if len(data) <= self._most_bytes else None

    def _walk(self) -> Iterator[tuple[str, os.stat_result]]:
        for start in self._only or ("",):
            yield from self._files(self.root / start)

    def _files(self, start: Path) -> Iterator[tuple[str, os.stat_result]]:
        if start.is_file():
            yield from self._stamped(start)
        for folder, below, names in os.walk(start):
            below[:] = sorted(name for name in below if is_shown(name))
            for name in sorted(filter(is_shown, names)):
                yield from self._stamped(Path(folder, name))

    def _stamped(self, path: Path) -> Iterator[tuple[str, os.stat_result]]:
        if path.suffix.lower() not in self._endings:
            return
        real = os.path.realpath(path)
        try:
            status = Path(real).lstat()
        except OSError:
            return
        fits = 0 < status.st_size <= self._most_bytes
        if stat.S_ISREG(status.st_mode) and fits and self._is_inside(real):
            yield path.relative_to(self.root).as_posix(), status

    def _is_inside(self, real: str) -> bool:
        return Path(real).is_relative_to(self.root)


def is_shown(name: str) -> bool:
    """Whether a file or folder of this name is looked at, and can be stored as text."""
    return not name.startswith(".") and name not in SKIPPED and name.isprintable()
