"""The HTTP API as an ASGI application."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from fastapi import FastAPI

from adapters.web import (
    alerts,
    availability,
    bookings,
    breaker_commands,
    breaker_events,
    companies,
    customers,
    fallback,
    health,
    history,
    keys,
    measures,
    metrics,
    resilience,
    services,
    sync_failures,
    webhooks,
)
from adapters.web.backend import backend_over
from adapters.web.correlation import CorrelationMiddleware
from adapters.web.openapi import describe
from adapters.web.ports import Backend
from adapters.web.refusals import handle_refusals

if TYPE_CHECKING:
    from adapters.bootstrap import Application

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(application: "Application") -> FastAPI:
    """Return the API of an application that is open; everybody may ask for as much as they like."""
    return create_api(backend_over(application))


def create_api(backend: Backend | None = None, *, lifespan: Lifespan | None = None) -> FastAPI:
    """
    Return the API in front of a backend, which may also be set by `lifespan` as `app.state.backend`.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url="/openapi.json", redirect_slashes=False, lifespan=lifespan)
    app.state.backend = backend
    parts = (
        bookings,
        availability,
        history,
        sync_failures,
        customers,
        services,
        companies,
        keys,
        resilience,
        measures,
        alerts,
        breaker_events,
        breaker_commands,
        fallback,
    )
    for part in (*parts, webhooks, health, metrics):
        # Flat, because an included router is one more to search on every request.
        app.router.routes.extend(part.router.routes)
    handle_refusals(app)
    describe(app)
    app.add_middleware(CorrelationMiddleware)
    return app
