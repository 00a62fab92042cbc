"""
The API as a server: one process or several, over one listening socket.

SIGTERM and SIGINT end it gently, all within `drain_seconds`: no new connections; a
quarter of the time for callers to hear the outcome, after which they are told where their
bookings stand; a cut after half of it; then the sagas that are still under way.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from math import ceil
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from adapters.bootstrap import Application, application
from adapters.collector import spare_what_stays
from adapters.settings import Settings
from adapters.telemetry import configure
from adapters.web.app import create_api
from adapters.web.backend import backend_over
from adapters.web.protocol import EdgeProtocol
from adapters.web.stopping import SIGNALS, call_when_stopping, stop, stop_without_parent

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
        for number in SIGNALS:
            signal.signal(number, _heard_already)
        _announce(listener)
        app = create_api(backend_over(opened, limited=True), lifespan=lambda _: _ready_to_stop(opened))
        await uvicorn.Server(_configured(app, settings, lifespan="on")).serve(sockets=[listener])


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
            app.state.backend = backend_over(opened, limited=True)
            async with _ready_to_stop(opened):
                stop_without_parent()
                yield

    return create_api(lifespan=lifespan)


@asynccontextmanager
async def _ready_to_stop(opened: Application) -> AsyncIterator[None]:
    """Listen beside uvicorn, which handles signals from before it enters the lifespan until after it has left it."""
    loop = asyncio.get_running_loop()
    patience = opened.settings.drain_seconds / 2
    call_when_stopping(lambda: loop.call_later(patience, opened.orchestrator.end_patience))
    # Where there is a supervisor, it starts another process in place of one that ends.
    watching = asyncio.create_task(_stop_once(opened.ending))
    spare_what_stays()
    yield
    watching.cancel()


async def _stop_once(ending: asyncio.Event) -> None:
    await ending.wait()
    stop()


def _configured(app: Any, settings: Settings, **options: Any) -> uvicorn.Config:  # noqa: ANN401 - uvicorn's own form
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=EdgeProtocol,
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
    # Half of the time is the callers', the other half that of the sagas whose callers have been told.
    return settings.model_copy(update={"drain_seconds": max(settings.drain_seconds / 2, 1.0)})


async def _try_out(settings: Settings) -> None:
    async with application(settings, background=False):
        pass


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    # The line that whoever starts a server waits for.
    sys.stderr.write(f"calsaga serves http://{shown}:{port}\n")
    sys.stderr.flush()


def _heard_already(_number: int, _frame: FrameType | None) -> None:
    pass
