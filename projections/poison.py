"""
Telling an event that cannot be applied from a database that is in trouble.
"""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

LONGEST_ERROR = 500


def is_poison(problem: Exception) -> bool:
    """
    Tell whether the event is to blame.

    A refused value, or an error of the projection's own code, would come again for
    ever. A lost connection, a deadlock or a missing table would stop every event alike.
    """
    if isinstance(problem, DataError | IntegrityError):
        return True
    if isinstance(problem, StatementError) and not isinstance(problem, DBAPIError):
        return True
    return not isinstance(problem, SQLAlchemyError | MemoryError | OSError)


def said_of(problem: Exception) -> str:
    """Return the problem in a line, without the values that SQLAlchemy would print beside it."""
    cause = problem.orig if isinstance(problem, StatementError) and problem.orig is not None else problem
    said = " ".join(str(cause).split())
    return f"{type(cause).__name__}: {said}"[:LONGEST_ERROR]
