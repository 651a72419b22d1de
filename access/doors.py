"""The ways to know who asks; one class and one row for each value of the setting AUTH."""

# ruff: noqa: ARG002 - a door is told more than it may need
import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from access.names import read_name
from access.proofs import Proof
from protocol.access import KEEPER, Person
from protocol.access_settings import Access
from protocol.base import Value
from protocol.errors import NotFound, SettingsError
from protocol.refusals import FieldRefused, Unauthorized

_TOKEN = re.compile(r"[!-~]{16,500}")  # what can stand in a header

WRONG = "Name or password is wrong."


class Login(Value, frozen=True):
    """Who has logged in, and the secret that a browser may show from now on.

    By ``device`` the account knows the browser at its next login; empty where that is not needed.
    """

    person: Person
    secret: str
    device: str = ""

    def __repr__(self) -> str:
        """Say who it is, not the secret."""
        return f"Login({self.person!r})"


class Door(ABC):
    """One way to know who asks; without a word of its own there is nothing to log in to."""

    @abstractmethod
    async def person(self, proof: Proof) -> Person | None:
        """Who proves this; nobody for ``None``. Raises StorageUnavailable."""

    async def begin_set_up(self) -> str:
        """The token by which the first administrator is made; empty where that is not needed."""
        return ""

    async def log_in(self, name: str, password: str, device: str = "") -> Login:
        """A login of a browser; raises Unauthorized, RateLimited, or NotFound where there are none.

        ``device`` is what its last login has given to the browser.
        """
        raise NotFound

    async def log_out(self, proof: Proof) -> None:  # noqa: B027 - most have none to end
        """End the login that is proved; nothing where it is none."""

    async def set_up(self, token: str, name: str, password: str) -> Login:
        """Make the first administrator; raises Unauthorized, or NotFound where that is done."""
        raise NotFound

    async def change_password(self, person: Person, old: str, new: str) -> None:
        """Give who asks another password, and end all logins; raises Unauthorized."""
        raise NotFound


class OpenDoor(Door):
    """Whoever reaches the server is its keeper."""

    async def person(self, proof: Proof) -> Person:
        """The keeper."""
        return KEEPER


class TokenDoor(Door):
    """Whoever knows the one secret is the server's keeper."""

    def __init__(self, token: str, *, login_hours: int, now: Callable[[], datetime]) -> None:
        self._token = token
        self._lasts = timedelta(hours=login_hours)
        self._now = now

    async def person(self, proof: Proof) -> Person | None:
        """The keeper, by the secret itself or by what a login has given for it."""
        is_known = same(proof.bearer, self._token) or self._signed(proof.cookie)
        return KEEPER if is_known else None

    async def log_in(self, name: str, password: str, device: str = "") -> Login:
        """Take the secret as password, whatever the name."""
        if not same(password, self._token):
            raise Unauthorized(WRONG)
        until = str(int((self._now() + self._lasts).timestamp()))
        return Login(KEEPER, f"{until}.{self._signature(until)}")

    def _signed(self, cookie: str) -> bool:
        """Whether we have given it, and its time is not over."""
        until, _, signature = cookie.partition(".")
        if not same(signature, self._signature(until)):
            return False
        return self._now().timestamp() < int(until)

    def _signature(self, until: str) -> str:
        return hmac.new(self._token.encode(), until.encode(), "sha256").hexdigest()


class ProxyDoor(Door):
    """Who asks has logged in at a proxy, which names them in a header."""

    def __init__(
        self, proxies: Iterable[IPv4Network | IPv6Network], admins: frozenset[str]
    ) -> None:
        self._proxies = tuple(proxies)
        self._admins = admins

    async def person(self, proof: Proof) -> Person | None:
        """Whom the header names, if it comes from one of the proxies."""
        if not proof.user or not self._trusts(proof.peer):
            return None
        try:
            name = read_name(proof.user)
        except FieldRefused:
            return None
        return Person(name, "admin" if name in self._admins else "user")

    def _trusts(self, peer: str) -> bool:
        return is_within(peer, self._proxies)


def is_within(peer: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether an address lies in one of the networks; IPv4 in IPv6 counts as what it is."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)


def read_proxies(access: Access) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks of the proxies; raises SettingsError."""
    try:
        return tuple(ip_network(network) for network in access.proxies)
    except ValueError:
        allowed = "it must list networks, as in 10.0.0.0/8"
        raise SettingsError("[ACCESS] PROXIES", ", ".join(access.proxies), allowed) from None


def utc_now() -> datetime:
    """The time of day, with its zone."""
    return datetime.now(UTC)


def token_door(access: Access, now: Callable[[], datetime] = utc_now) -> TokenDoor:
    """The door of the setting TOKEN; raises SettingsError."""
    check_token("PERPLEXICA_ACCESS_TOKEN", access.token)
    return TokenDoor(access.token, login_hours=access.login_hours, now=now)


def check_token(name: str, token: str) -> None:
    """Raise SettingsError for a secret that nobody could show, or that is soon guessed."""
    if not _TOKEN.fullmatch(token):
        allowed = "it must be a secret of 16 to 500 characters of ASCII without spaces"
        raise SettingsError(name, "***" if token else "", allowed)


def proxy_door(access: Access) -> ProxyDoor:
    """The door of the settings PROXIES and ADMINS; raises SettingsError."""
    proxies = read_proxies(access)
    if not proxies:
        raise SettingsError("[ACCESS] PROXIES", "", "AUTH=proxy needs the addresses of the proxies")
    return ProxyDoor(proxies, frozenset(map(str.lower, access.admins)))


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same; how long it takes says nothing of where they differ."""
    return bool(one) and hmac.compare_digest(one.encode(), other.encode())
