"""
A process that may die between any two things it does, and the database that nobody dead can write to.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fakes.time import FakeClock

UNCOUNTED = frozenset({"claim.before"})
"""A worker that has nothing to do comes by here every second."""


class Death(BaseException):
    """
    The process is gone. Nothing of calsaga's catches it, as nothing catches a kill.
    """


class Mortal:
    """
    One process of calsaga's; from its death on, nothing that it does has an effect.
    """

    def __init__(self) -> None:
        self.is_dead = False
        self.died = asyncio.Event()
        self.died_at = ""
        self._points_left: int | None = None

    @property
    def is_doomed(self) -> bool:
        return self._points_left is not None

    def doom(self, points: int | None) -> None:
        """
        Let it die when so many points have been reached, or live on.
        """
        self._points_left = points

    def probe(self, point: str) -> None:
        """
        Reach a point between two steps.

        Raises:
            Death: it was the last one.
        """
        self.must_live()
        if self._points_left is None or point in UNCOUNTED:
            return
        self._points_left -= 1
        if self._points_left <= 0:
            self.die(point)
            raise Death

    def die(self, where: str) -> None:
        self.is_dead, self.died_at = True, where
        self.died.set()

    def must_live(self) -> None:
        """
        Go on.

        Raises:
            Death: not after it has died.
        """
        if self.is_dead:
            raise Death


@contextmanager
def database_of(alive: Callable[[], Mortal], clock: FakeClock) -> Iterator[None]:
    """
    Let whoever opens a SQLite file be the process that lives just now, and the file tell the clock's time.
    """
    connect = sqlite3.connect
    calculator = connect(":memory:")

    def strftime(form: str, moment: str, *modifiers: str) -> Any:  # noqa: ANN401 - SQLite's
        now = clock.now().strftime("%Y-%m-%d %H:%M:%S.%f") if moment == "now" else moment
        places = ", ".join("?" * (2 + len(modifiers)))
        return calculator.execute(f"SELECT strftime({places})", (form, now, *modifiers)).fetchone()[0]

    def connect_mortal(*args: Any, **given: Any) -> sqlite3.Connection:  # noqa: ANN401 - sqlite3's
        owner = alive()
        owner.must_live()
        connection = connect(*args, **given, factory=_Connection)
        connection.create_function("strftime", -1, strftime)
        connection.owner = owner
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect_mortal)
        patch.setattr(sqlite3.dbapi2, "connect", connect_mortal)
        yield
    calculator.close()


class _Connection(sqlite3.Connection):
    owner: Mortal | None = None

    def cursor(self, *args: Any, **given: Any) -> Any:  # noqa: ANN401 - its parent's
        self._ask_owner()
        return super().cursor(*args, **given)

    def execute(self, *args: Any) -> sqlite3.Cursor:  # noqa: ANN401 - its parent's
        # A transaction that is under way at a death comes to nothing, which takes a statement.
        if args[0] != "ROLLBACK":
            self._ask_owner()
        return super().execute(*args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:  # noqa: ANN401 - its parent's
        self._ask_owner()
        return super().executemany(*args)

    def commit(self) -> None:
        self._ask_owner()
        super().commit()

    def _ask_owner(self) -> None:
        if self.owner is not None:
            self.owner.must_live()
