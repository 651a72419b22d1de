"""Where the database lies: paths made ready and told apart."""

from pathlib import Path

from protocol.errors import StorageUnavailable

_FOLDER, _FILE = 0o700, 0o600  # conversations are nobody else's on this machine

_PROBLEMS: tuple[tuple[type[Exception], str], ...] = (
    (NotADirectoryError, "lies below something that is not a folder"),
    (FileExistsError, "lies below something that is not a folder"),
    (PermissionError, "lies where this program may not write"),
    (Exception, "cannot be made or written"),
)


def prepared(path: Path | str) -> Path:
    """The absolute path without links, folder and file made; raises StorageUnavailable."""
    try:
        place = Path(path).resolve()
        place.parent.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
        if place.exists() and not place.is_file():
            raise StorageUnavailable(f"{place} is not a file")
        place.touch(_FILE)  # SQLite makes its other files as this one is
        place.open("ab").close()
    except (OSError, ValueError, RuntimeError) as error:  # links in a circle: RuntimeError
        problem = next(words for kind, words in _PROBLEMS if isinstance(error, kind))
        raise StorageUnavailable(f"{str(path)!r} {problem}") from error
    return place


def file_identity(path: Path) -> tuple[int, int]:
    """What tells this file from any other, however it is called; (0, 0) when there is none."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_dev, status.st_ino)
