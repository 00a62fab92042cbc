"""
An application behind a real socket, so that Cal.com's webhooks find it.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx
import orjson
import sqlalchemy as sa
import uvicorn

from adapters.bootstrap import Application
from adapters.database.tables import appointments
from adapters.directory.scopes import Scope
from adapters.web.app import create_app
from domain.webhook import Webhook, WebhookEvent, fold_webhook
from sagas.appending import Recorded
from tests.integration.system.account import Account
from tests.integration.system.installation import Installation, eventually, quiet

SECRET = "whsec_test"
HOOK = "/api/webhooks/calcom/default"
HEADER = "X-Cal-Signature-256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """
    The application, and somebody who talks to it over HTTP with a key that may do everything.
    """

    app: Application
    http: httpx.AsyncClient
    url: str

    async def told(self, document: object, *, secret: str = SECRET) -> httpx.Response:
        """
        Send a webhook as Cal.com would.
        """
        body = orjson.dumps(document)
        return await self.http.post(HOOK, content=body, headers={HEADER: signature(body, secret)})

    async def settles(self, account: Account) -> None:
        """
        Return once Cal.com has told everything, and nothing is due any more.
        """

        async def nothing_to_come() -> bool:
            return account.webhooks()["to_come"] == 0

        await eventually(nothing_to_come, "Cal.com has told everything")
        await quiet(self.app)

    async def webhooks(self) -> list[Webhook]:
        """
        Return every webhook that was taken in, in the order in which they came.
        """
        streams: dict[Any, list[WebhookEvent]] = {}
        for recorded in await self.app.store.log.read_all(after=0, limit=10_000):
            assert isinstance(recorded, Recorded)
            if isinstance(recorded.event, WebhookEvent):
                streams.setdefault(recorded.stream_id, []).append(recorded.event)
        return [fold_webhook(Webhook(webhook_id=it), events) for it, events in streams.items()]

    async def outcomes(self) -> list[str]:
        return [one.processed.outcome if one.processed else "unprocessed" for one in await self.webhooks()]

    def rows(self) -> Sequence[sa.Row[Any]]:
        """
        Return all appointments, by their start.
        """
        with self.app.store.engine.connect() as connection:
            return connection.execute(sa.select(appointments).order_by(appointments.c.starts_at)).all()


@asynccontextmanager
async def served(here: Installation, *, background: bool = True) -> AsyncIterator[Served]:
    """
    Open an installation, and serve it for as long as the block lasts.
    """
    async with here.opened(background=background) as app:
        _, key = await app.directory.keys.create(company_id="default", scopes=list(Scope))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            config = uvicorn.Config(create_app(app), log_config=None, access_log=False, lifespan="off", ws="none")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            headers = {"Authorization": f"Bearer {key}"}
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
                yield Served(app=app, http=http, url=url)
            server.should_exit = True
            await serving


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, sha256).hexdigest()
