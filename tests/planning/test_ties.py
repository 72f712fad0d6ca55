from __future__ import annotations

from dataclasses import replace

import pytest

from sync.model import Intent, LedgerRow, RecordRef, SourceRow, State
from sync.planning.compare import Found, judge
from sync.planning.plan import Do, plan
from sync.planning.ties import CHILDREN_LEFT, Standing, Verdict, standing, tie
from tests.planning.samples import compiled

CHILD = "5f0a9b3c-1c3a-ee11-8179-000d3a5f0c01"
PARENT = RecordRef("contacts", "0f0a9b3c-1c3a-ee11-8179-000d3a5f0c02")
ORDERS = (
    "mapping: orders\nsource: {{table: o, entity_set: os, key: oid}}\n"
    "target: {{resource: cusO, key: externalId}}\nfields:\n  - {{source: name, target: label, length: 10}}\n"
    "  - {{source: _contact_value, target: contactId, type: link, mapping: {mapping}, required: true}}\n"
)
NEW = LedgerRow("p", "r")
SENT = LedgerRow("p", "r", "e", State.SYNCED, 5, "h")
CLAIMED = replace(SENT, claim_owner="w", unresolved=True)


@pytest.mark.parametrize(
    ("row", "stands"),
    [
        (None, Standing.ABSENT),
        (NEW, Standing.ABSENT),
        (SENT, Standing.READY),
        (CLAIMED, Standing.READY),
        (replace(CLAIMED, hash=""), Standing.BUSY),
        (replace(SENT, state=State.QUARANTINED), Standing.READY),
        (replace(SENT, state=State.QUARANTINED, hash=""), Standing.ABSENT),
        (replace(SENT, state=State.HOLD, code="delete_discarded"), Standing.READY),
        (replace(SENT, state=State.HOLD, code="profile_missing"), Standing.ABSENT),
        (replace(SENT, state=State.PARKED, code="delete_brake"), Standing.READY),
        (replace(SENT, state=State.PARKED, code=CHILDREN_LEFT), Standing.LEAVING),
        (replace(SENT, state=State.DELETED, hash=""), Standing.GONE),
        (replace(SENT, state=State.DELETED, code="deletes_off"), Standing.READY),
        (replace(SENT, hash="", unresolved=True), Standing.ABSENT),
    ],
)
def test_a_parent_stands_as_its_ledger_row_says(row: LedgerRow | None, stands: Standing) -> None:
    assert standing(row) is stands


RULES = [
    # required, rule, how the parent stands, whether Campaign may hold the link → verdict, whether it is sent
    (True, "hold", Standing.READY, False, Verdict.SEND, True),
    (True, "hold", Standing.BUSY, False, Verdict.WAIT, True),
    (True, "hold", Standing.ABSENT, True, Verdict.PARK, True),
    (True, "hold", Standing.GONE, False, Verdict.PARENT_GONE, True),
    (True, "hold", Standing.LEAVING, True, Verdict.SEND, True),
    (True, "hold", Standing.LEAVING, False, Verdict.PARK, True),
    (True, "delete", Standing.LEAVING, True, Verdict.ORPHAN, True),
    (True, "delete", Standing.LEAVING, False, Verdict.PARK, True),
    (False, "hold", Standing.BUSY, False, Verdict.SEND, False),
    (False, "hold", Standing.BUSY, True, Verdict.WAIT, True),
    (False, "hold", Standing.ABSENT, True, Verdict.SEND, False),
    (False, "hold", Standing.GONE, False, Verdict.SEND, False),
    (False, "hold", Standing.LEAVING, True, Verdict.SEND, True),
    (False, "clear", Standing.LEAVING, True, Verdict.SEND, False),
    (False, "delete", Standing.LEAVING, True, Verdict.ORPHAN, True),
    (False, "delete", Standing.LEAVING, False, Verdict.SEND, False),
]


@pytest.mark.parametrize(("required", "rule", "stands", "known", "verdict", "sent"), RULES)
def test_a_link_asks_for_what_its_rule_and_its_parent_say(
    required: bool, rule: str, stands: Standing, known: bool, verdict: Verdict, sent: bool
) -> None:
    mapping = compiled(
        "mapping: orders\nsource: {table: o, entity_set: os, key: oid}\ntarget: {resource: cusO, key: externalId}\n"
        "fields:\n  - {source: name, target: label, length: 10}\n"
        "  - {source: _contact_value, target: contactId, type: link, mapping: contacts, "
        f"required: {str(required).lower()}, on_parent_delete: {rule}}}\n"
    )
    values = {"name": "n", "_contact_value": PARENT.record_id}
    row = replace(SENT, record_id=CHILD, parents=(PARENT,) if known else ())
    tied = tie(RecordRef("orders", CHILD), mapping.project(values, CHILD), row, mapping, {PARENT: stands})
    assert tied.verdict is verdict
    assert bool(tied.projection.update["contactId"]) is sent
    if verdict is Verdict.SEND:
        assert tied.links == ((PARENT,) if sent else ())
        assert tied.awaits == (() if sent else (PARENT,))
    else:
        assert tied.awaits == (PARENT,)
    made = plan(CHILD, SourceRow(CHILD, 9, values), row, mapping, Intent.NONE, {PARENT: stands})
    expected = {Verdict.SEND: Do.UPDATE, Verdict.WAIT: Do.WAIT, Verdict.ORPHAN: Do.DELETE}
    assert made.do is expected.get(verdict, Do.RECORD)


def test_the_same_values_under_another_parents_mapping_are_sent_again() -> None:
    """Else no link row would ever say that the record points to the other one."""
    mapping = compiled(ORDERS.format(mapping="accounts"))
    values = {"name": "n", "_contact_value": PARENT.record_id}
    row = replace(SENT, record_id=CHILD, hash=mapping.project(values, CHILD).hash, parents=(PARENT,))
    other = RecordRef("accounts", PARENT.record_id)
    made = plan(CHILD, SourceRow(CHILD, 9, values), row, mapping, Intent.NONE, {other: Standing.READY})
    assert (made.do, made.links) == (Do.UPDATE, (other,))


def test_a_child_that_waits_without_news_writes_nothing() -> None:
    mapping = compiled(ORDERS.format(mapping="contacts"))
    values = {"name": "n", "_contact_value": PARENT.record_id}
    source = SourceRow(CHILD, 9, values)
    first = plan(CHILD, source, NEW, mapping, Intent.NONE, {PARENT: Standing.ABSENT})
    assert first.row is not None
    again = plan(CHILD, source, first.row, mapping, Intent.WOKEN, {PARENT: Standing.ABSENT})
    assert again.do is Do.NOTHING
    assert plan(CHILD, None, first.row, mapping, Intent.NONE).do is Do.RECORD


def test_a_link_that_waits_is_no_difference_between_the_sides() -> None:
    mapping = compiled(ORDERS.format(mapping="contacts").replace("required: true", "required: false"))
    source = SourceRow(CHILD, 9, {"name": "n", "_contact_value": PARENT.record_id})
    made = plan(CHILD, source, NEW, mapping, Intent.NONE, {PARENT: Standing.ABSENT})
    assert made.projection is not None
    sent = replace(SENT, record_id=CHILD, hash=made.projection.hash, awaits=made.awaits)
    shown = {"label": "n", "contactId": ""}
    assert judge(source, sent, shown, mapping, {}).found is Found.AGREES
    linked = replace(sent, awaits=(), parents=(PARENT,))
    assert judge(source, linked, shown, mapping, {}).fields == ("contactId",)
