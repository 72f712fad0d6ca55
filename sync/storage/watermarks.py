"""Watermarks: where each mapping's reads stand, in two rows that are written with their ETags.

`tick` belongs to the pull, `progress` to the full read. What concerns both is one transaction (design section 3).
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from sync.storage.ledger import FIRST_EPOCH
from sync.storage.table import Entity, Op, Stored, Table, Verb


@dataclass(frozen=True, slots=True)
class Tick:
    """The pull's row. Links are stored whole, byte for byte; times are unix seconds.

    `link` is the delta link, or the next link inside an unfinished delta. While a full read runs there is none, and
    `live_since` is the start of the last finished live read, `live_link` the next page of an unfinished one, which
    began at `live_began`; `live_closing` says whether the full read's last page had been queued by then.
    """

    mapping: str
    etag: str | None = None
    link: str = ""
    link_at: float = 0.0
    """When the delta link was obtained: its age against the token's lifetime."""
    live_since: float = 0.0
    live_link: str = ""
    live_began: float = 0.0
    live_closing: bool = False
    mapping_version: str = ""
    """The mapping version last noticed, and what it would send."""
    sends_hash: str = ""
    resync: str = ""
    """Why a new generation is wanted once the running one has finished; empty if none is."""
    pulled_at: float = 0.0
    """When the last pull succeeded (freshness)."""
    changed_at: float = 0.0
    """When the last pull found something."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The full read's row. `running`: pages are still to be read; `closing`: last page queued, live read not yet."""

    mapping: str
    etag: str | None = None
    epoch: int = FIRST_EPOCH
    generation: int = 0
    running: bool = False
    closing: bool = False
    next_link: str = ""
    group: int = 0
    pages: int = 0
    records: int = 0
    total: int = 0
    """Records of the last finished generation."""
    columns_hash: str = ""
    """Columns of the generation last started."""
    swept: int = 0
    """The generation last swept."""
    sweep_bucket: int = 0
    """The first bucket that the sweep of this generation has not compared yet."""
    mark: str = ""
    """A next link of this read, to notice that they come round."""
    organization: str = ""
    """Dynamics organization id, and Campaign tenant: the environment guard."""
    campaign: str = ""
    dialect: str = ""
    """Generation of Campaign, empty until it was known; part of the guard too."""
    started: float = 0.0
    finished: float = 0.0

    @property
    def all_known(self) -> bool:
        """Whether this epoch has worked every record that there was when it began: one without a ledger row is new."""
        return self.swept > 0


R = TypeVar("R", Tick, Progress)


class Watermarks:
    """Reads and conditional writes of the two rows of a mapping."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def tick(self, mapping: str) -> Tick:
        return _row(Tick, mapping, await self._table.get(mapping, "tick"))

    async def progress(self, mapping: str) -> Progress:
        return _row(Progress, mapping, await self._table.get(mapping, "progress"))

    async def both(self, mapping: str) -> tuple[Tick, Progress]:
        tick, progress = await asyncio.gather(self.tick(mapping), self.progress(mapping))
        return tick, progress

    async def write_tick(self, tick: Tick) -> Tick:
        """Write the pull's row over its ETag; the row with its new one. Raises RowConflict."""
        (etag,) = await self._table.submit([_op(tick)])
        return replace(tick, etag=etag)

    async def write_progress(self, progress: Progress) -> Progress:
        """Write the full read's row over its ETag; the row with its new one. Raises RowConflict."""
        (etag,) = await self._table.submit([_op(progress)])
        return replace(progress, etag=etag)

    async def write_both(self, tick: Tick, progress: Progress) -> None:
        """Write both rows in one transaction over their ETags; raises RowConflict."""
        await self._table.submit([_op(tick), _op(progress)])


def _op(row: Tick | Progress) -> Op:
    entity: Entity = {
        "PartitionKey": row.mapping,
        "RowKey": "tick" if isinstance(row, Tick) else "progress",
        **{name: value for name, value in asdict(row).items() if name not in ("mapping", "etag")},
    }
    return Op(Verb.INSERT if row.etag is None else Verb.REPLACE, entity, row.etag)


def _row(kind: type[R], mapping: str, stored: Stored | None) -> R:
    if stored is None:
        return kind(mapping)
    known = {field.name for field in fields(kind)}
    values: dict[str, Any] = {name: value for name, value in stored.entity.items() if name in known}
    return kind(mapping=mapping, etag=stored.etag, **values)
