"""The running program answers as its OpenAPI document says, whatever it is sent."""

from pathlib import Path

import pytest

from bench.schemathesis import tried

# Without the routes that hash passwords: these take their time.
SHORTLY = (
    *("--phases", "fuzzing", "--max-examples", "15", "--seed", "1"),
    *("--exclude-path", "/api/login", "--exclude-path", "/api/password"),
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_drawn_requests_are_answered_as_declared(tmp_path: Path) -> None:
    """A short run; ``make schemathesis`` is the long one."""
    seen = await tried(tmp_path, *SHORTLY)
    assert seen.code == 0, seen.report
    assert seen.errors == []
    assert seen.answers.total() >= 100
