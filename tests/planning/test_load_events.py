"""`mappings/events.yaml`: what ships loads, and a wrong file says everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.planning.activities import DATE_FIELDS, FIELDS, KIND_FIELDS, EventKind, Granularity
from sync.planning.load import MappingInvalid
from sync.planning.load_events import load_events

SHIPPED = (Path(__file__).parents[2] / "mappings" / "events.yaml").read_text(encoding="utf-8")
ADOBE = {
    EventKind.SEND: "Adobe Campaign Email Send",
    EventKind.OPEN: "Adobe Campaign Email Open",
    EventKind.CLICK: "Adobe Campaign Email URL Click",
    EventKind.BOUNCE: "Adobe Campaign Email Bounce",
}


def problems(old: str, new: str) -> list[tuple[str, str, str]]:
    """What is wrong with the shipped file after one replacement: place, what, fix."""
    assert SHIPPED.count(old) >= 1, old
    text = SHIPPED.replace(old, new, 1)
    with pytest.raises(MappingInvalid) as caught:
        load_events(text)
    for problem in caught.value.problems:
        assert f"events.yaml:{problem.line}: " in str(caught.value)
        last = problem.where.rpartition(".")[2]
        assert last in text.splitlines()[problem.line - 1] or "missing" in problem.what, problem
    return [(problem.where, problem.what, problem.fix) for problem in caught.value.problems]


def test_the_shipped_file_names_adobes_activities_and_has_a_column_for_every_field() -> None:
    events = load_events(SHIPPED)
    assert {kind: table.display_name for kind, table in events.tables.all()} == ADOBE
    for kind, table in events.tables.all():
        assert table.enabled
        assert {column.field for column in table.all_columns()} == set(KIND_FIELDS[kind])
        assert table.column(DATE_FIELDS[kind]) is not None
    assert {field for fields in KIND_FIELDS.values() for field in fields} == set(FIELDS)


def test_the_shipped_file_floods_nobody_and_deletes_nothing() -> None:
    events = load_events(SHIPPED)
    assert events.options.granularity is Granularity.EVERY_EVENT
    assert not events.options.soft_bounces
    assert events.options.retention_months == 0
    assert not events.follow_up_tasks.click.enabled
    assert not events.follow_up_tasks.hard_bounce.enabled
    assert events.options.owner is None


def test_a_column_has_the_length_of_its_field_or_its_own() -> None:
    text = SHIPPED.replace("tracking_url: acs_trackingurl", "tracking_url: {name: new_url, length: 500}")
    click = load_events(text).tables.click
    column, other = click.column("tracking_url"), click.column("mirror_page_url")
    assert column is not None
    assert other is not None
    assert (column.name, column.length, other.length) == ("new_url", 500, 2000)
    assert click.column("date_opened") is None


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("granularity: every_event", "granularity: every_evnt", "options.granularity", "Did you mean `every_event`?"),
        ("soft_bounces: false", 'soft_bounces: "no"', "options.soft_bounces", "true or false"),
        ("retention_months: 0", "retention_months: -1", "options.retention_months", "too small"),
        ("  close: false", "  closed: false", "options.closed", "no such key"),
        ("table: acs_emailopen", "table: acs_emailsend", "tables.open.table", "already that of send"),
        ("date_bounced: acs_datebounced", "date_bounced: acs_datesent", "tables.send.columns.date_bounced", "own column"),
        ("tracking_url: acs_trackingurl", "tracking_link: acs_x", "tables.click.columns.tracking_link", "tracking_url"),
        ("prefix: acs", "prefix: ACS", "publisher.prefix", "not spelled"),
        ("entity_set: acs_emailopens", "", "tables.open.entity_set", "missing"),
        ("display_name: Adobe Campaign Email Open", "display_name: 7", "tables.open.display_name", "must be text"),
    ],
)  # fmt: skip
def test_one_mistake_is_told_at_its_place_with_a_remedy(old: str, new: str, where: str, said: str) -> None:
    found = problems(old, new)
    assert [one[0] for one in found] == [where]
    assert said in " ".join(found[0])


def test_per_delivery_needs_the_send_table_and_its_counters() -> None:
    text = SHIPPED.replace("granularity: every_event", "granularity: per_delivery")
    assert load_events(text).options.granularity is Granularity.PER_DELIVERY
    broken = text.replace("    enabled: true", "    enabled: false", 1).replace(
        "      open_count: acs_opencount\n", ""
    )
    with pytest.raises(MappingInvalid) as caught:
        load_events(broken)
    assert [problem.where for problem in caught.value.problems] == [
        "tables.send.enabled",
        "tables.send.columns",
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines() -> None:
    text = SHIPPED.replace("events: email", "events: Email").replace("prefix: acs", "prefix: 5")
    with pytest.raises(MappingInvalid) as caught:
        load_events(text)
    assert [problem.where for problem in caught.value.problems] == ["events", "publisher.prefix"]


@pytest.mark.parametrize("text", ["", "- a", "a: [", "events: email\nevents: email\n"])
def test_what_is_no_events_file_is_refused_with_a_line(text: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        load_events(text)
    assert all(problem.line >= 1 and problem.fix for problem in caught.value.problems)
