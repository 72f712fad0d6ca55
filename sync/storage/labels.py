"""The row `labels` of a mapping: labels of choices as Dynamics last told them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sync.errors import SyncError
from sync.model import from_iso, to_iso
from sync.storage.table import Table

ROW = "labels"
PART = 15_000
"""Characters in one property; the service takes 32,768 UTF-16 units."""
MOST = 400_000
"""Characters in all: below the 1 MiB of a row."""
LabelsByColumn = Mapping[str, Mapping[int, Mapping[int, str]]]


@dataclass(frozen=True, slots=True)
class StoredLabels:
    """By column, language (LCID; 0 is the application user's) and value; `at`: when they were read."""

    labels: LabelsByColumn
    at: float
    etag: str

    def holds(self, columns: Collection[str]) -> bool:
        return set(columns) <= set(self.labels)


class LabelRows:
    """Reads and conditional writes of that row."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, mapping: str) -> StoredLabels | None:
        stored = await self._table.get(mapping, ROW)
        if stored is None:
            return None
        parts = (str(stored.entity.get(f"text{index}", "")) for index in range(MOST // PART + 1))
        told = json.loads("".join(parts))
        labels = {
            column: {
                int(language): {int(value): str(label) for value, label in names.items()}
                for language, names in languages.items()
            }
            for column, languages in told.items()
        }
        return StoredLabels(labels, from_iso(str(stored.entity["at"])), stored.etag)

    async def put(
        self, mapping: str, labels: LabelsByColumn, at: float, before: StoredLabels | None
    ) -> StoredLabels:
        """Write over what was read; raises RowConflict if somebody else wrote meanwhile, SyncError above MOST."""
        text = json.dumps(labels, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        if len(text) > MOST:
            raise SyncError("labels_too_many", f"{len(text)} characters of labels, {MOST} at most")
        parts = {
            f"text{index}": text[start : start + PART]
            for index, start in enumerate(range(0, len(text), PART))
        }
        entity = {"PartitionKey": mapping, "RowKey": ROW, "at": to_iso(at), **parts}
        etag = await self._table.put(entity, before.etag if before else None)
        return StoredLabels(labels, at, etag)
