"""What a store tells of turns to whoever looks into them; runs over each store that there is."""

from protocol.access import EVERYBODY, Person, Reach
from protocol.events import Failed, Finished
from protocol.ids import MessageId, TurnId
from protocol.traces import Span
from protocol.writes import EndTurn, ForgetJournals
from storage.store import Store
from tests.storage.examples import NOON, asked, deleted, entries

STORY = (Span("searching", 0, 12), Span("search", 1, 11, {"backend": "searxng", "results": 7}))
ANN = Person("ann", "user")


def told(turn: str, recording: bytes = b"") -> EndTurn:
    """The end of a turn with its story."""
    last = entries(Finished({"searching": 12}, STORY), after=1)
    return EndTurn(TurnId(turn), last, "finished", "so", (), None, NOON, recording=recording)


async def test_trace_has_the_story_of_the_last_event(store: Store) -> None:
    """With whose turn it is, its model and its times."""
    await store.commit([asked("1", "c", "m"), told("1")])
    trace = await store.trace(MessageId("a1"), EVERYBODY)
    assert trace is not None
    assert (trace.turn_id, trace.chat_id, trace.session_id) == ("1", "c", "s")
    assert (trace.state, trace.provider, trace.model) == ("finished", "openai", "gpt")
    assert (trace.stages, trace.spans) == ({"searching": 12}, STORY)
    assert trace.accepted_at == trace.ended_at == "2026-11-23T12:00:00.493Z"


async def test_trace_of_a_turn_that_runs_has_no_end(store: Store) -> None:
    """It is there, without times and spans."""
    await store.commit([asked("1", "c", "m")])
    trace = await store.trace(MessageId("a1"), EVERYBODY)
    assert trace is not None
    assert (trace.state, trace.ended_at, trace.spans) == ("running", "", ())


async def test_failed_turn_has_its_key(store: Store) -> None:
    """And its story all the same."""
    last = entries(Failed("BUSY", "Later.", story=STORY), after=1)
    end = EndTurn(TurnId("1"), last, "failed", "Later.", (), "BUSY", NOON)
    await store.commit([asked("1", "c", "m"), end])
    trace = await store.trace(MessageId("a1"), EVERYBODY)
    assert trace is not None
    assert (trace.error, trace.spans) == ("BUSY", STORY)


async def test_turns_are_found_by_each_of_their_names(store: Store) -> None:
    """Chat, session, turn and answer; the newest, oldest first; all without a name."""
    for number, chat in (("1", "c"), ("2", "c"), ("3", "d")):
        await store.commit([asked(number, chat, f"m{number}"), told(number)])

    async def found(name: str, most: int = 9) -> str:
        return "".join([t.turn_id for t in await store.traces(name, EVERYBODY, most)])

    assert [await found(name) for name in ("c", "s", "3", "a2", "", "x")] == [
        *("12", "123", "3", "2", "123", "")
    ]
    assert await found("c", 1) == "2"


async def test_one_turn_has_the_same_trace_by_its_id_and_its_answers(store: Store) -> None:
    """The log names the one, frames the other; what names several turns names no one of them."""
    await store.commit([asked("1", "c", "m1"), told("1"), asked("2", "c", "m2"), told("2")])
    by_turn = await store.trace(TurnId("2"), EVERYBODY)
    assert by_turn is not None
    assert by_turn == await store.trace(MessageId("a2"), EVERYBODY)
    assert [await store.trace(MessageId(name), EVERYBODY) for name in ("c", "s")] == [None, None]


async def test_others_turns_are_not_there(store: Store) -> None:
    """Neither their traces nor what they were given."""
    await store.commit([asked("1", "c", "m", by=ANN), told("1", b"given")])
    for reach, is_there in ((Reach("ann"), True), (Reach("ben"), False)):
        for name in (MessageId("a1"), TurnId("1")):
            assert (await store.trace(name, reach) is not None) == is_there
        assert bool(await store.traces("", reach, 9)) == is_there
        assert bool(await store.recording(TurnId("1"), reach)) == is_there


async def test_recordings_of_the_newest_turns_are_kept(store: Store) -> None:
    """As they were given; a chat that is removed takes its own along."""
    for number in "123":
        await store.commit([asked(number, f"c{number}", "m"), told(number, b"given " * 100)])
    await store.commit([ForgetJournals(NOON, 100, 2), deleted("c3")])
    kept = [await store.recording(TurnId(number), EVERYBODY) for number in "1234"]
    assert kept == [b"", b"given " * 100, b"", b""]
