"""What a process that serves does with its signals and its garbage."""

import asyncio
import gc
import os
import signal


async def either(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def handle_signals(stop: asyncio.Event, *, at_once: int) -> None:
    """First signal: stop in order. Second: end at once with a code; the store stays whole."""

    def asked() -> None:
        if stop.is_set():
            os._exit(at_once)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked)


def freeze_start() -> None:
    """Keep the collector away from what lives as long as the program.

    With 20,000 actors the longest stall of the loop fell from 200 to 60 ms. To be called again
    when more of it is there: to look through what is loaded for the first question takes 65 ms.
    """
    gc.collect()
    gc.freeze()
    # What is in rings only the collector finds. Connections leave none (upstreams/rings.py), others
    # few, and what is frozen is not looked through: small rounds are cheap, and keep memory level.
    # To look through all that lives takes 160 ms with 500 streams, so that is done rarely.
    gc.set_threshold(1_000, 5, 50)
