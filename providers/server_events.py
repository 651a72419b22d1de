"""Server-sent events, one line at a time."""

from providers.calls import Unreadable

# What may stand before the colon of a line in an event stream; a comment has nothing there.
FIELDS = {b"", b"data", b"event", b"id", b"retry"}


def data_in(line: bytes) -> bytes:
    """The data that a line bears; empty for a line that bears none.

    Raises:
        Unreadable: No event stream has such a line.

    """
    if not line:
        return b""
    field, _, data = line.partition(b":")
    if field == b"data":
        return data.strip()
    if field.strip() not in FIELDS:
        raise Unreadable("it did not answer with a stream of text")
    return b""
