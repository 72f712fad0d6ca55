"""Jobs: long work that a person or a timer started, one row each in the `control` table.

The row says what is wanted (`spec`), how far it has come (`place`, `done` of about `total`) and what was found. A step
is written over the row's ETag after everything it found is durably queued: a second message of the same step, or a
crash, repeats work and loses none.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

from sync.model import from_iso, to_iso
from sync.storage.table import Entity, Query, Stored, Table

RUNNING, DONE, FAILED = "running", "done", "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """`verb` is replay or reconcile; `spec` and `place` are JSON of the flow that works it; `code` says why it failed."""

    mapping: str
    name: str
    verb: str
    spec: str
    who: str
    etag: str | None = None
    state: str = RUNNING
    step: int = 0
    place: str = ""
    done: int = 0
    total: int = 0
    found: Mapping[str, int] = field(default_factory=dict)
    code: str = ""
    started: float = 0.0
    updated: float = 0.0

    def counted(self, **more: int) -> Job:
        """With further findings."""
        found = dict(self.found)
        for name, count in more.items():
            if count:
                found[name] = found.get(name, 0) + count
        return replace(self, found=found)


class Jobs:
    """Reads and conditional writes."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, mapping: str, name: str) -> Job | None:
        stored = await self._table.get(mapping, f"job-{name}")
        return _job(stored) if stored else None

    async def write(self, job: Job) -> Job:
        """Write over the ETag; the job with its new one. Raises RowConflict."""
        entity: Entity = {
            "PartitionKey": job.mapping,
            "RowKey": f"job-{job.name}",
            "verb": job.verb,
            "spec": job.spec,
            "who": job.who,
            "state": job.state,
            "step": job.step,
            "place": job.place,
            "done": job.done,
            "total": job.total,
            "found": json.dumps(dict(job.found), sort_keys=True),
            "code": job.code,
            "started": to_iso(job.started),
            "updated": to_iso(job.updated),
        }
        return replace(job, etag=await self._table.put(entity, job.etag))

    async def of(self, mapping: str) -> AsyncIterator[Job]:
        """The jobs of a mapping, oldest first."""
        async for stored in self._table.scan(Query(partition=mapping, row_from="job-", row_below="job.")):
            yield _job(stored)

    async def forget(self, job: Job) -> None:
        """Remove a job's row."""
        await self._table.delete(job.mapping, f"job-{job.name}")


def _job(stored: Stored) -> Job:
    entity = stored.entity
    return Job(
        mapping=str(entity["PartitionKey"]),
        name=str(entity["RowKey"]).removeprefix("job-"),
        verb=str(entity["verb"]),
        spec=str(entity["spec"]),
        who=str(entity["who"]),
        etag=stored.etag,
        state=str(entity["state"]),
        step=int(entity["step"]),
        place=str(entity["place"]),
        done=int(entity["done"]),
        total=int(entity["total"]),
        found=json.loads(str(entity["found"])),
        code=str(entity["code"]),
        started=from_iso(str(entity["started"])),
        updated=from_iso(str(entity["updated"])),
    )
