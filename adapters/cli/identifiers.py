"""Ids that are given on the command line."""

import typer

from domain.text import identifier_problem


def company_id(value: str | None) -> str | None:
    """
    Return a company's id as it was given.

    Raises:
        typer.BadParameter: it cannot be one.

    """
    problem = None if value is None else identifier_problem(value)
    if problem is not None:
        raise typer.BadParameter(problem)
    return value
