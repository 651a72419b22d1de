"""No link leads to where nobody from outside may get, whoever has named it."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from bench.namespace import ENVIRONMENT, command_inside
from bench.ssrf import UNAVAILABLE
from tests.e2e import hostile_links as links

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60


def test_no_canary_is_hit() -> None:
    """In a network of canaries none is connected to; without the guard they are."""
    command = command_inside([sys.executable, "-m", "bench.ssrf", "--inside"])
    if command is None:
        warnings.warn(UNAVAILABLE, stacklevel=1)
        pytest.skip(UNAVAILABLE)
    done = subprocess.run(  # noqa: S603 - our own module
        command,
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_enough_links() -> None:
    """Of each kind at least as many as the project has promised."""
    assert len(links.addresses()) >= 50
    assert min(len(set(spelt)) for spelt in links.addresses().values()) >= 6
    assert len(links.redirects()) >= 40
    assert len(links.rebinding()) >= 20
    assert len(links.tricks()) >= 40
    assert len(links.schemes()) >= 12
    assert sum(len(set(group)) for group in links.controls().values()) >= 30
