"""Actions and functions that set-up calls: customizing, roles, solutions, and which tables take bulk messages."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.dynamics.bulk import Bulk
from sandbox.dynamics.customizing import Customizing, read
from sandbox.dynamics.errors import bad, no_row, not_allowed, payload, silent
from sandbox.dynamics.founding import privilege_id
from sandbox.dynamics.pages import JSON, Pages
from sandbox.dynamics.query import Call
from sandbox.dynamics.values import GUID
from sandbox.wire import Response

Done = tuple[Response, str, str]
"""Answer, log note, record."""

_ROLE_ACTION = re.compile(rf"roles\(({GUID.pattern})\)/Microsoft\.Dynamics\.CRM\.(\w+)")
_ROLE_PRIVILEGES = re.compile(rf"RetrieveRolePrivilegesRole\(RoleId=(?:({GUID.pattern})|(@\w+))\)")
_PROBE = re.compile(
    r"sdkmessageid/name eq '(\w+)' and primaryobjecttypecode eq '(\w+)'(?P<more>.*)", re.S
)  # the one filter documented for this set (dataverse.md 2.3)
DEPTHS = ("Basic", "Local", "Deep", "Global")


class Actions:
    """Answers what is neither a table's address nor a definition's; None for anything else."""

    def __init__(self, pages: Pages, customizing: Customizing, bulk: Bulk) -> None:
        self._org = pages.organization
        self._customizing = customizing
        self._bulk = bulk
        self._unbound = {
            "CreateEntities": customizing.create_entities,
            "InsertOptionValue": customizing.insert_option,
            "PublishXml": customizing.publish,
            "AddSolutionComponent": self._add_component,
        }

    def answer(self, call: Call) -> Done | None:
        """The answer to an action or function of this class."""
        action = self._unbound.get(call.path)
        if action is not None:
            if call.method != "POST":
                raise not_allowed(call.method)
            if call.query.options:
                raise silent("Query options on an action")
            return action(call), call.path, ""
        if call.path == "sdkmessagefilters":
            return self._supported(call), "sdkmessagefilters.page", ""
        role = _ROLE_ACTION.fullmatch(call.path)
        if role is not None:
            return self._role(call, role.group(1).lower(), role.group(2)), role.group(2), role.group(1)
        asked = _ROLE_PRIVILEGES.fullmatch(call.path)
        if asked is not None:
            return self._role_privileges(call, asked.group(1) or ""), "RetrieveRolePrivilegesRole", ""
        return None

    def _add_component(self, call: Call) -> Response:
        body = read(call)
        needed = {"ComponentId", "ComponentType", "SolutionUniqueName", "AddRequiredComponents"}
        if (
            not needed
            <= set(body)
            <= needed | {"DoNotIncludeSubcomponents", "IncludedComponentSettingsValues"}
        ):
            raise payload("AddSolutionComponent", f"The parameters are {', '.join(sorted(needed))}.")
        kind, object_id = body["ComponentType"], str(body["ComponentId"]).lower()
        if kind != 20:
            raise silent("Adding another component than a role")
        if object_id not in self._org.tables["role"].rows:
            raise no_row("role", object_id)
        component = self._org.add_component(str(body["SolutionUniqueName"]), kind, object_id)
        return self._complex(call, "AddSolutionComponent", {"id": component})

    def _supported(self, call: Call) -> Response:
        """`sdkmessagefilters`: has a table a message? UpsertMultiple is never listed."""
        if call.method != "GET":
            raise not_allowed(call.method)
        text = " ".join((call.query.get("$filter") or "").split())
        found = _PROBE.fullmatch(text)
        chosen = call.query.get("$select") == "sdkmessagefilterid"
        if found is None or found["more"] or not chosen or set(call.query.options) != {"$select", "$filter"}:
            raise silent("Reading sdkmessagefilters in another way")
        message, name = found.group(1), found.group(2)
        rows = self._org.tables.get(name)
        known = rows is not None and message in ("CreateMultiple", "UpdateMultiple")
        values = []
        if rows is not None and known and self._bulk.supports(rows, message):
            values = [{"sdkmessagefilterid": privilege_id(f"{message} {name}")}]
        context = f"{call.root}/$metadata#sdkmessagefilters(sdkmessagefilterid)"
        return _json({"@odata.context": context, "value": values})

    def _role(self, call: Call, role: str, action: str) -> Response:
        if call.method != "POST":
            raise not_allowed(call.method)
        if role not in self._org.tables["role"].rows:
            raise no_row("role", role)
        self._org.require("Write", self._org.tables["role"])
        held, body = self._org.catalogue.roles.setdefault(role, {}), read(call)
        if action == "AddPrivilegesRole":
            given = body.get("Privileges")
            if set(body) != {"Privileges"} or not isinstance(given, list):
                raise payload("roles", "The body must be an object with the member 'Privileges'.")
            held |= dict(self._privilege(one) for one in given)
        elif action == "RemovePrivilegeRole" and set(body) == {"PrivilegeId"}:
            held.pop(self._named(body["PrivilegeId"]), None)
        else:
            raise silent(f"The action {action} of a role")
        return Response(204)

    def _privilege(self, given: Any) -> tuple[str, str]:
        if not isinstance(given, dict) or set(given) - {
            "PrivilegeId",
            "Depth",
            "BusinessUnitId",
            "PrivilegeName",
        }:
            raise payload("roles", "An entry of 'Privileges' is no RolePrivilege.")
        depth = given.get("Depth")
        if depth not in DEPTHS:
            raise payload(
                "roles", f"Cannot convert the value of 'Depth' to the enumeration {'/'.join(DEPTHS)}."
            )
        return self._named(given.get("PrivilegeId")), str(depth)

    def _named(self, row_id: Any) -> str:
        row = self._org.tables["privilege"].rows.get(str(row_id).lower())
        if row is None:
            raise no_row("privilege", str(row_id)[:60])
        return str(row["name"])

    def _role_privileges(self, call: Call, role: str) -> Response:
        if call.method != "GET":
            raise not_allowed(call.method)
        if call.query.options:
            raise bad("Query options are not supported on this function.")
        role = (role or next(iter(call.query.aliases.values()), "")).lower()
        if role not in self._org.tables["role"].rows:
            raise no_row("role", role[:60])
        unit = self._org.options.business_unit_id
        held = [
            {
                "Depth": depth, "PrivilegeId": privilege_id(name), "BusinessUnitId": unit, "PrivilegeName": name,
                "RecordFilterId": "00000000-0000-0000-0000-000000000000", "RecordFilterUniqueName": "",
            }
            for name, depth in self._held(role).items()
        ]  # fmt: skip
        return self._complex(call, "RetrieveRolePrivilegesRole", {"RolePrivileges": held})

    def _held(self, role: str) -> dict[str, str]:
        return self._org.catalogue.roles.get(role, {})

    def _complex(self, call: Call, name: str, content: dict[str, Any]) -> Response:
        return _json(
            {"@odata.context": f"{call.root}/$metadata#Microsoft.Dynamics.CRM.{name}Response", **content}
        )


def _json(content: dict[str, Any]) -> Response:
    return Response(200, {"content-type": JSON}, json.dumps(content, separators=(",", ":")).encode())
