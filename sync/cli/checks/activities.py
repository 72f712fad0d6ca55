"""Email events: the activity tables, their columns, and the privileges to write them."""

from __future__ import annotations

from sync.cli.checks.finding import Finding, bad, good, of_error
from sync.dynamics.metadata import Metadata
from sync.dynamics.provisioning import Provisioning
from sync.errors import SyncError
from sync.flows.setup import look_at_tables
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


async def _privileges(metadata: Metadata, want: Desired) -> Finding:
    try:
        held = await metadata.privileges()
    except SyncError as error:
        return of_error(AREA, "privileges", error)
    missing = missing_privileges(want.privileges, held)
    if not missing:
        return good(AREA, "privileges", "the application user may write activities about contacts")
    text = f"not held at organization level: {', '.join(missing)}"
    fix = f"Give the application user the role {want.role} (docs/dynamics-setup.md)."
    return bad(AREA, "privileges", text, fix, "dynamics_forbidden")
