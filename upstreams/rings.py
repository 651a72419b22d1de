"""What asyncio leaves behind of a connection."""

import asyncio


def let_go(transport: asyncio.BaseTransport) -> None:
    """Break the ring of a transport whose connection is lost: no collector need find it.

    It keeps a bound method of its own (``_read_ready_cb``, CPython 3.11 to 3.14) that it needs no
    more; with its socket, that would be seven objects of each connection. Does nothing where there
    is none.
    """
    vars(transport).pop("_read_ready_cb", None)
