"""
The way that the README leads: a sandbox, tables, services, a key, a server, a booking.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from adapters.cli.app import app
from tests import day
from tests.acceptance.processes import calsaga, environment, running, sandbox

TUESDAY = day.after(7, hour=10)
SERVICES = """service_id,name,duration_minutes,calcom_event_type_id,staff_id
consultation,Consultation,30,1,ada
long-consultation,Long consultation,60,2,ada
no-way-back,Cannot be undone,30,6,ben
wrong-length,Wrong length,45,3,ben
nonsense,Nonsense,half an hour,3,ben
"""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """
    A folder with a database, and a sandbox in the place of Cal.com.
    """

    folder: Path
    calcom: str
    settings: dict[str, str]

    def run(self, *arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
        # In this process, because loading everything anew takes longer than any command.
        finished = CliRunner().invoke(app, arguments, input=stdin, env=self.settings)
        assert finished.exception is None or isinstance(finished.exception, SystemExit)
        return finished.exit_code, finished.stdout.strip(), finished.stderr.strip()

    def ledger(self) -> list[dict[str, Any]]:
        bookings: list[dict[str, Any]] = httpx.get(f"{self.calcom}/_sandbox/ledger").json()["bookings"]
        return bookings


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("first-steps")
    with sandbox("--rate-limit", "0", settings=environment(folder)) as url:
        settings = environment(
            folder,
            CALSAGA_CALCOM_BASE_URL=url,
            CALSAGA_CALCOM_API_KEY="cal_first_steps",
            CALSAGA_ENCRYPTION_KEY=Fernet.generate_key().decode(),
        )
        installation = Installation(folder=folder, calcom=url, settings=settings)
        services = folder / "services.csv"
        services.write_text(SERVICES)
        migrated = calsaga("migrate", settings=settings)
        imported = calsaga("services", "import", str(services), settings=settings)
        assert (0, 1) == (migrated.returncode, imported.returncode)
        assert "Traceback" not in migrated.stderr + imported.stderr
        yield installation


def booking(number: int, **changed: object) -> dict[str, object]:
    return {
        "service_id": "consultation",
        "customer": {"name": "Ada Lovelace", "email": f"ada-{number}@example.com"},
        "starts_at": (TUESDAY + timedelta(days=number)).isoformat(),
        "time_zone": "UTC",
        "source": "web",
        **changed,
    }


def test_wrong_services_are_named_by_line_and_field(installed: Installation) -> None:
    code, said, complaints = installed.run("services", "import", str(installed.folder / "services.csv"))

    assert (1, "2 defined, 3 rejected") == (code, said)
    assert "line 4: calcom_event_type_id: " in complaints
    assert "line 5: duration_minutes: " in complaints
    assert "line 6: duration_minutes: " in complaints


def test_services_are_listed(installed: Installation) -> None:
    code, said, _ = installed.run("services", "list")

    assert 0 == code
    assert ["consultation", "long-consultation"] == [line.split("\t")[0] for line in said.splitlines()]


def test_a_server_books_what_a_key_asks_for(installed: Installation) -> None:
    _, key, note = installed.run("keys", "create", "--scope", "bookings:write", "--scope", "bookings:read")
    assert key.startswith("csk_")
    assert key not in note
    with running("serve", "--port", "0", settings=installed.settings) as server:
        url = address_of(server.stderr)
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=20) as http:
            first = http.post("/api/bookings", json=booking(1), headers={"Idempotency-Key": "first"})
            again = http.post("/api/bookings", json=booking(1), headers={"Idempotency-Key": "first"})
            nobody = http.post("/api/bookings", json=booking(2), headers={"Authorization": "Bearer csk_wrong"})

    assert (201, 200, 401) == (first.status_code, again.status_code, nobody.status_code)
    assert "booked" == first.json()["booking"]["status"]
    assert first.json()["booking"]["calcom_booking_uid"] in [line["uid"] for line in installed.ledger()]
    assert "true" == again.headers["Idempotency-Replayed"]


def test_keys_are_listed_and_revoked(installed: Installation) -> None:
    _, key, note = installed.run("keys", "create", "--company", "acme")
    key_id = note.split()[1]

    assert key not in installed.run("keys", "list", "--company", "acme")[1]
    assert 0 == installed.run("keys", "revoke", key_id, "--company", "acme")[0]
    assert "revoked" in installed.run("keys", "list", "--company", "acme")[1]
    assert 1 == installed.run("keys", "revoke", key_id)[0]


def test_a_company_keeps_its_secrets_to_itself(installed: Installation) -> None:
    code, said, note = installed.run("companies", "set", "acme", "--calcom-key", "-", stdin="cal_acme_secret\n")
    _, listed, _ = installed.run("companies", "list")

    assert 0 == code
    assert "calcom-key" in listed
    assert "cal_acme_secret" not in said + note + listed
    assert b"cal_acme_secret" not in (installed.folder / "calsaga.db").read_bytes()


def test_one_booking_from_the_command_line_to_its_cancellation(installed: Installation) -> None:
    wish = ("book", "--service", "consultation", "--name", "Grace Hopper", "--email", "grace@example.com")
    when = ("--starts-at", (TUESDAY + timedelta(days=10)).isoformat(), "--time-zone", "UTC")
    code, said, _ = installed.run(*wish, *when, "--json")
    booked = json.loads(said)["booking"]
    assert (0, "booked") == (code, booked["status"])

    code, said, _ = installed.run(*wish, *when, "--key", "another", "--json")
    assert (1, "near_duplicate") == (code, json.loads(said)["booking"]["failure"]["reason"])

    shown, at_first, timeline, diagram = (
        installed.run(*command)[1]
        for command in (
            ("show", booked["id"]),
            ("show", booked["id"], "--at-version", "1", "--json"),
            ("timeline", booked["id"]),
            ("timeline", booked["id"], "--format", "mermaid"),
        )
    )
    assert "booking.appointment-booked.v1" in shown
    assert "Grace" not in shown + at_first + timeline + diagram
    assert "pending" == json.loads(at_first)["status"]
    assert diagram.startswith("sequenceDiagram")

    code, said, _ = installed.run("cancel", booked["id"], "--reason", "changed my mind")
    assert (0, f"{booked['id']} cancelled") == (code, said)
    assert "cancelled" == next(
        line["status"] for line in installed.ledger() if line["uid"] == booked["calcom_booking_uid"]
    )


def test_anybody_of_a_group_is_booked_from_the_command_line_and_from_a_file(installed: Installation) -> None:
    for number in (71, 72):
        made = httpx.put(
            f"{installed.calcom}/_sandbox/event-types/{number}", json={"slug": f"kind-{number}", "hosts": [number]}
        )
        assert made.is_success
    services, wishes = installed.folder / "group.csv", installed.folder / "wishes.jsonl"
    services.write_text(
        "service_id,name,duration_minutes,calcom_event_type_id,staff_id,staff_group\n"
        "cut-dan,Cut,30,71,dan,barbers\n"
        "cut-eve,Cut,30,72,eve,barbers\n"
    )
    defined = installed.run("services", "import", str(services))
    listed = installed.run("services", "list")[1]
    when = (TUESDAY + timedelta(days=40)).isoformat()
    book = ("book", "--service", "cut-dan", "--starts-at", when, "--time-zone", "UTC", "--json")
    first = installed.run(*book, "--staff-group", "barbers", "--name", "Ada", "--email", "ada@example.com")
    wrong = installed.run(*book, "--staff-group", "cooks", "--name", "Ben", "--email", "ben@example.com")
    asked = {"service_id": "cut-dan", "starts_at": when}
    lines = [booking(number, staff_group=group, **asked) for number, group in ((60, "barbers"), (61, "cooks"))]
    wishes.write_text("\n".join(json.dumps(line) for line in lines))
    imported = installed.run(
        "import", str(wishes), "--json", "--report", str(installed.folder / "group-rejected.jsonl")
    )
    everybody = installed.run(*book, "--staff-group", "barbers", "--name", "Cal", "--email", "cal@example.com")

    assert (0, "2 defined, 0 rejected") == defined[:2]
    assert ["dan (barbers)", "eve (barbers)"] == [
        line.split("\t")[4] for line in listed.splitlines() if line.startswith("cut-")
    ]
    assert (0, "dan", "cut-dan") == (
        first[0],
        *(json.loads(first[1])["booking"][it] for it in ("staff_id", "service_id")),
    )
    assert 2 == wrong[0]
    assert "staff_group: " in wrong[2]
    assert (1, 1) == tuple(json.loads(imported[1])[it] for it in ("booked", "rejected"))
    assert (1, "slot_taken") == (everybody[0], json.loads(everybody[1])["booking"]["failure"]["reason"])


def test_an_import_goes_on_where_it_stopped(installed: Installation) -> None:
    file, report = installed.folder / "bookings.jsonl", installed.folder / "rejected.jsonl"
    lines = [json.dumps(booking(number)) for number in range(20, 26)]
    file.write_text("\n".join([*lines[:3], "{", json.dumps(booking(30, service_id="unheard-of")), *lines[3:]]))
    first = installed.run("import", str(file), "--json", "--report", str(report))
    second = installed.run("import", str(file), "--json", "--report", str(report))

    assert (1, 1) == (first[0], second[0])
    assert {"booked": 6, "already_booked": 0, "under_way": 0, "unsettled": 0, "rejected": 2} == json.loads(first[1])
    assert {"booked": 0, "already_booked": 6, "under_way": 0, "unsettled": 0, "rejected": 2} == json.loads(second[1])
    assert [4, 5] == [json.loads(line)["line"] for line in report.read_text().splitlines()]
    assert 6 == len({line["uid"] for line in installed.ledger() if "ada-2" in line["attendees"][0]})


def test_the_read_models_agree_with_the_log(installed: Installation) -> None:
    assert (0, "0 differences") == installed.run("verify")[:2]
    assert 0 == installed.run("projections", "rebuild", "bookings")[0]
    assert "lag 0" in installed.run("projections", "status")[1]
    assert 2 == installed.run("projections", "rebuild", "unheard-of")[0]


def test_what_is_not_there_is_said_in_one_line(installed: Installation) -> None:
    nobody = "5f76468b-1d5c-46ef-bd0e-ab2608f9947a"

    for command in (("show", nobody), ("timeline", nobody), ("cancel", nobody, "--reason", "none")):
        code, said, complaint = installed.run(*command)
        assert (1, "") == (code, said)
        assert 1 == len(complaint.splitlines())


def address_of(stderr: Any) -> str:  # noqa: ANN401 - a pipe
    """
    Return the address that a server announces, and go on reading what it says.
    """
    line = str(stderr.readline())
    threading.Thread(target=stderr.read, daemon=True).start()
    return line.rsplit(maxsplit=1)[-1]
