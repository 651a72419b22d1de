"""The pooled HTTP client of the searches."""

import httpx

from protocol.errors import SettingsError
from upstreams.direct import direct

LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)
NAMES = "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY or SSL_CERT_FILE"


def open_client() -> httpx.AsyncClient:
    """A new client; raises SettingsError when what the environment says of proxies is no use."""
    try:
        return httpx.AsyncClient(limits=LIMITS, transport=direct(LIMITS))
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as error:
        allowed = "proxies must be http:// or https:// addresses, certificates a readable file"
        raise SettingsError(NAMES, "…", allowed) from error
