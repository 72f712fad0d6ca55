"""Hints: contact ids in the consent lane, from whoever sees a consent that is not what the row says (design 4.7).

None needs to be kept: a lost hint comes again with the next look.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from sync import telemetry
from sync.errors import SyncError
from sync.flows.context import Context
from sync.model import Lane, Row, SourceRow, State
from sync.planning.consent_pairs import Consents
from sync.planning.consent_plan import differs, opted_out
from sync.storage.lanes import MessageUnreadable, gather_all
from sync.storage.ledger import bucket_of, partition_of
from sync.storage.watermarks import Progress

AT_ONCE = 50
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def to_hint(record_id: str) -> str:
    """A message of the consent lane: a contact id and nothing else."""
    return json.dumps({"contact": record_id})


def from_hint(body: str) -> str:
    """The contact id; raises MessageUnreadable."""
    try:
        told = json.loads(body)["contact"]
    except (ValueError, KeyError, TypeError):
        raise MessageUnreadable("a message that is no hint") from None
    if not isinstance(told, str) or not is_contact_id(told):
        raise MessageUnreadable("a hint without a contact id")
    return told


def is_contact_id(text: str) -> bool:
    """Whether a text is an id in lower case."""
    return _ID.fullmatch(text) is not None


async def hint(context: Context, record_ids: Iterable[str], *, delay_s: float = 0.0) -> None:
    """Queue hints."""
    queue = context.lanes.queue(Lane.CONSENT)
    ids = list(dict.fromkeys(record_ids))
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        await gather_all([queue.put(to_hint(record_id), delay_s=delay_s) for record_id in part])


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
        consents = await context.usable_consent(mapping)
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


async def _hint_different(
    context: Context, progress: Progress, consents: Consents, told: Mapping[str, Row], *, profiles: bool
) -> int:
    found: list[str] = []

    async def one(record_id: str) -> None:
        bucket = bucket_of(record_id, context.buckets[progress.mapping])
        partition = partition_of(progress.mapping, progress.epoch, bucket)
        row = await context.consents.get(partition, record_id)
        values = told[record_id]
        shown = {"profile": values} if profiles else {"contact": values}
        if not differs(row, consents, **shown):
            return
        if await has_profile(context, partition, record_id):
            found.append(record_id)

    ids = sorted(told)
    for start in range(0, len(ids), AT_ONCE):
        await gather_all([one(record_id) for record_id in ids[start : start + AT_ONCE]])
    await hint(context, sorted(found))
    return len(found)


async def has_profile(context: Context, partition: str, record_id: str) -> bool:
    """Whether the sync wrote this profile or may have, and neither side is known to be missing.

    A parked delete, or a record on hold, comes back with its next apply, which compares it.
    """
    row = await context.ledger.get(partition, record_id)
    return (bool(row.hash) or row.unresolved) and row.state not in (State.DELETED, State.PARKED, State.HOLD)
