"""What may be said on the command line, and how the process ends."""

import argparse
import getpass
import os
import sys
import threading
from collections.abc import Collection, Sequence
from typing import Any

from protocol.refusals import FieldRefused
from protocol.values import OPTIMIZATION_MODES

INSECURE = "access_insecure"
Argument = tuple[str, dict[str, Any]]
_NAME: Argument = ("name", {})
# What stands behind `user` and `key`, each with its arguments.
ACCOUNTS: dict[str, tuple[str, dict[str, tuple[Argument, ...]]]] = {
    "user": (
        "manage accounts",
        {
            "add": (_NAME, ("--admin", {"action": "store_true"})),
            "list": (),
            "passwd": (_NAME,),
            "disable": (_NAME,),
            "enable": (_NAME,),
        },
    ),
    "key": (
        "manage keys of programs",
        {
            "create": (_NAME, ("--label", {"default": ""})),
            "list": (),
            "revoke": (("id", {}),),
        },
    ),
}
FLAGS = ("host", "port", "data_dir", "library", "log_level", "log_format")


def parse(
    arguments: Sequence[str], *, version: str, focus_modes: Collection[str]
) -> argparse.Namespace:
    """The command and its options; ends the process with code 2 when they make no sense."""
    parser = argparse.ArgumentParser("perplexica", description="A self-hosted answer engine.")
    parser.add_argument("--version", action="version", version=f"perplexica {version}")
    for flag in FLAGS:
        parser.add_argument(f"--{flag.replace('_', '-')}", dest=flag)
    parser.add_argument(
        "--insecure", dest=INSECURE, action="store_true", default=None, help="let everybody in"
    )
    commands = parser.add_subparsers(
        dest="command", metavar="ask, trace, doctor, import, user, key"
    )
    ask = commands.add_parser("ask", help="answer one question here, then end")
    ask.add_argument("question", type=question)
    ask.add_argument("--focus-mode", default="webSearch", choices=sorted(focus_modes))
    ask.add_argument("--optimization-mode", default="balanced", choices=OPTIMIZATION_MODES)
    ask.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    add_trace(commands.add_parser("trace", help="look into answers: what took how long, and why"))
    doctor = commands.add_parser("doctor", help="look at all that is needed, and say what to mend")
    doctor.add_argument("--json", action="store_true", help="print what was found as JSON")
    taking = commands.add_parser("import", help="take over the chats of a reference database")
    taking.add_argument("path", help="its db.sqlite; it is left untouched")
    taking.add_argument("--owner", default="", help="whose the chats will be")
    for command, (help_text, actions) in ACCOUNTS.items():
        sub = commands.add_parser(command, help=help_text)
        doing = sub.add_subparsers(dest="action", required=True)
        for action, taken in actions.items():
            each = doing.add_parser(action)
            for name, traits in taken:
                each.add_argument(name, **traits)
    return parser.parse_args(arguments)


def add_trace(trace: argparse.ArgumentParser) -> None:
    """What ``trace`` takes."""
    trace.add_argument("name", nargs="?", default="", help="id of a chat, session, turn or answer")
    trace.add_argument("--turns", type=count, default=10, help="how many, the newest")
    trace.add_argument("--json", action="store_true", help="one JSON object a line")
    how = trace.add_mutually_exclusive_group()
    how.add_argument("--follow", action="store_true", help="show each turn when it ends")
    how.add_argument("--save", metavar="FILE", default="", help="keep the newest of them in a file")
    how.add_argument(
        "--replay",
        action="store_true",
        help="run them again, offline, from what was recorded; the name may be that of a file",
    )


def count(text: str) -> int:
    """A number from 1 on."""
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError("it must be a number from 1 on")
    return int(text)


def question(text: str) -> str:
    """The text; refused when there is nothing in it."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text


def flags_of(options: argparse.Namespace) -> dict[str, object]:
    """The settings that were given as flags."""
    given = {flag: getattr(options, flag) for flag in (*FLAGS, INSECURE)}
    return {flag: value for flag, value in given.items() if value is not None}


def read_password(about: str) -> str:
    """A password, typed twice unseen in a terminal, else the first line of the input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass(f"Password of {about}: ")
    if getpass.getpass("Once more: ") != password:
        raise FieldRefused("password", "the two are not the same")
    return password


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
