"""Writes of activities: bulk verbs, and `$batch` with a precondition for each row (dataverse.md 2.3, 2.4, 4.2).

A bulk verb on a standard table is all or nothing. In a `$batch` every row ends by itself:
    create   `If-None-Match: *`   412 = it is there
    update   `If-Match: *`        404 = somebody deleted it
    delete                        404 = it is gone
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sync.dynamics.changes import any_of, condition
from sync.dynamics.client import API, Dynamics
from sync.dynamics.errors import error_from
from sync.dynamics.multipart import Part, parts_of, written
from sync.errors import SyncError, Throttled
from sync.http import Answer, Site

JSON = {"Content-Type": "application/json", "OData-Version": "4.0", "OData-MaxVersion": "4.0"}
MOST_IN_BATCH = 500
"""Half of what the service takes (dataverse.md 2.4)."""
OWNER_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
OWNERS = {"systemuser": "systemusers", "team": "teams"}
Values = Mapping[str, str | int | None]


class Verb(StrEnum):
    """The value is the bulk message's name."""

    CREATE = "CreateMultiple"
    UPDATE = "UpdateMultiple"
    DELETE = "Delete"
    """There is no bulk message for standard tables: always in a `$batch`."""


@dataclass(frozen=True, slots=True)
class Target:
    """One row to write; `contact` is what a new one regards, `owner` who gets it (`/teams(id)`; empty: the caller)."""

    entity_set: str
    table: str
    id: str
    values: Values
    contact: str = ""
    owner: str = ""
    key: str = "activityid"


class ActivityWriter:
    """One environment, by one or more application users; each call says by which."""

    def __init__(self, dynamics: Dynamics, sites: Sequence[Site]) -> None:
        self._dynamics = dynamics
        self._sites = sites
        self._path = API
        self._offered: dict[str, frozenset[Verb]] = {}
        self._binds: dict[str, str] = {}

    @property
    def users(self) -> int:
        return len(self._sites)

    async def learn(self, table: str) -> frozenset[Verb]:
        """What a table offers, asked once per worker: bulk verbs, and the name that binds a contact."""
        if table not in self._binds:
            self._binds[table] = await self._regarding(table)
        if table not in self._offered:
            self._offered[table] = frozenset(
                [verb for verb in (Verb.CREATE, Verb.UPDATE) if await self._has(table, verb)]
            )
        return self._offered[table]

    async def _has(self, table: str, verb: Verb) -> bool:
        answer = await self._dynamics.get(
            "sdkmessagefilters?$select=sdkmessagefilterid&$filter=sdkmessageid/name%20eq%20%27"
            f"{verb.value}%27%20and%20primaryobjecttypecode%20eq%20%27{table}%27"
        )
        rows = answer.json().get("value")
        return isinstance(rows, list) and bool(rows)

    async def _regarding(self, table: str) -> str:
        """The navigation property from `regardingobjectid` to contact; names differ in case between tenants."""
        answer = await self._dynamics.get(
            f"EntityDefinitions(LogicalName='{table}')/ManyToOneRelationships?$select=SchemaName,ReferencedEntity,"
            "ReferencingEntityNavigationPropertyName&$filter=ReferencingAttribute%20eq%20%27regardingobjectid%27"
        )
        for row in answer.json().get("value") or ():
            if row.get("ReferencedEntity") == "contact":
                return str(row.get("ReferencingEntityNavigationPropertyName"))
        raise SyncError("activity_table_unfit", f"{table} has no regarding relation to contact")

    async def privileges(self, user: int) -> dict[str, str]:
        """What an application user may do, e.g. `prvCreateActivity` → `Global`; raises SyncError."""
        who = str((await self._ask(user, "WhoAmI")).get("UserId", ""))
        told = await self._ask(user, f"systemusers({who})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges")
        rows = told.get("RolePrivileges")
        if not isinstance(rows, list):
            raise SyncError("dynamics_garbled", "no RolePrivileges")
        return {str(row.get("PrivilegeName", "")): str(row.get("Depth", "")) for row in rows}

    async def _ask(self, user: int, path: str) -> dict[str, Any]:
        answer = await self._sites[user].call(
            "GET", f"{self._dynamics.base}{path}", {"Accept": "application/json"}
        )
        if not answer.ok:
            raise error_from(answer)
        return answer.json()

    async def older(self, entity_set: str, than: str) -> list[str]:
        """Ids of up to MOST_IN_BATCH activities whose sort date lies before; none where there is no such table."""
        try:
            answer = await self._dynamics.get(
                f"{entity_set}?$select=activityid&$top={MOST_IN_BATCH}&$filter=sortdate%20lt%20{than}"
            )
        except SyncError as error:
            if error.code not in ("dynamics_not_found", "unknown_table"):
                raise
            return []
        rows = answer.json().get("value")
        return [str(row["activityid"]) for row in rows] if isinstance(rows, list) else []

    async def owners(self, contacts: Sequence[str]) -> dict[str, str]:
        """Who owns each of up to 50 contacts, as an address (`/systemusers(id)`, `/teams(id)`)."""
        terms = condition(" or ".join(any_of("contactid", contacts)))
        headers = {
            "Accept": "application/json", "OData-Version": "4.0", "OData-MaxVersion": "4.0",
            "Prefer": f'odata.include-annotations="{OWNER_TABLE}"',
        }  # fmt: skip
        answer = await self._dynamics.get(f"contacts?$select=contactid,_ownerid_value&{terms}", headers)
        found: dict[str, str] = {}
        for row in answer.json().get("value") or ():
            table = row.get(f"_ownerid_value@{OWNER_TABLE}")
            if table in OWNERS and row.get("_ownerid_value"):
                found[str(row["contactid"]).lower()] = f"/{OWNERS[table]}({row['_ownerid_value']})"
        return found

    async def bulk(self, verb: Verb, targets: Sequence[Target], user: int) -> None:
        """Write rows of one table, all or none; raises SyncError."""
        first = targets[0]
        kind = f"Microsoft.Dynamics.CRM.{first.table}"
        rows = [
            {"@odata.type": kind, target.key: target.id, **self._body(verb, target)} for target in targets
        ]
        body = json.dumps({"Targets": rows}, separators=(",", ":")).encode()
        url = f"{self._dynamics.base}{first.entity_set}/Microsoft.Dynamics.CRM.{verb.value}"
        answer = await self._post(user, url, JSON, body)
        _refuse(answer)
        # A proxy's friendly page is no proof that anything was written.
        if verb is Verb.CREATE and len(answer.json().get("Ids") or ()) != len(targets):
            raise answer.lost("not one id for each row")
        if verb is Verb.UPDATE and answer.status != 204:
            raise answer.lost("not the answer of UpdateMultiple")

    async def batch(self, writes: Sequence[tuple[Verb, Target]], user: int) -> list[SyncError | None]:
        """Write rows of any tables one by one in one request; None for each that was written, else its error."""
        parts = [self._part(verb, target) for verb, target in writes]
        headers, body = written(parts)
        answer = await self._post(user, f"{self._dynamics.base}$batch", headers, body)
        _refuse(answer)
        told = parts_of(answer.headers.get("content-type", ""), answer.body)
        if told is None or len(told) != len(writes):
            raise answer.lost("a batch answer that does not fit")
        return [_outcome(part) for part in told]

    async def _post(self, user: int, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return self._dynamics.heed(await self._sites[user].call("POST", url, headers, body))

    def _part(self, verb: Verb, target: Target) -> Part:
        path = f"{self._path}{target.entity_set}({target.id})"
        if verb is Verb.DELETE:
            return Part("DELETE", path)
        condition = {"If-None-Match": "*"} if verb is Verb.CREATE else {"If-Match": "*"}
        body = json.dumps(self._body(verb, target), separators=(",", ":")).encode()
        return Part("PATCH", path, {"Content-Type": "application/json", **condition}, body)

    def _body(self, verb: Verb, target: Target) -> dict[str, str | int | None]:
        if verb is Verb.UPDATE:
            return dict(target.values)
        body: dict[str, str | int | None] = {
            name: value for name, value in target.values.items() if value is not None
        }
        if target.contact:
            bind = self._binds.get(target.table, f"regardingobjectid_contact_{target.table}")
            body[f"{bind}@odata.bind"] = f"/contacts({target.contact})"
        if target.owner:
            body["ownerid@odata.bind"] = target.owner
        return body


def _refuse(answer: Answer) -> None:
    """Raise what an answer says; a 5xx that Dataverse did not write leaves open whether it worked."""
    if answer.ok:
        return
    error = error_from(answer)
    if answer.status >= 500 and not error.detail.startswith("0x"):
        raise answer.lost(f"HTTP {answer.status}")
    raise error


def _outcome(part: Answer) -> SyncError | None:
    if part.ok:
        return None
    if part.status == 429:
        wait = part.headers.get("retry-after", "")
        return Throttled("dynamics_throttled", float(wait) if wait.isdigit() else 30.0)
    return error_from(part)
