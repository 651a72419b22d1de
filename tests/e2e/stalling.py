"""Clients that stop reading while their answers stream."""

import asyncio
import socket

from tests.e2e.client import Client, Place

# Loopback lets a server leave megabytes in the system's buffers. With the segments of an Ethernet
# and a small window it is what it would be in a network: some tens of kB.
SEGMENT_BYTES = 1_440
WINDOW_BYTES = 4_096


def thin_socket() -> socket.socket:
    """A socket, to be connected, that lets its peer leave little in the system's buffers."""
    thin = socket.socket()
    thin.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
    thin.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW_BYTES)
    thin.setblocking(False)
    return thin


async def thin_connection(place: Place) -> socket.socket:
    """A connection with little room between its ends."""
    thin = thin_socket()
    await asyncio.get_running_loop().sock_connect(thin, ("127.0.0.1", place.port))
    return thin


def stop_reading(client: Client) -> None:
    """Take nothing more from the socket."""
    client.socket.transport.pause_reading()


def read_on(client: Client) -> None:
    """Take what has come."""
    client.socket.transport.resume_reading()
