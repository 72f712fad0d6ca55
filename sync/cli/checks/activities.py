"""Email events: the activity tables, their columns, and the privileges to write them."""

from __future__ import annotations

from collections.abc import Mapping

from sync.cli.checks.finding import Finding, bad, good, of_error
from sync.dynamics.activities import ActivityWriter
from sync.dynamics.client import Dynamics
from sync.dynamics.metadata import Metadata
from sync.dynamics.provisioning import Provisioning
from sync.errors import SyncError
from sync.flows.setup import look_at_tables
from sync.planning.activities import Owner
from sync.planning.provision import Desired, Found, missing_privileges, table_obstacles

AREA = "Email events"
_SETUP = "Run `python -m sync setup dynamics`."


async def check_activities(provisioning: Provisioning, metadata: Metadata, want: Desired) -> list[Finding]:
    """A line per table, and one for the role. Reads definitions only: the application user may not see solutions."""
    try:
        found = Found(tables=await look_at_tables(provisioning, metadata, want))
    except SyncError as error:
        return [of_error(AREA, "tables", error)]
    findings = []
    for table in want.tables:
        there = found.tables.get(table.name)
        missing = [c.name for c in table.columns if there is not None and c.name not in there.columns]
        wrong = list(table_obstacles(want, table, found))
        if wrong:
            findings += [bad(AREA, table.name, one.what, one.fix, "setup_incomplete") for one in wrong]
        elif there is None:
            findings.append(bad(AREA, table.name, "the table does not exist", _SETUP, "setup_incomplete"))
        elif missing:
            text = f"columns are missing: {', '.join(missing)}"
            findings.append(bad(AREA, table.name, text, _SETUP, "setup_incomplete"))
        else:
            findings.append(good(AREA, table.name, f"{len(table.columns)} columns, set {table.entity_set}"))
    return [*findings, await _privileges(metadata, want)]


async def check_writers(writer: ActivityWriter, want: Desired) -> list[Finding]:
    """A line for each further application user (EVENTS_USER_IDS): it writes with credentials and roles of its own."""
    found = []
    for user in range(1, writer.users):
        name = f"application user {user + 1}"
        try:
            found.append(_held(name, await writer.privileges(user), want))
        except SyncError as error:
            found.append(of_error(AREA, name, error))
    return found


async def check_owner(dynamics: Dynamics, owner: Owner | None) -> list[Finding]:
    """Whoever shall own the activities: with an owner that is not there every activity would be refused."""
    if owner is None:
        return []
    name, entity_set = f"owner ({owner.kind})", "systemusers" if owner.kind == "user" else "teams"
    try:
        await dynamics.get(f"{entity_set}({owner.id})?$select={entity_set[:-1]}id")
    except SyncError as error:
        if error.code != "dynamics_not_found":
            return [of_error(AREA, name, error)]
        fix = "Correct `options.owner` in `mappings/events.yaml`, or take it out."
        return [bad(AREA, name, f"there is no {owner.kind} {owner.id}", fix, error.code)]
    return [good(AREA, name, owner.id)]


async def _privileges(metadata: Metadata, want: Desired) -> Finding:
    try:
        held = await metadata.privileges()
    except SyncError as error:
        return of_error(AREA, "privileges", error)
    return _held("privileges", held, want)


def _held(name: str, held: Mapping[str, str], want: Desired) -> Finding:
    missing = missing_privileges(want.privileges, held)
    if not missing:
        return good(AREA, name, "the application user may write activities about contacts")
    text = f"not held at organization level: {', '.join(missing)}"
    fix = f"Give the application user the role {want.role} (docs/dynamics-setup.md)."
    return bad(AREA, name, text, fix, "dynamics_forbidden")
