"""The OpenAPI document says what there is; what routes answer is held against it in all tests."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from protocol.errors import Busy, ChatNotFound, FileUnreadable, ServiceError
from tests.transport.declared import check, declared
from tests.transport.places import client, get, serving
from transport.http import Request, Response, Route
from transport.openapi import document
from transport.routes import ROUTES
from transport.routes.openapi import PATH
from transport.services import Services


def operations() -> Iterator[dict[str, Any]]:
    """What the document says of each route."""
    for path in declared()["paths"].values():
        yield from path.values()


def route_of(method: str, pattern: str) -> Route:
    """The row of the table."""
    return next(row for row in ROUTES if (row.method, row.pattern) == (method, pattern))


async def test_the_document_is_there_for_whoever_asks() -> None:
    """As JSON, on the path that the contract names."""
    async with serving() as server, client(server) as one:
        answer = await one.ask(get("/api/openapi.json"))
        assert (answer.status, answer.json()) == (200, declared())


def test_every_route_is_in_the_document() -> None:
    """And nothing else."""
    told = [(method.upper(), path) for path, row in declared()["paths"].items() for method in row]
    assert sorted(told) == sorted((route.method, route.pattern) for route in ROUTES)


def test_the_document_is_openapi_3_1() -> None:
    """By the schema of the standard, which a document without answers does not fit."""
    schemathesis.openapi.from_dict(declared()).validate()
    broken = {**declared(), "paths": {"/api": {"get": {"responses": []}}}}
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(broken).validate()


def test_every_route_says_what_it_is_for() -> None:
    """In a line of its own, and under a name of its own."""
    told = list(operations())
    assert all(each["summary"] for each in told)
    assert len({each["operationId"] for each in told}) == len(told)


def test_every_route_says_what_it_shows() -> None:
    """But for the document, whose own shape is that of the standard."""
    assert [route.pattern for route in ROUTES if route.shows is dict] == [PATH]


def test_what_must_be_there_is_told() -> None:
    """Also where the types let it be missing, for the sake of a sentence of the reference."""
    needed = {"/api/search": ["focusMode", "query"], "/api/images": ["query"]}
    for path, fields in needed.items():
        body = declared()["paths"][path]["post"]["requestBody"]
        assert body["content"]["application/json"]["schema"]["required"] == fields


def test_words_for_programmers_are_left_out() -> None:
    """A docstring is told without its sections, in the marks of CommonMark."""

    async def show(_: Request, __: Services) -> Response:
        """Show ``it``.

        All of it.

        Raises:
            Busy: Not now.

        """
        return Response()

    (told,) = document((Route("GET", "/it", show),))["paths"]["/it"].values()
    assert (told["summary"], told["description"]) == ("Show `it`.", "All of it.")


def test_the_named_part_of_a_path_is_a_parameter() -> None:
    """It is never empty."""
    (parameter,) = declared()["paths"]["/api/chats/{chat_id}"]["get"]["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("chat_id", "path", True)
    assert parameter["schema"] == {"type": "string", "minLength": 1}


def test_what_proves_who_asks_is_told() -> None:
    """With the role that is needed; only what anybody may ask needs nothing of it."""
    paths = declared()["paths"]
    assert "security" not in paths["/api"]["get"]
    assert paths["/api/chats"]["get"]["security"] == [{"key": []}, {"login": []}, {}]
    told = paths["/api/config"]["get"]
    assert told["security"] == [{"key": ["admin"]}, {"login": ["admin"]}, {}]
    assert told["responses"]["403"]["description"].endswith("Who asks may not do that.")
    guarded = {each["operationId"] for each in operations() if "401" in each["responses"]}
    proved = {each["operationId"] for each in operations() if "security" in each}
    assert guarded == proved | {"log_in", "set_up", "show_metrics"}


def test_whatever_a_stranger_may_do_is_counted() -> None:
    """Reading what is no secret is not."""
    done = [route for route in ROUTES if route.access == "anybody" and route.method != "GET"]
    assert {route.function.__name__ for route in done} == {"log_in", "log_out", "set_up"}
    assert {route.spends for route in done} == {"logins"}


def test_errors_are_told_by_status_in_their_own_words() -> None:
    """Those of the route beside those that any request may meet; what is temporary says when."""
    told = declared()["paths"]["/api/chats/{chat_id}"]["get"]["responses"]
    assert told["404"]["description"] == "No chat has this id."
    assert "Retry-After" in told["503"]["headers"]
    assert "headers" not in told["404"]
    anywhere = {"400", "403", "408", "413", "417", "421", "426", "431", "500", "501", "504", "505"}
    assert all(anywhere < each["responses"].keys() for each in operations())


@pytest.mark.parametrize("error", [FileUnreadable("a.pdf", "x"), Busy("x"), ChatNotFound()])
def test_an_answer_of_another_status_is_noticed(error: ServiceError) -> None:
    """What the tests of all routes rest on: here none of these is declared."""
    with pytest.raises(KeyError):
        check(route_of("GET", "/api"), Response.of_error(error))


def test_an_answer_of_another_shape_is_noticed() -> None:
    """The same."""
    route = route_of("GET", "/api")
    check(route, Response.of({"status": "ok"}))
    with pytest.raises(ValueError, match="bad"):
        check(route, Response.of({"status": "bad"}))
