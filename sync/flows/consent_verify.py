"""consent verify: compare the consent of all linked contacts in both systems, and where that is so on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from sync.flows.consent_hints import has_profile, is_contact_id
from sync.flows.context import Context
from sync.model import Row
from sync.planning.consent_pairs import Consents
from sync.planning.consent_plan import differs, look_at
from sync.storage.ledger import bucket_of, partition_of
from sync.storage.watermarks import Progress

PAGE = 200
READ = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not the same on both sides. `kept`: the direction or the brake wants it so."""

    record_id: str
    field: str
    campaign: bool
    dynamics: bool
    kept: bool


@dataclass
class Verified:
    """How many linked contacts were compared, and how many could not be (a value that means neither)."""

    contacts: int = 0
    undecidable: int = 0


async def verify(
    context: Context, consents: Consents, done: Verified, tell: Callable[[int], None] = lambda seen: None
) -> AsyncIterator[Difference]:
    """Every difference, page by page of Campaign's profiles; reads only. Raises SyncError."""
    mapping = consents.map.consent
    await context.active(mapping)
    progress = await context.watermarks.progress(mapping)
    await context.guard(progress)
    await context.know_addressing()
    await context.spend()
    page = await context.profiles.every(PAGE)
    seen = 0
    while True:
        linked = {
            str(row["externalId"]).lower(): row
            for row in page.rows
            if is_contact_id(str(row.get("externalId", "")).lower())
        }
        ids = sorted(linked)
        for start in range(0, len(ids), READ):
            part = {record_id: linked[record_id] for record_id in ids[start : start + READ]}
            async for difference in _compare(context, consents, progress, part, done):
                yield difference
        seen += len(page.rows)
        tell(seen)
        if page.next is None:
            return
        await context.spend()
        page = await context.profiles.follow(page.next)


async def _compare(
    context: Context, consents: Consents, progress: Progress, profiles: Mapping[str, Row], done: Verified
) -> AsyncIterator[Difference]:
    mapping = consents.map.consent
    compiled = await context.sourced(await context.active(mapping))
    places = {
        record_id: partition_of(mapping, progress.epoch, bucket_of(record_id, context.buckets[mapping]))
        for record_id in profiles
    }
    all_known = progress.all_known
    looked_up = (has_profile(context, places[one], one, all_known=all_known) for one in profiles)
    known = await asyncio.gather(*looked_up)
    ours = [record_id for record_id, there in zip(profiles, known, strict=True) if there]
    async with context.dynamics_permit():
        contacts = await context.dynamics.read(
            compiled.entity_set, compiled.key_column, consents.columns, ours
        )
    rows = await asyncio.gather(*(context.consents.get(places[one], one) for one in contacts))
    for (record_id, contact), row in zip(contacts.items(), rows, strict=True):
        done.contacts += 1
        for pair in consents.pairs:
            look = look_at(consents, pair, contact, profiles[record_id])
            if look is None:
                done.undecidable += 1
            elif look.campaign != look.dynamics:
                kept = row.of(pair.name).kept
                same = kept is not None and (kept.campaign, kept.dynamics) == (look.campaign, look.dynamics)
                same = same and not differs(row, consents)
                yield Difference(record_id, pair.name, look.campaign, look.dynamics, same)
