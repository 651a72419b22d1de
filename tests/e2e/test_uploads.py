"""Files given to the running program."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Client
from tests.e2e.program import Program
from tests.retrieval.documents import docx, paragraph, pdf
from tests.standins.model_server import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = 300
LARGE = 30_000_000
MOST_GROWTH = 150_000_000
MOST_HELD_S = 0.5  # what a client sees of a loop that is held, on a machine that others use too
LORE = "The lighthouse of Harbour Point is painted in violet stripes."


async def upload(program: Program, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
    """What the web UI gets for these files."""
    reply = await program.http.post(
        "/api/uploads",
        files=[("files", file) for file in files],
        data={"embedding_model_provider": "local", "embedding_model": "any"},
        timeout=60,
    )
    kept: list[dict[str, Any]] = reply.raise_for_status().json()["files"]
    return kept


async def test_files_are_listed_with_their_chat_and_leave_with_it(program: Program) -> None:
    """In the order in which they were sent; a chat that is deleted takes them along."""
    kept = await upload(program, ("b.docx", docx(paragraph(LORE))), ("a.PDF", pdf(LORE)))
    assert [(file["fileName"], file["fileExtension"]) for file in kept] == [
        ("b.docx", "docx"),
        ("a.PDF", "pdf"),
    ]
    async with Client.connect(program) as client:
        asked = await client.ask("What colour?", files=[file["fileId"] for file in kept])
        await client.turn()
    shown = await program.json(f"/api/chats/{asked.chat_id}")
    assert shown["chat"]["files"] == [
        {"name": file["fileName"], "fileId": file["fileId"]} for file in kept
    ]
    reply = await program.http.delete(f"/api/chats/{asked.chat_id}")
    assert reply.status_code == 200


async def test_file_that_cannot_be_read_is_refused(program: Program) -> None:
    """With its status and a sentence that names it."""
    for name, data, status in (("a.exe", b"MZ", 415), ("a.pdf", b"%PDF-1.4", 422)):
        reply = await program.http.post("/api/uploads", files=[("files", (name, data))])
        assert reply.status_code == status
        assert name in reply.json()["message"]


@pytest.mark.parametrize("focus", ["webSearch", "writingAssistant"])
async def test_question_is_answered_from_its_files(
    program: Program, models: ModelServer, focus: str
) -> None:
    """The passage stands first among the sources, and the model has read it."""
    filler = "".join(f"Paragraph {n} speaks of wind and weather.\n\n" for n in range(300))
    [kept] = await upload(program, ("lore.txt", f"{filler}{LORE}\n\n{filler}".encode()))
    question = f"What stripes has the lighthouse of Harbour Point in {focus}?"
    async with Client.connect(program) as client:
        turn = await client.answer(question, files=[kept["fileId"]], focusMode=focus)
    assert turn.types == ["sources", "message", "messageEnd"]
    first = turn.sources[0]
    assert LORE in first["pageContent"]
    assert first["metadata"] == {"title": "lore.txt", "url": "File"}
    places = [source["metadata"]["url"] for source in turn.sources]
    most = {"webSearch": 8, "writingAssistant": 15}[focus]
    assert 0 < places.count("File") <= most
    assert len(places) <= 15
    assert LORE in str((await models.seen("answer", about=question)).body["messages"])


async def test_question_with_a_file_that_is_gone_is_still_answered(program: Program) -> None:
    """The answer says so, and goes on with what the web has."""
    async with Client.connect(program) as client:
        turn = await client.answer("What is gone?", files=["nobody"])
    assert "attached files are no longer here" in turn.text
    assert turn.sources


def memory(program: Program) -> int:
    """The bytes that the program holds in memory."""
    pages = Path(f"/proc/{program.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def longest_wait(program: Program, until: asyncio.Task[Any]) -> float:
    """The longest that a status took while a task ran, in seconds."""
    loop = asyncio.get_running_loop()
    longest = 0.0
    while not until.done():
        began = loop.time()
        await program.json("/api")
        longest = max(longest, loop.time() - began)
    return longest


@pytest.mark.parametrize("kind", ["pdf", "txt"])
async def test_large_file_disturbs_nobody(program: Program, kind: str) -> None:
    """Three hundred pages, or thirty megabytes: others are answered, memory stays bounded."""
    page = " ".join(f"Line {n} of the page is about light and sea." for n in range(60))
    data = pdf(*[page] * PAGES) if kind == "pdf" else (page.encode() + b"\n\n") * (LARGE // 2_700)
    await upload(program, ("small.txt", b"warm"), ("small.pdf", pdf("warm")))
    before = memory(program)
    sending = asyncio.create_task(upload(program, (f"large.{kind}", data)))
    longest = await longest_wait(program, sending)
    assert (await sending)[0]["fileExtension"] == kind
    assert longest < MOST_HELD_S
    assert memory(program) - before < MOST_GROWTH
