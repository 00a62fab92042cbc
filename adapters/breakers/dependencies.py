"""
Which service needs which, as it is set: JSON, by the service, with what it needs; what is left out is as by default.

    CALSAGA_DEPENDENCIES='{"appointments": ["calcom", "database"], "retell": []}'
"""

from collections.abc import Mapping

import orjson

from domain.dependencies import DEFAULT_NEEDS, Dependencies

_FORM = 'must be JSON such as {"appointments": ["calcom", "database"]}'


def checked(given: object) -> Dependencies:
    """Return the whole graph, text being JSON, or raise ValueError with the service that is wrong, or a cycle's way."""
    if isinstance(given, Dependencies):
        return given
    try:
        found = orjson.loads(given) if isinstance(given, str) else given
    except orjson.JSONDecodeError:
        raise ValueError(_FORM) from None
    if not isinstance(found, Mapping):
        raise ValueError(_FORM)  # noqa: TRY004 - pydantic tells of a ValueError by the setting's name
    return Dependencies({**DEFAULT_NEEDS, **{service: _names(service, needed) for service, needed in found.items()}})


def _names(service: str, needed: object) -> tuple[str, ...]:
    if not isinstance(needed, list | tuple) or not all(isinstance(name, str) for name in needed):
        raise ValueError(f'{service}: must be a list of services, such as ["calcom"]')
    return tuple(dict.fromkeys(needed))
