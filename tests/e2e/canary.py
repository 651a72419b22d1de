"""Secrets that every program of these tests is given, and that none of them may let out."""

import httpx

MARK = "sk-canary"  # the first letters of each: a mask may show the last four


def canary(door: str) -> str:
    """The secret that comes in by that door."""
    return f"{MARK}-{door}-0000"


def check(what: str, text: str) -> None:
    """Fail where a secret stands in what has come out; says in what, with what stands around."""
    at = text.find(MARK)
    assert at < 0, f"a secret in {what}: {text[max(at - 200, 0) : at + 200]!r}"


async def check_reply(reply: httpx.Response) -> None:
    """Look at the head of a reply, and at its body unless that is being streamed."""
    check("a head", str(reply.headers.raw))
    if not reply.headers.get("content-type", "").startswith("text/event-stream"):
        check("a body", (await reply.aread()).decode(errors="replace"))
