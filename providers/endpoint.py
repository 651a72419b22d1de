"""Where a service listens and who asks it."""

from urllib.parse import urlsplit, urlunsplit

from protocol.base import Value

MAX_ADDRESS_CHARS = 2_000
MAX_KEY_CHARS = 4_000


class Endpoint(Value, frozen=True):
    """The address of a provider's service, with the key that opens it.

    ``is_clients``: a client has named it, and not the settings.
    """

    provider: str
    base_url: str
    api_key: str = ""
    is_clients: bool = False

    def __repr__(self) -> str:
        """Name the provider only: addresses and keys may be a client's secrets."""
        return f"Endpoint({self.provider!r})"

    @property
    def is_usable(self) -> bool:
        """Whether a call to this address, with this key, can be made at all."""
        return is_usable_address(self.base_url) and is_usable_key(self.api_key)

    @property
    def host(self) -> str:
        """The host's name in small letters; empty when the address has none."""
        return urlsplit(self.base_url).hostname or ""

    def url(self, path: str, query: str = "") -> str:
        """The address of a call; a query in the base address is kept, ahead of the call's own."""
        parts = urlsplit(self.base_url)
        whole = "&".join(part for part in (parts.query, query) if part)
        path = parts.path.rstrip("/") + path
        return urlunsplit(parts._replace(path=path, query=whole, fragment=""))


def is_usable_address(base_url: str) -> bool:
    """Whether the text is an http or https address with a host and a sound port."""
    if len(base_url) > MAX_ADDRESS_CHARS or not base_url.isprintable() or " " in base_url:
        return False
    try:
        parts = urlsplit(base_url)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def is_usable_key(api_key: str) -> bool:
    """Whether the text can stand in a header; an empty one can, as no header is sent then."""
    return len(api_key) <= MAX_KEY_CHARS and api_key.isascii() and api_key.isprintable()
