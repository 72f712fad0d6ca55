"""Dataverse errors: the code decides before the status, and no text of the service gets through."""

from __future__ import annotations

import json

import pytest

from sandbox.wire import Fault
from sync.dynamics.errors import error_from
from sync.errors import Reaction, SyncError, Throttled
from sync.http import Answer
from tests.dynamics.organization import COLUMNS, Organization

CANARY = "canary.person@example.com"


def classed(
    status: int, code: str, message: str = CANARY, *, link: bool = False, write: bool = False
) -> SyncError:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    error = error_from(Answer("dynamics", status, {}, body, write), link=link)
    assert CANARY not in str(error)
    return error


@pytest.mark.parametrize(
    ("status", "code", "expected", "reaction"),
    [
        (404, "0x80040217", "dynamics_not_found", Reaction.QUARANTINE),
        (404, "-2147220969", "dynamics_not_found", Reaction.QUARANTINE),
        (412, "0x80060882", "dynamics_conflict", Reaction.RETRY),
        (412, "0x80060892", "dynamics_duplicate", Reaction.QUARANTINE),
        (500, "0x80040333", "dynamics_duplicate", Reaction.QUARANTINE),
        (400, "0x80044331", "dynamics_value_refused", Reaction.QUARANTINE),
        (400, "0x80072491", "change_tracking_off", Reaction.STOP),
        (400, "0x80072494", "dynamics_busy", Reaction.RETRY),
        (500, "0x80044151", "dynamics_busy", Reaction.RETRY),
        (500, "0x80044150", "dynamics_busy", Reaction.RETRY),
        (403, "0x80040220", "dynamics_forbidden", Reaction.STOP),
        (403, "", "dynamics_forbidden", Reaction.STOP),
        (404, "0x8006088a", "unknown_table", Reaction.STOP),
        (400, "0x80050401", "dynamics_full", Reaction.STOP),
        (500, "0x80099999", "dynamics_error", Reaction.RETRY),
        (400, "0x80099999", "dynamics_refused", Reaction.STOP),
    ],
)
def test_codes(status: int, code: str, expected: str, reaction: Reaction) -> None:
    error = classed(status, code)
    assert (error.code, error.reaction, error.status) == (expected, reaction, status)


@pytest.mark.parametrize(
    "message",
    [
        "Could not find a property named 'fristname' on type 'Microsoft.Dynamics.CRM.contact'.",
        f"Invalid property 'fristname' was found in entity 'Microsoft.Dynamics.CRM.contact'. {CANARY}",
    ],
)
def test_an_unknown_column_is_named(message: str) -> None:
    error = classed(400, "0x0", message)
    assert (error.code, error.detail) == ("unknown_column", "fristname")


@pytest.mark.parametrize("code", ["0x80044352", "0x80044183", "-2147204270"])
def test_an_expired_version_stamp_matters_on_a_link_only(code: str) -> None:
    assert classed(400, code, link=True).code == "delta_expired"
    assert classed(400, code).code == "dynamics_refused"


def test_a_link_refused_in_words_is_expired_too() -> None:
    assert classed(400, "", "The $deltatoken is not valid", link=True).code == "delta_expired"
    assert classed(410, "0x0", "Version stamp is gone", link=True).code == "delta_expired"
    assert classed(400, "", "The $skiptoken is not valid", link=True).code == "dynamics_refused"


def test_a_payload_error_is_the_record_s_on_a_write_and_the_request_s_on_a_read() -> None:
    assert classed(400, "0x80048d19", write=True).code == "dynamics_value_refused"
    assert classed(400, "0x80048d19").code == "dynamics_refused"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error":"x"}', b'{"error":null}', b""])
def test_an_error_that_is_not_dataverse_s_goes_by_status(body: bytes) -> None:
    assert error_from(Answer("dynamics", 500, {}, body, False)).code == "dynamics_error"


async def failure(
    organization: Organization, columns: tuple[str, ...] = COLUMNS, table: str = "contacts"
) -> SyncError:
    with pytest.raises(SyncError) as caught:
        await organization.client.start_tracking(table, "contactid", columns)
    return caught.value


async def test_what_an_admin_may_have_forgotten() -> None:
    organization = Organization()
    assert (await failure(organization, ("fristname",))).code == "unknown_column"
    assert (await failure(organization, table="contcats")).code == "unknown_table"
    organization.service.tracking(False)
    assert (await failure(organization)).code == "change_tracking_off"
    organization.service.tracking(True)
    organization.service.privileges(prvReadContact="Basic")
    assert (await failure(organization)).code == "dynamics_forbidden"


async def test_throttling_is_waited_for() -> None:
    organization = Organization()
    body = '{"error":{"code":"0x80072322","message":"Number of requests exceeded the limit of 6000"}}'
    organization.service.faults.add(
        Fault("status", path="contacts", status=429, headers={"Retry-After": "41"}, body=body)
    )
    error = await failure(organization)
    assert isinstance(error, Throttled)
    assert error.retry_after == 41
