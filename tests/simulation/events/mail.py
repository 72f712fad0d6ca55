"""What happens in Campaign and Dynamics: mails are sent, opened, bounce late; exports overlap, repeat and tear."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sandbox.wire import Request
from sync.model import LedgerRow, State
from sync.storage.ledger import Ledger, bucket_of, partition_of
from tests.events.stage import DELIVERY_HEADER, TRACKING_HEADER, csv_of
from tests.simulation.events.lines import Line, id_last, text_of
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.events.world import EventWorld

DAY_S = 86400.0


@dataclass
class Mail:
    """Acts at random times; `lines` holds every version of every line."""

    world: EventWorld
    lines: list[Line] = field(default_factory=list)
    deleted: set[tuple[str, str, str]] = field(default_factory=set)
    """(kind or task, contact, date or delivery) of activities that a salesperson deleted."""
    gone: set[str] = field(default_factory=set)
    lost: dict[str, str] = field(default_factory=dict)
    """Contacts that were merged, and into whom."""
    known: dict[str, float] = field(default_factory=dict)
    """Since when the contacts' ledger says so."""
    serial: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    exported: set[Line] = field(default_factory=set)
    torn: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    """Contacts that Dynamics gets later."""

    def __post_init__(self) -> None:
        self.trouble = self
        self.rng = random.Random(f"mail {self.world.scenario.seed}")
        self.id_last = self.rng.random() < 0.5
        """A line that is cut then names another line."""
        if self.world.special == "torn":
            self.id_last = True
        self.ids = [f"{number + 1:08x}-0000-4000-8000-{self.rng.getrandbits(48):012x}" for number in range(3)]

    async def watch_call(self, process: Process, system: str, request: Request) -> None:
        """Nobody looks on."""

    def forced_fate(self, request: Request) -> str:
        return ""

    def begin(self) -> None:
        for contact in self.ids:
            if self.rng.random() < 0.25:
                self.late.append(contact)
            else:
                self.world.dynamics.seed([{"contactid": contact, "lastname": "N"}])
        self.send()

    async def play(self) -> None:
        scenario = self.world.scenario
        times = sorted(self.rng.random() * scenario.length_s for _ in range(scenario.acts))
        for moment in times:
            await self.world.wait(max(moment - self.world.loop.virtual, 0.0))
            self.act()
        await self.world.wait(max(scenario.length_s - self.world.loop.virtual, 0.0))

    def act(self) -> None:
        verbs: tuple[Callable[[], None], ...] = (
            self.send, self.track, self.track, self.flip, self.flip, self.take_back, self.revise, self.export,
            self.export, self.export, self.repeat, self.tear, self.sales_delete, self.appear, self.vanish,
        )  # fmt: skip
        if self.world.special == "torn":
            verbs = (self.send, self.track, self.track, *(self.tear,) * 3)
        if self.world.special == "zombie":
            verbs = (self.send, *(self.track,) * 4, *(self.export,) * 5)
        if self.world.special == "tidy":
            verbs = (self.send, self.track, self.flip, *(self.export,) * 4, *(self.sales_delete,) * 4)
        if self.world.special == "lapse":
            verbs = (*(self.track,) * 3, *(self.export,) * 4)
        if self.world.special == "waver":
            verbs = (self.send, self.flip, self.flip, self.take_back, self.take_back, *(self.export,) * 5)
        if self.world.merges:
            verbs = (*verbs, self.merge, self.merge)
        verb = self.rng.choice(verbs)
        if verb not in (self.vanish, self.sales_delete, self.merge):
            self.world.outcomes[f"mail_{verb.__name__}"] += 1
        verb()

    # -- Campaign --------------------------------------------------------------------------------------------------

    def _next(self) -> int:
        self.serial += 1
        return self.serial

    def _now(self) -> float:
        """Whole seconds, each used once: dates identify events."""
        return float(int(self.world.now()) - 3600 + self._next() * 7)

    def send(self) -> None:
        delivery = self.rng.choice(("DM1", "DM2"))
        for contact in self.ids:
            if self.rng.random() < 0.8:
                at = self._now()
                proof = self.rng.random() < 0.1
                self.lines.append(Line("send", self._next(), contact, delivery, at, at, proof=proof))

    def track(self) -> None:
        kind = self.rng.choice(("open", "click"))
        at = self._now()
        contact, delivery = self.rng.choice(self.ids), self.rng.choice(("DM1", "DM2"))
        url = f"https://x.test/{self.serial}" if kind == "click" else ""
        self.lines.append(Line(kind, self._next(), contact, delivery, at, at, url))

    def flip(self) -> None:
        """A sent mail bounces after all: the same line in a later version."""
        sends = [line for line in self.current() if line.kind == "send" and not line.proof]
        if sends:
            line = self.rng.choice(sends)
            kind = "bounce" if self.rng.random() < 0.8 else "soft"
            at = self._now()
            self.lines.append(replace(line, kind=kind, at=at, modified=max(line.modified + 1, at)))

    def take_back(self) -> None:
        """What bounced was sent after all: the line says so in a version later still, and the mark goes again."""
        bounced = [line for line in self.current() if line.kind == "bounce"]
        if bounced:
            line = self.rng.choice(bounced)
            first = next(one for one in self.lines if one.kind == "send" and one.log_id == line.log_id)
            self.lines.append(replace(first, modified=line.modified + 1))

    def revise(self) -> None:
        """Campaign corrects a line: the same event in a later version."""
        clicks = [line for line in self.current() if line.kind == "click"]
        if clicks:
            line = self.rng.choice(clicks)
            url = f"https://x.test/revised/{self._next()}"
            self.lines.append(replace(line, url=url, modified=line.modified + 1))

    def current(self) -> list[Line]:
        """The newest version of each line."""
        newest: dict[tuple[str, int], Line] = {}
        for line in self.lines:
            key = (line.log, line.log_id)
            if key not in newest or line.modified > newest[key].modified:
                newest[key] = line
        return list(newest.values())

    # -- files -----------------------------------------------------------------------------------------------------

    def export(self) -> None:
        """A part of a log as it was at some time: overlapping, shuffled, sometimes with an old version or a bad line."""
        log = self.rng.choice(("delivery", "tracking"))
        known = [line for line in self.lines if line.log == log]
        # In a lapse nothing is left to say that would mend an old correction.
        some = [line for line in known if self.world.special == "lapse" or self.rng.random() < 0.6]
        self.rng.shuffle(some)
        self.exported.update(some)
        bad = ["no,line,at,all"] if self.rng.random() < 0.2 else []
        self._drop(log, [*map(text_of, some), *bad])

    def _drop(self, log: str, lines: list[str]) -> None:
        name = f"{self.rng.getrandbits(16):04x}-{self._next()}.csv"
        header = DELIVERY_HEADER if log == "delivery" else TRACKING_HEADER
        if self.id_last:
            header, lines = id_last(header), [id_last(line) for line in lines]
        self.files[name] = csv_of(header, lines)
        self.world.logs.put(name, self.files[name])

    def repeat(self) -> None:
        """The same file under another name."""
        if self.files:
            data = self.files[self.rng.choice(sorted(self.files))]
            self.world.logs.put(f"again-{self._next()}.csv", data)

    def tear(self) -> None:
        """A file that is still being written, and later is whole; some lack one digit of the last line, for seconds."""
        self.export()
        name = list(self.files)[-1]
        data = self.files[name]
        if self.world.special == "torn":
            self.world.logs.put(name, data[:-2])
            wait = 0.9 * self.world.settings.events_partial_s * self.rng.random()
            self.world.loop.call_later(wait, self.world.logs.put, name, data)
            return
        self.world.logs.put(name, data[: self.rng.randrange(len(data) + 1)])
        self.torn.append(name)

    def finish(self) -> None:
        """Everything is uploaded in the end: what no file had yet, sometimes all of it once more."""
        for name in self.torn:
            self.world.logs.put(name, self.files[name])
        for contact in self.late:
            self.appear_one(contact)
        self.late = []
        everything = self.rng.random() < 0.3
        for log in ("delivery", "tracking"):
            wanted = [line for line in self.lines if everything or line not in self.exported]
            lines = [line for line in wanted if line.log == log]
            self.rng.shuffle(lines)
            self._drop(log, [text_of(line) for line in lines])

    def drop_again(self) -> None:
        """All files of the run once more."""
        for number, name in enumerate(sorted(self.files)):
            self.world.logs.put(f"rerun-{number}.csv", self.files[name])

    # -- Dynamics --------------------------------------------------------------------------------------------------

    def appear(self) -> None:
        if self.late:
            self.appear_one(self.late.pop())

    def appear_one(self, contact: str) -> None:
        self.world.dynamics.seed([{"contactid": contact, "lastname": "N"}])

    def vanish(self) -> None:
        """A contact is deleted, with its timeline."""
        tied = self.gone.union(self.late, self.lost, self.lost.values())
        there = [contact for contact in self.ids if contact not in tied]
        if len(there) > 1 and self.rng.random() < 0.3:
            contact = self.rng.choice(there)
            self.world.dynamics.delete(contact)
            self.gone.add(contact)
            self.world.outcomes["mail_vanish"] += 1

    def merge(self) -> None:
        """Two contacts turn out to be one, and the contacts flow knows of it; the loser's profile stays or goes."""
        there = [one for one in self.ids if one not in self.gone.union(self.late, self.lost)]
        if len(there) > 1:
            winner, loser = self.rng.sample(there, 2)
            self.world.dynamics.merge(winner, loser)
            kept = self.rng.random() < 0.6
            partition = partition_of("contacts", 1, bucket_of(loser, 2))
            row = LedgerRow(partition, loser, state=State.SYNCED if kept else State.DELETED, heir=winner)
            self.world.at_once(Ledger(self.world.clean.table("ledger")).write([row]))
            self.lost[loser] = winner
            self.known[loser] = self.world.now()
            self.world.outcomes["mail_merge"] += 1

    def heir(self, contact: str) -> str:
        """Who has the events of a contact in the end."""
        while contact in self.lost:
            contact = self.lost[contact]
        return contact

    def sales_delete(self) -> None:
        """A salesperson deletes an activity; not one that a late request of ours may still write (docs/events.md)."""
        world = self.world
        settled = world.settled_activities()
        shown = [one for one in [*world.shown(), *world.tasks()] if one["activityid"] in settled]
        if shown:
            one = self.rng.choice(shown)
            world.dynamics.delete(one["activityid"], table=one["table"])
            self.deleted.add(world.identity(one))
            world.outcomes["mail_sales_delete"] += 1
