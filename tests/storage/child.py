"""A process of its own that uses a store: ``python -m tests.storage.child VERB PATH NAME``.

It says ``ready``, waits for a line, does its work, says ``done``, and waits until its input ends.
"""

import asyncio
import sys

from storage.sqlite import SqliteStore
from tests.storage.examples import asked, ended, wrote


async def keep(store: SqliteStore, name: str) -> None:
    """Commit a question with its answer."""
    await store.commit([asked(name, name, "m"), ended(name)])


async def begin(store: SqliteStore, name: str) -> None:
    """Leave a turn in the middle of its answer."""
    await store.commit([asked(name, name, "m"), wrote(name, "half an ", "answer")])


VERBS = {"keep": keep, "begin": begin}


def say(word: str) -> None:
    """Tell whoever started this process how far it is."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main(verb: str, path: str, name: str) -> None:
    """Open, work, wait, close."""
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    store = await SqliteStore.open(path)
    await VERBS[verb](store, name)
    say("done")
    await asyncio.to_thread(sys.stdin.read)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
