"""What reading costs: seconds in a thread, and how long the event loop is held meanwhile.

``python -m bench.pages`` prints a row for each kind of page, large and hostile ones among them.
"""

import asyncio
import functools
import gzip
import io
import time
from collections.abc import Mapping

import pypdfium2

from bench.measure import print_machine, print_table
from protocol.errors import PageUnreadable
from protocol.settings import Pages
from retrieval.library.reader import DocumentReader
from retrieval.pages.content import PageContent
from retrieval.pages.fetcher import Fetched
from tests.standins.website import PAGE, long_page, pdf

TICK_S = 0.001
SENTENCE = "The lighthouse at Harbour Point is 41 metres tall. " * 30


def pdf_of(pages: int) -> bytes:
    """A PDF of so many pages."""
    one, whole = pypdfium2.PdfDocument(pdf(SENTENCE)), pypdfium2.PdfDocument.new()
    for _ in range(pages):
        whole.import_pages(one)
    written = io.BytesIO()
    whole.save(written)
    return written.getvalue()


def kinds() -> Mapping[str, Fetched]:
    """What is read, by its name in the table."""
    return {
        "small page": Fetched(PAGE, "text/html"),
        "page of 1 MB": Fetched(long_page(1_100), "text/html"),
        "page of 9 MB": Fetched(long_page(10_000), "text/html"),
        "links only": Fetched(b"<a href=http://a.example/b>c</a>" * 30_000, "text/html"),
        "attributes only": Fetched(b"<p " + b"a=b " * 200_000 + b">", "text/html"),
        "text of 9 MB": Fetched(SENTENCE.encode() * 6_000, "text/plain"),
        "PDF of 300 pages": Fetched(pdf_of(300), "application/pdf"),
        "200 MB in a gzip": Fetched(gzip.compress(b"0" * 200_000_000), "text/html", "", "gzip"),
    }


async def held_s(done: asyncio.Event) -> float:
    """The longest time for which the loop did not come by."""
    worst = 0.0
    while not done.is_set():
        began = time.perf_counter()
        await asyncio.sleep(TICK_S)
        worst = max(worst, time.perf_counter() - began - TICK_S)
    return worst


async def row(content: PageContent, name: str, fetched: Fetched) -> tuple[object, ...]:
    """One kind of page: bytes, pieces, milliseconds in a thread, milliseconds the loop was held."""
    done = asyncio.Event()
    probe = asyncio.create_task(held_s(done))
    began = time.perf_counter()
    try:
        page = await asyncio.to_thread(functools.partial(content.read, fetched))
        pieces: object = len(page.pieces)
    except PageUnreadable:
        pieces = "refused"
    took_s = time.perf_counter() - began
    done.set()
    return name, len(fetched.body), pieces, took_s * 1000, await probe * 1000


async def main() -> None:
    """Measure each kind once, after a first page that loads the libraries."""
    content = PageContent(DocumentReader(), most_bytes=Pages().page_bytes)
    content.read(Fetched(PAGE, "text/html"))
    content.read(Fetched(pdf(SENTENCE), "application/pdf"))
    rows = [await row(content, name, fetched) for name, fetched in kinds().items()]
    print_machine()
    print_table(("page", "bytes", "pieces", "thread ms", "loop held ms"), rows)


if __name__ == "__main__":
    asyncio.run(main())
