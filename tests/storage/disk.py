"""A disk whose power can be cut: it keeps what was synced apart from what was only written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

SECTOR = 512
# How many of the unsynced sectors survive a cut: none, few, half, most, all.
SURVIVING = (0.0, 0.1, 0.5, 0.9, 1.0)
Name = str


class PowerIsOff(Exception):
    """The disk does nothing any more."""


@dataclass(frozen=True)
class Written:
    """Bytes on their way to the disk; a cut spares whole sectors of them, each by chance."""

    offset: int
    data: bytes

    def apply(self, image: bytearray) -> None:
        """Do to the image what was asked for."""
        image.extend(bytes(max(0, self.offset - len(image))))
        image[self.offset : self.offset + len(self.data)] = self.data

    def parts(self) -> "Iterator[Written]":
        """The same, sector by sector."""
        start, end = self.offset, self.offset + len(self.data)
        while start < end:
            stop = min(end, (start // SECTOR + 1) * SECTOR)
            yield Written(start, self.data[start - self.offset : stop - self.offset])
            start = stop


@dataclass(frozen=True)
class Truncated:
    """A file on its way to being shorter."""

    size: int

    def apply(self, image: bytearray) -> None:
        """Do to the image what was asked for."""
        del image[self.size :]

    def parts(self) -> "Iterator[Truncated]":
        """It happens or does not."""
        yield self


@dataclass
class File:
    """What programs read (``live``), what has been synced, and what waits in between."""

    live: bytearray = field(default_factory=bytearray)
    synced: bytearray = field(default_factory=bytearray)
    waiting: list[Written | Truncated] = field(default_factory=list)
    is_named: bool = False  # whether its name would outlive a cut

    def change(self, change: Written | Truncated) -> None:
        """Let programs see the change, and the disk have it some day."""
        change.apply(self.live)
        self.waiting.append(change)

    def sync(self) -> None:
        """Let the disk have all."""
        self.synced[:] = self.live
        self.waiting.clear()

    def survivor(self, dice: Random, share: float) -> "File":
        """The file as a cut leaves it."""
        image = bytearray(self.synced)
        for change in self.waiting:
            for part in change.parts():
                if dice.random() < share:
                    part.apply(image)
        return File(image, bytearray(image), is_named=True)


class Disk:
    """Files by name; the power goes at the step ``cut_at``, counted from 1, if that is given."""

    def __init__(self, files: dict[Name, File] | None = None, cut_at: int | None = None) -> None:
        self.files = files or {}
        self.steps = 0
        self.is_off = False
        self._cut_at = cut_at
        self._removed: dict[Name, File] = {}

    def file(self, name: Name) -> File:
        """The file of that name, made when it is missing."""
        self._check()
        return self.files.setdefault(name, File())

    def exists(self, name: Name) -> bool:
        """Whether there is such a file."""
        self._check()
        return name in self.files

    def read(self, file: File, amount: int, offset: int) -> bytes:
        """Bytes of a file; fewer where it ends."""
        self._check()
        return bytes(file.live[offset : offset + amount])

    def change(self, file: File, change: Written | Truncated) -> None:
        """Change a file; the change that meets the cut may still reach the disk in part."""
        self._check()
        file.change(change)
        self._step()

    def sync(self, file: File) -> None:
        """Make what a file holds outlive any later cut; its name may still be lost."""
        self._step()
        file.sync()

    def sync_folder(self) -> None:
        """Make all names outlive any later cut, those of removed files excepted."""
        self._step()
        self._removed.clear()
        for file in self.files.values():
            file.is_named = True

    def remove(self, name: Name, *, is_synced: bool) -> None:
        """Remove a file; unless that is synced, a cut may bring it back."""
        self._step()
        file = self.files.pop(name)
        if file.is_named:
            self._removed[name] = file
        if is_synced:
            self.sync_folder()

    def after_cut(self, dice: Random, cut_at: int | None = None) -> "Disk":
        """The disk when the power is back: what was synced, and by chance some of the rest."""
        share = dice.choice(SURVIVING)
        kept = {
            name: file
            for name, file in self.files.items()
            if file.is_named or dice.random() < share
        }
        back = {
            name: file
            for name, file in self._removed.items()
            if name not in kept and dice.random() >= share
        }
        files = {name: file.survivor(dice, share) for name, file in (kept | back).items()}
        return Disk(files, cut_at)

    def _step(self) -> None:
        self._check()
        self.steps += 1
        if self.steps == self._cut_at:
            self.is_off = True
        self._check()

    def _check(self) -> None:
        if self.is_off:
            raise PowerIsOff
