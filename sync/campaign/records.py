"""One Campaign resource whose records are addressed by a key of ours (design 5, adobe.md B.2, B.4)."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Self

from sync.campaign.client import Campaign, escaped
from sync.campaign.dialect import Dialect
from sync.campaign.listing import Listing
from sync.campaign.metadata import Description, FieldInfo, describe
from sync.errors import SyncError, UnknownOutcome
from sync.http import Http

Spend = Callable[[], Awaitable[None]]
"""Awaited before a call that no plan has a permit for."""
_NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id that no record has: what a probe asks for."""
NOT_THERE = (
    "no_addressing",
    "not_found",
    "campaign_wrong_address",
    "campaign_error",
    "campaign_unexplained",
    "unknown_field",
    "value_refused",
)
"""What an engine may say about a filter or an order that it does not have (the text is not documented)."""


async def free() -> None:
    """Spend nothing: whoever asks is not under the budget (a person at `doctor`)."""


class Addressing(enum.StrEnum):
    """How a record is found by the value of its key field."""

    KEY = "key"
    """The field is an identification key that may stand in the URI."""
    FILTER = "filter"
    """A published filter finds the PKey: one more call."""


class Action(enum.StrEnum):
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Ref:
    """Where a record was found; its PKey is used at once and never stored (it changes on migration)."""

    pkey: str
    href: str
    shown: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The record as Campaign showed it."""


class Records(Listing):
    """Records of one resource by the values of `key_target`.

    `delete_by_key`: DELETE by key was proved to work on this instance. `family` is where the resource is published,
    "" until `open` has asked.
    """

    def __init__(
        self,
        http: Http,
        *,
        url: str,
        api_key: str,
        resource: str,
        key_target: str = "externalId",
        family: str = "",
        addressing: Addressing = Addressing.KEY,
        delete_by_key: bool = False,
        dialect: Dialect | None = Dialect.STANDARD,
    ) -> None:
        self._campaign = Campaign(http, url=url, api_key=api_key, dialect=dialect)
        self._filter_name = ""
        self._not_offered: set[str] = set()
        self.resource = resource
        self.key_target = key_target
        self.family = family
        self.addressing = addressing
        self._deletes_by_key = delete_by_key

    @property
    def delete_by_key(self) -> bool:
        return self._deletes_by_key and self.addressing is Addressing.KEY

    def disprove_delete_by_key(self) -> None:
        """This resource refused it."""
        self._deletes_by_key = False

    def of(self, resource: str, key_target: str, family: str = "") -> Records:
        """Records of another resource, or by another key, on the same connection; to be opened before use."""
        records = object.__new__(Records)
        records._filter_name = ""
        records._not_offered = set()
        records._campaign = self._campaign
        records.resource = resource
        records.key_target = key_target
        records.family = family
        records.addressing = Addressing.KEY
        records._deletes_by_key = self._deletes_by_key
        return records

    @property
    def dialect(self) -> Dialect:
        """The generation of Campaign; Standard until an answer has told."""
        return self._campaign.instance.dialect or Dialect.STANDARD

    @property
    def knows_dialect(self) -> bool:
        return self._campaign.instance.dialect is not None

    async def told_dialect(self) -> Dialect | None:
        """What the instance answers like, whatever the settings say; one harmless read."""
        try:
            await self._campaign.get(self._by_key(_NOBODY), by_key=True)
        except SyncError as error:
            if error.code not in ("not_found", "no_addressing"):
                raise
            return Dialect.of_answer(error.code, error.detail)
        return None

    async def recognise(self, spend: Spend = free) -> None:
        """Find out which generation of Campaign answers, by one harmless read; nothing where that is known."""
        if not self.knows_dialect:
            await spend()
            await self._has_key(_NOBODY)

    async def open(self, spend: Spend = free) -> None:
        """Find out where the resource is published and how its records are addressed, by harmless reads.

        Raises `resource_missing`, `no_addressing`.
        """
        if not self.family:
            await self.describe(spend)
        self.addressing = await self.probe(spend)

    def bounded(self, deadline: float) -> Self:
        """The same, for calls under a claim: one that could not end by `deadline` is not sent and raises `too_late`."""
        records = copy(self)
        records._campaign = self._campaign.bounded(deadline)
        return records

    def calls_for(self, action: Action) -> int:
        """Calls that an action costs when nothing goes wrong (design 9)."""
        if self.addressing is Addressing.FILTER:
            return 2
        if action is Action.DELETE:
            return 1 if self.delete_by_key else 2
        return 1

    async def find(self, record_id: str) -> tuple[Ref, ...]:
        """All records that carry the external id, in one call; empty if there is none."""
        if self.addressing is Addressing.KEY:
            return await self._find_by_key(record_id)
        return await self._find_by_filter(record_id)

    async def create(self, body: Mapping[str, Any]) -> Ref:
        """POST; raises `duplicate_key` if any identification key is taken, not only the external id."""
        created = await self._campaign.post(self._path, body)
        try:
            return _ref(created)
        except SyncError as error:
            raise UnknownOutcome("campaign_outcome_unknown", error.detail) from None

    async def update_by_key(self, record_id: str, body: Mapping[str, Any]) -> None:
        """PATCH by external id; raises `not_found`."""
        self._refuse_key(body)
        await self._campaign.patch(self._by_key(record_id), self.dialect.patch(body), by_key=True)

    async def update(self, ref: Ref, body: Mapping[str, Any]) -> None:
        """PATCH by PKey; raises `not_found`."""
        self._refuse_key(body)
        await self._campaign.patch(self._by_pkey(ref), self.dialect.patch(body))

    async def adopt(self, ref: Ref, record_id: str, field: str) -> bool:
        """Give a record that has no key this one, if it has none and still shows the same `field`; whether it did.

        Two calls: nothing guards the write but a look just before it. Raises `key_change` and the like where the
        instance does not let a key be set.
        """
        shown = await self._campaign.get(self._by_pkey(ref))
        if shown.get(self.key_target) or shown.get(field) != ref.shown.get(field):
            return False
        await self._campaign.patch(self._by_pkey(ref), {self.key_target: record_id})
        return True

    async def delete(self, ref: Ref) -> None:
        """DELETE by PKey; raises `not_found`."""
        await self._campaign.delete(self._by_pkey(ref))

    async def delete_by_key_of(self, record_id: str) -> None:
        """DELETE by external id, which Adobe does not document; raises `not_found`."""
        if not self.delete_by_key:
            raise SyncError("no_addressing", "DELETE by key is switched off")
        await self._campaign.delete(self._by_key(record_id), by_key=True)

    async def metadata(self) -> dict[str, FieldInfo]:
        """The resource's fields by path (`location.city`)."""
        return (await self.describe()).fields

    async def describe(self, spend: Spend = free) -> Description:
        """What Campaign says the resource is; raises `resource_missing`."""
        found = await describe(self._campaign, self.resource, family=self.family, spend=spend)
        self.family = found.family
        return found

    async def probe(self, spend: Spend = free) -> Addressing:
        """Which addressing this instance offers, by a few harmless reads; raises `no_addressing`.

        What it does not offer the next attempt does not ask again: a tight budget may pay for one read at a time.
        """
        for name in self._addresses():
            if name in self._not_offered:
                continue
            await spend()
            if await (self._has_filter(name) if name else self._has_key(_NOBODY)):
                self._filter_name = name
                return Addressing.FILTER if name else Addressing.KEY
            self._not_offered.add(name)
        self._not_offered.clear()
        raise SyncError("no_addressing", f"{self.resource} by {self.key_target}: neither key nor filter")

    def _addresses(self) -> Iterator[str]:
        """The key ("") before the filters, whose names depend on the generation that it tells."""
        yield ""
        yield from self.dialect.filters(self.key_target)

    async def _has_key(self, record_id: str) -> bool:
        """Whether the key may stand in the URI; also tells the generation."""
        try:
            await self._campaign.get(self._by_key(record_id), by_key=True)
        except SyncError as error:
            instance = self._campaign.instance
            instance.dialect = instance.dialect or Dialect.of_answer(error.code, error.detail)
            if error.code not in ("not_found", "no_addressing"):
                raise
            return error.code == "not_found"
        return True

    async def _has_filter(self, name: str) -> bool:
        try:
            await self._filtered(name, _NOBODY)
        except SyncError as error:
            if error.code not in NOT_THERE or error.detail.startswith("gateway"):
                raise
            return False
        return True

    async def _find_by_key(self, record_id: str) -> tuple[Ref, ...]:
        try:
            found = await self._campaign.get(self._by_key(record_id), by_key=True)
        except SyncError as error:
            if error.code == "not_found":
                return ()
            raise
        if not self._carries(found, record_id):
            raise SyncError("campaign_garbled", "the record has another external id", record_id=record_id)
        return (_ref(found),)

    async def _find_by_filter(self, record_id: str) -> tuple[Ref, ...]:
        return await self._filtered(self._filter_name or self.dialect.filters(self.key_target)[0], record_id)

    async def _filtered(self, name: str, record_id: str) -> tuple[Ref, ...]:
        query = f"{name}?{self.key_target}_parameter={escaped(record_id)}"
        answer = await self._campaign.get(f"{self._path}/{query}")
        content = answer.get("content")
        if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
            raise SyncError("campaign_garbled", "a list without content", record_id=record_id)
        if not all(self._carries(item, record_id) for item in content):
            # A filter whose rule ignores the parameter lists everybody: no write may go by such an answer.
            raise SyncError("no_addressing", "the filter finds records with another external id")
        return tuple(_ref(item) for item in content)

    def _carries(self, found: Mapping[str, Any], record_id: str) -> bool:
        return str(found.get(self.key_target, "")).lower() == record_id.lower()

    @property
    def _path(self) -> str:
        if not self.family:
            raise ValueError(f"{self.resource} is not opened")
        return f"{self.family}{self.resource}"

    def _by_key(self, record_id: str) -> str:
        return f"{self._path}/{escaped(record_id)}"

    def _by_pkey(self, ref: Ref) -> str:
        return f"{self._path}/{escaped(ref.pkey)}"

    def _refuse_key(self, body: Mapping[str, Any]) -> None:
        if self.key_target in body:
            raise ValueError(f"{self.key_target} is the key and never part of an update")


def _ref(item: Mapping[str, Any]) -> Ref:
    pkey = item.get("PKey")
    if not isinstance(pkey, str) or not pkey:
        raise SyncError("campaign_garbled", "a record without PKey")
    return Ref(pkey, str(item.get("href", "")), item)
