"""The program counts what it does, where it is told to."""

from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer
from tests.standins.website import Website

pytestmark = pytest.mark.asyncio(loop_scope="session")

ON = {"PERPLEXICA_METRICS_ON": "true", "PERPLEXICA_RESILIENCE_RETRIES": "0"}
SECRET = "xylophone"
QUESTIONS = (
    f"What is a {SECRET}?",
    f"Is the {SECRET} found? [[fake search fault=403]]",
    f"Does it write of a {SECRET}? [[fake answer fault=429]]",
)


async def counted(program: Program) -> Callable[..., float]:
    """Gives the sum of the values of a metric that have these labels."""
    reply = await program.http.get("/metrics")
    text = reply.raise_for_status().text
    assert SECRET not in text
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples]

    def total(name: str, **labels: str) -> float:
        fitting = (
            sample
            for sample in samples
            if sample.name == f"perplexica_{name}" and labels.items() <= sample.labels.items()
        )
        return sum(sample.value for sample in fitting)

    return total


async def test_answers_and_calls_are_counted(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """By how they ended; refusals of search, model and page by their status."""
    async with (
        Website() as site,
        Program(tmp_path, **upstreams(models, search), **ON) as program,
        Client.connect(program) as client,
    ):
        for question in (*QUESTIONS, f"Sum up {site.url}/missing"):
            await client.answer(question)
            client.forget()
        body = {"focusMode": "webSearch", "query": f"A {SECRET}", "optimizationMode": "balanced"}
        await program.http.post("/api/search", json=body)
        total = await counted(program)
    assert total("questions_total", optimization_mode="speed") == len(QUESTIONS) + 1
    assert total("questions_total", focus_mode="webSearch", optimization_mode="balanced") == 1
    assert total("stage_seconds_count", stage="writing") == len(QUESTIONS) + 2
    assert total("first_piece_seconds_count", optimization_mode="speed") >= 1
    assert total("sessions") == 1
    assert total("messages_total", actor="turn", became="handled") == len(QUESTIONS) + 2
    assert total("sent_bytes_total", over="websocket") > 1000
    for upstream, code in (("searxng", "403"), ("openai chat", "429"), ("pages", "404")):
        assert total("upstream_calls_total", upstream=upstream, code=code) == 1, upstream
    assert total("upstream_calls_total", upstream="searxng", code="2xx") == 3


async def test_metrics_are_off_unless_they_are_wanted(program: Program) -> None:
    """There is no such path then."""
    assert (await program.http.get("/metrics")).status_code == 404
