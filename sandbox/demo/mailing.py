"""A small campaign: log exports dropped where Campaign would drop them, and one contact's timeline as sales sees it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerClient
from rich import box
from rich.table import Table
from rich.text import Text

from sandbox.demo.report import Report
from sandbox.demo.stack import Stack

CONTAINER = "exports"
SETTINGS = {"EVENTS_CONTAINER": CONTAINER, "EVENTS_SETTLE_S": "0.5", "EVENTS_SCHEDULE": "*/5 * * * * *"}
LONGEST_S = 90.0
TABLES = {
    "acs_emailsend": ("acs_datesent", "acs_datebounced", "acs_dateopened", "acs_dateclicked"),
    "acs_emailopen": ("acs_dateopened",),
    "acs_emailclick": ("acs_dateclicked",),
    "acs_emailbounce": ("acs_datebounced",),
}
TITLES = {
    "acs_emailsend": "Adobe Campaign Email Send",
    "acs_emailopen": "Adobe Campaign Email Open",
    "acs_emailclick": "Adobe Campaign Email URL Click",
    "acs_emailbounce": "Adobe Campaign Email Bounce",
}
DELIVERY = (
    "broadlogID,lastModified,deliveryName,campaignName,externalID,eventDate,status,proofMember,seedMember,"
    "bounceType,bounceReason,mirrorPageURL"
)
TRACKING = "trackinglogID,deliveryName,campaignName,externalID,logDate,type,proofMember,seedMember,url"
MAIL = "DM190,2019LoyaltyCamp"


class Mailing:
    """Sends to a few contacts; two of them open and click, one bounces after all."""

    def __init__(self, stack: Stack, report: Report) -> None:
        self._stack = stack
        self._report = report

    def prepare(self) -> None:
        """The activity tables, which `python -m sync setup dynamics` makes in a real environment."""
        for name, dates in TABLES.items():
            texts = (
                "campaignname",
                "deliveryname",
                "mirrorpageurl",
                "trackingurl",
                "bouncetype",
                "bouncereason",
            )
            columns: list[dict[str, Any]] = [{"name": f"acs_{text}", "max_length": 2000} for text in texts]
            columns += [{"name": date, "type": "DateTime"} for date in dates]
            columns += [{"name": f"acs_{count}count", "type": "Integer"} for count in ("open", "click")]
            self._stack.dynamics.command("activity_table", name=name, columns=columns)

    def play(self, to: Sequence[str]) -> bool:
        """Drop the exports, twice; whether each event shows exactly once."""
        self._report.title("A mailing: what salespeople see")
        now = time.time()
        first, second, last = to[0], to[1], to[-1]
        sends = [self._send(number, contact, now - 300) for number, contact in enumerate(to)]
        tracked = [
            f"1,{MAIL},{first},{_stamp(now - 200)},Open,0,0,",
            f"2,{MAIL},{first},{_stamp(now - 190)},Email click,0,0,https://shop.example/spring",
            f"3,{MAIL},{second},{_stamp(now - 100)},Open,0,0,",
        ]
        bounce = self._send(len(to) - 1, last, now - 60, status="Failed", bounce="Hard,Unknown user")
        wanted = {"acs_emailsend": len(sends), "acs_emailopen": 2, "acs_emailclick": 1, "acs_emailbounce": 1}
        self._drop("broadlog-1.csv", DELIVERY, sends)
        self._drop("tracking-1.csv", TRACKING, tracked)
        self._wait({**wanted, "acs_emailbounce": 0})
        # Exports overlap: the next one repeats what is known.
        self._drop("broadlog-2.csv", DELIVERY, [*sends, bounce])
        self._drop("tracking-2.csv", TRACKING, tracked)
        found = self._wait(wanted)
        self._report.line(
            f"mailed {len(sends)} contacts; on their timelines: "
            + ", ".join(
                f"{number} {TITLES[name].removeprefix('Adobe Campaign Email ')}"
                for name, number in found.items()
            )
        )
        self._report.line("what a salesperson sees of two of them:")
        self._show(first)
        self._show(last)
        return found == wanted

    def _send(self, log_id: int, contact: str, at: float, *, status: str = "Sent", bounce: str = ",") -> str:
        stamp = _stamp(at)
        mirror = f"https://mirror.example/{log_id}"
        return f"{log_id},{stamp},{MAIL},{contact},{stamp},{status},0,0,{bounce},{mirror}"

    def _drop(self, name: str, header: str, lines: Sequence[str]) -> None:
        with ContainerClient.from_connection_string(
            self._stack.azurite.connection_string, CONTAINER
        ) as container:
            with contextlib.suppress(ResourceExistsError):
                container.create_container()
            container.upload_blob(name, "\n".join([header, *lines, ""]).encode(), overwrite=True)

    def _counts(self) -> dict[str, int]:
        dump = self._stack.dynamics.command
        return {name: len(dump("dump", table=name)["records"]) for name in TABLES}

    def _wait(self, wanted: dict[str, int]) -> dict[str, int]:
        """The counts once they are as wanted for three seconds, or when time is up."""
        began, right = time.monotonic(), 0.0
        while time.monotonic() - began < LONGEST_S:
            found = self._counts()
            if found != wanted:
                right = 0.0
            elif not right:
                right = time.monotonic()
            elif time.monotonic() - right > 3.0:
                return found
            time.sleep(0.5)
        return self._counts()

    def _show(self, contact: str) -> None:
        """Newest first, a card for each activity: its type and when, its subject, what the form shows below."""
        command = self._stack.dynamics.command
        name = next(one["fullname"] for one in command("dump")["records"] if one["contactid"] == contact)
        table = Table(
            title=f"Timeline of {name or contact}", title_justify="left", show_header=False, box=box.SIMPLE
        )
        for one in command("timeline", id=contact):
            at = datetime.fromisoformat(one["sortdate"]).astimezone().strftime("%H:%M")
            state = "Open" if one["statecode"] == 0 else "Completed"
            card = Text.assemble(
                (TITLES[one["table"]], "bold"),
                f"  (status: {state})\n{one['subject']}",
                (_details(one), "dim"),
            )
            table.add_row(at, card)
        self._report.show(table)


def _details(one: dict[str, Any]) -> str:
    """The fields of the form that are filled, a line each."""
    fields = {
        "Bounced": one.get("acs_datebounced"),
        "Bounce": ": ".join(filter(None, (one.get("acs_bouncetype"), one.get("acs_bouncereason")))),
        "Tracking URL": one.get("acs_trackingurl"),
        "Mirror Page URL": one.get("acs_mirrorpageurl"),
    }
    return "".join(f"\n{label}: {value}" for label, value in fields.items() if value)


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
