"""What an export and Dynamics' answers say of a person is in no log, exception, queue, key or count; only event rows keep
what an activity shows."""

from __future__ import annotations

import json
import logging
import traceback

import pytest

from sandbox.wire import Fault
from sync.model import Lane
from sync.storage.memory import OpenGate
from sync.storage.table import StorageFault
from tests.events.stage import DELIVERY_HEADER, TEXT, TRACKING_HEADER, Stage, contact_id, csv_of

CANARY = "qx7zv"
SECRET = "local-dynamics-secret"
KEPT = {"campaign", "url", "mirror", "bounce_reason", "agent"}
"""Columns of the table `events` that hold what the activity says (docs/security.md)."""
ECHO = json.dumps({"error": {"code": "0x80040203", "message": f"{CANARY}@example.com is refused, {SECRET}"}})
WITH_TASKS = TEXT.replace("click: {enabled: false", "click: {enabled: true").replace(
    "soft_bounces: false", "soft_bounces: true"
)


def personal(line: str) -> str:
    """A line with one more column, which the sync does not ask for: the e-mail address."""
    return f"{line},{CANARY}.{line.partition(',')[0]}@example.com"


def delivery(
    number: int, *, status: str = "Sent", contact: str = "", at: str = "2026-09-20 10:00:00Z"
) -> str:
    mirror = f"https://mirror.test/?to={CANARY}@example.com"
    return personal(
        f"{number},2026-09-20 10:00:0{number % 10}Z,DM190,{CANARY} Camp,{contact or contact_id(number)},{at},{status},0,"
        f"0,{'Hard' if status == 'Failed' else ''},550 <{CANARY}@example.com> unknown,{mirror}"
    )


def click(number: int) -> str:
    url = f"https://shop.test/?mail={CANARY}@example.com"
    return personal(
        f"{number},2026-09-21 10:00:00Z,DM190,C,{contact_id(number)},2026-09-21 10:00:00Z,Email click,0,0,{url},"
        f"{CANARY}/1"
    )


def bad_lines() -> list[str]:
    """Every way in which a line cannot be read, each with the address in it."""
    return [
        f"{CANARY}@example.com",
        delivery(70, status=CANARY),
        delivery(71, contact=f"{CANARY}@example.com"),
        delivery(72, at=f"{CANARY} o'clock"),
        delivery(73).replace("DM190", ""),
        delivery(74).replace(",0,0,", f",{CANARY},0,", 1),
        delivery(75).replace("DM190", f'"{CANARY}"x'),
        delivery(76).replace("DM190", f"{CANARY}\x01"),
    ]


class Breaking(OpenGate):
    """Storage that fails now and then, at other places in every turn."""

    def __init__(self, turn: int) -> None:
        self._seen = turn

    async def before(self, name: str) -> None:
        self._seen += 1
        if self._seen % 13 == 0:
            raise StorageFault("HttpResponseError")


async def test_nothing_personal_leaves_the_event_rows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stage = Stage(text=WITH_TASKS, settings={"EVENTS_MESSAGE_ROWS": "20"})
    stage.dynamics.seed([contact(number) for number in range(40)])
    # The name in sends is longer: refused, with the value in the answer.
    stage.dynamics.change_metadata(remove_column="acs_campaignname", table="acs_emailsend")
    column = {"name": "acs_campaignname", "max_length": 5}
    stage.dynamics.change_metadata(add_column=column, table="acs_emailsend")
    break_dynamics(stage)
    header = f"{DELIVERY_HEADER},email"
    stage.drop("1.csv", csv_of(header, [*map(delivery, range(60)), *bad_lines()]))
    stage.drop("2.csv", csv_of(f"{TRACKING_HEADER},email", map(click, range(60))))
    stage.drop("3.csv", csv_of(f"{CANARY},{CANARY}@example.com", [f"{CANARY},{CANARY}"]))
    stage.drop("4.csv", f"{CANARY}@example.com\n".encode("utf-16"))
    stage.drop("5.csv", csv_of(header, [delivery(number, status="Failed") for number in range(9)]))
    for body in (f"{CANARY} no JSON", f'{{"partitions": ["{CANARY}"]}}'):
        await stage.app.apply_events(body, dequeue_count=1, invocation="i")
        await stage.app.poison(Lane.EVENTS, body)
    thrown = await faulty_life(stage)
    told = [record.getMessage() + (record.exc_text or "") for record in caplog.records]
    found = [*told, *thrown, *left_behind(stage)]
    assert [text for text in found if CANARY in text.lower() or SECRET in text] == []
    clicks = stage.activities("click")
    assert len(clicks) == 40 and CANARY in str(clicks[0]), "nothing was there to be found"
    words = ("export_refused", "events_refused", "flow_waits", "message_unreadable", "pull_repeated")
    for word in (*words, "kind_unknown", "line_malformed", "date_wrong", "no_contact", "contact_unknown"):
        assert any(word in text for text in found), f"the run was not as faulty as it should be: no {word}"


def contact(number: int) -> dict[str, str]:
    mail = f"{CANARY}{number}@example.com"
    return {"contactid": contact_id(number), "lastname": CANARY, "emailaddress1": mail}


def break_dynamics(stage: Stage) -> None:
    """Every kind of refusal hits a few requests and says what it was sent."""
    for number, (kind, status) in enumerate(
        [("status", 400), ("status", 500), ("status_after", 502), ("drop_after", 0), ("garbage", 0)]
    ):
        for path in ("CreateMultiple", "UpdateMultiple", "batch", "contacts"):
            stage.dynamics.faults.add(Fault(kind, path=path, after=number, status=status, body=ECHO))
    body = f"client_secret={SECRET}"
    stage.dynamics.faults.add(Fault("status", path="token", status=400, body=body, times=1))


async def faulty_life(stage: Stage) -> list[str]:
    """Ticks and work until all is done, on storage that fails now and then; what was thrown at the host."""
    thrown: list[str] = []
    for turn in range(30):
        app = stage.start()
        if turn < 20:
            app.events.events._table = stage.account.view(Breaking(turn)).table("events")
        try:
            await app.pull_email_events(invocation="pull")
        except StorageFault:
            thrown.append(traceback.format_exc())
        queue = stage.account.view().queue(Lane.EVENTS.value)
        for message in await queue.receive(32, visibility_s=60):
            try:
                await app.apply_events(message.body, dequeue_count=message.dequeue_count, invocation="apply")
                await queue.delete(message)
            except StorageFault:
                thrown.append(traceback.format_exc())
        stage.clock.at += 61
    return thrown


def left_behind(stage: Stage) -> list[str]:
    """Messages, and rows without what an activity shows."""
    found = [
        name + message.body for name, queue in stage.account.queues.items() for message in queue.messages
    ]
    for name, table in stage.account.tables.items():
        for row in table.rows.values():
            hidden = KEPT if name == "events" else set()
            found.append(str({key: value for key, value in row.entity.items() if key not in hidden}))
    return found
