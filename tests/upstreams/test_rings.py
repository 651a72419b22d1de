"""What a connection leaves to the collector: nothing."""

import asyncio
import gc
import weakref

from upstreams.connection import READ_BYTES, Connection


async def test_a_lost_connection_is_freed_without_a_collector() -> None:
    """Its transport goes with the last who knows it."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        lost = asyncio.Event()

        class Watched(Connection):
            def connection_lost(self, error: Exception | None) -> None:
                super().connection_lost(error)
                lost.set()

        gc.disable()
        try:
            made = lambda: Watched(bytearray(READ_BYTES))  # noqa: E731
            transport, _ = await asyncio.get_running_loop().create_connection(made, host, port)
            known = weakref.ref(transport)
            del transport, _
            await lost.wait()
            await asyncio.sleep(0)
            assert known() is None
        finally:
            gc.enable()
