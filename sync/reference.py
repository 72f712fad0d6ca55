"""Writes what is made from the code: `python -m sync.reference` (`--check` only compares).

docs/errors.md, docs/settings.md and the JSON Schema of mapping files.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from sync.catalogue.campaign import CAMPAIGN
from sync.catalogue.common import COMMON
from sync.catalogue.dynamics import DYNAMICS
from sync.catalogue.engine import ENGINE
from sync.catalogue.entry import Entry, Reaction
from sync.catalogue.events import EVENTS
from sync.planning.schema import NAME, schema_text
from sync.settings import Settings

_NOTE = "<!-- Written by `python -m sync.reference` from the code; do not edit. -->\n"
_REACTIONS = {
    Reaction.RETRY: "tried again by itself, with growing delays",
    Reaction.WAIT: "comes back at a given time; uses no attempt",
    Reaction.PARK: "waits for something known",
    Reaction.QUARANTINE: "a person must look at this record; others go on",
    Reaction.STOP: "the whole flow waits until it is mended",
    Reaction.RESYNC: "a full read starts",
}
_ERRORS = (
    "Every code that a log event, the history of a record, `status` or an exception can carry. What happens next "
    "depends on the code alone:"
)
_SETTINGS = (
    "App settings of the function app; `local.settings.sample.json` has those of a local run. They are checked when "
    "the app starts, and one error names everything that is missing or wrong. Secrets belong into Key Vault: "
    "`@Microsoft.KeyVault(SecretUri=…)`; a value that still reads so means the reference was not resolved, and the "
    "app refuses to start. Plain http is accepted for loopback addresses only. No proxy settings are read."
)
_STORAGE = (
    "Storage is given as a connection string (local runs) or, in Azure, by identity: the account's name, or the two "
    "addresses. A user-assigned identity also needs `AzureWebJobsStorage__credential=managedidentity` and its client "
    "id; the Functions host reads the same settings."
)


def errors_page() -> str:
    """docs/errors.md."""
    lines = [
        "# Errors",
        "",
        _NOTE,
        _ERRORS,
        "",
        "| reaction | what it means |",
        "|---|---|",
        *(f"| {reaction} | {_REACTIONS[reaction]} |" for reaction in Reaction),
        "",
    ]
    sections = {
        "Settings and addresses": COMMON,
        "Dynamics": DYNAMICS,
        "Campaign": CAMPAIGN,
        "The sync": ENGINE,
        "Email events": EVENTS,
    }
    for title, entries in sections.items():
        lines += [f"## {title}", ""]
        for code in sorted(entries):
            lines += _entry(code, entries[code])
    return "\n".join(lines)


def _entry(code: str, entry: Entry) -> list[str]:
    return [
        f"### {code}",
        "",
        f"{entry.meaning} Reaction: {entry.reaction}.",
        "",
        f"- Cause: {entry.cause}",
        f"- Fix: {entry.fix.replace('<', '&lt;')}",
        f"- What the sync does: {entry.does}",
        "",
    ]


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        _NOTE,
        _SETTINGS,
        "",
    ]
    for group, fields in groupby(Settings.names().items(), key=lambda named: _group(named[1])):
        lines += [f"## {group}", ""]
        if group == "Storage":
            lines += [_STORAGE, ""]
        lines += ["| setting | default | meaning |", "|---|---|---|", *(_row(*named) for named in fields), ""]
    return "\n".join(lines)


def _group(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra["group"]) if isinstance(extra, dict) else ""


def _row(name: str, field: FieldInfo) -> str:
    return f"| `{name}` | {_default(field.default)} | {field.description} |"


def _default(value: object) -> str:
    if value == "" or isinstance(value, SecretStr):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def pages() -> dict[str, str]:
    """The generated files, by their path in the repository."""
    return {
        "docs/errors.md": errors_page(),
        "docs/settings.md": settings_page(),
        f"mappings/{NAME}": schema_text(),
    }


def stale(root: Path) -> Iterator[str]:
    """The generated files that are not what the code says."""
    for name, text in pages().items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield name


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parent.parent
    if arguments == ["--check"]:
        names = list(stale(root))
        print(
            "\n".join(f"{name} is stale: run python -m sync.reference" for name in names)
            or "docs are current"
        )
        return 1 if names else 0
    for name, text in pages().items():
        (root / name).write_text(text, encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
