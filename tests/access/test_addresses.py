"""Where a client is, and whether it is counted."""

from ipaddress import ip_network

import pytest

from access.addresses import client_address, place_of
from access.gate import Gate, check_access
from protocol.access import Person
from protocol.access_settings import Access
from protocol.errors import SettingsError
from protocol.settings import Settings
from tests.access.registry import registry

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4,198.51.100.1 ,10.9.9.9", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fd00::1", "2001:db8::5", "2001:db8::5"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, , 10.0.0.2", "10.0.0.2"),
        ("", "198.51.100.1", ""),
    ],
)
def test_proxies_alone_say_where_a_client_is(peer: str, told: str, client: str) -> None:
    """The right-most address that is no proxy's; what clients say of themselves stands before."""
    assert client_address({"x-forwarded-for": told}, peer, PROXIES) == client
    assert client_address({"x-forwarded-for": told}, peer, ()) == peer


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_place_is_what_one_customer_has(address: str, place: str) -> None:
    """Of IPv6 a whole /64."""
    assert place_of(address) == place


@pytest.mark.parametrize(
    ("access", "peer", "told", "address"),
    [
        (Access(), "127.0.0.1", "", ""),
        (Access(), "::1", "", ""),
        (Access(), "127.0.0.1", "203.0.113.7", ""),
        (Access(), "172.17.0.1", "", "172.17.0.1"),
        (Access(proxies=("127.0.0.0/8",)), "127.0.0.1", "203.0.113.7", "203.0.113.7"),
        (Access(auth="token", token="a-long-enough-secret"), "127.0.0.1", "", "127.0.0.1"),
        (Access(auth="users"), "::1", "", "::/64"),
    ],
)
async def test_only_the_one_person_of_this_machine_is_not_counted(
    access: Access, peer: str, told: str, address: str
) -> None:
    """On loopback, with nobody asked who they are, and no proxy that says otherwise."""
    gate = Gate.of(access, registry())
    proof = gate.proof({"x-forwarded-for": told}, peer)
    assert proof.address == address
    if access.auth == "open":
        assert await gate.person(proof) == Person(address=address)


@pytest.mark.parametrize(
    ("access", "peer", "place"),
    [
        (Access(), "127.0.0.1", ""),
        (Access(), "10.0.0.1", "10.0.0.1"),
        (Access(proxies=("10.0.0.0/8",)), "10.0.0.1", ""),
        (Access(auth="users", proxies=("10.0.0.0/8",)), "127.0.0.1", "127.0.0.1"),
    ],
)
def test_connection_is_counted_unless_it_is_a_proxys(access: Access, peer: str, place: str) -> None:
    """Before anybody knows whom a proxy speaks for."""
    assert Gate.of(access, registry()).arrival(peer) == place


def test_person_is_counted_by_place_and_name() -> None:
    """As far as there are any."""
    assert Person().keys == ()
    assert Person(address="10.0.0.1").keys == ("address 10.0.0.1",)
    assert Person("ann", "user", "10.0.0.1").keys == ("address 10.0.0.1", "name ann")
    wide = ("address 2001:db8:1:2::/64", "address 2001:db8:1::/48")
    assert Person(address="2001:db8:1:2::/64").keys == wide


def test_proxies_that_are_no_networks_are_refused() -> None:
    """Whatever AUTH is."""
    with pytest.raises(SettingsError):
        check_access(Settings(access=Access(proxies=("the proxy",))))
