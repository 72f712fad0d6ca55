"""Hints: contact ids in the consent lane, from whoever sees a consent that is not what the row says (design 4.7).

None needs to be kept: a lost hint comes again with the next look.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sync import telemetry
from sync.consent_row import ConsentRow
from sync.errors import SyncError
from sync.flows import consent_fit
from sync.flows.context import Context
from sync.model import Lane, Row, SourceRow, State, from_iso, to_iso
from sync.planning.consent_pairs import Consents
from sync.planning.consent_plan import differs, opted_out
from sync.planning.rows import may_be_sent
from sync.storage.lanes import MessageUnreadable, gather_all
from sync.storage.ledger import bucket_of, partition_of
from sync.storage.watermarks import Progress

AT_ONCE = 50
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Hint:
    """A message of the consent lane: look at this contact, unless somebody did since `at` (0: not known)."""

    record_id: str
    at: float = 0.0

    @property
    def message(self) -> str:
        return json.dumps({"contact": self.record_id, "at": to_iso(self.at)})


def from_hint(body: str) -> Hint:
    """Raises MessageUnreadable."""
    try:
        told = json.loads(body)
        record_id, at = told["contact"], from_iso(told["at"]) if "at" in told else 0.0
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MessageUnreadable("a message that is no hint") from None
    if not isinstance(record_id, str) or not is_contact_id(record_id):
        raise MessageUnreadable("a hint without a contact id")
    return Hint(record_id, at)


def is_contact_id(text: str) -> bool:
    """Whether a text is an id in lower case."""
    return _ID.fullmatch(text) is not None


async def hint(context: Context, record_ids: Iterable[str]) -> None:
    """Queue hints of this moment."""
    queue = context.lanes.queue(Lane.CONSENT)
    now = context.clock.now()
    ids = list(dict.fromkeys(record_ids))
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        await gather_all([queue.put(Hint(record_id, now).message) for record_id in part])


async def hint_again(context: Context, told: Hint, *, delay_s: float) -> None:
    """Queue a hint that could not be worked; it keeps its time."""
    await context.lanes.queue(Lane.CONSENT).put(told.message, delay_s=delay_s)


async def hint_contacts(
    context: Context,
    mapping: str,
    progress: Progress,
    rows: Sequence[SourceRow],
    *,
    only_opted_out: bool = False,
) -> int:
    """Hint the contacts of a page that have a profile and whose consent is not the row's; how many."""
    try:
        consents = await consent_fit.usable(context, mapping)
    except SyncError as error:
        # Reading must go on while Campaign is down; whoever applies these records looks again.
        telemetry.event("consent_not_compared", mapping=mapping, code=error.code)
        return 0
    if consents is None:
        return 0
    told = {
        row.record_id: row.values for row in rows if not only_opted_out or opted_out(consents, row.values)
    }
    return await _hint_different(context, progress, consents, told, profiles=False)


async def hint_profiles(
    context: Context, progress: Progress, consents: Consents, profiles: Mapping[str, Row]
) -> int:
    """Hint the profiles whose consent or its time is not the row's; how many."""
    return await _hint_different(context, progress, consents, profiles, profiles=True)


async def hint_exported(context: Context, progress: Progress, changed: Mapping[str, float | None]) -> int:
    """Hint the profiles that an export names, those apart that were looked at since they changed; how many."""

    def wanted(row: ConsentRow) -> bool:
        at = changed[row.record_id]
        return at is None or row.looked <= at + context.settings.consent_overlap_s

    return await _hint_where(context, progress, changed, wanted)


async def _hint_different(
    context: Context, progress: Progress, consents: Consents, told: Mapping[str, Row], *, profiles: bool
) -> int:
    def wanted(row: ConsentRow) -> bool:
        values = told[row.record_id]
        return differs(row, consents, **({"profile": values} if profiles else {"contact": values}))

    return await _hint_where(context, progress, told, wanted)


async def _hint_where(
    context: Context, progress: Progress, record_ids: Iterable[str], wanted: Callable[[ConsentRow], bool]
) -> int:
    """Hint those that have a profile and whose row is `wanted`; how many."""
    found: list[str] = []

    async def one(record_id: str) -> None:
        bucket = bucket_of(record_id, context.buckets[progress.mapping])
        partition = partition_of(progress.mapping, progress.epoch, bucket)
        row = await context.consents.get(partition, record_id)
        known = progress.all_known
        if wanted(row) and await has_profile(context, partition, record_id, all_known=known):
            found.append(record_id)

    ids = sorted(record_ids)
    for start in range(0, len(ids), AT_ONCE):
        await gather_all([one(record_id) for record_id in ids[start : start + AT_ONCE]])
    await hint(context, sorted(found))
    return len(found)


async def has_profile(context: Context, partition: str, record_id: str, *, all_known: bool) -> bool:
    """Whether the sync wrote this profile or may have, and neither side is known to be missing.

    A record on hold comes back with its next apply, which compares it. One that is parked has its consent carried all
    the same: it waits for its parent, or its profile is mailed until somebody approves the delete.
    """
    row = await context.ledger.get(partition, record_id)
    missing = row.state in (State.DELETED, State.HOLD)
    return may_be_sent(row, all_known=all_known) and not missing
