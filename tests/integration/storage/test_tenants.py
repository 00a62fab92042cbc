from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from adapters.database.api_keys import ApiKeys
from adapters.database.companies import Companies, CompanyRecord, SecretUnreadable, cipher
from adapters.database.services import DatabaseServices
from adapters.directory.companies import CompanyDirectory, NoEncryptionKey
from adapters.log.store import Store, open_store
from domain.breaker_words import Refusal
from domain.errors import AppointmentDatabaseError, UnknownService
from domain.offer import Offer
from domain.opening_hours import parse_opening_hours
from sagas.appending import InsertAppointment
from sagas.ports import Services
from tests.fakes.time import FakeClock
from tests.integration.storage.appends import COMPANY, SERVICE, finish, initiated, rows, start, withdraw

OFFER = Offer(service=SERVICE)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """
    The store of a database of either kind, without any rows.
    """
    async with open_store(database_url) as store:
        yield store


def port(services: DatabaseServices) -> Services:
    return services


def services(store: Store) -> DatabaseServices:
    return DatabaseServices(engine=store.engine, readers=store.readers, clock=store.clock)


def companies(store: Store, *keys: str) -> Companies:
    return Companies(engine=store.engine, readers=store.readers, clock=store.clock, secrets=cipher(keys))


def api_keys(store: Store) -> ApiKeys:
    return ApiKeys(engine=store.engine, readers=store.readers, clock=store.clock)


async def test_a_service_is_found_as_it_was_defined(store: Store) -> None:
    full = replace(
        SERVICE,
        staff_id="grace",
        staff_group="doctors",
        time_zone="Europe/Berlin",
        notice_minutes=60,
        sends_length=True,
    )
    surgery = Offer(
        service=replace(full, service_id="surgery"),
        opening_hours=parse_opening_hours({"mon": [["09:00", "12:30"], ["14:00", "24:00"]], "sun": []}),
    )
    await services(store).put(OFFER)
    await services(store).put(surgery)

    assert OFFER == await services(store).find(company_id=COMPANY, service_id="checkup")
    assert [OFFER, surgery] == await services(store).list(company_id=COMPANY)
    await services(store).put(replace(surgery, opening_hours=None))
    assert (await services(store).find(company_id=COMPANY, service_id="surgery")).opening_hours is None
    assert [] == await services(store).list(company_id="elsewhere")


async def test_an_unknown_service_is_named(store: Store) -> None:
    await services(store).put(OFFER)

    for company_id, service_id in ((COMPANY, "surgery"), ("elsewhere", "checkup")):
        with pytest.raises(UnknownService):
            await services(store).find(company_id=company_id, service_id=service_id)


async def test_a_changed_service_is_seen_at_once_where_it_was_changed(store: Store) -> None:
    here, elsewhere = services(store), services(store)
    await here.put(OFFER)
    await here.find(company_id=COMPANY, service_id="checkup")
    await elsewhere.find(company_id=COMPANY, service_id="checkup")

    await here.put(Offer(service=replace(SERVICE, name="Inspection")))

    assert "Inspection" == (await here.find(company_id=COMPANY, service_id="checkup")).service.name
    assert "Check-up" == (await elsewhere.find(company_id=COMPANY, service_id="checkup")).service.name


async def test_the_secrets_of_a_company_are_encrypted(store: Store, database_url: str) -> None:
    ours = companies(store, Fernet.generate_key().decode())
    await ours.set("practice", calcom_key="cal_live_1", webhook_secrets=["old", "new"])

    assert "cal_live_1" == await ours.calcom_key("practice")
    assert ("old", "new") == await ours.webhook_secrets("practice")
    stored = str(rows(database_url, "SELECT * FROM companies"))
    assert "cal_live_1" not in stored
    assert "old" not in stored


async def test_what_is_not_given_stays_as_it_is(store: Store) -> None:
    ours = companies(store, Fernet.generate_key().decode())
    await ours.set("practice", calcom_key="cal_live_1")
    await ours.set("practice", webhook_secrets=["new"])
    await ours.set("another")

    assert [
        CompanyRecord(company_id="another", has_calcom_key=False, has_webhook_secret=False),
        CompanyRecord(company_id="practice", has_calcom_key=True, has_webhook_secret=True),
    ] == await companies(store, Fernet.generate_key().decode()).list()
    assert ("cal_live_1", ("new",)) == (await ours.calcom_key("practice"), await ours.webhook_secrets("practice"))
    assert (None, (), None) == (
        await ours.calcom_key("third"),
        await ours.webhook_secrets("third"),
        await ours.find("third"),
    )


async def test_secrets_are_read_with_an_old_key_beside_the_new_one(store: Store) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    await companies(store, old).set("practice", calcom_key="cal_live_1")

    assert "cal_live_1" == await companies(store, new, old).calcom_key("practice")
    with pytest.raises(SecretUnreadable, match="practice"):
        await companies(store, new).calcom_key("practice")


async def test_one_secret_that_cannot_be_read_spoils_no_other(store: Store) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    await companies(store, old).set("practice", webhook_secrets=["lost"])
    stored = companies(store, new)
    directory = CompanyDirectory(stored=stored, default_company="default", default_calcom_key=None)

    put = await directory.put("practice", calcom_key="cal_live_1", webhook_secrets=None)

    assert CompanyRecord(company_id="practice", has_calcom_key=True, has_webhook_secret=True) == put
    assert "cal_live_1" == await directory.calcom_key("practice")
    with pytest.raises(SecretUnreadable, match="practice"):
        await stored.webhook_secrets("practice")


async def test_a_key_that_cannot_be_read_is_never_replaced_by_another(store: Store) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    await companies(store, old).set("practice", calcom_key="cal_live_1")
    keyless = Companies(engine=store.engine, readers=store.readers, clock=store.clock, secrets=None)

    for stored in (keyless, companies(store, new)):
        directory = CompanyDirectory(stored=stored, default_company="practice", default_calcom_key="cal_other_account")
        with capture_logs() as lines:
            assert await directory.calcom_key("practice") is None
            assert await directory.calcom_key("practice") is None

        (line,) = lines
        assert ("critical", "practice") == (line["log_level"], line["company_id"])
    directory = CompanyDirectory(
        stored=companies(store, old), default_company="practice", default_calcom_key="cal_other_account"
    )
    assert "cal_live_1" == await directory.calcom_key("practice")


async def test_the_key_of_the_environment_is_the_default_companys(store: Store) -> None:
    stored = Companies(engine=store.engine, readers=store.readers, clock=store.clock, secrets=None)
    directory = CompanyDirectory(stored=stored, default_company="practice", default_calcom_key="cal_environment")

    assert "cal_environment" == await directory.calcom_key("practice")
    assert await directory.calcom_key("another") is None
    with pytest.raises(NoEncryptionKey):
        await directory.put("practice", calcom_key="cal_live_1", webhook_secrets=None)


async def test_a_key_is_found_by_its_text_alone(store: Store, database_url: str) -> None:
    keys = api_keys(store)
    key, text = await keys.create(company_id=COMPANY, scopes=["bookings:write", "bookings:read"])

    assert text.startswith("csk_")
    assert len(text) >= len("csk_") + 43
    assert key == await api_keys(store).find(text)
    assert frozenset({"bookings:write", "bookings:read"}) == key.scopes
    for other in (text[:-1], text.upper(), "", "\ud800"):
        assert await keys.find(other) is None
    assert text not in str(rows(database_url, "SELECT * FROM api_keys"))
    assert text.endswith(key.last_characters)


async def test_a_revoked_key_is_useless_at_once_here_and_within_a_second_elsewhere(store: Store) -> None:
    keys, elsewhere = api_keys(store), api_keys(store)
    key, text = await keys.create(company_id=COMPANY, scopes=[])
    await elsewhere.find(text)

    assert await keys.revoke(key.key_id)
    assert not await keys.revoke(key.key_id)
    assert not await keys.revoke(uuid4())

    assert await keys.find(text) is None
    await asyncio.sleep(1.05)
    assert await elsewhere.find(text) is None


async def test_a_key_in_use_is_read_once_and_revocations_once_a_second(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = api_keys(store)
    texts = [(await keys.create(company_id=COMPANY, scopes=[]))[1] for _ in range(3)]
    reads: Counter[str] = Counter()

    def counted(name: str, real: Callable[[object], object]) -> Callable[[object], object]:
        def read(asked: object) -> object:
            reads[name] += 1
            return real(asked)

        return read

    for name in ("_find", "_revoked"):
        monkeypatch.setattr(keys, name, counted(name, getattr(keys, name)))
    for _ in range(5):
        await asyncio.gather(*(keys.find(text) for text in texts))

    assert {"_find": 3, "_revoked": 1} == reads


async def test_a_key_that_is_known_lets_its_holder_watch_an_outage_for_an_hour(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.database.api_keys.REMEMBERED_SECONDS", 0)
    clock = FakeClock()
    keys = ApiKeys(engine=store.engine, readers=store.readers, clock=clock)
    key, text = await keys.create(company_id=COMPANY, scopes=["ops:read", "fleet:write"])
    await keys.find(text)
    store.outcomes.held_back = lambda: Refusal(name="database", reason="open", retry_after=1.0)

    clock.advance(4 * 60)
    assert key == await keys.find(text, remembered=True)
    # It may have been revoked where the database is there.
    clock.advance(51 * 60)
    assert replace(key, scopes=frozenset({"ops:read"})) == await keys.find(text, remembered=True)
    with pytest.raises(AppointmentDatabaseError):
        await keys.find(text)
    clock.advance(6 * 60)
    with pytest.raises(AppointmentDatabaseError):
        await keys.find(text, remembered=True)


async def test_a_key_that_was_revoked_while_nobody_asked_here_is_not_remembered(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.database.api_keys.REMEMBERED_SECONDS", 0)
    clock = FakeClock()
    here, elsewhere = (ApiKeys(engine=store.engine, readers=store.readers, clock=clock) for _ in range(2))
    key, text = await here.create(company_id=COMPANY, scopes=[])
    _, other = await here.create(company_id=COMPANY, scopes=[])
    await here.find(text)
    clock.advance(60)
    await elsewhere.revoke(key.key_id)
    clock.advance(20 * 60)
    await here.find(other)
    store.outcomes.held_back = lambda: Refusal(name="database", reason="open", retry_after=1.0)

    with pytest.raises(AppointmentDatabaseError):
        await here.find(text, remembered=True)
    assert await here.find(other, remembered=True) is not None


async def test_keys_are_listed_with_the_revoked_ones(store: Store) -> None:
    keys = api_keys(store)
    first, _ = await keys.create(company_id=COMPANY, scopes=[])
    second, _ = await keys.create(company_id="elsewhere", scopes=[])
    await keys.revoke(first.key_id)

    assert [first.key_id, second.key_id] == [one.key_id for one in await keys.list()]
    [listed] = await keys.list(company_id=COMPANY)
    assert listed.revoked_at is not None


async def test_an_appointment_is_found_with_the_booking_that_holds_it(store: Store) -> None:
    await services(store).put(OFFER)
    facts = initiated()
    first = start(facts)
    second = finish(first.stream_id, facts)
    row = second.appointment
    assert isinstance(row, InsertAppointment)
    await store.log.append(first)
    await store.log.append(second)

    found = await store.appointments.find(row.appointment_id)
    assert found is not None
    assert (first.stream_id, row.calcom_booking_uid, True) == (
        found.booking_id,
        found.calcom_booking_uid,
        found.is_booked,
    )
    await store.log.append(withdraw(first.stream_id, row.appointment_id))
    found = await store.appointments.find(row.appointment_id)
    assert found is not None
    assert not found.is_booked
    assert await store.appointments.find(uuid4()) is None
