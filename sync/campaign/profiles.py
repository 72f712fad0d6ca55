"""One Campaign resource whose records are addressed by an external id (design 5, adobe.md B.4)."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from sync.campaign.client import Campaign, escaped
from sync.campaign.metadata import FieldInfo, fields_of
from sync.errors import SyncError, UnknownOutcome
from sync.http import Http

_FAMILY = "/profileAndServicesExt/"
_NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id that no record has: what a probe asks for."""
_NO_FILTER = (
    "no_addressing",
    "not_found",
    "campaign_wrong_address",
    "campaign_error",
    "unknown_field",
    "value_refused",
)
"""What an engine may say about a filter it does not have (the text is not documented)."""


class Addressing(enum.StrEnum):
    """How a record is found by its external id."""

    KEY = "key"
    """It is an identification key that may stand in the URI."""
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


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """A page of a list, and the address of the next one."""

    rows: tuple[Mapping[str, Any], ...]
    next: str | None


class Profiles:
    """Records of one resource. `delete_by_key`: DELETE by key was proved to work on this instance."""

    def __init__(
        self,
        http: Http,
        *,
        url: str,
        api_key: str,
        resource: str = "profile",
        key_target: str = "externalId",
        addressing: Addressing = Addressing.KEY,
        delete_by_key: bool = False,
    ) -> None:
        self._campaign = Campaign(http, url=url, api_key=api_key)
        self.resource = resource
        self.key_target = key_target
        self.addressing = addressing
        self.delete_by_key = delete_by_key and addressing is Addressing.KEY
        self._path = f"{_FAMILY}{resource}"
        name = key_target[:1].upper() + key_target[1:]
        self._filter = f"{self._path}/by{name}?{key_target}_parameter="

    def bounded(self, deadline: float) -> Profiles:
        """The same, for calls under a claim: one that could not end by `deadline` is not sent and raises `too_late`."""
        profiles = copy(self)
        profiles._campaign = self._campaign.bounded(deadline)
        return profiles

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

    async def changed(self, since: str, size: int, *, filtered: bool) -> ProfilePage:
        """The first page of the profiles changed lately.

        `filtered`: by the published filter byLastModified, from `since` on; else newest first, without an end.
        """
        if filtered:
            query = f"/byLastModified?lastModified_parameter={escaped(since)}&"
        else:
            query = "?_order=lastModified%20desc&"
        return await self.follow(f"{self._path}{query}_lineCount={size}&_forcePagination=true")

    async def every(self, size: int) -> ProfilePage:
        """The first page of all profiles."""
        return await self.follow(f"{self._path}?_lineCount={size}&_forcePagination=true")

    async def follow(self, link: str) -> ProfilePage:
        """A page by its address; `next` links are followed as they are (adobe.md B.4)."""
        answer = await self._campaign.get(link)
        content = answer.get("content")
        if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
            raise SyncError("campaign_garbled", "a list without content")
        told = answer.get("next")
        following = told.get("href") if isinstance(told, dict) else None
        if following is not None and not isinstance(following, str):
            raise SyncError("campaign_garbled", "a next without href")
        if following == link:
            raise SyncError("paging_loop", "the next link is the page itself")
        return ProfilePage(tuple(content), following)

    async def filters_by_time(self, spend: Callable[[], Awaitable[None]]) -> bool:
        """Whether a filter byLastModified is published for this resource; `spend` is awaited before each of two calls."""
        await spend()
        told = await self._campaign.get(f"{_FAMILY}resourceType/{escaped(self.resource)}")
        filters = told.get("filters")
        href = filters.get("href") if isinstance(filters, dict) else None
        if not isinstance(href, str):
            return False
        await spend()
        content = (await self._campaign.get(href)).get("content")
        names = (
            [item.get("name") for item in content if isinstance(item, dict)]
            if isinstance(content, list)
            else []
        )
        return "byLastModified" in names

    async def update_by_key(self, record_id: str, body: Mapping[str, Any]) -> None:
        """PATCH by external id; raises `not_found`."""
        self._refuse_key(body)
        await self._campaign.patch(self._by_key(record_id), body, by_key=True)

    async def update(self, ref: Ref, body: Mapping[str, Any]) -> None:
        """PATCH by PKey; raises `not_found`."""
        self._refuse_key(body)
        await self._campaign.patch(self._by_pkey(ref), body)

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
        return await fields_of(self._campaign, self.resource)

    async def probe(self) -> Addressing:
        """Which addressing this instance offers, by harmless reads; raises `no_addressing`."""
        try:
            await self._find_by_key(_NOBODY)
            return Addressing.KEY
        except SyncError as error:
            if error.code != "no_addressing":
                raise
        try:
            await self._find_by_filter(_NOBODY)
            return Addressing.FILTER
        except SyncError as error:
            if error.code not in _NO_FILTER or error.detail.startswith("gateway"):
                raise
        raise SyncError("no_addressing", f"{self.resource} by {self.key_target}: neither key nor filter")

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
        answer = await self._campaign.get(self._filter + escaped(record_id))
        content = answer.get("content")
        if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
            raise SyncError("campaign_garbled", "a list without content", record_id=record_id)
        if not all(self._carries(item, record_id) for item in content):
            # A filter whose rule ignores the parameter lists everybody: no write may go by such an answer.
            raise SyncError("no_addressing", "the filter finds records with another external id")
        return tuple(_ref(item) for item in content)

    def _carries(self, found: Mapping[str, Any], record_id: str) -> bool:
        return str(found.get(self.key_target, "")).lower() == record_id.lower()

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
