"""A turn can be stopped, and a client that comes back reads on: over real sockets."""

import asyncio

import pytest

from tests.e2e.client import Client, Frame
from tests.e2e.program import Program
from tests.standins.faults import Fault, Gate
from tests.standins.model_server import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON_S = 10.0


def held(models: ModelServer, text: str, at: int = 5) -> tuple[str, Gate]:
    """A question whose answer halts after some pieces until the gate is opened."""
    gate = Gate()
    models.faults.tell("answer", Fault("hold", at=at, gate=gate))
    return text, gate


async def started(client: Client) -> str:
    """The id of the answer, once the client has some of its text."""
    frame = await client.until(lambda frame: frame["type"] == "message")
    return str(frame["messageId"])


def told(frames: list[Frame], answer: str) -> list[Frame]:
    """The frames of a turn."""
    return [frame for frame in frames if frame.get("messageId") == answer]


def text_of(frames: list[Frame]) -> str:
    """What they tell of the answer."""
    return "".join(frame["data"] for frame in frames if frame["type"] == "message")


async def test_stop_closes_the_call_to_the_model_and_keeps_the_text(
    program: Program, models: ModelServer
) -> None:
    """The client is told at once, and the chat has what was written, marked."""
    text, gate = held(models, "Should it be stopped?")
    async with Client.connect(program, v2=True) as client:
        asked = await client.ask(text)
        await asyncio.wait_for(gate.reached.wait(), SOON_S)
        answer = await started(client)
        await client.send({"type": "stop", "messageId": answer})
        turn = await client.turn()
        rows = await program.messages(asked.chat_id, at_least=2)
    call = await models.record.first(
        lambda e: e.text == text and e.kind == "answer" and e.closed_early, SOON_S
    )
    gate.release()
    assert turn.end["type"] == "stopped"
    assert (rows[-1]["content"], rows[-1]["metadata"]["error"]) == (turn.text, "STOPPED")
    assert turn.text
    assert turn.text in call.reply


async def test_plain_client_is_not_disturbed_by_what_it_does_not_know(program: Program) -> None:
    """What it sends beside questions is passed over: an error frame would end the web UI's page."""
    async with Client.connect(program) as client:
        for kind in ("ping", "stop", "dance"):
            await client.send({"type": kind, "messageId": "0"})
        turn = await client.answer("Still there?")
        kinds = {frame["type"] for frame in client.frames}
    assert turn.types == ["sources", "message", "messageEnd"]
    assert kinds == {"signal", "sources", "message", "messageEnd"}


async def test_client_that_comes_back_gets_every_later_event_once(
    program: Program, models: ModelServer
) -> None:
    """From memory while the turn runs: what it has and what follows make the stored answer."""
    text, gate = held(models, "Will it be resumed?")
    async with Client.connect(program, v2=True) as client:
        asked = await client.ask(text)
        answer = await started(client)
        before = told(client.frames, answer)
    async with Client.connect(program, v2=True) as client:
        await client.send({"type": "resume", "messageId": answer, "after": before[-1]["seq"]})
        await client.until(lambda frame: frame["type"] == "resumed")
        gate.release()
        await client.turn()
        after = told(client.frames, answer)
        rows = await program.messages(asked.chat_id)
    assert [frame["type"] for frame in (after[0], after[-1])] == ["resumed", "messageEnd"]
    assert after[0]["seq"] == before[-1]["seq"]
    seqs = [frame["seq"] for frame in (*before, *after[1:])]
    assert seqs == sorted(set(seqs))
    assert text_of(before) + text_of(after) == rows[-1]["content"]


async def test_turn_that_has_ended_is_told_again_from_any_event(program: Program) -> None:
    """From the store: from the beginning, the middle and the end."""
    async with Client.connect(program, v2=True) as client:
        whole = await client.answer("Is it told again?")
        for after in (0, whole.seqs[2], whole.seqs[-1]):
            client.forget()
            await client.send({"type": "resume", "messageId": whole.message_id, "after": after})
            await client.until(lambda frame: frame["type"] == "resumed")
            if after < whole.seqs[-1]:
                await client.until(lambda frame: frame["type"] == "messageEnd")
            again = told(client.frames, whole.message_id)
            assert (again[0]["type"], again[0]["seq"]) == ("resumed", after)
            late = [frame for frame in whole.frames if frame["seq"] > after]
            assert text_of(again) == text_of(late)


async def test_answer_that_is_not_known_can_be_neither_resumed_nor_stopped(
    program: Program,
) -> None:
    """The error names what was asked for."""
    async with Client.connect(program, v2=True) as client:
        for kind in ("resume", "stop"):
            await client.send({"type": kind, "messageId": "00000000000000"})
            error = await client.refusal()
            assert (error["key"], error["messageId"]) == ("UNKNOWN_TURN", "00000000000000")
        await client.ask("Still open?")
        await client.until(lambda frame: frame["type"] == "messageEnd")


async def test_client_that_claims_to_know_more_gets_the_whole_text(program: Program) -> None:
    """Never a silent hole."""
    async with Client.connect(program, v2=True) as client:
        whole = await client.answer("Does it know more?")
        client.forget()
        await client.send({"type": "resume", "messageId": whole.message_id, "after": 100_000})
        await client.until(lambda frame: frame["type"] == "messageEnd")
        kinds = [frame["type"] for frame in told(client.frames, whole.message_id)]
        snapshot = client.frames[1]
    assert kinds == ["sources", "snapshot", "messageEnd"]
    assert snapshot["data"] == whole.text


async def test_chat_that_is_deleted_stops_its_turn(program: Program, models: ModelServer) -> None:
    """Nobody pays for an answer that has no place any more."""
    text, gate = held(models, "Is it deleted?")
    async with Client.connect(program, v2=True) as client:
        asked = await client.ask(text)
        await started(client)
        reply = await program.http.delete(f"/api/chats/{asked.chat_id}")
        turn = await client.turn()
    call = await models.record.first(lambda e: e.text == text and e.closed_early, SOON_S)
    gate.release()
    assert reply.status_code == 200
    assert turn.end["type"] == "stopped"
    assert call.kind == "answer"


async def test_question_that_is_asked_anew_stops_its_first_turn(
    program: Program, models: ModelServer
) -> None:
    """The chat has one answer: the new one."""
    text, gate = held(models, "Is it asked anew?")
    async with Client.connect(program, v2=True) as client:
        asked = await client.ask(text)
        first = await started(client)
        await client.ask(text, chat=asked.chat_id, message=asked.message_id)
        ends = [await client.turn(), await client.turn()]
        rows = await program.messages(asked.chat_id, at_least=2)
    gate.release()
    assert {turn.end["type"] for turn in ends} == {"stopped", "messageEnd"}
    assert [row["role"] for row in rows] == ["user", "assistant"]
    assert rows[-1]["messageId"] != first
