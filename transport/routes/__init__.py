"""The table of routes: one row and one function each, gathered from the files here."""

from transport.http import Route
from transport.routes import chats, extras, health, models, search, status

ROUTES: tuple[Route, ...] = (
    *status.ROUTES,
    *models.ROUTES,
    *chats.ROUTES,
    *search.ROUTES,
    *extras.ROUTES,
    *health.ROUTES,
)
