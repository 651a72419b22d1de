"""The running program answers as its OpenAPI document says, whatever it is sent."""

from pathlib import Path

import pytest

from bench.schemathesis import tried

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_drawn_requests_are_answered_as_declared(tmp_path: Path) -> None:
    """A short run; ``make schemathesis`` is the long one."""
    seen = await tried(tmp_path, "--phases", "fuzzing", "--max-examples", "15", "--seed", "1")
    assert seen.code == 0, seen.report
    assert seen.errors == []
    assert seen.answers.total() >= 100
