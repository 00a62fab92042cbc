"""The API over what the demo has left, until somebody has seen enough."""

import asyncio
import signal
import socket
import sys
from types import FrameType

import uvicorn

from adapters.bootstrap import Application
from adapters.demo.day import COMPANY
from adapters.directory.scopes import Scope
from adapters.web.app import create_app

HOST, PORT = "127.0.0.1", 8000


def listen() -> socket.socket:
    """Return a socket at the usual port, or at one that the system chooses if that is taken."""
    try:
        return socket.create_server((HOST, PORT))
    except OSError:
        return socket.create_server((HOST, 0))


async def serve(app: Application) -> None:
    """Serve the API with a new key, which is printed on stderr, until SIGINT or SIGTERM."""
    # The list is to show at once what the demo has just told of.
    await app.followers.catch_up()
    _, key = await app.directory.keys.create(company_id=COMPANY, scopes=list(Scope))
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    # uvicorn raises the signal again once it has stopped, which must not end the demo before its processes.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _heard_already)
    with listen() as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        sys.stderr.write(f"serving {url} until Ctrl-C; try:\n")
        sys.stderr.write(f"curl -H 'Authorization: Bearer {key}' {url}/api/bookings\n")
        sys.stderr.flush()
        config = uvicorn.Config(create_app(app), log_config=None, access_log=False, lifespan="off")
        await uvicorn.Server(config).serve(sockets=[listener])


def _heard_already(_number: int, _frame: FrameType | None) -> None:
    """Do nothing more."""
