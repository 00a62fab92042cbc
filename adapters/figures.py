"""Figures that are set as JSON, of several things by their names: `{"calcom": {"open_seconds": 30}}`."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

import orjson

Figures: TypeAlias = Mapping[str, Any]


def checked(
    given: object, *, kind: str, known: Collection[str], check: Callable[[str, Figures], object], example: str
) -> Mapping[str, Figures]:
    """
    Return what is set, text being JSON; `kind` is what is `known` by these names, `check` takes one's name and figures.

    Raises:
        ValueError: it is no such JSON, there is no such name, or `check` has raised one. It says which figure of which.

    """
    figures_of = _read(given, example)
    for name, figures in figures_of.items():
        if name not in known:
            msg = f"there is no {kind} {name!r}; there are {', '.join(known)}"
            raise ValueError(msg)
        try:
            check(name, figures)
        except ValueError as error:
            msg = f"{name}.{error}"
            raise ValueError(msg) from error
    return figures_of


def _read(given: object, example: str) -> Mapping[str, Figures]:
    try:
        found = orjson.loads(given) if isinstance(given, str) else given
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, Mapping) or not all(isinstance(figures, Mapping) for figures in found.values()):
        msg = f"must be JSON such as {example}"
        raise ValueError(msg)
    return found
