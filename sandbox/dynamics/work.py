"""Execution time of one request, added up row by row (dataverse.md 3)."""

from __future__ import annotations

from sandbox.dynamics.errors import Refused
from sandbox.dynamics.options import DynamicsOptions


class Work:
    """What the request being answered has cost so far."""

    def __init__(self, options: DynamicsOptions) -> None:
        self._options = options
        self.seconds = 0.0

    def row(self) -> None:
        """One row written on its own."""
        if self._options.row_costs is not None:
            self.seconds += self._options.row_costs.single

    def bulk(self, message: str, rows: int) -> None:
        """A bulk message; one that takes too long costs its time and ends in the database's timeout."""
        costs, longest = self._options.row_costs, self._options.longest_s
        if costs is None:
            return
        each = {
            "CreateMultiple": costs.create_multiple,
            "UpdateMultiple": costs.update_multiple,
            "UpsertMultiple": costs.upsert_multiple,
        }
        wanted = each[message] * rows
        self.seconds += min(wanted, longest)
        if wanted > longest:
            raise Refused(500, "0x80044151", "SQL timeout expired.")
