"""Clients that lose their connections while their answers stream, come back, and resume."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from tests.e2e.client import ENDS, Client, Frame, Place
from tests.e2e.program import Program
from tests.standins.fault_proxy import FaultProxy, Link

MOST_FRAMES = 5  # that a client reads before it is cut off
OPENING = {"signal", "resumed"}  # what a connection says besides the turn
CUTS: dict[str, Callable[[Link], None]] = {
    "reset": Link.reset,
    "half a frame": lambda link: link.down.halve(),
    "stall": Link.stall,
}


@dataclass
class Told:
    """What one client has been told of its answer, over all its connections.

    Attributes:
        answer: The id of the answer.
        seq: The last event that it has been told.
        frames: Those of the turn, in the order they came.
        cuts: How often it was cut off in each way, while the answer was being written.
        twice: Events that it had been told already.
        askew: Resumptions that began elsewhere than asked.

    """

    answer: str = ""
    seq: int = 0
    frames: list[Frame] = field(default_factory=list)
    cuts: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    askew: int = 0

    def take(self, frames: list[Frame]) -> None:
        """Note what came over one connection."""
        for frame in frames:
            if frame["type"] == "resumed":
                self.askew += frame["seq"] != self.seq
            elif frame["type"] not in OPENING:
                self.twice += frame["seq"] <= self.seq
                self.answer, self.seq = frame["messageId"], max(self.seq, frame["seq"])
                self.frames.append(frame)

    @property
    def has_ended(self) -> bool:
        """Whether it has been told the end."""
        return bool(self.frames) and self.frames[-1]["type"] in ENDS

    @property
    def text(self) -> str:
        """The answer as it was told; a snapshot stands for all before it."""
        text = ""
        for frame in self.frames:
            if frame["type"] == "message":
                text += frame["data"]
            elif frame["type"] == "snapshot":
                text = frame["data"]
        return text

    @property
    def events(self) -> list[tuple[str, int]]:
        """What it was told beside the text: types and numbers."""
        return [(f["type"], f["seq"]) for f in self.frames if f["type"] != "message"]


@dataclass(frozen=True)
class Outcome:
    """What one client was told, what an undisturbed reader is told, and what is stored."""

    told: Told
    whole: Told
    stored: str

    @property
    def is_same(self) -> bool:
        """Whether its text is the stored one."""
        return self.told.text == self.stored

    @property
    def gaps(self) -> int:
        """Events that only one of the two was told, and resumptions from a wrong place."""
        return len(set(self.told.events) ^ set(self.whole.events)) + self.told.askew


@asynccontextmanager
async def resumed(place: Place, told: Told) -> AsyncIterator[Client]:
    """A connection that goes on where the client was; what it brings is noted."""
    async with Client.connect(place, v2=True) as client:
        await client.send({"type": "resume", "messageId": told.answer, "after": told.seq})
        yield client
    told.take(client.frames)


async def cut_off(client: Client, proxy: FaultProxy, how: str) -> None:
    """Cut the client off, and wait until it has noticed; one that is stalled gives up itself."""
    link = proxy.links[client.socket.local_address[1]]
    CUTS[how](link)
    if how == "stall":
        client.socket.transport.abort()
    await client.settle(lambda: client.has_end)  # with its last frame gone, no half of one comes


async def listen(proxy: FaultProxy, told: Told, draw: Random) -> None:
    """One connection: resume, read some frames, and be cut off unless the end has come."""
    how, frames = draw.choice(list(CUTS)), draw.randrange(MOST_FRAMES)
    async with resumed(proxy, told) as client:
        await client.settle(lambda: len(client.frames) >= frames or client.has_end)
        if not client.has_end:
            await cut_off(client, proxy, how)
    if not client.has_end:
        told.cuts[how] += 1


async def read_in_pieces(
    program: Program, proxy: FaultProxy, question: str, draw: Random
) -> Outcome:
    """Ask, be cut off again and again until the end has come, and compare."""
    told = Told()
    async with Client.connect(proxy, v2=True) as client:
        asked = await client.ask(question)
        await client.until(lambda frame: frame["type"] == "accepted")
    told.take(client.frames)
    while not told.has_ended:
        await listen(proxy, told, draw)
    whole = Told(answer=told.answer)
    async with resumed(program, whole) as client:
        await client.turn()
    rows = await program.messages(asked.chat_id, at_least=2)
    return Outcome(told, whole, rows[-1]["content"])


async def ask_until_cut(
    program: Program, proxy: FaultProxy, question: str, cuts: int
) -> list[Outcome]:
    """Ask, one question after the other, until there were so many cuts; each begins alike."""
    draw, outcomes = Random(question), list[Outcome]()
    while sum(outcome.told.cuts.total() for outcome in outcomes) < cuts:
        numbered = f"{len(outcomes)} {question}"
        outcomes.append(await read_in_pieces(program, proxy, numbered, draw))
    return outcomes
