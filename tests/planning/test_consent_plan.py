"""What is planned for one contact: values that mean neither, columns that feed several fields, what is kept."""

from __future__ import annotations

from typing import Any

import pytest

from sync.consent_row import Agreement, ConsentRow, FieldState, Kept, Side
from sync.model import SourceRow
from sync.planning.consent_pairs import Consents, resolve
from sync.planning.consent_plan import ConsentPlan, created_row, creation, differs, plan_consent
from sync.planning.load_consent import load_consent
from tests.planning.test_consent_map import COLUMNS, FIELDS

CREATED = "2026-01-01T00:00:00Z"
MADE = "2026-01-02 00:00:00.000Z"
ID = "00000001-0000-4000-8000-000000000000"
LINES = "  - {source: new_consent, target: blackListEmail, opted_out: 2, opted_in: 1}\n"
TWO = "  - {source: donotphone, target: blackListPhone}\n  - {source: donotphone, target: blackListMobile}\n"


def consents(lines: str = LINES, **head: str) -> Consents:
    told = {"consent": "contacts", "direction": "both", **head}
    text = "".join(f"{name}: {value}\n" for name, value in told.items()) + "fields:\n" + lines
    return resolve(load_consent(text), COLUMNS, FIELDS)


def contact(**values: Any) -> SourceRow:
    return SourceRow(ID, 7, {"createdon": CREATED, "modifiedon": CREATED, **values})


def profile(**values: Any) -> dict[str, Any]:
    return {"created": MADE, **values}


def row(**fields: FieldState) -> ConsentRow:
    return ConsentRow("p", ID, "e", fields, contact_created=CREATED, profile_created=MADE)


def agreed(value: bool, by: Side = Side.BOTH) -> FieldState:
    return FieldState(Agreement(value, by, "then"))


def planned(
    known: ConsentRow, here: Any, there: bool, told: Consents | None = None, stamp: str = "then"
) -> ConsentPlan:
    shown = profile(blackListEmail=there, blackListEmailLastModified=stamp)
    return plan_consent(known, contact(new_consent=here), shown, told or consents())


@pytest.mark.parametrize("value", [None, 3])
@pytest.mark.parametrize("known", [row(), row(blackListEmail=agreed(False))])
def test_a_value_that_means_neither_opts_the_profile_out(value: int | None, known: ConsentRow) -> None:
    plan = planned(known, value, False)
    assert (plan.write, plan.body) == (Side.CAMPAIGN, {"blackListEmail": True})
    assert plan.undecidable == ("blackListEmail",)


@pytest.mark.parametrize("value", [None, 3])
def test_it_is_never_written_over_while_the_profile_is_opted_out(value: int | None) -> None:
    for known in (row(), row(blackListEmail=agreed(False)), row(blackListEmail=agreed(True))):
        assert planned(known, value, True).write is None


def test_an_opt_in_in_campaign_decides_it() -> None:
    plan = planned(row(blackListEmail=agreed(True)), None, False, stamp="now")
    assert (plan.write, plan.body) == (Side.DYNAMICS, {"new_consent": 1})


def test_a_first_decision_in_dynamics_opts_a_profile_in_that_was_created_opted_out() -> None:
    told = consents()
    made = creation(told, contact(new_consent=None).values)
    assert made.fields == {"blackListEmail": True}
    assert made.undecidable == ("blackListEmail",)
    known = created_row(
        row(),
        told,
        contact(new_consent=None).values,
        profile(blackListEmail=True, blackListEmailLastModified="then"),
    )
    assert planned(known, 1, True).body == {"blackListEmail": False}
    assert planned(known, 1, True, stamp="moved").body == {"new_consent": 2}


def test_where_the_map_says_hold_it_is_neither_created_nor_touched() -> None:
    told = consents(undecided="hold")
    assert creation(told, contact(new_consent=3).values).fields is None
    plan = planned(row(blackListEmail=agreed(False)), 3, False, told)
    assert (plan.write, plan.verdicts, plan.undecidable) == (None, (), ("blackListEmail",))


def test_a_column_that_may_not_be_read_is_undecided_too() -> None:
    made = creation(consents(), contact().values)
    assert (made.fields, made.undecidable) == ({"blackListEmail": True}, ("blackListEmail",))


def test_a_create_agrees_only_on_what_campaign_shows() -> None:
    told, source = consents(), contact(new_consent=1).values
    for shown, value in ((False, False), (True, None), ("", None)):
        made = created_row(row(), told, source, profile(blackListEmail=shown))
        assert made.of("blackListEmail").agreement.value is value


def test_without_a_time_on_either_side_opted_out_wins() -> None:
    known = ConsentRow("p", ID, "e", found=True)
    plan = plan_consent(known, SourceRow(ID, 7, {"new_consent": 2}), {"blackListEmail": False}, consents())
    assert plan.body == {"blackListEmail": True}
    plan = plan_consent(known, SourceRow(ID, 7, {"new_consent": 1}), {"blackListEmail": True}, consents())
    assert plan.body == {"new_consent": 2}


def test_a_column_of_two_fields_is_opted_in_only_with_both() -> None:
    known = row(blackListPhone=agreed(True), blackListMobile=agreed(True))
    shown = profile(
        blackListPhone=False,
        blackListMobile=True,
        blackListPhoneLastModified="now",
        blackListMobileLastModified="then",
    )
    plan = plan_consent(known, contact(donotphone=True), shown, consents(TWO))
    assert plan.write is None
    assert plan.done().of("blackListPhone").kept == Kept(False, True, "now")
    shown["blackListMobile"] = False
    plan = plan_consent(plan.done(), contact(donotphone=True), shown, consents(TWO))
    assert plan.body == {"donotphone": False}


def test_what_a_direction_keeps_is_open_again_when_the_direction_is_wider() -> None:
    one_way, both = consents(direction="to_campaign"), consents()
    kept = planned(row(blackListEmail=agreed(False)), 1, True, one_way, stamp="now").done()
    assert kept.of("blackListEmail").kept == Kept(True, False, "now", Side.DYNAMICS)
    assert not differs(kept, one_way)
    assert differs(kept, both)
    assert not differs(kept, consents(direction="to_campaign", policy="adobe"))
