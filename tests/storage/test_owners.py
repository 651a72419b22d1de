"""What belongs to others is not there: the contract of every store."""

import pytest

from protocol.access import EVERYBODY, KEEPER, Person, Reach
from protocol.accounts import AddAccount
from protocol.errors import ChatNotFound
from protocol.ids import ChatId, MessageId, TurnId
from protocol.values import ChatFile, Upload, UploadPassage
from protocol.writes import DeleteChat, KeepUploads
from storage.store import Store
from tests.storage.examples import NOON, asked, ended

ANN, BOB = Person("ann", "user"), Person("bob", "user")
CHAT = ChatId("c")


@pytest.fixture
async def store(store: Store) -> Store:
    """A store with a chat of Ann's that has an answer and a file."""
    file = Upload("f", "f.txt", 1, (UploadPassage("f", "text"),))
    await store.commit([KeepUploads((file,), NOON, "ann")])
    await store.commit([asked("1", "c", "m", by=ANN, files=("f",)), ended("1")])
    return store


async def seen(store: Store, reach: Reach) -> dict[str, bool]:
    """Which things of Ann's are there for somebody."""
    try:
        await store.chat(CHAT, reach)
        has_chat = True
    except ChatNotFound:
        has_chat = False
    return {
        "list": bool(await store.chats(reach)),
        "chat": has_chat,
        "messages": bool(await store.messages(CHAT, reach)),
        "turn": await store.turn(MessageId("a1"), reach) is not None,
        "entries": bool(await store.entries(TurnId("1"), reach)),
        "upload": await store.upload("f", reach) is not None,
    }


@pytest.mark.parametrize(
    ("reach", "sees"),
    [(ANN.reach, True), (EVERYBODY, True), (BOB.reach, False), (Reach(""), False)],
)
async def test_all_of_it_or_nothing_is_there(
    store: Store,
    reach: Reach,
    sees: bool,
) -> None:
    """For its owner and administrators; for no other account, nor for nobody's."""
    assert set((await seen(store, reach)).values()) == {sees}


async def test_question_in_a_chat_of_somebody_else_is_refused(store: Store) -> None:
    """It leaves no trace, and spoils no other write of its batch."""
    intruding, own = asked("2", "c", "n", by=BOB), asked("3", "d", "n", by=BOB)
    assert await store.commit([intruding, own]) == (intruding,)
    assert await store.turn(MessageId("a2"), EVERYBODY) is None
    assert [chat.id for chat in await store.chats(BOB.reach)] == ["d"]


async def test_rewriting_a_question_of_somebody_else_removes_nothing(store: Store) -> None:
    """Not even with the right ids."""
    before = await store.messages(CHAT, EVERYBODY)
    assert len(await store.commit([asked("2", "c", "m", by=BOB)])) == 1
    assert await store.messages(CHAT, EVERYBODY) == before


async def test_chat_is_removed_by_its_owner_and_administrators_only(store: Store) -> None:
    """For others there is none to remove; its files go with it."""
    assert len(await store.commit([DeleteChat(CHAT, BOB.reach)])) == 1
    assert (await seen(store, ANN.reach))["chat"]
    assert await store.commit([DeleteChat(CHAT, ANN.reach)]) == ()
    assert not any((await seen(store, EVERYBODY)).values())


@pytest.mark.parametrize("owner", ["bob", "root"])
async def test_file_goes_only_with_a_chat_of_its_owner(store: Store, owner: str) -> None:
    """Not with one in which an administrator has asked with it."""
    file = Upload("g", "g.txt", 1, (UploadPassage("g", "text"),))
    root = Person("root", "admin")
    await store.commit([KeepUploads((file,), NOON, owner)])
    await store.commit([asked("2", "c", "n", by=root, files=("g",))])
    await store.commit([DeleteChat(CHAT, ANN.reach)])
    assert [await store.upload(name, EVERYBODY) for name in ("f", "g")] == [None, file]


async def test_file_of_somebody_else_cannot_be_attached(store: Store) -> None:
    """Knowing its id is not enough."""
    await store.commit([asked("2", "d", "m", by=BOB, files=("f",))])
    assert (await store.chat(ChatId("d"), BOB.reach)).files == ()
    assert (await store.chat(CHAT, ANN.reach)).files == (ChatFile("f.txt", "f"),)


async def test_administrator_answers_in_the_chat_of_its_owner(store: Store) -> None:
    """It stays its owner's."""
    await store.commit([asked("2", "c", "n", by=Person("root", "admin")), ended("2")])
    assert len(await store.messages(CHAT, ANN.reach)) == 4


async def test_first_administrator_takes_over_what_nobody_owns(store: Store) -> None:
    """Once; a second one does not, and nothing of anybody is taken."""
    await store.commit([asked("2", "old", "m", by=KEEPER)])
    await store.commit([AddAccount("root", "admin", "hash", NOON)])
    await store.commit([asked("3", "new", "m", by=KEEPER)])
    await store.commit([AddAccount("other", "admin", "hash", NOON)])
    owners = {chat.id: chat.owner for chat in await store.chats(EVERYBODY)}
    assert owners == {"c": "ann", "old": "root", "new": ""}
