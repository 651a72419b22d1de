"""The table of routes: one row and one function each, gathered from the files here."""

from transport.http import Route
from transport.routes import (
    access,
    chats,
    config,
    extras,
    health,
    models,
    search,
    status,
    turns,
    uploads,
)

ROUTES: tuple[Route, ...] = (
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
)
