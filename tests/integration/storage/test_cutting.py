"""
All connections of a store are cut at once, whatever they are used for at that moment.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from adapters.database.engine import open_engine
from adapters.database.unanswered import Connections
from tests.integration.system.installation import eventually

ASLEEP = "SELECT pg_sleep(300)"
SLEEPERS = "SELECT count(*) FROM pg_stat_activity WHERE query = %s AND datname = current_database()"
CUT = "the connection was cut: its store is being closed"


async def test_who_waits_for_an_answer_gets_none_and_who_asks_later_is_refused(postgres_url: str) -> None:
    connections = Connections()
    engine = open_engine(postgres_url, connections=connections)
    limited = connections.limited(300)
    idle = limited.connect(postgres_url, autocommit=True)

    def fall_asleep() -> None:
        with limited.connect(postgres_url) as connection:
            connection.execute(ASLEEP)

    def fall_asleep_in_the_pool() -> None:
        with engine.connect() as connection:
            connection.execute(text(ASLEEP))

    async def both_sleep() -> bool:
        return idle.execute(SLEEPERS, [ASLEEP]).fetchone() == (2,)

    with ThreadPoolExecutor() as threads:
        sleepers = [threads.submit(fall_asleep), threads.submit(fall_asleep_in_the_pool)]
        try:
            await eventually(both_sleep, "both wait for an answer")
        finally:
            connections.cut()
        for one in sleepers:
            # Well before they would wake up by themselves.
            with pytest.raises((psycopg.OperationalError, OperationalError)):
                one.result(timeout=60)

    with pytest.raises(psycopg.OperationalError, match=CUT):
        idle.execute("SELECT 1")
    assert idle.closed
    with pytest.raises(psycopg.OperationalError, match=CUT):
        limited.connect(postgres_url)
    with pytest.raises(OperationalError, match=CUT):
        engine.connect()
    engine.dispose()


def test_others_are_left_alone(postgres_url: str) -> None:
    connections, others = Connections(), Connections()
    with others.limited(60).connect(postgres_url) as theirs:
        connections.limited(60).connect(postgres_url).close()
        connections.cut()

        assert (1,) == theirs.execute("SELECT 1").fetchone()
