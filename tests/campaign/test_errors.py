"""Campaign's text errors: permanent ones are told from passing ones, and no value gets through."""

from __future__ import annotations

import pytest

from sync.campaign.errors import error_from
from sync.errors import Reaction, SyncError, UnknownOutcome
from sync.http import Answer
from tests.campaign.instance import ID, Instance

CANARY = "canary.person@example.com"
GENERAL = "RST-360011 An error has occurred - please contact your administrator."


def classed(status: int, text: str, *, write: bool = True, by_key: bool = False) -> SyncError:
    answer = Answer("campaign", status, {}, text.encode(), write)
    error = error_from(answer, fields=("gender", "email", "age"), by_key=by_key)
    assert CANARY not in str(error)
    return error


ENUMERATION = (
    f"The value '{CANARY}' is not valid for the 'nms:recipient:gender' enumeration of the '@gender' field"
)
DUPLICATE = (
    f"A 'Profile' with the same key '{CANARY}' already exists.\nPGS-220000 PostgreSQL error: ERROR: duplicate key value "
    f'violates unique constraint "nmsrecipient_externalid" DETAIL: Key (sexternalid)=({CANARY}) already exists.'
)
READ_ONLY = "Cannot update the 'age' property that is read-only\n'age' property is not valid for the 'profile' resource"
POLICY = (
    f"The value '{CANARY}' is not valid for the '@email' field: it does not follow the 'email' data policy."
)
BAD_PKEY = (
    "'O5iRp40EGA' attribute unknown (see definition of 'Profiles (nms:recipient)' schema).\n"
    "XTK-170036 Unable to parse expression '@id = @O5iRp40EGA'."
)


@pytest.mark.parametrize(
    ("text", "code", "detail"),
    [
        (ENUMERATION, "enumeration_value", "RST-360011 gender"),
        (DUPLICATE, "duplicate_key", "RST-360011 PGS-220000"),
        (READ_ONLY, "read_only_field", "RST-360011 age"),
        ("'cusX' property is not valid for the 'profile' resource", "unknown_field", "RST-360011"),
        (
            "PGS-220000 PostgreSQL error: ERROR: value too long for type",
            "value_too_long",
            "RST-360011 PGS-220000",
        ),
        (POLICY, "value_refused", "RST-360011 email"),
    ],
)
def test_permanent_data_errors_set_the_record_aside(text: str, code: str, detail: str) -> None:
    error = classed(500, f"{GENERAL}\n{text}")
    assert (error.code, error.reaction, error.detail) == (code, Reaction.QUARANTINE, detail)


def test_a_key_that_may_not_change_sets_the_record_aside() -> None:
    text = "RST-360012 Inconsistent operation on resource 'service' – Cannot update key 'SVC3' to 'SVC4'."
    assert (classed(500, text).code, classed(500, text).reaction) == ("key_change", Reaction.QUARANTINE)


def test_a_500_that_is_not_known_is_tried_again() -> None:
    error = classed(500, f"{GENERAL}\nXTK-170999 The server is on fire, {CANARY}")
    assert (error.code, error.reaction, error.detail) == (
        "campaign_error",
        Reaction.RETRY,
        "RST-360011 XTK-170999",
    )


def test_the_gateway_s_500_leaves_a_write_unknown() -> None:
    oops = '{"code":500,"message":"Oops. Something went wrong. Check your URI and try again."}'
    assert isinstance(classed(500, oops), UnknownOutcome)


def test_a_read_that_the_gateway_cannot_route_names_the_address() -> None:
    oops = '{"code":500,"message":"Oops. Something went wrong. Check your URI and try again."}'
    error = classed(500, oops, write=False)
    assert (error.code, error.reaction) == ("campaign_wrong_address", Reaction.STOP)
    error = classed(500, '{"code":500,"message":"Internal error"}', write=False)
    assert (error.code, error.reaction) == ("campaign_error", Reaction.RETRY)


@pytest.mark.parametrize(
    ("status", "text"), [(500, f"{GENERAL}\n{BAD_PKEY}"), (404, "Unable to decrypt PKey. (PKey=@jksad)")]
)
def test_an_invalid_pkey_is_not_found_and_an_invalid_key_is_no_addressing(status: int, text: str) -> None:
    assert classed(status, text).code == "not_found"
    assert classed(status, text, by_key=True).code == "no_addressing"


@pytest.mark.parametrize("value", [BAD_PKEY, "Unable to decrypt PKey", "Unable to find document"])
def test_a_value_that_speaks_like_the_engine_neither_stops_the_flow_nor_proves_absence(value: str) -> None:
    text = f"{GENERAL}\nThe value '{value}' is not valid for the '@email' field"
    assert classed(500, text, by_key=True).code == "value_refused"


def test_an_unknown_key_is_not_found() -> None:
    text = f"{GENERAL} Unable to find document with path 'Profile' from key '{CANARY}' (document with schema 'profile')"
    assert classed(404, text, by_key=True).code == "not_found"


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (404, f"{GENERAL} Error rc=-2003", "campaign_wrong_address"),
        (404, "<html>not found</html>", "campaign_wrong_address"),
        (400, '{"error_code":"400000","message":"bad tenant"}', "campaign_wrong_address"),
        (403, '{"error_code":"403023","message":"Profile is not valid"}', "campaign_forbidden"),
        (403, "<html>forbidden</html>", "campaign_forbidden"),
    ],
)
def test_a_wrong_address_or_right_stops_the_flow(status: int, text: str, code: str) -> None:
    error = classed(status, text)
    assert (error.code, error.reaction) == (code, Reaction.STOP)


def test_a_400_of_the_engine_sets_the_record_aside() -> None:
    assert classed(400, GENERAL).code == "campaign_refused"


def test_words_of_the_engine_inside_a_value_do_not_decide() -> None:
    """A proxy page that happens to hold such words is not the engine's."""
    assert classed(500, "<html>with the same key 'x'</html>").code == "campaign_error"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"gender": "robot"}, "enumeration_value"),
        ({"email": f"{CANARY}@"}, "value_refused"),
        ({"lastName": CANARY * 5}, "value_too_long"),
        ({"age": 7}, "read_only_field"),
        ({"cusNone": CANARY}, "unknown_field"),
        ({"location": {"planet": CANARY}}, "unknown_field"),
        ({"birthDate": CANARY}, "value_refused"),
    ],
)
async def test_what_the_look_alike_refuses_is_recognised(
    body: dict[str, object], code: str, dialect: str
) -> None:
    instance = Instance()
    with pytest.raises(SyncError) as caught:
        await instance.client.create({"externalId": ID, **body})
    if dialect == "v8" and code != "unknown_field":
        assert (caught.value.code, caught.value.reaction) == ("campaign_unexplained", Reaction.RETRY)
        return
    assert (caught.value.code, caught.value.reaction) == (code, Reaction.QUARANTINE)
    assert CANARY not in str(caught.value)
    field, value = next(iter(body.items()))
    assert caught.value.detail.split(" ")[-1] == (next(iter(value)) if isinstance(value, dict) else field)


async def test_duplicates_of_the_key_and_of_another_key_read_alike(dialect: str) -> None:
    instance = Instance(options={"unique_fields": ("cusCrmNumber",)})
    await instance.client.create({"externalId": ID, "cusCrmNumber": CANARY})
    for body in ({"externalId": ID}, {"externalId": "other", "cusCrmNumber": CANARY}):
        with pytest.raises(SyncError) as caught:
            await instance.client.create(body)
        if dialect == "v8":
            assert caught.value.code == "campaign_unexplained"
            continue
        assert caught.value.code == "duplicate_key"
        assert caught.value.detail == "RST-360011 PGS-220000"
