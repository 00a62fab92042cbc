"""
How everything stands, on paper: what is kept can be judged again, and comes out the same.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.breakers.documents import kept_document, read_concerns, read_conditions, states_document
from adapters.breakers.local import LocalBreakers
from adapters.breakers.registry import Registry
from adapters.cli.kept_standing import Remembered
from adapters.cli.standing import Known, tell_standing
from adapters.database.snapshots import KeptSnapshot
from adapters.settings import read_settings
from domain.breaker_words import Command
from domain.dependencies import SERVICES, Dependencies
from domain.verdict import Concern, assess
from tests.breakers.listening import Heard
from tests.unit.domain.test_verdict import CONCERNS, graphs

LATE = Concern(verdict="degraded", detail="due work is not being claimed")


@settings(max_examples=40)
@given(
    graph=graphs(),
    opened=st.sets(st.sampled_from(["calcom", "retell"])),
    probed=st.dictionaries(st.sampled_from(SERVICES), st.sampled_from([None, "HTTP 502"])),
    concerns=CONCERNS,
)
def test_what_was_kept_is_judged_as_it_was_then(
    graph: Dependencies, opened: set[str], probed: dict[str, str | None], concerns: list[Concern]
) -> None:
    async def main() -> None:
        registry = Registry(LocalBreakers({}, listener=Heard()), configured=("calcom", "retell"), dependencies=graph)
        for name in opened:
            await registry.control(name, Command(action="open", actor="ada", reason="they move house"))
        look = await registry.look(probed=probed, concerns=concerns)

        kept = orjson.loads(orjson.dumps(kept_document(look)))

        assert look.assessment == assess(read_conditions(kept), graph, concerns=read_concerns(kept))

    asyncio.run(main())


async def test_what_has_a_probe_and_no_breaker_is_not_called_unconfigured() -> None:
    registry = Registry(LocalBreakers({}, listener=Heard()))

    told = states_document(await registry.look(probed={"retell": "HTTP 502", "email": None}))

    assert {"retell": "unhealthy", "email": "healthy", "sms": "not_configured"}.items() <= told["statuses"].items()
    assert ("no_breaker", "no_breaker", "not_configured") == tuple(
        told["services"][name]["state"] for name in ("retell", "email", "sms")
    )


async def test_the_command_line_tells_what_was_found_beside_breakers(capsys: pytest.CaptureFixture[str]) -> None:
    registry = Registry(LocalBreakers({}, listener=Heard()))
    look = await registry.look(probed={"retell": "HTTP 502", "email": None}, concerns=[LATE])
    document = orjson.loads(orjson.dumps(kept_document(look)))
    kept = KeptSnapshot(at=datetime.now(UTC), verdict=look.assessment.verdict, document=document)

    tell_standing(Known(live=look.snapshots, database=Remembered(kept=kept)), read_settings())

    lines = capsys.readouterr().out.splitlines()
    assert {"retell\tno breaker", "email\tno breaker", "sms\tnot configured"} <= set(lines)
    assert any(one.startswith("verdict\tdegraded\tby the snapshot of ") for one in lines)
    assert {"calsaga\tdegraded\tdue work is not being claimed", "retell\tunhealthy\tHTTP 502"} <= set(lines)


async def test_the_command_line_knows_shared_breakers_better_than_what_was_kept() -> None:
    registry = Registry(LocalBreakers({}, listener=Heard()))
    look = await registry.look(probed={"calcom": "it is slow to wake", "retell": None})
    kept = KeptSnapshot(at=datetime.now(UTC), verdict="degraded", document=kept_document(look))
    opened = await registry.control("calcom", Command(action="open", actor="ada", reason="they move house"))

    found = Known(live={"calcom": opened}, database=Remembered(kept=kept)).assessed(read_settings())

    assert found is not None
    assert ["breaker_open", "probe_failed"] == [one.code for one in found.standings["calcom"].reasons]
    assert "affected" == found.standings["retell"].status


def test_a_snapshot_of_an_older_version_has_no_concerns() -> None:
    assert [] == read_concerns({})
