"""What a person sees: progress while it works, the table at the end, the addresses to call."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from sandbox.demo.advice import advice
from sandbox.demo.entities import shown
from sandbox.demo.result import Result
from sandbox.demo.stack import Stack
from sandbox.demo.tenant import Contact
from sandbox.host.launch import FUNCTION_KEY

MOST_DIFFERENCES = 20
MOST_EXAMPLES = 5


class Report:
    """Writes to one console: stdout, or stderr where stdout belongs to `--json`."""

    def __init__(self, *, stderr: bool) -> None:
        self._console = Console(stderr=stderr, highlight=False)
        self._began = time.monotonic()

    def title(self, text: str) -> None:
        self._console.print(f"\n[bold]{text}[/bold]")

    def line(self, text: str) -> None:
        """One line of progress, with the seconds since the start."""
        self._console.print(f"[dim]{time.monotonic() - self._began:6.1f} s[/dim]  {text}")

    def plain(self, text: str) -> None:
        """Text as it is: it may be copied into a shell."""
        self._console.print(text, markup=False, soft_wrap=True)

    def show(self, table: Table) -> None:
        """A table between the lines."""
        self._console.print(table)

    def result(self, result: Result, contacts: Mapping[str, Contact]) -> None:
        """The closing tables and the verdict."""
        self._console.print()
        self._console.print(_outcomes(result))
        self._console.print(shown(result.entities))
        if result.quarantined:
            self._console.print(_quarantined(result, contacts))
        self._console.print(f"Campaign calls in all: {result.calls_in_all}, tokens and look-ups included.")
        if result.p50 is not None and result.p95 is not None:
            self._console.print(
                f"From a change in Dynamics to its profile: half within [bold]{result.p50:.1f} s[/bold], "
                f"95 % within [bold]{result.p95:.1f} s[/bold] (changes are read every 15 s)."
            )
        self._verdict(result)

    def _verdict(self, result: Result) -> None:
        sides = (
            f"{result.contacts} contacts, {result.profiles} profiles, {len(result.quarantined)} quarantined"
        )
        if result.equal:
            self._console.print(f"[bold green]Both sides agree, record by record[/bold green]: {sides}.\n")
            return
        self._console.print(
            f"[bold red]The sides differ[/bold red] in {len(result.differences)} places: {sides}."
        )
        for difference in result.differences[:MOST_DIFFERENCES]:
            self.plain(f"  contact {difference.record_id} {difference.what}")
        if len(result.differences) > MOST_DIFFERENCES:
            self.plain(f"  and {len(result.differences) - MOST_DIFFERENCES} more")

    def addresses(self, stack: Stack, example: str) -> None:
        """Where everything listens, and what to try."""
        assert stack.host is not None
        self.title("It keeps running. Try it from another terminal; Ctrl-C ends everything.")
        self.plain(
            f"""
Edit a contact in Dynamics, and see its profile follow within seconds (look for the line that appears here):
  curl -X POST {stack.dynamics.url}/_sandbox/edit -d '{{"id": "{example}", "changes": {{"firstname": "Ada"}}}}'

All contacts, all profiles:
  curl -X POST {stack.dynamics.url}/_sandbox/dump
  curl -X POST {stack.campaign.url}/_sandbox/dump

Delete a contact; create one:
  curl -X POST {stack.dynamics.url}/_sandbox/delete -d '{{"id": "{example}"}}'
  curl -X POST {stack.dynamics.url}/_sandbox/seed -d '{{"records": [{{"lastname": "Lovelace", "firstname": "Ada"}}]}}'

Every call that Campaign got, and how the sync is:
  curl -X POST {stack.campaign.url}/_sandbox/log -d '{{"since": 0}}'
  curl '{stack.host.url}/api/health?code={FUNCTION_KEY}'

The same addresses speak the Dataverse Web API (/api/data/v9.2/) and the Campaign REST API (/local/campaign/),
with the credentials of local.settings.sample.json. Storage (Azurite): {stack.azurite.queue_url}
What the function app logs: {stack.host_log}

The admin's view (doctor, status, history ID, replay --all, …):
  .venv/bin/python -m sync status --settings {stack.settings_file}
"""
        )


def _outcomes(result: Result) -> Table:
    table = Table(title="What the sync did", box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("")
    table.add_column("records", justify="right")
    table.add_column("Campaign calls per record", justify="right")
    rows = (
        ("created", result.written["create"], "insert"),
        ("updated", result.written["update"], "update"),
        ("unchanged (nothing for Campaign in it)", result.unchanged, "unchanged"),
        ("deleted", result.written["delete"], "delete"),
        ("parked (waits for an approval)", result.parked, ""),
        ("quarantined (needs a person)", len(result.quarantined), ""),
    )
    for name, count, kind in rows:
        mean = result.calls.get(kind)
        table.add_row(name, str(count), "" if mean is None else f"{mean:.2f}")
    return table


def _quarantined(result: Result, contacts: Mapping[str, Contact]) -> Table:
    """Per code: why, what to do, and which contacts."""
    table = Table(title="Quarantined", box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.show_header = False
    for code in result.codes:
        ids = sorted(row.record_id for row in result.quarantined if row.code == code)
        shown = [
            f"{record_id} {_kind(contacts.get(record_id))}".rstrip() for record_id in ids[:MOST_EXAMPLES]
        ]
        if len(ids) > MOST_EXAMPLES:
            shown.append(f"and {len(ids) - MOST_EXAMPLES} more")
        told = advice(code)
        table.add_row(code, "why", told.meaning)
        table.add_row("", "what to do", told.fix)
        table.add_row("", f"contacts: {len(ids)}", "\n".join(shown))
    return table


def _kind(contact: Contact | None) -> str:
    return f"({contact.kind})" if contact is not None and contact.kind else ""
