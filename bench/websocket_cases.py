"""Whether our WebSockets keep to RFC 6455, by the cases of a suite that is not ours.

``python -m bench.websocket_cases [--write]`` has kosoku play the cases of the Autobahn test suite
against the port of the program, its conversation an echo, and prints a table; ``--write`` keeps it
in ``docs/websocket_cases.md``. Left out are the cases of compression, which we do not agree to, and
those of speed. The exit code is 1 when a case fails that is not in ``ON_PURPOSE``.
"""

import argparse
import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import structlog
from kosoku import FailureError, run_fuzzingclient

from protocol.access import Identify
from protocol.connection import Connection, ConnectionGone
from protocol.settings import Limits
from tests.transport.places import serving

REPORT = Path(__file__).parents[1] / "docs" / "websocket_cases.md"
LEFT_OUT = ("9.*", "12.*", "13.*")
LEAST = 240  # cases: with fewer, something else is wrong
ON_PURPOSE = {"7.1.5": "a close in the midst of a message is answered with 1002, not with its code"}
GROUPS = {
    "1": "text and binary frames of all sizes",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "reserved opcodes",
    "5": "fragments",
    "6": "UTF-8",
    "7": "closing",
    "10": "sizes and fragments mixed",
}
NON_STRICT = (
    "NON-STRICT keeps to the RFC: what came right before an error may stay without its echo, and",
    "bad UTF-8 is noticed when the message is whole.",
)
FAILED = {"FAILED", "ERROR", "WRONG CODE", "UNCLEAN", "FAILED BY CLIENT", "UNIMPLEMENTED"}


async def echo(connection: Connection, _: Mapping[str, str], __: Identify) -> None:
    """Send each frame back, of its own kind."""
    with suppress(ConnectionGone):
        async for frame in connection.frames():
            # Nothing of the program sends bytes, but the connection below takes them.
            await connection.send(cast("str", frame))


async def play() -> dict[str, str]:
    """Play all cases, and give the verdict on each."""
    async with serving(converse=echo, limits=Limits()) as server:
        try:
            url = f"ws://127.0.0.1:{server.port}"
            results = await run_fuzzingclient(url, exclude_cases=LEFT_OUT)
        except FailureError as error:
            results = error.results
    return {result.case_id: verdict(result) for result in results}


def verdict(result: Any) -> str:
    """The worse of both verdicts on a case, the messages' and the closing's."""
    closing = str(result.behavior_close.value)
    return closing if closing in FAILED else str(result.behavior.value)


def report(verdicts: Mapping[str, str]) -> str:
    """The table, group by group, and the cases that fail."""
    groups = Counter((case.partition(".")[0], name) for case, name in verdicts.items())
    names = sorted({name for _, name in groups}, key=lambda name: (name in FAILED, name != "OK"))
    lines = [
        "# WebSocket conformance",
        "",
        f"Made by `make websockets`: {len(verdicts)} cases of the Autobahn test suite, played by",
        f"kosoku {version('kosoku')} against our port (websockets {version('websockets')}).",
        "",
        f"| group | of | {' | '.join(names)} |",
        "|---|---|" + "---|" * len(names),
    ]
    for group, about in GROUPS.items():
        counts = " | ".join(str(groups[group, name] or "") for name in names)
        lines.append(f"| {group} | {about} | {counts} |")
    lines += ["", *NON_STRICT, ""]
    lines += [
        f"- {case}: {name}, {ON_PURPOSE.get(case, 'NOT EXPECTED')}"
        for case, name in verdicts.items()
        if name in FAILED
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Play the cases; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    verdicts = asyncio.run(play())
    text = report(verdicts)
    print(text, end="")
    if args.write:
        REPORT.write_text(text, "utf-8")
    failed = {case for case, name in verdicts.items() if name in FAILED}
    return 0 if failed <= ON_PURPOSE.keys() and len(verdicts) >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
