"""The table of routes: one row and one function each, gathered from the files here."""

from transport.http import Route
from transport.routes import chats, health, models, status

ROUTES: tuple[Route, ...] = (*status.ROUTES, *models.ROUTES, *chats.ROUTES, *health.ROUTES)
