"""Which addresses may be reached: the open internet, whatever spelling or wrapping is used."""

import pytest

from protocol.access_settings import Access
from protocol.errors import SettingsError
from protocol.settings import Fetch, General, Settings
from upstreams.addresses import (
    AddressPolicy,
    exceptions_of,
    guest_policy,
    is_for_this_machine,
    page_policy,
)

PUBLIC = ["1.1.1.1", "93.184.216.34", "172.32.0.1", "192.167.255.255", "2606:4700::1111"]
INNER = [
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("100.64.0.1", "100.127.255.255", "198.18.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9"),
    *("0.0.0.0", "0.1.2.3", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2001:db8::1"),
]
NOBODYS = [
    *("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "fe80::1", "fe80::1%eth0"),
    *("fd00:ec2::254", "fd20:ce::254", "ff02::1", "::169.254.169.254", "::7f00:1"),
    *("::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
    *("2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1", "192.88.99.1"),
]
ELSEWHERE = ["fc00::1", "fd12:3456::1", "fec0::1", "100::1", "5f00::1", "4000::1"]


def page(*allow: str) -> AddressPolicy:
    """What pages may be fetched from."""
    return page_policy(Settings(fetch=Fetch(allow=allow)))


@pytest.mark.parametrize("address", PUBLIC)
def test_the_open_internet_is_reached(address: str) -> None:
    """At its usual ports."""
    assert all(page().admits("x.test", address, port) for port in (80, 443, 8080, 8443))


@pytest.mark.parametrize("address", [*INNER, *NOBODYS, *ELSEWHERE])
def test_nothing_else_is(address: str) -> None:
    """Neither this machine nor its networks, nor an address that wraps one of theirs."""
    assert not page().admits("x.test", address, 80)


@pytest.mark.parametrize("port", [0, 22, 25, 6379, 11434, 65535])
def test_other_ports_are_not(port: int) -> None:
    """No page is served by a mail server."""
    assert not page().admits("x.test", "1.1.1.1", port)


@pytest.mark.parametrize("address", [*PUBLIC, *INNER, "fc00::1", "::1"])
def test_a_user_on_this_machine_names_services_beside_the_server(address: str) -> None:
    """A local model server, at whatever port it has."""
    if address != "fc00::1":
        assert guest_policy(Settings()).admits("x.test", address, 11434)


@pytest.mark.parametrize("address", NOBODYS)
def test_nobody_names_what_is_nobodys_business(address: str) -> None:
    """The metadata of clouds is not for the user of a server on the same machine either."""
    assert not guest_policy(Settings()).admits("x.test", address, 80)


@pytest.mark.parametrize(
    "settings",
    [Settings(general=General(host="0.0.0.0")), Settings(access=Access(auth="users"))],
)
def test_users_of_a_server_for_many_reach_the_open_internet_alone(settings: Settings) -> None:
    """The network around the server is not theirs, also where a proxy stands before it."""
    policy = guest_policy(settings)
    assert policy.admits("x.test", "1.1.1.1", 443)
    assert not policy.admits("x.test", "127.0.0.1", 11434)


@pytest.mark.parametrize(
    ("allow", "host", "address", "port"),
    [
        ("10.1.0.0/16", "wiki.test", "10.1.2.3", 9000),
        ("10.1.2.3", "wiki.test", "10.1.2.3", 80),
        ("fd12::/16", "wiki.test", "fd12::5", 80),
        ("wiki.test:9000", "WIKI.test", "10.1.2.3", 9000),
        ("10.1.2.3:9000", "wiki.test", "10.1.2.3", 9000),
        ("[fd12::5]:80", "[fd12::5]", "fd12::5", 80),
        ("127.0.0.0/8", "localhost", "::ffff:127.0.0.1", 3000),
    ],
)
def test_an_intranet_can_be_named(allow: str, host: str, address: str, port: int) -> None:
    """By a network, or by one place with its port."""
    assert page(allow).admits(host, address, port)
    assert not page().admits(host, address, port)


def test_a_named_place_is_that_place_alone() -> None:
    """Another port and another name stay closed."""
    assert not page("wiki.test:9000").admits("wiki.test", "10.1.2.3", 80)
    assert not page("wiki.test:9000").admits("other.test", "10.1.2.3", 9000)


@pytest.mark.parametrize("text", ["wiki", "10.1.2.3/8", "a:b", "http://x", "x:80/y", "u@x:80", ""])
def test_what_names_nothing_is_refused(text: str) -> None:
    """With the setting's name."""
    with pytest.raises(SettingsError, match="ALLOW"):
        exceptions_of([text])


@pytest.mark.parametrize(
    ("host", "is_so"),
    [
        *(("127.0.0.1", True), ("localhost", True), ("::1", True), ("[::1]", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.1.2", False), ("box.lan", False)),
    ],
)
def test_a_server_for_this_machine_listens_on_loopback(host: str, is_so: bool) -> None:
    """Anything else may be reached by others."""
    assert is_for_this_machine(host) is is_so
