"""
Settings as the environment of a process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import SecretStr

from adapters.settings import Settings


def environment(settings: Settings) -> Mapping[str, str]:
    """
    Return the variables under which a process has these settings.
    """
    return {
        f"CALSAGA_{name.upper()}": _text(value)
        for name, value in settings.model_dump(exclude_unset=True).items()
        if value is not None
    }


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return json.dumps(value)
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
