"""People: who edit, delete and restore contacts, change the mapping, erase profiles and give commands."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sync.flows import reconcile, replay
from sync.flows.block import block
from sync.flows.commands import RunNow, send
from sync.flows.labels import LABELS_S
from sync.flows.look import Reconcile
from sync.flows.rebaseline import Baseline, rebaseline
from sync.model import Intent
from sync.storage.events import Events
from sync.storage.history import ParkedRecords
from sync.storage.parked_events import ParkedEvents
from sync.storage.pauses import PARTS
from sync.storage.table import RowConflict
from sync.storage.watermarks import Progress
from tests.simulation.oracle import BAD_EMAIL, OUTSIDE, SELECTED, SmallMapping
from tests.simulation.scenario import MAPPING
from tests.simulation.trouble import Trouble

if TYPE_CHECKING:
    from tests.simulation.world import World


def name_genders(dynamics: Any, labels: str) -> None:
    """The labels of `gendercode` in Dynamics."""
    columns = dynamics.organization.tables["contact"].table.columns
    named = dict(enumerate(labels.split("/"), start=1))
    columns["gendercode"] = replace(columns["gendercode"], labels=named)


def unchanged(progress: Progress) -> Baseline:
    """A rebaseline in the same environment."""
    organization, campaign, dialect = progress.organization, progress.campaign, progress.dialect
    return Baseline(
        progress.mapping,
        progress.epoch,
        0,
        organization,
        organization,
        campaign,
        campaign,
        dialect,
        dialect,
    )


FIRST_NAMES = ("ada", "Grace", "hedy", None)
INTENTS = ("replay", "retry", "force")
LONGEST_TROUBLE_S = 900.0
NOBODY = "ffffffff-0000-4000-8000-000000000000"
"""An id that people ask for and that no contact has."""
PAUSED = tuple(part for part in PARTS if part != "lane:events")


class People:
    """Acts at random times."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = random.Random(f"people {world.scenario.seed}")
        self.ids: list[str] = []
        self.old: dict[str, list[dict[str, Any]]] = {}
        self.mapping = world.scenario.first_mapping
        self.serial = 0
        self.erased: dict[str, dict[str, Any]] = {}
        """Profiles that a person deleted in Campaign, as they were."""
        self.edited: set[str] = set()
        """Profiles that somebody edited in Campaign, and those that have a key of nobody."""
        self.strangers: set[str] = set()
        self.touched: dict[str, float] = {}
        """When each contact changed last."""
        self.rebaselined = False
        self.tasks: set[asyncio.Task[Any]] = set()
        """Commands that run."""
        self.trouble = Trouble(world, self)

    def begin(self) -> None:
        """The contacts there are before the first pull."""
        if self.mapping.labels:
            name_genders(self.world.dynamics, self.mapping.labels)
        for number in range(self.world.scenario.contacts):
            self.ids.append(f"{number + 1:08x}-0000-4000-8000-{self.rng.getrandbits(48):012x}")
        for record_id in self.ids[: max(1, len(self.ids) - self.rng.randint(0, 1))]:
            self.create(record_id)
        special = self.world.scenario.special
        if special in ("killer", "outage"):
            self.trouble.victim = self.ids[0]
            self.trouble.left = 7 if self.rng.random() < 0.8 else self.rng.randint(1, 4)

    async def play(self) -> None:
        """The script: acts at random times."""
        scenario, world = self.world.scenario, self.world
        special = scenario.special
        shape = self.rng.choice((1, 1, 3))  # 3: most of it while the first full read runs
        times = sorted(self.rng.random() ** shape * scenario.length_s for _ in range(scenario.acts))
        drifting = world.loop.create_task(self.trouble.drift()) if special == "drift" else None
        for moment in times:
            await world.wait(max(moment - world.loop.virtual, 0.0))
            self.act()
        if drifting is not None:
            await drifting
        await world.wait(max(scenario.length_s - world.loop.virtual, 0.0))
        while (
            special in ("killer", "outage") and self.trouble.left and world.loop.virtual < LONGEST_TROUBLE_S
        ):
            await world.wait(20.0)
            if not self.alive(self.trouble.victim):
                self.create(self.trouble.victim)
            elif self.rng.random() < 0.2:
                self.edit(record_id=self.trouble.victim)
        started = world.at_once(world.watermarks.progress(MAPPING)).generation > 0
        if special == "environment" and started:
            await self.trouble.another_environment()

    def act(self) -> None:
        """One thing that somebody does."""
        acts: tuple[tuple[float, Callable[[], None]], ...] = (
            (5.0, self.edit),
            (9.0 if self.world.scenario.special == "brake" else 3.0, self.delete_or_restore),
            (1.0, self.delete_and_restore),
            (1.5, self.edit_back),
            (0.8, self.touch),
            (0.8 if self.mapping.labels else 0.0, self.relabel),
            (3.0 if self.mapping.filtered else 0.3, self.cross),
            (1.0, self.bad_email),
            (4.0 if self.world.scenario.special == "budget" else 0.2, self.bulk_edit),
            (3.0 if self.world.scenario.special == "budget" else 0.0, self.bulk_swing),
            (0.8, self.edit_mapping),
            (0.6, self.erase_profile),
            (2.0, self.command),
            (0.5, self.pause),
            (0.3, self.resume),
            (0.25, self.block),
            (1.0, self.merge),
            (1.0, self.edit_profile),
            (2.0 if self.world.scenario.rebaselines else 0.0, self.rebaseline),
        )
        self.rng.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()

    # -- in Dynamics -----------------------------------------------------------------------------------------------

    def _table(self) -> Any:
        return self.world.dynamics.organization.tables["contact"]

    def alive(self, record_id: str) -> bool:
        return record_id in self._table().rows

    def current(self, record_id: str) -> dict[str, Any]:
        """The source's selected columns."""
        row = self._table().rows[record_id]
        return {name: row.get(name) for name in SELECTED}

    def learn(self, record_id: str) -> None:
        """Tell the witness what the source says now."""
        self.touched[record_id] = self.world.now()
        table = self._table()
        if record_id in table.rows:
            values = self.current(record_id)
            self.old.setdefault(record_id, []).append({k: v for k, v in values.items() if k != "merged"})
            self.world.witness.learned(record_id, table.rows[record_id]["versionnumber"], values)
        else:
            self.world.witness.learned(record_id, table.deleted[record_id], None)

    def _did(self, what: str, record_id: str) -> None:
        self.world.outcomes[f"people_{what}"] += 1
        self.world.note("people", f"{what} {record_id}")

    def _fresh(self) -> dict[str, Any]:
        self.serial += 1
        rng = self.rng
        return {
            "firstname": rng.choice(FIRST_NAMES),
            "lastname": f"n{self.serial}",
            "emailaddress1": rng.choice((f"a{self.serial}+x@example.com", None)),
            "gendercode": rng.choice((1, 2, None)),
            "familystatuscode": OUTSIDE if rng.random() < 0.15 else rng.choice((1, None)),
        }

    def _known(self, values: dict[str, Any]) -> dict[str, Any]:
        """Without the columns that the table does not have just now."""
        columns = self._table().table.columns
        return {name: value for name, value in values.items() if name in columns}

    def create(self, record_id: str) -> None:
        more = {"salutation": f"s{self.serial}", "middlename": self.rng.choice(("kay", None))}
        self.world.dynamics.seed([self._known({"contactid": record_id, **self._fresh(), **more})])
        self.learn(record_id)
        self._did("create", record_id)

    def _someone(self) -> str:
        living = [record_id for record_id in self.ids if self.alive(record_id)]
        return self.rng.choice(living) if living else ""

    def edit(self, changes: dict[str, Any] | None = None, what: str = "edit", record_id: str = "") -> None:
        record_id = record_id or self._someone()
        if not record_id:
            return
        self.world.dynamics.edit(record_id, self._known(self._fresh() if changes is None else changes))
        self.learn(record_id)
        self._did(what, record_id)

    def edit_back(self) -> None:
        """Every column as it was before: the same values under a new version."""
        record_id = self._someone()
        if not record_id or len(self.old[record_id]) < 2:
            self.edit()
            return
        self.edit(self.rng.choice(self.old[record_id][:-1]), "edit_back", record_id)

    def touch(self) -> None:
        """A column nobody mapped changes: a new version with the same values."""
        self.serial += 1
        self.edit({"jobtitle": f"t{self.serial}"}, "touch")

    def cross(self) -> None:
        """Somebody leaves the filter, or comes back, and nothing else changes."""
        record_id = self._someone()
        if record_id:
            outside = self.current(record_id)["familystatuscode"] == OUTSIDE
            status = None if outside else OUTSIDE
            self.edit({"familystatuscode": status}, "enter" if outside else "leave", record_id)

    def bulk_edit(self) -> None:
        """Everybody changes at once."""
        for record_id in self.ids:
            if self.alive(record_id):
                self.edit(record_id=record_id, what="bulk_edit")

    def bulk_swing(self) -> None:
        """Everybody goes, or everybody comes back: many calls are planned, many of them not needed."""
        alive = [record_id for record_id in self.ids if self.alive(record_id)]
        for record_id in self.ids:
            if len(alive) < len(self.ids) / 2 and not self.alive(record_id):
                self.create(record_id)
            elif len(alive) >= len(self.ids) / 2 and self.alive(record_id):
                self.delete(record_id)

    def bad_email(self) -> None:
        self.edit({"emailaddress1": BAD_EMAIL}, "bad_email")

    def delete_or_restore(self) -> None:
        record_id = self.rng.choice(self.ids)
        if self.alive(record_id):
            self.delete(record_id)
        else:
            self.create(record_id)

    def delete(self, record_id: str) -> None:
        self.world.dynamics.delete(record_id)
        self.learn(record_id)
        self._did("delete", record_id)

    def lost(self, record_id: str) -> bool:
        """Whether this living contact was merged into another and its profile goes for it."""
        return self.alive(record_id) and self.mapping.loses(self.current(record_id))

    def heir(self, record_id: str, gone: str) -> str:
        """Into whom a contact was merged, if merges are followed; `gone` if it is not there to say so."""
        if not self.alive(record_id):
            return gone
        row = self._table().rows[record_id]
        lost = self.mapping.merges != "false" and row.get("merged")
        return (row.get("_masterid_value") or "") if lost else ""

    def merge(self) -> None:
        """Two contacts turn out to be one: the loser stays as an inactive row."""
        living = [one for one in self.ids if self.alive(one) and not self.current(one)["merged"]]
        if len(living) > 1:
            winner, loser = self.rng.sample(living, 2)
            self.world.dynamics.merge(winner, loser)
            self.learn(winner)
            self.learn(loser)
            self._did("merge", loser)

    def delete_and_restore(self) -> None:
        """Gone and back between two polls."""
        record_id = self._someone()
        if record_id:
            self.delete(record_id)
            self.create(record_id)

    def meddle(self, record_id: str) -> None:
        """Somebody changes the very record that is being written, at the worst moment."""
        if self.alive(record_id):
            if self.rng.random() < 0.7:
                self.edit(record_id=record_id, what="meddle")
            else:
                self.delete(record_id)
        elif record_id in self.ids:
            self.create(record_id)

    # -- in the sync and in Campaign ---------------------------------------------------------------------------------

    def edit_mapping(self) -> None:
        """Other values, one more column, a filter more or less, or what it does with those outside."""
        roll = self.rng.random()
        if roll < 0.2:
            self.use(replace(self.mapping, filtered=not self.mapping.filtered), "mapping_filter")
        elif roll < 0.55 and self.mapping.filtered:
            leaving = self.rng.choice(("keep", "delete", "mark"))
            self.use(replace(self.mapping, leaving=leaving), "mapping_leaving")
        elif roll < 0.8 or self.mapping.middle:
            self.use(replace(self.mapping, genders=1 - self.mapping.genders), "mapping_values")
        else:
            self.use(replace(self.mapping, middle=True), "mapping_column")

    def use(self, mapping: SmallMapping, what: str) -> None:
        """Activate a mapping text."""
        world = self.world
        store = world.mappings
        if world.at_once(store.active(MAPPING)) is None:
            return
        if mapping.labels and not self.mapping.labels:
            name_genders(world.dynamics, mapping.labels)
        self.mapping = mapping
        world.witness.mappings.append(mapping)
        world.at_once(store.activate(MAPPING, mapping.text, author="sim", comment="", buckets=2))
        self._did(what, "")

    def relabel(self, labels: str = "") -> None:
        """An admin calls the genders something else: no contact changes with it."""
        self.serial += 1
        labels = labels or f"m{self.serial}/w{self.serial}"
        self.mapping = replace(self.mapping, labels=labels)
        self.world.witness.mappings.append(self.mapping)
        name_genders(self.world.dynamics, labels)
        self.world.patience = LABELS_S
        self._did("relabel", "")

    def erase_profile(self) -> None:
        """Somebody deletes a profile in Campaign."""
        record_id = self.rng.choice(self.ids)
        shown = [profile for profile in self.world.campaign.dump() if profile["externalId"] == record_id]
        if not shown:
            return
        self.world.campaign.delete(record_id)
        self.erased[record_id] = shown[0]
        self._did("erase", record_id)

    def command(self) -> None:
        """Somebody runs a command."""
        commands = (
            *(lambda intent=intent: self.replay(intent) for intent in INTENTS),
            self.run_now,
            self.replay_matching,
            self.replay_list,
            self.reconcile,
            self.reconcile_some,
        )
        self.rng.choice(commands)()

    def replay(self, intent: Any, **narrowed: Any) -> None:
        world = self.world
        progress = world.at_once(world.watermarks.progress(MAPPING))
        if progress.generation == 0:
            return
        states = ("quarantined", "parked", "hold") if intent == "retry" else ()
        wanted = replay.Replay(epoch=progress.epoch, intent=intent, states=states, **narrowed)
        world.at_once(replay.start(world.person(), MAPPING, wanted, who="sim"))
        self._did(f"command_{intent}", "")

    def replay_matching(self) -> None:
        """By a condition or a time: a list from Dynamics."""
        ways: tuple[dict[str, Any], ...] = ({"matching": "gendercode eq 1"}, {"since": self.world.now() - 60})
        self.replay(self.rng.choice(("replay", "force")), **self.rng.choice(ways))

    def reconcile(self, **narrowed: Any) -> None:
        """Compare, mostly to heal; the list of what Campaign holds included unless it is a sample."""
        world = self.world
        progress = world.at_once(world.watermarks.progress(MAPPING))
        if progress.generation and world.compares:
            chosen = {"heal": self.rng.random() < 0.8, "delete_extras": self.rng.random() < 0.5, **narrowed}
            wanted = Reconcile(epoch=progress.epoch, **chosen)
            world.at_once(reconcile.start(world.person(), MAPPING, wanted, who="sim", total=0))
            self._did("reconcile", "")

    def reconcile_some(self) -> None:
        """A sample from somewhere on."""
        self.reconcile(sample=2, bucket=1, after=self.rng.choice(self.ids))

    def edit_profile(self) -> None:
        """Somebody edits a profile in Campaign, or makes one with a key that no contact has."""
        if self.rng.random() < 0.3:
            self.serial += 1
            stranger = f"{self.serial:08x}-eeee-4000-8000-000000000000"
            self.world.campaign.seed([{"externalId": stranger}])
            self.strangers.add(stranger)
            self._did("stranger", stranger)
            return
        record_id = self.rng.choice(self.ids)
        # Not while the field is gone.
        shown = [one for one in self.world.campaign.dump() if "lastName" in one]
        if any(profile["externalId"] == record_id for profile in shown):
            self.world.campaign.edit(record_id, {"lastName": "Meddled"})
            self.edited.add(record_id)
            self._did("edit_profile", record_id)

    def rebaseline(self) -> None:
        """Somebody begins another epoch, though the environment is the same."""
        if self.world.at_once(self.world.watermarks.progress(MAPPING)).generation:
            self.begin_task(self.rebaseline_now())

    async def rebaseline_now(self) -> None:
        """The command, again where a pull was faster."""
        person = self.world.person()
        while True:
            progress = await person.watermarks.progress(MAPPING)
            with suppress(RowConflict):
                await rebaseline(person, unchanged(progress))
                break
        self.rebaselined = True
        self._did("rebaseline", "")

    def replay_list(self) -> None:
        """By a list of ids, some of which nobody has."""
        person = self.world.person()
        if self.world.at_once(person.watermarks.progress(MAPPING)).generation:
            ids = [*self.ids, NOBODY]
            self.begin_task(replay.send_list(person, MAPPING, self.rng.sample(ids, 2), Intent.REPLAY))
            self._did("command_list", "")

    def begin_task(self, work: Coroutine[Any, Any, Any]) -> None:
        """A command that takes its time."""
        task = self.world.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def block(self) -> None:
        """Somebody blocks a person, and erases the profile once the command says that it is done."""
        record_id = self.rng.choice(self.ids)
        if record_id in self.world.witness.blocked:
            return
        self._did("block", record_id)
        self.world.witness.blocked[record_id] = float("inf")
        self.begin_task(self.block_now(record_id))

    async def block_now(self, record_id: str) -> None:
        """The command, and the erasure after it."""
        world = self.world
        events = Events(world.clean.table("events"))
        parked = ParkedEvents(world.clean.table("parkedevents"))
        await block(world.person(), events, parked, record_id, who="sim")
        world.witness.blocked[record_id] = world.now()
        if any(profile["externalId"] == record_id for profile in world.campaign.dump()):
            world.campaign.delete(record_id)
        world.note("people", f"blocked {record_id}")

    def pause(self) -> None:
        """Somebody pauses a flow or a lane."""
        part = self.rng.choice(PAUSED)
        self.world.at_once(self.world.person().pauses.pause(MAPPING, [part], "sim", ""))
        self._did("pause", part)

    def resume(self) -> None:
        """And lets everything go on."""
        if self.world.at_once(self.world.person().pauses.resume(MAPPING, PARTS)):
            self._did("resume", "")

    def run_now(self) -> None:
        self.world.at_once(send(self.world.lanes, RunNow(mapping=MAPPING)))
        self._did("command_pull", "")

    def approve_deletes(self) -> int:
        """Let every braked delete through."""
        world = self.world
        parked = ParkedRecords(world.clean.table("parked"))
        rows = [row for row in world.clean_parked() if not row.approved]
        for row in rows:
            world.at_once(parked.add(replace(row, approved=True)))
            self._did("approve", row.record_id)
        return len(rows)

    # -- the end -------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """No more trouble from here."""
        self.trouble.left = 0
        self.resume()

    def last_orders(self) -> bool:
        """After the system came to rest: what waits for a person is decided; whether anything was."""
        world = self.world
        decided = 0
        if self.rng.random() < 0.7:
            decided += self.approve_deletes()
        again = ("crashes_worker", "campaign_error", "campaign_garbled", "campaign_refused", "internal_error")
        if any(row.code in again for row in world.ledger_rows().values()):
            self.replay("retry")
            decided += 1
        return decided > 0
