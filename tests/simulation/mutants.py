"""Planted bugs: parts wrong in one thing, by which the simulation shows that it can fail."""

import asyncio
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from actors.base import on
from actors.outlet import Outlet, Reading, ReadOn, Resume
from tests.simulation.disk import Connection, Disk
from tests.simulation.process import Cast

LATER_S = 0.02


class DeafOutlet(Outlet):
    """Loses a wake-up: what is written while it tells something wakes it no more."""

    _tells = False

    @on(ReadOn)
    async def read_on(self, message: ReadOn) -> None:
        """Tell, and hear nothing meanwhile."""
        self._tells = True
        try:
            await super().read_on(message)
        finally:
            self._tells = False

    def _wake(self, reading: Reading) -> None:
        if not self._tells:
            super()._wake(reading)


class SkippingOutlet(Outlet):
    """Skips a number: who comes back is not told the first event that it lacks."""

    @on(Resume)
    async def resume(self, message: Resume) -> None:
        """Begin one event too late."""
        await super().resume(message)
        for reading in self._readings:
            if reading.journal is message.journal:
                reading.seq += 1


class HastyConnection(Connection):
    """Misses a commit: it says that a question is durable, and commits a moment later."""

    def __init__(self, disk: Disk, path: Path) -> None:
        super().__init__(disk, path)
        self._has_question = False
        self._sqlite.set_trace_callback(self._heard)

    def _heard(self, sql: str) -> None:
        self._has_question |= "INSERT INTO turn" in sql

    def commit(self) -> sqlite3.Cursor:
        """Where a question is in it, only promise it."""
        if not self._has_question:
            return super().commit()
        self._has_question = False
        asyncio.get_running_loop().call_later(LATER_S, self._commit)
        return self._sqlite.cursor()

    async def execute(self, sql: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """As usual, but first what was only promised."""
        if sql == "BEGIN IMMEDIATE":
            self._commit()
        return await super().execute(sql, values)

    async def close(self) -> None:
        """As usual, but first what was only promised."""
        self._commit()
        await super().close()

    def _commit(self) -> None:
        if not self._disk.is_cut and self._sqlite.in_transaction:
            self._sqlite.execute("COMMIT")


MUTANTS = {
    "lost wake-up": Cast(outlet=DeafOutlet),
    "skipped seq": Cast(outlet=SkippingOutlet),
    "missing commit": Cast(connection=HastyConnection),
}
