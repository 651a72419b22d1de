"""Where a connection comes from."""

import asyncio


def peer_of(transport: asyncio.Transport) -> str:
    """The address at the other end, without its port; empty where there is none."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""
