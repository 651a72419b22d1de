"""Random lives of several chats: the file must hold what plain lists hold."""

import contextlib
import random
from collections.abc import Callable

import pytest

from protocol.access import EVERYBODY
from protocol.errors import ChatNotFound
from protocol.ids import TurnId
from protocol.writes import Write
from storage.sqlite import SqliteStore
from storage.store import Store
from tests.storage.examples import asked, deleted, ended, wrote
from tests.storage.memory_store import MemoryStore

CHATS = ("a", "b", "c", "d")
OPERATIONS = 1000


class Life:
    """Asks, asks anew, ends, fails and deletes, as chance has it; turns run side by side."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.turns: list[str] = []
        self._steps: tuple[Callable[[], Write], ...] = (
            *[self.ask] * 6,
            *[self.write] * 6,
            *[self.end] * 6,
            self.fail,
            self.delete,
        )

    def batch(self) -> list[Write]:
        """One to four operations."""
        return [self.chance.choice(self._steps)() for _ in range(self.chance.randint(1, 4))]

    def ask(self) -> Write:
        """A new question or, as there are few message ids, an old one anew."""
        self.turns.append(str(len(self.turns)))
        chat, message = self.chance.choice(CHATS), f"m{self.chance.randrange(9)}"
        return asked(self.turns[-1], chat, message, f"q{len(self.turns)}")

    def write(self) -> Write:
        """A piece for any turn there was lately, ended and removed ones too."""
        return wrote(self._turn(), "piece", after=self.chance.randint(1, 9))

    def end(self) -> Write:
        """The end of such a turn."""
        turn = self._turn()
        return ended(turn, f"r{turn}", after=20)

    def fail(self) -> Write:
        """Its end without a whole answer."""
        return ended(self._turn(), "sorry", state="failed", error="CHAIN_ERROR", after=20)

    def delete(self) -> Write:
        """A chat that may be there or not."""
        return deleted(self.chance.choice(CHATS))

    def _turn(self) -> str:
        return self.chance.choice(self.turns[-8:] or ["none"])


@pytest.mark.parametrize("seed", range(3))
async def test_file_holds_what_the_model_holds(sqlite_store: SqliteStore, seed: int) -> None:
    """After each of 1,000 random operations over several chats both stores read alike."""
    life, model, done = Life(seed), MemoryStore(), 0
    while done < OPERATIONS:
        batch = life.batch()
        assert await outcome(sqlite_store, batch) == await outcome(model, batch)
        assert await seen(sqlite_store, life.turns[-9:]) == await seen(model, life.turns[-9:])
        done += len(batch)


async def outcome(store: Store, batch: list[Write]) -> bool:
    """Whether all chats that were to be deleted were there."""
    with contextlib.suppress(ChatNotFound):
        await store.commit(batch)
        return True
    return False


async def seen(store: Store, turns: list[str]) -> list[object]:
    """All that can be read, except the numbers of rows."""
    chats = await store.chats(EVERYBODY)
    messages = [m for chat in chats for m in await store.messages(chat.id, EVERYBODY)]
    return [
        chats,
        [(m.chat_id, m.message_id, m.role, m.content, m.metadata) for m in messages],
        [sorted(map(repr, await store.entries(TurnId(turn), EVERYBODY))) for turn in turns],
    ]
