"""One question over a plain client: the frames, what is stored, what the upstreams are asked."""

import re
from typing import Any

import pytest

from tests.e2e.client import Client
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.record import Exchange
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

MESSAGE_ID = re.compile(r"[0-9a-f]{14}")
GAP_S = 0.1  # WIRE.md A4: least time from sources to messageEnd
LATE_S = 0.05  # a busy reader may notice the sources that much too late


def said_by(exchange: Exchange, role: str) -> list[str]:
    """What a model call was given in that role."""
    return [row["content"] for row in exchange.body["messages"] if row["role"] == role]


async def test_signal_comes_before_anything_is_sent(program: Program) -> None:
    """The first frame on a socket is the open signal, and nothing but."""
    async with Client.connect(program) as client:
        assert client.frames == [{"type": "signal", "data": "open"}]


async def test_frames_come_in_order_under_one_new_id(program: Program) -> None:
    """A turn is sources, messages, messageEnd; one id of 14 hex digits, not the question's."""
    async with Client.connect(program) as client:
        asked = await client.ask("What is the order of frames?")
        turn = await client.turn()
    assert turn.types == ["sources", "message", "messageEnd"]
    assert MESSAGE_ID.fullmatch(turn.message_id)
    assert turn.message_id != asked.message_id
    assert all(set(frame) <= {"type", "data", "messageId", "seq"} for frame in turn.frames)


async def test_seq_rises_with_every_frame(program: Program) -> None:
    """Each frame of a turn has a higher number than the one before."""
    async with Client.connect(program) as client:
        turn = await client.answer("What numbers do frames have?")
    assert turn.seqs == sorted(set(turn.seqs))


async def test_sources_have_the_shape_that_the_web_ui_reads(program: Program) -> None:
    """At most fifteen sources, all with content, and with title and url as text."""
    async with Client.connect(program) as client:
        turn = await client.answer("What do sources look like?")
    assert 0 < len(turn.sources) <= 15
    for source in turn.sources:
        assert set(source) == {"pageContent", "metadata"}
        assert set(source["metadata"]) <= {"title", "url", "img_src"}
        texts = (source["pageContent"], source["metadata"]["title"], source["metadata"]["url"])
        assert all(isinstance(text, str) for text in texts)
        assert source["pageContent"]


async def test_speed_keeps_the_order_of_the_search(program: Program) -> None:
    """In speed, sources are the results that have content and an address, in their order."""
    async with Client.connect(program) as client:
        turn = await client.answer("In which order are sources?")
    places = [int(s["metadata"]["title"].split()[-1].rstrip(")")) for s in turn.sources]
    assert places == [place for place in range(1, 21) if place % 5 and place % 7][:15]


async def test_balanced_answers_from_the_closest_sources(program: Program) -> None:
    """In balanced, what is kept comes from the search too, ordered anew, each source once."""
    async with Client.connect(program) as client:
        turn = await client.answer("Which sources are closest?", optimizationMode="balanced")
    titles = [source["metadata"]["title"] for source in turn.sources]
    assert 0 < len(titles) == len(set(titles)) <= 15
    assert all(title.startswith("Which sources are closest?") for title in titles)


async def test_answer_is_what_the_model_wrote(program: Program, models: ModelServer) -> None:
    """The pieces put together are the model's text, citations included."""
    question = "What does the model write? [[fake answer tokens=300]]"
    async with Client.connect(program) as client:
        turn = await client.answer(question)
    exchange = await models.seen("answer", about=question)
    assert turn.text == exchange.reply
    assert re.search(r"\[\d\]", turn.text)


async def test_first_piece_arrives_before_the_model_has_sent_its_last(
    program: Program, models: ModelServer
) -> None:
    """The answer streams: what the model has said reaches the client while it goes on."""
    gate = models.hold_after(3)
    async with Client.connect(program) as client:
        await client.ask("Does the answer stream?")
        await client.until(lambda frame: frame["type"] == "message")
        held = await models.seen("answer", about="Does the answer stream?")
        assert (held.pieces, held.ended) == (3, None)
        gate.release()
        assert (await client.turn()).text == held.reply


async def test_two_questions_at_once_are_both_answered_whole(
    program: Program, models: ModelServer
) -> None:
    """Frames of two turns may mix on one socket; each answer is whole under its own id."""
    questions = ("Who is first? [[fake answer tokens=200]]", "Who is second?")
    gate = models.hold_after(2)  # the turn that writes first stays open while the other ends
    async with Client.connect(program) as client:
        for question in questions:
            await client.ask(question)
        early = await client.turn()
        gate.release()
        late = await client.turn()
    replies = {(await models.seen("answer", about=question)).reply for question in questions}
    assert {early.text, late.text} == replies
    assert early.message_id != late.message_id
    assert late.types == early.types == ["sources", "message", "messageEnd"]


async def test_message_end_comes_a_moment_after_the_sources(program: Program) -> None:
    """The web UI gets its 100 ms between sources and messageEnd, however fast the answer is."""
    async with Client.connect(program) as client:
        turn = await client.answer("How fast? [[fake answer tokens=1]]")
    assert turn.times[-1] - turn.times[0] >= GAP_S - LATE_S


async def test_chat_is_stored_when_message_end_arrives(program: Program) -> None:
    """At messageEnd, question and answer can be read, in the shapes that the web UI wants."""
    async with Client.connect(program) as client:
        asked = await client.ask("What is stored?")
        turn = await client.turn()
        chat = (await program.json(f"/api/chats/{asked.chat_id}"))["chat"]
        question, answer = await program.messages(asked.chat_id)
    assert (chat["id"], chat["title"], chat["focusMode"]) == (
        asked.chat_id,
        asked.text,
        "webSearch",
    )
    assert (question["role"], question["content"], question["messageId"]) == (
        "user",
        asked.text,
        asked.message_id,
    )
    assert (answer["role"], answer["content"], answer["messageId"]) == (
        "assistant",
        turn.text,
        turn.message_id,
    )
    assert answer["metadata"]["sources"] == turn.sources
    assert {"createdAt"} <= set(question["metadata"]) & set(answer["metadata"])
    assert "error" not in answer["metadata"]


async def test_newest_chat_is_listed_first_until_it_is_deleted(program: Program) -> None:
    """GET /api/chats has the newest on top; DELETE answers 200 and the chat is gone."""
    async with Client.connect(program) as client:
        chats = [await client.ask(text) for text in ("Older?", "Newer?")]
        for _ in chats:
            await client.turn()
    older, newer = (chat.chat_id for chat in chats)
    listed = [chat["id"] for chat in (await program.json("/api/chats"))["chats"]]
    assert listed.index(newer) < listed.index(older)
    assert (await program.http.delete(f"/api/chats/{newer}")).status_code == 200
    assert (await program.http.get(f"/api/chats/{newer}")).status_code == 404


async def test_search_and_model_are_asked_as_web_search_says(
    program: Program, models: ModelServer, search: SearchServer
) -> None:
    """In webSearch: rephrase at 0, search q in English on the default engines, answer at 0."""
    question = "What is the searcher asked?"
    async with Client.connect(program) as client:
        await client.answer(question)
    found = await search.seen("search", about=question)
    assert (found.params["q"], found.params["language"], found.params["format"]) == (
        question,
        "en",
        "json",
    )
    assert not found.params.get("engines")
    calls = [await models.seen(kind, about=question) for kind in ("rephrase", "answer")]
    assert [call.temperature for call in calls] == [0, 0]


async def test_writing_assistant_searches_nothing(
    program: Program, models: ModelServer, search: SearchServer
) -> None:
    """In writingAssistant, it sends empty sources first, asks no search, and answers at 0.7."""
    question = "Write me a line about nothing."
    async with Client.connect(program) as client:
        turn = await client.answer(question, focusMode="writingAssistant")
    assert turn.types == ["sources", "message", "messageEnd"]
    assert turn.sources == []
    assert not search.record.about(question)
    assert [(e.kind, e.temperature) for e in models.record.about(question)] == [("answer", 0.7)]


async def test_greeting_is_answered_without_a_search(
    program: Program, search: SearchServer
) -> None:
    """When the model says that no search is needed there are no sources, but an answer."""
    before = len(search.record.exchanges)
    async with Client.connect(program) as client:
        turn = await client.answer("Hello!")
    assert turn.sources == []
    assert turn.text
    assert len(search.record.exchanges) == before


async def test_question_in_its_own_history_is_told_once(
    program: Program, models: ModelServer
) -> None:
    """The history's last entry repeats the question; both names of either role are known."""
    question = "And how is that told?"
    history = [["human", "Aa?"], ["assistant", "Bb."], ["user", "Cc?"], ["ai", "Dd."]]
    async with Client.connect(program) as client:
        await client.answer(question, history=[*history, ["human", question]])
    exchange = await models.seen("answer", about=question)
    assert said_by(exchange, "assistant") == ["Bb.", "Dd."]
    users = said_by(exchange, "user")
    assert users[:2] == ["Aa?", "Cc?"]
    assert sum(question in text for text in users) == 1


@pytest.mark.parametrize(
    ("provider", "model", "path"),
    [
        ("ollama", "llama3.2:latest", "/api/chat"),
        ("openai", "gpt-4o-mini", "/v1/chat/completions"),
        ("custom_openai", "my-own-model", "/v1/chat/completions"),
    ],
)
async def test_client_chooses_provider_and_model(
    program: Program, models: ModelServer, provider: str, model: str, path: str
) -> None:
    """The query string of the connection says which service answers, and with which model."""
    question = f"Who answers for {provider}?"
    query = {"chatModelProvider": provider, "chatModel": model}
    own = {"openAIBaseURL": models.openai_url, "openAIApiKey": "their own key"}
    custom = own if provider == "custom_openai" else {}
    async with Client.connect(program, query | custom) as client:
        await client.answer(question)
    exchange = await models.seen("answer", about=question)
    assert (exchange.path, exchange.body["model"]) == (path, model)


async def test_turn_is_told_in_one_log_line_without_its_text(program: Program) -> None:
    """One turn.finished line has ids and the milliseconds of each stage; no line has the text."""
    async with Client.connect(program) as client:
        turn = await client.answer("Does anybody log xylophone?")
    assert "xylophone" not in program.log_text()
    assert turn.text[:40] not in program.log_text()
    finished: list[dict[str, Any]] = [
        line for line in program.log_lines() if line["event"] == "turn.finished"
    ]
    last = finished[-1]
    assert {"session_id", "turn_id", "actor", "duration_ms"} <= set(last)
    assert {"rephrasing_ms", "searching_ms", "writing_ms"} <= set(last)
