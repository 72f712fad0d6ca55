"""From log lines to events: headers by configuration, nothing guessed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sync.model import EmailEvent
from sync.planning.exports import BadLine, Exports, HeaderUnknown, Left, LineReader, reader_for
from tests.events.stage import (
    DELIVERY_HEADER,
    START,
    TRACKING_HEADER,
    contact_id,
    delivery_line,
    tracking_line,
)

CONTACT = contact_id(7)


def delivery(exports: Exports | None = None) -> LineReader:
    return reader_for(DELIVERY_HEADER.split(","), exports or Exports())


def tracking() -> LineReader:
    return reader_for(TRACKING_HEADER.split(","), Exports())


def event(reader: LineReader, line: str) -> EmailEvent:
    found = reader.read(line.split(","))
    assert isinstance(found, EmailEvent)
    return found


def code(reader: LineReader, line: str) -> tuple[str, str]:
    with pytest.raises(BadLine) as error:
        reader.read(line.split(","))
    return error.value.code, error.value.column


def test_a_sent_line_is_a_send() -> None:
    found = event(
        delivery(), delivery_line(12, CONTACT.upper(), at=0, modified=1.5, mirror="https://m.test/1")
    )
    assert (found.kind, found.log, found.log_id) == ("send", "delivery", "12")
    assert (found.contact, found.at, found.modified) == (CONTACT, START, START + 1.5)
    assert (found.campaign, found.delivery, found.mirror) == ("2019LoyaltyCamp", "DM190", "https://m.test/1")


def test_a_failed_line_is_a_bounce_with_type_and_reason() -> None:
    found = event(delivery(), delivery_line(1, CONTACT, status="Failed", bounce="Hard", reason="1"))
    assert (found.kind, found.bounce_type, found.bounce_reason) == ("bounce", "hard", "Unknown user")


@pytest.mark.parametrize(("type", "kind"), [("Open", "open"), ("Email click", "click")])
def test_tracking_lines_are_opens_and_clicks(type: str, kind: str) -> None:
    found = event(tracking(), tracking_line(3, CONTACT, type=type, url="https://x.test"))
    assert (found.kind, found.log) == (kind, "tracking")
    assert found.url == ("https://x.test" if kind == "click" else "")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (delivery_line(1, CONTACT, proof=1), "proof"),
        (delivery_line(1, CONTACT, seed=1), "seed"),
        (delivery_line(1, "", status="Sent"), "no_contact"),
        (delivery_line(1, "CRM-12"), "no_contact"),
        (delivery_line(1, CONTACT, status="Pending"), "no_event"),
    ],
)
def test_what_is_no_event_of_a_contact_is_left_with_its_reason(line: str, why: str) -> None:
    assert delivery().read(line.split(",")) == Left(why)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (delivery_line(1, CONTACT, status="Vanished"), ("kind_unknown", "status")),
        (delivery_line("", CONTACT), ("value_missing", "log_id")),
        (delivery_line(1, CONTACT, delivery=""), ("value_missing", "delivery")),
        (delivery_line(1, CONTACT, delivery="d" * 201), ("name_too_long", "delivery")),
        (delivery_line(1, CONTACT).replace("2026-", "26-"), ("date_wrong", "at")),
        (delivery_line(1, CONTACT).replace(",0,0,", ",maybe,0,"), ("flag_unknown", "proof")),
        (delivery_line(1, CONTACT) + ",more", ("line_width", "13 instead of 12 columns")),
    ],
)
def test_a_bad_line_says_which_column_and_never_the_value(line: str, told: tuple[str, str]) -> None:
    assert code(delivery(), line) == told


def test_headers_come_in_any_order_and_case() -> None:
    names = DELIVERY_HEADER.lower().split(",")
    line = delivery_line(5, CONTACT).split(",")
    reader = reader_for(names[::-1], Exports())
    assert reader.read(line[::-1]) == delivery().read(line)


def test_an_unknown_header_names_what_is_missing_of_the_closer_log() -> None:
    names = [name for name in DELIVERY_HEADER.split(",") if name not in ("status", "proofMember")]
    with pytest.raises(HeaderUnknown) as error:
        reader_for(names, Exports())
    assert error.value.log == "delivery"
    assert error.value.missing == ("status", "proofMember")


def test_names_and_values_are_configuration() -> None:
    exports = Exports.model_validate(
        {"delivery_log": {"status": ["Zustand"]}, "sent": ["Gesendet"], "time_zone": "Europe/Berlin"}
    )
    names = [("Zustand" if name == "status" else name) for name in DELIVERY_HEADER.split(",")]
    line = delivery_line(1, CONTACT, status="Gesendet").replace("Z,", ",").split(",")
    found = reader_for(names, exports).read(line)
    assert isinstance(found, EmailEvent)
    assert found.at == event(delivery(), delivery_line(1, CONTACT)).at - 7200


@pytest.mark.parametrize("wrong", [{"delimiter": ";;"}, {"time_zone": "Mars/Olympus"}, {"colour": 1}])
def test_a_wrong_configuration_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Exports.model_validate(wrong)


def test_times_are_as_fine_as_they_are_stored() -> None:
    line = delivery_line(1, CONTACT).replace(".000Z", ".123456Z")
    assert event(delivery(), line).modified % 1 == pytest.approx(0.123)
