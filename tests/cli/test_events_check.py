"""What `doctor` says about email events: tables, columns, privileges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.dynamics.options import Application, DynamicsOptions
from sync.cli.checks.activities import check_activities, check_owner, check_writers
from sync.cli.checks.finding import Level
from sync.dynamics.metadata import Metadata
from sync.dynamics.provisioning import Provisioning
from sync.planning.activities import Owner
from sync.planning.load_events import load_events
from sync.planning.provision import desired
from sync.settings import Settings
from sync.storage.memory import OpenGate
from sync.storage.table import StorageFault
from tests.cli.office import Office, run

EVENTS = (Path(__file__).parents[2] / "mappings" / "events.yaml").read_text()


def findings(office: Office, text: str = EVENTS) -> dict[str, tuple[Level, str]]:
    client = office.compose(Settings.load(office.environ), office.clock).context.dynamics
    found = run(check_activities(Provisioning(client), Metadata(client), desired(load_events(text))))
    assert all(one.fix and one.code for one in found if one.level is Level.FAIL)
    return {one.name: (one.level, one.text) for one in found}


def ready() -> Office:
    office = Office()
    office.ask("setup", "dynamics", "--yes")
    return office


def test_all_is_green_after_set_up_with_the_role_alone() -> None:
    office = ready()
    office.dynamics.assume("Adobe Campaign Sync")
    office.dynamics.log.clear()
    found = findings(office)
    assert {level for level, _ in found.values()} == {Level.OK}
    assert set(found) == {"acs_emailsend", "acs_emailopen", "acs_emailclick", "acs_emailbounce", "privileges"}
    assert {entry.method for entry in office.dynamics.log if entry.note != "token"} == {"GET"}


def test_before_set_up_every_table_is_red() -> None:
    found = findings(Office())
    assert {name for name, (level, _) in found.items() if level is Level.FAIL} == {
        "acs_emailsend", "acs_emailopen", "acs_emailclick", "acs_emailbounce",
    }  # fmt: skip


def test_a_kind_that_is_off_needs_no_table() -> None:
    text = EVENTS.replace(
        "    enabled: true\n    table: acs_emailopen", "    enabled: false\n    table: acs_emailopen"
    )
    assert "acs_emailopen" not in findings(Office(), text)
    text = EVENTS.replace("granularity: every_event", "granularity: per_delivery")
    assert set(findings(Office(), text)) == {"acs_emailsend", "privileges"}


def test_a_removed_column_is_named() -> None:
    office = ready()
    office.dynamics.change_metadata(remove_column="acs_trackingurl", table="acs_emailclick")
    assert findings(office)["acs_emailclick"] == (Level.FAIL, "columns are missing: acs_trackingurl")


@pytest.mark.parametrize("name", ["prvCreateActivity", "prvAppendToContact"])
@pytest.mark.parametrize("depth", [None, "Basic"])
def test_a_privilege_that_lacks_or_reaches_too_short_is_named(name: str, depth: str | None) -> None:
    office = ready()
    office.dynamics.privileges(**{name: depth})
    level, text = findings(office)["privileges"]
    assert level is Level.FAIL
    assert name in text


async def writers(office: Office, secret: str) -> list[tuple[Level, str]]:
    environ = {**office.environ, "EVENTS_USER_IDS": "second", "EVENTS_USERS_SECRET": secret}
    app = office.compose(Settings.load(environ), office.clock).app
    return [
        (one.level, one.code) for one in await check_writers(app.events.writer, desired(load_events(EVENTS)))
    ]


def test_every_further_application_user_is_looked_at_with_its_own_credentials() -> None:
    more = Application("second", "second-secret", "5b7c1a52-93d1-4b1b-8f64-5e8c3c1d0b99")
    office = Office(dynamics_options=DynamicsOptions(applications=(more,)))
    office.ask("setup", "dynamics", "--yes")
    assert run(writers(office, "second-secret")) == [(Level.OK, "")]
    assert run(writers(office, "wrong")) == [(Level.FAIL, "dynamics_unauthorized")]
    office.dynamics.privileges(prvCreateActivity=None)
    assert run(writers(office, "second-secret")) == [(Level.FAIL, "dynamics_forbidden")]


@pytest.mark.parametrize("there", [True, False])
def test_an_owner_that_is_not_there_is_red(there: bool) -> None:
    office = Office()
    client = office.compose(Settings.load(office.environ), office.clock).context.dynamics
    who = office.dynamics.options.owner_id if there else "5b7c1a52-93d1-4b1b-8f64-5e8c3c1d0b99"
    (found,) = run(check_owner(client, Owner(kind="user", id=who)))
    assert found.level is (Level.OK if there else Level.FAIL)
    assert run(check_owner(client, None)) == []


class Refusing(OpenGate):
    """Storage that answers every listing with an error."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    async def before(self, name: str) -> None:
        raise StorageFault(self._kind)


def container(office: Office) -> tuple[str, str]:
    """What the whole of `doctor` says about the container."""
    told = json.loads(office.sync("doctor", "--json").stdout)["checks"]
    (one,) = [one for one in told if (one["area"], one["check"]) == ("Email events", "container")]
    return one["level"], one["text"] + one.get("fix", "")


def test_the_container_of_exports_is_listed() -> None:
    office = ready()
    assert container(office) == ("skip", "off: EVENTS_CONTAINER is not set (docs/events.md)")
    office.environ |= {"EVENTS_CONTAINER": "exports", "EVENTS_CONNECTION": "local"}
    office.logs.put("a.csv", b"x")
    assert container(office) == ("ok", "exports can be read, 1 file")


@pytest.mark.parametrize(
    ("kind", "settings", "level", "told"),
    [
        ("ResourceNotFoundError", {"EVENTS_CONNECTION": "local"}, "warn", "start it once"),
        ("ResourceNotFoundError", {}, "fail", "Storage Blob Data Reader"),
        ("ClientAuthenticationError", {"EVENTS_CONNECTION": "local"}, "fail", "(ClientAuthenticationError)"),
    ],
)
def test_a_container_that_cannot_be_read(kind: str, settings: dict[str, str], level: str, told: str) -> None:
    office = ready()
    office.environ |= {"EVENTS_CONTAINER": "exports", "EVENTS_BLOB_URI": "https://a.blob.core.windows.net"}
    office.environ |= settings
    office.logs.gate = Refusing(kind)
    found = container(office)
    assert found[0] == level
    assert told in found[1]
