"""Commands of the terminal that work on the store alone; each gives the lines to print."""

import asyncio
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from access.accounts import Registry
from access.manage import ACTIONS, WITH_PASSWORD
from access.passwords import Passwords
from access.quotas import guesses_of
from protocol.accounts import AccountWrite
from protocol.settings import Limits
from storage.reference import import_reference
from storage.store import Store
from transport.command_line import read_password

Now = Callable[[], datetime]
NewId = Callable[[int], str]
StoreCommand = Callable[[Store, Namespace, Now, NewId], Awaitable[Sequence[str]]]


async def import_chats(store: Store, options: Namespace, now: Now, _: NewId) -> Sequence[str]:
    """Take the chats of a reference database into the store."""
    tally = await import_reference(Path(options.path), store, now=now(), owner=options.owner)
    return tally.lines()


async def manage_accounts(
    store: Store, options: Namespace, now: Now, new_id: NewId
) -> Sequence[str]:
    """Do what the command line says of accounts and keys."""

    async def perform(write: AccountWrite) -> bool:
        return not await store.commit([write])

    if options.action in WITH_PASSWORD:
        options.password = read_password(options.name)
    guesses = guesses_of(Limits(), time.monotonic)
    keeping = (store.accounts, perform, Passwords(asyncio.to_thread))
    registry = Registry(*keeping, now, new_id, guesses)
    return await ACTIONS[options.command, options.action](registry, options)
