"""What the Dynamics columns of a world mean: Booleans, or for one of them a choice that may say neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.dynamics.service import DynamicsService

FIELDS = {"blackListEmail": "donotbulkemail", "blackListPhone": "donotphone"}
CHOSEN = "blackListPhone"
OPTIONS = {"1": "Given", "2": "Withdrawn", "3": "Not asked"}
NEITHER = (None, 3)


@dataclass(frozen=True, slots=True)
class Columns:
    """`choice`: `donotphone` is a choice column; `hold`: the map's `undecided: hold`."""

    choice: bool = False
    hold: bool = False

    @property
    def text(self) -> str:
        """The map's lines."""
        options = ", opted_out: 2, opted_in: 1" if self.choice else ""
        return (
            f"undecided: {'hold' if self.hold else 'opted_out'}\n"
            "fields:\n"
            "  - {source: donotbulkemail, target: blackListEmail}\n"
            f"  - {{source: donotphone, target: blackListPhone{options}}}\n"
        )

    def prepare(self, dynamics: DynamicsService) -> None:
        """Make the column what the map says."""
        if self.choice:
            column = {"name": FIELDS[CHOSEN], "type": "Picklist", "labels": OPTIONS}
            dynamics.command("change_metadata", {"add_column": column})

    def out(self, name: str, contact: Mapping[str, Any]) -> bool | None:
        """Whether a contact is opted out; None: it is held as nobody decided."""
        value = contact.get(FIELDS[name])
        if not self.choice or name != CHOSEN:
            return bool(value)
        return {1: False, 2: True}.get(value or 0, None if self.hold else True)

    def value(self, name: str, *, out: bool) -> bool | int:
        """What the column holds to say so."""
        return out if not self.choice or name != CHOSEN else 2 if out else 1
