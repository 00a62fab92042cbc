"""
How everything is put together: one function that reads top to bottom and returns the wired application.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
from pydantic import SecretStr

from adapters.afterwards import afterwards
from adapters.availability.alternatives import Alternatives
from adapters.availability.diary import DatabaseDiary
from adapters.availability.free_slots import FRESH, KEPT, Availability, Day, read_day, write_day
from adapters.availability.log_watch import LogWatch
from adapters.availability.offering import CalComOffering
from adapters.bootstrap.background import background_work, running
from adapters.bootstrap.health import open_health
from adapters.bootstrap.parts import Application, Directory
from adapters.bootstrap.resilience import open_resilience
from adapters.breakers.feeding import DatabaseFeed, feed_appointments, feed_webhooks
from adapters.breakers.watched import WatchedBreaker
from adapters.caching.cache import Cache
from adapters.caching.clearing import Caches
from adapters.caching.redis_entries import RedisEntries
from adapters.calcom.calendars import CalComCalendars
from adapters.calcom.key_trials import KeyTrials
from adapters.calcom.recovery import Recovery
from adapters.crash_points import crash_points
from adapters.database.api_keys import ApiKeys
from adapters.database.books import DatabaseBooks
from adapters.database.companies import Companies, cipher
from adapters.database.customers import DatabaseCustomers
from adapters.database.passes import Passes
from adapters.database.recovery import DatabaseRecovery
from adapters.database.services import DatabaseServices
from adapters.database.taken import DatabaseTaken
from adapters.directory.companies import CompanyDirectory
from adapters.directory.keys import KeyDirectory
from adapters.directory.services import ServiceDirectory
from adapters.followers import Followers
from adapters.idempotency.booking_hints import BookingHints
from adapters.idempotency.marks import Marks
from adapters.idempotency.webhook_hints import WebhookHints
from adapters.ids import RandomIds, process_id
from adapters.log.store import Store, open_store
from adapters.measuring.bookings import CountedLog
from adapters.measuring.calls import Calls
from adapters.metrics import Metrics
from adapters.pace import SteadyPace
from adapters.reconciling import NAME as RECONCILER
from adapters.reconciling import ReconcilerRunner
from adapters.redis.connection import pool_state as redis_pool_state
from adapters.redis.marks import RedisMarks, redis_marks
from adapters.resilience.budget import RetryBudget
from adapters.settings import Settings
from adapters.telemetry import configure
from sagas.assembly import assemble
from sagas.inbox import WebhookNews
from sagas.reconciling import Reconciler


@asynccontextmanager
async def application(
    settings: Settings, *, background: bool = True, on_point: Callable[[str], None] | None = None
) -> AsyncIterator[Application]:
    """
    Open the application; on leaving, sagas under way are finished or parked within `settings.drain_seconds`.

    `background` says whether due work is done and read models are followed here.
    `on_point` is told of every crash point in place of what the settings say.

    Raises:
        SchemaError: the database does not fit this calsaga; the message says what to run.
        AppointmentDatabaseError: the database does not answer.

    """
    if not structlog.is_configured():
        configure(form=settings.log_format, level=settings.log_level)
    policy = settings.policy()
    probe = on_point or crash_points(
        crash_at=settings.crash_at, crash_signal=settings.crash_signal, trace=settings.crash_trace
    )
    async with AsyncExitStack() as stack:
        process, metrics = process_id(), Metrics()
        calls = Calls(metrics=metrics)
        store = await stack.enter_async_context(
            open_store(
                settings.database_url,
                probe=probe,
                lock_timeout=settings.database_lock_seconds,
                readers=settings.database_pool(),
            )
        )
        companies = CompanyDirectory(
            stored=_companies(settings, store),
            default_company=settings.default_company,
            default_calcom_key=_revealed(settings.calcom_api_key),
            default_webhook_secret=_revealed(settings.calcom_webhook_secret),
        )
        resilience = await stack.enter_async_context(
            open_resilience(settings, store=store, metrics=metrics, calls=calls, companies=companies, process=process)
        )
        await stack.enter_async_context(running(_database_recovery(store, resilience.database).run, name="database"))
        calendars = CalComCalendars(
            base_url=settings.calcom_base_url,
            api_key_of=companies.calcom_key,
            clock=store.clock,
            send_seconds=settings.calcom_send_seconds,
            attempt_seconds=settings.calcom_attempt_seconds,
            total_seconds=settings.calcom_total_seconds,
            max_connections=settings.calcom_connections,
            queue_seconds=settings.calcom_queue_seconds,
            reserve=settings.calcom_reserve_share,
            key_rest_seconds=settings.calcom_key_rest_seconds,
            visible_after=policy.send_within + policy.attempt_limit + policy.visibility,
            circuit=resilience.circuit,
            budget=RetryBudget(share=settings.retry_budget_share, per_second=settings.retry_budget_per_second),
            probe=probe,
        )
        stack.push_async_callback(calendars.aclose)
        resilience.levels.rejected_keys.follow(calendars.rejected)
        stack.push_async_callback(resilience.levels.keeper.aclose)
        await stack.enter_async_context(running(resilience.levels.keeper.run, name="measuring"))
        await stack.enter_async_context(running(resilience.levels.publisher.run, name="publishing"))
        await stack.enter_async_context(running(resilience.levels.notes.run, name="lone breakers"))
        metrics.watch({**store.pools, "redis": redis_pool_state, "calcom": lambda: calendars.bulkhead.state})
        await stack.enter_async_context(running(Recovery(resilience.circuit, ping=calendars.ping).run, name="recovery"))
        trials = KeyTrials(calendars.try_rejected, seconds=settings.calcom_key_rest_seconds)
        await stack.enter_async_context(running(trials.run, name="rejected keys"))
        health = await stack.enter_async_context(
            open_health(
                settings,
                store=store,
                companies=companies,
                calendars=calendars,
                resilience=resilience,
                process=process,
            )
        )
        # Before anything is done here, so that no process is born that does not know.
        await resilience.fallback.watch.learn()
        await stack.enter_async_context(running(resilience.fallback.watch.run, name="full fallback"))
        await stack.enter_async_context(
            running(lambda: resilience.breaker_events.run(resilience.breakers), name="breaker events")
        )
        await resilience.commands.look_at(resilience.breakers)
        await stack.enter_async_context(
            running(lambda: resilience.commands.run(resilience.breakers), name="breaker commands")
        )
        stored_services = DatabaseServices(engine=store.engine, readers=store.readers, clock=store.clock)
        services = ServiceDirectory(stored=stored_services, calendars=calendars)
        customers = DatabaseCustomers(engine=store.engine, readers=store.readers, clock=store.clock, count=calls.cached)
        keys = ApiKeys(engine=store.engine, readers=store.readers, clock=store.clock, count=calls.cached)
        redis = _redis(settings, alone=resilience.without_redis.of("marks"))
        days: Cache[Day] = Cache(
            "availability",
            fresh=FRESH,
            kept=KEPT,
            now=store.clock.now,
            count=calls.cached,
            shared=_shared_days(redis),
        )
        stack.push_async_callback(days.aclose)
        watch = LogWatch(store.log)
        availability = Availability(
            offers=services,
            calendars=calendars,
            taken=DatabaseTaken(engine=store.engine, readers=store.readers),
            watch=watch,
            cache=days,
            clock=store.clock,
            offers_feature=resilience.fallback.degradation.offers,
        )
        marks = Marks(redis=redis, count=metrics.looked_up)
        sagas = assemble(
            log=CountedLog(store.log, calls.ended),
            agenda=store.agenda,
            calendars=calendars,
            appointments=store.appointments,
            drain=SteadyPace(per_minute=60 * settings.circuit_drain_per_second),
            services=services,
            diary=DatabaseDiary(engine=store.engine, readers=store.readers, log=store.log, watch=watch),
            offering=CalComOffering(availability),
            customers=customers,
            voice=settings.voice_rule(),
            hints=BookingHints(marks, lease=policy.lease, count=metrics.looked_up),
            webhooks=WebhookHints(marks, count=metrics.looked_up),
            count_webhook=_both(metrics.webhook, feed_webhooks(resilience.webhooks)),
            moved=afterwards(feed_appointments(resilience.appointments)),
            clock=store.clock,
            ids=RandomIds(),
            policy=policy,
            at_once=settings.worker_concurrency,
        )
        reconciler = Reconciler(
            convergence=sagas.convergence,
            calendars=calendars,
            books=DatabaseBooks(engine=store.engine, readers=store.readers, stored=stored_services, clock=store.clock),
            clock=store.clock,
            pace=SteadyPace(per_minute=settings.reconcile_calls_per_minute),
        )
        caches = Caches(availability=availability, customers=customers, keys=keys)
        if redis is not None:
            await stack.enter_async_context(redis.running(heard=sagas.engine.waiting.hinted, clear=caches.clear))
        opened = Application(
            settings=settings,
            orchestrator=sagas.orchestrator,
            repairs=sagas.repairs,
            inbox=sagas.inbox,
            reconciler=reconciler,
            worker=sagas.worker,
            engine=sagas.engine,
            store=store,
            directory=Directory(companies=companies, services=services, customers=customers, keys=KeyDirectory(keys)),
            calendars=calendars,
            resilience=resilience,
            health=health,
            availability=availability,
            alternatives=Alternatives(
                availability=availability,
                offers=services,
                clock=store.clock,
                offers_feature=resilience.fallback.degradation.offers,
            ),
            marks=marks,
            metrics=metrics,
            calls=calls,
            followers=Followers(store, follow_seconds=settings.follow_seconds, probe=probe),
            reconciling=ReconcilerRunner(
                reconciler,
                Passes(RECONCILER, engine=store.engine, readers=store.readers, clock=store.clock),
                seconds=settings.reconcile_seconds,
            ),
            ending=asyncio.Event(),
        )
        if background:
            await stack.enter_async_context(running(health.snapshots.run, name="snapshots"))
            await stack.enter_async_context(running(resilience.pruning.run, name="pruning"))
        async with background_work(opened, runs=background):
            yield opened


def _companies(settings: Settings, store: Store) -> Companies:
    keys = _revealed(settings.encryption_key)
    secrets = None if keys is None else cipher(keys.split(","))
    return Companies(engine=store.engine, readers=store.readers, clock=store.clock, secrets=secrets)


def _database_recovery(store: Store, breaker: WatchedBreaker) -> DatabaseRecovery:
    heard = DatabaseFeed(breaker)
    store.outcomes.listen(heard, held_back=breaker.held_back)
    probe = Passes("database probe", engine=store.engine, readers=store.readers, clock=store.clock)
    return DatabaseRecovery(breaker, write=partial(probe.begin, every=timedelta(0)), listener=heard)


def _both(first: Callable[[WebhookNews], None], second: Callable[[WebhookNews], None]) -> Callable[[WebhookNews], None]:
    def tell(news: WebhookNews) -> None:
        first(news)
        second(news)

    return tell


def _redis(settings: Settings, *, alone: Callable[[int], None]) -> RedisMarks | None:
    url = _revealed(settings.redis_url)
    if url is None:
        return None
    return redis_marks(url, limit=settings.redis_seconds, sizes=settings.redis_pool(), alone=alone)


def _shared_days(redis: RedisMarks | None) -> RedisEntries[Day] | None:
    return None if redis is None else RedisEntries(redis, write_value=write_day, read_value=read_day)


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
