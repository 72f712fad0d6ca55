"""Every KQL text of the repository, and the log events of the code it asks for."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.infra.bicep import INFRA, ROOT

TABLES = {
    # https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete, classic names: what a query with an
    # Application Insights resource as its scope sees. The columns that are of use here.
    "traces": "(timestamp: datetime, message: string, severityLevel: int, itemCount: int, itemId: string, "
    "operation_Id: string, operation_Name: string, cloud_RoleName: string, cloud_RoleInstance: string, "
    "customDimensions: dynamic)",
    "requests": "(timestamp: datetime, id: string, name: string, success: string, resultCode: string, "
    "duration: real, itemCount: int, operation_Id: string, operation_Name: string, cloud_RoleName: string, "
    "cloud_RoleInstance: string, customDimensions: dynamic)",
    "exceptions": "(timestamp: datetime, type: string, outerMessage: string, innermostMessage: string, "
    "problemId: string, itemCount: int, operation_Id: string, operation_Name: string, cloud_RoleName: string, "
    "cloud_RoleInstance: string, customDimensions: dynamic)",
}
PLACEHOLDERS = {"<minutes>": "10", "<hours>": "12", "<percent>": "1"}


@dataclass(frozen=True, slots=True)
class KqlText:
    """One query and where it is."""

    where: str
    text: str

    @property
    def events(self) -> set[str]:
        """The log events it filters on."""
        return set(re.findall(r"""message startswith '\{"event":"(\w+)"'""", self.text))

    @property
    def fields(self) -> set[str]:
        """The fields of those events that it reads."""
        return set(re.findall(r"\be(?:\.|\[')(\w+)", self.text))


def all_queries() -> Iterator[KqlText]:
    yield from alert_queries()
    yield from workbook_queries()
    yield from document_queries()


def alert_queries() -> Iterator[KqlText]:
    for path in sorted((INFRA / "queries").glob("*.kql")):
        text = path.read_text("utf-8")
        for placeholder, value in PLACEHOLDERS.items():
            text = text.replace(placeholder, value)
        yield KqlText(path.stem, text)


def workbook_queries() -> Iterator[KqlText]:
    workbook = json.loads((INFRA / "workbook.json").read_text("utf-8"))
    for item in workbook["items"]:
        if item["type"] == 3:
            yield KqlText(f"workbook {item['name']}", item["content"]["query"])


def document_queries() -> Iterator[KqlText]:
    for path in sorted((ROOT / "docs").glob("*.md")):
        for number, block in enumerate(
            re.findall(r"```kusto\n(.*?)```", path.read_text("utf-8"), re.DOTALL), 1
        ):
            yield KqlText(f"{path.name} {number}", block)


def logged_events() -> dict[str, set[str]]:
    """Every log event of `sync/` with its fields, read from the calls of sync/telemetry.py."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "sync").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if ast.unparse(node.func) in ("telemetry.event", "telemetry.warning") and node.args:
                name = ast.literal_eval(node.args[0])
                fields = {keyword.arg for keyword in node.keywords if keyword.arg} - {"level"}
                found.setdefault(name, {"event"}).update(fields)
    return found
