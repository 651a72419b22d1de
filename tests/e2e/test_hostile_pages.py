"""Pages that give orders, and a model that obeys: nothing is fetched, shown or told for them."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.e2e.client import Client
from tests.e2e.conftest import upstreams, warm_up
from tests.e2e.program import Program
from tests.hostile import FOREIGN, leads_away
from tests.standins.obedient import HostileSite, Obedient, order
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Place:
    """The program between a model that obeys, a hostile site, and one that nobody has named."""

    program: Program
    model: Obedient
    site: HostileSite
    other: HostileSite
    secrets: tuple[str, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(
    search: SearchServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    """All of it, running."""
    folder = tmp_path_factory.mktemp("hostile")
    async with Obedient() as model, HostileSite() as site, HostileSite() as other:
        settings = upstreams(model, search) | {"PERPLEXICA_UI_GAP_MS": "0"}
        secrets = tuple(text for name, text in settings.items() if name.endswith("_API_KEY"))
        async with Program(folder, **settings) as program:
            await warm_up(program)
            yield Place(program, model, site, other, secrets)
        assert "Traceback" not in program.log_text()


@pytest.mark.parametrize("row", range(len(FOREIGN)))
async def test_orders_of_a_page_come_to_nothing(place: Place, row: int) -> None:
    """Its picture or link is neither sent nor stored, its address not read, no key told."""
    path = f"/page/{row}"
    place.site.pages[path] = order(FOREIGN[row], f"{place.other.url}{path}")
    question = f"What says {place.site.url}{path} ?"
    async with Client.connect(place.program) as client:
        asked = await client.ask(question)
        turn = await client.turn()
        told = [["human", question], ["assistant", turn.text], ["human", f"And row {row}?"]]
        await client.ask(f"And row {row}?", chat=asked.chat_id, history=told)
        await client.turn()
        rows = await place.program.messages(asked.chat_id)
    obeyed = await place.model.seen("answer", about=question)
    assert "FETCH" in obeyed.reply
    assert (
        f"{place.other.url}{path}"
        in (await place.model.seen("rephrase", about=f"And row {row}?")).reply
    )
    assert not leads_away(turn.text)
    assert turn.text in [stored["content"] for stored in rows]
    assert not any(leads_away(stored["content"]) for stored in rows)
    assert [exchange.path for exchange in place.site.record.about(path)].count(path) <= 1
    assert not place.other.record.exchanges
    prompts = json.dumps([exchange.body for exchange in place.model.record.exchanges])
    assert not [secret for secret in place.secrets if secret in prompts]


async def test_address_that_the_user_names_is_read(place: Place) -> None:
    """The control: the same address, named by the user, is fetched."""
    async with Client.connect(place.program) as client:
        await client.answer(f"What says {place.other.url}/named ?")
    assert [exchange.path for exchange in place.other.record.exchanges] == ["/named"]
    place.other.record.exchanges.clear()
