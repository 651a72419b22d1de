"""What an answer costs with many chats stored, beside an empty store.

``python -m bench.stored [--chats 20000] [--rounds 20]``: two programs side by side; bound: 1.05.
"""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.import_chats import make
from bench.measure import print_machine, print_table, spread
from bench.paired import cpu_ms, ratio, side_by_side
from storage.reference import import_reference
from storage.sqlite import SqliteStore

TOKENS, SESSIONS, ANSWERS = 60, 8, 16
HEADS = ("store", "size MB", "CPU ms an answer", "to the empty one")
KINDS = ("empty", "full")


async def fill(folder: Path, chats: int) -> None:
    """A store of so many chats of one turn each."""
    source = folder / "reference.sqlite"
    make(source, chats, turns=1)
    (folder / "data").mkdir()
    store = await SqliteStore.open(folder / "data" / "db.sqlite")
    await import_reference(source, store, now=datetime.now(UTC))
    await store.close()


async def measure(chats: int, rounds: int, folders: dict[str, Path]) -> dict[str, list[float]]:
    """CPU ms of an answer in each round."""
    took: dict[str, list[float]] = {name: [] for name in KINDS}
    await fill(folders["full"], chats)
    async with AsyncExitStack() as stack:
        programs = await side_by_side(stack, folders, {})
        for _ in range(rounds):
            for name, times in took.items():
                times.append(await cpu_ms(programs[name], TOKENS, SESSIONS, ANSWERS))
    return took


def rows(took: dict[str, list[float]], folders: dict[str, Path]) -> Iterator[tuple[object, ...]]:
    """The table."""
    for name, times in took.items():
        size = sum(file.stat().st_size for file in (folders[name] / "data").glob("db.sqlite*"))
        yield name, size / 1e6, spread(times), f"{ratio(took['empty'], times):.3f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--chats", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        folders = {name: Path(folder) / name for name in KINDS}
        for place in folders.values():
            place.mkdir()
        took = asyncio.run(measure(options.chats, options.rounds, folders))
        lines = list(rows(took, folders))
    print_machine()
    print_table(HEADS, lines)


if __name__ == "__main__":
    main()
