"""What one person's session can do to another's turns: nothing."""

import asyncio

import pytest

from protocol.access import Person
from protocol.errors import StorageUnavailable
from protocol.frames import SUBPROTOCOL
from protocol.refusals import Unauthorized
from tests.actors.hall import Hall
from tests.clock import virtual
from tests.memory_connection import MemoryConnection

ANN, BOB, ROOT = Person("ann", "user"), Person("bob", "user"), Person("root", "admin")


async def visit(hall: Hall, person: Person) -> MemoryConnection:
    """A further client, who is that person."""

    async def identify() -> Person:
        return person

    connection = MemoryConnection(SUBPROTOCOL)
    talk = asyncio.ensure_future(hall.converse(connection, {}, identify))
    hall.visits.append((connection, talk))
    await hall.settle()
    return connection


@virtual
@pytest.mark.parametrize(("person", "reaches"), [(ANN, True), (ROOT, True), (BOB, False)])
async def test_turn_obeys_its_owner_and_administrators(
    person: Person,
    reaches: bool,
) -> None:
    """For another it is not there: its stop and resume go to the store, which knows none either."""
    hall = Hall(SUBPROTOCOL)
    ann = await visit(hall, ANN)
    ann.ask("Why?", chat="c", message="m")
    await hall.settle()
    journal, stopped = hall.started[0].journal, list[bool]()
    assert journal.turn.person == ANN
    journal.when_stopped(lambda: stopped.append(True))
    other = await visit(hall, person)
    other.say_frame(type="resume", messageId=journal.turn.answer_id)
    other.say_frame(type="stop", messageId=journal.turn.answer_id)
    await hall.settle()
    assert stopped == [True] * reaches
    assert [recall.reach for recall in hall.recalled] == [person.reach] * (0 if reaches else 2)
    await hall.close()


@virtual
@pytest.mark.parametrize(("person", "reaches"), [(ANN, True), (ROOT, True), (BOB, False)])
async def test_turn_of_an_administrator_obeys_whose_chat_it_is_in(
    person: Person, reaches: bool
) -> None:
    """They can read on, and stop it, as if they had asked."""
    hall = Hall(SUBPROTOCOL)
    (await visit(hall, ROOT)).ask("Why?", chat="c", message="m")
    await hall.settle()
    journal, stopped = hall.started[0].journal, list[bool]()
    journal.owner = "ann"
    journal.when_stopped(lambda: stopped.append(True))
    other = await visit(hall, person)
    other.say_frame(type="resume", messageId=journal.turn.answer_id)
    other.ask("Why?", chat="c", message="m")
    await hall.settle()
    assert bool(other.of_type("resumed")) == reaches
    assert stopped == [True] * reaches
    await hall.close()


@virtual
async def test_same_question_of_another_stops_nothing() -> None:
    """Though both ids are right."""
    hall = Hall(SUBPROTOCOL)
    for person in (ANN, BOB):
        (await visit(hall, person)).ask("Why?", chat="c", message="m")
        await hall.settle()
    stopped: list[bool] = []
    hall.started[0].journal.when_stopped(lambda: stopped.append(True))
    assert stopped == []
    assert [start.journal.turn.person for start in hall.started] == [ANN, BOB]
    await hall.close()


@virtual
async def test_nobody_is_not_let_in() -> None:
    """An error that says so, and a code that tells the client to log in."""

    async def nobody() -> Person:
        raise Unauthorized

    hall = Hall()
    hall.identify = nobody
    connection = await hall.open()
    assert [frame["key"] for frame in connection.sent] == ["UNAUTHORIZED"]
    assert connection.closed_with == 4401
    await hall.close()


@virtual
async def test_account_that_is_shut_out_loses_its_open_socket() -> None:
    """With its next command, which is not carried out."""
    answers = iter([ANN, ANN])

    async def identify() -> Person:
        try:
            return next(answers)
        except StopIteration:
            raise Unauthorized from None

    hall = Hall()
    hall.identify = identify
    connection = await hall.open()
    for _ in range(2):
        connection.ask("Why?")
    await hall.settle()
    assert len(hall.started) == 1
    assert connection.closed_with == 4401
    await hall.close()


@virtual
async def test_store_that_does_not_answer_costs_a_command_and_not_the_socket() -> None:
    """Nobody is let through meanwhile."""
    answers = iter([ANN, None, ANN])

    async def identify() -> Person:
        answer = next(answers)
        if answer is None:
            raise StorageUnavailable("it is away")
        return answer

    hall = Hall()
    hall.identify = identify
    connection = await hall.open()
    for _ in range(2):
        connection.ask("Why?")
    await hall.settle()
    assert len(hall.started) == 1
    assert [f["key"] for f in connection.sent if f["type"] == "error"] == ["STORAGE_UNAVAILABLE"]
    assert connection.closed_with is None
    await hall.close()
