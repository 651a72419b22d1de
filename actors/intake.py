"""Takes in the files that users give."""

from collections.abc import Callable, Sequence
from typing import BinaryIO, ClassVar, Protocol

import structlog

from actors.base import Actor, on
from actors.persister import KeepFiles
from actors.ref import Ref
from protocol.base import Request
from protocol.errors import ServiceError
from protocol.settings import Settings
from protocol.values import ModelChoice, Models, Upload, UploadPassage
from providers.service import Providers
from retrieval.library.passages import Passage
from retrieval.service import Retrieval

log = structlog.get_logger(__name__)

TOGETHER = 128  # passages embedded in one go: between two, the event loop has its turn


class Received(Protocol):
    """A file that has been received whole."""

    @property
    def name(self) -> str:
        """Its name, as the client gave it."""

    @property
    def size_bytes(self) -> int:
        """How much it holds."""

    @property
    def file(self) -> BinaryIO:
        """Its content from the beginning, once it is all there."""


class TakeIn(Request[tuple[Upload, ...]], frozen=True):
    """Read the files, and keep what they say: all of them, or none."""

    files: tuple[Received, ...]
    embedding: ModelChoice
    owner: str


class Intake(Actor):
    """Cuts files into passages, embeds these and has them kept."""

    mailbox_bound: ClassVar[int] = 1

    def __init__(
        self,
        retrieval: Retrieval,
        providers: Providers,
        persister: Ref,
        settings: Settings,
        new_id: Callable[[], str],
    ) -> None:
        super().__init__()
        self._retrieval = retrieval
        self._providers = providers
        self._persister = persister
        self._settings = settings
        self._new_id = new_id

    @on(TakeIn)
    async def take_in(self, message: TakeIn) -> tuple[Upload, ...]:
        """Reply with the uploads, in the order of the files; one that is bad refuses them all."""
        uploads = tuple([await self._upload(file, message.embedding) for file in message.files])
        timeout_s = self._settings.limits.store_s
        await self._persister.ask(KeepFiles(uploads, message.owner), timeout=timeout_s)
        return uploads

    async def _upload(self, file: Received, embedding: ModelChoice) -> Upload:
        passages = await self._retrieval.files.read(file.file, file.name)
        vectors = await self._embed([passage.text for passage in passages], embedding)
        log.info("upload.read", bytes=file.size_bytes, passages=len(passages))
        return Upload(
            self._new_id(),
            file.name,
            file.size_bytes,
            tuple(map(_kept, passages, vectors or [b""] * len(passages))),
            embedding if vectors else ModelChoice(),
        )

    async def _embed(self, texts: Sequence[str], embedding: ModelChoice) -> list[bytes]:
        """A vector for each text; none where they cannot be had: words still find the passages."""
        batches = [texts[at : at + TOGETHER] for at in range(0, len(texts), TOGETHER)]
        try:
            vectors = [await self._providers.embed(embedding, batch) for batch in batches]
        except ServiceError as error:
            log.warning("embedding.failed", key=error.key, texts=len(texts))
            return []
        return [row.astype("<f4").tobytes() for batch in vectors for row in batch]


def _kept(passage: Passage, vector: bytes) -> UploadPassage:
    return UploadPassage(passage.title, passage.text, vector)


class IntakeDesk:
    """What the route of uploads asks."""

    def __init__(self, intake: Ref, providers: Providers, settings: Settings) -> None:
        self._intake = intake
        self._providers = providers
        self._timeout_s = settings.uploads.read_s

    async def __call__(
        self, files: Sequence[Received], embedding: ModelChoice, owner: str
    ) -> tuple[Upload, ...]:
        """The uploads that the files have become, in their order; raises a ServiceError.

        Args:
            files: What was received; it stays the caller's to close.
            embedding: The model that a client wants; another takes its place if it is not there.
            owner: Whose they are.

        """
        message = TakeIn(tuple(files), self._resolved(embedding), owner)
        return await self._intake.ask(message, timeout=self._timeout_s)

    def _resolved(self, embedding: ModelChoice) -> ModelChoice:
        try:
            return self._providers.resolve(Models(embedding=embedding)).embedding
        except ServiceError:  # the passages are worth more than whose vectors they have
            return self._providers.resolve(Models()).embedding
