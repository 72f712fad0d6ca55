"""From stored events to activities: a function of the set of rows, whatever their order."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sync.model import EmailEvent, EventRow
from sync.planning.activities import EventKind, Events
from sync.planning.events import Activity, plan_contact, subject_of
from sync.planning.load_events import load_events
from sync.storage.events import key_of
from tests.events.stage import START, TEXT, contact_id

CONTACT = contact_id(1)
EVERY = load_events(TEXT)


def configured(**options: object) -> Events:
    return EVERY.model_copy(update={"options": EVERY.options.model_copy(update=options)})


def granular(name: str) -> Events:
    return load_events(TEXT.replace("granularity: every_event", f"granularity: {name}"))


def row(
    kind: str, log_id: str = "1", at: float = 0.0, modified: float | None = None, **more: str
) -> EventRow:
    if kind == "bounce":
        more = {"bounce_type": "hard", **more}
    event = EmailEvent(
        kind,
        "delivery" if kind in ("send", "bounce") else "tracking",
        log_id,
        START + (at if modified is None else modified),
        "DM190",
        "2019LoyaltyCamp",
        CONTACT,
        START + at,
        **more,  # type: ignore[arg-type]
    )
    return EventRow("p", key_of(event), event, etag="e", open=True)


def by_kind(rows: list[EventRow], events: Events = EVERY) -> dict[EventKind, Activity]:
    return {activity.kind: activity for activity in plan_contact(rows, events).activities}


def test_the_subject_is_adobes() -> None:
    event = row("send").event
    assert event is not None
    assert subject_of(event) == "Campaign Name: 2019LoyaltyCamp; Delivery Name: DM190"


def test_markup_in_a_name_stays_text_and_a_long_subject_is_cut() -> None:
    event = row("send").event
    assert event is not None
    odd = replace(event, campaign="<b>Spring & Co</b>", delivery="d" * 200)
    subject = subject_of(odd)
    assert subject.startswith("Campaign Name: <b>Spring & Co</b>; Delivery Name: ddd") and len(subject) == 200


@pytest.mark.parametrize(
    ("granularity", "ids"),
    [
        (
            "every_event",
            {
                "bounce:1": "57df7021-7f10-5ab0-9181-94e697eeb3e9",
                "send:1": "68e30cb0-bf1e-5db4-bed5-11220e3526dc",
                "send:2": "acd84db1-397e-50c8-bbd7-2d93eb7c3e13",
            },
        ),
        (
            "first_of_kind",
            {
                "~bounce": "2ac55e26-d270-51a4-acd1-3df8cd66bf4c",
                "~send": "001d344d-ac02-5ab4-b1c3-abc9c7667dd7",
            },
        ),
        ("per_delivery", {"~all": "758af835-b3da-57ef-9ccf-c5741456eb72"}),
    ],
)
def test_ids_never_change(granularity: str, ids: dict[str, str]) -> None:
    rows = [row("send", "1"), row("send", "2"), row("bounce", "1")]
    planned = plan_contact(rows, granular(granularity))
    assert {activity.key.partition(":")[2]: activity.id for activity in planned.activities} == ids


def test_a_late_bounce_marks_the_send_and_an_older_line_never_turns_it_back() -> None:
    send, bounce = row("send", "1", at=0), row("bounce", "1", at=0, modified=3 * 86400)
    marked = by_kind([send, bounce])
    assert marked[EventKind.SEND].columns["acs_bouncetype"] == "hard"
    assert marked[EventKind.SEND].id == by_kind([send])[EventKind.SEND].id
    assert EventKind.BOUNCE in marked
    newer_send = row("send", "1", at=0, modified=4 * 86400)
    # Cleared, not left out: what the order of arrival was must not show.
    assert by_kind([newer_send, bounce])[EventKind.SEND].columns["acs_bouncetype"] is None


def test_a_bounce_of_another_send_marks_nothing() -> None:
    found = by_kind([row("send", "1"), row("bounce", "2", modified=9)])
    assert found[EventKind.SEND].columns["acs_bouncetype"] is None


def test_soft_bounces_are_left_unless_wanted_and_mark_nothing() -> None:
    rows = [row("send", "1"), row("bounce", "1", modified=9, bounce_type="soft")]
    planned = plan_contact(rows, EVERY)
    assert [activity.kind for activity in planned.activities] == [EventKind.SEND]
    assert list(planned.left.values()) == ["soft_bounce"]
    assert EventKind.BOUNCE in by_kind(rows, configured(soft_bounces=True))


def test_a_kind_can_be_off() -> None:
    text = TEXT.replace("open:\n    enabled: true", "open:\n    enabled: false")
    planned = plan_contact([row("open")], load_events(text))
    assert not planned.activities and list(planned.left.values()) == ["kind_off"]


@pytest.mark.parametrize("agent", ["Barracuda Sentinel (EE)", "GoogleBot bot", ""])
def test_machines_that_name_themselves_are_left_out_where_wanted(agent: str) -> None:
    rows = [row("open", agent=agent)]
    assert list(plan_contact(rows, configured(filter_bots=True)).left.values()) == ["bot"]
    assert plan_contact(rows, EVERY).activities


def test_nobody_clicks_within_two_seconds() -> None:
    rows = [
        row("send", "1", at=0),
        row("click", "2", at=1.5, agent="Mail/1"),
        row("click", "3", at=60, agent="Mail/1"),
    ]
    planned = plan_contact(rows, configured(filter_bots=True))
    assert [key.rpartition(":")[2] for key in planned.left] == ["2"]


def test_a_url_over_the_columns_length_is_left_out_not_cut() -> None:
    found = by_kind([row("click", url="https://x.test/" + "a" * 2000, mirror="https://m.test")])
    columns = found[EventKind.CLICK].columns
    assert columns["acs_trackingurl"] is None and columns["acs_mirrorpageurl"] == "https://m.test"


def test_one_activity_per_delivery_counts_from_all_rows() -> None:
    rows = [
        row("send", "1"),
        row("open", "2", at=60),
        row("open", "3", at=90),
        row("click", "4", at=99, url="u"),
    ]
    (activity,) = plan_contact(rows, granular("per_delivery")).activities
    assert activity.kind is EventKind.SEND
    assert (activity.columns["acs_opencount"], activity.columns["acs_clickcount"]) == (2, 1)
    assert activity.columns["acs_dateopened"] == "2026-09-21T14:14:50Z"
    assert not activity.original


def test_the_first_of_each_kind_is_the_earliest_whenever_it_arrives() -> None:
    events = granular("first_of_kind")
    late = by_kind([row("open", "2", at=90)], events)[EventKind.OPEN]
    both = by_kind([row("open", "2", at=90), row("open", "3", at=30)], events)[EventKind.OPEN]
    assert late.id == both.id and late.hash != both.hash


@pytest.mark.parametrize("granularity", ["every_event", "first_of_kind", "per_delivery"])
def test_order_of_arrival_changes_nothing(granularity: str) -> None:
    events = granular(granularity)
    rng = random.Random(3)
    kinds = ("send", "open", "click", "bounce")
    for _ in range(100):
        rows = list(
            {
                one.key: one
                for one in (
                    row(rng.choice(kinds), str(rng.randrange(3)), rng.randrange(5), rng.randrange(9))
                    for _ in range(6)
                )
            }.values()
        )
        shuffled = rng.sample(rows, len(rows))
        first, second = plan_contact(rows, events), plan_contact(shuffled, events)
        assert {a.id: a.hash for a in first.activities} == {a.id: a.hash for a in second.activities}
        assert first.left == second.left
        covered = {key for activity in first.activities for key in activity.rows} | set(first.left)
        assert covered == {one.key for one in rows}
        assert len({activity.id for activity in first.activities}) == len(first.activities)


def test_only_a_single_line_that_never_changed_is_original() -> None:
    assert plan_contact([row("send")], EVERY).activities[0].original
    assert not plan_contact([replace(row("send"), revised=True)], EVERY).activities[0].original
    soft = row("bounce", "1", bounce_type="soft")
    assert not plan_contact([row("send"), soft], EVERY).activities[0].original
