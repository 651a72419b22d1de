"""Which failures of a connection are likely to pass; knows the errors of the HTTP libraries."""

import socket
import ssl
from collections.abc import Iterator

import httpx

from upstreams.late import AddressRefused

PASSING = (
    httpx.NetworkError,
    httpx.RemoteProtocolError,
    ConnectionError,
)
LASTING = (AddressRefused, socket.gaierror, ssl.SSLError)


def after_failure(error: Exception) -> float | None:
    """Seconds after which the call may succeed; ``None`` where that is not to be hoped.

    Refused, reset and garbled connections pass. A time-out has cost its time already, and a name
    that nobody knows, or that leads where nobody may go, or a certificate that is no good, will be
    the same in a moment.
    """
    is_passing = isinstance(error, PASSING)
    is_lasting = any(isinstance(cause, LASTING) for cause in _causes(error))
    return 0.0 if is_passing and not is_lasting else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it came from: libraries wrap what the socket said."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
