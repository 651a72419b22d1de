"""Whether a folder can be written to is found out by writing."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from protocol.errors import StorageUnavailable
from storage.folder import PROBE_BYTES, check_folder, tried
from tests.restraints import WITHOUT_ROOM, as_others_do, with_mounts

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
DEADLINE_S = 20
TRY = "import pathlib, sys, storage.folder as f; print(f.tried(pathlib.Path(sys.argv[1])).trouble)"
SMALL = 'mount -t tmpfs -o size=64k none "$1" && head -c 32768 /dev/zero > "$1/other"'
CLOSED = 'mount -t tmpfs -o ro none "$1"'


def test_folder_that_can_be_written_to(tmp_path: Path) -> None:
    """Nothing is left behind, and the room is told."""
    found = tried(tmp_path)
    assert (found.trouble, found.exists) == ("", True)
    assert found.free_bytes > PROBE_BYTES
    assert not list(tmp_path.iterdir())


def test_folder_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    """Its place is tried instead."""
    found = tried(tmp_path / "a" / "b")
    assert (found.trouble, found.exists) == ("", False)
    assert not list(tmp_path.iterdir())


async def test_check_of_the_running_program(tmp_path: Path) -> None:
    """It says in a sentence what is wrong, also of a disk that hangs."""
    (tmp_path / "file").touch()
    await check_folder(tmp_path, at_once, within_s=10)
    with pytest.raises(StorageUnavailable, match="its folder is no folder"):
        await check_folder(tmp_path / "file", at_once, within_s=10)
    with pytest.raises(StorageUnavailable, match="did not answer in time"):
        await check_folder(tmp_path, never, within_s=0.01)


async def at_once(work: Callable[[], T]) -> T:
    """What it returns."""
    return work()


async def never(work: Callable[[], T]) -> T:
    """A thread that hangs."""
    await asyncio.Event().wait()
    return work()


def test_folder_below_a_file(tmp_path: Path) -> None:
    """It cannot be one, nor can the file itself."""
    file = tmp_path / "file"
    file.write_text("in the way", "utf-8")
    assert {tried(file).trouble, tried(file / "data").trouble} == {"misplaced"}


def test_process_whose_files_may_not_grow() -> None:
    """As on a full disk; a part of what is written counts as nothing."""
    assert trouble(WITHOUT_ROOM, "/tmp") == "full"  # noqa: S108 - nothing is put there


@pytest.mark.parametrize(("mount", "told"), [(SMALL, "full"), (CLOSED, "closed")])
def test_mounts_are_found_out_also_by_root(tmp_path: Path, mount: str, told: str) -> None:
    """A disk that is full, and one that is read-only."""
    command = with_mounts(mount, str(tmp_path))
    assert trouble(command, str(tmp_path)) == told


def test_folder_without_the_right_to_write(tmp_path: Path) -> None:
    """As a mount that is read-only."""
    tmp_path.chmod(0o555)
    assert trouble(as_others_do(), str(tmp_path)) == "closed"
    tmp_path.chmod(0o755)


def trouble(command: Sequence[str], folder: str) -> str:
    """What a process under that command finds."""
    done = subprocess.run(  # noqa: S603 - our own words
        [*command, sys.executable, "-c", TRY, folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    return done.stdout.strip()
