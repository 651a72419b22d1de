"""Which addresses may be connected to when a user, a page or a model has named the place.

Ranges are those of IANA's special-purpose registries (RFC 6890 and its successors), and the
addresses under which the machines of cloud providers tell their own secrets.
"""

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from protocol.base import Value
from protocol.errors import SettingsError
from protocol.settings import Settings

Address = IPv4Address | IPv6Address
Admits = Callable[[str, str, int], bool]

# Nobody's business at all, whoever asks: the machine's own link, metadata of clouds, many at once,
# and addresses that are wrapped into others, which a check of what is wrapped could miss.
NEVER = (
    "169.254.0.0/16",
    "168.63.129.16/32",  # Azure
    "100.100.100.200/32",  # Alibaba
    "192.0.0.0/24",  # Oracle, and protocols' own
    "224.0.0.0/4",
    "240.0.0.0/4",
    "fe80::/10",
    "fd00:ec2::/32",  # Amazon
    "fd20:ce::/32",  # Google
    "ff00::/8",
    "::/96",  # IPv4-compatible; but see OWN_V6
    "::ffff:0:0:0/96",  # IPv4-translated
    "64:ff9b::/96",  # NAT64
    "64:ff9b:1::/48",
    "2002::/16",  # 6to4
    "2001::/32",  # Teredo
    "192.88.99.0/24",  # relays of 6to4
)
# The machine itself and the networks around it.
INNER = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
)
GLOBAL_V6 = IPv6Network("2000::/3")  # all that is assigned to the public
OWN_V6 = frozenset({IPv6Address("::"), IPv6Address("::1")})


class Exceptions(Value, frozen=True):
    """What may be reached all the same: networks, and places as ``host:port``."""

    networks: tuple[str, ...] = ()
    places: frozenset[tuple[str, int]] = frozenset()

    def __contains__(self, place: tuple[str, Address, int]) -> bool:
        host, address, port = place
        named = {(host.lower().strip("[]"), port), (str(address), port)}
        return bool(named & self.places) or _is_in(address, self.networks)


class AddressPolicy(Value, frozen=True):
    """What one purpose may reach. ``ports`` are all there are where it is empty."""

    ports: frozenset[int] = frozenset()
    exceptions: Exceptions = Exceptions()
    reaches_inside: bool = False

    def admits(self, host: str, address: str, port: int) -> bool:
        """Whether a socket may be connected to this numeric address, which ``host`` stands for."""
        where = plain(address)
        if (host, where, port) in self.exceptions:
            return True
        if self.ports and port not in self.ports:
            return False
        if where in OWN_V6:
            return self.reaches_inside
        return not _is_in(where, NEVER) and (self.reaches_inside or is_public(where))


def plain(address: str) -> Address:
    """The address that a socket would use: an IPv4 address also where it comes as IPv6."""
    found = ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def is_public(address: Address) -> bool:
    """Whether it is an address of the open internet."""
    if isinstance(address, IPv6Address) and address not in GLOBAL_V6:
        return False
    return not _is_in(address, INNER) and not _is_in(address, NEVER)


def _is_in(address: Address, networks: Iterable[str]) -> bool:
    return any(address in ip_network(network) for network in networks)


def page_policy(settings: Settings) -> AddressPolicy:
    """For pages: the open internet at its usual ports; raises SettingsError."""
    fetch = settings.fetch
    return AddressPolicy(frozenset(fetch.ports), exceptions_of(fetch.allow))


def guest_policy(settings: Settings) -> AddressPolicy:
    """For services that a client names: as pages; raises SettingsError.

    Where the server is for this machine alone, and asks nobody who they are, its user is its
    administrator, and names a model server beside it.
    """
    if settings.access.auth == "open" and is_for_this_machine(settings.general.host):
        return AddressPolicy(exceptions=exceptions_of(settings.fetch.allow), reaches_inside=True)
    return page_policy(settings)


def is_for_this_machine(host: str) -> bool:
    """Whether a server that listens there can be reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return plain(host.strip("[]")).is_loopback
    except ValueError:
        return False


def exceptions_of(texts: Sequence[str]) -> Exceptions:
    """What the setting says; raises SettingsError for what is neither network nor place."""
    networks, places = [], []
    for text in texts:
        if (network := _network(text)) is not None:
            networks.append(network)
        elif (place := _place(text)) is not None:
            places.append(place)
        else:
            allowed = "networks such as 10.1.0.0/16, and places such as wiki.intranet:8080"
            raise SettingsError("[FETCH] ALLOW", text, allowed)
    return Exceptions(tuple(networks), frozenset(places))


def _network(text: str) -> str | None:
    try:
        return str(ip_network(text))
    except ValueError:
        return None


def _place(text: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or port is None or parts.path or parts.username is not None:
        return None
    return parts.hostname, port
