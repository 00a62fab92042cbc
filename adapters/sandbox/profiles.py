"""
The profiles of faults that have a name, and the loading of one by name or file.
"""

from dataclasses import replace
from pathlib import Path

import orjson

from adapters.sandbox.errors import Shape
from adapters.sandbox.faults import Fault, Kind, Moment, Profile

_EVERY_KNOB = (
    Fault(kind=Kind.LATE_COMMIT, seconds=1.5),
    Fault(kind=Kind.LATE_COMMIT_TIMEOUT, seconds=1.5),
    Fault(kind=Kind.ERROR_BEFORE_COMMIT),
    Fault(kind=Kind.ERROR_AFTER_COMMIT, shape=Shape.PRISMA),
    Fault(kind=Kind.ERROR_AFTER_COMMIT, shape=Shape.INNER),
    Fault(kind=Kind.DROP_BEFORE_COMMIT),
    Fault(kind=Kind.DROP_AFTER_COMMIT),
    Fault(kind=Kind.DELAY, seconds=0.5, moment=Moment.BEFORE),
    Fault(kind=Kind.DELAY, seconds=0.5, moment=Moment.AFTER),
    Fault(kind=Kind.HTML_502, commit=False),
    Fault(kind=Kind.HTML_502, commit=True),
    Fault(kind=Kind.RATE_LIMITED),
    Fault(kind=Kind.UNREADABLE_2XX),
    Fault(kind=Kind.UNAUTHORIZED),
    Fault(kind=Kind.LIST_LAG, seconds=2.0),
    Fault(kind=Kind.RACE),
    Fault(kind=Kind.WEBHOOK_DROP),
    Fault(kind=Kind.WEBHOOK_TWICE, seconds=0.5),
    Fault(kind=Kind.WEBHOOK_DELAY, seconds=2.0),
    Fault(kind=Kind.WEBHOOK_AFTER_RESPONSE),
    Fault(kind=Kind.WEBHOOK_WRONG_TRIGGER),
    Fault(kind=Kind.WEBHOOK_BAD_SIGNATURE),
    Fault(kind=Kind.WEBHOOK_UNSIGNED),
)
_USUAL = {
    Kind.LATE_COMMIT: 0.01,
    Kind.LATE_COMMIT_TIMEOUT: 0.002,
    Kind.DELAY: 0.02,
    Kind.LIST_LAG: 0.05,
    Kind.UNAUTHORIZED: 0.001,
}
_NAMED = {
    "none": Profile(),
    "default": Profile(
        seed=1, faults=tuple(replace(fault, probability=_USUAL.get(fault.kind, 0.01)) for fault in _EVERY_KNOB)
    ),
    "storm": Profile(seed=1, faults=tuple(replace(fault, probability=0.1) for fault in _EVERY_KNOB)),
}


def load_profile(name_or_file: str) -> Profile:
    """
    Return the profile ``none``, ``default`` or ``storm``, or the one in a JSON file.

    Raises:
        ValueError: there is no such name or file, or its content is not a profile.
    """
    if name_or_file in _NAMED:
        return _NAMED[name_or_file]
    file = Path(name_or_file)
    if not file.is_file():
        message = f"{name_or_file} is neither a file nor one of {', '.join(_NAMED)}"
        raise ValueError(message)
    return Profile.from_json(orjson.loads(file.read_bytes()))
