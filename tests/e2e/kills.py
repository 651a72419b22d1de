"""The program is killed while it answers, started again, and asked what it still knows."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from protocol.events import Delta, decode_event
from storage.database import Database
from tests.e2e.client import Asked, Client, Frame
from tests.e2e.program import Program

CLIENTS = 8
LONGEST_S = 4.0
LOST_S = 0.25
LOST_BYTES = 2048
SENTENCE = "This answer was interrupted"  # where nothing of it had been kept
ENDS = {"INTERRUPTED": "interrupted", None: "whole"}

_TURNS = """
SELECT turn.number, turn.state, message.content
FROM turn LEFT JOIN message ON message.question = turn.question
    AND message.message_id = turn.answer_id AND message.role = 'assistant'
"""


@dataclass(frozen=True)
class Seen:
    """What one client has seen before the kill: its question, the frames, the text of late."""

    asked: Asked
    frames: tuple[Frame, ...]
    late: str

    def has(self, kind: str) -> bool:
        """Whether a frame of that type came."""
        return any(frame["type"] == kind for frame in self.frames)

    @property
    def text(self) -> str:
        """What it was told of the answer."""
        return "".join(frame["data"] for frame in self.frames if frame["type"] == "message")

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The sources that it was told."""
        return next((frame["data"] for frame in self.frames if frame["type"] == "sources"), [])


@dataclass(frozen=True)
class Outcome:
    """What became of a question: ``never accepted``, or one of the kinds that bench.kills counts.

    ``missing`` is how many bytes of what the client had seen are not in the store.
    """

    what: str
    missing: int = 0


@dataclass(frozen=True)
class Kill:
    """What one kill came to: each client's outcome, and the broken rows of the store's file."""

    seen: tuple[Seen, ...]
    outcomes: tuple[Outcome, ...]
    broken_rows: int


async def kill_once(folder: Path, settings: dict[str, str], dice: Random) -> Kill:
    """Kill the program at a random moment, start it again on the same folder, and look."""
    async with Program(folder, **settings) as program, AsyncExitStack() as stack:
        seen = await _until_killed(program, stack, dice)
    async with Program(folder, **settings) as program:
        broken_rows = await broken(folder / "data" / "db.sqlite")
        rows = [await program.messages(one.asked.chat_id) for one in seen]
    return Kill(tuple(seen), tuple(map(outcome, seen, rows)), broken_rows)


async def _until_killed(program: Program, stack: AsyncExitStack, dice: Random) -> list[Seen]:
    """Ask with several clients, kill the server, and tell what each has seen."""
    connect = stack.enter_async_context
    clients = [await connect(Client.connect(program, v2=True)) for _ in range(CLIENTS)]
    asked = []
    for client in clients:
        slowly = f"[[fake answer tokens={dice.randint(1, 200)} fault=pace seconds=0.01]]"
        asked.append(await client.ask(f"Killed? {slowly}"))
    asyncio.get_running_loop().call_later(dice.random() * LONGEST_S, program.kill)
    await program.ended()
    for client in clients:
        await client.leave()
    return [_seen(client, question) for client, question in zip(clients, asked, strict=True)]


def _seen(client: Client, asked: Asked) -> Seen:
    """What a client has seen; ``late`` is what came within the time that may be lost."""
    told = tuple(frame for frame in client.frames if frame["type"] != "signal")
    pairs = zip(client.frames, client.times, strict=True)
    last = client.times[-1] if client.times else 0.0
    late = [f["data"] for f, at in pairs if f["type"] == "message" and at >= last - LOST_S]
    return Seen(asked, told, "".join(late))


def outcome(one: Seen, rows: list[dict[str, Any]]) -> Outcome:
    """Compare what a client has seen with what its chat shows after the restart."""
    if not rows:
        return Outcome("lost" if one.has("accepted") else "never accepted")
    if [row["role"] for row in rows] != ["user", "assistant"] or rows[0][
        "content"
    ] != one.asked.text:
        return Outcome("wrong")
    text, about = rows[1]["content"], rows[1]["metadata"]
    kept = "" if text.startswith(SENTENCE) else text
    missing = max(0, len(one.text.encode()) - len(kept.encode()))
    what = ENDS.get(about.get("error"), "wrong")
    keeps_its_word = (
        kept.startswith(one.text) or one.text.startswith(kept),
        about.get("sources", []) == one.sources or not one.has("sources"),
        missing == 0 or what == "interrupted",
        missing <= max(len(one.late.encode()), LOST_BYTES),
        not one.has("messageEnd") or (what, text) == ("whole", one.text),
    )
    return Outcome(what if all(keeps_its_word) else "wrong", missing)


async def broken(path: Path) -> int:
    """How many turns of the file run or differ from their journals; 1 more if it is damaged."""
    database = await Database.open(path, read_only=True)
    try:
        turns = await database.rows(_TURNS)
        checks = [await _is_right(database, *turn) for turn in turns]
        integrity = await database.rows("PRAGMA integrity_check")
    finally:
        await database.close()
    return checks.count(False) + (integrity != [("ok",)])


async def _is_right(database: Database, number: int, state: str, text: str | None) -> bool:
    rows = await database.rows("SELECT event FROM entry WHERE turn = ? ORDER BY seq", number)
    events = [decode_event(event) for (event,) in rows]
    told = "".join(event.text for event in events if isinstance(event, Delta))
    return state != "running" and told == text
