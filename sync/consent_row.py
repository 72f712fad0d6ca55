"""What the sync knows of one contact's consent: the row of table `consents`, and its words (design section 3, 4.7).

True is opted out, everywhere in the consent flow.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


class Side(enum.StrEnum):
    """Where a value stands or was set; BOTH where the two said the same when they were first looked at."""

    CAMPAIGN = "campaign"
    DYNAMICS = "dynamics"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both sides agreed on for one field. `value` None: nothing yet.

    `stamp` is Campaign's `…LastModified` as it was then; empty: not known (a write of ours that was not read back).
    """

    value: bool | None = None
    by: Side = Side.BOTH
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Announced:
    """An opt-in that a claim announced before writing it: the side to write, and its stamp before the write.

    The stamp is Campaign's `…LastModified`, or Dynamics' row version.
    """

    side: Side
    stamp: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Both values as last seen, where the side that should be written may not be.

    `side` is the one that the direction leaves alone; None: the brake or another field of the column holds it.
    """

    campaign: bool
    dynamics: bool
    stamp: str
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class FieldState:
    """One field's part of the row."""

    agreement: Agreement = Agreement()
    kept: Kept | None = None

    @property
    def decided(self) -> bool:
        """Whether a look has come to an end: agreed, or both values kept."""
        return self.agreement.value is not None or self.kept is not None


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """`fields` by Campaign's name (`blackListEmail`); `etag` None: no row is stored yet.

    `found`: the profile was in Campaign before any POST of ours. `contact_created` and `profile_created` say which
    records agreed: after a deletion and a new creation under the same id nothing is agreed any more. `announced`
    outlives its claim where the outcome is unknown. `looked` is when the last look that came to its end began.
    """

    partition: str
    record_id: str
    etag: str | None = None
    fields: Mapping[str, FieldState] = field(default_factory=dict)
    found: bool = False
    contact_created: str = ""
    profile_created: str = ""
    claim_owner: str = ""
    claim_until: float = 0.0
    take_over: float = 0.0
    announced: Mapping[str, Announced] = field(default_factory=dict)
    updated: float = 0.0
    looked: float = 0.0

    def of(self, name: str) -> FieldState:
        """A field's state; nothing agreed if it is new."""
        return self.fields.get(name, FieldState())

    @property
    def agreed(self) -> bool:
        """Whether anything is agreed or kept."""
        return any(state.decided for state in self.fields.values())

    def undecided(self) -> ConsentRow:
        """Without any agreement: one of the two records is not, or is another."""
        return replace(self, fields={}, found=False, announced={}, contact_created="", profile_created="")

    def released(self) -> ConsentRow:
        """Without its claim."""
        return replace(self, claim_owner="", claim_until=0.0, take_over=0.0)
