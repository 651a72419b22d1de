"""The search and the model as an httpx transport in memory, which follow each question's plan."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from tests.simulation.script import WELL, Fault, Plan
from tests.standins.asked import divided, kind_of, question_of, rephrased
from tests.standins.words import vector

SEARCH = "http://search.test"
MODELS = "http://models.test/v1"
CHAT_MODEL, EMBEDDING_MODEL = "gpt-4o-mini", "text-embedding-3-small"
USUAL_S = 0.01  # what any call takes
NUMBER = re.compile(r"q(\d+)x")
RESULTS = 4
EVENT = "data: {}\n\n"
Ended = Callable[[], None]


def number_in(text: str) -> int:
    """The number of the question that a text is about: that which was named last; 0 for none."""
    found = NUMBER.findall(text)
    return int(found[-1]) if found else 0


def pieces(number: int, plan: Plan) -> list[str]:
    """What the model answers to a question, piece by piece; no two pieces are the same."""
    return [f"w{number}.{place} ".rjust(plan.chars, "+") for place in range(plan.pieces)]


def written(number: int, plan: Plan) -> str:
    """The whole answer of the model."""
    return "".join(pieces(number, plan))


class Body(httpx.AsyncByteStream):
    """A reply on its way; ``ended`` is called once, when it is read or left."""

    def __init__(self, chunks: list[str], gap_s: float, fault: Fault, ended: Ended) -> None:
        self._chunks = chunks
        self._gap_s = gap_s
        self._fault = fault
        self._ended = ended

    async def __aiter__(self) -> AsyncIterator[bytes]:
        cut = None
        if self._fault.kind in {"break", "stall"}:
            cut = min(int(self._fault.amount / 8 * len(self._chunks)), len(self._chunks) - 1)
        for place, chunk in enumerate(self._chunks):
            if place == cut:
                if self._fault.kind == "stall":
                    await asyncio.get_running_loop().create_future()
                raise httpx.RemoteProtocolError("it broke off")
            if self._gap_s and place:
                await asyncio.sleep(self._gap_s)
            yield chunk.encode()

    async def aclose(self) -> None:
        """The reader has left, or has read all."""
        self._ended()


class Services(httpx.AsyncBaseTransport):
    """All services of one process; ``open`` has the calls under way: their kind and question."""

    def __init__(self, plans: dict[int, Plan]) -> None:
        self._plans = plans
        self.open: list[tuple[str, int]] = []

    def client(self) -> httpx.AsyncClient:
        """A client whose every call comes here."""
        return httpx.AsyncClient(transport=self, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The reply, as the plan wants it."""
        body = (await request.aread()).decode()
        kind, number, chunks, gap_s = self._reply(request, json.loads(body) if body else {})
        plan = self._plans.get(number, Plan())
        choose = FAULTS.get(kind)
        fault = choose(plan) if choose else WELL
        call = (kind, number)
        self.open.append(call)
        try:
            await self._await_head(request, fault)
        except BaseException:
            self.open.remove(call)
            raise
        status, text = HEADS.get(fault.kind, (200, ""))
        stream = Body([text] if text else chunks, gap_s, fault, lambda: self.open.remove(call))
        return httpx.Response(status, stream=Once(stream))

    async def _await_head(self, request: httpx.Request, fault: Fault) -> None:
        patience_s = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(patience_s):
                if fault.kind == "hang":
                    await asyncio.get_running_loop().create_future()
                await asyncio.sleep(fault.amount if fault.kind == "slow" else USUAL_S)
        except TimeoutError:
            raise httpx.ReadTimeout("no reply", request=request) from None
        if fault.kind == "down":
            raise httpx.ConnectError("nobody listens", request=request)

    def _reply(
        self, request: httpx.Request, asked: dict[str, Any]
    ) -> tuple[str, int, list[str], float]:
        """Kind of the call, its question, and the reply when all is well."""
        path = request.url.path
        if path == "/search":
            query = request.url.params["q"]
            return "search", number_in(query), [json.dumps({"results": results(query)})], 0.0
        if path.endswith("/models"):
            listed = [{"id": name} for name in (CHAT_MODEL, EMBEDDING_MODEL)]
            return "models", 0, [json.dumps({"data": listed})], 0.0
        if path.endswith("/embeddings"):
            texts = asked["input"]
            vectors = [{"index": n, "embedding": vector(t)} for n, t in enumerate(texts)]
            return "embed", number_in(texts[0]), [json.dumps({"data": vectors})], 0.0
        return self._said(asked["messages"])

    def _said(self, messages: list[dict[str, Any]]) -> tuple[str, int, list[str], float]:
        kind, question = kind_of(messages), question_of(messages)
        number = number_in(question)
        if kind != "answer":
            text = rephrased(question) if kind == "rephrase" else divided(question)
            return kind, number, events([text]), 0.0
        plan = self._plans.get(number, Plan())
        return kind, number, events(pieces(number, plan)), plan.gap_s


class Once(httpx.AsyncByteStream):
    """A body whose end is told once, however often it is closed."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    async def aclose(self) -> None:
        """Tell the end, if it has not been told."""
        if not self._is_closed:
            self._is_closed = True
            await self._body.aclose()


FAULTS: dict[str, Callable[[Plan], Fault]] = {
    "search": lambda plan: plan.search,
    "rephrase": lambda plan: plan.rephrase,
    "divide": lambda plan: plan.rephrase,
    "embed": lambda plan: plan.embed,
    "answer": lambda plan: plan.answer,
}
HEADS = {"refuse": (500, '{"error":"out of order"}'), "garbage": (200, "<html>Welcome</html>")}


def results(query: str) -> list[dict[str, str]]:
    """Pages about a question, some of them without text."""
    return [
        {
            "title": f"Page {place} of {query}",
            "url": f"https://example.org/{number_in(query)}/{place}",
            "content": f"{query}: it is about {place} things." if place else "",
        }
        for place in range(RESULTS)
    ]


def events(texts: list[str]) -> list[str]:
    """A streamed reply of the model."""
    said = [json.dumps({"choices": [{"delta": {"content": text}}]}) for text in texts]
    return [EVENT.format(line) for line in (*said, "[DONE]")]
