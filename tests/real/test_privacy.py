"""No personal value and no secret leaves through a log, an exception, a queue name or a table, however badly it goes.

Every personal column holds a canary; services, network and storage fail in every way they can, and answer with what
they were sent. Then every byte the app left behind is searched.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from sandbox.demo.remote import LookAlike
from sandbox.demo.stack import Setup, Stack, stack
from tests.real.parts import LEASE_S, SETTINGS, code, host_says, until

pytestmark = pytest.mark.slow
CANARY = "qx7zv"
BIRTH_DATE = "1907-03-09"
SECRETS = {"DYNAMICS_CLIENT_SECRET": "dyn-s3cret-qq81~k+/=", "CAMPAIGN_CLIENT_SECRET": "cam-s3cret-ww92~m+/="}
ECHO = f"RST-360011 An error has occurred\nThe value '{CANARY}' is not valid, see {CANARY}@example.com"
CAMPAIGN_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500, "body": ECHO},
    {"kind": "status", "status": 500, "body": f"PGS-220000 value too long for type '{CANARY}' (45)"},
    {"kind": "status", "status": 500, "body": f"PGS-220000 duplicate key value, Key (semail)=({CANARY})"},
    {"kind": "status", "status": 502, "body": f"<html>{CANARY}</html>"},
    {"kind": "status", "status": 429, "headers": {"retry-after": "1"}, "body": CANARY},
    {"kind": "status", "status": 401, "body": CANARY},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "status_after", "status": 500, "body": ECHO},
    {"kind": "delay", "delay_s": 1.5},
    {"kind": "garbage"},
)
DYNAMICS_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500, "body": f'{{"error": {{"code": "{CANARY}", "message": "{CANARY}"}}}}'},
    {
        "kind": "status",
        "status": 400,
        "body": f'{{"error": {{"code": "0x80060888", "message": "{CANARY}"}}}}',
    },
    {"kind": "status", "status": 503, "body": CANARY},
    {"kind": "status", "status": 429, "headers": {"retry-after": "1"}, "body": CANARY},
    {"kind": "drop_after"},
    {"kind": "garbage"},
    {"kind": "truncate_page"},
)
UNREADABLE = (
    f"{CANARY} is no JSON",
    f'{{"mapping": "{CANARY}"}}',
    f'{{"mapping": "contacts", "changes": ["{CANARY}"]}}',
)


def contact(number: int, **changes: Any) -> dict[str, Any]:
    """A contact whose every personal column holds a canary."""
    return {
        "salutation": f"{CANARY} s",
        "firstname": f"{CANARY} f{number}",
        "middlename": f"{CANARY} m",
        "lastname": f"{CANARY} l{number}",
        "jobtitle": f"{CANARY} j",
        "emailaddress1": f"{CANARY}.{number}@example.com",
        "telephone1": f"+49 {CANARY}",
        "mobilephone": f"+44 {CANARY}",
        "fax": f"+43 {CANARY}",
        "birthdate": BIRTH_DATE,
        **{f"address1_{part}": f"{CANARY} {part}" for part in ("line1", "line2", "line3", "city")},
        "address1_postalcode": f"{CANARY} 1",
        "description": f"{CANARY} d",
        **changes,
    }


def tell_canaries(text: str) -> list[str]:
    """Where a canary or secret is in `text`, also percent-encoded or in base64."""
    lower = text.lower()
    forms = [CANARY, BIRTH_DATE, "bearer "]
    for secret in SECRETS.values():
        forms += [secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")]
    return [
        f"{form}: …{text[max(0, at - 200) : at + 80]}…"
        for form in forms
        if (at := lower.find(form.lower())) >= 0
    ]


def test_nothing_personal_is_left_behind(tmp_path: Path) -> None:
    setup = Setup(
        SETTINGS | SECRETS,
        message_lease_s=LEASE_S,
        folder=tmp_path,
        dynamics=("--client-secret", SECRETS["DYNAMICS_CLIENT_SECRET"]),
        campaign=("--client-secret", SECRETS["CAMPAIGN_CLIENT_SECRET"]),
    )
    with stack(setup) as running:
        seed(running)
        break_services(running)
        running.start_host()
        until(lambda: len(running.campaign.records()) > 10, 60, lambda: running.told()[-2000:])
        queues = QueueServiceClient.from_connection_string(running.azurite.connection_string)
        for lane in ("live", "backfill", "control", "live-poison", "control-poison"):
            for text in UNREADABLE:
                queues.get_queue_client(lane).send_message(text)
        running.dynamics.command("expire_token")
        live_life(running)
        until(
            lambda: not running.storage.waiting() and calm(running),
            90,
            lambda: str(running.storage.waiting()),
        )
        fired = {entry["fault"] for side in (running.dynamics, running.campaign) for entry in side.log()[0]}
        assert fired >= {fault["kind"] for fault in CAMPAIGN_FAULTS + DYNAMICS_FAULTS}, "a fault never fired"
        assert tell_canaries(str(running.campaign.records())), "the search finds nothing where it must"
        stored = "\n".join(everything_stored(running.azurite.connection_string))
        assert len(stored) > 10_000
        assert tell_canaries(stored) == []
        stop_campaign(running)
        without_storage(running)
        assert running.stop_host() in (0, 1)
        queues.close()
    for file in sorted(tmp_path.rglob("*")):
        if file.is_file():
            assert tell_canaries(file.read_text(errors="replace")) == [], file
    log = (tmp_path / "host.log").read_text()
    for word in ("message_unreadable", "email_invalid", "campaign_outcome_unknown", "dynamics_garbled"):
        assert word in log, f"the run was not as faulty as it should be: no {word}"


def seed(running: Stack) -> None:
    """Good contacts, bad e-mails, and values that are too long everywhere."""
    long = {"firstname": CANARY * 9, "telephone1": CANARY * 9, "address1_line1": CANARY * 40}
    records = [contact(number) for number in range(30)]
    records += [contact(number, emailaddress1=f"{CANARY} {number} no address") for number in range(30, 34)]
    records += [contact(number, **long) for number in range(34, 38)]
    running.dynamics.command("seed", records=records)


def break_services(running: Stack) -> None:
    """Every fault hits a few calls."""
    for number, fault in enumerate(CAMPAIGN_FAULTS):
        running.campaign.command("fault", path="/profile", after=number, **fault)
    for number, fault in enumerate(DYNAMICS_FAULTS):
        running.dynamics.command("fault", path="/contacts", after=number, times=1, **fault)
    leak_token_request(running.dynamics, SECRETS["DYNAMICS_CLIENT_SECRET"])


def leak_token_request(side: LookAlike, secret: str) -> None:
    """The next token request is refused with the secret in the answer."""
    side.command("fault", kind="status", path="token", status=400, body=f"client_secret={secret}", times=1)


def stop_campaign(running: Stack) -> None:
    """Last, because what it stops comes back a minute later only."""
    for status, body in ((404, ECHO), (403, ECHO), (400, f'{{"error_code": "400", "message": "{CANARY}"}}')):
        running.campaign.command("fault", kind="status", path="/profile", status=status, body=body)
    for record in running.dynamics.records()[21:24]:
        running.dynamics.command("edit", id=record["contactid"], changes={"fax": CANARY})
    host_says(running, code("campaign_wrong_address"))
    host_says(running, code("campaign_forbidden"))
    leak_token_request(running.campaign, SECRETS["CAMPAIGN_CLIENT_SECRET"])
    running.campaign.command("revoke_tokens")
    running.dynamics.command("edit", id=running.dynamics.records()[20]["contactid"], changes={"fax": CANARY})
    host_says(running, code("campaign_unauthorized"))


def live_life(running: Stack) -> None:
    """Edits and deletes while everything fails."""
    ids = [record["contactid"] for record in running.dynamics.records()]
    for number, record_id in enumerate(ids[:12]):
        running.dynamics.command("edit", id=record_id, changes={"lastname": f"{CANARY} changed {number}"})
    running.dynamics.command("edit", id=ids[12], changes={"emailaddress1": f"{CANARY} no address"})
    for record_id in ids[13:18]:
        running.dynamics.command("delete", id=record_id)
    time.sleep(2.5)


def calm(running: Stack) -> bool:
    """Whether a pull succeeded just now."""
    return time.time() - running.pulled_at() < 3


def everything_stored(connection: str) -> Iterator[str]:
    """Queue names, and every row of every table with its keys."""
    with QueueServiceClient.from_connection_string(connection) as queues:
        yield from (queue.name for queue in queues.list_queues())
    with TableServiceClient.from_connection_string(connection) as tables:
        for table in tables.list_tables():
            yield table.name
            yield from (str(dict(row)) for row in tables.get_table_client(table.name).list_entities())


def without_storage(running: Stack) -> None:
    """Azurite dies with work in hand: what the SDK and the app say about it is searched, too."""
    for record in running.dynamics.records()[:10]:
        running.dynamics.command("edit", id=record["contactid"], changes={"firstname": f"{CANARY} last"})
    until(lambda: bool(running.storage.waiting()), 15, lambda: "no work in hand")
    running.azurite.process.kill()
    time.sleep(5)
