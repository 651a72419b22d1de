"""Commands that run another under some restraint: with other disks, less rights, or no room."""

import os
import subprocess
import warnings
from typing import NoReturn

import pytest

WAYS = (
    ("unshare", "--mount"),
    ("unshare", "--user", "--map-root-user", "--mount"),  # for users who are not root
)
WITHOUT_ROOM = ("bash", "-c", 'ulimit -f 0; exec "$@"', "bash")  # no file may grow
DEADLINE_S = 20
UNAVAILABLE = "no mounts can be made here: disks that are full or read-only are not tried"


def as_others_do() -> list[str]:
    """To whom nothing is forbidden is made a user like all others, as far as files go."""
    is_root = os.geteuid() == 0
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if is_root else []


def with_mounts(script: str, *words: str) -> list[str]:
    """A command that runs the one after it where the script has been run before, with its words.

    Skips the test, loudly, where this system makes no such mounts.
    """
    way = next((way for way in WAYS if _works(way)), None)
    if way is None:
        _skip()
    set_up = f'mount --make-rprivate / && {script} && shift {len(words)} && exec "$@"'
    return [*way, "sh", "-c", set_up, "sh", *words]


def _skip() -> NoReturn:
    warnings.warn(UNAVAILABLE, stacklevel=3)
    pytest.skip(UNAVAILABLE)


def _works(way: tuple[str, ...]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            [*way, "mount", "-t", "tmpfs", "none", "/mnt"],
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
