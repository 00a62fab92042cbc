"""
The sandbox as a server of its own.
"""

import logging
import os
import socket
import sys
from types import FrameType

import orjson
import uvicorn

from adapters.sandbox.app import create_app
from adapters.sandbox.connection import DroppableProtocol
from adapters.sandbox.faults import Profile
from adapters.sandbox.state import Sandbox, SandboxConfig

__all__ = ["SandboxConfig", "create_app", "run"]


def run(*, host: str, port: int, faults: Profile, rate_limit: int, ready_fd: int | None = None) -> None:
    """
    Serve a sandbox until SIGTERM or SIGINT, which end it at once.

    Once it listens, it writes one line of JSON with its address to stdout, and to ``ready_fd`` if there is one. With
    port 0 the system chooses the port.
    """
    with socket.create_server((host, port), backlog=2048) as listener:
        url = f"http://{host}:{listener.getsockname()[1]}"
        app = create_app(SandboxConfig(faults=faults, rate_limit=rate_limit))
        config = uvicorn.Config(
            app,
            http=DroppableProtocol,
            loop="uvloop",
            lifespan="off",
            ws="none",
            proxy_headers=False,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
        )
        _Server(config, sandbox=app.state.sandbox, url=url, ready_fd=ready_fd).run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, sandbox: Sandbox, url: str, ready_fd: int | None) -> None:
        super().__init__(config)
        self._sandbox = sandbox
        self._ready = orjson.dumps({"url": url}) + b"\n"
        self._ready_fd = ready_fd

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.buffer.write(self._ready)
        sys.stdout.flush()
        if self._ready_fd is not None:
            os.write(self._ready_fd, self._ready)
            os.close(self._ready_fd)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Not uvicorn's way, which waits for open connections; a sandbox has nothing to lose. What is still asleep is
        # cancelled, which is no error worth a line.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self._sandbox.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the form of a signal handler
        self.should_exit = self.force_exit = True
