"""Power cuts at random moments of a store's life: ``make powercuts`` prints what they cost.

``python -m tests.storage.power_cuts [--cuts 300] [--seed 0]``. A story is one disk with several
lives of the real store on it, each ended by a cut. The exit code is 1 when a promise is broken, or
when the store without its syncs (``synchronous = NORMAL``) keeps all that it acknowledged.
"""

import argparse
import asyncio
import contextlib
import sys
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

import apsw
import structlog

from protocol.errors import StorageUnavailable
from storage.sqlite import SqliteStore
from tests.storage.asking import Asking
from tests.storage.disk import Disk
from tests.storage.disk_vfs import DiskVfs
from tests.storage.examples import NOON
from tests.storage.ledger import PROMISES, Ledger

LIVES = 3
# Steps of the disk after which the power goes: while the file is opened, soon, late.
CUTS = ((1, 90), (60, 400), (60, 3000))
# Pages of the log after which SQLite moves them to the database; the last is its own choice.
CHECKPOINTS = (8, 40, 1000)
QUIET = 50  # above every level of the log


class Story:
    """One disk, and the lives of the store on it; ``is_careless``: with synchronous = NORMAL."""

    def __init__(self, seed: int, folder: Path, *, is_careless: bool = False) -> None:
        self.ledger = Ledger()
        self.cuts: Counter[str] = Counter()
        self._dice = Random(seed)
        self._path = folder / f"{seed}.sqlite"
        self._is_careless = is_careless
        self._disk = Disk()
        self._is_open = False

    async def tell(self, lives: int = LIVES) -> Ledger:
        """Live and cut that many times, then open once more; every opening is checked."""
        for life in range(lives):
            cut_at = self._dice.randint(*self._dice.choice(CUTS))
            self._disk = self._disk.after_cut(self._dice, cut_at)
            self._is_open = False
            with contextlib.suppress(StorageUnavailable):
                await self._live(Asking(self._dice, self.ledger, str(life)))
            self.cuts["later" if self._is_open else "in openings"] += self._disk.is_off
        self._disk = self._disk.after_cut(self._dice)
        await self._live(None)
        return self.ledger

    async def _live(self, asking: Asking | None) -> None:
        """Open, check, and ask until the power goes, if anybody asks."""
        with DiskVfs(self._disk) as vfs:
            store = await SqliteStore.open(self._path, clock=lambda: NOON, connect=vfs.connect)
            self._is_open = True
            try:
                await self._prepare(store)
                await self.ledger.check(store)
                while asking:
                    await self._commit(store, asking)
            finally:
                with contextlib.suppress(StorageUnavailable):
                    await store.close()

    async def _prepare(self, store: SqliteStore) -> None:
        pages = self._dice.choice(CHECKPOINTS)
        await store._writer.rows(f"PRAGMA wal_autocheckpoint = {pages}")
        if self._is_careless:
            await store._writer.rows("PRAGMA synchronous = NORMAL")

    async def _commit(self, store: SqliteStore, asking: Asking) -> None:
        writes = asking.batch()
        await store.commit(writes)
        self.ledger.acknowledge(writes)


class Figures:
    """Sums over stories."""

    def __init__(self) -> None:
        self.cuts: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.checked: Counter[str] = Counter()
        self.seeds = 0
        self.took_s = 0.0

    def add(self, story: Story) -> None:
        """Count a story that has been told."""
        self.seeds += 1
        self.cuts += story.cuts
        self.broken += story.ledger.broken
        self.checked += story.ledger.checked

    def __str__(self) -> str:
        checked = ", ".join(f"{count} {what}" for what, count in sorted(self.checked.items()))
        broken = ", ".join(f"{self.broken[what]} {what}" for what in PROMISES)
        cuts = f"{self.cuts.total()} cuts ({self.cuts['in openings']} in openings)"
        pace = f"{self.seeds} seeds, {self.seeds / self.took_s:.1f} a second"
        return f"  {cuts}; {checked}\n  {broken}\n  {pace}"


async def run(cuts: int, first_seed: int, *, is_careless: bool = False) -> Figures:
    """Tell stories until there have been that many cuts."""
    figures = Figures()
    seed, started = first_seed, perf_counter()
    with TemporaryDirectory() as folder:
        while figures.cuts.total() < cuts:
            story = Story(seed, Path(folder), is_careless=is_careless)
            await story.tell()
            figures.add(story)
            seed += 1
    figures.took_s = perf_counter() - started
    return figures


def main() -> None:
    """Cut, check, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cuts", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(QUIET))
    kept = asyncio.run(run(given.cuts, given.seed))
    careless = asyncio.run(run(given.cuts, given.seed, is_careless=True))
    sys.stdout.write(
        f"SQLite {apsw.sqlite_lib_version()}\nsynchronous = FULL, as the program has it:\n{kept}\n"
        f"synchronous = NORMAL, which must lose some:\n{careless}\n"
    )
    sys.exit(bool(kept.broken) or not careless.broken["questions lost"])


if __name__ == "__main__":
    main()
