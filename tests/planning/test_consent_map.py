"""The consent map: what its text may not say, and what it may not ask of the two systems."""

from __future__ import annotations

import pytest

from sync.planning.consent_map import TARGETS
from sync.planning.consent_pairs import Consents, ConsentUnusable, SourceColumn, resolve
from sync.planning.load import MappingInvalid
from sync.planning.load_consent import load_consent

HEAD = "consent: contacts\ndirection: both\nfields:\n"
YES_NO = ((1, "Yes"), (0, "No"))
COLUMNS = {
    "donotbulkemail": SourceColumn("Boolean", ((1, "Do Not Allow"), (0, "Allow"))),
    "donotsendmm": SourceColumn("Boolean", ((1, "Do Not Send"), (0, "Send"))),
    "donotbulkpostalmail": SourceColumn("Boolean", YES_NO),
    "followemail": SourceColumn("Boolean", ((1, "Allow"), (0, "Do Not Allow"))),
    "new_wantsmail": SourceColumn("Boolean", ((1, "Opted in"), (0, "Opted out"))),
    "new_consent": SourceColumn("Picklist", ((1, "Given"), (2, "Withdrawn"), (3, "Not asked"))),
    "lastname": SourceColumn("String"),
    "donotphone": SourceColumn("Boolean", ((1, "Do Not Allow"), (0, "Allow"))),
}
FIELDS = dict.fromkeys(TARGETS, "boolean") | {f"{name}LastModified": "datetime" for name in TARGETS}


def wrong(lines: str) -> str:
    with pytest.raises(MappingInvalid) as caught:
        load_consent(HEAD + lines)
    return "\n".join(f"{p.line} {p.where}: {p.what} {p.fix}" for p in caught.value.problems)


def resolved(lines: str, fields: dict[str, str] | None = None) -> Consents:
    return resolve(load_consent(HEAD + lines), COLUMNS, FIELDS if fields is None else fields)


def unusable(lines: str, fields: dict[str, str] | None = None) -> str:
    with pytest.raises(ConsentUnusable) as caught:
        resolved(lines, fields)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("  - {source: donotbulkemail, target: email}\n", "4 fields 1, target: it is no opt-out field"),
        (
            (
                "  - {source: donotbulkemail, target: blackListEmail}\n"
                "  - {source: donotsendmm, target: denyListEmail}\n"
            ),
            "5 fields 2, target: fields 1 already feeds `blackListEmail`. Remove",
        ),
        (
            (
                "  - {source: donotbulkemail, target: blackListEmail}\n"
                "  - {source: new_wantsmail, target: denyListEmail, invert: true}\n"
            ),
            "fields 1 already feeds `blackListEmail`, with the opposite meaning.",
        ),
        (
            (
                "  - {source: donotbulkemail, target: blackListEmail}\n"
                "  - {source: donotbulkemail, target: blackListFax, invert: true}\n"
            ),
            "fields 1 reads `donotbulkemail` with the opposite meaning",
        ),
        ("  - {source: followemail, target: blackListEmail}\n", "it is no consent to mail"),
        (
            "  - {source: new_consent, target: blackList, opted_out: 2}\n",
            "a choice column needs both options",
        ),
        (
            "  - {source: new_consent, target: blackList, opted_out: 2, opted_in: 2}\n",
            "are the same option",
        ),
        (
            "  - {source: new_consent, target: blackList, opted_out: 2, opted_in: 1, invert: true}\n",
            "`invert` does not go with `opted_out`",
        ),
        ("  - {source: donotbulkemail, target: blackListEmail, invert: maybe}\n", "fields 1, invert"),
        ("  []\n", "fields"),
    ],
)
def test_a_text_is_refused_with_its_line_and_what_to_do(lines: str, told: str) -> None:
    assert told in wrong(lines)


def test_a_direction_of_its_own_making_is_refused_and_off_may_be_written_bare() -> None:
    with pytest.raises(MappingInvalid):
        load_consent("consent: contacts\ndirection: sideways\nfields:\n  - {source: a, target: blackList}\n")
    text = "consent: contacts\ndirection: off\nfields:\n  - {source: a, target: blackList}\n"
    assert load_consent(text).direction == "off"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("  - {source: lastname, target: blackList}\n", "lastname is a String column"),
        ("  - {source: donotfly, target: blackList}\n", "Dynamics has no column donotfly"),
        ("  - {source: new_consent, target: blackList}\n", "new_consent is a Picklist column"),
        (
            "  - {source: new_consent, target: blackList, opted_out: 2, opted_in: 9}\n",
            "new_consent is no choice column with the option 9",
        ),
        (
            "  - {source: donotbulkemail, target: blackList, opted_out: 1, opted_in: 0}\n",
            "donotbulkemail is no choice column",
        ),
        ("  - {source: new_wantsmail, target: blackList}\n", "so true is opted in; write `invert: true`"),
        ("  - {source: donotsendmm, target: blackList, invert: true}\n", "remove `invert`"),
    ],
)
def test_a_column_that_cannot_say_it_is_refused(lines: str, told: str) -> None:
    assert told in unusable(lines)


def test_campaign_s_field_must_be_there_and_a_boolean() -> None:
    line = "  - {source: donotbulkemail, target: blackListEmail}\n"
    assert unusable(line, {}) == "Campaign has neither blackListEmail nor denyListEmail."
    assert "is a string" in unusable(line, {"blackListEmail": "string"})


def test_the_spelling_is_the_live_one_and_polarity_is_a_sentence() -> None:
    fields = {"denyListEmail": "boolean", "denyListEmailLastModified": "datetime"}
    (pair,) = resolved("  - {source: donotsendmm, target: blackListEmail}\n", fields).pairs
    assert (pair.name, pair.field, pair.stamp) == (
        "blackListEmail",
        "denyListEmail",
        "denyListEmailLastModified",
    )
    assert pair.sentence == 'donotsendmm = 1 "Do Not Send" → opted out (denyListEmail)'
    (pair,) = resolved("  - {source: new_wantsmail, target: blackList, invert: true}\n").pairs
    assert pair.sentence == 'new_wantsmail = 0 "Opted out" → opted out (blackList)'


def test_a_field_without_last_modified_is_used_with_a_warning() -> None:
    told = resolved("  - {source: donotbulkemail, target: blackListEmail}\n", {"blackListEmail": "boolean"})
    assert told.pairs[0].stamp == ""
    assert "is refused" in told.warnings[0]


def test_every_value_of_a_boolean_and_a_choice() -> None:
    plain, choice = resolved(
        "  - {source: donotbulkemail, target: blackListEmail}\n"
        "  - {source: new_consent, target: blackList, opted_out: 2, opted_in: 1}\n"
    ).pairs
    assert [plain.of_dynamics(value) for value in (True, False, None, 1, "true")] == [
        True,
        False,
        False,
        None,
        None,
    ]
    assert [choice.of_dynamics(value) for value in (2, 1, 3, None, True)] == [True, False, None, None, None]
    assert (plain.to_dynamics(True), choice.to_dynamics(True), choice.to_dynamics(False)) == (True, 2, 1)
