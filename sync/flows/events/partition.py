"""One partition in work: its rows, what its contacts' activities must be, and what is recorded of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.catalogue.dynamics import DYNAMICS
from sync.dynamics.activities import Target, Verb
from sync.flows.events.standing import Standing
from sync.flows.events.write import Ended, Result, Write
from sync.model import EventRow
from sync.planning.activities import Events
from sync.planning.events import Activity, plan_contact
from sync.planning.follow_up import follow_ups
from sync.storage.events import PartitionClaim

PARKED = Standing.UNKNOWN.value
TASK_TABLE, TASK_SET = "task", "tasks"


def may_reopen(code: str) -> bool:
    """Whether a closed row waits for a contact or for a person: what Dynamics refused carries one of its codes."""
    return code == PARKED or refused(code)


def refused(code: str) -> bool:
    """Whether this code says that Dynamics refused the activity."""
    return code in DYNAMICS


@dataclass
class Work:
    """`rows` by contact; `open` are the keys to be worked, parked rows of contacts that appeared included."""

    name: str
    claim: PartitionClaim
    rows: dict[str, list[EventRow]]
    open: set[str]
    contacts: tuple[str, ...] = ()
    """Contacts whose parked or refused rows are worked: they must come along when this comes back."""
    more: bool = False
    """There are open rows that were not read: what one message works is bounded."""
    claimed: bool = False
    doubtful: bool = False
    """A correction may have landed that no row tells of: that a row's hash is right proves nothing then."""
    closed: dict[str, str] = field(default_factory=dict)
    """Rows to close without an activity, and why."""
    activities: list[Activity] = field(default_factory=list)
    by_key: dict[str, EventRow] = field(default_factory=dict)
    heirs: Mapping[str, str] = field(default_factory=dict)
    """Who gets the activities of a contact that was merged into another."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Who gets a contact's tasks (`/systemusers(id)`); a contact that is not in it: the application user."""

    def plan(self, events: Events, standing: Mapping[str, Standing], oldest: float, now: float) -> None:
        """Decide about every open row."""
        self.doubtful = bool(self.claim.owner)
        self.by_key = {row.key: row for rows in self.rows.values() for row in rows}
        self.closed, self.activities = {}, []
        for contact, rows in sorted(self.rows.items()):
            mine = [row.key for row in rows if row.key in self.open]
            stands = standing.get(contact, Standing.UNKNOWN)
            if stands is not Standing.THERE:
                self.closed.update(dict.fromkeys(mine, stands.value))
                continue
            planned = plan_contact(rows, events, oldest=oldest)
            self.closed.update((key, why) for key, why in planned.left.items() if key in self.open)
            activities = [*planned.activities, *follow_ups(rows, planned.left, events, now=now)]
            self.activities += [one for one in activities if self.open.intersection(one.parts)]

    def told(self, activity: Activity) -> EventRow:
        """The row that keeps what is recorded of an activity."""
        return self.by_key.get(activity.key) or EventRow(self.name, activity.key, None)

    def about(self, activity: Activity) -> str:
        """The contact that an activity regards."""
        return self.heirs.get(activity.contact, activity.contact)

    def verb(self, activity: Activity) -> Verb | None:
        """What must be written, if anything: what was deleted by someone stays so."""
        told = self.told(activity)
        if told.told == "gone":
            return None
        if (
            told.told == "written"
            and told.told_hash == activity.hash
            and (activity.task or not self.doubtful)
        ):
            return None
        return Verb.UPDATE if told.told else Verb.CREATE

    @property
    def tasks_for(self) -> set[str]:
        """Contacts that get a task now."""
        return {self.about(one) for one in self.activities if one.task and self.verb(one) is not None}

    @property
    def has_writes(self) -> bool:
        """Whether anything must be written. Corrections need the claim, creates only go faster with it."""
        return any(self.verb(activity) is not None for activity in self.activities)

    def corrections(self, results: Mapping[str, Result]) -> list[Ended]:
        """What became of the corrections."""
        return [
            results[activity.id].ended
            for activity in self.activities
            if self.verb(activity) is Verb.UPDATE and activity.id in results
        ]

    def writes(self, events: Events) -> list[Write]:
        """The targets, deterministic in order."""
        found: list[Write] = []
        for activity in self.activities:
            verb = self.verb(activity)
            if verb is not None:
                contact = self.about(activity)
                target = target_of(activity, events, verb, contact, self.owners.get(contact, ""))
                found.append((verb, target))
        return found

    def settle(
        self, results: Mapping[str, Result], events: Events, now: float
    ) -> tuple[list[EventRow], float | None]:
        """The rows to write, and after how many seconds this partition must come back (None: not at all)."""
        changed: dict[str, EventRow] = {}
        delays: list[float] = []
        closed = dict(self.closed)
        unfinished: set[str] = set()
        for activity in self.activities:
            verb = self.verb(activity)
            result = results[activity.id] if verb is not None else Result(Ended.WRITTEN)
            told, open_left, code, delay = _recorded(
                activity, verb, result, closes=events.options.close and not activity.task
            )
            if delay is not None:
                delays.append(delay)
            if told is not None:
                row = changed.get(activity.key) or self.told(activity)
                changed[activity.key] = replace(row, told=told[0], told_hash=told[1], updated=now)
            if open_left:
                unfinished.update(activity.parts)
            else:
                closed.update((key, code or closed.get(key, "")) for key in activity.rows)
        # A bounce belongs to its own activity, the send it marks and perhaps a task: it is closed with the last.
        for key in sorted(closed.keys() - unfinished):
            row = changed.get(key) or self.by_key[key]
            # What was refused together with others is mended together with them.
            if key in self.open or (refused(row.code) and not refused(closed[key])):
                changed[key] = replace(row, open=False, code=closed[key], updated=now)
        return list(changed.values()), min(delays, default=None)

    def refusals(self, changed: Sequence[EventRow]) -> tuple[dict[str, str], set[str]]:
        """With `changed` rows written: contacts with refused rows among them and a code, and those with none left."""
        now = self.by_key | {row.key: row for row in changed}
        codes = {row.contact: row.code for row in now.values() if refused(row.code)}
        touched = {row.contact for row in changed}
        before = {row.contact for row in self.by_key.values() if refused(row.code)}
        return {contact: codes[contact] for contact in touched & codes.keys()}, (
            before & touched
        ) - codes.keys()


def _recorded(
    activity: Activity, verb: Verb | None, result: Result, *, closes: bool
) -> tuple[tuple[str, str] | None, bool, str, float | None]:
    """(what is recorded of the activity, whether its rows stay open, their code, delay until the next try)."""
    if verb is None:
        return None, False, "", None
    ended = result.ended
    if ended is Ended.WRITTEN or (ended is Ended.EXISTS and activity.original):
        if closes and verb is Verb.CREATE:
            # Completing it is a correction of its own: a create cannot set the state.
            return ("written", ""), True, "", 0.0
        return ("written", activity.hash), False, "", None
    if ended is Ended.EXISTS:
        # There in some version: correct it, under the claim.
        return ("exists", ""), True, "", 0.0
    if ended is Ended.GONE:
        return ("gone", ""), False, "activity_deleted", None
    if ended in (Ended.REFUSED, Ended.NO_PARENT):
        return None, False, result.code, None
    return None, True, "", result.delay_s


def target_of(activity: Activity, events: Events, verb: Verb, contact: str, task_owner: str) -> Target:
    """What is written about the contact; `task_owner` gets it if it is a task."""
    values = dict(activity.columns)
    if activity.task:
        return Target(TASK_SET, TASK_TABLE, activity.id, values, contact, task_owner)
    table = events.tables.of(activity.kind)
    owner = ""
    if events.options.close and verb is Verb.UPDATE:
        values |= {"statecode": 1, "statuscode": 2}
    if verb is Verb.CREATE and events.options.owner is not None:
        chosen = events.options.owner
        owner = f"/{'systemusers' if chosen.kind == 'user' else 'teams'}({chosen.id})"
    return Target(table.entity_set, table.table, activity.id, values, contact, owner)
