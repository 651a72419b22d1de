"""The table of routes: one row and one function each, gathered from the files here."""

from transport.http import Route
from transport.routes import (
    access,
    chats,
    config,
    extras,
    health,
    metrics,
    models,
    search,
    status,
    turns,
    uploads,
)
from transport.routes.openapi import described

ROUTES: tuple[Route, ...] = described(
    (
        *status.ROUTES,
        *models.ROUTES,
        *config.ROUTES,
        *chats.ROUTES,
        *turns.ROUTES,
        *search.ROUTES,
        *extras.ROUTES,
        *uploads.ROUTES,
        *health.ROUTES,
        *access.ROUTES,
        *metrics.ROUTES,
    )
)
