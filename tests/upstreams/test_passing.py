"""Some failures of a connection pass in a moment, others do not."""

import socket
import ssl

import httpx
import pytest

from upstreams.late import AddressRefused
from upstreams.passing import after_failure


def caused(error: Exception, cause: Exception) -> Exception:
    """The error of a library, as it comes from what the socket said."""
    error.__cause__ = cause
    return error


UNKNOWN_NAME = socket.gaierror(-2, "Name or service not known")


@pytest.mark.parametrize(
    "error",
    [
        caused(httpx.ConnectError("x"), OSError("all attempts failed")),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("no HTTP"),
        ConnectionResetError(),
    ],
)
def test_refused_reset_and_garbled_connections_pass(error: Exception) -> None:
    """They may be asked for again at once."""
    assert after_failure(error) == 0


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("x"),
        httpx.ConnectTimeout("x"),
        AddressRefused("x"),
        httpx.InvalidURL("x"),
        httpx.LocalProtocolError("x"),
        caused(httpx.ConnectError("x"), caused(httpx.ConnectError("y"), UNKNOWN_NAME)),
        caused(httpx.ConnectError("y"), ssl.SSLCertVerificationError()),
        ssl.SSLError(),
    ],
)
def test_other_failures_last(error: Exception) -> None:
    """Time-outs, names that nobody knows, certificates, and what is our own fault."""
    assert after_failure(error) is None


async def test_unknown_name_is_seen_through_the_library() -> None:
    """As httpx tells it; no network is asked for such a name."""
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(f"http://{'x' * 64}.invalid")
    assert after_failure(caught.value) is None
