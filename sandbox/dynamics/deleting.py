"""What a delete does to the rows that point to the deleted one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.dynamics.columns import TYPED

if TYPE_CHECKING:
    from sandbox.dynamics.organization import Organization


def let_go(organization: Organization, name: str, row_id: str) -> None:
    """Children that belong to a deleted row of table `name` go too, other rows point to nothing any more."""
    for rows in list(organization.tables.values()):
        for column in rows.pointing:
            for child in rows.pointing_to(column, row_id) if name in column.targets else ():
                if child not in rows.rows:
                    continue
                if column.cascades:
                    organization.delete(rows, child)
                else:
                    typed = {f"{column.logical}type": None} if column.kind in TYPED else {}
                    organization.update(rows, child, {column.name: None, **typed})


def move(organization: Organization, name: str, loser: str, winner: str) -> None:
    """In a merge the rows that point to the loser point to the winner, earlier losers apart."""
    for rows in list(organization.tables.values()):
        for column in rows.pointing:
            if name not in column.targets or column.name == "_masterid_value" or rows.table.activity:
                continue
            for child in list(rows.pointing_to(column, loser)):
                organization.update(rows, child, {column.name: winner})
