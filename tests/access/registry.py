"""A registry in memory, with a clock that a test sets."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from access.accounts import Registry
from access.passwords import Passwords
from access.quotas import guesses_of
from protocol.accounts import AccountWrite
from protocol.settings import Limits
from tests.storage.examples import NOON
from tests.storage.memory_accounts import MemoryAccounts

GUESSES = 3  # that a name has at its door


class Clock:
    """The time of day."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """What it shows."""
        return self.now

    def forward(self, hours: float) -> None:
        """Later."""
        self.now += timedelta(hours=hours)


async def at_once(work: Callable[[], Any]) -> Any:
    """Do it here and now."""
    return work()


def registry(
    accounts: MemoryAccounts | None = None,
    clock: Clock | None = None,
    written: list[AccountWrite] | None = None,
) -> Registry:
    """A registry whose ids are numbers; ``written`` gets all that is changed."""
    kept = accounts or MemoryAccounts()
    numbers = iter(range(1, 1_000))

    async def perform(write: AccountWrite) -> bool:
        if written is not None:
            written.append(write)
        return kept.change(write)

    def new_id(size: int) -> str:
        return f"{next(numbers):0{2 * size}x}"

    guesses = guesses_of(Limits(name_logins=GUESSES), lambda: 0.0)
    return Registry(kept, perform, Passwords(at_once), clock or Clock(), new_id, guesses)
