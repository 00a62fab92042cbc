"""
What a request about webhooks must look like.

Cal.com's global pipe reads these, not the strict one of bookings: unknown properties are dropped without a word, and
what is wrong is told in the details.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.sandbox import errors
from adapters.sandbox.webhooks import KNOWN_TRIGGERS

_VERSION = "2021-10-20"
_MOST = 250
_FIELDS = {
    "subscriberUrl": "subscriber_url",
    "triggers": "triggers",
    "active": "active",
    "secret": "secret",
    "payloadTemplate": "payload_template",
}
_REQUIRED = ("active", "subscriberUrl", "triggers")
_CONSTRAINTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "active": (lambda value: isinstance(value, bool), "active must be a boolean value"),
    "subscriberUrl": (lambda value: isinstance(value, str), "subscriberUrl must be a string"),
    "triggers": (
        lambda value: isinstance(value, list) and all(trigger in KNOWN_TRIGGERS for trigger in value),
        f"each value in triggers must be one of the following values: {', '.join(KNOWN_TRIGGERS)}",
    ),
    "secret": (lambda value: value is None or isinstance(value, str), "secret must be a string"),
    "payloadTemplate": (lambda value: value is None or isinstance(value, str), "payloadTemplate must be a string"),
    "version": (
        lambda value: value is None or value == _VERSION,
        f"version must be one of the following values: {_VERSION}",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """
    Which part of a list is asked for.
    """

    take: int
    skip: int


def read_new(body: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the fields of a new webhook.

    Raises:
        Refusal: 400.
    """
    return _read({**dict.fromkeys(_REQUIRED), **body})


def read_change(body: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the fields that a change of a webhook names.

    Raises:
        Refusal: 400.
    """
    return _read(body)


def read_page(params: Mapping[str, str]) -> Page:
    """
    Read the query string of a list of webhooks.

    Raises:
        Refusal: 400.
    """
    wrong = {}
    take, skip = params.get("take", str(_MOST)), params.get("skip", "0")
    if not take.isdecimal() or not 1 <= int(take) <= _MOST:
        wrong["take"] = f"take must be a number from 1 to {_MOST}"
    if not skip.isdecimal():
        wrong["skip"] = "skip must not be less than 0"
    if wrong:
        raise errors.violated(wrong)
    return Page(take=int(take), skip=int(skip))


def _read(body: Mapping[str, Any]) -> dict[str, Any]:
    wrong = {name: text for name, (fits, text) in _CONSTRAINTS.items() if name in body and not fits(body[name])}
    if wrong:
        raise errors.violated(wrong)
    fields = {ours: body[name] for name, ours in _FIELDS.items() if name in body}
    if "triggers" in fields:
        fields["triggers"] = tuple(fields["triggers"])
    return fields
