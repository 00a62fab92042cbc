"""
Whoever guesses keys costs the database little, and learns nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import pytest

from adapters.database.api_keys import PREFIX, REMEMBERED_SECONDS, ApiKey, ApiKeys
from adapters.database.expiring import LIMIT
from adapters.directory.keys import KeyDirectory
from domain.errors import CustomerValidationError

GOOD = PREFIX + "g" * 43
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class CountingKeys:
    """
    Knows one key, and counts how often it is asked.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def find(self, text: str, *, remembered: bool = False) -> ApiKey | None:
        self.asked.append(text)
        if text != GOOD:
            return None
        return ApiKey(
            key_id=uuid4(),
            company_id="acme",
            scopes=frozenset(),
            last_characters=text[-4:],
            created_at=NOW,
            revoked_at=None,
        )


@pytest.fixture
def stored() -> CountingKeys:
    return CountingKeys()


@pytest.fixture
def directory(stored: CountingKeys) -> KeyDirectory:
    return KeyDirectory(cast("ApiKeys", stored))


def guess(number: int) -> str:
    return PREFIX + f"{number:043}"


@pytest.mark.parametrize(
    "text",
    ["", "csk_", "x" * 47, PREFIX + "g" * 42, PREFIX + "g" * 44, PREFIX + "g" * 42 + "!", GOOD + "\n", "csk_\ud800"],
)
async def test_what_no_key_looks_like_is_not_looked_up(
    text: str, directory: KeyDirectory, stored: CountingKeys
) -> None:
    assert await directory.identify(text) is None
    assert [] == stored.asked


async def test_a_key_is_found(directory: KeyDirectory) -> None:
    caller = await directory.identify(GOOD)

    assert caller is not None
    assert "acme" == caller.company_id


async def test_the_same_guess_is_looked_up_once_a_second(
    directory: KeyDirectory, stored: CountingKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("adapters.database.expiring.time.monotonic", lambda: now)
    for _ in range(5):
        assert await directory.identify(guess(1)) is None
    at_first = len(stored.asked)
    now += REMEMBERED_SECONDS
    await directory.identify(guess(1))

    assert (1, 2) == (at_first, len(stored.asked))


async def test_what_was_guessed_fills_no_memory(directory: KeyDirectory) -> None:
    for number in range(LIMIT + 10):
        await directory.identify(guess(number))

    assert LIMIT >= len(directory._missed._known)


@pytest.mark.parametrize("company_id", ["", "a b\n\t;", "x" * 101])
async def test_a_key_of_an_impossible_company_is_not_made(company_id: str, directory: KeyDirectory) -> None:
    with pytest.raises(CustomerValidationError) as refused:
        await directory.create(company_id=company_id, scopes=())

    assert refused.value.has_field_error("company_id")
