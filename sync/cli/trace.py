"""`trace`: everything that is known of one record, on both sides and in between, and what would be sent now."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import typer

from sync.cli.frame import OK, run
from sync.cli.mappings.preview import expected_json, show_expected
from sync.cli.options import AsJson, SettingsFile
from sync.cli.output import Output, counted
from sync.cli.records import record_id
from sync.cli.session import Session
from sync.consent_row import ConsentRow, FieldState
from sync.errors import CATALOGUE
from sync.flows.context import Context
from sync.flows.trace import Trace
from sync.flows.trace import trace as look
from sync.model import State, to_iso
from sync.storage.events import Events
from sync.storage.ledger import bucket_of, partition_of


def trace(
    context: typer.Context,
    record: Annotated[str, typer.Argument(metavar="ID", help="Record id, which is also the externalId.")],
    mapping: Annotated[
        str,
        typer.Option(
            "--mapping", metavar="NAME", help="One mapping; all that know the record, if not given."
        ),
    ] = "",
    lines: Annotated[
        int, typer.Option("--lines", metavar="N", min=1, max=1000, help="How many lines of history.")
    ] = 5,
    events: Annotated[
        bool, typer.Option("--events", help="Search its e-mail events too (reads every event row).")
    ] = False,
    no_values: Annotated[
        bool, typer.Option("--no-values", help="Name the fields, not what is in them.")
    ] = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show everything known of one record.

    The row in Dynamics, the record in Campaign, the ledger, what it waits for, its links, its consent, its history, and
    what would be sent now. Changes nothing.

    Example:

      python -m sync trace 3f2504e0-4f89-41d3-9a0c-0305e82c3301
    """
    work = partial(_trace, record=record, mapping=mapping, lines=lines, events=events, values=not no_values)
    run(context, work, settings=settings, as_json=as_json)


async def _trace(
    session: Session, out: Output, *, record: str, mapping: str, lines: int, events: bool, values: bool
) -> int:
    wanted, context = record_id(record), session.context
    names = [mapping] if mapping else await _knowing(context, wanted)
    table = Events(session.account.table("events")) if events else None
    found = []
    for name in names:
        compiled = await context.active(name)
        found.append(await look(context, compiled, wanted, table, lines=lines))
    if out.as_json:
        out.json({"id": wanted, "traces": [_json(one, values=values) for one in found]})
        return OK
    for one in found:
        _show(one, out, values=values)
    return OK


async def _knowing(context: Context, record: str) -> list[str]:
    """The mappings whose ledger has the record; the first of all if none has."""
    versions = await context.mappings.all()
    found = []
    for version in versions:
        epoch = (await context.watermarks.progress(version.mapping)).epoch
        partition = partition_of(version.mapping, epoch, bucket_of(record, version.buckets))
        if (await context.ledger.get(partition, record)).etag is not None:
            found.append(version.mapping)
    names = [version.mapping for version in versions]
    return found or (["contacts"] if "contacts" in names or not names else names[:1])


def _show(found: Trace, out: Output, *, values: bool) -> None:
    out.line(f"{found.mapping} {found.record}", style="bold")
    rows = list(_facts(found))
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        out.line(f"  {name:{width}}  {text}")
    if found.history:
        out.table(
            ("  at", "did", "calls", "code", "why"),
            [[f"  {to_iso(e.at)[:19]}Z", e.did, str(e.calls), e.code, e.why] for e in found.history],
        )
    out.line("  now it would be:")
    show_expected(found.expected, out, values=values)
    out.line()


def _facts(found: Trace) -> Iterator[tuple[str, str]]:
    source, row = found.source, found.row
    yield "Dynamics", f"there, version {source.version}" if source else "no such row"
    there = {0: "not there", 1: "there"}.get(found.found, f"{found.found} records carry this id")
    yield "Campaign", there + (f", last changed {found.modified}" if found.modified else "")
    if row.etag is None:
        yield "ledger", "never seen by this mapping"
    else:
        yield "ledger", _ledger(found)
    if row.code in CATALOGUE:
        yield "", f"{CATALOGUE[row.code].meaning} Do: {CATALOGUE[row.code].fix}"
    if found.blocked:
        yield "blocked", "an erased person: never sent again"
    for item in found.parked:
        decided = ", approved" if item.approved else ""
        yield "waits for", f"{item.awaited}, {item.reason}, since {to_iso(item.since)[:19]}Z{decided}"
    if row.parents:
        yield "points to", ", ".join(str(ref) for ref in row.parents)
    if found.children:
        yield "pointed to by", ", ".join(str(ref) for ref in found.children)
    if found.consent is not None:
        yield "consent", "; ".join(_consent(found.consent)) or "nothing agreed yet"
    if found.events:
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(found.events.items()) if count)
        yield "e-mail events", told


def _ledger(found: Trace) -> str:
    row = found.row
    state = "on hold" if row.state is State.HOLD else row.state.value
    told = [
        state + (f" ({row.code})" if row.code else ""),
        f"since {to_iso(row.updated)[:19]}Z",
        f"source version {row.version}",
        f"mapping version {row.mapping_version or 'none'}",
        "sent before" if row.hash else "nothing of it is in Campaign, as far as we know",
    ]
    if row.failures:
        told.append(counted(row.failures, "refused call"))
    if row.unresolved:
        told.append("a call's outcome is unknown")
    if row.claimed:
        told.append(f"in work until {to_iso(row.claim_until)[:19]}Z")
    return ", ".join(told)


def _consent(row: ConsentRow) -> Iterator[str]:
    for name, state in sorted(row.fields.items()):
        yield f"{name} {_agreed(state)}"


def _agreed(state: FieldState) -> str:
    if state.kept is not None:
        return "kept different"
    value = state.agreement.value
    if value is None:
        return "undecided"
    return f"{'opted out' if value else 'opted in'} (by {state.agreement.by.value})"


def _json(found: Trace, *, values: bool) -> dict[str, Any]:
    row = found.row
    return {
        "mapping": found.mapping,
        "dynamics": {"version": found.source.version} if found.source else None,
        "campaign": {"records": found.found, "last_modified": found.modified},
        "ledger": None
        if row.etag is None
        else {
            "state": row.state.value,
            "code": row.code,
            "version": row.version,
            "mapping_version": row.mapping_version,
            "sent": bool(row.hash),
            "unresolved": row.unresolved,
            "claimed": row.claimed,
            "attempts": row.attempts,
            "failures": row.failures,
            "updated": to_iso(row.updated),
            "correlation": row.correlation,
            "parents": [str(ref) for ref in row.parents],
        },
        "blocked": found.blocked,
        "waits_for": [
            {"awaited": i.awaited, "reason": i.reason, "since": to_iso(i.since), "approved": i.approved}
            for i in found.parked
        ],
        "children": [str(ref) for ref in found.children],
        "consent": dict(line.split(" ", 1) for line in _consent(found.consent)) if found.consent else None,
        "events": found.events,
        "history": [
            {"at": to_iso(e.at), "did": e.did, "calls": e.calls, "code": e.code, "why": e.why}
            for e in found.history
        ],
        "now": expected_json(found.expected, values=values),
    }
