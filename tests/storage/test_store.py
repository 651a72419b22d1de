"""What every store does; runs over each that there is."""

import asyncio
from datetime import timedelta

import pytest

from protocol.access import EVERYBODY
from protocol.errors import ChatNotFound
from protocol.events import Accepted, Delta, Failed, Finished
from protocol.ids import ChatId, MessageId, TurnId
from protocol.values import Node
from protocol.writes import EndTurn, ForgetJournals, Write
from storage.store import Store, StoredTurn
from tests.storage.examples import NOON, asked, deleted, ended, entries, wrote


async def texts(store: Store, chat: str) -> list[str]:
    return [message.content for message in await store.messages(ChatId(chat), EVERYBODY)]


async def test_question_makes_its_chat(store: Store) -> None:
    """A chat is there with its first question, and the whole question is its title."""
    question = "why?\n" * 5_000
    await store.commit([asked("1", "c", "m", question)])
    chat = await store.chat(ChatId("c"), EVERYBODY)
    assert (chat.id, chat.title, chat.focus_mode) == ("c", question, "webSearch")
    assert (chat.created_at, chat.files) == ("2026-11-23T12:00:00.493Z", ())
    [message] = await store.messages(ChatId("c"), EVERYBODY)
    assert (message.message_id, message.role, message.content) == ("m", "user", question)
    assert message.metadata == {"createdAt": "2026-11-23T12:00:00.493Z"}


async def test_answer_has_its_sources_in_the_shape_of_clients(store: Store) -> None:
    """Sources have pageContent and metadata with title and url; img_src only where there is one."""
    nodes = (Node("text", "title", "u", 0.5), Node("t2", "", "u2", img_src="i"))
    await store.commit([asked("1", "c", "m"), ended("1", "so", sources=nodes)])
    [_, answer] = await store.messages(ChatId("c"), EVERYBODY)
    assert (answer.message_id, answer.role, answer.content) == ("a1", "assistant", "so")
    assert answer.metadata == {
        "createdAt": "2026-11-23T12:00:00.493Z",
        "sources": [
            {"pageContent": "text", "metadata": {"title": "title", "url": "u"}},
            {"pageContent": "t2", "metadata": {"title": "", "url": "u2", "img_src": "i"}},
        ],
    }


async def test_failed_answer_is_marked(store: Store) -> None:
    """The key of what went wrong stands in the metadata of an answer."""
    await store.commit([asked("1", "c", "m"), ended("1", "", state="failed", error="BUSY")])
    [_, answer] = await store.messages(ChatId("c"), EVERYBODY)
    assert (answer.metadata["error"], answer.metadata["sources"]) == ("BUSY", [])


async def test_turn_is_found_by_its_answer(store: Store) -> None:
    """With its state, the number of its last event, and what its answer says."""
    nodes = (Node("text", "title", "u"),)
    await store.commit([asked("1", "c", "m"), asked("2", "c", "m2"), asked("3", "c", "m3")])
    await store.commit([ended("1", "so", sources=nodes, after=4)])
    await store.commit([ended("2", "not", state="failed", error="BUSY")])
    turns = [await store.turn(MessageId(f"a{n}"), EVERYBODY) for n in (1, 2, 3, 4)]
    assert turns == [
        StoredTurn(TurnId("1"), MessageId("a1"), "finished", 5, "so", nodes),
        StoredTurn(TurnId("2"), MessageId("a2"), "failed", 2, "not", (), "BUSY"),
        StoredTurn(TurnId("3"), MessageId("a3"), "running", 0),
        None,
    ]


async def test_last_end_of_a_turn_counts(store: Store) -> None:
    """A commit that seemed to fail may have gone through: what is said later is the truth."""
    await store.commit([asked("1", "c", "m"), wrote("1", "a"), ended("1", "a", after=2)])
    sorry = entries(Delta("sorry"), Failed("BUSY", "sorry"), after=2)
    last = EndTurn(TurnId("1"), sorry, "failed", "asorry", (), "BUSY", NOON)
    for _ in range(2):
        await store.commit([last])
    assert await texts(store, "c") == ["why?", "asorry"]
    journal = await store.entries(TurnId("1"), EVERYBODY)
    assert [entry.seq for entry in journal] == [1, 2, 3, 4]
    assert [type(entry.event) for entry in journal] == [Accepted, Delta, Delta, Failed]
    turn = await store.turn(MessageId("a1"), EVERYBODY)
    assert turn is not None
    assert (turn.state, turn.survived) == ("failed", 4)


async def test_line_that_is_written_again_takes_the_place_of_the_first(store: Store) -> None:
    """The journal in memory decides what stands at a number."""
    await store.commit([asked("1", "c", "m"), wrote("1", "old")])
    await store.commit([wrote("1", "new", "more")])
    said = [
        e.event.text
        for e in await store.entries(TurnId("1"), EVERYBODY)
        if isinstance(e.event, Delta)
    ]
    assert said == ["new", "more"]


async def test_old_journals_are_forgotten_and_answers_stay(store: Store) -> None:
    """By age, and beyond a number; turns that run keep theirs."""
    for number in ("1", "2", "3"):
        await store.commit([asked(number, "c", f"m{number}"), ended(number)])
    await store.commit([asked("4", "c", "m4")])
    await store.commit([ForgetJournals(NOON, 2)])
    kept = [len(await store.entries(TurnId(number), EVERYBODY)) for number in "1234"]
    assert kept == [0, 0, 2, 1]
    await store.commit([ForgetJournals(NOON + timedelta(seconds=1), 100)])
    kept = [len(await store.entries(TurnId(number), EVERYBODY)) for number in "1234"]
    assert kept == [0, 0, 0, 1]
    assert (await texts(store, "c")).count("because") == 3
    turn = await store.turn(MessageId("a1"), EVERYBODY)
    assert turn is not None
    assert (turn.survived, turn.text) == (2, "because")


async def test_chats_come_newest_first(store: Store) -> None:
    """Chats are listed by their beginning; a later question does not move them."""
    await store.commit([asked("1", "a", "m"), asked("2", "b", "m"), asked("3", "a", "m2")])
    assert [chat.id for chat in await store.chats(EVERYBODY)] == ["b", "a"]


async def test_answer_follows_its_question(store: Store) -> None:
    """Questions stand in the order of asking, however their answers ended."""
    await store.commit([asked("1", "c", "m1", "q1"), asked("2", "c", "m2", "q2")])
    await store.commit([ended("2", "r2"), ended("1", "r1")])
    assert await texts(store, "c") == ["q1", "r1", "q2", "r2"]


async def test_rewrite_removes_what_followed_in_its_chat(store: Store) -> None:
    """A question asked anew stays as it was, without its old answer and all behind it."""
    for number in ("1", "2", "3"):
        await store.commit([asked(number, "c", f"m{number}", f"q{number}"), ended(number)])
    await store.commit([asked("x", "other", "m2", "elsewhere"), ended("x")])
    await store.commit([asked("4", "c", "m2", "other words"), ended("4", "new")])
    assert await texts(store, "c") == ["q1", "because", "q2", "new"]
    assert await texts(store, "other") == ["elsewhere", "because"]
    assert await store.entries(TurnId("2"), EVERYBODY) == []


async def test_rewrite_that_runs_is_a_question_without_answer(store: Store) -> None:
    """The old answer is gone as soon as the question has been asked anew."""
    await store.commit([asked("1", "c", "m"), ended("1"), asked("2", "c", "m")])
    assert await texts(store, "c") == ["why?"]


@pytest.mark.parametrize("again", ["m1", "m0"])
async def test_turn_of_a_rewritten_question_leaves_nothing(store: Store, again: str) -> None:
    """A turn still running when its question is removed or asked anew stores no answer."""
    await store.commit([asked("0", "c", "m0", "q0"), ended("0", "r0"), asked("1", "c", "m1")])
    await store.commit([asked("2", "c", again), ended("2", "new")])
    before = await texts(store, "c")
    await store.commit([wrote("1", "late"), ended("1", "late", after=2)])
    assert await texts(store, "c") == before
    assert await store.entries(TurnId("1"), EVERYBODY) == []


async def test_same_message_id_in_another_chat_is_another_question(store: Store) -> None:
    """A message id means a question within its own chat only."""
    await store.commit([asked("1", "a", "m", "in a"), ended("1"), asked("2", "b", "m", "in b")])
    assert await texts(store, "a") == ["in a", "because"]
    assert await texts(store, "b") == ["in b"]


async def test_id_of_an_answer_is_no_rewrite(store: Store) -> None:
    """A question that bears the id of an answer is a new question."""
    await store.commit([asked("1", "c", "m"), ended("1"), asked("2", "c", "a1", "new")])
    assert await texts(store, "c") == ["why?", "because", "new"]


async def test_journal_is_read_by_position(store: Store) -> None:
    """Entries come in order, from behind a number."""
    await store.commit([asked("1", "c", "m"), wrote("1", "a", "b"), ended("1", "ab", after=3)])
    whole = list(entries(Accepted(), Delta("a"), Delta("b"), Finished()))
    assert await store.entries(TurnId("1"), EVERYBODY) == whole
    assert await store.entries(TurnId("1"), EVERYBODY, after=2) == whole[2:]
    assert await store.entries(TurnId("1"), EVERYBODY, after=9) == []


async def test_deleted_chat_is_gone(store: Store) -> None:
    """Messages and journals leave with their chat, and a late end brings nothing back."""
    await store.commit([asked("1", "c", "m"), asked("2", "d", "m")])
    await store.commit([deleted("c")])
    await store.commit([wrote("1", "late"), ended("1", "late", after=2)])
    assert [chat.id for chat in await store.chats(EVERYBODY)] == ["d"]
    assert await store.messages(ChatId("c"), EVERYBODY) == []
    assert await store.entries(TurnId("1"), EVERYBODY) == []
    with pytest.raises(ChatNotFound):
        await store.chat(ChatId("c"), EVERYBODY)


async def test_chat_made_again_is_new(store: Store) -> None:
    """What was running in a deleted chat does not end in a new one of the same id."""
    await store.commit([asked("1", "c", "m"), deleted("c"), asked("2", "c", "m", "anew")])
    await store.commit([ended("1", "late")])
    assert await texts(store, "c") == ["anew"]


async def test_deleting_an_unknown_chat_spoils_nothing(store: Store) -> None:
    """The other writes of the batch are kept, before and behind."""
    writes: list[Write] = [asked("1", "a", "m"), deleted("nowhere"), asked("2", "b", "m")]
    assert await store.commit(writes) == (deleted("nowhere"),)
    assert len(await store.chats(EVERYBODY)) == 2


async def test_batch_given_twice_counts_once(store: Store) -> None:
    """Whoever does not know whether a batch was kept may give it again."""
    batch: list[Write] = [asked("1", "c", "m"), wrote("1", "a"), ended("1", after=2)]
    await store.commit(batch)
    await store.commit(batch)
    assert await texts(store, "c") == ["why?", "because"]
    assert [entry.seq for entry in await store.entries(TurnId("1"), EVERYBODY)] == [1, 2, 3]


async def test_turn_ends_once(store: Store) -> None:
    """Nothing is added to a journal behind its end."""
    await store.commit([asked("1", "c", "m"), ended("1", "first")])
    await store.commit([wrote("1", "late", after=2)])
    assert await texts(store, "c") == ["why?", "first"]
    assert len(await store.entries(TurnId("1"), EVERYBODY)) == 2


async def test_odd_text_is_kept(store: Store) -> None:
    """Zero bytes, quotes, right-to-left and astral characters come back as they went in."""
    odd = "\0a'\";--\u202e\U0001f600\r\n\ufeff"
    await store.commit([asked("1", odd, odd, odd), wrote("1", odd), ended("1", odd, after=2)])
    assert await texts(store, odd) == [odd, odd]
    assert (await store.entries(TurnId("1"), EVERYBODY))[1].event == Delta(odd)


async def test_nothing_is_a_batch_too(store: Store) -> None:
    """An empty batch does nothing."""
    await store.commit([])
    assert await store.chats(EVERYBODY) == []


async def test_batches_at_once_do_not_mix(store: Store) -> None:
    """Many commits at the same time are each kept whole."""
    pairs = [(asked(f"{n}", f"c{n}", "m"), ended(f"{n}", f"r{n}")) for n in range(40)]
    await asyncio.gather(*(store.commit(pair) for pair in pairs))
    assert len(await store.chats(EVERYBODY)) == 40
    assert all([await texts(store, f"c{n}") == ["why?", f"r{n}"] for n in range(40)])


async def test_reads_of_the_unknown_are_empty(store: Store) -> None:
    """An unknown chat has no messages, an unknown turn no journal."""
    await store.check()
    assert await store.messages(ChatId("?"), EVERYBODY) == []
    assert await store.entries(TurnId("?"), EVERYBODY) == []
