"""The disk of the power cuts: what a cut spares, and what it may take."""

from random import Random

import pytest

from tests.storage.disk import SECTOR, Disk, File, PowerIsOff, Truncated, Written

SEEDS = range(200)


def with_synced(data: bytes) -> tuple[Disk, File]:
    """A disk with one file ``f`` that is safe, name and all."""
    disk = Disk()
    file = disk.file("f")
    disk.change(file, Written(0, data))
    disk.sync(file)
    disk.sync_folder()
    return disk, file


def survivors(disk: Disk, name: str = "f") -> set[bytes]:
    """What the file may hold after a cut."""
    return {bytes(disk.after_cut(Random(seed)).files[name].live) for seed in SEEDS}


def test_synced_file_outlives_every_cut() -> None:
    """Neither its content nor its name is touched."""
    disk, _ = with_synced(b"kept")
    assert survivors(disk) == {b"kept"}


def test_unsynced_write_is_lost_or_torn_by_sectors() -> None:
    """Every sector of it survives or not by itself, and never half."""
    disk, file = with_synced(b"o" * 2 * SECTOR)
    disk.change(file, Written(0, b"n" * 2 * SECTOR))
    old, new = b"o" * SECTOR, b"n" * SECTOR
    assert survivors(disk) == {old + old, old + new, new + old, new + new}


def test_unsynced_truncation_happens_or_does_not() -> None:
    """A file may be as long as it was."""
    disk, file = with_synced(b"long")
    disk.change(file, Truncated(2))
    assert survivors(disk) == {b"long", b"lo"}


def test_names_are_safe_only_when_the_folder_is_synced() -> None:
    """Before that a new file may be gone, and a removed one back."""
    disk, _ = with_synced(b"")
    disk.remove("f", is_synced=False)
    disk.sync(disk.file("new"))
    seen = {tuple(sorted(disk.after_cut(Random(seed)).files)) for seed in SEEDS}
    assert seen >= {("f",), ("new",)}
    disk.sync_folder()
    seen = {tuple(sorted(disk.after_cut(Random(seed)).files)) for seed in SEEDS}
    assert seen == {("new",)}


def test_disk_without_power_does_nothing() -> None:
    """From the step of the cut on every use of it fails, and nothing more is safe."""
    disk = Disk(cut_at=2)
    file = disk.file("f")
    disk.change(file, Written(0, b"a"))
    with pytest.raises(PowerIsOff):
        disk.sync(file)
    with pytest.raises(PowerIsOff):
        disk.read(file, 1, 0)
    assert (disk.is_off, bytes(file.synced)) == (True, b"")
