"""What an environment says about itself: columns, tracking, token life, privileges (dataverse.md 1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sync.dynamics.client import Dynamics
from sync.errors import SyncError

_KIND = "Microsoft.Dynamics.CRM."
LABELLED = ("Picklist", "State", "Status", "MultiSelectPicklist", "Boolean")
_MULTI = "MultiSelectPicklist"


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column; `type` is AttributeType (`String`, `DateTime`, …), `MultiSelectPicklist` for choices."""

    name: str
    type: str
    max_length: int = 0
    format: str = ""
    """`Email`, `DateOnly`, … where the type has one."""
    behavior: str = ""
    """Of a DateTime: `UserLocal`, `DateOnly`, `TimeZoneIndependent`."""
    options: tuple[tuple[int, str], ...] = ()
    """Values and labels of a choice; of a Boolean those of 1 and 0."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """How a table is addressed, whether it tracks changes, and whether it ever may."""

    entity_set: str
    key_column: str
    change_tracking: bool
    can_track: bool = True


class Metadata:
    """Reads of definitions, table by table: the whole organization's fill the memory (dataverse.md 8)."""

    def __init__(self, dynamics: Dynamics) -> None:
        self._dynamics = dynamics

    async def table(self, name: str) -> TableInfo:
        """How a table is addressed and whether it tracks changes; raises `unknown_table`."""
        try:
            told = await self._get(
                f"EntityDefinitions(LogicalName='{_literal(name)}')"
                "?$select=LogicalName,EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled,CanChangeTrackingBeEnabled"
            )
        except SyncError as error:
            if error.code != "dynamics_not_found":
                raise
            raise SyncError("unknown_table", name, status=error.status) from None
        return TableInfo(
            str(told.get("EntitySetName", "")),
            str(told.get("PrimaryIdAttribute", "")),
            told.get("ChangeTrackingEnabled") is True,
            _value(told.get("CanChangeTrackingBeEnabled")) != "False",
        )

    async def change_tracking(self, table: str) -> bool:
        return (await self.table(table)).change_tracking

    async def attributes(self, table: str) -> dict[str, ColumnInfo]:
        """The table's columns by logical name."""
        base, strings, memos, dates, choices, flags = await asyncio.gather(
            self._columns(table, "", "LogicalName,AttributeType,AttributeTypeName"),
            self._columns(table, "StringAttributeMetadata", "LogicalName,MaxLength,FormatName"),
            self._columns(table, "MemoAttributeMetadata", "LogicalName,MaxLength"),
            self._columns(table, "DateTimeAttributeMetadata", "LogicalName,Format,DateTimeBehavior"),
            self._columns(
                table, "PicklistAttributeMetadata", "LogicalName", "&$expand=OptionSet($select=Options)"
            ),
            self._columns(
                table,
                "BooleanAttributeMetadata",
                "LogicalName",
                "&$expand=OptionSet($select=TrueOption,FalseOption)",
            ),
        )
        columns = {name: ColumnInfo(name, _type(told)) for name, told in base.items()}
        several: dict[str, dict[str, Any]] = {}
        if any(column.type == _MULTI for column in columns.values()):
            several = await self._columns(
                table, f"{_MULTI}AttributeMetadata", "LogicalName", "&$expand=OptionSet($select=Options)"
            )
        for name, told in {**strings, **memos, **dates, **choices, **several, **flags}.items():
            if name in columns:
                columns[name] = replace(
                    columns[name],
                    max_length=int(told.get("MaxLength") or 0),
                    format=str(told.get("Format") or _value(told.get("FormatName"))),
                    behavior=_value(told.get("DateTimeBehavior")),
                    options=_options(told.get("OptionSet")),
                )
        return columns

    async def labels(self, table: str) -> dict[str, dict[int, dict[int, str]]]:
        """Labels of a table's choices by column, language (LCID; 0: the asking user's) and value (true is 1)."""
        found: dict[str, dict[int, dict[int, str]]] = {}
        for kind in LABELLED:
            options = "TrueOption,FalseOption" if kind == "Boolean" else "Options"
            told = await self._columns(
                table, f"{kind}AttributeMetadata", "LogicalName", f"&$expand=OptionSet($select={options})"
            )
            found.update({name: _labels(one.get("OptionSet")) for name, one in told.items()})
        return found

    async def lookups(self, table: str) -> dict[str, tuple[str, ...]]:
        """The tables that each lookup may point to, by the lookup's logical name."""
        rows = await self._columns(table, "LookupAttributeMetadata", "LogicalName,Targets")
        return {name: tuple(map(str, told.get("Targets") or ())) for name, told in rows.items()}

    async def token_days(self) -> int:
        """Days a delta link lives: ExpireChangeTrackingInDays, 7 unless an admin changed it."""
        rows = (await self._get("organizations?$select=expirechangetrackingindays")).get("value")
        days = rows[0].get("expirechangetrackingindays") if isinstance(rows, list) and rows else None
        return days if isinstance(days, int) else 7

    async def privileges(self) -> dict[str, str]:
        """The application user's privileges, e.g. `prvReadContact` → `Global`."""
        who = str((await self._get("WhoAmI")).get("UserId", ""))
        told = await self._get(f"systemusers({who})/{_KIND}RetrieveUserPrivileges")
        rows = told.get("RolePrivileges")
        if not isinstance(rows, list):
            raise SyncError("dynamics_garbled", "no RolePrivileges")
        return {str(row.get("PrivilegeName", "")): str(row.get("Depth", "")) for row in rows}

    async def _get(self, path: str) -> dict[str, Any]:
        return (await self._dynamics.get(path)).json()

    async def _columns(
        self, table: str, kind: str, select: str, expand: str = ""
    ) -> dict[str, dict[str, Any]]:
        cast = f"/{_KIND}{kind}" if kind else ""
        path = f"EntityDefinitions(LogicalName='{_literal(table)}')/Attributes{cast}?$select={select}{expand}"
        rows = (await self._get(path)).get("value")
        if not isinstance(rows, list):
            raise SyncError("dynamics_garbled", "no value")
        return {str(row.get("LogicalName", "")): row for row in rows}


def _literal(name: str) -> str:
    if not name.replace("_", "").isalnum() or not name.isascii():
        raise SyncError("unknown_table", "not a logical name")
    return name


def _type(told: Mapping[str, Any]) -> str:
    """A multi-select choice is `Virtual` by its AttributeType, and only its type name tells what it is."""
    kind = str(told.get("AttributeType", ""))
    return _value(told.get("AttributeTypeName")).removesuffix("Type") if kind == "Virtual" else kind


def _value(told: object) -> str:
    return str(told.get("Value", "")) if isinstance(told, Mapping) else ""


def _options(told: object) -> tuple[tuple[int, str], ...]:
    if not isinstance(told, Mapping):
        return ()
    options = told.get("Options", [told.get("TrueOption"), told.get("FalseOption")])
    if not isinstance(options, list) or not all(isinstance(option, Mapping) for option in options):
        return ()
    return tuple((int(option["Value"]), _label(option.get("Label"))) for option in options)


def _labels(told: object) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    if not isinstance(told, Mapping):
        return found
    options = told.get("Options", [told.get("TrueOption"), told.get("FalseOption")])
    for option in options if isinstance(options, list) else ():
        label = option.get("Label") if isinstance(option, Mapping) else None
        texts: list[tuple[object, object]] = [(0, _label(label))]
        localized = label.get("LocalizedLabels") if isinstance(label, Mapping) else None
        texts += [(one.get("LanguageCode"), one.get("Label")) for one in localized or ()]
        for language, text in texts:
            if isinstance(language, int) and isinstance(text, str) and text:
                found.setdefault(language, {})[int(option["Value"])] = text
    return found


def _label(told: object) -> str:
    localized = told.get("UserLocalizedLabel") if isinstance(told, Mapping) else None
    return str(localized.get("Label", "")) if isinstance(localized, Mapping) else ""
