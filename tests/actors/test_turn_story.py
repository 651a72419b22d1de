"""What a turn keeps of itself: its story, and what it was given."""

from typing import Any

import msgspec

from actors import context
from actors.journal import Journal
from protocol.access import EVERYBODY
from protocol.errors import ModelUnavailable
from protocol.events import Failed, Finished
from protocol.messages import Rephrase, Search, SearchFinished, Write, Written
from protocol.traces import Span
from tests.actors.parts import NODES, Act, Scene, ended, fail, turn_info
from tests.clock import virtual
from upstreams.diary import Diary, note
from upstreams.tape import Player, unpacked


async def play(
    acts: dict[type, Act], *, records: bool = False, diary: Diary | None = None
) -> tuple[Any, Scene]:
    """The last event of a turn, with these acts of those it asks."""
    scene = Scene(acts)
    scene.crew = msgspec.structs.replace(scene.crew, records=records)
    journal = Journal(turn_info())
    context.keep(diary)
    scene.play(journal)
    context.keep(None)
    end = (await ended(journal))[-1]
    await scene.close()
    return end, scene


async def recorded(scene: Scene) -> bytes:
    """What was kept of what the turn was given."""
    return await scene.store.recording(turn_info().turn_id, EVERYBODY)


def named(story: tuple[Span, ...], name: str) -> list[dict[str, Any]]:
    """The facts of all spans of that name."""
    return [span.facts for span in story if span.name == name]


@virtual
async def test_end_of_the_journal_has_the_story() -> None:
    """Stages, what was found and kept, and what those who were asked have noted."""

    async def write(message: Write) -> Written:
        note("model", provider="stand-in")
        message.write_delta("So.")
        return Written("stand-in/model", 1)

    end, _ = await play({Write: write})
    assert isinstance(end, Finished)
    names = [span.name for span in end.story]
    stages = [name for name in names if name in end.stages]
    assert stages == ["rephrasing", "searching", "reranking", "writing"]
    assert named(end.story, "found") == [
        {"query": "a query", "results": len(NODES), "backend": "stand-in"}
    ]
    assert named(end.story, "kept") == [{"results": len(NODES), "kept": 2}]
    assert named(end.story, "model") == [{"provider": "stand-in"}]


@virtual
async def test_what_was_given_up_is_in_the_story() -> None:
    """A stage that failed and did not end the turn, and the failure that did."""

    async def refuse(_message: Write) -> Written:
        raise ModelUnavailable("stand-in", "it is out of order")

    end, scene = await play({Rephrase: fail, Write: refuse}, records=True)
    assert isinstance(end, Failed)
    assert named(end.story, "failed") == [
        {"work": "rephrase", "key": "SEARCH_UNAVAILABLE", "problem": "it is out of order"},
        {"key": "MODEL_UNAVAILABLE", "problem": "it is out of order"},
    ]
    assert await recorded(scene)


@virtual
async def test_nothing_is_recorded_unless_it_is_wanted() -> None:
    """The story is there in any case."""
    end, scene = await play({})
    assert end.story
    assert await recorded(scene) == b""


@virtual
async def test_a_recording_is_played_in_place_of_a_search() -> None:
    """A turn that is begun in a diary with a tape asks the tape, and has nothing to record."""

    async def search(_message: Search) -> SearchFinished:
        raise AssertionError

    _, scene = await play({}, records=True)
    recording = unpacked(await recorded(scene))
    assert recording.question == turn_info().question
    player = Player(recording.said)
    end, again = await play({Search: search}, records=True, diary=Diary(lambda: 0.0, player))
    assert (type(end), player.differences, player.unasked()) == (Finished, [], [])
    assert await recorded(again) == b""
