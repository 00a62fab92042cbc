"""
Whoever is cancelled while a command is sent to Redis ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from redis.asyncio.connection import AbstractConnection

from adapters.redis.connection import connect


async def test_a_cancellation_that_comes_while_a_command_is_sent_is_not_lost(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect(redis_url) as client:
        await client.ping()
        asking = asyncio.ensure_future(client.echo("of whoever was cancelled"))
        send = AbstractConnection._send_packed_command

        async def sent(connection: AbstractConnection, command: Iterable[bytes]) -> None:
            await send(connection, command)
            # At this moment Python 3.11's `wait_for` takes the result for more than the cancellation.
            asking.cancel()

        with monkeypatch.context() as patched:
            patched.setattr(AbstractConnection, "_send_packed_command", sent)
            with pytest.raises(asyncio.CancelledError):
                await asking

        assert b"of whoever comes next" == await client.echo("of whoever comes next")
