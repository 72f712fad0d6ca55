"""What happens in the demo: a first load, then people at work in Dynamics while the sync runs.

Every change is noted with the time on the Dynamics look-alike's clock, so that it can be measured from outside.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sandbox.demo.remote import LookAlike
from sandbox.demo.tenant import Contact, Values, new_id, person

TICK_S = 15
"""The shipped schedule: the deltas are read at every quarter of a minute."""
EDITS: tuple[Callable[[random.Random], Values], ...] = (
    lambda rng: {"telephone1": f"+49 40 {rng.randrange(10**6, 10**7)}"},
    lambda rng: {"address1_line1": f"New Street {rng.randrange(1, 999)}", "address1_city": "Hamburg"},
    lambda rng: {"emailaddress1": f"moved.{rng.randrange(10**6)}@example.org"},
    lambda rng: {"lastname": f"Married-{rng.randrange(10**6)}"},
)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing somebody did to a contact; `effect` is what it must do in Campaign."""

    effect: str
    """create, update, delete, or unchanged."""
    record_id: str
    at: float


@dataclass
class Story:
    """The contacts as they are now, and everything that was done to them."""

    dynamics: LookAlike
    contacts: dict[str, Contact]
    rng: random.Random
    acts: list[Act] = field(default_factory=list)
    gone: list[Contact] = field(default_factory=list)
    _used: set[str] = field(default_factory=set)
    _edited: list[tuple[Contact, Values]] = field(default_factory=list)

    @property
    def bad(self) -> dict[str, str]:
        """The contacts that must be quarantined now, with their codes."""
        return {contact.id: contact.code for contact in self.contacts.values() if contact.code}

    @property
    def calm(self) -> float:
        """Time of the last change."""
        return max((act.at for act in self.acts), default=0.0)

    def seed(self) -> None:
        """Puts the tenant into Dynamics."""
        records = [{"contactid": contact.id, **contact.values} for contact in self.contacts.values()]
        for start in range(0, len(records), 500):
            self.dynamics.command("seed", records=records[start : start + 500])

    def first_round(self) -> list[Callable[[], str]]:
        """Edits, new contacts, deletes, and edits that do not concern Campaign."""
        some = max(3, len(self.contacts) // 100)
        return self._shuffled(
            [self._edit] * 2 * some + [self._create] * some + [self._delete] * some + [self._touch] * some
        )

    def second_round(self) -> list[Callable[[], str]]:
        """The same and: edited back, deleted and created again, mended."""
        some = max(2, len(self.contacts) // 150)
        return self._shuffled(
            [self._edit_back] * some
            + [self._create_again] * min(some, len(self.gone))
            + [self._edit_and_back_at_once] * some
            + [self._deactivate] * some
            + [self._mend]
            + [self._edit, self._create, self._delete] * some
        )

    def begin_round(self) -> None:
        """Every contact may be touched again, once."""
        self._used.clear()

    def _shuffled(self, acts: list[Callable[[], str]]) -> list[Callable[[], str]]:
        self.rng.shuffle(acts)
        return acts

    def _some_plain(self) -> Contact:
        """An ordinary contact that nobody touched in this round."""
        free = [c for c in self.contacts.values() if not c.kind and c.id not in self._used]
        contact = self.rng.choice(free)
        self._used.add(contact.id)
        return contact

    def _note(self, effect: str, record_id: str) -> None:
        """Before the change, so that a latency is never told too short."""
        self._used.add(record_id)
        self.acts.append(Act(effect, record_id, float(self.dynamics.command("clock"))))

    def _change(self, effect: str, contact: Contact, changes: Values) -> None:
        self._note(effect, contact.id)
        self.dynamics.command("edit", id=contact.id, changes=changes)
        self.contacts[contact.id] = Contact(contact.id, contact.values | changes, contact.kind, contact.code)

    def _edit(self) -> str:
        contact = self._some_plain()
        changes = self.rng.choice(EDITS)(self.rng)
        self._edited.append((contact, {name: contact.values.get(name) for name in changes}))
        self._change("update", contact, changes)
        return f"edited {', '.join(changes)}"

    def _edit_back(self) -> str:
        """To the value before the first round's edit."""
        usable = [
            entry for entry in self._edited if entry[0].id in self.contacts and entry[0].id not in self._used
        ]
        if not usable:
            return self._edit()
        contact, before = usable[0]
        self._edited.remove(usable[0])
        self._change("update", self.contacts[contact.id], before)
        return f"edited {', '.join(before)} back"

    def _edit_and_back_at_once(self) -> str:
        """Two edits within one tick that leave what was there."""
        while not 1 < time.time() % TICK_S < TICK_S - 1:
            time.sleep(0.05)
        contact = self._some_plain()
        self._change("unchanged", contact, {"lastname": "Mistaken"})
        self.dynamics.command("edit", id=contact.id, changes={"lastname": contact.values["lastname"]})
        self.contacts[contact.id] = contact
        return "edited lastname and at once back"

    def _touch(self) -> str:
        contact = self._some_plain()
        self._change("unchanged", contact, {"description": f"Called on day {self.rng.randrange(365)}."})
        return "edited description, which is not mapped"

    def _deactivate(self) -> str:
        contact = self._some_plain()
        self._change("unchanged", contact, {"statecode": 1, "statuscode": 2})
        return "deactivated (inactive contacts stay in Campaign)"

    def _create(self) -> str:
        self._appear(Contact(new_id(self.rng), person(self.rng)))
        return "created"

    def _create_again(self) -> str:
        self._appear(self.gone.pop(0))
        return "created again under its old id"

    def _appear(self, contact: Contact) -> None:
        self._note("create", contact.id)
        self.dynamics.command("seed", records=[{"contactid": contact.id, **contact.values}])
        self.contacts[contact.id] = contact

    def _delete(self) -> str:
        contact = self._some_plain()
        self._note("delete", contact.id)
        self.dynamics.command("delete", id=contact.id)
        self.gone.append(self.contacts.pop(contact.id))
        return "deleted"

    def _mend(self) -> str:
        """Somebody corrects a bad e-mail: the contact leaves quarantine by itself."""
        contact = next(contact for contact in self.contacts.values() if contact.code)
        mended = {"emailaddress1": f"mended.{self.rng.randrange(10**6)}@example.com"}
        self._change("create", Contact(contact.id, contact.values), mended)
        return "mended emailaddress1: leaves quarantine"


def spread(acts: list[Callable[[], str]], seconds: float) -> Iterator[str]:
    """Does the acts evenly over `seconds`, a whole tick or more, so that no phase of the schedule is preferred."""
    began = time.monotonic()
    for number, act in enumerate(acts):
        time.sleep(max(0.0, began + seconds * number / len(acts) - time.monotonic()))
        yield act()


def make_story(dynamics: LookAlike, contacts: list[Contact], rng: random.Random) -> Story:
    """A story about these contacts."""
    return Story(dynamics, {contact.id: contact for contact in contacts}, rng)
