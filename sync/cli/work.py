"""What sending records again costs, and waiting for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.campaign.records import Action
from sync.cli.output import Output, counted, duration, number
from sync.cli.session import Session, UsageProblem
from sync.errors import SyncError
from sync.flows.context import Context
from sync.model import Lane
from sync.storage.queue import Queue

QUEUED = "Queued. The function app does the work; `python -m sync status` shows it."
POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Campaign calls that sending `records` again takes, and how long that is under the budget."""

    records: int
    least: int
    most: int
    seconds_least: float
    seconds: float
    exact: bool

    def __str__(self) -> str:
        about = "" if self.exact else "about "
        calls = (
            number(self.most) if self.least == self.most else f"{number(self.least)} to {number(self.most)}"
        )
        least, most = duration(self.seconds_least), duration(self.seconds)
        times = most if least == most else f"{least} to {most}"
        return f"{about}{counted(self.records, 'record')}, {calls} Campaign calls, {times} under the budget"

    def as_json(self) -> dict[str, object]:
        return {
            "records": self.records,
            "calls": {"least": self.least, "most": self.most},
            "seconds": round(self.seconds, 3),
            "exact": self.exact,
        }


def cost_of(context: Context, records: int, per_record: tuple[int, int], *, exact: bool) -> Cost:
    """`per_record` is the least and the most calls a record takes."""
    least, most = (records * calls for calls in per_record)
    seconds = context.budget.backfill_seconds
    return Cost(records, least, most, seconds(least), seconds(most), exact)


async def update_calls(context: Context, mapping: str) -> int:
    """Calls of an update by the addressing of a mapping's resource; 2, the most, where Campaign cannot be asked."""
    try:
        return (await context.target(await context.active(mapping))).calls_for(Action.UPDATE)
    except SyncError:
        return 2


def confirm(out: Output, question: str, *, yes: bool) -> bool:
    """Whether to go on; raises UsageProblem where nobody can be asked."""
    if yes:
        return True
    if out.as_json:
        raise UsageProblem("--json asks no questions", "Add --yes if it shall be done.")
    if out.ask(question):
        return True
    out.note("Nothing was done.")
    return False


async def wait_for(session: Session, lanes: Sequence[Lane], out: Output) -> None:
    """Until the lanes report no message, delayed ones included; the work goes on if this is stopped."""
    context = session.context
    queues: list[Queue] = [context.lanes.queue(lane) for lane in lanes]
    with out.progress("waiting for the function app") as tell:
        most = 0
        while True:
            left = sum([await queue.length() for queue in queues])
            if not left:
                return
            most = max(most, left)
            tell(most - left, most, counted(left, "message"))
            await context.clock.sleep(POLL_S)
