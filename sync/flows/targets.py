"""The Campaign resource of each mapping, found out once per worker: where it is and how records are addressed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sync.campaign.metadata import LINKED
from sync.campaign.profiles import RESOURCE, Profiles
from sync.campaign.records import Records, Spend
from sync.errors import Reaction, SyncError
from sync.model import Clock

BELIEVED_S = 60.0
"""How long a refusal that needs a person is believed before Campaign is asked again."""


@dataclass
class Targets:
    """Opened resources by (resource, key field). `probed`: the settings say how profiles are addressed."""

    profiles: Profiles
    clock: Clock
    probed: bool = True
    _opened: dict[tuple[str, str], Records] = field(default_factory=dict)
    _half_open: dict[tuple[str, str], Records] = field(default_factory=dict)
    """They know what was found out before the budget or Campaign ended an attempt."""
    _refused: dict[tuple[str, str], tuple[SyncError, float]] = field(default_factory=dict)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, resource: str, key_target: str, spend: Spend) -> Records:
        """The resource, ready for use; `spend` is awaited before each call to Campaign, none once it is known.

        Raises SyncError: `resource_missing`, `no_addressing`, and whatever Campaign says.
        """
        key = (resource, key_target)
        if self.probed and self.profiles.knows_dialect and key == (RESOURCE, self.profiles.key_target):
            return self.profiles
        if key in self._opened:
            return self._opened[key]
        # The chunks that a worker starts with ask once.
        async with self._opening:
            if key not in self._opened:
                self._opened[key] = await self._open(key, spend)
            return self._opened[key]

    async def _open(self, key: tuple[str, str], spend: Spend) -> Records:
        refused, until = self._refused.get(key, (None, 0.0))
        if refused is not None and self.clock.now() < until:
            raise SyncError(refused.code, refused.detail, status=refused.status)
        try:
            if key == (RESOURCE, self.profiles.key_target) and self.probed:
                await self.profiles.recognise(spend)
                return self.profiles
            if key == (RESOURCE, self.profiles.key_target):
                await self.profiles.open(spend)
                return self.profiles
            if key not in self._half_open:
                self._half_open[key] = self.profiles.of(*key, family=LINKED if key[0] == RESOURCE else "")
            await self._half_open[key].open(spend)
            return self._half_open.pop(key)
        except SyncError as error:
            if error.reaction is Reaction.STOP:
                self._refused[key] = (error, self.clock.now() + BELIEVED_S)
            raise
