"""Random and broken WebSocket frames, some of the many that ``make fuzz`` sends."""

import pytest

from tests.e2e.frame_fuzzing import check, fuzz
from tests.e2e.program import Program

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_no_frame_breaks_the_program(program: Program) -> None:
    """Every connection ends, nothing breaks, no session is left, and a question is answered."""
    told = await fuzz(program.port, 600)
    assert told["bytes back"] > 100 * told["connections"]
    await check(program)
