"""A choice column that says opted out or in, through the whole app: unset, set, changed to something else."""

from __future__ import annotations

from typing import Any

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.planning.load_consent import load_consent

TEXT = """\
consent: contacts
direction: both
undecided: {undecided}
fields:
  - {{source: new_consent, target: blackListEmail, opted_out: 2, opted_in: 1}}
"""
OPTIONS = {"1": "Given", "2": "Withdrawn", "3": "Not asked"}


class Choice:
    """One contact with the column and its profile, if there is one."""

    def __init__(self, undecided: str = "opted_out") -> None:
        self.bench = Bench(addressing="key", consent=load_consent(TEXT.format(undecided=undecided)))
        column = {"name": "new_consent", "type": "Picklist", "labels": OPTIONS}
        self.bench.dynamics.command("change_metadata", {"add_column": column})
        (self.id,) = self.bench.dynamics.seed(contacts(1))

    async def dynamics(self, value: int | None) -> tuple[Any, Any]:
        self.bench.dynamics.edit(self.id, {"new_consent": value})
        return await self.settle()

    async def campaign(self, *, out: bool) -> tuple[Any, Any]:
        self.bench.campaign.edit(self.id, {"blackListEmail": out})
        return await self.settle()

    async def settle(self) -> tuple[Any, Any]:
        """The column, and whether the profile is opted out (None: there is none)."""
        await self.bench.settle()
        (row,) = self.bench.dynamics.dump()["records"]
        profiles = self.bench.campaign.dump()
        return row["new_consent"], profiles[0]["blackListEmail"] if profiles else None


async def test_an_unset_choice_is_opted_out_until_somebody_decides() -> None:
    choice = Choice()
    assert await choice.settle() == (None, True)
    assert await choice.dynamics(1) == (1, False)
    assert await choice.dynamics(3) == (3, True)
    assert await choice.dynamics(1) == (1, False)
    assert await choice.campaign(out=True) == (2, True)
    assert await choice.campaign(out=False) == (1, False)


async def test_an_opt_in_in_campaign_decides_an_unset_choice() -> None:
    choice = Choice()
    await choice.settle()
    assert await choice.campaign(out=False) == (1, False)


async def test_where_the_map_says_hold_an_unset_choice_makes_no_profile() -> None:
    choice = Choice("hold")
    assert await choice.settle() == (None, None)
    assert await choice.dynamics(2) == (2, True)
    assert await choice.dynamics(1) == (1, False)
    assert await choice.dynamics(None) == (None, False)
