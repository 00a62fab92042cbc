"""
What a command that fails says, and the code that it exits with.

Imports are late: to know an error's class its module must be loaded, and a command that
fails with it has loaded it already.
"""

import re
import sys
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

FOUND_WRONG = 1
MISUSED = 2
INTERRUPTED = 130
TERMINATED = 143


class Misused(Exception):
    """The command was given something that it cannot use; the message says what, and what instead."""


class Group(TyperGroup):
    """A group of commands, whose help says in whole sentences what each is for."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's own form
        """Write the list of commands."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, it.get_short_help_str(limit=200)) for name, it in commands if it is not None])


class Commands(Group):
    """A group of commands whose foreseeable failures end in one clear line on stderr."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own form
        """Run a command, and explain its failure if it is one that can be explained."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            explained = _explain(error)
            if explained is None:
                raise
            lines, code = explained
            for line in lines:
                typer.echo(f"calsaga: {line}", err=True)
            raise typer.Exit(code) from None


def complain(message: str) -> None:
    """Say on stderr what went wrong."""
    typer.echo(f"calsaga: {message}", err=True)


def note(message: str) -> None:
    """Say on stderr what goes on."""
    typer.echo(message, err=True)


Explanation = tuple[list[str], int]
_NEVER = re.compile(
    r"unable to open database file|file is not a database|FATAL:\s+(?:database|role) .* does not exist"
    r"|password authentication failed|is not permitted to log in"
)
"""What is said of a database that will not be there later either; psycopg has no SQLSTATE of a failed connection."""


def _explain(error: BaseException) -> Explanation | None:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Misused):
        return [str(error)], MISUSED
    explanations: tuple[tuple[str, str, Callable[[Any], Explanation | None]], ...] = (
        ("adapters.settings", "BadSettings", lambda bad: (list(bad.problems), MISUSED)),
        ("adapters.postgres.datastore", "DatabaseFunctionsEnabled", lambda bad: ([str(bad)], MISUSED)),
        ("migrations.errors", "SchemaError", lambda bad: ([str(bad)], MISUSED)),
        ("adapters.recording.errors", "UnknownTopic", _from_the_future),
        ("adapters.recording.errors", "UnreadableEvent", lambda bad: ([str(bad)], MISUSED)),
        ("adapters.directory.companies", "NoEncryptionKey", lambda bad: ([str(bad)], MISUSED)),
        ("adapters.database.companies", "SecretUnreadable", lambda bad: ([str(bad)], MISUSED)),
        ("adapters.demo.rehearsal", "Terminated", lambda _: ([], TERMINATED)),
        ("projections.errors", "UnknownProjection", lambda bad: ([str(bad)], MISUSED)),
        ("projections.errors", "ProjectionError", lambda bad: ([str(bad)], FOUND_WRONG)),
        ("domain.errors", "CustomerValidationError", _wrong_fields),
        ("domain.errors", "AppointmentDatabaseError", _unreachable),
        ("domain.errors", "AppointmentError", lambda bad: ([bad.message], FOUND_WRONG)),
        ("sqlalchemy.exc", "OperationalError", _unreachable),
        ("sqlalchemy.exc", "DatabaseError", _no_database),
        ("psycopg", "OperationalError", _unreachable),
        ("psycopg_pool", "PoolTimeout", _unreachable),
        ("sqlite3", "OperationalError", _unreachable),
        ("redis.exceptions", "RedisError", _no_redis),
    )
    for module, name, explain in explanations:
        loaded = sys.modules.get(module)
        if isinstance(error, getattr(loaded, name, ())):
            return explain(error)
    if isinstance(error, OSError):
        return [_of_the_system(error)], FOUND_WRONG
    return None


def _wrong_fields(error: Any) -> Explanation:  # noqa: ANN401 - any error with fields
    return [f"{one.field}: {one.message}" for one in error.errors], MISUSED


def _from_the_future(error: BaseException) -> Explanation:
    return [f"{error} A newer calsaga wrote it: install that one, or one that is newer still."], MISUSED


def _unreachable(error: BaseException) -> Explanation:
    from adapters.telemetry import scrubbed

    # The driver's words, without the statement and the address of an explanation that SQLAlchemy adds.
    said = str(getattr(error, "orig", None) or error).strip()
    reason = scrubbed(said.splitlines()[0]) if said else type(error).__name__
    code = MISUSED if _NEVER.search(said) else FOUND_WRONG
    return [f"{reason} (the database is that of CALSAGA_DATABASE_URL)"], code


def _no_database(error: BaseException) -> Explanation | None:
    # Of the errors that are no operational ones, only that of a file which is something else can be foreseen.
    explanation = _unreachable(error)
    return explanation if explanation[1] == MISUSED else None


def _no_redis(error: BaseException) -> Explanation:
    from adapters.telemetry import scrubbed

    return [f"{scrubbed(str(error))} (Redis is that of CALSAGA_REDIS_URL)"], FOUND_WRONG


def _of_the_system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
