"""look: what a comparison of both sides works with, page by page (`reconcile.py`, `extras.py`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sync.campaign.records import Records
from sync.flows.context import Context
from sync.flows.dispatch import dispatch
from sync.flows.related import beside
from sync.flows.walk import Walk
from sync.model import Change, ChangeKind, Intent, Lane, SourceRow
from sync.planning.compile import CompiledMapping
from sync.storage.watermarks import Progress


class Reconcile(BaseModel):
    """What is wanted. `sample` 0: every record, and extras; else so many, from (`bucket`, `after`) on, round and round.

    `heal`: send what differs again. `delete_extras`: delete those, under the brake. `rotates`: the next timer goes on
    where this one ends, so that every record is looked at in turn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    epoch: int
    sample: int = 0
    bucket: int = 0
    after: str = ""
    heal: bool = False
    delete_extras: bool = False
    rotates: bool = False


class Place(Walk):
    """How far it has come: behind the row `after` of a bucket, `turns` buckets after the first; or before `link`."""

    part: Literal["ledger", "extras"] = "ledger"
    bucket: int = 0
    after: str = ""
    turns: int = 0


@dataclass
class Look:
    """What one page works with."""

    context: Context
    mapping: str
    wanted: Reconcile
    compiled: CompiledMapping
    target: Records
    progress: Progress
    counts: Counter[str] = field(default_factory=Counter)


async def sources_of(look: Look, record_ids: Sequence[str]) -> dict[str, SourceRow]:
    """What Dynamics has now; what it has not is on its way to be deleted."""
    compiled = look.compiled
    async with look.context.dynamics_permit(spare=1):
        found = await look.context.dynamics.read(
            compiled.entity_set, compiled.key_column, compiled.columns, record_ids
        )
    sources = await beside(look.context, compiled, found)
    return {record_id: source for record_id, source in sources.items() if source is not None}


async def send_again(look: Look, record_ids: Sequence[str], intent: Intent) -> None:
    await dispatch(
        look.context,
        [Change(record_id, ChangeKind.REREAD) for record_id in record_ids],
        progress=look.progress,
        lane=Lane.BACKFILL,
        queue=Lane.BACKFILL_HOLD,
        intent=intent,
    )
