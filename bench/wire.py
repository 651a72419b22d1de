"""How many bytes an answer takes on the wire, beside a stream of one frame a token.

``python -m bench.wire``: answers of a fast model; the bytes of all frames of text, and those that
the same text takes when each token is a frame as the reference sends it. Bound: half.
"""

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import print_machine, print_table
from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer
from tests.standins.words import answer_tokens

TOKENS = (300, 600, 1200)
HEAD_BYTES = 4  # of a WebSocket frame of 126 to 65,535 bytes; 2 of a shorter one
SHORT = 126


def framed(frame: dict[str, object]) -> int:
    """The bytes of a frame with its head."""
    size = len(json.dumps(frame, separators=(",", ":"), ensure_ascii=False).encode())
    return size + (HEAD_BYTES if size >= SHORT else 2)


async def row(client: Client, tokens: int) -> tuple[object, ...]:
    """An answer of so many tokens: its frames and bytes, and those of one frame a token."""
    text = f"How much? [[fake answer tokens={tokens}]]"
    turn = await client.answer(text)
    client.forget()
    ours = [framed(frame) for frame in turn.frames if frame["type"] == "message"]
    name = turn.message_id
    each = [
        framed({"type": "message", "data": token, "messageId": name})
        for token in answer_tokens(text, tokens)
    ]
    return tokens, len(ours), sum(ours), sum(each), sum(ours) / sum(each)


async def measure(folder: Path) -> list[tuple[object, ...]]:
    """All rows, after a first answer that warms everything up."""
    async with (
        ModelServer() as models,
        SearchServer() as search,
        Program(folder, **upstreams(models, search)) as program,
        Client.connect(program) as client,
    ):
        await row(client, TOKENS[0])
        return [await row(client, tokens) for tokens in TOKENS]


def main() -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder:
        rows = asyncio.run(measure(Path(folder)))
    print_machine()
    print_table(("tokens", "frames", "bytes", "bytes at one a token", "ratio"), rows)


if __name__ == "__main__":
    main()
