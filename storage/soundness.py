"""Whether a file can be trusted: found out before anything of it is changed."""

from pathlib import Path

from protocol.errors import StorageUnavailable
from storage.database import Connect

# Within it 20,000 answers (270 MB) are read; of a larger file, or on a slow disk, what fits.
CHECK_S = 1.0
_MAGIC = b"SQLite format 3\0"


async def refuse_damaged(path: Path, connect: Connect, *, deadline_s: float = CHECK_S) -> None:
    """Raise StorageUnavailable, naming the path, for a file that is damaged or no database.

    File and log are left as they are. Pages are read for at most ``deadline_s`` seconds: damage
    that lies behind what was read by then is told when it is met. The end of a log that cannot
    be read is no damage, as a power cut leaves it so.
    """
    has_log = _has_log(path)
    if has_log:
        _refuse_without_head(path)
    # A writer that leaves moves the log into the file, and a reader leaves an empty log behind.
    database = await connect(path, read_only=has_log)
    try:
        if not await database.is_sound(deadline_s):
            raise StorageUnavailable(f"{path} is damaged")
    finally:
        await database.close()


def _has_log(path: Path) -> bool:
    log = log_of(path)
    return log.exists() and log.stat().st_size > 0


def log_of(path: Path) -> Path:
    """SQLite's log beside the file."""
    return path.with_name(f"{path.name}-wal")


def _refuse_without_head(path: Path) -> None:
    """SQLite removes the log of an empty file, and writes it into whatever file there is."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be opened") from error
    if not head:
        raise StorageUnavailable(f"{path} is empty, but its log {log_of(path).name} is not")
    if head != _MAGIC:
        raise StorageUnavailable(f"{path} is not a database")
