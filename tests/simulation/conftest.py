"""Lets the collector look at everything again when the runs are over."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()
