"""The table of routes: one row and one function each, gathered from the files here."""

from transport.http import Route
from transport.routes import (
    chats,
    config,
    extras,
    health,
    metrics,
    models,
    search,
    status,
    uploads,
)

ROUTES: tuple[Route, ...] = (
    *status.ROUTES,
    *models.ROUTES,
    *config.ROUTES,
    *chats.ROUTES,
    *search.ROUTES,
    *extras.ROUTES,
    *uploads.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
)
