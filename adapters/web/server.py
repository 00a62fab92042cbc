"""
The API as a server: one process or several, over one listening socket.

SIGTERM and SIGINT end it gently: no new connections, then the requests under way, then
the sagas that they have started, all within `drain_seconds`.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from math import ceil
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from adapters.bootstrap import application
from adapters.collector import spare_what_stays
from adapters.settings import Settings
from adapters.telemetry import configure
from adapters.web.app import create_api, create_app
from adapters.web.backend import backend_over
from adapters.web.rate_limit import RateLimit

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
START_SECONDS = 60
"""How long a process may take to answer its supervisor; on a busy machine the imports alone take many seconds."""


def serve(settings: Settings, *, host: str, port: int, workers: int, background: bool) -> None:
    """
    Serve the API until SIGTERM or SIGINT; `background` says whether due work is finished here, too.

    Raises:
        OSError: the address cannot be listened at.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=BACKLOG) as listener:
        if workers == 1:
            uvloop.run(_serve(settings, listener, background=background))
        else:
            _serve_in_processes(settings, listener, workers=workers, background=background)


async def _serve(settings: Settings, listener: socket.socket, *, background: bool) -> None:
    async with application(_with_time_for_sagas(settings), background=background) as opened:
        # uvicorn raises the signal again once it has stopped, which must not end the process before its sagas.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _heard_already)
        _announce(listener)
        config = _configured(create_app(opened, rate_limit=_rate_limit(settings)), settings, lifespan="off")
        server = uvicorn.Server(config)
        spare_what_stays()
        watching = asyncio.create_task(_once(opened.ending, lambda: setattr(server, "should_exit", True)))
        await server.serve(sockets=[listener])
        watching.cancel()


def _serve_in_processes(settings: Settings, listener: socket.socket, *, workers: int, background: bool) -> None:
    # Opened once here, so that what is wrong is said once, and not by each process for ever.
    uvloop.run(_try_out(settings))
    _announce(listener)
    app = partial(_app_of_child, settings, background=background)
    config = _configured(app, settings, factory=True, lifespan="on", workers=workers)
    Multiprocess(config, sockets=[listener]).run()


def _app_of_child(settings: Settings, *, background: bool) -> FastAPI:
    configure(form=settings.log_format, level=settings.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with application(_with_time_for_sagas(settings), background=background) as opened:
            app.state.backend = backend_over(opened)
            # The supervisor starts another process in place of one that ends.
            watching = asyncio.create_task(_once(opened.ending, lambda: signal.raise_signal(signal.SIGTERM)))
            spare_what_stays()
            yield
            watching.cancel()

    return create_api(rate_limit=_rate_limit(settings), lifespan=lifespan)


async def _once(ending: asyncio.Event, stop: Callable[[], None]) -> None:
    await ending.wait()
    stop()


def _configured(app: Any, settings: Settings, **options: Any) -> uvicorn.Config:  # noqa: ANN401 - uvicorn's own form
    return uvicorn.Config(
        app,
        loop="uvloop",
        ws="none",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_worker_healthcheck=START_SECONDS,
        timeout_graceful_shutdown=ceil(settings.drain_seconds / 2),
        **options,
    )


def _with_time_for_sagas(settings: Settings) -> Settings:
    # Half of the time is the callers', the other half that of the sagas whose callers are gone.
    return settings.model_copy(update={"drain_seconds": max(settings.drain_seconds / 2, 1.0)})


def _rate_limit(settings: Settings) -> RateLimit:
    return RateLimit(per_second=settings.api_rate_per_second, burst=settings.api_rate_burst)


async def _try_out(settings: Settings) -> None:
    async with application(settings, background=False):
        pass


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    print(f"calsaga serves http://{shown}:{port}", file=sys.stderr, flush=True)  # noqa: T201 - the line that starters wait for


def _heard_already(_number: int, _frame: FrameType | None) -> None:
    pass
