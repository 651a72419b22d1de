"""A small web site: pages, a text, a PDF made by hand, redirects, and nothing elsewhere."""

import gzip

from tests.standins.http_server import Request, StandIn
from tests.standins.reply import Reply

PAGE = b"""<!doctype html><html lang="en"><head><title>Tides &amp; lighthouses</title>
<script>track()</script></head><body><nav><a href="/">Home</a></nav><main><article>
<h1>Tides and lighthouses</h1><p>The lighthouse at Harbour Point is 41 metres tall.</p>
<p>It was built in 1854 from copper and stone.</p></article></main>
<footer>All rights reserved</footer></body></html>"""
TEXT = b"The lighthouse at Harbour Point is 41 metres tall.\n"


CYRILLIC = (
    "\u041c\u0430\u044f\u043a \u0432\u044b\u0441\u043e\u043a\u0438\u0439."  # a tall lighthouse
)
LATIN = "Caf\u00e9 na\u00efve au phare."


def long_page(paragraphs: int) -> bytes:
    """A page of so many numbered paragraphs, one of which has what is asked for."""
    told = (
        f"<p>Part {n} tells of the {'lighthouse' if n == paragraphs // 2 else 'harbour'}. "
        f"{'Stones and copper were brought by ship. ' * 20}</p>"
        for n in range(paragraphs)
    )
    return f"<html><head><title>Long</title></head><body>{''.join(told)}</body></html>".encode()


def found_page(name: str) -> bytes:
    """A page as a search finds it, which says more than the search does."""
    return (
        f"<html><head><title>Page {name}</title></head><body><article>"
        f"<p>How tall is the lighthouse? On page {name} it is 41 metres tall.</p>"
        "</article></body></html>"
    ).encode()


def pdf(sentence: str) -> bytes:
    """A PDF of one page that says the sentence (ASCII, without brackets)."""
    drawn = f"BT /F1 12 Tf 72 720 Td ({sentence}) Tj ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, rows)
    trailer = b"trailer << /Size %d /Root 1 0 R >>" % (len(objects) + 1)
    return b"%b%b%b\nstartxref\n%d\n%%%%EOF\n" % (body, table, trailer, len(body))


def _moved(to: str, status: int = 302) -> Reply:
    return Reply(status=status, content_type="text/plain", headers={"Location": to})


PAGES = {
    "/": Reply.of(PAGE, "text/html; charset=utf-8"),
    "/page.txt": Reply.of(TEXT, "text/plain; charset=utf-8"),
    "/page.pdf": Reply.of(
        pdf("The lighthouse at Harbour Point is 41 metres tall."), "application/pdf"
    ),
    "/moved": _moved("/page.txt", 301),
    "/twice": _moved("/moved"),
    "/loop": _moved("/loop"),
    "/away": _moved("ftp://files.example/"),
    "/nowhere": Reply(status=302),
    "/notitle": Reply.of(b"<p>The lighthouse has no title at all.</p>", "text/html"),
    "/cyrillic": Reply.of(CYRILLIC.encode("cp1251"), "text/plain; charset=windows-1251"),
    "/latin": Reply.of(f"<meta charset='iso-8859-1'><p>{LATIN}</p>".encode("latin-1"), "text/html"),
    "/long": Reply.of(long_page(120), "text/html"),
    "/found/2": Reply.of(found_page("two"), "text/html"),
    "/found/4": Reply.of(found_page("four"), "text/html"),
    "/picture": Reply.of(b"\x89PNG", "image/png"),
    "/empty": Reply.of(b"", "text/html"),
    "/broken.pdf": Reply.of(b"%PDF-1.4 and no more", "application/pdf"),
    "/unnamed": Reply.of(pdf("The lighthouse is 41 metres tall."), "application/octet-stream"),
    "/packed": Reply(
        (gzip.compress(PAGE),), content_type="text/html", headers={"Content-Encoding": "gzip"}
    ),
    "/bomb": Reply(
        (gzip.compress(b"0" * 50_000_000),),
        content_type="text/plain",
        headers={"Content-Encoding": "gzip"},
    ),
    "/brotli": Reply((b"x",), content_type="text/plain", headers={"Content-Encoding": "br"}),
}


class Website(StandIn):
    """Kinds: ``page``, ``missing``; the text of a request is its path."""

    def kind(self, request: Request) -> str:
        """Whether there is something at that path."""
        return "page" if request.path in PAGES else "missing"

    def text(self, request: Request) -> str:
        """The path."""
        return request.path

    def reply(self, request: Request) -> Reply:
        """The page, or 404."""
        return PAGES.get(request.path, Reply.of(b"<h1>Not Found</h1>", "text/html", 404))


if __name__ == "__main__":
    from tests.standins.by_hand import main

    main(Website())
