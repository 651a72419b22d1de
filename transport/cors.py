"""Which web pages may talk to this server: the one place that knows.

A browser sends the page's origin; a program that is no browser sends none and is not held back by
anything here.
"""

import re
from collections.abc import Callable, Mapping

from transport.http import Headers

METHODS = "GET, HEAD, POST, DELETE, OPTIONS"
PREFLIGHT_S = 600

_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_PORT = re.compile(r":[0-9]+$")
_NAMES = re.compile(r"[A-Za-z0-9-]+(?:[ \t]*,[ \t]*[A-Za-z0-9-]+)*")
_MOST_NAMES = 500
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

Allowed = Callable[[str, str], bool]


def nearby(origin: str, host: str) -> bool:
    """Whether a page's origin is the host it asks, on any port; all names of loopback are one.

    So the web UI, which is served on another port of the same host, may; a stranger's page may
    not.
    """
    page, asked = _ORIGIN.fullmatch(origin.lower()), name_of(host)
    return page is not None and (page[1] == asked or {page[1], asked} <= _LOOPBACK)


def same_origin(origin: str, host: str) -> bool:
    """Whether a page comes from the very host and port that it asks."""
    return _ORIGIN.fullmatch(origin.lower()) is not None and (
        origin.lower().partition("://")[2] == host.lower()
    )


def allowed_beside(named: frozenset[str], by_itself: Allowed = nearby) -> Allowed:
    """Allows these origins, which are in small letters, and pages that may ask by themselves."""
    return lambda origin, host: by_itself(origin, host) or origin.lower() in named


def name_of(host: str) -> str:
    """A Host without its port, in small letters."""
    return _PORT.sub("", host.lower())


class Origins:
    """Decides by an origin and the host that was asked, and says so in headers."""

    def __init__(self, allowed: Allowed = nearby) -> None:
        self.allow = allowed

    def headers(self, origin: str, host: str) -> Headers:
        """What every answer over HTTP says to the browser of the page that asked."""
        vary = ("Vary", "Origin")
        if origin and self.allow(origin, host):
            return (vary, ("Access-Control-Allow-Origin", origin))
        return (vary,)


def preflight(headers: Mapping[str, str]) -> Headers:
    """What a browser is told before it sends a request of a page."""
    asked = headers.get("access-control-request-headers", "")[:_MOST_NAMES]
    return (
        ("Access-Control-Allow-Methods", METHODS),
        ("Access-Control-Allow-Headers", asked if _NAMES.fullmatch(asked) else "Content-Type"),
        ("Access-Control-Max-Age", str(PREFLIGHT_S)),
    )
