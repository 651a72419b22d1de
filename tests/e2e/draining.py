"""The program is told to stop while it answers, is started again, and asked what became of it."""

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass

from tests.e2e.client import Asked, Client
from tests.e2e.cuts import Told, resumed
from tests.e2e.program import Program

DEADLINE_S = 60.0
RESTARTED = 1012
MARKS = {"SERVER_DRAINING", "INTERRUPTED"}


@dataclass(frozen=True)
class Reader:
    """A client whose answer had begun when the program was told to stop."""

    client: Client
    asked: Asked
    told: Told


@dataclass(frozen=True)
class Stop:
    """What the clients saw of a stop.

    Attributes:
        readers: Those whose answers were being written.
        is_first_unready: Whether the program was not ready any more before it closed a connection.
        refusal: The key with which a question was refused that came then; empty after two signals.
        code: What the process ended with.

    """

    readers: tuple[Reader, ...]
    is_first_unready: bool
    refusal: str
    code: int

    @property
    def told_to_come_back(self) -> int:
        """How many of the readers were closed with the word to come back."""
        return sum(r.client.socket.close_code == RESTARTED for r in self.readers)


async def is_unready(program: Program) -> bool:
    """Whether the program says that it takes no more questions; asks until it does."""
    async with asyncio.timeout(DEADLINE_S):
        while (await program.http.get("/health/ready")).status_code == 200:
            pass
    return True


async def begin(client: Client, question: str) -> Reader:
    """A question whose answer has begun."""
    asked = await client.ask(question)
    await client.until(lambda frame: frame["type"] == "message", DEADLINE_S)
    return Reader(client, asked, Told())


async def stop_while_answering(program: Program, questions: list[str], *, signals: int) -> Stop:
    """Tell the program to stop while it answers these; with two signals, to stop at once."""
    async with AsyncExitStack() as stack:
        connect = stack.enter_async_context
        late, *clients = [
            await connect(Client.connect(program, v2=True)) for _ in range(len(questions) + 1)
        ]
        pairs = zip(clients, questions, strict=True)
        readers = await asyncio.gather(*(begin(client, text) for client, text in pairs))
        program.signal(signal.SIGTERM)
        is_first = await is_unready(program) and not any(client.is_gone for client in clients)
        refusal = "" if signals > 1 else (await late.answer("Too late?")).end["key"]
        if signals > 1:
            program.signal(signal.SIGTERM)
        await asyncio.gather(*(client.closed(DEADLINE_S) for client in clients))
    for reader in readers:
        reader.told.take([f for f in reader.client.frames if "messageId" in f])
    return Stop(tuple(readers), is_first, refusal, await program.ended())


async def outcome(program: Program, reader: Reader) -> str:
    """What became of an answer after the next start: ``whole``, ``marked`` or ``wrong``."""
    told = reader.told
    if not told.has_ended:
        async with resumed(program, told) as client:
            await client.turn()
    row = (await program.messages(reader.asked.chat_id))[-1]
    key, error = told.frames[-1].get("key"), row["metadata"].get("error")
    if row["content"] != told.text or key != error:
        return "wrong"
    if error is None:
        return "whole"
    return "marked" if error in MARKS else "wrong"
