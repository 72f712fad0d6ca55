"""Customizing an environment over the Web API: solution, tables, columns, change tracking, role (dataverse.md 1.5, 4).

Metadata is read with `Consistency: Strong`, so that a read sees the write before it. Every method raises SyncError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.dynamics.client import Dynamics
from sync.errors import SyncError

CRM = "Microsoft.Dynamics.CRM."
LANGUAGE = 1033
_STRONG = {
    "Accept": "application/json",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
    "Consistency": "Strong",
}
_PRIVILEGES_PER_READ = 12


@dataclass(frozen=True, slots=True)
class TableState:
    """A table's definition, as far as activities need it."""

    entity_set: str
    activity: bool


@dataclass(frozen=True, slots=True)
class NewColumn:
    """`type`: text, url, datetime or integer; `length` of a text."""

    name: str
    label: str
    type: str
    length: int = 0


class Provisioning:
    """One environment, by whoever the settings name: needs System Customizer, and the right to create roles."""

    def __init__(self, dynamics: Dynamics) -> None:
        self._dynamics = dynamics

    async def publisher(self, unique_name: str) -> tuple[str, str]:
        """(id, prefix); empty where there is none."""
        row = await self._one(
            "publishers", "publisherid,customizationprefix", f"uniquename eq '{unique_name}'"
        )
        return str(row.get("publisherid", "")), str(row.get("customizationprefix", ""))

    async def create_publisher(self, unique_name: str, display_name: str, prefix: str, options: int) -> None:
        await self._post(
            "publishers",
            {
                "uniquename": unique_name, "friendlyname": display_name, "customizationprefix": prefix,
                "customizationoptionvalueprefix": options,
            },
        )  # fmt: skip

    async def solution(self, unique_name: str) -> tuple[str, str, str]:
        """(id, id of its publisher, description); empty where there is none."""
        select = "solutionid,_publisherid_value,description"
        row = await self._one("solutions", select, f"uniquename eq '{unique_name}'")
        return (
            str(row.get("solutionid", "")),
            str(row.get("_publisherid_value", "")),
            str(row.get("description") or ""),
        )

    async def create_solution(self, unique_name: str, display_name: str, publisher_id: str) -> None:
        await self._post(
            "solutions",
            {
                "uniquename": unique_name, "friendlyname": display_name, "version": "1.0.0.0",
                "publisherid@odata.bind": f"/publishers({publisher_id})",
            },
        )  # fmt: skip

    async def describe_solution(self, solution_id: str, text: str) -> None:
        await self._dynamics.write(
            "PATCH", f"solutions({solution_id})", {"description": text}, {"If-Match": "*"}
        )

    async def table(self, name: str) -> TableState | None:
        """A table's definition; None where there is none."""
        try:
            told = await self._get(
                f"EntityDefinitions(LogicalName='{name}')?$select=EntitySetName,IsActivity"
            )
        except SyncError as error:
            if error.code not in ("dynamics_not_found", "unknown_table"):
                raise
            return None
        return TableState(str(told.get("EntitySetName", "")), told.get("IsActivity") is True)

    async def create_activity_table(
        self, name: str, display_name: str, subject_length: int, solution: str
    ) -> None:
        """A custom activity by the rules that hold at creation and cannot be changed later (dataverse.md 4.1)."""
        subject = {
            **_attribute("String", "Subject", "Subject"),
            "IsPrimaryName": True,
            "MaxLength": subject_length,
            "FormatName": {"Value": "Text"},
        }
        definition = {
            "@odata.type": f"{CRM}EntityMetadata",
            "SchemaName": name,
            "IsActivity": True,
            "HasActivities": False,
            "HasNotes": True,
            "OwnershipType": "UserOwned",
            "IsAvailableOffline": True,
            "DisplayName": _label(display_name),
            "DisplayCollectionName": _label(f"{display_name}s"),
            "Description": _label("Written by the Adobe Campaign sync."),
            "Attributes": [subject],
        }
        await self._post("EntityDefinitions", definition, {"MSCRM.SolutionUniqueName": solution})

    async def create_column(self, table: str, column: NewColumn, solution: str) -> None:
        body = _column(column)
        path = f"EntityDefinitions(LogicalName='{table}')/Attributes"
        await self._post(path, body, {"MSCRM.SolutionUniqueName": solution})

    async def enable_change_tracking(self, name: str) -> None:
        """Track changes of a table from now on, for ever: a definition is replaced as a whole (dataverse.md 1.5)."""
        told = await self._get(f"EntityDefinitions(LogicalName='{name}')")
        definition = {key: _typed(value) for key, value in told.items() if key != "@odata.context"}
        path = f"EntityDefinitions({definition.get('MetadataId', '')})"
        body = {**definition, "@odata.type": f"{CRM}EntityMetadata", "ChangeTrackingEnabled": True}
        await self._dynamics.write("PUT", path, body, {"MSCRM.MergeLabels": "true"})
        await self.publish([name])

    async def publish(self, tables: Sequence[str]) -> None:
        """Make changes of tables visible in forms and views."""
        entities = "".join(f"<entity>{name}</entity>" for name in tables)
        xml = f"<importexportxml><entities>{entities}</entities></importexportxml>"
        await self._post("PublishXml", {"ParameterXml": xml})

    async def role(self, name: str) -> str:
        """The role's id in the root business unit; child units hold copies of it. Empty where there is none."""
        unit = await self._root_unit()
        literal = name.replace("'", "''")
        row = await self._one("roles", "roleid", f"name eq '{literal}' and _businessunitid_value eq {unit}")
        return str(row.get("roleid", ""))

    async def create_role(self, name: str) -> None:
        unit = await self._root_unit()
        await self._post("roles", {"name": name, "businessunitid@odata.bind": f"/businessunits({unit})"})

    async def role_privileges(self, role_id: str) -> dict[str, str]:
        """Privilege → depth; the bound form of this function does not exist."""
        told = await self._get(f"RetrieveRolePrivilegesRole(RoleId={role_id})")
        return {
            str(row.get("PrivilegeName", "")): str(row.get("Depth", ""))
            for row in _rows(told, "RolePrivileges")
        }

    async def privilege_ids(self, names: Sequence[str]) -> dict[str, str]:
        """Privilege → id, of those that exist."""
        found: dict[str, str] = {}
        for start in range(0, len(names), _PRIVILEGES_PER_READ):
            some = names[start : start + _PRIVILEGES_PER_READ]
            wanted = " or ".join(f"name eq '{name}'" for name in some)
            told = await self._get(f"privileges?$select=name,privilegeid&$filter={_spaced(wanted)}")
            found |= {str(row["name"]): str(row["privilegeid"]) for row in _rows(told)}
        return found

    async def add_privileges(self, role_id: str, privilege_ids: Sequence[str]) -> None:
        """At organization level; the depth is a word, numbers are refused (dataverse.md 4.5)."""
        given = [{"PrivilegeId": one, "Depth": "Global"} for one in privilege_ids]
        await self._post(f"roles({role_id})/{CRM}AddPrivilegesRole", {"Privileges": given})

    async def in_solution(self, solution_id: str, object_id: str) -> bool:
        row = await self._one(
            "solutioncomponents", "solutioncomponentid",
            f"_solutionid_value eq {solution_id} and objectid eq {object_id}",
        )  # fmt: skip
        return bool(row)

    async def add_to_solution(self, object_id: str, component_type: int, solution: str) -> None:
        await self._post(
            "AddSolutionComponent",
            {
                "ComponentId": object_id, "ComponentType": component_type, "SolutionUniqueName": solution,
                "AddRequiredComponents": False,
            },
        )  # fmt: skip

    async def _root_unit(self) -> str:
        row = await self._one("businessunits", "businessunitid", "_parentbusinessunitid_value eq null")
        if not row:
            raise SyncError("dynamics_garbled", "no root business unit")
        return str(row["businessunitid"])

    async def _one(self, entity_set: str, select: str, condition: str) -> dict[str, Any]:
        rows = _rows(await self._get(f"{entity_set}?$select={select}&$filter={_spaced(condition)}"))
        return rows[0] if rows else {}

    async def _get(self, path: str) -> dict[str, Any]:
        return (await self._dynamics.get(path, _STRONG)).json()

    async def _post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        await self._dynamics.write("POST", path, body, headers)


def _rows(told: Mapping[str, Any], name: str = "value") -> list[dict[str, Any]]:
    rows = told.get(name)
    if not isinstance(rows, list):
        raise SyncError("dynamics_garbled", f"no {name}")
    return rows


def _spaced(condition: str) -> str:
    return condition.replace(" ", "%20").replace("&", "%26").replace("#", "%23").replace("+", "%2B")


def _label(text: str) -> dict[str, Any]:
    one = {"@odata.type": f"{CRM}LocalizedLabel", "Label": text, "LanguageCode": LANGUAGE}
    return {"@odata.type": f"{CRM}Label", "LocalizedLabels": [one]}


def _typed(value: Any) -> Any:
    """A label as it is sent: with the types that a read leaves out."""
    if not isinstance(value, dict) or not isinstance(value.get("LocalizedLabels"), list):
        return value
    texts = [{"@odata.type": f"{CRM}LocalizedLabel", **text} for text in value["LocalizedLabels"]]
    return {"@odata.type": f"{CRM}Label", "LocalizedLabels": texts}


def _attribute(kind: str, schema: str, label: str) -> dict[str, Any]:
    return {
        "@odata.type": f"{CRM}{kind}AttributeMetadata",
        "SchemaName": schema,
        "DisplayName": _label(label),
        "RequiredLevel": {"Value": "None"},
    }


def _column(column: NewColumn) -> dict[str, Any]:
    match column.type:
        case "datetime":
            return {
                **_attribute("DateTime", column.name, column.label),
                "Format": "DateAndTime",
                "DateTimeBehavior": {"Value": "UserLocal"},
            }
        case "integer":
            return {**_attribute("Integer", column.name, column.label), "MinValue": 0, "MaxValue": 2147483647}
        case "text" | "url":
            form = "Url" if column.type == "url" else "Text"
            text = {"MaxLength": column.length, "FormatName": {"Value": form}}
            return {**_attribute("String", column.name, column.label), **text}
    raise ValueError(column.type)
