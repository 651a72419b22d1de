"""Files on their way into the store."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from itertools import count
from typing import TypeVar

import httpx
import numpy as np
import pytest

from actors.intake import Intake, IntakeDesk
from actors.pool import Pool
from protocol.access import EVERYBODY, Reach
from protocol.errors import FileRefused, ServiceError
from protocol.service_settings import ApiEndpoints
from protocol.settings import Settings
from protocol.values import ModelChoice
from providers.service import Providers
from retrieval.service import Retrieval
from tests.actors.parts import BrokenStore, Scene
from tests.retrieval.fakes import ReadHere

T = TypeVar("T")

LOCAL = ModelChoice("local", "wordllama-l2-supercat-256")
SETTINGS = Settings(api_endpoints=ApiEndpoints(ollama="http://127.0.0.1:9"))


def in_thread(work: Callable[[], T]) -> Awaitable[T]:
    """Offload through asyncio's own threads."""
    return asyncio.to_thread(work)


@dataclass
class Given:
    """A file that has been received."""

    name: str
    data: bytes = b"A text about bees."
    size_bytes: int = 18
    file: BytesIO = field(init=False)

    def __post_init__(self) -> None:
        self.file = BytesIO(self.data)


@asynccontextmanager
async def desk(store: BrokenStore) -> AsyncIterator[IntakeDesk]:
    """A desk over a store."""
    scene = Scene(store=store)
    numbers = count()
    async with httpx.AsyncClient() as http:
        retrieval = Retrieval.build(
            SETTINGS, client=http, offload=in_thread, now=datetime.now, reading=ReadHere()
        )
        providers = Providers(SETTINGS, offload=in_thread)
        parts = (retrieval, providers, scene.persister, SETTINGS, lambda: f"id{next(numbers)}")
        pool = scene.tree.grow(Pool, Intake, *parts, size=2)
        yield IntakeDesk(pool, providers, SETTINGS)
        await scene.close()
        await providers.close()
        await retrieval.close()


async def test_files_are_kept_as_passages_with_vectors() -> None:
    """In the order in which they came, each with a vector of the model that was asked for."""
    store = BrokenStore()
    async with desk(store) as take_in:
        uploads = await take_in(
            [Given("b.txt"), Given("a.md", b"# Bees\n\nThey hum.")], LOCAL, "ann"
        )
    assert [(upload.id, upload.name) for upload in uploads] == [("id0", "b.txt"), ("id1", "a.md")]
    kept = await store.upload("id1", Reach("ann"))
    assert kept is not None
    assert (kept.embedding, kept.size_bytes) == (LOCAL, 18)
    [passage] = kept.passages
    assert (passage.title, passage.text) == ("Bees", "They hum.")
    assert np.frombuffer(passage.vector, "<f4").shape == (256,)


async def test_one_bad_file_refuses_them_all() -> None:
    """Nothing is kept that its user would not know of."""
    store = BrokenStore()
    async with desk(store) as take_in:
        with pytest.raises(FileRefused):
            await take_in([Given("a.txt"), Given("b.exe")], LOCAL, "ann")
    assert await store.upload("id0", EVERYBODY) is None


async def test_model_that_is_down_leaves_the_words() -> None:
    """Passages without vectors are still found by their words."""
    store = BrokenStore()
    async with desk(store) as take_in:
        [upload] = await take_in([Given("a.txt")], ModelChoice("ollama", "nomic"), "")
    assert (upload.embedding, upload.passages[0].vector) == (ModelChoice(), b"")


async def test_model_that_is_not_there_is_replaced() -> None:
    """A web UI may name one that is gone by now."""
    async with desk(BrokenStore()) as take_in:
        [upload] = await take_in([Given("a.txt")], ModelChoice("nowhere", "none"), "")
    assert upload.embedding.provider == "local"


async def test_store_that_refuses_is_told() -> None:
    """The asker gets the store's error."""
    async with desk(BrokenStore(broken=True)) as take_in:
        with pytest.raises(ServiceError):
            await take_in([Given("a.txt")], LOCAL, "ann")
