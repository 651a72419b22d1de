"""Finds the route of a request and turns whatever comes of it into a response."""

import asyncio
import time
from collections.abc import Iterable
from urllib.parse import unquote

import msgspec
import structlog

from protocol.errors import DeadlineExceeded, NotFound, ServiceError
from protocol.refusals import Forbidden
from transport.cors import preflight
from transport.http import Request, Response, Route
from transport.refusals import BadRequest, MethodNotAllowed
from transport.services import Services

log = structlog.get_logger()


class Router:
    """Answers requests by a table of routes."""

    def __init__(self, routes: Iterable[Route], services: Services, *, within_s: float) -> None:
        """Order the table so that a plain path is found before one with a named part."""
        self._table = sorted(
            ((_segments(route.pattern), route) for route in routes),
            key=lambda row: "{" in row[1].pattern,
        )
        self._services = services
        self._within_s = within_s

    async def answer(self, request: Request) -> Response:
        """The response to a request, whatever becomes of it.

        A slash at the end of the path makes no difference, nor do capitals in its fixed parts; HEAD
        is answered wherever GET is; any path can be asked by OPTIONS, also one that does not exist.
        """
        started = time.perf_counter()
        response = await self._attempt(request)
        log.debug(
            "request.answered",
            method=request.method,
            path=request.path,
            status=response.status,
            duration_ms=round((time.perf_counter() - started) * 1000),
        )
        return response

    async def _attempt(self, request: Request) -> Response:
        try:
            return await self._run(request)
        except ServiceError as error:
            return Response.of_error(error)
        except Exception:
            # The edge of the program: a bug in a route must reach the log with its traceback and
            # the client as a plain 500; it must not take the connection with it.
            log.exception("request.failed", method=request.method, path=request.path)
            return Response.of_error(ServiceError())

    async def _run(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(204, headers=preflight(request.headers))
        segments = _segments(request.path)
        rows = [(route, params) for route, params in self._matches(segments)]
        if not rows:
            raise NotFound
        method = "GET" if request.method == "HEAD" else request.method
        for route, params in rows:
            if route.method == method:
                return await self._call(route, msgspec.structs.replace(request, params=params))
        raise MethodNotAllowed(_allowed({route.method for route, _ in rows}))

    async def _call(self, route: Route, request: Request) -> Response:
        try:
            async with asyncio.timeout(self._within_s) as deadline:
                admitted = await self._admitted(route, request)
                return await route.function(admitted, self._services)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise DeadlineExceeded("The request", after_s=self._within_s) from error

    async def _admitted(self, route: Route, request: Request) -> Request:
        """The request with who asks; raises Unauthorized, Forbidden and RateLimited."""
        if route.access != "anybody":
            person = await self._services.gate.person(request.proof)
            if route.access == "admin" and not person.is_admin:
                raise Forbidden
            request = msgspec.structs.replace(request, person=person)
        if route.spends is not None:
            self._services.quotas.spend(route.spends, request.keys)
        return request

    def _matches(self, segments: list[str]) -> list[tuple[Route, dict[str, str]]]:
        found = ((route, _match(pattern, segments)) for pattern, route in self._table)
        return [(route, params) for route, params in found if params is not None]


def _segments(path: str) -> list[str]:
    return path.removesuffix("/").split("/")


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    """The named parts of a path that fits the pattern; ``None`` for one that does not."""
    if len(pattern) != len(segments):
        return None
    params = {}
    for part, segment in zip(pattern, segments, strict=True):
        if part.startswith("{") and segment:
            params[part[1:-1]] = _decoded(segment)
        elif part != segment.lower():
            return None
    return params


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("its path is not UTF-8") from error


def _allowed(methods: set[str]) -> tuple[str, ...]:
    head = {"HEAD"} if "GET" in methods else set()
    return tuple(sorted(methods | head | {"OPTIONS"}))
