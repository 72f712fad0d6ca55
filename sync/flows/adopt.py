"""adopt: find, by another field, the Campaign records that were there before the sync, and give them their key.

Nothing is written but the key, only on request, and only where a look just before shows that there is none. A record is
matched if exactly one record in Campaign and exactly one in Dynamics have the value, and the latter has no profile of
its own. Values stay in memory; what is counted and shown are ids.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sync import telemetry
from sync.campaign.records import Records, Ref
from sync.errors import SyncError
from sync.flows.context import Context
from sync.flows.replay import send_records
from sync.flows.spend import spend_backfill
from sync.flows.walk import Walk
from sync.model import Intent
from sync.planning.compile import CompiledMapping

PAGE = 200
VALUES_PER_READ = 15
"""Values in one condition: each is a comparison."""


@dataclass
class Adoption:
    """`counts`: keyed, empty, matched, ambiguous, none, owned, blocked, written, moved. `ids`: contacts by kind."""

    counts: Counter[str] = field(default_factory=Counter)
    ids: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, record_id: str = "") -> None:
        self.counts[kind] += 1
        if record_id:
            self.ids.setdefault(kind, []).append(record_id)


@dataclass
class Search:
    """Where it looks: a text field of Campaign, and the column that the mapping reads it from."""

    context: Context
    compiled: CompiledMapping
    target: Records
    path: str
    column: str
    adoption: Adoption = field(default_factory=Adoption)
    seen: Counter[bytes] = field(default_factory=Counter)
    """Digests of the values of records without key, and how often each is there."""


async def adopt(
    context: Context,
    mapping: str,
    field_name: str,
    *,
    write: bool,
    tell: Callable[[str, int], None] = lambda what, records: None,
) -> Adoption:
    """Look through all of Campaign twice: for values that are there once, then for their records in Dynamics."""
    compiled = await context.sourced(await context.active(mapping))
    column = fields_to_match(compiled)[field_name]
    search = Search(context, compiled, await context.target(compiled), field_name, column)
    await _each_page(search, lambda records: tell("counting values", records))
    await _each_page(search, lambda records: tell("matching", records), write=write)
    telemetry.event("adopted", mapping=mapping, **search.adoption.counts)
    return search.adoption


def fields_to_match(compiled: CompiledMapping) -> dict[str, str]:
    """Campaign's fields that hold a text column of Dynamics as it is, and that column.

    What is computed, replaced, labelled or taken from a related row is not the value that Dynamics can be asked for.
    """
    return {
        one.target: one.column
        for one in compiled.fields
        if one.plain and one.type in ("string", "email") and one.column == one.source
    }


async def _each_page(search: Search, tell: Callable[[int], None], *, write: bool | None = None) -> None:
    """Every page of what Campaign holds; `write` None: only count the values."""
    await spend_backfill(search.context)
    page = await search.target.every(PAGE)
    records, walk = 0, Walk()
    while True:
        refs = [Ref(str(row.get("PKey", "")), str(row.get("href", "")), row) for row in page.rows]
        if write is None:
            _count(search, refs)
        else:
            await _match(search, refs, write=write)
        records += len(refs)
        tell(records)
        if page.next is None:
            return
        walk = walk.on(page.next)
        await spend_backfill(search.context)
        page = await search.target.follow(page.next)


def _value(search: Search, ref: Ref) -> str:
    """What a record without key is looked for by; empty if it has a key or no value."""
    if ref.shown.get(search.target.key_target):
        return ""
    return str(ref.shown.get(search.path) or "").strip()


def _digest(value: str) -> bytes:
    return hashlib.blake2b(value.casefold().encode(), digest_size=8).digest()


def _count(search: Search, refs: Sequence[Ref]) -> None:
    for ref in refs:
        value = _value(search, ref)
        if ref.shown.get(search.target.key_target):
            search.adoption.add("keyed")
        elif not value:
            search.adoption.add("empty")
        else:
            search.seen[_digest(value)] += 1


async def _match(search: Search, refs: Sequence[Ref], *, write: bool) -> None:
    wanted = {value.casefold(): ref for ref in refs if (value := _value(search, ref))}
    single = {value: ref for value, ref in wanted.items() if search.seen[_digest(value)] == 1}
    doubled = sum(bool(_value(search, ref)) for ref in refs) - len(single)
    if doubled:
        search.adoption.counts["ambiguous"] += doubled
    values = sorted(single)
    for start in range(0, len(values), VALUES_PER_READ):
        part = values[start : start + VALUES_PER_READ]
        await _ask(search, {value: single[value] for value in part}, write=write)


async def _ask(search: Search, single: dict[str, Ref], *, write: bool) -> None:
    """Which records in Dynamics have these values?"""
    context, compiled = search.context, search.compiled
    async with context.dynamics_permit(spare=1):
        rows = await context.dynamics.having(
            compiled.entity_set, compiled.key_column, search.column, sorted(single)
        )
    found: dict[str, list[str]] = {}
    for row in rows:
        value = str(row.values.get(search.column) or "").strip().casefold()
        found.setdefault(value, []).append(row.record_id)
    erased = await context.blocked.among(row.record_id for row in rows)
    for value, ref in single.items():
        ids = found.get(value, [])
        if not ids:
            search.adoption.add("none")
        elif len(ids) > 1:
            search.adoption.add("ambiguous")
        elif ids[0] in erased:
            search.adoption.add("blocked")
        else:
            await _candidate(search, ref, ids[0], write=write)


async def _candidate(search: Search, ref: Ref, record_id: str, *, write: bool) -> None:
    context, target = search.context, search.target
    await spend_backfill(context)
    if await context.blocked.among([record_id]):
        search.adoption.add("blocked")
        return
    if await target.find(record_id):
        search.adoption.add("owned", record_id)
        return
    search.adoption.add("matched", record_id)
    if not write:
        return
    for _ in range(2):
        await spend_backfill(context)
    if await context.blocked.among([record_id]):
        # The waits for permits are long enough for a block to come and end.
        search.adoption.add("blocked", record_id)
        return
    try:
        written = await target.adopt(ref, record_id, search.path)
    except SyncError as error:
        raise SyncError(error.code, "setting a key that was empty", record_id=record_id) from None
    search.adoption.add("written" if written else "moved", record_id)
    if written:
        await send_records(context, search.compiled.name, [record_id], Intent.RETRY)
