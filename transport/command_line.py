"""What may be said on the command line, and how the process ends."""

import argparse
import os
import sys
import threading
from collections.abc import Collection, Sequence

from protocol.values import OPTIMIZATION_MODES

FLAGS = ("host", "port", "data_dir", "library", "log_level", "log_format")


def parse(
    arguments: Sequence[str], *, version: str, focus_modes: Collection[str]
) -> argparse.Namespace:
    """The command and its options; ends the process with code 2 when they make no sense."""
    parser = argparse.ArgumentParser("perplexica", description="A self-hosted answer engine.")
    parser.add_argument("--version", action="version", version=f"perplexica {version}")
    for flag in FLAGS:
        parser.add_argument(f"--{flag.replace('_', '-')}", dest=flag)
    commands = parser.add_subparsers(dest="command", metavar="ask, doctor, import")
    ask = commands.add_parser("ask", help="answer one question here, then end")
    ask.add_argument("question", type=question)
    ask.add_argument("--focus-mode", default="webSearch", choices=sorted(focus_modes))
    ask.add_argument("--optimization-mode", default="balanced", choices=OPTIMIZATION_MODES)
    ask.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    doctor = commands.add_parser("doctor", help="look at all that is needed, and say what to mend")
    doctor.add_argument("--json", action="store_true", help="print what was found as JSON")
    taking = commands.add_parser("import", help="take over the chats of a reference database")
    taking.add_argument("path", help="its db.sqlite; it is left untouched")
    return parser.parse_args(arguments)


def question(text: str) -> str:
    """The text; refused when there is nothing in it."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text


def flags_of(options: argparse.Namespace) -> dict[str, object]:
    """The settings that were given as flags."""
    given = {flag: getattr(options, flag) for flag in FLAGS}
    return {flag: value for flag, value in given.items() if value is not None}


def complain(sentence: str) -> None:
    """One line on stderr, for a person."""
    print(f"perplexica: {sentence}", file=sys.stderr)  # noqa: T201


def leave(code: int) -> int:
    """The code; ends the process here if a library's thread would hold it up until it gives up."""
    if threading.active_count() > 1:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)
    return code
