"""The tables beside the log and the read models. The migrations create them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from projections.columns import Instant

metadata = MetaData()

# The log, which the recorders write; for those who read it along with other tables.
stored_events = Table(
    "stored_events",
    MetaData(),
    Column("originator_id", Uuid),
    Column("originator_version", BigInteger),
    Column("topic", Text),
    Column("state", LargeBinary),
    Column("notification_id", BigInteger),
)

appointments = Table(
    "appointments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("company_id", String, nullable=False),
    Column("booking_id", Uuid, nullable=False),
    Column("idempotency_key", String, nullable=False),
    Column("calcom_booking_uid", String),
    Column("webhook_id", String),
    Column("service_id", String, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("staff_id", String),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("status", String, nullable=False),
    Column("source", String, nullable=False),
    Column("retry_count", Integer, nullable=False),
    Column("sync_attempt_count", Integer, nullable=False),
    Column("last_sync_attempted_at", Instant),
    Column("circuit_breaker_open_at_booking", Instant),
    Column("resilience_strategy", String),
    Column("overlap_allowed", Boolean, nullable=False),
    Column("leg", SmallInteger, nullable=False, server_default="0"),
    Column("offered_as", String),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

slot_claims = Table(
    "slot_claims",
    metadata,
    Column("booking_id", Uuid, primary_key=True),
    Column("company_id", String, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("service_id", String, nullable=False),
    Column("staff_id", String),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("starts_epoch", BigInteger, nullable=False),
    Column("allow_near_duplicate", Boolean, nullable=False),
    Column("leg", SmallInteger, primary_key=True, server_default="0"),
    Column("offered_as", String),
    Column("created_at", Instant, nullable=False),
)

saga_due = Table(
    "saga_due",
    metadata,
    Column("saga_id", Uuid, primary_key=True),
    Column("due_at", Instant, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("lease_token", Uuid),
    Column("attempt", Integer, nullable=False),
)

customers = Table(
    "customers",
    metadata,
    Column("customer_id", Uuid, primary_key=True),
    Column("company_id", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("email_folded", Text),
    Column("phone", Text),
    Column("created_at", Instant, nullable=False),
)

services = Table(
    "services",
    metadata,
    Column("company_id", String, primary_key=True),
    Column("service_id", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("duration_minutes", Integer, nullable=False),
    Column("calcom_event_type_id", BigInteger, nullable=False),
    Column("staff_id", String),
    Column("staff_group", String),
    Column("time_zone", String),
    Column("notice_minutes", Integer, nullable=False),
    Column("sends_length", Boolean, nullable=False),
    Column("opening_hours", JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

companies = Table(
    "companies",
    metadata,
    Column("id", String, primary_key=True),
    Column("calcom_key_encrypted", Text),
    Column("webhook_secrets_encrypted", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("company_id", String, nullable=False),
    Column("key_sha256", String, nullable=False),
    Column("last_characters", String, nullable=False),
    Column("scopes", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

reconciliations = Table(
    "reconciliations",
    metadata,
    Column("company_id", String, primary_key=True),
    Column("event_type_id", BigInteger, primary_key=True),
    Column("swept_until", Instant, nullable=False),
    Column("finished_at", Instant, nullable=False),
)

passes = Table(
    "passes",
    metadata,
    Column("name", String, primary_key=True),
    Column("noted_at", Instant, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", Uuid, nullable=False),
    Column("held_until", Instant, nullable=False),
)

health_checks = Table(
    "health_checks",
    metadata,
    Column("service", String, primary_key=True),
    Column("checked_at", Instant, primary_key=True),
    Column("status", String, nullable=False),
    Column("response_time_ms", Double),
    Column("threshold_ok", Boolean),
    Column("detail", Text, nullable=False),
)

resilience_snapshots = Table(
    "resilience_snapshots",
    metadata,
    Column("at", Instant, primary_key=True),
    Column("verdict", String, nullable=False),
    Column("document", JSON().with_variant(JSONB(), "postgresql"), nullable=False),
)

failure_metrics = Table(
    "failure_metrics",
    metadata,
    Column("service", String, primary_key=True),
    Column("window_start", Instant, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("rate", Float, nullable=False),
    Column("severity", String, nullable=False),
)

measured_calls = Table(
    "measured_calls",
    metadata,
    Column("starts_at", Instant, primary_key=True),
    Column("service", String, primary_key=True),
    Column("operation", String, primary_key=True),
    Column("process", String, primary_key=True),
    Column("ends_at", Instant, nullable=False),
    Column("succeeded", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("ignored", BigInteger, nullable=False),
    Column("sketch", Text, nullable=False),
)

lone_breakers = Table(
    "lone_breakers",
    metadata,
    Column("process", String, primary_key=True),
    Column("service", String, primary_key=True),
    Column("unwell_since", Instant),
    Column("well_since", Instant),
    Column("seen_at", Instant, nullable=False),
)

alert_figures = Table(
    "alert_figures",
    metadata,
    Column("alert_id", Uuid, primary_key=True),
    Column("value", Double, nullable=False),
    Column("worst", Double, nullable=False),
    Column("judged_at", Instant, nullable=False),
)
