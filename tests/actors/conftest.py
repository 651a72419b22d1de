"""Log lines are dropped: printing a traceback costs more than most tests, and keeping it leaks."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog


def _drop(*_event: Any) -> Any:
    raise structlog.DropEvent


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    yield
    structlog.configure(**before)
