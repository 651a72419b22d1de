"""Connections are checked by the address that the socket is about to use."""

from collections.abc import Callable, Sequence
from typing import Any

import httpcore
import httpx
import pytest

from protocol.settings import Settings
from tests.retrieval.fakes import run_at_once
from upstreams.addresses import page_policy
from upstreams.late import AddressRefused
from upstreams.network import MOST_ADDRESSES, CheckedNetwork, addresses_of

GOOD, OTHER, THIRD, FOURTH = "93.184.216.34", "1.1.1.1", "2606:4700::1111", "8.8.8.8"
LOOPBACK, METADATA, MAPPED = "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell"


class Resolver:
    """Answers each look-up of any name as told, one answer after the other; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.asked: list[tuple[str, int]] = []
        self._answers = list(answers)

    def __call__(self, host: str, port: int) -> list[str]:
        """The next answer; without any, nobody has the name."""
        self.asked.append((host, port))
        if not self._answers:
            raise OSError
        return list(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])


class Net(httpcore.AsyncMockBackend):
    """Remembers what was connected to; nobody answers at the addresses that are told."""

    def __init__(self, *silent: str) -> None:
        super().__init__([REPLY])
        self.connected: list[str] = []
        self._silent = silent

    async def connect_tcp(
        self, host: str, *args: Any, **kwargs: Any
    ) -> httpcore.AsyncNetworkStream:
        """A connection that has its reply."""
        self.connected.append(host)
        if host in self._silent:
            raise httpcore.ConnectError
        return await super().connect_tcp(host, *args, **kwargs)


def checked(resolver: Callable[[str, int], list[str]], net: Net) -> CheckedNetwork:
    """A network of the policy for pages."""
    return CheckedNetwork(page_policy(Settings()).admits, run_at_once, resolver, net)


async def connect(net: Net, *answers: Sequence[str], port: int = 80) -> list[str]:
    """What is connected to for a name with these answers."""
    await checked(Resolver(*answers), net).connect_tcp("x.test", port)
    return net.connected


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to() -> None:
    """A number, of one look-up; nobody resolves the name a second time."""
    resolver, net = Resolver([GOOD], [LOOPBACK]), Net()
    await checked(resolver, net).connect_tcp("x.test", 443)
    assert net.connected == [GOOD]
    assert resolver.asked == [("x.test", 443)]


@pytest.mark.parametrize("second", [LOOPBACK, METADATA, MAPPED, "::1", "fd00:ec2::254"])
async def test_a_name_that_turns_inwards_is_refused_from_then_on(second: str) -> None:
    """A look-up in public and a second one inside: each connection is checked anew."""
    net = Net()
    network = checked(Resolver([GOOD], [second]), net)
    await network.connect_tcp("x.test", 80)
    for _ in range(2):
        with pytest.raises(AddressRefused):
            await network.connect_tcp("x.test", 80)
    assert net.connected == [GOOD]


@pytest.mark.parametrize("bad", [LOOPBACK, METADATA, MAPPED, "64:ff9b::a9fe:a9fe"])
@pytest.mark.parametrize("is_first", [True, False])
async def test_a_name_with_one_bad_address_is_refused(bad: str, is_first: bool) -> None:
    """Wherever in the answer it stands: not even the good one is connected to."""
    net = Net()
    with pytest.raises(AddressRefused):
        await connect(net, [bad, GOOD] if is_first else [GOOD, bad])
    assert net.connected == []


async def test_a_bad_address_counts_beyond_those_that_are_tried() -> None:
    """All of the answer is checked."""
    many = [GOOD, OTHER, THIRD, FOURTH]
    net = Net()
    with pytest.raises(AddressRefused):
        await connect(net, [*many, LOOPBACK])
    assert await connect(net, many) == [GOOD]


async def test_the_next_address_is_tried_where_nobody_answers() -> None:
    """In their order."""
    assert await connect(Net(GOOD, OTHER), [GOOD, OTHER, THIRD]) == [GOOD, OTHER, THIRD]


async def test_no_more_than_a_few_addresses_are_tried() -> None:
    """A name with many that are silent is nobody's."""
    many = [GOOD, OTHER, THIRD, FOURTH]
    net = Net(*many)
    with pytest.raises(httpcore.ConnectError):
        await connect(net, many)
    assert net.connected == many[:MOST_ADDRESSES]


@pytest.mark.parametrize("answers", [(), ([],)])
async def test_a_name_without_addresses_cannot_be_reached(answers: Sequence[list[str]]) -> None:
    """Whether the look-up fails, or finds nothing."""
    net = Net()
    with pytest.raises(httpcore.ConnectError):
        await connect(net, *answers)
    assert net.connected == []


@pytest.mark.parametrize("port", [22, 25, 6379, 11434])
async def test_the_port_is_checked_too(port: int) -> None:
    """No page is served there."""
    with pytest.raises(AddressRefused):
        await connect(Net(), [GOOD], port=port)


async def test_sockets_of_the_machine_are_refused() -> None:
    """Whatever their path."""
    with pytest.raises(httpcore.ConnectError):
        await checked(Resolver([GOOD]), Net()).connect_unix_socket("/run/docker.sock")


@pytest.mark.parametrize(
    ("spelling", "address"),
    [
        *(("127.1", LOOPBACK), ("2130706433", LOOPBACK), ("0x7f000001", LOOPBACK)),
        *(("017700000001", LOOPBACK), ("0", "0.0.0.0"), ("::ffff:127.0.0.1", "::ffff:127.0.0.1")),
    ],
)
def test_the_system_tells_numbers_of_every_spelling(spelling: str, address: str) -> None:
    """So that none of them has to be known here."""
    assert addresses_of(spelling, 80) == [address]


def test_a_refused_address_is_an_error_of_connecting() -> None:
    """Whoever knows httpx's errors knows this one."""
    assert issubclass(AddressRefused, httpx.ConnectError)
