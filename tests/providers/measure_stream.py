"""CPU per streamed token. By hand: ``python -m tests.providers.measure_stream``.

The server is another process without delays, so that only the reader's work is counted.
"""

import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection

from tests.providers.places import PROMPT, custom, in_thread, settings_for
from tests.providers.tiny_server import Seen, TinyServer, Wire, event

TOKENS = 5_000
ROUNDS = 3


def serve(pause_s: float, back: Connection) -> None:
    """Answer with ``TOKENS`` events, one a chunk, with a pause after each unless that is zero."""

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.head()
        data = event(" word")
        chunk = b"%x\r\n%b\r\n" % (len(data), data)
        for _ in range(TOKENS):
            await wire.raw(chunk)
            if pause_s:
                await asyncio.sleep(pause_s)
        await wire.send(b"data: [DONE]\n\n")
        await wire.end()

    async def run() -> None:
        async with TinyServer(reply) as server:
            back.send(server.url)
            await asyncio.Event().wait()

    asyncio.run(run())


async def measure(url: str) -> float:
    """The least microseconds of CPU a token of several rounds."""
    from providers.service import Providers  # noqa: PLC0415 - after the fork

    providers = Providers(settings_for(), offload=in_thread)
    await asyncio.to_thread(providers.prepare)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        count = 0
        async for _piece in providers.stream(custom(url), PROMPT, temperature=0):
            count += 1
        assert count == TOKENS
        best = min(best, (time.process_time() - start) / TOKENS * 1e6)
    await providers.close()
    return best


def main() -> None:
    """Print a table: seconds between two tokens, microseconds of CPU a token."""
    for pause_s in (0.0, 0.0005):
        here, there = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(pause_s, there), daemon=True)
        server.start()
        print(f"pause {pause_s:g} s: {asyncio.run(measure(here.recv())):6.1f} µs a token")  # noqa: T201
        server.terminate()


if __name__ == "__main__":
    main()
