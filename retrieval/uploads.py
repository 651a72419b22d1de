"""The files that users give: reading them, and finding in them."""

import zipfile
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

import structlog

from protocol.errors import FileRefused, FileUnreadable, ServiceError
from protocol.offload import Offload
from protocol.values import ModelChoice, Node, Upload
from retrieval import lazy
from retrieval.library.office import MAIN
from retrieval.library.passages import Passage
from retrieval.library.reader import SNIFFED, DocumentReader, Unreadable, decoded

if TYPE_CHECKING:
    from retrieval.postprocessor import Vectors
    from retrieval.ranking import Measure
    from retrieval.upload_search import Candidate

    EmbedAs = Callable[[ModelChoice, Sequence[str]], Awaitable[Vectors]]

log = structlog.get_logger(__name__)

ReadFile = Callable[[BinaryIO, str], Awaitable[list[Passage]]]

# Of a text no more is read than becomes passages; other kinds are read whole.
TEXT_BYTES = 8 * 1024 * 1024
PLACES = 15
FILE_PLACES = 8
PDF_MARK = b"%PDF-"
PDF_MARK_WITHIN = 1024
ZIP_MARK = b"PK\x03\x04"


def is_pdf(file: BinaryIO) -> bool:
    """Whether it begins as a PDF does, within the kilobyte that readers allow."""
    return PDF_MARK in _head(file, PDF_MARK_WITHIN)


def is_docx(file: BinaryIO) -> bool:
    """Whether it is an archive with the text of a Word document in it."""
    if not _head(file, len(ZIP_MARK)).startswith(ZIP_MARK):
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            return MAIN in archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError):  # what a broken archive raises
        return False


def is_text(file: BinaryIO) -> bool:
    """Whether it begins as text does, and not as one of the other kinds."""
    head = _head(file, SNIFFED)
    if head.startswith((PDF_MARK, ZIP_MARK)):
        return False
    try:
        decoded(head)
    except Unreadable:
        return False
    return True


KINDS: Mapping[str, Callable[[BinaryIO], bool]] = {
    ".pdf": is_pdf,
    ".docx": is_docx,
    ".txt": is_text,
    ".md": is_text,
    ".csv": is_text,
    ".html": is_text,
    ".htm": is_text,
}


def read_upload(file: BinaryIO, name: str, reader: DocumentReader) -> list[Passage]:
    """The passages of a file, at least one; blocks, so never on the event loop.

    Raises:
        FileRefused: Its name or its content is of no kind that is read.
        FileUnreadable: It is damaged, or has no text.

    """
    ending = PurePosixPath(name).suffix.lower()
    is_kind = KINDS.get(ending)
    if is_kind is None:
        known = ", ".join(kind[1:] for kind in KINDS)
        raise FileRefused(name, f"only files of these kinds are read: {known}")
    if not is_kind(file):
        raise FileRefused(name, f"it is no {ending[1:]} file")
    file.seek(0)
    try:
        data = file.read(TEXT_BYTES if is_kind is is_text else -1)
        passages = reader.read(data, name)
    except Unreadable as error:
        raise FileUnreadable(name, str(error)) from error
    if not passages:
        raise FileUnreadable(name, "it has no text")
    return passages


class FileService:
    """Finds passages in files that were read; ``read`` gives the passages of one, at least one.

    It raises FileRefused and FileUnreadable.
    """

    def __init__(self, read: ReadFile, offload: Offload, measure: "Measure", *, keep: int) -> None:
        self.read = read
        self._offload = offload
        self._measure = measure
        self._keep = keep

    async def search(
        self, query: str, uploads: AsyncIterable[Upload], embed: "EmbedAs"
    ) -> tuple[Node, ...]:
        """The best passages of the files, best first; their address is ``File``.

        One file at a time is held in memory.

        Args:
            query: What they should answer.
            uploads: The files.
            embed: Gives the vectors of texts by a model; where it raises a ServiceError, or a file
                has no vectors, words alone count.

        """
        found: list[Candidate] = []
        vectors: dict[ModelChoice, Vectors | None] = {ModelChoice(): None}
        async for upload in uploads:
            if upload.embedding not in vectors:
                vectors[upload.embedding] = await _vector_of(query, upload.embedding, embed)
            vector = vectors[upload.embedding]
            find = partial(lazy.file_candidates, query, vector, upload, self._measure)
            found += await self._offload(find)
        return tuple(await self._offload(partial(lazy.weigh_files, query, found, self._keep)))


async def _vector_of(query: str, model: ModelChoice, embed: "EmbedAs") -> "Vectors | None":
    try:
        vector: Vectors = (await embed(model, [query]))[0]
    except ServiceError as error:  # the words of the query are still there
        log.warning("embedding.failed", key=error.key, texts=1)
        return None
    return vector


def shared_places(
    files: Sequence[Node], web: Sequence[Node], *, most: int = PLACES, of_files: int = FILE_PLACES
) -> tuple[Node, ...]:
    """The sources of an answer: passages of files first, then what else was found.

    Where both are there, files take at most ``of_files`` of the ``most`` places.
    """
    first = tuple(files[: of_files if web else most])
    return first + tuple(web[: most - len(first)])


def _head(file: BinaryIO, size: int) -> bytes:
    file.seek(0)
    return file.read(size)
