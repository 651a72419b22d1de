"""The client that looks for marks in raw bytes."""

import asyncio

import pytest

from bench.askers import Asker
from bench.idle_clients import SIGNAL
from tests.bench.transport import Written

FIRST = b'{"type":"message","data":" Quay","messageId":"m"}'
END = b'{"type":"messageEnd","messageId":"m"}'


def connected() -> Asker:
    """A client whose session is open."""
    client = Asker()
    client.connection_made(Written())
    client.data_received(SIGNAL[:9])
    client.data_received(SIGNAL[9:])
    return client


@pytest.mark.asyncio
@pytest.mark.parametrize("cut", range(0, len(FIRST + END), 7))
async def test_answer_is_whole_wherever_it_is_torn(cut: int) -> None:
    """Bytes come as they like; each mark counts once."""
    client = connected()
    asking = asyncio.create_task(client.ask("How much?"))
    await asyncio.sleep(0)
    for part in ((FIRST + END)[:cut], (FIRST + END)[cut:]):
        client.data_received(part)
    times = await asking
    assert 0 < times.first <= times.end
    assert client.marks == 1


@pytest.mark.asyncio
async def test_error_is_no_answer() -> None:
    """A bench that measured refusals would look fast."""
    client = connected()
    asking = asyncio.create_task(client.ask("How much?"))
    await asyncio.sleep(0)
    client.data_received(b'{"type":"error","key":"BUSY"}')
    with pytest.raises(EOFError, match="BUSY"):
        await asking
