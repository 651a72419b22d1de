"""People who ask, leave, come back, stop, and go on in old chats."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

from tests.e2e.client import Client
from tests.e2e.program import Program

QUESTIONS = 40  # few, so that what is remembered of them is soon complete
SHORTEST_S, LONGEST_S = 5.0, 15.0
SLOWLY = "[[fake answer tokens=20 fault=pace seconds=0.1]]"


class Visitor:
    """One session after the other, until it is told to leave."""

    def __init__(self, program: Program, draw: Random, done: Counter[str]) -> None:
        self._program = program
        self._draw = draw
        self._done = done
        self._chat = ""

    async def visit(self, until: float) -> None:
        """Ask at once, as all others do, then do this and that until the loop's clock is so late.

        No moment that comes by chance later needs more room than the first.
        """
        loop = asyncio.get_running_loop()
        await self.ask()
        while loop.time() < until:
            what = self._draw.choice(list(WAYS))
            await WAYS[what](self)
            self._done[what] += 1
            await asyncio.sleep(self._draw.uniform(SHORTEST_S, LONGEST_S))

    def _question(self) -> str:
        return f"Soak {self._draw.randrange(QUESTIONS)}? {SLOWLY}"

    async def ask(self) -> None:
        """Ask in a new chat, and read to the end."""
        async with Client.connect(self._program, v2=True) as client:
            asked = await client.ask(self._question())
            await client.turn()
        self._chat = asked.chat_id

    async def ask_on(self) -> None:
        """Ask in the last chat."""
        async with Client.connect(self._program, v2=True) as client:
            await client.answer(self._question(), chat=self._chat)

    async def come_back(self) -> None:
        """Leave while the answer is being written, come back and read the rest."""
        async with Client.connect(self._program, v2=True) as client:
            await client.ask(self._question())
            frame = await client.until(lambda frame: frame["type"] == "message")
            if self._draw.random() < 0.5:
                client.socket.transport.abort()
        async with Client.connect(self._program, v2=True) as client:
            told = {"messageId": frame["messageId"], "after": frame["seq"]}
            await client.send({"type": "resume", **told})
            await client.turn()

    async def stop(self) -> None:
        """Stop the answer while it is being written."""
        async with Client.connect(self._program, v2=True) as client:
            await client.ask(self._question())
            frame = await client.until(lambda frame: frame["type"] == "message")
            await client.send({"type": "stop", "messageId": frame["messageId"]})
            await client.turn()

    async def abandon(self) -> None:
        """Leave, and never come back."""
        async with Client.connect(self._program, v2=True) as client:
            await client.ask(self._question())
            await client.until(lambda frame: frame["type"] == "message")


WAYS: dict[str, Callable[[Visitor], Awaitable[None]]] = {
    "asked": Visitor.ask,
    "asked on": Visitor.ask_on,
    "came back": Visitor.come_back,
    "stopped": Visitor.stop,
    "left": Visitor.abandon,
}
