"""
Which service needs which, and what cannot be.
"""

from __future__ import annotations

import pytest

from domain.dependencies import SERVICES, Dependencies

ALL = dict.fromkeys(SERVICES)


def test_what_needs_what_by_default() -> None:
    default = Dependencies()

    assert ("calcom", "retell") == default.of("appointments")
    assert () == default.of("calcom")
    assert {"calcom": ("calcom",), "retell": ("retell",)} == default.ways_from("appointments", among=ALL)


def test_the_shortest_way_is_told() -> None:
    chain = Dependencies({"appointments": ("webhooks", "retell"), "webhooks": ("database",), "database": ("redis",)})

    assert ("webhooks", "database", "redis") == chain.ways_from("appointments", among=ALL)["redis"]


def test_nothing_is_needed_by_way_of_what_is_not_there() -> None:
    chain = Dependencies({"appointments": ("retell",), "retell": ("calcom",)})

    assert {} == chain.ways_from("appointments", among={"appointments": None, "calcom": None})


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({"retell": ("calcm",)}, "retell: there is no service 'calcm'; there are calcom, retell"),
        ({"fax": ("calcom",)}, "fax: there is no service 'fax'"),
        ({"redis": ("redis",)}, "redis needs itself: redis → redis;"),
        (
            {"webhooks": ("database",), "database": ("redis",), "redis": ("webhooks",)},
            "database needs itself: database → redis → webhooks → database; leave one of these out",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_way(needs: dict[str, tuple[str, ...]], said: str) -> None:
    with pytest.raises(ValueError, match="^" + said.replace("?", r"\?")):
        Dependencies(needs)
