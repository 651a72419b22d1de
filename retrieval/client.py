"""The pooled HTTP client of the searches."""

import httpx

from protocol.errors import SettingsError
from upstreams.direct import direct
from upstreams.plain import PlainClient

LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)
NAMES = "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY or SSL_CERT_FILE"


def open_client() -> httpx.AsyncClient:
    """A new client; raises SettingsError when what the environment says of proxies is no use."""
    try:
        transport = direct(LIMITS)
        return PlainClient(transport=transport) if transport else httpx.AsyncClient(limits=LIMITS)
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as error:
        allowed = "proxies must be http:// or https:// addresses, certificates a readable file"
        raise SettingsError(NAMES, "…", allowed) from error
