"""Which request a log line belongs to: ids that proxies send, and that are given back to them.

A proxy in front names each request in ``X-Request-Id``, and the trace it is a part of in
``traceparent`` (W3C Trace Context). Both become facts of all that is logged for the request, or
for the session that it opens. What is no proper id is no id: it would be written into every line.
"""

import re
import secrets
from collections.abc import Callable

from actors.context import current
from transport.http import Headers

REQUEST_ID = "X-Request-Id"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
# Version, trace, span, flags; a later version than 00 may say more behind these.
_TRACE = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
    r"-[0-9a-f]{2}(?P<more>-[ -~]*)?"
)

Field = Callable[[str], str | None]


def new_request_id() -> str:
    """An id for a request that brings none: sixteen random hex digits."""
    return secrets.token_hex(8)


def facts_of(field: Field, new_id: Callable[[], str]) -> dict[str, str]:
    """The facts that the head of a request gives to the log: ``request_id``, perhaps ``trace_id``.

    Args:
        field: Gives what a field of the head says, by its name in small letters.
        new_id: Makes an id for a request that brings none of use.

    """
    sent = field(REQUEST_ID.lower()) or ""
    request_id = sent if _REQUEST_ID.fullmatch(sent) else new_id()
    trace_id = trace_of(field("traceparent") or "")
    return {"request_id": request_id, **({"trace_id": trace_id} if trace_id else {})}


def trace_of(parent: str) -> str:
    """The trace that a ``traceparent`` names; empty where it is malformed."""
    match = _TRACE.fullmatch(parent)
    if match is None or (match["version"] == "00" and match["more"]):
        return ""
    return match["trace"]


def echoed() -> Headers:
    """The header that tells a client the id of the request that is being answered."""
    request_id = current().facts.get("request_id")
    return ((REQUEST_ID, request_id),) if request_id else ()
